/* Any bytes as a journal: entries that could have been written, or a sentence. */
#include "journal_priv.h"

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

/* Every line gets its checksum, over the line before's too: what stands behind it is what is tried.
 * Before a first line that names a version it is the second that is tried. */
static void append_line(ob_buf *to, char sum[SUM_DIGITS + 1], const uint8_t *text, size_t size)
{
    static const char *const chained[] = {"{\"more\":", "{\"end\":"};
    ob_buf summed = {0};
    bool whole = to->size && memmem(to->bytes, to->size, "{\"version\":3", 12);
    for (size_t i = 0; i < 2; i++)
        whole |= size >= strlen(chained[i]) && !memcmp(text, chained[i], strlen(chained[i]));
    if (whole)
        ob_buf_append(&summed, sum, strlen(sum), NULL);
    ob_buf_append(&summed, text, size, NULL);
    journal_sum(sum, summed.bytes, summed.size, NULL);
    ob_buf_printf(to, NULL, "%s ", sum);
    ob_buf_append(to, text, size, NULL);
    ob_buf_append(to, "\n", 1, NULL);
    ob_buf_free(&summed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ob_buf text = {0};
    char sum[SUM_DIGITS + 1] = "0000000000000000";
    if (size && *bytes == '!') /* as it is */
        ob_buf_append(&text, bytes + 1, size - 1, NULL);
    else
        for (size_t at = 0; at < size;) {
            const uint8_t *end = memchr(bytes + at, '\n', size - at);
            size_t line = end ? (size_t)(end - bytes) - at : size - at;
            append_line(&text, sum, bytes + at, line);
            at += line + 1;
        }
    int file = memfd_create("journal", 0);
    if (file < 0 || (text.size && write(file, text.bytes, text.size) != (ssize_t)text.size))
        abort();
    char path[] = "journal";
    journal j = {.file = file, .path = path};
    size_t entries = 0;
    ob_error err = {0};
    ob_status status = journal_read_open(&j, NULL, check, &entries, &err);
    if ((status && !err.text[0]) || j.size > text.size)
        abort();
    close(file);
    ob_buf_free(&text);
    return 0;
}
