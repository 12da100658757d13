/* The log as others see it: damage of every kind, and where it is. */
#include "audit_log.h"

static int start(void **state)
{
    (void)state;
    return ob_crypto_start(NULL);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

enum { ENTRIES = 7, NOTES = 4 };
static const uint64_t note_sizes[NOTES] = {0, 3, 5, 7};

/* A small log: seven entries, checkpoints over 0, 3, 5 and 7 of them. */
typedef struct small {
    place place;
    bytes log, notes, key;
    char *newest; /* checkpoint */
    size_t lines[ENTRIES + 1], note_starts[NOTES + 1];
    char damaged[80]; /* a directory for copies */
} small;

static void make_small(small *s)
{
    memset(s, 0, sizeof *s);
    s->place = new_place();
    ob_audit *audit = open_log(s->place.dir);
    for (int n = 0, k = 1; n < ENTRIES; n++) {
        add(audit, n % 2 ? "verdict.found" : "list.changed", n);
        if (note_sizes[k] == (uint64_t)n + 1) {
            MUST(ob_audit_sign(audit, &err_));
            k++;
        }
    }
    MUST(ob_audit_close(audit, &err_));
    s->log = load(s->place.audit, "log");
    s->notes = load(s->place.audit, "checkpoints");
    s->key = load(s->place.audit, "key");
    s->newest = last_checkpoint(s->place.audit);
    size_t n = 0;
    for (size_t i = 0; i < s->log.size; i++)
        if (s->log.text[i] == '\n')
            s->lines[++n] = i + 1;
    assert_int_equal(n, ENTRIES);
    n = 0;
    for (char *at = s->notes.text; (at = strstr(at, "\n\n\xE2\x80\x94 ")) != NULL;) {
        at = strchr(at + 2, '\n') + 1;
        s->note_starts[++n] = (size_t)(at - s->notes.text);
    }
    assert_int_equal(n, NOTES);
    snprintf(s->damaged, sizeof s->damaged, "%s/copy", s->place.dir);
    assert_int_equal(mkdir(s->damaged, 0700), 0);
}

static void copy(const small *s)
{
    save(s->damaged, "log", s->log.text, s->log.size);
    save(s->damaged, "checkpoints", s->notes.text, s->notes.size);
    save(s->damaged, "key", s->key.text, s->key.size);
}

static void drop_small(small *s)
{
    free(s->log.text);
    free(s->notes.text);
    free(s->key.text);
    free(s->newest);
    remove_all(s->place.dir);
}

static size_t line_of(const small *s, size_t offset)
{
    size_t n = 0;
    while (n + 1 < ENTRIES && s->lines[n + 1] <= offset)
        n++;
    return n;
}

/* Every bit, its opposite, and the characters that mean something in these files. */
enum { PATTERNS = 8 + 1 + 5 };
static char damage(char byte, int pattern)
{
    static const char meaning[5] = {'\n', ' ', '0', '"', '\0'};
    return pattern < 8    ? (char)(byte ^ (1 << pattern))
           : pattern == 8 ? (char)~byte
                          : meaning[pattern - 9];
}

static void expect_in_log(const small *s, const ob_audit_report *r, size_t at, char now)
{
    size_t n = line_of(s, at), start = s->lines[n], text = start + LINE_HEAD;
    if (r->fine || strcmp(r->file, "log") || r->entry != n || r->offset < start || r->offset > at)
        fail_msg("byte %zu of entry %zu: said %s, byte %llu, entry %llu: %s", at, n,
                 r->fine ? "fine" : r->file, (unsigned long long)r->offset,
                 (unsigned long long)r->entry, r->problem);
    /* Exactly where it can be known. */
    if (at < text || (s->log.text[at] == '\n' && n + 1 < ENTRIES))
        assert_int_equal(r->offset, at);
    else if (now != '\n' && s->log.text[at] != '\n')
        assert_int_equal(r->offset, text);
}

/* From one byte that is tried to the next: 1 where all are. */
static size_t stride(size_t size)
{
    uint64_t wanted = test_samples("OBHUT_AUDIT_BYTES", size);
    return wanted < size ? size / (size_t)wanted | 1 : 1;
}

static void every_changed_byte_of_the_log_is_found_where_it_is(void **state)
{
    small s;
    (void)state;
    make_small(&s);
    copy(&s);
    assert_fine(s.damaged, ENTRIES, ENTRIES);
    for (size_t at = 0; at < s.log.size; at += stride(s.log.size))
        for (int p = 0; p < PATTERNS; p++) {
            char was = s.log.text[at], now = damage(was, p);
            if (now == was)
                continue;
            s.log.text[at] = now;
            save(s.damaged, "log", s.log.text, s.log.size);
            s.log.text[at] = was;
            ob_audit_report r = verify_dir(s.damaged);
            expect_in_log(&s, &r, at, now);
        }
    drop_small(&s);
}

static void every_changed_byte_of_the_checkpoints_is_found(void **state)
{
    small s;
    (void)state;
    make_small(&s);
    copy(&s);
    for (size_t at = 0, k = 0; at < s.notes.size; at += stride(s.notes.size)) {
        while (at >= s.note_starts[k + 1])
            k++;
        for (int p = 0; p < PATTERNS; p++) {
            char was = s.notes.text[at], now = damage(was, p);
            if (now == was)
                continue;
            s.notes.text[at] = now;
            save(s.damaged, "checkpoints", s.notes.text, s.notes.size);
            s.notes.text[at] = was;
            ob_audit_report r = verify_dir(s.damaged);
            if (r.fine || strcmp(r.file, "checkpoints") || r.offset != s.note_starts[k] ||
                r.entry != (k ? note_sizes[k - 1] : 0))
                fail_msg(
                    "byte %zu of checkpoint %zu, pattern %d: said %s, byte %llu, entry %llu: %s",
                    at, k, p, r.fine ? "fine" : r.file, (unsigned long long)r.offset,
                    (unsigned long long)r.entry, r.problem);
        }
    }
    drop_small(&s);
}

static void every_changed_byte_of_the_key_is_found(void **state)
{
    small s;
    (void)state;
    make_small(&s);
    copy(&s);
    for (size_t at = 0; at < s.key.size; at++)
        for (int p = 0; p < PATTERNS; p++) {
            char was = s.key.text[at], now = damage(was, p);
            if (now == was)
                continue;
            s.key.text[at] = now;
            save(s.damaged, "key", s.key.text, s.key.size);
            s.key.text[at] = was;
            ob_audit_report r = verify_dir(s.damaged);
            assert_false(r.fine);
            assert_string_equal(r.file, "key");
        }
    for (size_t size = 0; size < s.key.size; size++) {
        save(s.damaged, "key", s.key.text, size);
        assert_string_equal(verify_dir(s.damaged).file, "key");
    }
    drop_small(&s);
}

static void a_log_that_is_cut_anywhere_is_found(void **state)
{
    small s;
    (void)state;
    make_small(&s);
    copy(&s);
    for (size_t size = 0; size < s.log.size; size++) {
        save(s.damaged, "log", s.log.text, size);
        ob_audit_report r = verify_dir(s.damaged);
        size_t n = line_of(&s, size);
        assert_false(r.fine);
        assert_string_equal(r.file, "log");
        assert_int_equal(r.entry, n);
        assert_int_equal(r.offset, s.lines[n]); /* from there on nothing is whole */
    }
    drop_small(&s);
}

static size_t note_end(const small *s, size_t size)
{
    for (size_t k = 1; k <= NOTES; k++)
        if (s->note_starts[k] == size)
            return k;
    return 0;
}

static void checkpoints_that_are_cut_are_found_or_leave_entries_that_are_not_sealed(void **state)
{
    small s;
    (void)state;
    make_small(&s);
    copy(&s);
    for (size_t size = 0; size < s.notes.size; size++) {
        size_t k = note_end(&s, size);
        save(s.damaged, "checkpoints", s.notes.text, size);
        ob_audit_report r = verify_dir(s.damaged);
        assert_int_equal(r.fine, k > 0);
        if (k) {
            assert_int_equal(r.covered, note_sizes[k - 1]);
            assert_int_equal(r.entries, ENTRIES);
        } else {
            assert_string_equal(r.file, "checkpoints");
        }
    }
    drop_small(&s);
}

/* Both cut: log at every length with checkpoints at every end of one, and the other way round. */
static void try_both(const small *s, size_t log, size_t notes)
{
    save(s->damaged, "log", s->log.text, log);
    save(s->damaged, "checkpoints", s->notes.text, notes);
    size_t k = note_end(s, notes), n = 0;
    bool whole_line = false;
    for (; n <= ENTRIES && s->lines[n] <= log; n++)
        whole_line = s->lines[n] == log;
    n--;
    ob_audit_report r = verify_dir(s->damaged);
    if (!k || !whole_line || n < note_sizes[k - 1]) {
        if (r.fine)
            fail_msg("cut to %zu and %zu bytes: said to be fine", log, notes);
        return;
    }
    /* Nothing in the files themselves can tell: an older checkpoint does. */
    assert_true(r.fine);
    assert_int_equal(r.entries, n);
    assert_int_equal(r.covered, note_sizes[k - 1]);
    r = verify_with(s->damaged, s->key.text, s->newest);
    assert_int_equal(r.fine, n == ENTRIES);
    if (!r.fine)
        assert_string_equal(r.file, "since");
}

static void cuts_of_both_are_found_except_at_an_older_checkpoint_which_since_finds(void **state)
{
    small s;
    (void)state;
    make_small(&s);
    copy(&s);
    for (size_t log = 0; log <= s.log.size; log += stride(s.log.size))
        for (size_t k = 0; k <= NOTES; k++)
            try_both(&s, log, s.note_starts[k]);
    for (size_t notes = 0; notes <= s.notes.size; notes += stride(s.notes.size))
        for (size_t n = 0; n <= ENTRIES; n++)
            try_both(&s, s.lines[n], notes);
    drop_small(&s);
}

/* ---- Whole entries --------------------------------------------------------------------------- */

static void put_lines(const small *s, const size_t *order, size_t count)
{
    ob_buf text = {0};
    for (size_t i = 0; i < count; i++)
        MUST(ob_buf_append(&text, s->log.text + s->lines[order[i]],
                           s->lines[order[i] + 1] - s->lines[order[i]], &err_));
    save(s->damaged, "log", text.bytes ? text.bytes : "", text.size);
    ob_buf_free(&text);
}

static void expect_entry(const small *s, size_t n)
{
    ob_audit_report r = verify_dir(s->damaged);
    assert_false(r.fine);
    assert_string_equal(r.file, "log");
    assert_int_equal(r.entry, n);
    assert_int_equal(r.offset, s->lines[n]);
}

static void swapped_dropped_and_doubled_entries_are_found(void **state)
{
    small s;
    size_t order[ENTRIES + 1];
    (void)state;
    make_small(&s);
    copy(&s);
    for (size_t a = 0; a < ENTRIES; a++) {
        for (size_t b = a + 1; b < ENTRIES; b++) {
            for (size_t i = 0; i < ENTRIES; i++)
                order[i] = i == a ? b : i == b ? a : i;
            put_lines(&s, order, ENTRIES);
            expect_entry(&s, a);
        }
        for (size_t i = 0; i < ENTRIES - 1; i++)
            order[i] = i < a ? i : i + 1;
        put_lines(&s, order, ENTRIES - 1);
        expect_entry(&s, a);
        for (size_t i = 0; i < ENTRIES + 1; i++)
            order[i] = i <= a ? i : i - 1;
        put_lines(&s, order, ENTRIES + 1);
        expect_entry(&s, a + 1);
    }
    drop_small(&s);
}

static void swapped_dropped_and_doubled_checkpoints_are_found(void **state)
{
    static const int orders[][5] = {{1, 0, 2, 3, -1}, {0, 2, 1, 3, -1}, {0, 1, 3, 2, -1},
                                    {1, 2, 3, -1},    {0, 2, 3, -1},    {0, 1, 3, -1},
                                    {0, 0, 1, 2, 3},  {0, 1, 1, 2, 3},  {0, 1, 2, 3, 3}};
    small s;
    (void)state;
    make_small(&s);
    copy(&s);
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        ob_buf text = {0};
        for (int k = 0; k < 5 && orders[i][k] >= 0; k++) {
            size_t start = s.note_starts[orders[i][k]];
            MUST(ob_buf_append(&text, s.notes.text + start, s.note_starts[orders[i][k] + 1] - start,
                               &err_));
        }
        save(s.damaged, "checkpoints", text.bytes, text.size);
        ob_audit_report r = verify_dir(s.damaged);
        assert_false(r.fine);
        assert_string_equal(r.file, "checkpoints");
        ob_buf_free(&text);
    }
    drop_small(&s);
}

