#include "admin_priv.h"

#include <string.h>
#include <time.h>

static const struct {
    const char *name;
    admin_command run;
} commands[] = {
    {"list.import", admin_list_import},     {"list.update", admin_list_update},
    {"list.merge", admin_list_merge},       {"list.add", admin_list_add},
    {"list.withdraw", admin_list_withdraw}, {"list.enable", admin_list_enable},
    {"list.disable", admin_list_disable},   {"list.remove", admin_list_remove},
    {"token.add", admin_token_add},         {"token.ls", admin_token_ls},
    {"token.remove", admin_token_remove},   {"gateway.add", admin_gateway_add},
    {"gateway.ls", admin_gateway_ls},       {"gateway.remove", admin_gateway_remove},
};

const char *admin_optional(const admin_call *call, const char *key)
{
    return json_string_value(json_object_get(call->request, key));
}

ob_status admin_text(const char **out, const admin_call *call, const char *key, ob_error *err)
{
    *out = admin_optional(call, key);
    return *out ? OB_OK : ob_fail(err, OB_EINVAL, "\"%s\" is needed, a text", key);
}

void admin_hear(const admin_call *call, json_t *event)
{
    if (event && call->listener && call->listener->hear)
        call->listener->hear(call->listener->context, event);
    json_decref(event);
}

json_t *admin_time(int64_t seconds)
{
    char text[32] = "";
    time_t when = (time_t)seconds;
    struct tm utc;
    if (gmtime_r(&when, &utc))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

json_t *ob_admin_do(const ob_admin *admin, const json_t *request, int file,
                    const ob_admin_listener *listener)
{
    const admin_call call = {
        .admin = admin, .request = request, .file = file, .listener = listener};
    ob_error err = {0};
    const char *name = NULL;
    json_t *result = NULL;
    ob_status status = admin_text(&name, &call, "do", &err);
    admin_command run = NULL;
    for (size_t i = 0; !status && i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(commands[i].name, name))
            run = commands[i].run;
    if (!status && !run)
        status = ob_fail(&err, OB_EINVAL, "no command is called \"%.60s\"", name);
    if (!status)
        status = run(&result, &call, &err);
    if (!status)
        return json_pack("{s:o}", "ok", result ? result : json_object());
    json_decref(result);
    return json_pack("{s:{s:i, s:s}}", "error", "status", (int)status, "text", err.text);
}
