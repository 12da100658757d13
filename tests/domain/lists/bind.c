/* What is kept elsewhere of what lists must have: an older copy of all of them shows, and nothing
 * that ended in between does. */
#include "folder.h"
#include "lists_test.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[TEST_FOLDER_SIZE], aside[TEST_FOLDER_SIZE];
static ob_hash256 first, second, nowhere;

/* Whoever keeps it, and what goes wrong there. */
static struct keeper {
    bool knows, forgets, fails, copies;
    ob_lists_bound known, copied;
    unsigned told;
} keeper;

static void run(const char *line)
{
    assert_int_equal(setenv("D", dir, 1) || setenv("A", aside, 1), 0);
    assert_int_equal(system(line), 0);
}

static ob_status keep(void *context, const ob_lists_bound *now, ob_error *err)
{
    assert_ptr_equal(context, &keeper);
    keeper.told++;
    if (!keeper.forgets) {
        keeper.known = *now;
        keeper.knows = true;
    }
    if (keeper.copies) {
        run("cp -p $D/lists.state $A/state.copied");
        keeper.copied = *now;
        keeper.copies = false;
    }
    return keeper.fails ? ob_fail(err, OB_EIO, "away") : OB_OK;
}

static void put_aside(void)
{
    run("rm -rf $A && mkdir -m 0700 $A && cp -a $D/. $A");
}

static void put_back(void)
{
    run("rm -rf $D && mkdir -m 0700 $D && cp -a $A/. $D");
}

static ob_lists *begin(void)
{
    ob_error err = {0};
    ob_lists *lists = NULL;
    if (ob_lists_own_unchecked(&lists, dir, &err))
        fail_msg("%s", err.text);
    const ob_lists_bound known = keeper.known;
    ob_status status = ob_lists_bind(lists, keeper.knows ? &known : NULL, keep, &keeper, &err);
    if (status && !keeper.fails)
        fail_msg("%s", err.text);
    return lists;
}

static void end(ob_lists *lists)
{
    ob_lists_unbind(lists);
    ob_lists_close(lists);
}

