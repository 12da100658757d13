/* Every file of lists, damaged in every way, at the start: nothing that was listed counts as not
 * listed, and the file is named. */
#include "folder.h"
#include "lists_test.h"

#include "set_priv.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[TEST_FOLDER_SIZE], good[TEST_FOLDER_SIZE];
static ob_hash256 in_file, in_journal, in_other, taken_back;

/* A line of shell, in which $D is the directory and $G the good copy. */
static void run(const char *line)
{
    assert_int_equal(setenv("D", dir, 1) || setenv("G", good, 1), 0);
    assert_int_equal(system(line), 0);
}

static void import_one(const char *name, const ob_hash256 *hash, const ob_hash256 *more)
{
    char path[128], hex[2][OB_HASH256_HEX + 1];
    snprintf(path, sizeof path, "%s/%s.txt", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    ob_hash256_print(hex[0], hash);
    ob_hash256_print(hex[1], more);
    fprintf(file, "%s\n%s\n", hex[0], hex[1]);
    assert_int_equal(fclose(file), 0);
    lists_import(dir, &(ob_import){.file = path, .name = name});
}

/* "one" has an entry in its file and one in its journal, which also withdraws one; "two" is whole.
 * `good` is a copy of it. */
static int make_lists(void **state)
{
    (void)state;
    test_random r = {95};
    in_file = test_hash(&r);
    in_journal = test_hash(&r);
    in_other = test_hash(&r);
    taken_back = test_hash(&r);
    if (!test_folder(dir) || !test_folder(good))
        return -1;
    import_one("one", &in_file, &taken_back);
    import_one("two", &in_other, &in_other);
    ob_lists *lists = lists_own(dir);
    const ob_list_entry added = {.hash = &in_journal}, gone = {.hash = &taken_back};
    assert_int_equal(ob_lists_withdraw(NULL, lists, "one", &gone, 1, NULL), OB_OK);
    assert_int_equal(ob_lists_add(NULL, lists, "one", &added, 1, NULL), OB_OK);
    ob_lists_close(lists);
    run("cp -a $D/. $G");
    return 0;
}

static int remove_lists(void **state)
{
    (void)state;
    run("rm -rf $D $G");
    return 0;
}

/* ---- Damages: shell commands with the file as $F --------------------------------------------- */

static const struct damage {
    const char *name, *command;
    bool harmless; /* to what it says, where the file is a journal: nothing acknowledged is gone */
} damages[] = {
    {"a bit at the beginning", "printf '\\377' | dd of=$F bs=1 seek=3 conv=notrunc status=none",
     false},
    {"a bit in the middle",
     "printf '\\001' | dd of=$F bs=1 seek=$(($(stat -c %s $F) / 2)) conv=notrunc status=none",
     false},
    {"a byte near the end",
     "printf '\\001' | dd of=$F bs=1 seek=$(($(stat -c %s $F) - 3)) conv=notrunc status=none",
     false},
    {"half", "truncate -s $(($(stat -c %s $F) / 2)) $F", false},
    {"one byte less", "truncate -s -1 $F", false},
    {"empty", "truncate -s 0 $F", false},
    {"zeros", "s=$(stat -c %s $F); truncate -s 0 $F; truncate -s $s $F", false},
    {"doubled", "cp $F $F.x; cat $F.x >>$F; rm $F.x", false},
    {"junk", "s=$(stat -c %s $F); head -c $s /dev/urandom >$F", false},
    {"missing", "rm $F", false},
    {"a pipe", "rm $F; mkfifo $F", false},
    {"a folder", "rm $F; mkdir $F", false},
    {"a link to nowhere", "rm $F; ln -s /nowhere/at/all $F", false},
    {"a link to itself", "rm $F; ln -s $F $F", false},
    {"a link to the file", "mv $F $F.x; ln -s $F.x $F", false},
    {"a giant", "truncate -s 1T $F", false},
    {"open to others", "chmod 0666 $F", false},
    {"a device", "rm $F; ln -s /dev/zero $F", false},
    {"another's line", "printf '0123456789abcdef []\\n' >>$F", true},
    {"a line without its end", "printf '0123456789abcdef [{' >>$F", true},
};

static bool finds(ob_lists *lists, const ob_hash256 *hash, ob_status *whole)
{
    ob_list_matches found;
    ob_error err = {0};
    if (ob_lists_match(&found, lists, hash, 1, 31, 10, &err))
        fail_msg("%s", err.text);
    *whole = ob_list_matches_whole(&found, 1, NULL);
    bool any = found.count > 0;
    ob_list_matches_free(&found);
    return any;
}

/* What a service would answer with. */
static void check_owner(ob_lists *lists, const char *what, const char *file)
{
    char *why = NULL;
    ob_status whole;
    const size_t trouble = ob_lists_trouble(&why, lists);
    if (trouble && (!why || !strstr(why, file)))
        fail_msg("%s of %s: \"%s\" does not name it", what, file, why ? why : "");
    const ob_hash256 *const listed[] = {&in_file, &in_journal, &in_other};
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
        if (!finds(lists, listed[i], &whole) && !whole)
            fail_msg("%s of %s: what is listed counts as not listed", what, file);
    if (finds(lists, &taken_back, &whole))
        fail_msg("%s of %s: what was withdrawn is found again", what, file);
    free(why);
}

static void restore(void)
{
    run("rm -rf $D && mkdir -m 0700 $D");
    run("cp -a $G/. $D");
}

static void damage(const struct damage *d, const char *file)
{
    char command[512];
    snprintf(command, sizeof command, "F=%s/%s; %s", dir, file, d->command);
    assert_int_equal(system(command), 0);
}

static void look(const struct damage *d, const char *file)
{
    ob_lists *lists = NULL;
    ob_error err = {0};
    ob_status status = ob_lists_own(&lists, dir, &err);
    if (status && !strstr(err.text, file))
        fail_msg("%s of %s: \"%s\" does not name it", d->name, file, err.text);
    if (!status) {
        check_owner(lists, d->name, file);
        const bool harmless = d->harmless && strstr(file, ".log");
        if (!ob_lists_trouble(NULL, lists) && !harmless)
            fail_msg("%s of %s: not a word", d->name, file);
        ob_lists_close(lists);
    }
}

/* Those who only read fail as a whole. */
static void look_as_reader(const struct damage *d, const char *file)
{
    ob_lists *lists = NULL;
    ob_error err = {0};
    if (ob_lists_open(&lists, dir, &err)) {
        if (!strstr(err.text, file))
            fail_msg("%s of %s: \"%s\" does not name it", d->name, file, err.text);
        return;
    }
    check_owner(lists, d->name, file);
    ob_lists_close(lists);
}

static void every_damage_of_every_file_is_named_and_nothing_listed_is_let_through(void **state)
{
    (void)state;
    static const char *const files[] = {"lists/one.obx", "lists/one.1.log", "lists.state"};
    enum { LONG_S = 600 };
    alarm(LONG_S); /* whoever waits for a pipe waits for ever */
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
            restore();
            damage(&damages[i], files[f]);
            look_as_reader(&damages[i], files[f]);
            look(&damages[i], files[f]);
            look(&damages[i], files[f]); /* the first start has not made it right */
        }
    alarm(0);
}

