#include "store_priv.h"

#include <obhut/records.h>

#include <string.h>

static void read_order(void *record, sql *q)
{
    ob_order *o = record;
    int c = 0;
    o->id = sql_int(q, c++);
    sql_bytes(q, c++, o->document, sizeof o->document);
    sql_text(q, c++, o->regime, sizeof o->regime);
    sql_text(q, c++, o->issuer, sizeof o->issuer);
    o->is_judicial = sql_int(q, c++) != 0;
    o->is_authentic = sql_int(q, c++) != 0;
    o->names_professional = sql_int(q, c++) != 0;
    o->everybody = sql_int(q, c++) != 0;
    o->has_detectors = sql_int(q, c++) != 0;
    o->has_accounts = sql_int(q, c++) != 0;
    sql_text(q, c++, o->authenticity, sizeof o->authenticity);
    sql_text(q, c++, o->verified_by, sizeof o->verified_by);
    sql_text(q, c++, o->contact, sizeof o->contact);
    sql_text(q, c++, o->service, sizeof o->service);
    o->detectors = (uint32_t)sql_int(q, c++);
    o->received = sql_int(q, c++);
    o->start = sql_int(q, c++);
    o->end = sql_int(q, c++);
    sql_text(q, c++, o->reasons, sizeof o->reasons);
    sql_text(q, c++, o->legal_basis, sizeof o->legal_basis);
    sql_text(q, c++, o->redress, sizeof o->redress);
    o->state = (ob_order_state)sql_int(q, c++);
    o->halfway_at = sql_int(q, c++);
    o->halfway_done_at = sql_int(q, c++);
    o->secret_until = sql_int(q, c++);
    sql_text(q, c++, o->proposed_by, sizeof o->proposed_by);
    sql_text(q, c++, o->approved_by, sizeof o->approved_by);
    o->made_at = sql_int(q, c++);
}

#define COLUMNS                                                                                    \
    "id, document, regime, issuer, is_judicial, is_authentic, names_professional, everybody,"      \
    " has_detectors, has_accounts, authenticity, verified_by, contact, service, detectors,"        \
    " received, start, end_at, reasons, legal_basis, redress, state, halfway_at, halfway_done_at," \
    " secret_until, proposed_by, approved_by, made_at"

static ob_status add(int64_t id, ob_writing *w, const ob_order *o, ob_error *err)
{
    sql q;
    int p = 1;
    sql_begin(&q, &w->view,
              "INSERT INTO court_order (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
              " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
              err);
    sql_bind_int(&q, p++, id);
    sql_bind_bytes(&q, p++, o->document, sizeof o->document);
    sql_bind_text(&q, p++, o->regime);
    sql_bind_text(&q, p++, o->issuer);
    sql_bind_int(&q, p++, o->is_judicial);
    sql_bind_int(&q, p++, o->is_authentic);
    sql_bind_int(&q, p++, o->names_professional);
    sql_bind_int(&q, p++, o->everybody);
    sql_bind_int(&q, p++, o->has_detectors);
    sql_bind_int(&q, p++, o->has_accounts);
    sql_bind_text(&q, p++, o->authenticity);
    sql_bind_text(&q, p++, o->verified_by);
    sql_bind_text(&q, p++, o->contact);
    sql_bind_text(&q, p++, o->service);
    sql_bind_int(&q, p++, o->detectors);
    sql_bind_int(&q, p++, o->received);
    sql_bind_int(&q, p++, o->start);
    sql_bind_int(&q, p++, o->end);
    sql_bind_text(&q, p++, o->reasons);
    sql_bind_text(&q, p++, o->legal_basis);
    sql_bind_text(&q, p++, o->redress);
    sql_bind_int(&q, p++, o->state);
    sql_bind_int(&q, p++, o->halfway_at);
    sql_bind_int(&q, p++, o->halfway_done_at);
    sql_bind_int(&q, p++, o->secret_until);
    sql_bind_text(&q, p++, o->proposed_by);
    sql_bind_text(&q, p++, o->approved_by);
    sql_bind_int(&q, p++, o->made_at);
    return store_end_change(&q, NULL);
}

static ob_status add_account(ob_writing *w, int64_t id, const ob_record_key *account, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO court_order_account (id, account) VALUES (?, ?) ON CONFLICT DO NOTHING",
              err);
    sql_bind_int(&q, 1, id);
    sql_bind_key(&q, 2, account);
    return store_end_change(&q, NULL);
}

ob_status ob_store_order_add(int64_t *id, ob_writing *w, const ob_order *order,
                             const ob_record_key *accounts, size_t count, ob_error *err)
{
    int64_t number = 0;
    ob_status status = store_next_id(&number, w, "order", err);
    if (!status)
        status = add(number, w, order, err);
    for (size_t i = 0; i < count && !status; i++)
        status = add_account(w, number, &accounts[i], err);
    if (!status)
        *id = number;
    return status;
}

ob_status ob_store_order(ob_order *out, ob_view *view, int64_t id, ob_error *err)
{
    sql q;
    bool found;
    sql_begin(&q, view, "SELECT " COLUMNS " FROM court_order WHERE id = ?", err);
    sql_bind_int(&q, 1, id);
    ob_status status = store_read_one(&found, out, &q, read_order);
    if (!status && !found)
        status = ob_fail(err, OB_ENOTFOUND, "there is no order %lld", (long long)id);
    return status;
}

ob_status ob_store_orders(ob_order **out, size_t *count, ob_view *view, size_t most, ob_error *err)
{
    sql q;
    sql_begin(&q, view, "SELECT " COLUMNS " FROM court_order ORDER BY id DESC LIMIT ?", err);
    sql_bind_int(&q, 1, (int64_t)most);
    return store_read_all(out, count, &q, sizeof **out, read_order);
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

/* ---- Of an account ---------------------------------------------------------------------------
 */

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
