/* A log that somebody changed who has its files, and not its key: what the records know of it, and
 * the codes of entries that nobody signed yet, are what it must still be. */
#include "audit_log.h"

static int start(void **state)
{
    (void)state;
    return ob_crypto_start(NULL);
}

/* ---- A log whose process was killed ---------------------------------------------------------- */

enum { SEALED = 5, ENTRIES = 9 };

/* Checkpoints over 0, 3 and 5 entries, and four that are not sealed. */
typedef struct killed {
    place place;
    bytes log, notes;
    size_t lines[ENTRIES + 1], note_starts[4];
    ob_audit_signed known;
    uint8_t seed[OB_KEY_SIZE];
} killed;

static void put_back(const killed *k)
{
    save(k->place.audit, "log", k->log.text, k->log.size);
    save(k->place.audit, "checkpoints", k->notes.text, k->notes.size);
}

static void find_starts(killed *k)
{
    size_t n = 0;
    for (size_t i = 0; i < k->log.size; i++)
        if (k->log.text[i] == '\n')
            k->lines[++n] = i + 1;
    assert_int_equal(n, ENTRIES);
    n = 0;
    for (char *at = k->notes.text; (at = strstr(at, "\n\n\xE2\x80\x94 ")) != NULL;) {
        at = strchr(at + 2, '\n') + 1;
        k->note_starts[++n] = (size_t)(at - k->notes.text);
    }
    assert_int_equal(n, 3);
}

/* seed: of the log's key; first: of its entries' values. */
static void make_killed(killed *k, const char *seed, int first)
{
    char keys[100];
    memset(k, 0, sizeof *k);
    k->place = new_place();
    snprintf(keys, sizeof keys, "%s/keys", k->place.dir);
    assert_int_equal(mkdir(keys, 0700), 0);
    save(keys, "audit", seed, OB_KEY_SIZE);
    memcpy(k->seed, seed, OB_KEY_SIZE);
    ob_audit *audit = open_log(k->place.dir);
    for (int n = 0; n < ENTRIES; n++) {
        add(audit, "list.changed", first + n);
        if (n == 2 || n == SEALED - 1)
            MUST(ob_audit_sign(audit, &err_));
    }
    ob_audit_signed_now(&k->known, audit);
    assert_int_equal(k->known.entries, SEALED);
    k->log = load(k->place.audit, "log");
    k->notes = load(k->place.audit, "checkpoints");
    MUST(ob_audit_close(audit, &err_));
    find_starts(k);
    put_back(k);
}

static void drop_killed(killed *k)
{
    free(k->log.text);
    free(k->notes.text);
    remove_all(k->place.dir);
}

static ob_status reopen(ob_audit **out, const killed *k, ob_error *err)
{
    const ob_audit_options options = {.dir = k->place.dir, .known = &k->known};
    return ob_audit_open(out, &options, err);
}

static ob_audit_report verify_known(const killed *k)
{
    const ob_audit_check check = {.dir = k->place.audit, .known = &k->known, .seed = k->seed};
    ob_audit_report report;
    MUST(ob_audit_verify(&report, &check, &err_));
    return report;
}

/* Refused with a sentence that has `word`, by whoever opens and whoever verifies, and left as it
 * is. */
static void assert_refused(const killed *k, const char *word, const char *file)
{
    ob_audit *audit = NULL;
    ob_error err = {0};
    bytes log = load(k->place.audit, "log"), notes = load(k->place.audit, "checkpoints");
    assert_int_equal(reopen(&audit, k, &err), OB_EFORMAT);
    if (!strstr(err.text, word))
        fail_msg("\"%s\" does not say \"%s\"", err.text, word);
    ob_audit_report report = verify_known(k);
    assert_false(report.fine);
    assert_string_equal(report.file, file);
    bytes log_after = load(k->place.audit, "log"),
          notes_after = load(k->place.audit, "checkpoints");
    assert_int_equal(log_after.size, log.size);
    assert_memory_equal(log_after.text, log.text, log.size);
    assert_int_equal(notes_after.size, notes.size);
    assert_memory_equal(notes_after.text, notes.text, notes.size);
    free(log.text);
    free(notes.text);
    free(log_after.text);
    free(notes_after.text);
}

