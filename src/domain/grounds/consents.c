/* Who consents, and who does no more. */
#include <obhut/clock.h>
#include <obhut/grounds.h>

#include <stdlib.h>

/* The members as they are now, told beside those that there were. */
static ob_status log_members(ob_act *act, const ob_record_key *id, const ob_member *before,
                             size_t before_count, ob_error *err)
{
    ob_member *now = NULL;
    size_t count = 0;
    ob_status status = ob_store_members(&now, &count, act->view, id, err);
    if (!status)
        ob_act_consents(act, before, before_count, now, count);
    free(now);
    return status;
}

ob_status ob_conversation_set(ob_act *act, const ob_conversation *conversation,
                              const ob_member *members, size_t count, ob_error *err)
{
    ob_member *before = NULL;
    size_t before_count = 0;
    const ob_record_key *id = &conversation->id;
    ob_status status = ob_store_members(&before, &before_count, act->view, id, err);
    if (!status)
        status = ob_store_conversation_set(act->w, conversation, members, count, err);
    if (!status)
        status = log_members(act, id, before, before_count, err);
    free(before);
    return status;
}

ob_status ob_conversation_remove(ob_act *act, const ob_record_key *id, ob_error *err)
{
    ob_member *before = NULL;
    size_t count = 0;
    ob_status status = ob_store_members(&before, &count, act->view, id, err);
    if (!status)
        status = ob_store_conversation_remove(act->w, id, err);
    if (!status)
        ob_act_consents(act, before, count, NULL, 0);
    free(before);
    return status;
}

ob_status ob_consent_withdraw(uint64_t *conversations, ob_act *act, const ob_record_key *account,
                              ob_error *err)
{
    ob_status status = ob_store_consent_withdraw(conversations, act->w, account, ob_now(), err);
    if (status || !*conversations)
        return status;
    ob_act_account(act, "about", account);
    ob_act_number(act, "conversations", (int64_t)*conversations);
    return OB_OK;
}
