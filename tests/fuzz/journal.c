/* Any bytes as a journal: entries that could have been written, or a sentence. */
#include "lists_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static ob_status check(void *context, const entry *e, ob_error *err)
{
    (void)err;
    ++*(size_t *)context;
    if ((e->id && strlen(e->id) > OB_LIST_ID_MAX) || strlen(e->source) > OB_LIST_TEXT_MAX)
        abort();
    return OB_OK;
}

/* Every line gets its checksum: what stands behind it is what is tried. */
static void append_line(ob_buf *to, const uint8_t *text, size_t size)
{
    uint8_t sum[OB_SHA256_SIZE];
    char hex[17];
    ob_sha256(sum, text, size, NULL);
    ob_hex(hex, sum, 8);
    ob_buf_printf(to, NULL, "%s ", hex);
    ob_buf_append(to, text, size, NULL);
    ob_buf_append(to, "\n", 1, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ob_buf text = {0};
    if (size && bytes[0] % 2)
        ob_buf_append(&text, bytes, size, NULL);
    else
        for (size_t at = 0; at < size;) {
            const uint8_t *end = memchr(bytes + at, '\n', size - at);
            size_t line = end ? (size_t)(end - bytes) - at : size - at;
            append_line(&text, bytes + at, line);
            at += line + 1;
        }
    int file = memfd_create("journal", 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (file < 0 || (text.size && write(file, text.bytes, text.size) != (ssize_t)text.size))
        abort();
    uint64_t whole = 0;
    size_t entries = 0;
    ob_error err = {0};
    ob_status status = journal_read(&whole, path, check, &entries, &err);
    if ((status && !err.text[0]) || whole > text.size)
        abort();
    close(file);
    ob_buf_free(&text);
    return 0;
}