static const char seed_one[OB_KEY_SIZE] = "one key of thirty-two bytes, one";
static const char seed_two[OB_KEY_SIZE] = "two keys of thirty-two bytes too";

/* ---- Entries that nobody signed -------------------------------------------------------------- */

static void own_entries_that_were_not_signed_are_taken_and_counted(void **state)
{
    killed k;
    ob_audit *audit = NULL;
    (void)state;
    make_killed(&k, seed_one, 0);
    assert_true(verify_known(&k).fine);
    MUST(reopen(&audit, &k, &err_));
    assert_int_equal(add(audit, "more", 1), ENTRIES + 1);
    MUST(ob_audit_close(audit, &err_));
    found f = find_all(k.place.audit);
    assert_string_equal(what_of(&f, ENTRIES), "log.unsealed");
    json_t *told = json_array_get(f.entries, ENTRIES);
    assert_int_equal(json_integer_value(json_object_get(told, "from")), SEALED);
    assert_int_equal(json_integer_value(json_object_get(told, "entries")), ENTRIES - SEALED);
    json_decref(f.entries);
    assert_fine(k.place.audit, ENTRIES + 2, ENTRIES + 2);
    drop_killed(&k);
}

/* One bit of entry n, and its hash as it is then. */
static void forge(bytes *log, const killed *k, size_t n, size_t at)
{
    char digits[65], *line = log->text + k->lines[n];
    line[LINE_HEAD + at] ^= 1;
    tree_hash leaf = naive_leaf(line + LINE_HEAD, k->lines[n + 1] - k->lines[n] - LINE_HEAD - 1);
    ob_hex(digits, leaf.bytes, 32);
    memcpy(line, digits, 64);
}

static void an_unsigned_entry_that_was_changed_with_its_hash_is_never_signed(void **state)
{
    killed k;
    (void)state;
    make_killed(&k, seed_one, 0);
    for (size_t n = SEALED; n < ENTRIES; n++) {
        const size_t size = k.lines[n + 1] - k.lines[n] - LINE_HEAD - 1;
        /* The text of its last member but one, and each digit of its code. */
        for (size_t at = size - MAC_TEXT - 10; at < size - 2; at++) {
            if (at >= size - MAC_TEXT - 4 && at < size - 2 * MAC_SIZE - 2)
                continue; /* what is no entry then, which other tests try */
            bytes log = {malloc(k.log.size), k.log.size};
            memcpy(log.text, k.log.text, log.size);
            forge(&log, &k, n, at);
            save(k.place.audit, "log", log.text, log.size);
            assert_refused(&k, "not appended by this service", "log");
            free(log.text);
        }
    }
    drop_killed(&k);
}

static void
entries_that_were_dropped_doubled_or_swapped_among_the_unsigned_are_refused(void **state)
{
    killed k;
    (void)state;
    make_killed(&k, seed_one, 0);
    static const size_t orders[][4] = {
        {6, 5, 7, 8}, {5, 7, 6, 8}, {5, 5, 7, 8}, {6, 6, 7, 8}, {8, 6, 7, 5}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        ob_buf log = {0};
        ob_buf_append(&log, k.log.text, k.lines[SEALED], NULL);
        for (size_t n = 0; n < 4; n++) {
            /* With the number that belongs there, and a hash that fits. */
            const size_t from = orders[i][n], size = k.lines[from + 1] - k.lines[from];
            char line[1024], digits[65];
            memcpy(line, k.log.text + k.lines[from], size);
            line[LINE_HEAD + 5] = (char)('0' + SEALED + n);
            tree_hash leaf = naive_leaf(line + LINE_HEAD, size - LINE_HEAD - 1);
            ob_hex(digits, leaf.bytes, 32);
            memcpy(line, digits, 64);
            ob_buf_append(&log, line, size, NULL);
        }
        save(k.place.audit, "log", log.bytes, log.size);
        assert_refused(&k, "not appended by this service", "log");
        ob_buf_free(&log);
    }
    drop_killed(&k);
}

