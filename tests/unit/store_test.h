/* What the tests of store share: a fresh store for each test, in SQLite or, where OBHUT_TEST_URL
 * names a database that may be emptied, in PostgreSQL. */
#ifndef OBHUT_STORE_TEST_H
#define OBHUT_STORE_TEST_H

#include "folder.h"
#include "test.h"

#include "store_priv.h"

#include "once.h"

#include <obhut/crypto.h>
#include <obhut/records/token.h>

#include <unistd.h>

#include <libpq-fe.h>

typedef struct place {
    char dir[TEST_FOLDER_SIZE];
    const char *url; /* NULL: SQLite */
    ob_store *store;
} place;

static inline void must(ob_status status, const ob_error *err)
{
    if (status)
        fail_msg("%d: %s", status, err->text);
}

/* Fails with this status, and with a sentence. */
static inline void refused(ob_status status, ob_status expected, const ob_error *err)
{
    assert_int_equal(status, expected);
    assert_int_equal(err->status, expected);
    assert_true(strlen(err->text) > 10);
}

/* As the database's owner sees it. */
static inline void outside(const place *p, const char *text)
{
    PGconn *c = PQconnectdb(p->url);
    PGresult *result = PQexec(c, text);
    ExecStatusType kind = PQresultStatus(result);
    if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text, PQerrorMessage(c));
    PQclear(result);
    PQfinish(c);
}

static inline void empty_database(const place *p)
{
    if (p->url)
        outside(p, "SET client_min_messages = warning; DROP SCHEMA public CASCADE;"
                   "CREATE SCHEMA public");
}

static inline void open_store(place *p)
{
    ob_error err = {0};
    must(ob_store_open(&p->store, p->dir, p->url, &err), &err);
}

static inline void close_store(place *p)
{
    ob_store_close(p->store);
    p->store = NULL;
}

static inline void open_again(place *p)
{
    close_store(p);
    open_store(p);
}

static inline int begin_closed(void **state)
{
    place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    assert_int_equal(ob_crypto_start(NULL), OB_OK);
    p->url = getenv("OBHUT_TEST_URL");
    assert_true(test_folder(p->dir));
    empty_database(p);
    *state = p;
    return 0;
}

static inline int begin(void **state)
{
    begin_closed(state);
    open_store(*state);
    return 0;
}

static inline int end(void **state)
{
    place *p = *state;
    char command[100];
    close_store(p);
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static inline ob_record_key key_of(unsigned n)
{
    ob_record_key key;
    for (unsigned i = 0; i < sizeof key.bytes; i++) /* zeros and high bytes among them */
        key.bytes[i] = (uint8_t)(i % 3 == 0 ? 0 : n * 31 + i * 7);
    memcpy(key.bytes + 4, &n, sizeof n);
    return key;
}

static inline ob_token token_of(const char *name, unsigned n)
{
    ob_token t = {.surfaces = 0xFFFFFFFFu - n, .scopes = n, .made_at = INT64_C(4102444800) + n};
    ob_record_key key = key_of(n);
    snprintf(t.name, sizeof t.name, "%s", name);
    memcpy(t.fingerprint, key.bytes, sizeof t.fingerprint);
    return t;
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, begin, end)
#define CLOSED(test)   cmocka_unit_test_setup_teardown(test, begin_closed, end)

#endif
