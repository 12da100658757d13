/* Rules of faults as text: "VERB:PATH:SAYS[,SAYS…]" and "clock:WHEN", with ";" or new lines
 * between them.
 *
 *     sync:audit/log:delay=12000
 *     write:obhut.db-wal:errno=28,nth=3
 *     any:lists/:hold
 *     clock:+86400
 *
 * VERB is one of open, read, write, sync, truncate, rename, unlink, mkdir, stat, change (all that
 * change a disk), any. SAYS: errno=N; delay=MILLISECONDS; hold (until the rule is gone); nth=N,
 * that call alone; from=N, that one and all behind it. WHEN: +N or -N seconds from the machine's
 * clock, or N seconds since 1970, from where it goes on. */
#ifndef OBHUT_FAULT_RULES_H
#define OBHUT_FAULT_RULES_H

#include "files.h"

#include <stdint.h>

typedef struct rules_text {
    files_rule rules[FILES_RULES];
    unsigned count;
    bool has_clock;
    int64_t ahead; /* seconds */
} rules_text;

/* False where `text` is none of that; *wrong then points to the rule that is not. */
bool rules_read(rules_text *out, const char **wrong, const char *text, int64_t now);

#endif
