/* What a service says of an item becomes one, or a problem that names what is missing. */
#include "asking.h"

#include <obhut/services.h>

typedef struct item_case {
    ob_field query[6];
    const char *code; /* NULL: it is one */
} item_case;

/* An item of a query, once its head was held against the row. */
static ob_status item_of(ob_item *out, const char **code, const memory_place *p,
                         const ob_field query[6], const char *named)
{
    ob_error err = {0};
    const ob_field header = {"Idempotency-Key", named};
    ob_request r = {.query = query, .headers = &header, .header_count = named ? 1 : 0};
    while (r.query_count < 6 && query[r.query_count].name)
        r.query_count++;
    *code = NULL;
    assert_int_equal(ob_command_check_head(code, ob_command_find("file.scan"), &r, &err), OB_OK);
    ob_status status = ob_command_item(out, code, p->acts, &r, &err);
    assert_true(!status || *err.text);
    return status;
}

static void what_a_surface_needs_is_asked_for_by_name(void **state)
{
    static const item_case cases[] = {
        {{{"surface", "public"}}, NULL},
        {{{"surface", "public"}, {"account", "-"}}, NULL},
        {{{"surface", "storage"}}, "ACCOUNT"},
        {{{"surface", "storage"}, {"account", "-"}}, "ACCOUNT"},
        {{{"surface", "storage"}, {"account", "zed"}}, "ENCRYPTION"},
        {{{"surface", "storage"}, {"account", "zed"}, {"encryption", "none"}}, NULL},
        {{{"surface", "direct"}, {"account", "zed"}, {"encryption", "none"}}, "CONVERSATION"},
        {{{"surface", "group"}, {"conversation", "c"}, {"encryption", "none"}}, "ACCOUNT"},
        {{{"surface", "direct"},
          {"account", "zed"},
          {"encryption", "e2ee"},
          {"conversation", "c"},
          {"locus", "disclosed"}},
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ob_item item;
        const char *code;
        const ob_status status = item_of(&item, &code, *state, cases[i].query, NULL);
        if (!status != !cases[i].code || (status && strcmp(code, cases[i].code)))
            fail_msg("case %zu: %d %s", i, (int)status, code ? code : "");
    }
}

static void words_become_pseudonyms_and_numbers_those_of_records(void **state)
{
    memory_place *p = *state;
    ob_item item, again;
    const char *code;
    ob_record_key account;
    const ob_field query[6] = {{"surface", "direct"}, {"account", "zed"},     {"conversation", "c"},
                               {"report", "7"},       {"encryption", "none"}, {"item", "photo"}};
    assert_int_equal(item_of(&item, &code, p, query, NULL), OB_OK);
    ob_acts_pseudonym(&account, p->acts, OB_PSEUDONYM_ACCOUNT, "zed");
    assert_memory_equal(&item.account, &account, sizeof account);
    assert_true(item.has_account && item.has_conversation);
    assert_int_equal(item.report, 7);
    assert_int_equal(item.notice, 0);
    assert_int_equal(item_of(&again, &code, p, query, "a key"), OB_OK); /* the item's own id wins */
    assert_memory_equal(&item.id, &again.id, sizeof item.id);
}

static void an_item_without_an_id_is_known_by_its_key_or_is_new(void **state)
{
    static const ob_field query[6] = {{"surface", "public"}};
    ob_item first, second;
    const char *code;
    assert_int_equal(item_of(&first, &code, *state, query, "a key"), OB_OK);
    assert_int_equal(item_of(&second, &code, *state, query, "a key"), OB_OK);
    assert_memory_equal(&first.id, &second.id, sizeof first.id);
    assert_int_equal(item_of(&second, &code, *state, query, ""), OB_OK);
    assert_memory_not_equal(&first.id, &second.id, sizeof first.id);
    assert_int_equal(item_of(&first, &code, *state, query, NULL), OB_OK);
    assert_memory_not_equal(&first.id, &second.id, sizeof first.id);
}

static void a_field_of_an_item_is_known_by_name(void **state)
{
    (void)state;
    assert_true(ob_command_item_has("surface") && ob_command_item_has("notice"));
    assert_false(ob_command_item_has("file") || ob_command_item_has("Idempotency-Key") ||
                 ob_command_item_has("basis"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MEMORY(what_a_surface_needs_is_asked_for_by_name),
        IN_MEMORY(words_become_pseudonyms_and_numbers_those_of_records),
        IN_MEMORY(an_item_without_an_id_is_known_by_its_key_or_is_new),
        cmocka_unit_test(a_field_of_an_item_is_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
