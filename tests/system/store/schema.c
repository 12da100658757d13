/* Opening: which database, which version, and what happens to databases of earlier versions. */
#include "store_test.h"

#include <obhut/records/conversation.h>
#include <obhut/records/detector.h>

#include <fcntl.h>
#include <sys/stat.h>

static ob_status open_raw(ob_store **out, const place *p, ob_error *err)
{
    char path[100];
    snprintf(path, sizeof path, "%s/obhut.db", p->dir);
    return p->url ? sql_open(out, &driver_postgresql, p->url, err)
                  : sql_open(out, &driver_sqlite, path, err);
}

/* ---- Versions -------------------------------------------------------------------------------- */

/* The values of one row of no meaning. */
static void bind_row(sql *q, const store_table *t, unsigned number)
{
    static ob_record_key bytes; /* lives until the statement has ended */
    bytes = key_of(number);
    for (size_t c = 0; c < t->count; c++)
        if (t->columns[c].kind == VALUE_INT)
            sql_bind_int(q, (int)c + 1, 1);
        else if (t->columns[c].kind == VALUE_TEXT)
            sql_bind_text(q, (int)c + 1, "ä");
        else
            sql_bind_key(q, (int)c + 1, &bytes);
}

/* One row in every table. */
static void fill(ob_view *view, const store_table *tables, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sql q;
        ob_error err = {0};
        ob_buf text = {0};
        must(ob_buf_printf(&text, &err, "INSERT INTO \"%s\" VALUES (", tables[i].name), &err);
        for (size_t c = 0; c < tables[i].count; c++)
            must(ob_buf_printf(&text, &err, c ? ", ?" : "?"), &err);
        must(ob_buf_append(&text, ")", 1, &err), &err);
        sql_begin_own(&q, view, text.bytes, USE_ONCE, &err);
        bind_row(&q, &tables[i], (unsigned)i);
        must(sql_end(&q), &err);
        ob_buf_free(&text);
    }
}

/* Tables that a later step has removed. */
static bool is_gone(const char *table)
{
    return !strcmp(table, "log_second");
}

/* These rows are there, as they were; a newer version may have added others. */
static void rows_in_view(ob_view *view, const store_table *tables, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_gone(tables[i].name))
            continue;
        sql q;
        ob_error err = {0};
        ob_buf text = {0};
        must(ob_buf_printf(&text, &err, "SELECT count(*) FROM \"%s\"", tables[i].name), &err);
        for (size_t c = 0; c < tables[i].count; c++)
            must(ob_buf_printf(&text, &err, "%s \"%s\" = ?", c ? " AND" : " WHERE",
                               tables[i].columns[c].name),
                 &err);
        sql_begin_own(&q, view, text.bytes, USE_ONCE, &err);
        bind_row(&q, &tables[i], (unsigned)i);
        assert_true(sql_step(&q));
        if (sql_int(&q, 0) != 1)
            fail_msg("%lld rows in %s", (long long)sql_int(&q, 0), tables[i].name);
        must(sql_end(&q), &err);
        ob_buf_free(&text);
    }
}

static void rows_are_there(ob_store *store, const store_table *tables, size_t count)
{
    ob_error err = {0};
    ob_view *view = NULL;
    must(ob_view_open(&view, store, &err), &err);
    rows_in_view(view, tables, count);
    ob_view_close(view);
}

static void a_database_of_every_earlier_version_is_taken_over_with_its_records(void **state)
{
    place *p = *state;
    ob_error err = {0};
    for (int64_t version = 1; version <= schema_steps(); version++) {
        size_t count = 0;
        int64_t now = 0;
        store_table *tables = NULL;
        empty_database(p);
        if (!p->url) {
            char command[100];
            snprintf(command, sizeof command, "rm -f %s/*", p->dir);
            assert_int_equal(system(command), 0);
        }
        ob_store *old = NULL;
        must(open_raw(&old, p, &err), &err);
        must(WRITES(old, &err, schema_update(w, version, &err)), &err);
        must(READS(old, &err, store_catalogue(&tables, &count, view, &err)), &err);
        must(open_writing(old, &err), &err);
        fill(ob_writing_view(once_writing), tables, count);
        must(end_writing(OB_OK, &err), &err);
        assert_true(count >= 2);
        ob_store_close(old);
        open_store(p);
        rows_are_there(p->store, tables, count);
        must(p->store->driver->version(&now, p->store->writing.view.db, &err), &err);
        assert_int_equal(now, schema_steps());
        open_again(p); /* and once more, with nothing to do */
        rows_are_there(p->store, tables, count);
        close_store(p);
        free(tables);
    }
}

