/* A whole place in memory: a data directory with records, log and acts, open. Takes milliseconds,
 * so that any room can have tests that stand on one. (In TMPDIR where that is set: a directory of
 * the suite's own, which should be in memory too.) */
#ifndef OBHUT_TEST_PLACE_H
#define OBHUT_TEST_PLACE_H

#include "once.h"
#include "test.h"

#include <obhut/acts.h>
#include <obhut/audit.h>
#include <obhut/crypto.h>
#include <obhut/records/token.h>
#include <obhut/store.h>

#include <ftw.h>
#include <unistd.h>

typedef struct memory_place {
    char dir[256];
    ob_store *store;
    ob_audit *audit;
    ob_acts *acts;
} memory_place;

#define MUST(call)                                                                                 \
    do {                                                                                           \
        ob_error err_ = {0};                                                                       \
        if (call)                                                                                  \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, err_.text);                                  \
    } while (0)

static inline void memory_place_open(memory_place *p)
{
    const ob_audit_options options = {.dir = p->dir};
    MUST(ob_store_open(&p->store, p->dir, NULL, &err_));
    MUST(ob_audit_open(&p->audit, &options, &err_));
    MUST(ob_acts_open(&p->acts, p->store, p->audit, p->dir, &err_));
}

static inline void memory_place_close(memory_place *p)
{
    ob_acts_close(p->acts);
    MUST(ob_audit_close(p->audit, &err_));
    ob_store_close(p->store);
}

static inline int memory_place_begin(void **state)
{
    memory_place *p = calloc(1, sizeof *p);
    const char *where = getenv("TMPDIR"), *memory = "/dev/shm";
    assert_non_null(p);
    MUST(ob_crypto_start(&err_));
    if (!where)
        where = access(memory, W_OK) ? "/tmp" : memory;
    snprintf(p->dir, sizeof p->dir, "%.200s/obhut-place-XXXXXX", where);
    assert_non_null(mkdtemp(p->dir));
    memory_place_open(p);
    *state = p;
    return 0;
}

static inline int memory_place_remove(const char *path, const struct stat *info, int kind,
                                      struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static inline int memory_place_end(void **state)
{
    memory_place *p = *state;
    memory_place_close(p);
    assert_int_equal(nftw(p->dir, memory_place_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(p);
    return 0;
}

/* A token that nobody has the secret of: a record, for acts that need one to make. */
static inline ob_status place_token_add(ob_writing *w, const char *name, ob_error *err)
{
    ob_token token = {.surfaces = 1, .scopes = 1, .made_at = 1};
    snprintf(token.name, sizeof token.name, "%s", name);
    ob_random(token.fingerprint, sizeof token.fingerprint);
    return ob_store_token_add(w, &token, err);
}

/* Whether the records hold a token of this name. */
static inline bool has_token(memory_place *p, const char *name)
{
    ob_token *all = NULL;
    size_t count = 0;
    bool found = false;
    MUST(READS(p->store, &err_, ob_store_tokens(&all, &count, view, &err_)));
    for (size_t i = 0; i < count; i++)
        found |= !strcmp(all[i].name, name);
    free(all);
    return found;
}

#define IN_MEMORY(test) cmocka_unit_test_setup_teardown(test, memory_place_begin, memory_place_end)

#endif
