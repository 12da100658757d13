/* One change of a list, however many entries it adds and withdraws: it counts as a whole or not at
 * all. Its entries go to the journal and into the next list as they come; others see that list once
 * the journal has all of them. */
#include "set_priv.h"

#include <stdlib.h>

/* What the journal says of an entry that is withdrawn: enough to find it again. */
static ob_status withdraw(change *c, const entry *which, ob_error *err)
{
    entry record = *which;
    record.source = record.classification = "";
    ob_status status = live_find(&c->found, c->next, which, err);
    if (!status && c->found.count)
        status = journal_add(&c->group, &record, err);
    for (size_t i = 0; i < c->found.count && !status; i++)
        status = live_withdraw(&c->withdrawn, c->next, c->found.hit[i].entry, err);
    return status;
}

/* The first digits of what an entry has: its id where nobody gave it one. */
static void make_id(char out[OB_LIST_ID_MAX + 1], const entry *e)
{
    enum { ID_DIGITS = 16 };
    char hex[2 * OB_DIGEST_WIDTH_MAX + 1] = "";
    for (int k = DIGEST_KINDS; k-- > 0;)
        if (e->has_digest[k])
            ob_hex(hex, e->digest[k], list_digest_kinds[k].width);
    if (e->has_hash)
        ob_hash256_print(hex, &e->hash);
    snprintf(out, OB_LIST_ID_MAX + 1, "%.*s", ID_DIGITS, hex);
}

static ob_status add(change *c, const entry *from, ob_error *err)
{
    char id[OB_LIST_ID_MAX + 1];
    entry e = *from;
    /* Without an id it is known under whatever id: an import took the number of its line. */
    ob_status status = live_find(&c->found, c->next, &e, err);
    if (!status && c->found.count) {
        c->known++;
        return OB_OK;
    }
    if (!e.id) {
        make_id(id, &e);
        e.id = id;
    }
    if (!status)
        status = journal_add(&c->group, &e, err);
    if (!status)
        status = live_add(c->next, &e, err);
    c->added += !status;
    return status;
}

ob_status change_make(change *c, const entry *e, ob_error *err)
{
    return e->withdrawn ? withdraw(c, e, err) : add(c, e, err);
}

ob_status change_begin(change *out, ob_lists *lists, slot *slot, ob_error *err)
{
    change c = {.lists = lists, .slot = slot};
    ob_status status = own_need_journal(lists, slot, err);
    if (!status)
        status = live_next(&c.next, slot->now, err);
    if (!status) {
        journal_begin(&c.group, &slot->journal);
        *out = c;
    }
    return status;
}

ob_status change_end(change *c, ob_status status, ob_error *err)
{
    ob_error problem = {0};
    if (!c->next) /* it was not begun */
        return status;
    const journal before = c->slot->journal;
    if (!status)
        status = journal_commit(&c->group, err);
    if (!status && c->slot->journal.extent.groups != before.extent.groups) {
        status = note_journal(c->lists, c->slot, err);
        if (status)
            journal_step_back(&c->slot->journal, &before);
    }
    if (status && note_unsure(c->lists)) { /* what it may say must be there at the next start */
        journal_abandon(&c->group);
        ob_fail_in(err, status, "it may count after all once the lists are opened again");
    } else if (journal_drop(&c->group, &problem))
        ob_fail_in(err, status, "it may count after all once the lists are opened again (%s)",
                   problem.text);
    if (status) {
        live_give_up(c->next, c->slot->now);
    } else {
        set_advance(c->lists, c->slot, c->next);
        if (own_is_due(c->lists, c->slot, c->next))
            own_wake(c->lists);
    }
    free(c->found.hit);
    return status;
}
