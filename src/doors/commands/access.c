/* Commands about tokens and gateways. */
#include "commands_priv.h"

#include <obhut/crypto.h>
#include <obhut/gateways.h>
#include <obhut/records/gateway.h>
#include <obhut/records/token.h>

#include <stdlib.h>
#include <string.h>

static const char *surface_name(int s)
{
    return s < OB_SURFACES ? ob_surface_name((ob_surface)s) : NULL;
}

static const char *scope_name(int s)
{
    return s < OB_SCOPES ? ob_scope_name((ob_scope)s) : NULL;
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

ob_status commands_token_add(json_t **out, const commands_call *call, ob_error *err)
{
    const char *name;
    char secret[OB_SECRET_TEXT + 1];
    uint32_t surfaces, scopes;
    ob_status status = commands_text(&name, call, "name", err);
    if (!status)
        status = commands_set(&surfaces, call, "surface", surface_name, err);
    if (!status)
        status = commands_set(&scopes, call, "scope", scope_name, err);
    if (!status)
        status = ob_staff_token_add(secret, call->act->w, name, surfaces, scopes, err);
    if (!status)
        *out = json_pack("{s:s, s:s}", "name", name, "secret", secret);
    ob_wipe(secret, sizeof secret);
    return status;
}

ob_status commands_token_ls(json_t **out, const commands_call *call, ob_error *err)
{
    ob_token *tokens = NULL;
    size_t count = 0;
    ob_status status = ob_store_tokens(&tokens, &count, call->view, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            array, json_pack("{s:s, s:o, s:o, s:o}", "name", tokens[i].name, "surface",
                             commands_words(tokens[i].surfaces, OB_SURFACES, surface_name), "scope",
                             commands_words(tokens[i].scopes, OB_SCOPES, scope_name), "made_at",
                             commands_time(tokens[i].made_at)));
    free(tokens);
    *out = json_pack("{s:o}", "tokens", array);
    return OB_OK;
}

ob_status commands_token_remove(json_t **out, const commands_call *call, ob_error *err)
{
    const char *name;
    (void)out;
    ob_status status = commands_text(&name, call, "name", err);
    return status ? status : ob_store_token_remove(call->act->w, name, err);
}

/* ---- Gateways -------------------------------------------------------------------------------- */

/* Without a word the safe one. */
static bool is_word(const commands_call *call, const char *field, const char *lenient)
{
    const char *word = commands_optional(call, field);
    return word && !strcmp(word, lenient);
}

ob_status commands_gateway_add(json_t **out, const commands_call *call, ob_error *err)
{
    const char *name, *kind, *surface_text;
    char path[OB_GATEWAY_PATH];
    ob_surface surface;
    ob_status status = commands_text(&kind, call, "kind", err);
    if (!status)
        status = commands_text(&surface_text, call, "surface", err);
    if (!status && !ob_surface_parse(&surface, surface_text))
        status = ob_fail(err, OB_EINVAL, "no surface is called \"%.60s\"", surface_text);
    if (status)
        return status;
    const ob_gateway like = {.surface = surface,
                             .fail_closed = !is_word(call, "fail", "open"),
                             .review_passes = is_word(call, "review", "pass"),
                             .damaged_passes = is_word(call, "damaged", "pass")};
    name = commands_optional(call, "name");
    status = ob_gateways_add(path, call->act->w, name ? name : kind, kind, &like, err);
    if (!status)
        *out = json_pack("{s:s, s:s}", "name", name ? name : kind, "path", path);
    ob_wipe(path, sizeof path);
    return status;
}

static const char *pass(bool passes)
{
    return passes ? "pass" : "refuse";
}

ob_status commands_gateway_ls(json_t **out, const commands_call *call, ob_error *err)
{
    ob_gateway *gateways = NULL;
    size_t count = 0;
    ob_status status = ob_store_gateways(&gateways, &count, call->view, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name",
                                               gateways[i].name, "kind", gateways[i].kind,
                                               "surface", surface_name((int)gateways[i].surface),
                                               "fail", gateways[i].fail_closed ? "closed" : "open",
                                               "review", pass(gateways[i].review_passes), "damaged",
                                               pass(gateways[i].damaged_passes), "made_at",
                                               commands_time(gateways[i].made_at)));
    free(gateways);
    *out = json_pack("{s:o}", "gateways", array);
    return OB_OK;
}

ob_status commands_gateway_remove(json_t **out, const commands_call *call, ob_error *err)
{
    const char *name;
    (void)out;
    ob_status status = commands_text(&name, call, "name", err);
    return status ? status : ob_store_gateway_remove(call->act->w, name, err);
}
