/* Walks one scenario that touches the records, letting the 1st, 2nd, 3rd, … allocation, call of a
 * file or packet to a server fail, until it passes without a fault. Whatever fails: a clear error
 * or success, nothing half done, and what was acknowledged is there when the store is opened again.
 *
 * tests/store/test_records.py runs it; allocations and packets fail with tests/fault/preload.c
 * loaded. */
#include "../fault/walk.h"
#include "../unit/store_test.h"

#include <obhut/records/gateway.h>
#include <obhut/records/verdict.h>

#include <unistd.h>

/* What was acknowledged, and what is unknown. */
typedef struct notes {
    unsigned pairs;       /* acknowledged, numbered from 0 */
    bool pair_is_unknown; /* the one after them */
    unsigned verdicts;    /* acknowledged */
    bool verdict_is_unknown;
    bool failed; /* anything */
} notes;

static bool fine(notes *n, ob_status status, const ob_error *err)
{
    if (!status)
        return true;
    if (err->status != status || strlen(err->text) < 10 || strchr(err->text, '\n'))
        fail_msg("an error without a clear sentence: %d \"%s\"", status, err->text);
    n->failed = true;
    return false;
}

static bool is_unknown(const ob_error *err)
{
    return strstr(err->text, "unknown") != NULL;
}

/* A token and a gateway that belong together. */
static ob_status add_pair(ob_store *store, unsigned number, ob_error *err)
{
    char name[20];
    snprintf(name, sizeof name, "pair%u", number);
    ob_token t = token_of(name, number);
    ob_gateway g = {.kind = "pict-rs"};
    snprintf(g.name, sizeof g.name, "%s", name);
    memcpy(g.fingerprint, t.fingerprint, sizeof g.fingerprint);
    ob_status status = open_writing(store, err);
    if (status)
        return status;
    status = WRITES(store, err, ob_store_token_add(w, &t, err));
    if (!status)
        status = WRITES(store, err, ob_store_gateway_add(w, &g, err));
    return end_writing(status, err);
}

/* What a dump says at its end, and how many lines it had. */
typedef struct dumped {
    unsigned long lines;
    char line[64]; /* the beginning of the last one */
    size_t length;
} dumped;

static ob_status count_lines(void *context, const void *bytes, size_t size, ob_error *err)
{
    dumped *d = context;
    (void)err;
    for (size_t i = 0; i < size; i++) {
        char c = ((const char *)bytes)[i];
        if (!d->length)
            memset(d->line, 0, sizeof d->line);
        if (c != '\n' && d->length < sizeof d->line - 1)
            d->line[d->length++] = c;
        if (c == '\n') {
            d->lines++;
            d->length = 0;
        }
    }
    return OB_OK;
}

/* A dump that says that it is whole has as many rows as it says. */
static void dump(place *p, notes *n)
{
    ob_error err = {0};
    dumped d = {0};
    ob_status status = READS(p->store, &err, ob_store_dump(view, count_lines, &d, &err));
    fine(n, status, &err);
    if (status)
        return;
    char expected[64];
    snprintf(expected, sizeof expected, "{\"rows\":%lu}", d.lines - 2);
    assert_string_equal(d.line, expected);
}

static void scenario(place *p, notes *n)
{
    ob_error err = {0};
    ob_token *tokens = NULL;
    ob_verdict v = {.account = key_of(1), .reason = "Grüße", .at = 1};
    int64_t id = 0;
    size_t count = 0;
    if (!fine(n, ob_store_open(&p->store, p->dir, p->url, &err), &err))
        return;
    for (unsigned i = 0; i < 2; i++) {
        ob_status status = add_pair(p->store, n->pairs, &err);
        if (fine(n, status, &err))
            n->pairs++;
        else if (is_unknown(&err)) {
            n->pair_is_unknown = true;
            break;
        }
        ob_status added = n->verdict_is_unknown
                              ? OB_EIO
                              : WRITES(p->store, &err, ob_store_verdict_add(&id, w, &v, &err));
        if (!added)
            n->verdicts++;
        else if (!n->verdict_is_unknown && !fine(n, added, &err))
            n->verdict_is_unknown = is_unknown(&err);
    }
    if (fine(n, READS(p->store, &err, ob_store_tokens(&tokens, &count, view, &err)), &err)) {
        if (count != n->pairs && !n->pair_is_unknown)
            fail_msg("%zu tokens, %u pairs", count, n->pairs);
        free(tokens);
    }
    dump(p, n);
    close_store(p);
}

/* Without faults: all that was acknowledged, no half of anything. */
static void check(place *p, const notes *n, unsigned long at)
{
    ob_error err = {0};
    ob_token *tokens = NULL;
    ob_gateway *gateways = NULL;
    ob_verdict *verdicts = NULL;
    size_t token_count = 0, gateway_count = 0, verdict_count = 0;
    close_store(p);
    open_store(p);
    must(READS(p->store, &err, ob_store_tokens(&tokens, &token_count, view, &err)), &err);
    must(READS(p->store, &err, ob_store_gateways(&gateways, &gateway_count, view, &err)), &err);
    must(READS(p->store, &err, ob_store_verdicts(&verdicts, &verdict_count, view, 100, &err)),
         &err);
    if (token_count != gateway_count)
        fail_msg("fault %lu: half a pair", at);
    if (token_count < n->pairs || token_count > n->pairs + n->pair_is_unknown)
        fail_msg("fault %lu: %zu pairs, %u acknowledged", at, token_count, n->pairs);
    if (verdict_count < n->verdicts || verdict_count > n->verdicts + n->verdict_is_unknown)
        fail_msg("fault %lu: %zu verdicts, %u acknowledged", at, verdict_count, n->verdicts);
    free(tokens);
    free(gateways);
    free(verdicts);
}

