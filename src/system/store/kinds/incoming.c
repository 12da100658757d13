/* Reports and notices, and the items that they name. */
#include "../record.h"
#include "words.h"

#include <obhut/records/incoming.h>

#include <stdio.h>

/* ---- Their items ----------------------------------------------------------------------------- */

typedef struct item_row {
    ob_incoming_kind kind;
    int64_t id;
    ob_record_key item;
} item_row;

static const record_column item_columns[] = {
    {COLUMN(item_row, kind, "whose"), .key = 1},
    {COLUMN(item_row, id, "whose"), .key = 2},
    {COLUMN(item_row, item, "which"), .key = 3},
};

const record_kind kind_incoming_item = {
    .about = {.table = "incoming_item",
              .title = "their items",
              .purpose = "opening exactly these",
              .period = "as long as the report or notice",
              .persons = "by pseudonym of the item"},
    COLUMNS(item_columns),
    .size = sizeof(item_row),
};

/* ---- Themselves ------------------------------------------------------------------------------ */

static const record_column columns[] = {
    {COLUMN(ob_incoming, kind, "report or notice"), .key = 1},
    {COLUMN(ob_incoming, id, "naming it"), .key = 2},
    {COLUMN(ob_incoming, conversation, "of whom they are a part")},
    {COLUMN(ob_incoming, reporter, "who disclosed")},
    {COLUMN(ob_incoming, account, "whom it is about")},
    {COLUMN(ob_incoming, reason, "for the person who reviews it")},
    {COLUMN(ob_incoming, at, "its age")},
    {COLUMN(ob_incoming, confirmed_by, "who looked at it")},
    {COLUMN(ob_incoming, confirmed_at, "when")},
};

#define RETENTION(name, which)                                                                     \
    {                                                                                              \
        .word = name, .months = 12, .since = "at", .only = which, .by = "id", .law = true,         \
        .withdraws = true, .may_be_held = true, .parts = &kind_incoming_item, .parts_by = "id",    \
        .parts_only = which                                                                        \
    }

const record_kind kind_incoming = {
    .about = {.table = "incoming",
              .title = "reports and notices",
              .purpose = "opening exactly the items that they name; ground of a cause",
              .period = "12 months, or less where a law says so",
              .persons = BY_PSEUDONYM "; the reason is in the words of who wrote it"},
    COLUMNS(columns),
    .size = sizeof(ob_incoming),
    .retention = {RETENTION("report", "kind = 0"), RETENTION("notice", "kind = 1")},
};

static const char *word_of(ob_incoming_kind kind)
{
    return kind == OB_INCOMING_REPORT ? "report" : "notice";
}

ob_status ob_store_incoming_add(int64_t *id, ob_writing *w, const ob_incoming *incoming,
                                const ob_record_key *items, size_t count, ob_error *err)
{
    bool is_new;
    ob_incoming added = *incoming;
    *added.confirmed_by = '\0';
    added.confirmed_at = 0;
    ob_status status =
        record_add_next(w, &kind_incoming, word_of(added.kind), &added.id, &added, err);
    for (size_t i = 0; i < count && !status; i++) {
        const item_row item = {.kind = added.kind, .id = added.id, .item = items[i]};
        status = record_add_new(&is_new, w, &kind_incoming_item, &item, err);
    }
    if (!status)
        *id = added.id;
    return status;
}

ob_status ob_store_incoming(ob_incoming *out, ob_view *view, ob_incoming_kind kind, int64_t id,
                            ob_error *err)
{
    sql q;
    bool found;
    record_select(&q, view, &kind_incoming, "WHERE kind = ? AND id = ?", err);
    sql_bind_int(&q, 1, kind);
    sql_bind_int(&q, 2, id);
    ob_status status = record_read_one(&found, out, &q);
    if (!status && !found)
        status = ob_fail(err, OB_ENOTFOUND, "there is no %s %lld", word_of(kind), (long long)id);
    return status;
}

ob_status ob_store_incomings(ob_incoming **out, size_t *count, ob_view *view, ob_incoming_kind kind,
                             size_t most, ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_incoming, "WHERE kind = ? ORDER BY id DESC LIMIT ?", err);
    sql_bind_int(&q, 1, kind);
    sql_bind_int(&q, 2, (int64_t)most);
    return record_read_all(out, count, &q);
}