static void import_one(ob_lists *lists, const char *name, const ob_hash256 *hash)
{
    char path[128], hex[OB_HASH256_HEX + 1];
    ob_import_result result;
    snprintf(path, sizeof path, "%s/%s.txt", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    ob_hash256_print(hex, hash);
    fprintf(file, "%s\n", hex);
    assert_int_equal(fclose(file), 0);
    const ob_import import = {.file = path, .name = name};
    assert_int_equal(ob_lists_import(&result, lists, &import, NULL), OB_OK);
}

static int make(void **state)
{
    (void)state;
    test_random r = {20};
    first = test_hash(&r);
    second = test_hash(&r);
    nowhere = test_hash(&r);
    keeper = (struct keeper){.knows = false};
    if (!test_folder(dir) || !test_folder(aside))
        return -1;
    ob_lists *lists = begin();
    import_one(lists, "one", &first);
    end(lists);
    put_aside();
    return 0;
}

static int drop(void **state)
{
    (void)state;
    run("rm -rf $D $A");
    return 0;
}

static size_t found(ob_lists *lists, const ob_hash256 *hash, ob_status *whole)
{
    ob_list_matches m;
    assert_int_equal(ob_lists_match(&m, lists, hash, 1, 31, 10, NULL), OB_OK);
    *whole = ob_list_matches_whole(&m, 1, NULL);
    const size_t count = m.count;
    ob_list_matches_free(&m);
    return count;
}

static void check_fine(ob_lists *lists)
{
    ob_status whole;
    ob_error err = {0};
    assert_int_equal(ob_lists_trouble(NULL, lists), 0);
    assert_int_equal(found(lists, &nowhere, &whole), 0);
    assert_int_equal(whole, OB_OK);
    if (ob_lists_compare(dir, &keeper.known, &err))
        fail_msg("%s", err.text);
}

/* Nothing is found and nothing counts as not listed, now and at every start, until somebody says
 * so. */
static void check_refused(const char *word)
{
    for (int i = 0; i < 3; i++) {
        char *why = NULL;
        ob_status whole;
        ob_error err = {0};
        const unsigned told = keeper.told;
        assert_int_equal(ob_lists_compare(dir, &keeper.known, &err), OB_EFORMAT);
        assert_non_null(strstr(err.text, word));
        ob_lists *lists = begin();
        assert_true(ob_lists_trouble(&why, lists) > 0);
        assert_non_null(why);
        assert_non_null(strstr(why, word));
        assert_non_null(strstr(why, "obhut list accept"));
        assert_int_equal(found(lists, &first, &whole), 0);
        assert_int_equal(whole, OB_EIO);
        if (i == 2)
            import_one(lists, "more", &second);
        free(why);
        end(lists);
        assert_int_equal(keeper.told, told);
    }
    ob_lists *lists = begin();
    assert_int_equal(ob_lists_accept(lists, NULL), OB_OK);
    check_fine(lists);
    assert_int_equal(ob_lists_accept(lists, NULL), OB_OK);
    end(lists);
    lists = begin();
    check_fine(lists);
    end(lists);
}

/* ---- Copies ---------------------------------------------------------------------------------- */

static void change(ob_lists *lists, int kind)
{
    const ob_list_entry entry = {.hash = &second}, gone = {.hash = &first};
    if (kind == 0)
        assert_int_equal(ob_lists_add(NULL, lists, "one", &entry, 1, NULL), OB_OK);
    if (kind == 1)
        assert_int_equal(ob_lists_withdraw(NULL, lists, "one", &gone, 1, NULL), OB_OK);
    if (kind == 2)
        import_one(lists, "one", &second);
    if (kind == 3)
        import_one(lists, "another", &second);
    if (kind == 4)
        assert_int_equal(ob_lists_remove(lists, "one", NULL), OB_OK);
    if (kind == 5)
        assert_int_equal(ob_lists_merge(lists, "one", NULL, NULL, NULL), OB_OK);
}
enum { CHANGES = 6 };

static void an_older_copy_of_all_lists_is_refused_whatever_changed_since(void **state)
{
    (void)state;
    for (int kind = 0; kind < CHANGES; kind++) {
        put_back();
        keeper.knows = false; /* as if it were the first */
        ob_lists *lists = begin();
        change(lists, kind);
        end(lists);
        put_back();
        check_refused("older");
    }
}

static void a_directory_without_any_lists_is_refused_where_there_were_some(void **state)
{
    (void)state;
    run("rm -rf $D/lists $D/lists.state");
    char *why = NULL;
    ob_lists *lists = begin();
    assert_int_equal(ob_lists_trouble(&why, lists), 1);
    assert_non_null(strstr(why, "missing"));
    free(why);
    assert_int_equal(ob_lists_accept(lists, NULL), OB_OK);
    end(lists);
    lists = begin();
    check_fine(lists);
    end(lists);
}

static void lists_of_another_directory_are_refused_however_often_these_changed(void **state)
{
    (void)state;
    const struct keeper own = keeper;
    run("rm -rf $D/lists $D/lists.state");
    keeper.knows = false;
    ob_lists *lists = begin();
    for (int i = 0; i < 10; i++)
        import_one(lists, i % 2 ? "one" : "two", &second);
    end(lists);
    keeper = own;
    check_refused("not those");
}

static bool stands(const char *name)
{
    char path[TEST_FOLDER_SIZE + 64];
    snprintf(path, sizeof path, "%s/lists/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* A copy of the moment at which a list was being removed, which was imported again since. */
static void copy_while_removing(void)
{
    keeper.knows = false;
    ob_lists *lists = begin();
    keeper.copies = true;
    change(lists, 4);
    import_one(lists, "one", &second);
    end(lists);
    run("cp -p $D/lists.state $A/state.newest && cp -p $A/state.copied $D/lists.state && "
        "touch $D/lists/.left.tmp");
}

static void nothing_is_deleted_before_it_is_known_which_lists_these_are(void **state)
{
    (void)state;
    ob_status whole;
    copy_while_removing();
    for (int i = 0; i < 2; i++) {
        ob_lists *lists = begin();
        assert_true(ob_lists_trouble(NULL, lists) > 0);
        end(lists);
        assert_true(stands("one.obx") && stands(".left.tmp"));
    }
    run("cp -p $A/state.newest $D/lists.state");
    ob_lists *lists = begin();
    check_fine(lists);
    assert_int_equal(found(lists, &second, &whole), 1);
    end(lists);
    assert_false(stands(".left.tmp"));
}

/* That its state is of another file is said of it then; it is there to be put right. */
static void what_stands_when_it_is_accepted_stays(void **state)
{
    (void)state;
    copy_while_removing();
    for (int i = 0; i < 2; i++) {
        char *why = NULL;
        ob_lists *lists = begin();
        assert_int_equal(ob_lists_accept(lists, NULL), OB_OK);
        assert_int_equal(ob_lists_trouble(&why, lists), 1);
        assert_non_null(strstr(why, "one"));
        free(why);
        end(lists);
        assert_true(stands("one.obx"));
    }
}

static void a_removal_that_is_known_is_finished(void **state)
{
    (void)state;
    ob_status whole;
    copy_while_removing();
    keeper.known = keeper.copied;
    ob_lists *lists = begin();
    check_fine(lists);
    assert_int_equal(found(lists, &second, &whole), 0);
    assert_int_equal(whole, OB_OK);
    end(lists);
    assert_false(stands("one.obx"));
}

/* ---- Ends in between ------------------------------------------------------------------------- */

/* A process that ends before it has told, or before it has heard that this was kept, is followed by
 * one that knows which lists these are; so are several such ends. */
static void no_end_in_between_is_taken_for_an_older_copy(void **state)
{
    (void)state;
    for (int forgets = 0; forgets < 2; forgets++)
        for (int each = 1; each <= 3; each++) {
            put_back();
            keeper = (struct keeper){.knows = false};
            end(begin());
            keeper.fails = true;
            keeper.forgets = forgets;
            for (int kind = 0; kind < CHANGES; kind++) {
                ob_lists *lists = begin();
                assert_int_equal(ob_lists_trouble(NULL, lists), 0);
                change(lists, kind);
                if (each > 1 && kind != 4)
                    change(lists, 3);
                if (kind == 4)
                    import_one(lists, "one", &first);
                if (each == 3) /* nobody asks it to tell what it has not told */
                    ob_lists_close(lists);
                else
                    end(lists);
            }
            keeper.fails = keeper.forgets = false;
            ob_lists *lists = begin();
            check_fine(lists);
            end(lists);
        }
}

static void what_could_not_be_told_is_told_with_the_next_change(void **state)
{
    (void)state;
    ob_lists *lists = begin();
    keeper.fails = keeper.forgets = true;
    change(lists, 0);
    keeper.fails = keeper.forgets = false;
    change(lists, 3);
    ob_lists_close(lists);
    put_back();
    check_refused("older");
}

static void lists_that_nobody_bound_before_are_taken_as_they_are(void **state)
{
    (void)state;
    ob_lists *lists = lists_own(dir);
    change(lists, 0);
    ob_lists_close(lists);
    keeper.knows = false;
    lists = begin();
    check_fine(lists);
    assert_true(keeper.knows);
    end(lists);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        CASE(an_older_copy_of_all_lists_is_refused_whatever_changed_since),
        CASE(a_directory_without_any_lists_is_refused_where_there_were_some),
        CASE(lists_of_another_directory_are_refused_however_often_these_changed),
        CASE(nothing_is_deleted_before_it_is_known_which_lists_these_are),
        CASE(what_stands_when_it_is_accepted_stays),
        CASE(a_removal_that_is_known_is_finished),
        CASE(no_end_in_between_is_taken_for_an_older_copy),
        CASE(what_could_not_be_told_is_told_with_the_next_change),
        CASE(lists_that_nobody_bound_before_are_taken_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