/* Nothing at all; a PostgreSQL whose tables may stay is only emptied, which is faster. */
static void make_fresh(place *p, bool keeps_tables)
{
    static const char *const files[] = {"obhut.db", "obhut.db-wal", "obhut.db-shm", "records",
                                        "records.new"};
    char path[100];
    close_store(p);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", p->dir, files[i]);
        unlink(path);
    }
    if (p->url && keeps_tables)
        outside(p, "DELETE FROM token; DELETE FROM gateway; DELETE FROM verdict");
    else
        empty_database(p);
}

/* One fault; returns whether it happened. */
static bool walk_one(place *p, walk_kind kind, unsigned long at, bool from_then_on, bool is_fresh)
{
    notes n = {0};
    ob_error err = {0};
    make_fresh(p, !is_fresh);
    if (!is_fresh) {
        open_store(p);
        must(add_pair(p->store, 0, &err), &err);
        n.pairs = 1;
        close_store(p);
    }
    walk_arm(kind, at, from_then_on);
    scenario(p, &n);
    unsigned long calls = walk_disarm();
    check(p, &n, at);
    if (calls < at && n.failed)
        fail_msg("without a fault it failed");
    return calls >= at;
}

static void walk(place *p, walk_kind kind, bool from_then_on, bool is_fresh)
{
    uint64_t most = test_samples("OBHUT_FAULTS", UINT64_MAX) / (p->url && is_fresh ? 5 : 1);
    unsigned long total = 0;
    notes n = {0};
    make_fresh(p, false);
    if (!is_fresh) {
        open_store(p);
        close_store(p);
    }
    walk_arm(kind, ~0UL, false); /* how many there are */
    scenario(p, &n);
    total = walk_disarm();
    assert_false(n.failed);
    test_random r = test_sampled(1 + (uint64_t)kind + 2 * from_then_on);
    for (unsigned long i = 1; i <= total && i <= most; i++)
        walk_one(p, kind, total <= most ? i : 1 + test_below(&r, total), from_then_on, is_fresh);
    assert_false(walk_one(p, kind, total + 1000, from_then_on, is_fresh));
    print_message("# %lu calls\n", total);
}

static void no_memory_once(void **state)
{
    walk(*state, WALK_ALLOC, false, false);
}

static void no_memory_from_then_on(void **state)
{
    walk(*state, WALK_ALLOC, true, false);
}

static void no_memory_while_it_is_made(void **state)
{
    walk(*state, WALK_ALLOC, false, true);
}

static void a_packet_that_is_lost(void **state)
{
    walk(*state, WALK_SEND, false, false);
}

static void packets_that_are_lost_from_then_on(void **state)
{
    walk(*state, WALK_SEND, true, false);
}

static void a_packet_that_is_lost_while_it_is_made(void **state)
{
    walk(*state, WALK_SEND, false, true);
}

static void a_disk_that_is_full_once(void **state)
{
    walk(*state, WALK_CHANGE, false, false);
}

static void a_disk_that_is_full_from_then_on(void **state)
{
    walk(*state, WALK_CHANGE, true, false);
}

static void a_disk_that_is_full_while_it_is_made(void **state)
{
    walk(*state, WALK_CHANGE, false, true);
}

static void a_disk_that_is_broken_once(void **state)
{
    walk(*state, WALK_FILE, false, false);
}

static void a_disk_that_is_broken_from_then_on(void **state)
{
    walk(*state, WALK_FILE, true, false);
}

static void a_disk_that_is_broken_while_it_is_made(void **state)
{
    walk(*state, WALK_FILE, false, true);
}

int main(void)
{
    const struct CMUnitTest memory[] = {
        CLOSED(no_memory_once),
        CLOSED(no_memory_from_then_on),
        CLOSED(no_memory_while_it_is_made),
    };
    const struct CMUnitTest packets[] = {
        CLOSED(a_packet_that_is_lost),
        CLOSED(packets_that_are_lost_from_then_on),
        CLOSED(a_packet_that_is_lost_while_it_is_made),
    };
    const struct CMUnitTest files[] = {
        CLOSED(a_disk_that_is_full_once),
        CLOSED(a_disk_that_is_full_from_then_on),
        CLOSED(a_disk_that_is_full_while_it_is_made),
        CLOSED(a_disk_that_is_broken_once),
        CLOSED(a_disk_that_is_broken_from_then_on),
        CLOSED(a_disk_that_is_broken_while_it_is_made),
    };
    int failed = 0;
    if (walk_can(WALK_ALLOC))
        failed += cmocka_run_group_tests_name("store_faults_memory", memory, NULL, NULL);
    if (walk_can(WALK_SEND) && getenv("OBHUT_TEST_URL"))
        failed += cmocka_run_group_tests_name("store_faults_packets", packets, NULL, NULL);
    return failed + cmocka_run_group_tests_name("store_faults_files", files, NULL, NULL);
}
