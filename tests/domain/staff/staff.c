/* Tokens and persons: who has the secret, and may still act, is found, and nobody else. */
#include "place.h"

#include "fault/clock.h"

#include <obhut/records/person.h>
#include <obhut/staff.h>

/* ---- Tokens ---------------------------------------------------------------------------------- */

typedef struct staffed {
    memory_place *place;
    ob_staff *staff;
} staffed;

static bool finds(staffed *s, const char *secret, const char *name)
{
    bool found;
    ob_token token;
    MUST(ob_staff_token_find(&found, &token, s->staff, secret, &err_));
    return found && !strcmp(token.name, name);
}

static ob_status add(char *secret, staffed *s, const char *name, uint32_t scopes, ob_error *err)
{
    return WRITES(s->place->store, err,
                  ob_staff_token_add(secret, w, name, OB_EVERY_SURFACE, scopes, err));
}

static void a_token_is_found_by_its_secret_until_it_is_removed(void **state)
{
    staffed *s = *state;
    char one[OB_TOKEN_TEXT + 1], other[OB_TOKEN_TEXT + 1];
    MUST(add(one, s, "one", OB_OWN_SCOPES, &err_));
    MUST(add(other, s, "other", OB_OWN_SCOPES, &err_));
    assert_true(finds(s, one, "one") && finds(s, other, "other"));
    assert_false(finds(s, "", "one") || finds(s, "one", "one") || finds(s, one, "other"));
    MUST(WRITES(s->place->store, &err_, ob_store_token_remove(w, "one", &err_)));
    assert_false(finds(s, one, "one"));
    assert_true(finds(s, other, "other"));
}

static void a_token_that_is_good_for_nothing_is_not_made(void **state)
{
    staffed *s = *state;
    char secret[OB_TOKEN_TEXT + 1];
    assert_int_equal(add(secret, s, "client", 0, NULL), OB_EINVAL);
    assert_int_equal(add(secret, s, "client", 1 << OB_SCOPES, NULL), OB_EINVAL);
    assert_int_equal(add(secret, s, "no name", OB_OWN_SCOPES, NULL), OB_EINVAL);
    assert_false(has_token(s->place, "client"));
}

static void what_is_made_now_has_the_time_of_the_clock(void **state)
{
    staffed *s = *state;
    char secret[OB_TOKEN_TEXT + 1];
    ob_token *all = NULL;
    size_t count = 0;
    clock_stand(INT64_C(1900000000));
    MUST(add(secret, s, "client", OB_OWN_SCOPES, &err_));
    MUST(READS(s->place->store, &err_, ob_store_tokens(&all, &count, view, &err_)));
    assert_int_equal(count, 1);
    assert_int_equal(all[0].made_at, INT64_C(1900000000));
    free(all);
}

static void the_operators_own_token_is_made_once_and_not_exchanged(void **state)
{
    staffed *s = *state;
    char path[300];
    bool made;
    MUST(ob_staff_need_own_token(&made, s->staff, s->place->dir, &err_));
    assert_true(made && has_token(s->place, "own"));
    MUST(ob_staff_need_own_token(&made, s->staff, s->place->dir, &err_));
    assert_false(made);
    snprintf(path, sizeof path, "%s/keys/api-token", s->place->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("another\n", file);
    fclose(file);
    ob_staff_close(s->staff); /* it is asked for at a start */
    MUST(ob_staff_open(&s->staff, s->place->store, s->place->acts, &err_));
    assert_int_equal(ob_staff_need_own_token(&made, s->staff, s->place->dir, NULL), OB_EREFUSED);
}

/* ---- Persons --------------------------------------------------------------------------------- */

static ob_status add_person(char *secret, staffed *s, const char *name, uint32_t roles)
{
    return WRITES(s->place->store, NULL, ob_staff_person_add(secret, w, name, roles, false, NULL));
}

static bool finds_person(staffed *s, const char *secret, const char *name)
{
    bool found = false;
    ob_person person;
    MUST(READS(s->place->store, &err_, ob_staff_person_find(&found, &person, view, secret, &err_)));
    return found && !strcmp(person.name, name);
}

static void a_person_is_found_by_their_token_until_they_leave(void **state)
{
    staffed *s = *state;
    char ada[OB_TOKEN_TEXT + 1], bea[OB_TOKEN_TEXT + 1];
    assert_int_equal(add_person(ada, s, "ada", 1 << OB_ROLE_LEAD), OB_OK);
    assert_int_equal(add_person(bea, s, "bea", 1 << OB_ROLE_REVIEWER), OB_OK);
    assert_true(finds_person(s, ada, "ada") && finds_person(s, bea, "bea"));
    assert_false(finds_person(s, "ada", "ada") || finds_person(s, bea, "ada"));
    MUST(WRITES(s->place->store, &err_, ob_store_person_end(w, "ada", 1, &err_)));
    assert_false(finds_person(s, ada, "ada"));
}

static void nobody_is_called_the_operator_or_has_no_role(void **state)
{
    staffed *s = *state;
    char secret[OB_TOKEN_TEXT + 1];
    assert_int_equal(add_person(secret, s, "operator", 1 << OB_ROLE_LEAD), OB_EINVAL);
    assert_int_equal(add_person(secret, s, "ada", 0), OB_EINVAL);
    assert_int_equal(add_person(secret, s, "ada", 1 << OB_ROLES), OB_EINVAL);
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void scopes_and_roles_have_words_of_their_own(void **state)
{
    (void)state;
    for (int i = 0; i < OB_SCOPES; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ob_scope_name((ob_scope)i), ob_scope_name((ob_scope)k));
    for (int i = 0; i < OB_ROLES; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ob_role_name((ob_role)i), ob_role_name((ob_role)k));
    assert_string_equal(ob_scope_name(OB_SCOPES), "unknown");
    assert_string_equal(ob_role_name(OB_ROLES), "unknown");
}

static int begin(void **state)
{
    staffed *s = calloc(1, sizeof *s);
    assert_non_null(s);
    memory_place_begin((void **)&s->place);
    MUST(ob_staff_open(&s->staff, s->place->store, s->place->acts, &err_));
    *state = s;
    return 0;
}

static int end(void **state)
{
    staffed *s = *state;
    ob_staff_close(s->staff);
    clock_real();
    memory_place_end((void **)&s->place);
    free(s);
    return 0;
}

#define STAFFED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAFFED(a_token_is_found_by_its_secret_until_it_is_removed),
        STAFFED(a_token_that_is_good_for_nothing_is_not_made),
        STAFFED(what_is_made_now_has_the_time_of_the_clock),
        STAFFED(the_operators_own_token_is_made_once_and_not_exchanged),
        STAFFED(a_person_is_found_by_their_token_until_they_leave),
        STAFFED(nobody_is_called_the_operator_or_has_no_role),
        cmocka_unit_test(scopes_and_roles_have_words_of_their_own),
    };
    return cmocka_run_group_tests_name("staff_staff", tests, NULL, NULL);
}