/* An attacker without the key writes an entry anew, with the hash that fits it. */
static void forge(small *s, size_t n, size_t at)
{
    char digits[65], *line = s->log.text + s->lines[n];
    size_t size = s->lines[n + 1] - s->lines[n] - LINE_HEAD - 1;
    line[LINE_HEAD + at] ^= 1;
    tree_hash leaf = naive_leaf(line + LINE_HEAD, size);
    ob_hex(digits, leaf.bytes, 32);
    memcpy(line, digits, 64);
}

static void an_entry_that_was_written_anew_with_its_hash_is_found(void **state)
{
    small s;
    (void)state;
    make_small(&s);
    for (size_t n = 0; n < ENTRIES; n++) {
        size_t k = 0;
        bytes log = {malloc(s.log.size), s.log.size};
        memcpy(log.text, s.log.text, log.size);
        forge(&s, n, s.lines[n + 1] - s.lines[n] - LINE_HEAD - 6);
        copy(&s);
        while (note_sizes[k + 1] <= n)
            k++;
        ob_audit_report r = verify_dir(s.damaged);
        assert_false(r.fine);
        assert_string_equal(r.file, "log");
        /* Not before the last checkpoint that stands, and not behind it. */
        assert_in_range(r.entry, note_sizes[k], n);
        assert_int_equal(r.offset, s.lines[r.entry]);
        /* Without the later checkpoints nothing contradicts, except one that was kept. */
        save(s.damaged, "checkpoints", s.notes.text, s.note_starts[k + 1]);
        assert_true(verify_dir(s.damaged).fine);
        r = verify_with(s.damaged, s.key.text, s.newest);
        assert_false(r.fine);
        assert_string_equal(r.file, "since");
        memcpy(s.log.text, log.text, log.size);
        free(log.text);
    }
    drop_small(&s);
}

