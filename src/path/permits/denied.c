/* Which items were denied today: each counts once a day, however often it is asked for. */
#include "permits_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/log.h>

#include <stdlib.h>
#include <string.h>

enum { DENIED_MOST = 1 << 20 }; /* of a day; beyond, every one is new */

static bool is_empty(const ob_record_key *key)
{
    static const ob_record_key none;
    return !memcmp(key, &none, sizeof none);
}

/* Where a code is, or belongs. */
static ob_record_key *place_of(ob_record_key *table, size_t size, const ob_record_key *code)
{
    size_t at;
    memcpy(&at, code->bytes, sizeof at);
    for (at &= size - 1; !is_empty(&table[at]) && memcmp(&table[at], code, sizeof *code);)
        at = (at + 1) & (size - 1);
    return &table[at];
}

static bool grow(denied *d)
{
    size_t size = d->size ? 2 * d->size : 1024;
    ob_record_key *table = calloc(size, sizeof *table);
    if (!table)
        return false;
    for (size_t i = 0; i < d->size; i++)
        if (!is_empty(&d->table[i]))
            *place_of(table, size, &d->table[i]) = d->table[i];
    free(d->table);
    d->table = table;
    d->size = size;
    return true;
}

/* True where this code is new today; beyond DENIED_MOST, every one is. */
static bool remember(denied *d, const ob_record_key *code)
{
    if (d->count >= DENIED_MOST || (2 * (d->count + 1) > d->size && !grow(d)))
        return true;
    ob_record_key *place = place_of(d->table, d->size, code);
    if (!is_empty(place))
        return false;
    *place = *code;
    d->count++;
    return true;
}

/* What the records hold of a day. */
typedef struct day_codes {
    int64_t day;
    ob_record_key salt, *codes;
    size_t count;
} day_codes;

static ob_status read_day(ob_act *act, void *context, ob_error *err)
{
    day_codes *d = context;
    ob_act_quiet(act);
    return ob_store_denied(&d->salt, &d->codes, &d->count, act->w, d->day, err);
}

/* A new day has a new salt, and yesterday's codes are gone. */
static ob_status need_day(denied *d, batch *b, int64_t day, ob_acts *acts, ob_error *err)
{
    day_codes read = {.day = day};
    if (d->day == day)
        return OB_OK;
    ob_status status = ob_acts_note(acts, "day", read_day, &read, err);
    if (!status) {
        free(d->table);
        d->table = NULL;
        d->size = d->count = b->fresh_count = 0;
        d->day = b->day = day;
        d->salt = read.salt;
        for (size_t i = 0; i < read.count; i++)
            remember(d, &read.codes[i]);
    }
    free(read.codes);
    ob_wipe(&read.salt, sizeof read.salt);
    return status;
}

ob_status denied_count(denied *d, batch *b, ob_acts *acts, ob_error *err)
{
    size_t done = 0;
    ob_status status = OB_OK;
    for (; done < b->denial_count; done++) {
        ob_record_key code;
        const denial *one = &b->denials[done];
        status = need_day(d, b, one->one.day, acts, err);
        if (status)
            break;
        /* What could not be done then is another count than what nobody may. */
        ob_mac(code.bytes, d->salt.bytes,
               ob_reason_is_operational((ob_reason)one->one.reason) ? "obhut could not"
                                                                    : "obhut denied",
               one->item.bytes, sizeof one->item.bytes);
        if (!remember(d, &code))
            continue;
        batch_count(b, &one->one);
        batch_append(&b->fresh, &b->fresh_count, &b->fresh_capacity, &code);
    }
    b->denial_count -= done;
    if (done && b->denial_count)
        memmove(b->denials, b->denials + done, b->denial_count * sizeof *b->denials);
    return status;
}

void denied_free(denied *d)
{
    ob_wipe(&d->salt, sizeof d->salt);
    free(d->table);
}
