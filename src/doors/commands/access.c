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
    return ob_surface_name((ob_surface)s);
}

static const char *scope_name(int s)
{
    return ob_scope_name((ob_scope)s);
}

/* The set that an array of names means. */
static ob_status read_set(uint32_t *out, const commands_call *call, const char *key, int count,
                          const char *(*name)(int), ob_error *err)
{
    const json_t *array = json_object_get(call->request, key);
    size_t i;
    json_t *value;
    *out = 0;
    json_array_foreach((json_t *)(uintptr_t)array, i, value)
    {
        const char *text = json_string_value(value);
        int s = 0;
        while (s < count && (!text || strcmp(name(s), text)))
            s++;
        if (s == count)
            return ob_fail(err, OB_EINVAL, "no %s is called \"%.60s\"", key, text ? text : "");
        *out |= 1u << s;
    }
    return *out ? OB_OK : ob_fail(err, OB_EINVAL, "at least one %s is needed", key);
}

static json_t *write_set(uint32_t set, int count, const char *(*name)(int))
{
    json_t *array = json_array();
    for (int s = 0; s < count; s++)
        if (set >> s & 1)
            json_array_append_new(array, json_string(name(s)));
    return array;
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

ob_status commands_token_add(json_t **out, const commands_call *call, ob_error *err)
{
    const char *name;
    char secret[OB_SECRET_TEXT + 1];
    uint32_t surfaces, scopes;
    ob_status status = commands_text(&name, call, "name", err);
    if (!status)
        status = read_set(&surfaces, call, "surface", OB_SURFACES, surface_name, err);
    if (!status)
        status = read_set(&scopes, call, "scope", OB_SCOPES, scope_name, err);
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
        json_array_append_new(array,
                              json_pack("{s:s, s:o, s:o, s:o}", "name", tokens[i].name, "surface",
                                        write_set(tokens[i].surfaces, OB_SURFACES, surface_name),
                                        "scope", write_set(tokens[i].scopes, OB_SCOPES, scope_name),
                                        "made_at", commands_time(tokens[i].made_at)));
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

/* ---- Gateways ------------------------------------------------------------------------------- */

/* One of two words; without one the safe one. */
static ob_status take_word(bool *passes, const commands_call *call, const char *field,
                           const char *safe, const char *lenient, ob_error *err)
{
    const char *word = commands_optional(call, field);
    *passes = word && !strcmp(word, lenient);
    if (!word || *passes || !strcmp(word, safe))
        return OB_OK;
    return ob_fail(err, OB_EINVAL, "%s is %s or %s, not \"%.60s\"", field, lenient, safe, word);
}

static ob_status take_answers(ob_gateway *out, const commands_call *call, ob_error *err)
{
    bool is_open = false;
    ob_status status = take_word(&is_open, call, "fail", "closed", "open", err);
    out->fail_closed = !is_open;
    if (!status)
        status = take_word(&out->review_passes, call, "review", "refuse", "pass", err);
    if (!status)
        status = take_word(&out->damaged_passes, call, "damaged", "refuse", "pass", err);
    return status;
}

ob_status commands_gateway_add(json_t **out, const commands_call *call, ob_error *err)
{
    const char *name, *kind, *surface_text;
    ob_gateway like = {.surface = 0};
    char path[OB_GATEWAY_PATH];
    ob_surface surface;
    ob_status status = commands_text(&kind, call, "kind", err);
    if (!status)
        status = commands_text(&surface_text, call, "surface", err);
    if (!status && !ob_surface_parse(&surface, surface_text))
        status = ob_fail(err, OB_EINVAL, "no surface is called \"%.60s\"", surface_text);
    if (!status)
        status = take_answers(&like, call, err);
    if (status)
        return status;
    like.surface = surface;
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
