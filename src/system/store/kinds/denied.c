/* Salted digests of denied items, so that none is counted twice in a day, and the salt of the day.
 */
#include "../record.h"

#include <obhut/crypto.h>
#include <obhut/records/tally.h>

/* ---- The salt -------------------------------------------------------------------------------- */

typedef struct salt_row {
    int64_t day;
    ob_record_key salt;
} salt_row;

static const record_column salt_columns[] = {
    {COLUMN(salt_row, day, "its age"), .key = 1},
    {COLUMN(salt_row, salt, "making the codes")},
};

const record_kind kind_salt = {
    .about = {.table = "salt",
              .title = "the salt of the day",
              .purpose = "without it nobody can make these codes again",
              .period = "until the day is over",
              .persons = "no"},
    COLUMNS(salt_columns),
    .size = sizeof(salt_row),
    .retention = {{.word = "salt", .days = 1, .since = "day * 86400", .by = "day"}},
};

static ob_status need_salt(ob_record_key *out, ob_writing *w, int64_t day, ob_error *err)
{
    sql q;
    bool found;
    salt_row salt = {.day = day};
    record_select(&q, &w->view, &kind_salt, "WHERE day = ?", err);
    sql_bind_int(&q, 1, day);
    ob_status status = record_read_one(&found, &salt, &q);
    if (!status && !found) {
        ob_random(salt.salt.bytes, sizeof salt.salt.bytes);
        status = record_add(w, &kind_salt, &salt, err);
    }
    *out = salt.salt;
    return status;
}

/* ---- Digests --------------------------------------------------------------------------------- */

typedef struct row {
    ob_record_key digest;
    int64_t day;
} row;

static const record_column columns[] = {
    {COLUMN_AS("code", row, digest, "knowing it again"), .key = 1},
    {COLUMN(row, day, "its age")},
};

const record_kind kind_denied = {
    .about = {.table = "denied",
              .title = "codes of denied items",
              .purpose = "not counting a retry twice",
              .period = "until the day is over",
              .persons = "no: salted codes"},
    COLUMNS(columns),
    .size = sizeof(row),
    .retention = {{.word = "denied", .days = 1, .since = "day * 86400", .by = "code"}},
};

ob_status store_denied_add(ob_writing *w, const ob_record_key *digest, int64_t day, ob_error *err)
{
    bool is_new;
    const row denied = {.digest = *digest, .day = day};
    return record_add_new(&is_new, w, &kind_denied, &denied, err);
}

static ob_status forget_before(ob_writing *w, int64_t day, ob_error *err)
{
    sql q;
    ob_status status = store_want_scrub(w, "denied", err);
    if (!status)
        status = store_want_scrub(w, "salt", err);
    if (status)
        return status;
    sql_begin(&q, &w->view, "DELETE FROM denied WHERE day < ?", err);
    sql_bind_int(&q, 1, day);
    status = store_end_change(&q, NULL);
    if (!status) {
        sql_begin(&q, &w->view, "DELETE FROM salt WHERE day < ?", err);
        sql_bind_int(&q, 1, day);
        status = store_end_change(&q, NULL);
    }
    return status;
}

static void read_digest(void *record, sql *q)
{
    sql_key(q, 0, record);
}

ob_status ob_store_denied(ob_record_key *salt, ob_record_key **out, size_t *count, ob_writing *w,
                          int64_t day, ob_error *err)
{
    sql q;
    ob_status status = forget_before(w, day, err);
    if (!status)
        status = need_salt(salt, w, day, err);
    if (status)
        return status;
    sql_begin(&q, &w->view, "SELECT code FROM denied WHERE day = ?", err);
    sql_bind_int(&q, 1, day);
    return store_read_all(out, count, &q, sizeof **out, read_digest);
}