/* ---- The directory --------------------------------------------------------------------------- */

static void other_files_are_named_and_links_are_not_followed(void **state)
{
    small s;
    char path[160], target[160];
    (void)state;
    make_small(&s);
    copy(&s);
    save(s.damaged, "log.old", "", 0);
    ob_audit_report r = verify_dir(s.damaged);
    assert_true(r.fine);
    assert_int_equal(r.strangers, 1);
    assert_string_equal(r.stranger, "log.old");
    snprintf(path, sizeof path, "%s/log", s.damaged);
    snprintf(target, sizeof target, "%s/log", s.place.audit);
    assert_int_equal(unlink(path), 0);
    assert_string_equal(verify_dir(s.damaged).file, "log");
    assert_int_equal(symlink(target, path), 0);
    assert_string_equal(verify_dir(s.damaged).file, "log");
    drop_small(&s);
}

static void where_no_log_is_none_is_verified(void **state)
{
    place p = new_place();
    ob_audit_check check = {.dir = p.dir};
    ob_audit_report report;
    (void)state;
    assert_int_equal(ob_audit_verify(&report, &check, NULL), OB_ENOTFOUND);
    check.dir = p.audit;
    assert_int_equal(ob_audit_verify(&report, &check, NULL), OB_ENOTFOUND);
    remove_all(p.dir);
}

