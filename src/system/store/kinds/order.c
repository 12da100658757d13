/* Orders, and the accounts that they name. */
#include "../record.h"
#include "words.h"

#include <obhut/records/order.h>

#include <string.h>

/* ---- Accounts that they name ----------------------------------------------------------------- */

typedef struct account_row {
    int64_t id;
    ob_record_key account;
} account_row;

static const record_column account_columns[] = {
    {COLUMN(account_row, id, "whose"), .key = 2},
    {COLUMN(account_row, account, "who"), .key = 1},
};

const record_kind kind_order_account = {
    .about = {.table = "court_order_account",
              .title = "accounts that orders name",
              .purpose = "looking at these and at nobody else",
              .period = "as long as the order",
              .persons = BY_PSEUDONYM},
    COLUMNS(account_columns),
    .size = sizeof(account_row),
};

/* ---- Themselves ------------------------------------------------------------------------------ */

static const record_column columns[] = {
    {COLUMN(ob_order, id, "naming it"), .key = 1},
    {COLUMN(ob_order, document, "SHA-256: which paper it was")},
    {COLUMN(ob_order, regime, "its law")},
    {COLUMN(ob_order, issuer, "who ordered")},
    {COLUMN(ob_order, is_judicial, "only a court may")},
    {COLUMN(ob_order, is_authentic, "whether it was verified")},
    {COLUMN(ob_order, names_professional, "professional secrecy")},
    {COLUMN(ob_order, everybody, "an order without names is void")},
    {COLUMN(ob_order, has_detectors, "whether it is complete")},
    {COLUMN(ob_order, has_accounts, "whether it is complete")},
    {COLUMN(ob_order, authenticity, "how it was verified")},
    {COLUMN(ob_order, verified_by, "by whom")},
    {COLUMN(ob_order, contact, "where clarification is asked")},
    {COLUMN(ob_order, service, "whom it is for")},
    {COLUMN(ob_order, detectors, "what it orders")},
    {COLUMN(ob_order, received, "it begins after a time")},
    {COLUMN(ob_order, start, "from when")},
    {COLUMN_AS("end_at", ob_order, end, "until when")},
    {COLUMN(ob_order, reasons, "whether it is complete")},
    {COLUMN(ob_order, legal_basis, "whether it is complete")},
    {COLUMN(ob_order, redress, "whether it is complete; for the account")},
    {COLUMN(ob_order, state, "valid, suspended, revoked")},
    {COLUMN(ob_order, halfway_at, "a report is due")},
    {COLUMN(ob_order, halfway_done_at, "and was given")},
    {COLUMN(ob_order, secret_until, "when accounts may be told")},
    {COLUMN(ob_order, proposed_by, "who loaded it")},
    {COLUMN(ob_order, approved_by, "who loaded it")},
    {COLUMN(ob_order, made_at, "when")},
    {COLUMN(ob_order, revoked_at, "it ended before its end"), .came_later = true},
};

/* Of a revoked one from then on; accounts that may not be told yet are kept until they may. */
#define LAST "(CASE WHEN state = 2 THEN revoked_at ELSE end_at END)"

const record_kind kind_order = {
    .about = {.table = "court_order",
              .title = "orders",
              .purpose = "carrying out a court's order, and nothing else; telling who was named",
              .period = "12 months after their end, or less where a law says so",
              .persons = "accounts by pseudonym; the court's officers in its own words"},
    COLUMNS(columns),
    .size = sizeof(ob_order),
    .retention = {{.word = "order",
                   .months = 12,
                   .since = "CASE WHEN secret_until > " LAST " THEN secret_until ELSE " LAST " END",
                   .by = "id",
                   .law = true,
                   .withdraws = true,
                   .may_be_held = true,
                   .parts = &kind_order_account,
                   .parts_by = "id"}},
};

ob_status ob_store_order_add(int64_t *id, ob_writing *w, const ob_order *order,
                             const ob_record_key *accounts, size_t count, ob_error *err)
{
    bool is_new;
    ob_order added = *order;
    added.revoked_at = 0;
    ob_status status = record_add_next(w, &kind_order, "order", &added.id, &added, err);
    for (size_t i = 0; i < count && !status; i++) {
        const account_row account = {.id = added.id, .account = accounts[i]};
        status = record_add_new(&is_new, w, &kind_order_account, &account, err);
    }
    if (!status)
        *id = added.id;
    return status;
}

