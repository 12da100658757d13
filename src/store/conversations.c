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

ob_status ob_store_conversation(bool *found, ob_conversation *out, ob_store *store,
                                const ob_record_key *id, ob_error *err)
{
    sql q;
    sql_begin(&q, store,
              "SELECT id, members, consenting, is_free, is_protected, has_child, changed_at"
              " FROM conversation WHERE id = ?",
              err);
    sql_bind_key(&q, 1, id);
    return store_read_one(found, out, &q, read_conversation);
}

static ob_status remove_members(ob_store *store, const ob_record_key *id, ob_error *err)
{
    sql q;
    ob_status status = store_want_scrub(store, "member", err);
    if (status)
        return status;
    sql_begin(&q, store, "DELETE FROM member WHERE conversation = ?", err);
    sql_bind_key(&q, 1, id);
    return store_end_change(&q, NULL);
}

static ob_status add_member(ob_store *store, const ob_record_key *id, const ob_member *member,
                            ob_error *err)
{
    sql q;
    sql_begin(&q, store,
              "INSERT INTO member (conversation, account, consents) VALUES (?, ?, ?)"
              " ON CONFLICT (conversation, account) DO UPDATE SET consents = 0",
              err);
    sql_bind_key(&q, 1, id);
    sql_bind_key(&q, 2, &member->account);
    sql_bind_int(&q, 3, member->consents);
    return store_end_change(&q, NULL);
}

static ob_status set(ob_store *store, const ob_conversation *c, ob_error *err)
{
    sql q;
    sql_begin(&q, store,
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
static ob_status count_members(ob_conversation *c, ob_store *store, ob_error *err)
{
    sql q;
    sql_begin(&q, store,
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

ob_status ob_store_conversation_set(ob_store *store, const ob_conversation *conversation,
                                    const ob_member *members, size_t count, ob_error *err)
{
    bool found;
    ob_conversation before = {0}, now = *conversation;
    ob_status status = sql_transaction_begin(store, err);
    if (status)
        return status;
    status = ob_store_conversation(&found, &before, store, &now.id, err);
    if (!status)
        status = remove_members(store, &now.id, err);
    for (size_t i = 0; i < count && !status; i++)
        status = add_member(store, &now.id, &members[i], err);
    if (!status)
        status = count_members(&now, store, err);
    if (!status)
        status = set(store, &now, err);
    status = sql_transaction_end(store, status, err);
    bool was_open = found && is_open(&before);
    bool was_unprotected = !found || before.is_protected == OB_NO;
    if ((was_open && !is_open(&now)) || (was_unprotected && now.is_protected != OB_NO))
        store_withdrawn(store, true);
    return status;
}

static void read_member(void *record, sql *q)
{
    ob_member *m = record;
    sql_key(q, 0, &m->account);
    m->consents = sql_int(q, 1) != 0;
}

ob_status ob_store_members(ob_member **out, size_t *count, ob_store *store, const ob_record_key *id,
                           ob_error *err)
{
    sql q;
    sql_begin(&q, store,
              "SELECT account, consents FROM member WHERE conversation = ? ORDER BY account", err);
    sql_bind_key(&q, 1, id);
    return store_read_all(out, count, &q, sizeof **out, read_member);
}

ob_status ob_store_conversation_remove(ob_store *store, const ob_record_key *id, ob_error *err)
{
    sql q;
    ob_status status = sql_transaction_begin(store, err);
    if (status)
        return status;
    status = remove_members(store, id, err);
    if (!status)
        status = store_want_scrub(store, "conversation", err);
    if (!status) {
        sql_begin(&q, store, "DELETE FROM conversation WHERE id = ?", err);
        sql_bind_key(&q, 1, id);
        status = store_end_change(&q, "there is no such conversation");
    }
    status = sql_transaction_end(store, status, err);
    store_withdrawn(store, true);
    return status;
}

ob_status ob_store_consent_withdraw(uint64_t *changed, ob_store *store,
                                    const ob_record_key *account, int64_t at, ob_error *err)
{
    sql q;
    ob_status status = sql_transaction_begin(store, err);
    if (status)
        return status;
    sql_begin(&q, store,
              "UPDATE conversation SET consenting = consenting - 1, changed_at = ? WHERE id IN"
              " (SELECT conversation FROM member WHERE account = ? AND consents = 1)",
              err);
    sql_bind_int(&q, 1, at);
    sql_bind_key(&q, 2, account);
    status = store_end_change(&q, NULL);
    *changed = status ? 0 : (uint64_t)sql_changed(store);
    if (!status) {
        sql_begin(&q, store, "UPDATE member SET consents = 0 WHERE account = ?", err);
        sql_bind_key(&q, 1, account);
        status = store_end_change(&q, NULL);
    }
    status = sql_transaction_end(store, status, err);
    store_withdrawn(store, true);
    return status;
}