/* A service does not go on with what is not right. */
static void a_damaged_log_is_not_opened(void **state)
{
    small s;
    char path[200];
    (void)state;
    make_small(&s);
    snprintf(path, sizeof path, "%s", s.place.audit);
    ob_audit_options options = {.dir = s.place.dir};
    ob_audit *audit = NULL;
    /* Shorter than its last checkpoint, at every length. */
    for (size_t size = 0; size < s.log.size; size++) {
        save(path, "log", s.log.text, size);
        assert_int_equal(ob_audit_open(&audit, &options, NULL), OB_EFORMAT);
    }
    save(path, "log", s.log.text, s.log.size);
    /* The last checkpoint, changed anywhere but at its end, where it would look unfinished. */
    for (size_t at = s.note_starts[3]; at < s.notes.size - 1; at++) {
        s.notes.text[at] ^= 1;
        save(path, "checkpoints", s.notes.text, s.notes.size);
        s.notes.text[at] ^= 1;
        ob_error err = {0};
        if (!ob_audit_open(&audit, &options, &err))
            fail_msg("opened with byte %zu of checkpoints changed", at);
    }
    save(path, "checkpoints", s.notes.text, 0);
    assert_int_equal(ob_audit_open(&audit, &options, NULL), OB_EFORMAT);
    save(path, "checkpoints", s.notes.text, s.notes.size);
    /* Entries behind it. */
    audit = open_log(s.place.dir);
    size_t end = s.log.size;
    add(audit, "more.entries", 1);
    bytes longer = load(path, "log");
    MUST(ob_audit_close(audit, &err_));
    save(path, "checkpoints", s.notes.text, s.notes.size);
    for (size_t at = end; at + 1 < longer.size; at++) {
        longer.text[at] ^= 1;
        save(path, "log", longer.text, longer.size);
        longer.text[at] ^= 1;
        assert_int_equal(ob_audit_open(&audit, &options, NULL), OB_EFORMAT);
    }
    save(path, "log", longer.text, longer.size);
    free(longer.text);
    /* Another key. */
    s.key.text[40] ^= 1;
    save(path, "key", s.key.text, s.key.size);
    assert_int_equal(ob_audit_open(&audit, &options, NULL), OB_EREFUSED);
    s.key.text[40] ^= 1;
    save(path, "key", s.key.text, s.key.size);
    audit = open_log(s.place.dir);
    assert_int_equal(ob_audit_size(audit), ENTRIES + 1);
    MUST(ob_audit_close(audit, &err_));
    assert_fine(path, ENTRIES + 1, ENTRIES + 1);
    drop_small(&s);
}