ob_status ob_store_orders(ob_order **out, size_t *count, ob_view *view, size_t most, ob_error *err)
{
    return record_newest(out, count, view, &kind_order, most, err);
}

ob_status ob_store_order_set_state(ob_writing *w, int64_t id, ob_order_state state, int64_t at,
                                   ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "UPDATE court_order SET state = ?, revoked_at = ? WHERE id = ? AND state <> 2", err);
    sql_bind_int(&q, 1, state);
    sql_bind_int(&q, 2, state == OB_ORDER_REVOKED ? at : 0);
    sql_bind_int(&q, 3, id);
    ob_status status = store_end_change(&q, "there is no such order, or it was revoked");
    store_withdrawn(w, true);
    return status;
}

ob_status ob_store_order_halfway_done(ob_writing *w, int64_t id, int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "UPDATE court_order SET halfway_done_at = ? WHERE id = ?", err);
    sql_bind_int(&q, 1, at);
    sql_bind_int(&q, 2, id);
    return store_end_change(&q, "there is no such order");
}

/* ---- Of an account --------------------------------------------------------------------------- */

ob_order_brief ob_order_brief_of(const ob_order *o)
{
    ob_order_brief b = {.id = o->id,
                        .is_judicial = o->is_judicial,
                        .is_authentic = o->is_authentic,
                        .names_professional = o->names_professional,
                        .everybody = o->everybody,
                        .has_detectors = o->has_detectors,
                        .has_accounts = o->has_accounts,
                        .has_issuer = *o->issuer != '\0',
                        .has_reasons = *o->reasons != '\0',
                        .has_legal_basis = *o->legal_basis != '\0',
                        .has_redress = *o->redress != '\0',
                        .detectors = o->detectors,
                        .received = o->received,
                        .start = o->start,
                        .end = o->end,
                        .state = o->state,
                        .halfway_at = o->halfway_at,
                        .halfway_done_at = o->halfway_done_at,
                        .secret_until = o->secret_until};
    memcpy(b.service, o->service, sizeof b.service);
    return b;
}

static void read_brief(void *record, sql *q)
{
    ob_order_brief *b = record;
    int c = 0;
    b->id = sql_int(q, c++);
    b->is_judicial = sql_int(q, c++) != 0;
    b->is_authentic = sql_int(q, c++) != 0;
    b->names_professional = sql_int(q, c++) != 0;
    b->everybody = sql_int(q, c++) != 0;
    b->has_detectors = sql_int(q, c++) != 0;
    b->has_accounts = sql_int(q, c++) != 0;
    b->has_issuer = sql_int(q, c++) != 0;
    b->has_reasons = sql_int(q, c++) != 0;
    b->has_legal_basis = sql_int(q, c++) != 0;
    b->has_redress = sql_int(q, c++) != 0;
    sql_text(q, c++, b->service, sizeof b->service);
    b->detectors = (uint32_t)sql_int(q, c++);
    b->received = sql_int(q, c++);
    b->start = sql_int(q, c++);
    b->end = sql_int(q, c++);
    b->state = (ob_order_state)sql_int(q, c++);
    b->halfway_at = sql_int(q, c++);
    b->halfway_done_at = sql_int(q, c++);
    b->secret_until = sql_int(q, c++);
}

ob_status ob_store_orders_naming(ob_order_brief *out, size_t *count, size_t most, ob_view *view,
                                 const ob_record_key *account, int64_t at, ob_error *err)
{
    sql q;
    *count = 0;
    sql_begin(
        &q, view,
        "SELECT id, is_judicial, is_authentic, names_professional, everybody, has_detectors,"
        " has_accounts, length(issuer), length(reasons), length(legal_basis), length(redress),"
        " service, detectors, received, start, end_at, state, halfway_at, halfway_done_at,"
        " secret_until FROM court_order WHERE id IN"
        " (SELECT id FROM court_order_account WHERE account = ?) AND end_at > ?"
        " ORDER BY id DESC LIMIT ?",
        err);
    sql_bind_key(&q, 1, account);
    sql_bind_int(&q, 2, at);
    sql_bind_int(&q, 3, (int64_t)most);
    while (*count < most && sql_step(&q)) {
        out[*count] = (ob_order_brief){0};
        read_brief(&out[(*count)++], &q);
    }
    return sql_end(&q);
}