static bool has_table(ob_store *store, const char *name)
{
    ob_error err = {0};
    size_t count = 0;
    bool has = false;
    store_table *tables = NULL;
    must(READS(store, &err, store_catalogue(&tables, &count, view, &err)), &err);
    for (size_t i = 0; i < count; i++)
        has |= !strcmp(tables[i].name, name);
    free(tables);
    return has;
}

static void what_entries_of_a_second_were_made_of_goes_with_step_4(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *old = NULL;
    must(open_raw(&old, p, &err), &err);
    must(WRITES(old, &err, schema_update(w, 3, &err)), &err);
    assert_true(has_table(old, "log_second"));
    ob_store_close(old);
    open_store(p);
    assert_false(has_table(p->store, "log_second"));
}

/* What the database says of every column, rule and index, in one order. */
static void describe(ob_buf *out, ob_store *store)
{
    static const char sqlite[] =
        "SELECT m.name || ' ' || c.cid || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\""
        " || ' ' || coalesce(c.dflt_value, '-') || ' ' || c.pk || ' ' || l.strict"
        " FROM sqlite_schema m JOIN pragma_table_info(m.name) c JOIN pragma_table_list(m.name) l"
        " WHERE m.type = 'table' UNION ALL"
        " SELECT m.name || ' ' || i.name || ' ' || i.\"unique\" || ' ' || i.origin || ' ' || "
        "x.seqno"
        " || ' ' || x.name FROM sqlite_schema m JOIN pragma_index_list(m.name) i"
        " JOIN pragma_index_info(i.name) x WHERE m.type = 'table' ORDER BY 1";
    static const char postgresql[] =
        "SELECT table_name || ' ' || ordinal_position || ' ' || column_name || ' ' || data_type"
        " || ' ' || is_nullable || ' ' || coalesce(column_default, '-')"
        " FROM information_schema.columns WHERE table_schema = 'public' UNION ALL"
        " SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
    sql q;
    ob_error err = {0};
    ob_view *view = NULL;
    must(ob_view_open(&view, store, &err), &err);
    sql_begin(&q, view, store->driver == &driver_sqlite ? sqlite : postgresql, &err);
    while (sql_step(&q)) {
        value line = sql_value(&q, 0);
        must(ob_buf_printf(out, NULL, "%s\n", (const char *)line.bytes), &err);
    }
    must(sql_end(&q), &err);
    ob_view_close(view);
}

static void a_database_made_now_is_as_one_that_has_gone_every_step(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_buf made = {0}, gone = {0};
    ob_store *old = NULL;
    must(open_raw(&old, p, &err), &err);
    for (int64_t version = 1; version <= schema_steps(); version++)
        must(WRITES(old, &err, schema_update(w, version, &err)), &err);
    describe(&gone, old);
    ob_store_close(old);
    empty_database(p);
    if (!p->url) {
        char command[100];
        snprintf(command, sizeof command, "rm -f %s/*", p->dir);
        assert_int_equal(system(command), 0);
    }
    open_store(p);
    describe(&made, p->store);
    assert_true(made.size > 5000);
    assert_string_equal(made.bytes, gone.bytes);
    ob_buf_free(&made);
    ob_buf_free(&gone);
}

/* A database that has gone a step does not go it again: a changed one would make two kinds of
 * databases of one version. A new step gets its line here when it is released. */
static void a_released_step_is_what_it_was(void **state)
{
    static const char *const digests[] = {
        "ddb0575a1b5b96e3c9035fda2ce170229f7474f61702a0e6f1a1a45ac3101ccb",
        "0db8ca2be9531c6a2795e5f3cc44f124bd5d0576220341b82045b93b5364fe6d",
        "cac6ff174ac4c5f7f638390db05378e6246c83cb619d8168d2970781ee1c9c18",
    };
    (void)state;
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
        uint8_t digest[OB_SHA256_SIZE];
        char hex[2 * OB_SHA256_SIZE + 1];
        ob_error err = {0};
        const char *step = schema_step((int64_t)i + 1);
        must(ob_sha256(digest, step, strlen(step), &err), &err);
        ob_hex(hex, digest, sizeof digest);
        if (strcmp(hex, digests[i]))
            fail_msg("step %zu was changed: it is %s", i + 1, hex);
    }
}

