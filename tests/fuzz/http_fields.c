/* Any texts as path and shape, as fields that name versions and parts, and as a field of an answer:
 * nothing is read beyond them, and no answer gets a line that is not its own. */
#include <obhut/http.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Copies without a byte behind their NUL. */
static char *take(const uint8_t **bytes, size_t *size)
{
    const size_t length = strnlen((const char *)*bytes, *size), step = length + (length < *size);
    char *text = malloc(length + 1);
    if (!text)
        abort();
    memcpy(text, *bytes, length);
    text[length] = '\0';
    *bytes += step;
    *size -= step;
    return text;
}

static size_t lines_of(const ob_answer *answer)
{
    size_t lines = 0;
    for (size_t i = 0; i < answer->headers.size; i++) {
        lines += answer->headers.bytes[i] == '\n';
        if (answer->headers.bytes[i] == '\r')
            abort();
    }
    return lines;
}

static void try_path(const char *path)
{
    static const char *const shapes[] = {"/a/{x}", "/a/{x}/b/{y}", "/{x}", "/a/{x}/b",
                                         "/{x}/{y}/{z}"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char part[20];
        const bool fits = ob_path_is(shapes[i], path, true);
        const bool is_there = ob_path_part(part, sizeof part, shapes[i], path, "x");
        if ((is_there && !fits) || strlen(part) >= sizeof part || (is_there && !*part))
            abort();
    }
}

static void try_range(const char *field, uint64_t size)
{
    uint64_t first, last;
    if (ob_range_of(&first, &last, field, size) == OB_RANGE_PART && (first > last || last >= size))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ob_answer answer = {0};
    const uint64_t of = size;
    const bool is_utf8 = ob_is_utf8(bytes, size);
    char *one = take(&bytes, &size), *two = take(&bytes, &size);
    try_path(one);
    try_range(one, of);
    (void)ob_version_is_named(one, two, of & 1);
    size_t lines = ob_answer_header(&answer, one, two, NULL) == OB_OK;
    lines += ob_answer_cookie(&answer, one, two, 5, NULL) == OB_OK;
    lines += ob_answer_version(&answer, one, NULL) == OB_OK;
    if (lines_of(&answer) != lines || (is_utf8 && !ob_is_utf8(one, strlen(one))))
        abort();
    ob_answer_free(&answer);
    free(one);
    free(two);
    return 0;
}