static void a_newer_format_is_refused_kindly(void **state)
{
    (void)state;
    small s;
    ob_sign_key pair;
    log_key key;
    note parsed;
    size_t used;
    ob_error err = {0};
    ob_sha256_sum *sum = NULL;
    uint8_t signature[KEY_ID + OB_SIGNATURE_SIZE];
    make_small(&s);
    bytes seed = load(s.place.dir, "keys/audit");
    ob_sign_start(&pair, (uint8_t *)seed.text);
    MUST(key_of(&key, pair.public_key, &err_));
    MUST(ob_sha256_begin(&sum, &err_));
    ob_buf text = {0};
    MUST(ob_buf_printf(&text, &err_,
                       "%s\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nround 2\n", key.name));
    memcpy(signature, key.id, KEY_ID);
    ob_sign(signature + KEY_ID, &pair, text.bytes, text.size);
    MUST(ob_buf_printf(&text, &err_, "\n\xE2\x80\x94 %s ", key.name));
    MUST(ob_base64(&text, signature, sizeof signature, &err_));
    MUST(ob_buf_append(&text, "\n", 1, &err_));
    assert_int_equal(note_parse(&parsed, &used, text.bytes, text.size,
                                &(note_rule){NOTE_STORED, &key, sum}, &err),
                     OB_EREFUSED);
    assert_non_null(strstr(err.text, "newer"));
    ob_buf_free(&text);
    free(seed.text);
    ob_sha256_drop(&sum);
    drop_small(&s);
}

/* ---- A large one ----------------------------------------------------------------------------- */

enum { FILLERS = 8 };

typedef struct filler {
    ob_audit *audit;
    int count;
} filler;

static void *fill(void *context)
{
    filler *f = context;
    for (int i = 0; i < f->count; i++)
        add(f->audit, "permits", i);
    return NULL;
}