static void entries_of_another_log_or_of_another_past_do_not_fit(void **state)
{
    const char *const seeds[] = {seed_one, seed_two};
    (void)state;
    for (int i = 0; i < 2; i++) {
        killed k, other;
        make_killed(&k, seed_one, 0);
        make_killed(&other, seeds[i], 3);
        ob_buf log = {0};
        ob_buf_append(&log, k.log.text, k.lines[SEALED], NULL);
        ob_buf_append(&log, other.log.text + other.lines[SEALED],
                      other.log.size - other.lines[SEALED], NULL);
        save(k.place.audit, "log", log.bytes, log.size);
        assert_refused(&k, "not appended by this service", "log");
        ob_buf_free(&log);
        drop_killed(&k);
        drop_killed(&other);
    }
}

/* As an older version wrote them: without a code. Where the records know the log, no such entry
 * can be unsigned any more; where they do not yet, it is taken as it was. */
static void an_entry_without_a_code_is_taken_only_where_the_records_know_nothing(void **state)
{
    killed k;
    ob_audit *audit = NULL;
    (void)state;
    make_killed(&k, seed_one, 0);
    static const char entry[] =
        "{\"n\":5,\"at\":\"2026-11-25T14:00:00Z\",\"what\":\"word\",\"act\":true}";
    char digits[65];
    ob_buf log = {0};
    tree_hash leaf = naive_leaf(entry, sizeof entry - 1);
    ob_hex(digits, leaf.bytes, 32);
    ob_buf_append(&log, k.log.text, k.lines[SEALED], NULL);
    ob_buf_printf(&log, NULL, "%s %s\n", digits, entry);
    save(k.place.audit, "log", log.bytes, log.size);
    assert_refused(&k, "not appended by this service", "log");
    const ob_audit_options options = {.dir = k.place.dir};
    MUST(ob_audit_open(&audit, &options, &err_));
    assert_int_equal(add(audit, "more", 1), SEALED + 1);
    MUST(ob_audit_close(audit, &err_));
    assert_fine(k.place.audit, SEALED + 2, SEALED + 2);
    ob_buf_free(&log);
    drop_killed(&k);
}

/* ---- Checkpoints ----------------------------------------------------------------------------- */

static void checkpoints_that_are_cut_replaced_or_of_another_log_are_refused(void **state)
{
    killed k, other;
    (void)state;
    make_killed(&k, seed_one, 0);
    make_killed(&other, seed_one, 3);
    for (size_t size = 0; size < k.notes.size; size += size < k.note_starts[2] ? 7 : 1) {
        save(k.place.audit, "checkpoints", k.notes.text, size);
        ob_audit *audit = NULL;
        ob_error err = {0};
        assert_int_equal(reopen(&audit, &k, &err), OB_EFORMAT);
        assert_non_null(strstr(err.text, "audit/checkpoints, byte "));
    }
    for (size_t n = 1; n < 3; n++) {
        save(k.place.audit, "checkpoints", k.notes.text, k.note_starts[n]);
        assert_refused(&k, "the records know that 5 entries were signed", "checkpoints");
    }
    /* Signed with the same key, as long, and over as many entries: of an older past. */
    assert_int_equal(other.notes.size, k.notes.size);
    save(k.place.audit, "checkpoints", other.notes.text, other.notes.size);
    assert_refused(&k, "is not there", "log");
    save(k.place.audit, "log", other.log.text, other.log.size);
    assert_refused(&k, "is not there", "checkpoints");
    drop_killed(&k);
    drop_killed(&other);
}