static void a_newer_database_is_refused_and_left_alone(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *store = NULL, *raw = NULL;
    int64_t version = 0;
    open_store(p);
    must(p->store->driver->set_version(p->store->writing.view.db, schema_steps() + 1, &err), &err);
    close_store(p);
    refused(ob_store_open(&store, p->dir, p->url, &err), OB_EREFUSED, &err);
    assert_non_null(strstr(err.text, "newer"));
    must(open_raw(&raw, p, &err), &err);
    must(raw->driver->version(&version, raw->writing.view.db, &err), &err);
    assert_int_equal(version, schema_steps() + 1);
    ob_store_close(raw);
}

static void a_step_that_fails_half_way_leaves_nothing(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *raw = NULL, *store = NULL;
    size_t count = 9;
    store_table *tables = NULL;
    must(open_raw(&raw, p, &err), &err);
    must(WRITES(raw, &err, schema_update(w, 1, &err)), &err);
    must(WRITES(raw, &err,
                sql_script(w, "CREATE TABLE tally (day INTEGER PRIMARY KEY) STRICT", &err)),
         &err);
    ob_store_close(raw);
    assert_true(ob_store_open(&store, p->dir, p->url, &err) != OB_OK); /* step 2 makes this table */
    must(open_raw(&raw, p, &err), &err);
    must(READS(raw, &err, store_catalogue(&tables, &count, view, &err)), &err);
    assert_int_equal(count, 3); /* token, gateway, and the one in the way */
    free(tables);
    must(WRITES(raw, &err, sql_script(w, "DROP TABLE tally", &err)), &err);
    ob_store_close(raw);
    open_store(p);
}

/* ---- Which database -------------------------------------------------------------------------- */

static void a_second_opener_is_refused(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *second = NULL;
    open_store(p);
    refused(ob_store_open(&second, p->dir, p->url, &err), OB_EBUSY, &err);
    assert_non_null(strstr(err.text, "in use by another Obhut"));
    open_again(p);
}

static void the_address_is_kept_for_those_who_do_not_say_it(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_token t = token_of("a", 1), *all = NULL;
    size_t count = 0;
    struct stat about;
    char path[100];
    open_store(p);
    must(WRITES(p->store, &err, ob_store_token_add(w, &t, &err)), &err);
    close_store(p);
    snprintf(path, sizeof path, "%s/records", p->dir);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    must(ob_store_open(&p->store, p->dir, NULL, &err), &err);
    must(READS(p->store, &err, ob_store_tokens(&all, &count, view, &err)), &err);
    assert_int_equal(count, 1);
    free(all);
    snprintf(path, sizeof path, "%s/obhut.db", p->dir);
    assert_int_equal(access(path, F_OK), -1);
}

static void another_password_is_the_same_database(void **state)
{
    place *p = *state;
    ob_error err = {0};
    char url[300];
    open_store(p);
    close_store(p);
    const char *rest = strchr(p->url, '@');
    snprintf(url, sizeof url, "postgresql://obhut:another%s", rest);
    must(ob_store_open(&p->store, p->dir, url, &err), &err);
    close_store(p);
    must(ob_store_open(&p->store, p->dir, NULL, &err), &err);
}

static void a_changed_address_moves_nothing_and_is_refused(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *store = NULL;
    static const char other[] = "postgresql://obhut:geheim@db.example.org/other";
    open_store(p);
    close_store(p);
    refused(ob_store_open(&store, p->dir, other, &err), OB_EREFUSED, &err);
    assert_null(strstr(err.text, "geheim"));
    assert_non_null(strstr(err.text, p->url ? "another database" : "obhut.db"));
    open_store(p);
}

static void what_is_no_address_is_refused_without_repeating_it(void **state)
{
    place *p = *state;
    static const char *const bad[] = {"mysql://geheim",
                                      "host=x password=geheim",
                                      "postgresql:/geheim",
                                      "postgresql://a:geheim%ZZ@h/d",
                                      "postgresql://geheim:b@[::1/d",
                                      "postgresql://geheim\n@h/d",
                                      "postgresql://h/d?geheim=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ob_error err = {0};
        ob_store *store = NULL;
        refused(ob_store_open(&store, p->dir, bad[i], &err), OB_EINVAL, &err);
        assert_null(strstr(err.text, "geheim"));
    }
    assert_true(ob_store_url_is_valid("postgres://h/d") && !ob_store_url_is_valid(""));
}