static void fill_log(ob_audit *audit, int count)
{
    pthread_t threads[FILLERS];
    filler f = {audit, count / FILLERS};
    for (int i = 0; i < FILLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fill, &f), 0);
    for (int i = 0; i < FILLERS; i++)
        pthread_join(threads[i], NULL);
}

static void flip_on_disk(const char *path, uint64_t at, int bit)
{
    char byte;
    int file = open(path, O_RDWR);
    assert_int_equal(pread(file, &byte, 1, (off_t)at), 1);
    byte ^= (char)(1 << bit);
    assert_int_equal(pwrite(file, &byte, 1, (off_t)at), 1);
    close(file);
}

static ob_status count_entries(void *context, uint64_t number, const char *text, size_t size,
                               ob_error *err)
{
    uint64_t *next = context;
    char start[40];
    (void)err;
    snprintf(start, sizeof start, "{\"n\":%llu,", (unsigned long long)number);
    assert_int_equal(number, (*next)++);
    assert_true(size > strlen(start) && !memcmp(text, start, strlen(start)));
    return OB_OK;
}

static void any_range_is_read(const char *dir, uint64_t entries, test_random *random)
{
    for (int i = 0; i < 50; i++) {
        uint64_t from = test_below(random, entries), to = from + test_below(random, 20);
        uint64_t next = from, last = to < entries ? to + 1 : entries;
        MUST(ob_audit_read(dir, from, to, count_entries, &next, &err_));
        assert_int_equal(next, last);
    }
}

static void in_a_large_log_sampled_damage_is_found(void **state)
{
    (void)state;
    uint64_t flips = test_samples("OBHUT_AUDIT_FLIPS", 60);
    int entries = flips > 30 ? 100000 : 10000; /* the sanitizers do a part */
    place p = new_place();
    ob_audit *audit = open_log(p.dir);
    test_random random = {0x5EED0A0D17};
    char path[120];
    for (int part = 0; part < 5; part++) {
        fill_log(audit, entries / 5);
        MUST(ob_audit_sign(audit, &err_));
    }
    MUST(ob_audit_close(audit, &err_));
    assert_fine(p.audit, (uint64_t)entries, (uint64_t)entries);
    any_range_is_read(p.audit, (uint64_t)entries, &random);
    bytes log = load(p.audit, "log");
    snprintf(path, sizeof path, "%s/log", p.audit);
    for (uint64_t i = 0; i < flips; i++) {
        uint64_t at = test_below(&random, log.size), line = 0, start = 0;
        int bit = (int)test_below(&random, 8);
        for (uint64_t k = 0; k < at; k++)
            if (log.text[k] == '\n') {
                line++;
                start = k + 1;
            }
        flip_on_disk(path, at, bit);
        ob_audit_report r = verify_dir(p.audit);
        flip_on_disk(path, at, bit);
        assert_false(r.fine);
        assert_int_equal(r.entry, line);
        assert_in_range(r.offset, start, at);
    }
    free(log.text);
    assert_fine(p.audit, (uint64_t)entries, (uint64_t)entries);
    remove_all(p.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_changed_byte_of_the_log_is_found_where_it_is),
        cmocka_unit_test(every_changed_byte_of_the_checkpoints_is_found),
        cmocka_unit_test(every_changed_byte_of_the_key_is_found),
        cmocka_unit_test(a_log_that_is_cut_anywhere_is_found),
        cmocka_unit_test(checkpoints_that_are_cut_are_found_or_leave_entries_that_are_not_sealed),
        cmocka_unit_test(cuts_of_both_are_found_except_at_an_older_checkpoint_which_since_finds),
        cmocka_unit_test(swapped_dropped_and_doubled_entries_are_found),
        cmocka_unit_test(swapped_dropped_and_doubled_checkpoints_are_found),
        cmocka_unit_test(an_entry_that_was_written_anew_with_its_hash_is_found),
        cmocka_unit_test(other_files_are_named_and_links_are_not_followed),
        cmocka_unit_test(where_no_log_is_none_is_verified),
        cmocka_unit_test(a_damaged_log_is_not_opened),
        cmocka_unit_test(a_newer_format_is_refused_kindly),
        cmocka_unit_test(in_a_large_log_sampled_damage_is_found),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
