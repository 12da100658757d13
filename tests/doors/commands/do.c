/* What is done of a request, by its row: who may, what stands in records and log, what is answered.
 */
#include "asking.h"

#include "fault/clock.h"
#include "fault/files.h"

#include <obhut/records/proposal.h>

#include <errno.h>

static json_t *do_(const char *name)
{
    return json_pack("{s:s}", "do", name);
}

static json_t *verdict_about(const char *account, const char *reason)
{
    return json_pack("{s:s, s:s, s:s}", "do", "verdict.add", "account", account, "reason", reason);
}

static json_t *approval(int64_t proposal, const char *reason)
{
    return json_pack("{s:s, s:I, s:s*}", "do", "proposal.approve", "proposal", (json_int_t)proposal,
                     "reason", reason);
}

static json_t *suspension(const char *reason)
{
    return json_pack("{s:s, s:s, s:s}", "do", "detector.suspend", "name", "pdq", "reason", reason);
}

static json_t *token_called(const char *name)
{
    return json_pack("{s:s, s:s, s:[s], s:[s]}", "do", "token.add", "name", name, "surface",
                     "public", "scope", "scan");
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void what_is_no_command_here_is_refused_by_name(void **state)
{
    ob_service s = service_of(*state);
    fails(&s, NULL, do_("nix"), OB_EINVAL, "no command is called \"nix\"");
    fails(&s, NULL, json_object(), OB_EINVAL, "\"do\" is needed");
    fails(&s, NULL, do_("hash"), OB_EINVAL, "no command is called");
    json_t *answer = ask(&s, OB_AT_STAFF, NULL, do_("token.ls")); /* the socket's alone */
    assert_non_null(json_object_get(answer, "error"));
    json_decref(answer);
    fails(&s, NULL, json_pack("{s:s, s:i}", "do", "policy.show", "x", 1), OB_EINVAL,
          "\"x\" is no field");
}

static void an_act_is_in_records_and_log_or_in_neither(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    does(&s, NULL, token_called("forum"), "");
    ob_entry *e = last(p, "token.add");
    assert_string_equal(ob_entry_get_text(e, "name"), "forum");
    assert_string_equal(ob_entry_get_text(e, "by"), "operator");
    assert_true(ob_entry_list_has(e, "scope", "scan") && !ob_entry_has(e, "secret"));
    ob_entry_free(e);
    assert_true(has_token(p, "forum"));
    const unsigned before = entries(p);
    files_begin();
    fails(&s, NULL, token_called("../x"), OB_EINVAL, "is no name");
    fails(&s, NULL, token_called("forum"), OB_EINVAL, "forum");
    const int rule = files_add(&(files_rule){
        .path = "audit/log", .verbs = 1u << OB_FILE_WRITE, .nth = 1, .error = ENOSPC});
    fails(&s, NULL, token_called("other"), OB_EIO, "cannot be logged");
    files_remove(rule);
    files_end();
    assert_int_equal(entries(p), before);
    assert_false(has_token(p, "other"));
    does(&s, NULL, token_called("other"), "");
}

static void words_of_a_set_are_looked_at_before_anything_is_done(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    fails(&s, NULL,
          json_pack("{s:s, s:s, s:[s], s:[s]}", "do", "token.add", "name", "a", "surface", "moon",
                    "scope", "scan"),
          OB_EINVAL, "\"moon\" is none of direct|group|public|storage");
    fails(
        &s, NULL,
        json_pack("{s:s, s:s, s:[s, s]}", "do", "person.add", "name", "a", "role", "lead", "king"),
        OB_EINVAL, "\"role\", 1: \"king\" is none of reviewer|lead|officer");
    assert_int_equal(entries(p), 0);
}

/* ---- Who may --------------------------------------------------------------------------------- */

static void who_may_not_is_refused_and_the_log_is_told(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    char *officer = person(&s, "olga", "officer");
    fails(&s, NULL, json_pack("{s:s, s:i}", "do", "verdict.overturn", "verdict", 1), OB_EREFUSED,
          "only a person");
    ob_entry *e = last(p, "refused");
    assert_string_equal(ob_entry_get_text(e, "wanted"), "verdict.overturn");
    assert_string_equal(ob_entry_get_text(e, "by"), "operator");
    ob_entry_free(e);
    fails(&s, officer, verdict_about("zed", "why"), OB_EREFUSED, "has no role");
    e = last(p, "refused");
    assert_string_equal(ob_entry_get_text(e, "wanted"), "verdict.add");
    ob_entry_free(e);
    free(officer);
}

static void strangers_are_one_entry_a_minute_with_a_count(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    clock_stand(1800000000);
    for (int i = 0; i < 3; i++)
        fails(&s, "nobody has this", do_("verdict.ls"), OB_EREFUSED, "not known here");
    assert_int_equal(entries(p), 1);
    ob_entry *e = last(p, "refused");
    assert_int_equal(ob_entry_get_number(e, "count"), 1);
    assert_string_equal(ob_entry_get_text(e, "by"), "unknown");
    ob_entry_free(e);
    clock_pass(60);
    fails(&s, "nobody has this", do_("policy.show"), OB_EREFUSED, "not known here");
    e = last(p, "refused");
    assert_int_equal(ob_entry_get_number(e, "count"), 3);
    ob_entry_free(e);
    assert_int_equal(entries(p), 2);
    clock_real();
}

/* ---- Looks ----------------------------------------------------------------------------------- */

static void a_persons_look_is_a_login_and_what_shows_persons_is_always_told(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    char *ada = person(&s, "ada", "lead");
    const unsigned before = entries(p);
    does(&s, NULL, do_("policy.show"), "");
    assert_int_equal(entries(p), before);
    does(&s, NULL, do_("verdict.ls"), "");
    ob_entry_free(last(p, "looked"));
    does(&s, ada, do_("policy.show"), "");
    ob_entry *e = last(p, "login");
    assert_string_equal(ob_entry_get_text(e, "for"), "policy.show");
    ob_entry_free(e);
    free(ada);
}

static void a_look_tells_about_whom_it_was_and_makes_no_key(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    json_t *of = json_pack("{s:s, s:s}", "do", "audit.consents", "account", "zed");
    does(&s, NULL, json_incref(of), "");
    ob_entry *e = last(p, "looked");
    assert_false(ob_entry_has(e, "about"));
    ob_entry_free(e);
    fails(&s, NULL, json_pack("{s:s, s:s}", "do", "audit.code", "account", "zed"), OB_ENOTFOUND,
          "nobody of that name");
    does(&s, NULL, verdict_about("zed", "why"), "proposal");
    e = last(p, "verdict.add");
    char about[OB_LOG_ALIAS];
    snprintf(about, sizeof about, "%s", ob_entry_get_text(e, "about"));
    ob_entry_free(e);
    does(&s, NULL, of, "");
    e = last(p, "looked");
    assert_string_equal(ob_entry_get_text(e, "about"), about);
    ob_entry_free(e);
}

/* ---- The log --------------------------------------------------------------------------------- */

static void own_words_about_no_account_are_told_by_a_code(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    char *ada = person(&s, "ada", "lead"), first[80], second[80];
    does(&s, ada, suspension("wrong four times"), "");
    ob_entry *e = last(p, "detector.suspend");
    snprintf(first, sizeof first, "%s", ob_entry_get_text(e, "reason"));
    ob_entry_free(e);
    does(&s, NULL, suspension("wrong four times"), "");
    e = last(p, "detector.suspend");
    snprintf(second, sizeof second, "%s", ob_entry_get_text(e, "reason"));
    ob_entry_free(e);
    assert_int_equal(strlen(first), 2 * OB_MAC_SIZE);
    assert_int_equal(strlen(second), 2 * OB_MAC_SIZE);
    assert_string_not_equal(first, second); /* whose key it is */
    free(ada);
}

static void whom_the_log_forgets_stands_in_it(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    char *ada = person(&s, "ada", "lead");
    free(person(&s, "bea", "reviewer"));
    does(&s, NULL, json_pack("{s:s, s:s}", "do", "person.remove", "name", "bea"), "");
    ob_entry *e = last(p, "person.remove");
    char name[OB_LOG_ALIAS];
    snprintf(name, sizeof name, "%s", ob_entry_get_text(e, "name"));
    ob_entry_free(e);
    does(&s, ada, json_pack("{s:s, s:s}", "do", "audit.forget", "person", "bea"), "");
    e = last(p, "audit.forget");
    assert_string_equal(ob_entry_get_text(e, "person"), name);
    ob_entry_free(e);
    /* a name that the log never knew: nothing is made in order to be forgotten */
    fails(&s, ada, json_pack("{s:s, s:s}", "do", "audit.forget", "person", "bae"), OB_ENOTFOUND,
          "nobody of that name");
    fails(&s, ada, json_pack("{s:s, s:s}", "do", "audit.forget", "account", "no"), OB_ENOTFOUND,
          "nobody of that name");
    free(ada);
}

static void what_is_over_is_deleted_by_acts_of_its_own(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    assert_int_equal(ob_command_find("record.reap")->effect, OB_EFFECT_ERASES);
    does(&s, NULL, do_("record.reap"), "");
}

/* ---- Two persons ----------------------------------------------------------------------------- */

static void who_makes_the_operators_proposal_their_own_says_why_and_that_is_kept(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    char *ada = person(&s, "ada", "lead"), *bea = person(&s, "bea", "reviewer");
    const int64_t id = does(&s, NULL, verdict_about("zed", "the operator's"), "proposal");
    fails(&s, ada, approval(id, NULL), OB_EINVAL, "a reason is needed");
    does(&s, ada, approval(id, "ada's"), "proposal");
    ob_entry *e = last(p, "proposal.approve");
    assert_int_equal(strlen(ob_entry_get_text(e, "reason")), 2 * OB_MAC_SIZE);
    ob_entry_free(e);
    json_t *answer = ask(&s, OB_AT_SOCKET, NULL, do_("proposal.ls"));
    const json_t *one = json_array_get(json_object_get(done_of(answer), "proposals"), 0);
    const json_t *body = json_object_get(one, "body");
    assert_string_equal(json_string_value(json_object_get(one, "proposed_by")), "ada");
    assert_string_equal(json_string_value(json_object_get(body, "reason")), "the operator's");
    assert_string_equal(json_string_value(json_object_get(body, "reason_of_proposer")), "ada's");
    json_decref(answer);
    fails(&s, ada, approval(id, "again"), OB_EREFUSED, "another person");
    assert_int_equal(does(&s, bea, approval(id, "bea's"), "verdict"), 1);
    free(ada);
    free(bea);
}

static ob_status add_damaged(ob_writing *w, const char *kind, const char *body, ob_error *err)
{
    int64_t id;
    ob_proposal p = {.proposed_at = ob_now(), .until = ob_now() + 1000};
    snprintf(p.kind, sizeof p.kind, "%s", kind);
    snprintf(p.body, sizeof p.body, "%s", body);
    snprintf(p.proposed_by, sizeof p.proposed_by, "bea");
    return ob_store_proposal_add(&id, w, &p, err);
}

static void a_damaged_proposal_is_not_the_askers_fault_and_a_missing_one_is_not_found(void **state)
{
    static const char *const damaged[][2] = {{"nix", "{}"},      {"verdict", "{"},
                                             {"verdict", "{}"},  {"cause", "{\"account\":\"x\"}"},
                                             {"detector", "{}"}, {"order", "{}"}};
    enum { DAMAGED = sizeof damaged / sizeof *damaged };
    memory_place *p = *state;
    ob_service s = service_of(p);
    char *ada = person(&s, "ada", "lead");
    free(person(&s, "bea", "reviewer"));
    for (int i = 0; i < DAMAGED; i++) {
        MUST(WRITES(p->store, &err_, add_damaged(w, damaged[i][0], damaged[i][1], &err_)));
        fails(&s, ada, approval(i + 1, "why"), OB_EIO, "is damaged");
    }
    fails(&s, ada, approval(DAMAGED + 1, "why"), OB_ENOTFOUND, "proposal");
    fails(&s, ada, json_pack("{s:s, s:i}", "do", "proposal.reject", "proposal", (int)DAMAGED + 1),
          OB_ENOTFOUND, "proposal");
    does(&s, ada, json_pack("{s:s, s:i}", "do", "proposal.reject", "proposal", 1), "");
    free(ada);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MEMORY(what_is_no_command_here_is_refused_by_name),
        IN_MEMORY(an_act_is_in_records_and_log_or_in_neither),
        IN_MEMORY(words_of_a_set_are_looked_at_before_anything_is_done),
        IN_MEMORY(who_may_not_is_refused_and_the_log_is_told),
        IN_MEMORY(strangers_are_one_entry_a_minute_with_a_count),
        IN_MEMORY(a_persons_look_is_a_login_and_what_shows_persons_is_always_told),
        IN_MEMORY(a_look_tells_about_whom_it_was_and_makes_no_key),
        IN_MEMORY(own_words_about_no_account_are_told_by_a_code),
        IN_MEMORY(whom_the_log_forgets_stands_in_it),
        IN_MEMORY(what_is_over_is_deleted_by_acts_of_its_own),
        IN_MEMORY(who_makes_the_operators_proposal_their_own_says_why_and_that_is_kept),
        IN_MEMORY(a_damaged_proposal_is_not_the_askers_fault_and_a_missing_one_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
