/* What the entry of an act says: members of every kind, accounts and persons by codes of theirs,
 * and of consents codes that differ from entry to entry. */
#include "place.h"

#include <obhut/records/conversation.h>
#include <obhut/records/log.h>

enum { MANY = 501 }; /* one more than an entry has codes */

/* ---- Reading what was logged ----------------------------------------------------------------- */

typedef struct search {
    const char *what;
    ob_entry *last; /* of this word */
    unsigned count;
} search;

static ob_status find(void *context, uint64_t number, const char *text, size_t size, ob_error *err)
{
    search *s = context;
    ob_entry *entry = NULL;
    (void)number;
    ob_status status = ob_entry_read(&entry, text, size, err);
    if (status || strcmp(ob_entry_get_text(entry, "what"), s->what) != 0) {
        ob_entry_free(entry);
        return status;
    }
    ob_entry_free(s->last);
    s->last = entry;
    s->count++;
    return OB_OK;
}

/* The caller frees `last`. */
static search entries(const memory_place *p, const char *what)
{
    char path[300];
    search s = {.what = what};
    snprintf(path, sizeof path, "%s/audit", p->dir);
    MUST(ob_audit_read(path, 0, UINT64_MAX, find, &s, &err_));
    return s;
}

static ob_record_key key_of(const memory_place *p, const char *account)
{
    ob_record_key key;
    ob_acts_pseudonym(&key, p->acts, OB_PSEUDONYM_ACCOUNT, account);
    return key;
}

/* ---- Members --------------------------------------------------------------------------------- */

static ob_status say_all(ob_act *act, void *context, ob_error *err)
{
    const char *const words[] = {"scan", "match"};
    const ob_record_key *account = context;
    (void)err;
    ob_act_account(act, "about", account);
    ob_act_text(act, "reason", "in somebody's own words");
    ob_act_number(act, "days", 30);
    ob_act_words(act, "scope", words, 2);
    ob_act_yes(act, "external", true);
    ob_act_person(act, "name", "ada");
    return OB_OK;
}

static void an_entry_says_who_did_what_and_nobodys_words(void **state)
{
    memory_place *p = *state;
    char code[OB_LOG_ALIAS];
    bool known = false;
    ob_record_key account = key_of(p, "account-1");
    const ob_actor operator= {NULL};
    MUST(ob_acts_do(NULL, p->acts, "test", &operator, say_all, &account, &err_));
    search s = entries(p, "test");
    assert_int_equal(s.count, 1);
    assert_string_equal(ob_entry_get_text(s.last, "by"), "operator");
    assert_int_equal(ob_entry_get_number(s.last, "days"), 30);
    assert_int_equal(ob_entry_list_size(s.last, "scope"), 2);
    assert_true(ob_entry_list_has(s.last, "scope", "match") && ob_entry_is(s.last, "external"));
    assert_true(ob_entry_is(s.last, "act") && !ob_entry_is(s.last, "part"));
    MUST(READS(
        p->store, &err_,
        ob_acts_log_alias(&known, code, p->acts, view, OB_PSEUDONYM_ACCOUNT, "account-1", &err_)));
    assert_true(known);
    assert_string_equal(ob_entry_get_text(s.last, "about"), code);
    MUST(READS(p->store, &err_,
               ob_acts_log_alias(&known, code, p->acts, view, OB_PSEUDONYM_PERSON, "ada", &err_)));
    assert_true(known);
    assert_string_equal(ob_entry_get_text(s.last, "name"), code);
    assert_int_equal(strlen(ob_entry_get_text(s.last, "reason")), 2 * OB_KEY_SIZE);
    ob_entry_free(s.last);
}

static ob_status say_accounts(ob_act *act, void *context, ob_error *err)
{
    (void)err;
    ob_act_accounts(act, "accounts", context, MANY);
    return OB_OK;
}

static void more_accounts_than_fit_an_entry_go_into_more_of_the_same_name(void **state)
{
    memory_place *p = *state;
    static ob_record_key accounts[MANY];
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "account-%d", i);
        accounts[i] = key_of(p, name);
    }
    MUST(ob_acts_do(NULL, p->acts, "test", NULL, say_accounts, accounts, &err_));
    search s = entries(p, "test");
    assert_int_equal(s.count, 2);
    assert_int_equal(ob_entry_list_size(s.last, "accounts"), 1); /* and 500 before */
    ob_entry_free(s.last);
}

