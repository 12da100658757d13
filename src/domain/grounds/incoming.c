/* Reports of participants and notices of others. */
#include <obhut/clock.h>
#include <obhut/grounds.h>
#include <obhut/records/delivery.h>

#include <string.h>

static void log_members(ob_act *act, const ob_incoming *in, int64_t id, size_t items)
{
    static const ob_record_key nobody;
    if (in->kind == OB_INCOMING_REPORT) {
        ob_act_account(act, "about", &in->account);
        ob_act_text(act, "reason", in->reason);
    }
    if (memcmp(&in->reporter, &nobody, sizeof nobody) != 0)
        ob_act_hidden(act, "reporter", &in->reporter); /* who reports whom is nobody's to read */
    ob_act_number(act, in->kind == OB_INCOMING_REPORT ? "report" : "notice", id);
    ob_act_number(act, "items", (int64_t)items);
}

ob_status ob_incoming_add(int64_t *id, bool *is_known, ob_act *act, const ob_incoming *in,
                          const ob_record_key *items, size_t count, const ob_delivery *delivery,
                          ob_error *err)
{
    ob_status status =
        ob_store_delivery(is_known, id, act->view, &delivery->key, &delivery->digest, err);
    if (status || *is_known) {
        ob_act_quiet(act);
        return status;
    }
    status = ob_store_incoming_add(id, act->w, in, items, count, err);
    if (!status)
        status = ob_store_delivery_add(act->w, &delivery->key, &delivery->digest, *id, in->at, err);
    if (!status)
        log_members(act, in, *id, count);
    return status;
}

ob_status ob_report_confirm(ob_act *act, int64_t id, ob_error *err)
{
    return ob_store_report_confirm(act->w, id, ob_actor_name(act->actor), ob_now(), err);
}

ob_status ob_incoming_remove(ob_act *act, ob_incoming_kind kind, int64_t id, ob_error *err)
{
    return ob_store_incoming_remove(act->w, kind, id, ob_now(), err);
}