/* Genuine, signed with the same key, and behind the one that the records know: of a copy that went
 * another way. What it covers is not believed unread. */
static void a_later_checkpoint_of_another_past_is_refused(void **state)
{
    killed k, other;
    ob_audit *audit = NULL;
    (void)state;
    make_killed(&k, seed_one, 0);
    make_killed(&other, seed_one, 1);
    MUST(reopen(&audit, &other, &err_));
    MUST(ob_audit_close(audit, &err_));
    bytes notes = load(other.place.audit, "checkpoints"), log = load(other.place.audit, "log");
    ob_buf mixed = {0};
    ob_buf_append(&mixed, k.notes.text, k.notes.size, NULL);
    ob_buf_append(&mixed, notes.text + other.notes.size, notes.size - other.notes.size, NULL);
    save(k.place.audit, "checkpoints", mixed.bytes, mixed.size);
    /* Its own entries, and the other's: of as many bytes as that checkpoint says. */
    assert_int_equal(k.log.size, other.log.size);
    mixed.size = 0;
    ob_buf_append(&mixed, k.log.text, k.log.size, NULL);
    ob_buf_append(&mixed, log.text + other.log.size, log.size - other.log.size, NULL);
    save(k.place.audit, "log", mixed.bytes, mixed.size);
    assert_refused(&k, "not appended by this service", "log");
    mixed.size = k.lines[SEALED];
    ob_buf_append(&mixed, log.text + other.lines[SEALED], log.size - other.lines[SEALED], NULL);
    save(k.place.audit, "log", mixed.bytes, mixed.size);
    assert_refused(&k, "not appended by this service", "log");
    ob_buf_free(&mixed);
    free(notes.text);
    free(log.text);
    drop_killed(&k);
    drop_killed(&other);
}

static void what_is_missing_is_not_made_anew_where_the_records_know_it(void **state)
{
    static const char *const names[] = {"audit/log", "audit/checkpoints", "audit/key",
                                        "keys/audit"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        killed k;
        char path[200];
        ob_audit *audit = NULL;
        make_killed(&k, seed_one, 0);
        snprintf(path, sizeof path, "%s/%s", k.place.dir, names[i]);
        assert_int_equal(unlink(path), 0);
        ob_error err = {0};
        assert_true(reopen(&audit, &k, &err) != OB_OK);
        assert_true(strlen(err.text) > 0);
        assert_int_equal(access(path, F_OK), -1);
        drop_killed(&k);
    }
}

/* ---- Closed ---------------------------------------------------------------------------------- */

static void behind_a_log_that_was_closed_nothing_may_follow(void **state)
{
    killed k;
    (void)state;
    make_killed(&k, seed_one, 0);
    k.known.is_closed = true;
    assert_refused(&k, "they are of different times", "log");
    save(k.place.audit, "log", k.log.text, k.lines[SEALED] + 10);
    assert_refused(&k, "10 bytes were added since", "log");
    drop_killed(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_entries_that_were_not_signed_are_taken_and_counted),
        cmocka_unit_test(an_unsigned_entry_that_was_changed_with_its_hash_is_never_signed),
        cmocka_unit_test(
            entries_that_were_dropped_doubled_or_swapped_among_the_unsigned_are_refused),
        cmocka_unit_test(entries_of_another_log_or_of_another_past_do_not_fit),
        cmocka_unit_test(an_entry_without_a_code_is_taken_only_where_the_records_know_nothing),
        cmocka_unit_test(checkpoints_that_are_cut_replaced_or_of_another_log_are_refused),
        cmocka_unit_test(a_later_checkpoint_of_another_past_is_refused),
        cmocka_unit_test(what_is_missing_is_not_made_anew_where_the_records_know_it),
        cmocka_unit_test(behind_a_log_that_was_closed_nothing_may_follow),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