static void an_older_copy_of_a_file_is_no_list(void **state)
{
    (void)state;
    const struct damage older = {.name = "an older copy"};
    ob_lists *lists;
    restore();
    lists = lists_own(dir);
    const ob_list_entry more = {.hash = &in_other};
    assert_int_equal(ob_lists_add(NULL, lists, "one", &more, 1, NULL), OB_OK);
    ob_lists_close(lists);
    run("cp -a $G/lists/one.1.log $D/lists/");
    look(&older, "lists/one.1.log");
    restore();
    import_one("one", &in_file, &in_journal);
    run("cp -a $G/lists/one.obx $D/lists/");
    look(&older, "lists/one.obx");
}

static void a_folder_that_is_gone_shows(void **state)
{
    (void)state;
    const struct damage gone = {.name = "the folder is gone"};
    restore();
    run("rm -rf $D/lists");
    look(&gone, "lists/");
    restore();
    run("mv $D/lists $D/elsewhere");
    run("ln -s nowhere $D/lists");
    look(&gone, "lists");
}

static void what_was_damaged_can_be_removed_or_imported_again(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        restore();
        run("rm $D/lists/one.obx");
        if (again) {
            import_one("one", &in_file, &in_journal);
        } else {
            assert_int_equal(lists_remove(dir, "one"), OB_OK);
        }
        ob_lists *lists = lists_own(dir);
        ob_status whole;
        assert_int_equal(ob_lists_trouble(NULL, lists), 0);
        assert_int_equal(finds(lists, &in_journal, &whole), again);
        assert_int_equal(whole, OB_OK);
        ob_lists_close(lists);
    }
}

static void nothing_is_deleted_that_nobody_removed(void **state)
{
    (void)state;
    char path[160];
    struct stat is;
    restore();
    run("rm $D/lists/one.obx");
    ob_lists_close(lists_own(dir));
    snprintf(path, sizeof path, "%s/lists/one.1.log", dir);
    assert_int_equal(stat(path, &is), 0);
    run("cp -a $G/lists/one.obx $D/lists/"); /* the disk is back */
    ob_lists *lists = lists_own(dir);
    assert_int_equal(ob_lists_trouble(NULL, lists), 0);
    check_owner(lists, "a list that is back", "");
    ob_lists_close(lists);
}

/* A copy of what is damaged opens, names the list, and has the others; nothing is copied without a
 * list that is missing. */
static void a_copy_of_a_damaged_list_is_a_damaged_list(void **state)
{
    (void)state;
    ob_list_files files;
    ob_error err = {0};
    const struct damage half = {.name = "half"};
    restore();
    run("truncate -s -3 $D/lists/one.1.log");
    assert_int_equal(ob_list_files_open(&files, dir, NULL), OB_OK);
    assert_int_equal(files.count, 3);
    ob_list_files_close(&files);
    run("rm $D/lists.state");
    assert_int_equal(ob_lists_adopt(dir, &err), OB_OK);
    run("F=$D/lists/one.obx; truncate -s $(($(stat -c %s $F) / 2)) $F");
    assert_int_equal(ob_lists_adopt(dir, &err), OB_OK);
    look(&half, "lists/one.obx");
    restore();
    run("rm $D/lists/one.obx");
    assert_int_equal(ob_list_files_open(&files, dir, &err), OB_EFORMAT);
    assert_non_null(strstr(err.text, "one.obx"));
    restore();
    run("rm $D/lists/one.1.log; mkfifo $D/lists/one.1.log");
    assert_int_equal(ob_list_files_open(&files, dir, &err), OB_EREFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_damage_of_every_file_is_named_and_nothing_listed_is_let_through),
        cmocka_unit_test(an_older_copy_of_a_file_is_no_list),
        cmocka_unit_test(a_folder_that_is_gone_shows),
        cmocka_unit_test(what_was_damaged_can_be_removed_or_imported_again),
        cmocka_unit_test(nothing_is_deleted_that_nobody_removed),
        cmocka_unit_test(a_copy_of_a_damaged_list_is_a_damaged_list),
    };
    return cmocka_run_group_tests_name("lists_damage", tests, make_lists, remove_lists);
}
