/* What a token's requests write to the disk, by day: counted in memory and, with each act, in the
 * records; told before it is all, and then refused until the next day. What takes a consent back is
 * counted and never refused. */
#include "services_priv.h"

#include <obhut/clock.h>

#include <stdio.h>
#include <string.h>

enum { WARN_PERCENT = 80 };

void quota_init(quota *q, uint64_t most)
{
    memset(q, 0, sizeof *q);
    q->most = most;
    pthread_mutex_init(&q->lock, NULL);
}

void quota_end(quota *q)
{
    pthread_mutex_destroy(&q->lock);
}

/* The token's own line, or where there are too many the last, which these share. */
static quota_line *line_of(quota *q, const char *token)
{
    unsigned i = 0;
    while (i < q->count && strcmp(q->line[i].token, token) != 0)
        i++;
    if (i == q->count && q->count < QUOTA_LINES)
        snprintf(q->line[q->count++].token, sizeof q->line->token, "%s", token);
    return &q->line[i < QUOTA_LINES ? i : QUOTA_LINES - 1];
}

/* What was counted is of an earlier day. A clock that goes back begins none. */
static void begin_day(quota *q, int64_t day)
{
    if (day <= q->day)
        return;
    for (unsigned i = 0; i < q->count; i++)
        q->line[i].bytes = 0;
    q->day = day;
}

void quota_know(quota *q, const char *token, int64_t day, uint64_t bytes)
{
    pthread_mutex_lock(&q->lock);
    begin_day(q, day);
    line_of(q, token)->bytes += bytes;
    pthread_mutex_unlock(&q->lock);
}

quota_answer quota_take(unsigned *retry_after_s, quota *q, const char *token, uint64_t bytes,
                        bool always)
{
    const int64_t now = ob_now(), day = now / QUOTA_DAY_S;
    quota_answer answer = QUOTA_FINE;
    pthread_mutex_lock(&q->lock);
    begin_day(q, day);
    quota_line *line = line_of(q, token);
    const uint64_t told_at = q->most / 100 * WARN_PERCENT;
    if (!always && line->bytes + bytes > q->most) {
        q->refused++;
        *retry_after_s = (unsigned)(QUOTA_DAY_S - now % QUOTA_DAY_S);
        answer = QUOTA_USED_UP;
    } else {
        if (line->bytes < told_at && line->bytes + bytes >= told_at)
            answer = QUOTA_NEARLY;
        line->bytes += bytes;
    }
    pthread_mutex_unlock(&q->lock);
    return answer;
}

void quota_give_back(quota *q, const char *token, uint64_t bytes)
{
    pthread_mutex_lock(&q->lock);
    quota_line *line = line_of(q, token);
    line->bytes -= bytes < line->bytes ? bytes : line->bytes; /* a new day may have begun */
    pthread_mutex_unlock(&q->lock);
}

void quota_count(uint64_t *refused, unsigned *percent, quota *q)
{
    uint64_t largest = 0;
    pthread_mutex_lock(&q->lock);
    for (unsigned i = 0; i < q->count && q->day >= ob_now() / QUOTA_DAY_S; i++)
        largest = q->line[i].bytes > largest ? q->line[i].bytes : largest;
    *refused = q->refused;
    pthread_mutex_unlock(&q->lock);
    *percent = (unsigned)(largest * 100 / q->most);
}
