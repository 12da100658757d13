/* Conversations, and their members. */
#include "../record.h"
#include "words.h"

#include <obhut/records/conversation.h>

#include <stdlib.h>
#include <string.h>

/* ---- Members --------------------------------------------------------------------------------- */

typedef struct member_row {
    ob_record_key conversation;
    ob_member member;
} member_row;

static const record_column member_columns[] = {
    {COLUMN(member_row, conversation, "of which"), .key = 1},
    {COLUMN_AS("account", member_row, member.account, "who"), .key = 2},
    {COLUMN_AS("consents", member_row, member.consents, "their own wish")},
};

const record_kind kind_member = {
    .about = {.table = "member",
              .title = "members",
              .purpose = "consent is each one's own, and can be withdrawn everywhere at once",
              .period = "as long as the conversation",
              .persons = BY_PSEUDONYM},
    COLUMNS(member_columns),
    .size = sizeof(member_row),
    .indexes = "CREATE INDEX member_account ON member (account);",
};

/* ---- Themselves ------------------------------------------------------------------------------ */

static const record_column columns[] = {
    {COLUMN(ob_conversation, id, "which"), .key = 1},
    {COLUMN(ob_conversation, members, "all must consent")},
    {COLUMN(ob_conversation, consenting, "all must consent")},
    {COLUMN(ob_conversation, is_free, "consent was no condition")},
    {COLUMN(ob_conversation, is_protected, "nobody looks")},
    {COLUMN(ob_conversation, has_child, "some laws ask for it")},
    {COLUMN(ob_conversation, changed_at, "its age")},
};

const record_kind kind_conversation = {
    .about = {.table = "conversation",
              .title = "conversations",
              .purpose = "consent of all; leaving protected ones alone",
              .period = "until the service removes them; unless protected, 36 months after their "
                        "last change",
              .persons = BY_PSEUDONYM},
    COLUMNS(columns),
    .size = sizeof(ob_conversation),
    .retention = {{.word = "conversation",
                   .months = 36,
                   .since = "changed_at",
                   .only = "is_protected = 0",
                   .by = "id",
                   .withdraws = true,
                   .parts = &kind_member,
                   .parts_by = "conversation"}},
};

ob_status ob_store_conversation(bool *found, ob_conversation *out, ob_view *view,
                                const ob_record_key *id, ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_conversation, "WHERE id = ?", err);
    sql_bind_key(&q, 1, id);
    return record_read_one(found, out, &q);
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

/* Who is named twice does not consent: what they said is not clear. */
static ob_status add_member(ob_writing *w, const ob_record_key *id, const ob_member *member,
                            ob_error *err)
{
    bool is_new = false;
    member_row row = {.conversation = *id, .member = *member};
    ob_status status = record_add_new(&is_new, w, &kind_member, &row, err);
    row.member.consents = false;
    return status || is_new ? status : record_put(w, &kind_member, &row, err);
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

static int by_account(const void *a, const void *b)
{
    const ob_member *x = a, *y = b;
    return memcmp(&x->account, &y->account, sizeof x->account);
}

/* Whether one of those who consented does no longer, be it that they are no member. */
static bool loses_consent(const ob_member *before, size_t before_count, const ob_member *now,
                          size_t count)
{
    for (size_t i = 0; i < before_count; i++) {
        const ob_member *still =
            count ? bsearch(&before[i], now, count, sizeof *now, by_account) : NULL;
        if (before[i].consents && (!still || !still->consents))
            return true;
    }
    return false;
}

/* The same of members as they were and as they stand in the records now. */
static ob_status compare_members(bool *loses, ob_view *view, const ob_record_key *id,
                                 const ob_member *before, size_t before_count, ob_error *err)
{
    ob_member *now = NULL;
    size_t count = 0;
    ob_status status = ob_store_members(&now, &count, view, id, err);
    if (!status)
        *loses = loses_consent(before, before_count, now, count);
    free(now);
    return status;
}

ob_status ob_store_conversation_set(ob_writing *w, const ob_conversation *conversation,
                                    const ob_member *members, size_t count, ob_error *err)
{
    bool found = false, loses = false;
    ob_conversation before = {0}, now = *conversation;
    ob_member *earlier = NULL;
    size_t earlier_count = 0;
    ob_status status = ob_store_conversation(&found, &before, &w->view, &now.id, err);
    const bool was_open = !status && found && is_open(&before);
    if (was_open)
        status = ob_store_members(&earlier, &earlier_count, &w->view, &now.id, err);
    if (!status)
        status = remove_members(w, &now.id, err);
    for (size_t i = 0; i < count && !status; i++)
        status = add_member(w, &now.id, &members[i], err);
    if (!status)
        status = count_members(&now, &w->view, err);
    if (!status)
        status = record_put(w, &kind_conversation, &now, err);
    if (!status && was_open)
        status = compare_members(&loses, &w->view, &now.id, earlier, earlier_count, err);
    free(earlier);
    bool was_unprotected = !found || before.is_protected == OB_NO;
    if ((was_open && !is_open(&now)) || loses || (was_unprotected && now.is_protected != OB_NO))
        store_withdrawn(w, true);
    return status;
}

static ob_status make_of(ob_buf *out, const record_kind *kind, const char *rest, ob_error *err)
{
    ob_status status = ob_buf_printf(out, err, "SELECT ");
    if (!status)
        status = record_columns(out, kind, err);
    return status ? status
                  : ob_buf_printf(out, err,
                                  ", (SELECT count(*) FROM member m"
                                  " WHERE m.conversation = conversation.id AND m.account = ?)"
                                  " FROM conversation %s",
                                  rest);
}

ob_status ob_store_conversation_of(bool *found, ob_conversation *out, bool *is_member,
                                   ob_view *view, const ob_record_key *id,
                                   const ob_record_key *account, ob_error *err)
{
    sql q;
    *is_member = false;
    sql_begin_made(&q, view, make_of, &kind_conversation, "WHERE id = ?", err);
    sql_bind_key(&q, 1, account);
    sql_bind_key(&q, 2, id);
    *found = sql_step(&q);
    if (*found) {
        record_read(out, &q);
        *is_member = sql_int(&q, (int)kind_conversation.count) > 0;
    }
    return sql_end(&q);
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
