/* Tokens as records: columns, queries. */
#include "../record.h"

#include <obhut/records/token.h>

#include <stdio.h>

static const record_column columns[] = {
    {COLUMN(ob_token, name, "naming it in commands"), .key = 1},
    {COLUMN_AS("print", ob_token, fingerprint, "SHA-256 of the secret: knowing it again"),
     .is_unique = true},
    {COLUMN(ob_token, surfaces, "what it may speak for")},
    {COLUMN(ob_token, scopes, "what it may ask")},
    {COLUMN(ob_token, made_at, "finding old ones")},
};

const record_kind kind_token = {
    .about = {.table = "token",
              .title = "tokens",
              .purpose = "knowing who may ask for what",
              .period = "until removed",
              .persons = "names that the operator chose"},
    COLUMNS(columns),
    .size = sizeof(ob_token),
};

ob_status ob_store_token_add(ob_writing *w, const ob_token *token, ob_error *err)
{
    bool added = false;
    if (!ob_name_is_valid(token->name))
        return ob_fail(err, OB_EINVAL, "\"%s\" is no name: a-z 0-9 . _ -, at most %d", token->name,
                       OB_NAME_MAX);
    ob_status status = record_add_new(&added, w, &kind_token, token, err);
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
    char none[OB_NAME_MAX + 32];
    snprintf(none, sizeof none, "no token \"%s\"", name);
    sql_begin(&q, &w->view, "DELETE FROM token WHERE name = ?", err);
    sql_bind_text(&q, 1, name);
    store_changed(w);
    return store_end_change(&q, none);
}

ob_status ob_store_tokens(ob_token **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_token, "ORDER BY name", err);
    return record_read_all(out, count, &q);
}
