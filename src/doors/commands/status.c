/* `obhut status`: what protects, what a hit does, what is open, and who is there to be asked. */
#include "commands_priv.h"

#include <obhut/records/profile.h>
#include <obhut/services.h>

#include <stdlib.h>

static ob_status add_lists(json_t *to, const commands_call *call, ob_error *err)
{
    ob_list_info *infos = NULL;
    size_t count = 0;
    ob_status status = ob_lists_info(&infos, &count, call->service->lists, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one = ob_services_list(&infos[i]);
        json_object_set_new(one, "age_days",
                            json_integer((json_int_t)(ob_now() - infos[i].updated_at) / 86400));
        json_object_set_new(one, "updated",
                            json_boolean(infos[i].updated_at > infos[i].imported_at));
        json_array_append_new(array, one);
    }
    free(infos);
    json_object_set_new(to, "lists", array);
    json_object_set_new(to, "lists_unsearchable",
                        json_integer((json_int_t)ob_lists_trouble(NULL, call->service->lists)));
    return OB_OK;
}

static void add_actions(json_t *to, const ob_policy *policy)
{
    static const ob_policy normal = OB_POLICY_DEFAULT;
    const ob_policy *p = policy ? policy : &normal;
    json_t *lists = json_object();
    for (size_t i = 0; i < p->list_count; i++)
        json_object_set_new(lists, p->lists[i].list,
                            json_string(ob_action_name(p->lists[i].action)));
    json_object_set_new(to, "actions",
                        json_pack("{s:s, s:s, s:i, s:o}", "one_source",
                                  ob_action_name(p->one_source), "two_sources",
                                  ob_action_name(p->two_sources), "distance", (int)p->distance,
                                  "lists", lists));
}

/* Where a service that runs can be asked, or "none". */
static void add_listeners(json_t *to, const ob_service *service)
{
    json_t *listeners = json_object();
    for (int i = 0; i < OB_LISTENERS; i++)
        if (service->listening[i])
            json_object_set_new(listeners, ob_listener_name((ob_listener)i),
                                json_string(service->listening[i]));
    json_object_set_new(to, "listeners", listeners);
}

/* What another command answers, with its own name. */
static ob_status add(json_t *to, ob_command_run command, const commands_call *call, ob_error *err)
{
    json_t *answer = NULL;
    ob_status status = command(&answer, call, err);
    if (!status)
        json_object_update(to, answer);
    json_decref(answer);
    return status;
}

ob_status commands_status(json_t **out, const commands_call *call, ob_error *err)
{
    static const ob_command_run all[] = {commands_gateway_ls, commands_token_ls,
                                         commands_person_ls};
    ob_profile profile;
    /* A command that opened the directory itself has no engine before it needs one. */
    json_t *answer = json_pack("{s:s, s:b}", "version", OB_VERSION, "running",
                               (int)(call->service->engine != NULL));
    ob_status status = add_lists(answer, call, err);
    add_listeners(answer, call->service);
    add_actions(answer, call->service->policy);
    for (size_t i = 0; i < sizeof all / sizeof *all && !status; i++)
        status = add(answer, all[i], call, err);
    if (!status)
        status = ob_store_profile(&profile, call->view, err);
    if (!status)
        json_object_set_new(answer, "open", commands_open(&profile));
    if (status)
        json_decref(answer);
    else
        *out = answer;
    return status;
}

/* `obhut audit checkpoint` has printed one: the act is the entry. */
ob_status commands_checkpoint_given(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t entries;
    (void)out;
    return commands_number(&entries, call, "entries", err);
}
