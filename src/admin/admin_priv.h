/* The parts of admin: do.c finds the command; commands of a kind are a file; socket.c carries them.
 */
#ifndef OBHUT_ADMIN_PRIV_H
#define OBHUT_ADMIN_PRIV_H

#include <obhut/admin.h>

/* A request that is being done. */
typedef struct admin_call {
    const ob_admin *admin;
    const json_t *request;
    int file;
    const ob_admin_listener *listener;
} admin_call;

/* Sets *out to an object. */
typedef ob_status (*admin_command)(json_t **out, const admin_call *call, ob_error *err);

ob_status admin_list_import(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_update(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_merge(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_withdraw(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_enable(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_disable(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_remove(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_token_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_token_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_token_remove(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_gateway_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_gateway_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_gateway_remove(json_t **out, const admin_call *call, ob_error *err);

/* The text at `key`; OB_EINVAL where it is missing or no text. */
ob_status admin_text(const char **out, const admin_call *call, const char *key, ob_error *err);

/* The same, or NULL where there is none. */
const char *admin_optional(const admin_call *call, const char *key);

void admin_hear(const admin_call *call, json_t *event);

/* "2026-11-25T10:00:00Z". */
json_t *admin_time(int64_t seconds);

#endif
