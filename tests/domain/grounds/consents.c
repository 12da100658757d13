/* Consents: given by all or not at all, and withdrawn everywhere in one act. */
#include "acting.h"

#include <obhut/grounds.h>
#include <obhut/records/log.h>

typedef struct talk {
    ob_conversation conversation;
    ob_member members[3];
    size_t count;
} talk;

typedef struct leaving {
    ob_record_key account;
    uint64_t conversations;
} leaving;

ACT(set, talk, ob_conversation_set(act, &in->conversation, in->members, in->count, err))
ACT(drop, talk, ob_conversation_remove(act, &in->conversation.id, err))
ACT(withdraw, leaving, ob_consent_withdraw(&in->conversations, act, &in->account, err))

static talk between(const char *name, bool anna, bool bert)
{
    return (talk){.conversation = {.id = key_of(name), .is_free = true, .changed_at = TODAY},
                  .members = {{key_of("anna"), anna}, {key_of("bert"), bert}},
                  .count = 2};
}

static ob_conversation kept(memory_place *p, const char *name, bool *found)
{
    ob_conversation c = {.members = 0};
    const ob_record_key id = key_of(name);
    MUST(READS(p->store, &err_, ob_store_conversation(found, &c, view, &id, &err_)));
    return c;
}

static unsigned consenting(memory_place *p, const char *name)
{
    bool found;
    ob_conversation c = kept(p, name, &found);
    assert_true(found);
    return c.consenting;
}

static void who_gives_consent_is_told_and_who_never_did_is_not(void **state)
{
    memory_place *p = *state;
    talk t = between("talk", true, false);
    DONE(p, "ada", set, &t);
    assert_int_equal(consenting(p, "talk"), 1);
    const told first = log_of(p);
    assert_non_null(strstr(first.last, "\"given\":["));
    DONE(p, "ada", set, &t); /* nothing has changed */
    assert_int_equal(log_of(p).count, first.count);
    t = between("talk", false, false);
    DONE(p, "ada", set, &t);
    assert_int_equal(consenting(p, "talk"), 0);
    assert_non_null(strstr(log_of(p).last, "\"withdrawn\":["));
}

static void a_conversation_that_is_gone_has_no_consent(void **state)
{
    memory_place *p = *state;
    bool found;
    talk t = between("talk", true, true);
    DONE(p, "ada", set, &t);
    DONE(p, "ada", drop, &t);
    kept(p, "talk", &found);
    assert_false(found);
    assert_non_null(strstr(log_of(p).last, "\"withdrawn\":["));
}

static void one_withdrawal_takes_every_consent_of_an_account_back(void **state)
{
    memory_place *p = *state;
    talk one = between("one", true, true), two = between("two", true, true),
         third = between("third", false, true);
    DONE(p, "ada", set, &one);
    DONE(p, "ada", set, &two);
    DONE(p, "ada", set, &third);
    const unsigned entries = log_of(p).count;
    leaving anna = {.account = key_of("anna")};
    DONE(p, "ada", withdraw, &anna);
    assert_int_equal(anna.conversations, 2);
    assert_int_equal(consenting(p, "one"), 1);
    assert_int_equal(consenting(p, "two"), 1);
    assert_int_equal(consenting(p, "third"), 1);
    const told t = log_of(p);
    assert_int_equal(t.count, entries + 1);
    assert_non_null(strstr(t.last, "\"about\":\"account:"));
    assert_non_null(strstr(t.last, "\"conversations\":2"));
}

static void a_withdrawal_of_nothing_leaves_nothing_about_the_account(void **state)
{
    memory_place *p = *state;
    bool found = true;
    ob_record_key key;
    leaving nobody = {.account = key_of("nobody"), .conversations = 9};
    DONE(p, "ada", withdraw, &nobody);
    assert_int_equal(nobody.conversations, 0);
    assert_null(strstr(log_of(p).last, "\"about\""));
    MUST(READS(p->store, &err_, ob_store_log_key_find(&found, &key, view, &nobody.account, &err_)));
    assert_false(found);
    talk t = between("talk", true, true);
    leaving anna = {.account = key_of("anna")};
    DONE(p, "ada", set, &t);
    DONE(p, "ada", withdraw, &anna);
    DONE(p, "ada", withdraw, &anna);
    assert_int_equal(anna.conversations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACTING(who_gives_consent_is_told_and_who_never_did_is_not),
        ACTING(a_conversation_that_is_gone_has_no_consent),
        ACTING(one_withdrawal_takes_every_consent_of_an_account_back),
        ACTING(a_withdrawal_of_nothing_leaves_nothing_about_the_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
