/* Marks: how far the log and the records agree, what is under way, the last number of each kind of
 * record, the latest instant at which anything was allowed. */
#include "../record.h"

#include <obhut/records/log.h>
#include <obhut/records/tally.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct row {
    char name[64];
    int64_t value;
} row;

static const record_column columns[] = {
    {COLUMN(row, name, "which"), .key = 1},
    {COLUMN(row, value, "its value")},
};

const record_kind kind_counter = {
    .about = {.table = "mark",
              .title = "marks",
              .purpose =
                  "the latest instant at which anything was allowed; the last number of each "
                  "kind of record; how far the log and the records agree",
              .period = "while the directory exists",
              .persons = "no"},
    COLUMNS(columns),
    .size = sizeof(row),
};

static row named(const char *name, int64_t value)
{
    row out = {.value = value};
    snprintf(out.name, sizeof out.name, "%s", name);
    return out;
}

static ob_status set(ob_writing *w, const char *name, int64_t value, ob_error *err)
{
    const row counter = named(name, value);
    return record_put(w, &kind_counter, &counter, err);
}

/* Leaves *out as it is where there is none. */
static ob_status get(int64_t *out, ob_view *view, const char *name, ob_error *err)
{
    sql q;
    sql_begin(&q, view, "SELECT value FROM mark WHERE name = ?", err);
    sql_bind_text(&q, 1, name);
    if (sql_step(&q))
        *out = sql_int(&q, 0);
    return sql_end(&q);
}

static const char *const names[OB_COUNTERS] = {"log.entry", "log.day",     "reaped",
                                               "scrubbed",  "log.settled", "counted"};

ob_status ob_store_counter(int64_t *out, ob_view *view, ob_counter counter, ob_error *err)
{
    *out = -1;
    return get(out, view, names[counter], err);
}

ob_status ob_store_counter_set(ob_writing *w, ob_counter counter, int64_t value, ob_error *err)
{
    return set(w, names[counter], value, err);
}

/* ---- Deeds ----------------------------------------------------------------------------------- */

static ob_status change_intent(ob_writing *w, const char *text, uint64_t entry, ob_error *err)
{
    sql q;
    char name[32];
    snprintf(name, sizeof name, "deed.%llu", (unsigned long long)entry);
    sql_begin(&q, &w->view, text, err);
    sql_bind_text(&q, 1, name);
    return store_end_change(&q, NULL);
}

ob_status ob_store_intent_begin(ob_writing *w, uint64_t entry, ob_error *err)
{
    return change_intent(w, "INSERT INTO mark (name, value) VALUES (?, 1)", entry, err);
}

ob_status ob_store_intent_end(ob_writing *w, uint64_t entry, ob_error *err)
{
    return change_intent(w, "DELETE FROM mark WHERE name = ?", entry, err);
}

static void read_intent(void *record, sql *q)
{
    uint64_t *entry = record;
    char name[64];
    sql_text(q, 0, name, sizeof name);
    *entry = strtoull(name + sizeof "deed." - 1, NULL, 10);
}

ob_status ob_store_intents(uint64_t **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    sql_begin(&q, view, "SELECT name FROM mark WHERE name LIKE 'deed.%' ORDER BY name", err);
    return store_read_all(out, count, &q, sizeof **out, read_intent);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

ob_status store_next_id(int64_t *out, ob_writing *w, const char *kind, ob_error *err)
{
    sql q;
    char name[32] = "last.";
    strncat(name, kind, sizeof name - sizeof "last.");
    sql_begin(&q, &w->view,
              "INSERT INTO mark (name, value) VALUES (?, 1)"
              " ON CONFLICT (name) DO UPDATE SET value = mark.value + 1 RETURNING value",
              err);
    sql_bind_text(&q, 1, name);
    *out = sql_step(&q) ? sql_int(&q, 0) : 0;
    return sql_end(&q);
}

/* ---- The clock ------------------------------------------------------------------------------- */

static const char clock_counter[] = "clock";

ob_status ob_store_clock(int64_t *out, ob_view *view, ob_error *err)
{
    *out = 0;
    return get(out, view, clock_counter, err);
}

ob_status ob_store_clock_set(ob_writing *w, int64_t at, ob_error *err)
{
    return set(w, clock_counter, at, err);
}

ob_status store_clock_forward(ob_writing *w, int64_t at, ob_error *err)
{
    int64_t before = 0;
    ob_status status = get(&before, &w->view, clock_counter, err);
    return status || before >= at ? status : set(w, clock_counter, at, err);
}