static void a_database_that_cannot_be_reached_says_so_without_the_password(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *store = NULL;
    char path[100];
    refused(ob_store_open(&store, p->dir, "postgresql://a:geheim@/d?host=/nowhere", &err), OB_EIO,
            &err);
    assert_null(strstr(err.text, "geheim"));
    assert_null(strchr(err.text, '\n'));
    snprintf(path, sizeof path, "%s/records", p->dir); /* a mistyped address is not kept */
    assert_int_equal(access(path, F_OK), -1);
}

static void write_records_file(const place *p, const char *text, mode_t mode)
{
    char path[100];
    snprintf(path, sizeof path, "%s/records", p->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void a_file_records_that_is_none_is_refused(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *store = NULL;
    char *longer = malloc(5000);
    memset(longer, 'x', 4999);
    memcpy(longer, "postgresql://", 13);
    longer[4999] = '\0';
    const char *const bad[] = {"", "\n", "sqlite", "postgresql://a/b\nsecond\n", longer};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_records_file(p, bad[i], 0600);
        refused(ob_store_open(&store, p->dir, NULL, &err), OB_EFORMAT, &err);
    }
    write_records_file(p, "postgresql://a/b\n", 0640);
    refused(ob_store_open(&store, p->dir, NULL, &err), OB_EREFUSED, &err);
    free(longer);
}

static void a_database_with_tables_of_something_else_is_refused(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *store = NULL;
    outside(p, "CREATE TABLE blog (id int)");
    refused(ob_store_open(&store, p->dir, p->url, &err), OB_EREFUSED, &err);
    outside(p, "DROP TABLE blog");
    open_store(p);
}

static void no_sample_of_a_text_or_key_is_kept_by_the_server(void **state)
{
    place *p = *state;
    ob_error err = {0};
    open_store(p);
    for (unsigned i = 0; i < 300; i++) {
        char name[20];
        snprintf(name, sizeof name, "planted%u", i % 3);
        ob_conversation c = {.id = key_of(i)};
        ob_detector_record d = {.at = i};
        snprintf(d.detector, sizeof d.detector, "d%u", i);
        snprintf(d.reason, sizeof d.reason, "%s", name);
        must(WRITES(p->store, &err, ob_store_detector_set(w, &d, &err)), &err);
        must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, NULL, 0, &err)), &err);
    }
    outside(p, "ANALYZE");
    outside(p,
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_stats WHERE schemaname = 'public' AND"
            " (tablename, attname) IN (('detector', 'reason'), ('detector', 'detector'),"
            " ('conversation', 'id'))) THEN RAISE 'sampled'; END IF;"
            " IF NOT EXISTS (SELECT FROM pg_stats WHERE schemaname = 'public' AND tablename ="
            " 'detector' AND attname = 'at') THEN RAISE 'nothing was looked at'; END IF; END $$");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLOSED(a_database_of_every_earlier_version_is_taken_over_with_its_records),
        CLOSED(what_entries_of_a_second_were_made_of_goes_with_step_4),
        CLOSED(a_database_made_now_is_as_one_that_has_gone_every_step),
        CLOSED(a_released_step_is_what_it_was),
        CLOSED(a_newer_database_is_refused_and_left_alone),
        CLOSED(a_step_that_fails_half_way_leaves_nothing),
        CLOSED(a_changed_address_moves_nothing_and_is_refused),
        CLOSED(what_is_no_address_is_refused_without_repeating_it),
        CLOSED(a_database_that_cannot_be_reached_says_so_without_the_password),
        CLOSED(a_file_records_that_is_none_is_refused),
        /* of PostgreSQL only: */
        CLOSED(a_second_opener_is_refused),
        CLOSED(the_address_is_kept_for_those_who_do_not_say_it),
        CLOSED(another_password_is_the_same_database),
        CLOSED(a_database_with_tables_of_something_else_is_refused),
        CLOSED(no_sample_of_a_text_or_key_is_kept_by_the_server),
    };
    size_t count = sizeof tests / sizeof *tests;
    if (!getenv("OBHUT_TEST_URL"))
        count -= 5;
    return _cmocka_run_group_tests("store_schema", tests, count, NULL, NULL);
}