static void members_that_are_handed_over_do_not_replace_the_acts_own(void **state)
{
    memory_place *p = *state;
    const ob_actor operator= {NULL};
    ob_entry *members = ob_entry_new();
    ob_entry_text(members, "by", "somebody else");
    ob_entry_text(members, "for", "test");
    MUST(ob_acts_log(NULL, p->acts, "looked", &operator, members, &err_));
    search s = entries(p, "looked");
    assert_string_equal(ob_entry_get_text(s.last, "by"), "operator");
    assert_string_equal(ob_entry_get_text(s.last, "for"), "test");
    ob_entry_free(s.last);
}

static void what_could_not_be_kept_of_an_entry_is_not_done(void **state)
{
    memory_place *p = *state;
    ob_entry *members = ob_entry_new();
    ob_entry_text(members, "for", "\xff");
    assert_int_equal(ob_acts_log(NULL, p->acts, "looked", NULL, members, NULL), OB_ENOMEM);
    assert_int_equal(entries(p, "looked").count, 0);
    MUST(ob_acts_log(NULL, p->acts, "login", NULL, NULL, &err_));
}

/* ---- Consents -------------------------------------------------------------------------------- */

typedef struct change {
    ob_member before[2], now[2];
    size_t before_count, now_count;
} change;

static int by_account(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(ob_record_key));
}

static ob_status say_consents(ob_act *act, void *context, ob_error *err)
{
    change *c = context;
    (void)err;
    qsort(c->before, c->before_count, sizeof *c->before, by_account);
    qsort(c->now, c->now_count, sizeof *c->now, by_account);
    ob_act_word(act, "token", "client");
    ob_act_consents(act, c->before, c->before_count, c->now, c->now_count);
    return OB_OK;
}

static size_t consents_of(memory_place *p, const char *account, ob_logged_consent out[4])
{
    ob_logged_consent *found = NULL;
    size_t count = 0;
    MUST(ob_acts_log_consents(&found, &count, p->acts, account, &err_));
    assert_true(count <= 4);
    for (size_t i = 0; i < count; i++)
        out[i] = found[i];
    free(found);
    return count;
}

static void an_accounts_consents_are_found_again_in_their_order_and_nobody_elses(void **state)
{
    memory_place *p = *state;
    ob_logged_consent found[4];
    const ob_record_key ada = key_of(p, "ada"), bea = key_of(p, "bea");
    change given = {.now = {{ada, true}, {bea, false}}, .now_count = 2};
    change withdrawn = {.before = {{ada, true}, {bea, false}},
                        .before_count = 2,
                        .now = {{ada, false}, {bea, true}},
                        .now_count = 2};
    MUST(ob_acts_do(NULL, p->acts, "members", NULL, say_consents, &given, &err_));
    MUST(ob_acts_do(NULL, p->acts, "members", NULL, say_consents, &withdrawn, &err_));
    assert_int_equal(entries(p, "members").count, 0);
    assert_int_equal(consents_of(p, "ada", found), 2);
    assert_true(found[0].given && !found[1].given && found[0].entry < found[1].entry);
    assert_int_equal(strlen(found[0].at), OB_AUDIT_TIME);
    assert_int_equal(consents_of(p, "bea", found), 1);
    assert_true(found[0].given);
    assert_int_equal(consents_of(p, "carla", found), 0);
    search s = entries(p, "consent");
    assert_int_equal(s.count, 2);
    assert_string_equal(ob_entry_get_text(s.last, "token"), "client");
    ob_entry_free(s.last);
}

static void without_an_accounts_key_nobody_finds_its_consents(void **state)
{
    memory_place *p = *state;
    ob_logged_consent found[4];
    const ob_record_key ada = key_of(p, "ada");
    change given = {.now = {{ada, true}}, .now_count = 1};
    MUST(ob_acts_do(NULL, p->acts, "members", NULL, say_consents, &given, &err_));
    assert_int_equal(consents_of(p, "ada", found), 1);
    MUST(WRITES(p->store, &err_, ob_store_log_key_destroy(w, &ada, &err_)));
    assert_int_equal(consents_of(p, "ada", found), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MEMORY(an_entry_says_who_did_what_and_nobodys_words),
        IN_MEMORY(more_accounts_than_fit_an_entry_go_into_more_of_the_same_name),
        IN_MEMORY(members_that_are_handed_over_do_not_replace_the_acts_own),
        IN_MEMORY(what_could_not_be_kept_of_an_entry_is_not_done),
        IN_MEMORY(an_accounts_consents_are_found_again_in_their_order_and_nobody_elses),
        IN_MEMORY(without_an_accounts_key_nobody_finds_its_consents),
    };
    return cmocka_run_group_tests_name("acts_act", tests, NULL, NULL);
}
