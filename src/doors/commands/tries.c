/* An uploader who is refused has learned that a picture is listed. So matches are counted by
 * account and day, in memory, and bounded: after so many an account gets no more answers until the
 * next day. */
#include "services_priv.h"

#include <obhut/clock.h>

#include <string.h>

enum { SCANNED = 8 }; /* places that an account may be at */

void tries_init(tries *t, unsigned most)
{
    memset(t, 0, sizeof *t);
    t->most = most;
    pthread_mutex_init(&t->lock, NULL);
}

void tries_end(tries *t)
{
    pthread_mutex_destroy(&t->lock);
}

/* Returns the line of an account; else, where `make`, that of the neighbour with the fewest
 * matches, never NULL then. Lines of earlier days count as empty. */
static tries_line *line_of(tries *t, const ob_record_key *account, int64_t day, bool make)
{
    uint64_t at;
    tries_line *least = NULL;
    memcpy(&at, account->bytes, sizeof at); /* a keyed code: evenly spread, and nobody's choice */
    for (unsigned i = 0; i < SCANNED; i++) {
        tries_line *line = &t->line[(at + i) % TRIES_LINES];
        if (line->day == day && !memcmp(&line->account, account, sizeof *account))
            return line;
        if (line->day != day)
            line->count = 0;
        if (!least || line->count < least->count)
            least = line;
    }
    if (make)
        *least = (tries_line){.account = *account, .day = day};
    return make ? least : NULL;
}

static bool may(unsigned *retry_after_s, tries *t, const ob_item *item, bool counts)
{
    const int64_t now = ob_now(), day = now / QUOTA_DAY_S;
    if (!t->most || !item->has_account || (!counts && !atomic_load(&t->any)))
        return true;
    pthread_mutex_lock(&t->lock);
    tries_line *line = line_of(t, &item->account, day, counts);
    const bool left = !line || line->count < t->most;
    if (counts && left)
        line->count++;
    pthread_mutex_unlock(&t->lock);
    if (counts)
        atomic_store(&t->any, true);
    if (!left) {
        atomic_fetch_add(&t->refused, 1);
        *retry_after_s = (unsigned)(QUOTA_DAY_S - now % QUOTA_DAY_S);
    }
    return left;
}

bool tries_left(unsigned *retry_after_s, tries *t, const ob_item *item)
{
    return may(retry_after_s, t, item, false);
}

bool tries_take(unsigned *retry_after_s, tries *t, const ob_item *item)
{
    return may(retry_after_s, t, item, true);
}