ob_status ob_store_report_confirm(ob_writing *w, int64_t id, const char *by, int64_t at,
                                  ob_error *err)
{
    sql q;
    char otherwise[80];
    ob_incoming found;
    const ob_status there = ob_store_incoming(&found, &w->view, OB_INCOMING_REPORT, id, err);
    if (there && there != OB_ENOTFOUND)
        return there;
    snprintf(otherwise, sizeof otherwise,
             there ? "there is no report %lld" : "report %lld is confirmed already", (long long)id);
    sql_begin(&q, &w->view,
              "UPDATE incoming SET confirmed_by = ?, confirmed_at = ?"
              " WHERE kind = 0 AND id = ? AND confirmed_by = ''",
              err);
    sql_bind_text(&q, 1, by);
    sql_bind_int(&q, 2, at);
    sql_bind_int(&q, 3, id);
    return store_end_or(&q, there ? there : OB_EREFUSED, otherwise);
}

/* Who holds a record has said why, and until when. */
static ob_status refuse_held(ob_view *view, const char *kind, int64_t id, int64_t at, ob_error *err)
{
    sql q;
    int64_t hold = 0;
    sql_begin(&q, view,
              "SELECT id FROM hold WHERE kind = ? AND record = ? AND ended_at = 0 AND until > ?"
              " ORDER BY id LIMIT 1",
              err);
    sql_bind_text(&q, 1, kind);
    sql_bind_int(&q, 2, id);
    sql_bind_int(&q, 3, at);
    if (sql_step(&q))
        hold = sql_int(&q, 0);
    ob_status status = sql_end(&q);
    return status || !hold
               ? status
               : ob_fail(err, OB_EREFUSED, "hold %lld keeps it: end that first", (long long)hold);
}

/* What rests on a report ends with it. */
static ob_status end_causes(ob_writing *w, int64_t report, int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "UPDATE cause SET ended_at = ? WHERE ground = 1 AND record = ? AND ended_at = 0"
              " AND until > ?",
              err);
    sql_bind_int(&q, 1, at);
    sql_bind_int(&q, 2, report);
    sql_bind_int(&q, 3, at);
    return store_end_change(&q, NULL);
}

ob_status ob_store_incoming_remove(ob_writing *w, ob_incoming_kind kind, int64_t id, int64_t at,
                                   ob_error *err)
{
    sql q;
    ob_status status = refuse_held(&w->view, word_of(kind), id, at, err);
    if (!status)
        status = store_want_scrub(w, "incoming", err);
    if (!status)
        status = store_want_scrub(w, "incoming_item", err);
    if (status) {
        writing_fail(w, status, err);
        return status;
    }
    sql_begin(&q, &w->view, "DELETE FROM incoming_item WHERE kind = ? AND id = ?", err);
    sql_bind_int(&q, 1, kind);
    sql_bind_int(&q, 2, id);
    status = store_end_change(&q, NULL);
    if (!status) {
        sql_begin(&q, &w->view, "DELETE FROM incoming WHERE kind = ? AND id = ?", err);
        sql_bind_int(&q, 1, kind);
        sql_bind_int(&q, 2, id);
        status = store_end_change(&q, "there is no such record");
    }
    if (!status && kind == OB_INCOMING_REPORT)
        status = end_causes(w, id, at, err);
    store_withdrawn(w, true);
    return status;
}

ob_status ob_store_incoming_has(bool *there, bool *holds, ob_view *view, ob_incoming_kind kind,
                                int64_t id, const ob_record_key *item, ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              "SELECT i.item FROM incoming r LEFT JOIN incoming_item i"
              " ON i.kind = r.kind AND i.id = r.id AND i.item = ? WHERE r.kind = ? AND r.id = ?",
              err);
    sql_bind_key(&q, 1, item);
    sql_bind_int(&q, 2, kind);
    sql_bind_int(&q, 3, id);
    *there = sql_step(&q);
    *holds = *there && !sql_is_null(&q, 0);
    return sql_end(&q);
}
