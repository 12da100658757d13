/* Any bytes as the content of a backup: files that one may hold, in their order, or a sentence. */
#include "../unit/source.h"
#include "backup_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const sequence_file *before, const sequence_file *now)
{
    if (sequence_rank(now->name) != now->rank || now->rank >= RANKS || strstr(now->name, "/.") ||
        now->name[0] == '/' || (now->mode & 0177) || sequence_order(before, now) >= 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    source from = {bytes, size, 0, size ? 1 + bytes[size - 1] : 1};
    sequence s = {.get = get, .context = &from};
    ob_backup_about about = {0};
    ob_error err = {0};
    bool end = false;
    ob_status status = about_read(&about, &s, &err);
    if (!status && (strlen(about.program) >= sizeof about.program || strchr(about.program, '\x1b')))
        abort();
    while (!status && !end) {
        const sequence_file before = s.now;
        status = sequence_next(&end, &s, &err);
        if (status || end)
            break;
        check(&before, &s.now);
        status = sequence_skip(&s, &err);
    }
    if (status && !err.text[0])
        abort();
    if (!status && (from.at != from.size || s.bytes > size || s.now.rank != RANK_RECORDS))
        abort();
    return 0;
}
