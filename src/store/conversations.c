#include "store_priv.h"

#include <obhut/records.h>

static void read_conversation(void *record, sql *q)
{
    ob_conversation *c = record;
    sql_key(q, 0, &c->id);
    c->members = (uint32_t)sql_int(q, 1);
    c->consenting = (uint32_t)sql_int(q, 2);
    c->is_free = sql_int(q, 3) != 0;
    c->is_protected = (ob_yes_no)sql_int(q, 4);
    c->has_child = (ob_yes_no)sql_int(q, 5);
    c->changed_at = sql_int(q, 6);
}

ob_status ob_store_conversation(bool *found, ob_conversation *out, ob_view *view,
                                const ob_record_key *id, ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              "SELECT id, members, consenting, is_free, is_protected, has_child, changed_at"
              " FROM conversation WHERE id = ?",
              err);
    sql_bind_key(&q, 1, id);
    return store_read_one(found, out, &q, read_conversation);
}

static ob_status remove_members(ob_writing *w, const ob_record_key *id, ob_error *err)
{
    sql q;
    ob_status status = store_want_scrub(w, "member", err);
    if (status)
        return status;
    sql_begin(&q, &w->view, "DELETE FROM member WHERE conversation = ?", err);
    sql_bind_key(&q, 1, id);
    return store_end_change(&q, NULL);
}

static ob_status add_member(ob_writing *w, const ob_record_key *id, const ob_member *member,
                            ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO member (conversation, account, consents) VALUES (?, ?, ?)"
              " ON CONFLICT (conversation, account) DO UPDATE SET consents = 0",
              err);
    sql_bind_key(&q, 1, id);
    sql_bind_key(&q, 2, &member->account);
    sql_bind_int(&q, 3, member->consents);
    return store_end_change(&q, NULL);
}

static ob_status set(ob_writing *w, const ob_conversation *c, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO conversation (id, members, consenting, is_free, is_protected, has_child,"
              " changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
              " ON CONFLICT (id) DO UPDATE SET members = excluded.members,"
              " consenting = excluded.consenting, is_free = excluded.is_free,"
              " is_protected = excluded.is_protected, has_child = excluded.has_child,"
              " changed_at = excluded.changed_at",
              err);
    sql_bind_key(&q, 1, &c->id);
    sql_bind_int(&q, 2, c->members);
    sql_bind_int(&q, 3, c->consenting);
    sql_bind_int(&q, 4, c->is_free);
    sql_bind_int(&q, 5, c->is_protected);
    sql_bind_int(&q, 6, c->has_child);
    sql_bind_int(&q, 7, c->changed_at);
    return store_end_change(&q, NULL);
}

/* How many members there are and how many of them consent: one who was named twice counts once. */
static ob_status count_members(ob_conversation *c, ob_view *view, ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              "SELECT count(*), CAST(coalesce(sum(consents), 0) AS BIGINT) FROM member"
              " WHERE conversation = ?",
              err);
    sql_bind_key(&q, 1, &c->id);
    if (sql_step(&q)) {
        c->members = (uint32_t)sql_int(&q, 0);
        c->consenting = (uint32_t)sql_int(&q, 1);
    }
    return sql_end(&q);
}

static bool is_open(const ob_conversation *c)
{
    return c->members && c->consenting == c->members && c->is_free && c->is_protected == OB_NO;
}

ob_status ob_store_conversation_set(ob_writing *w, const ob_conversation *conversation,
                                    const ob_member *members, size_t count, ob_error *err)
{
    bool found;
    ob_conversation before = {0}, now = *conversation;
    ob_status status = ob_store_conversation(&found, &before, &w->view, &now.id, err);
    if (!status)
        status = remove_members(w, &now.id, err);
    for (size_t i = 0; i < count && !status; i++)
        status = add_member(w, &now.id, &members[i], err);
    if (!status)
        status = count_members(&now, &w->view, err);
    if (!status)
        status = set(w, &now, err);
    bool was_open = found && is_open(&before);
    bool was_unprotected = !found || before.is_protected == OB_NO;
    if ((was_open && !is_open(&now)) || (was_unprotected && now.is_protected != OB_NO))
        store_withdrawn(w, true);
    return status;
}

static void read_member(void *record, sql *q)
{
    ob_member *m = record;
    sql_key(q, 0, &m->account);
    m->consents = sql_int(q, 1) != 0;
}

ob_status ob_store_members(ob_member **out, size_t *count, ob_view *view, const ob_record_key *id,
                           ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              "SELECT account, consents FROM member WHERE conversation = ? ORDER BY account", err);
    sql_bind_key(&q, 1, id);
    return store_read_all(out, count, &q, sizeof **out, read_member);
}

ob_status ob_store_conversation_remove(ob_writing *w, const ob_record_key *id, ob_error *err)
{
    sql q;
    ob_status status = remove_members(w, id, err);
    if (!status)
        status = store_want_scrub(w, "conversation", err);
    if (!status) {
        sql_begin(&q, &w->view, "DELETE FROM conversation WHERE id = ?", err);
        sql_bind_key(&q, 1, id);
        status = store_end_change(&q, "there is no such conversation");
    }
    store_withdrawn(w, true);
    return status;
}

ob_status ob_store_consent_withdraw(uint64_t *changed, ob_writing *w, const ob_record_key *account,
                                    int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "UPDATE conversation SET consenting = consenting - 1, changed_at = ? WHERE id IN"
              " (SELECT conversation FROM member WHERE account = ? AND consents = 1)",
              err);
    sql_bind_int(&q, 1, at);
    sql_bind_key(&q, 2, account);
    ob_status status = store_end_change(&q, NULL);
    *changed = status ? 0 : (uint64_t)sql_changed(w);
    if (!status) {
        sql_begin(&q, &w->view, "UPDATE member SET consents = 0 WHERE account = ?", err);
        sql_bind_key(&q, 1, account);
        status = store_end_change(&q, NULL);
    }
    store_withdrawn(w, true);
    return status;
}
