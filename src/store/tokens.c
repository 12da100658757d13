#include "store_priv.h"

ob_status ob_store_token_add(ob_writing *w, const ob_token *token, ob_error *err)
{
    sql q;
    if (!ob_name_is_valid(token->name))
        return ob_fail(err, OB_EINVAL, "\"%s\" is no name: a-z 0-9 . _ -, at most %d", token->name,
                       OB_NAME_MAX);
    sql_begin(&q, &w->view,
              "INSERT INTO token (name, print, surfaces, scopes, made_at) VALUES (?, ?, ?, ?, ?)"
              " ON CONFLICT DO NOTHING",
              err);
    sql_bind_text(&q, 1, token->name);
    sql_bind_bytes(&q, 2, token->print, sizeof token->print);
    sql_bind_int(&q, 3, token->surfaces);
    sql_bind_int(&q, 4, token->scopes);
    sql_bind_int(&q, 5, token->made_at);
    sql_step(&q);
    bool added = !q.status && sql_changed(w) == 1;
    ob_status status = sql_end(&q);
    store_changed(w);
    if (!status && !added)
        status = ob_fail(err, OB_EINVAL, "there is a token \"%s\" already", token->name);
    if (status)
        writing_fail(w, status, err);
    return status;
}

ob_status ob_store_token_remove(ob_writing *w, const char *name, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "DELETE FROM token WHERE name = ?", err);
    sql_bind_text(&q, 1, name);
    sql_step(&q);
    bool removed = !q.status && sql_changed(w) == 1;
    ob_status status = sql_end(&q);
    store_changed(w);
    if (!status && !removed)
        status = ob_fail(err, OB_ENOTFOUND, "no token \"%s\"", name);
    if (status)
        writing_fail(w, status, err);
    return status;
}

static void read_token(void *record, sql *q)
{
    ob_token *token = record;
    sql_text(q, 0, token->name, sizeof token->name);
    sql_bytes(q, 1, token->print, sizeof token->print);
    token->surfaces = (uint32_t)sql_int(q, 2);
    token->scopes = (uint32_t)sql_int(q, 3);
    token->made_at = sql_int(q, 4);
}

ob_status ob_store_tokens(ob_token **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    sql_begin(&q, view, "SELECT name, print, surfaces, scopes, made_at FROM token ORDER BY name",
              err);
    return store_read_all(out, count, &q, sizeof **out, read_token);
}
