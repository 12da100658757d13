/* Readers against a writer: a view shows one committed state, the one of its first question, and
 * nothing that was half done or undone. Steps in a random order are compared with a model that has
 * no readers and no writers, only states. */
#include "store_test.h"

#include <pthread.h>
#include <stdatomic.h>

enum { TOKENS = 6, VIEWS = 4, STEPS = 24 };

/* What the records are as a whole. */
typedef struct records_state {
    int64_t reaped, scrubbed;
    unsigned tokens; /* bit t: token t is there */
} records_state;

typedef struct model {
    records_state committed, writing, part; /* part: before the part began */
    bool in_part;
    struct {
        ob_view *view;
        bool has_asked;
        records_state shows;
    } views[VIEWS];
} model;

/* ---- Steps ------------------------------------------------------------------------------------
 */

static records_state read_state(ob_view *view)
{
    records_state s = {0};
    ob_error err = {0};
    ob_token *all = NULL;
    size_t count = 0;
    must(ob_store_mark(&s.reaped, view, OB_MARK_REAPED, &err), &err);
    must(ob_store_tokens(&all, &count, view, &err), &err);
    for (size_t i = 0; i < count; i++)
        s.tokens |= 1u << (all[i].name[1] - '0');
    free(all);
    must(ob_store_mark(&s.scrubbed, view, OB_MARK_SCRUBBED, &err), &err);
    return s;
}

static void expect(const records_state *is, const records_state *should, const char *what,
                   uint64_t seed)
{
    if (is->reaped != should->reaped || is->scrubbed != should->scrubbed ||
        is->tokens != should->tokens)
        fail_msg("seed %llu: %s shows %lld %lld %x, not %lld %lld %x", (unsigned long long)seed,
                 what, (long long)is->reaped, (long long)is->scrubbed, is->tokens,
                 (long long)should->reaped, (long long)should->scrubbed, should->tokens);
}

static void change(model *m, ob_writing *w, test_random *r)
{
    ob_error err = {0};
    const unsigned t = (unsigned)test_below(r, TOKENS);
    const int64_t number = (int64_t)test_below(r, 1000);
    char name[3] = {'t', (char)('0' + t), '\0'};
    switch (test_below(r, 3)) {
    case 0:
        must(ob_store_mark_set(w, OB_MARK_REAPED, number, &err), &err);
        m->writing.reaped = number;
        return;
    case 1:
        must(ob_store_mark_set(w, OB_MARK_SCRUBBED, number, &err), &err);
        m->writing.scrubbed = number;
        return;
    default:
        if (m->writing.tokens >> t & 1) {
            must(ob_store_token_remove(w, name, &err), &err);
        } else {
            ob_token token = token_of(name, t);
            must(ob_store_token_add(w, &token, &err), &err);
        }
        m->writing.tokens ^= 1u << t;
    }
}

static void end_part(model *m, ob_writing *w, bool keeps)
{
    ob_error err = {0};
    ob_status wanted = keeps ? OB_OK : OB_EREFUSED;
    assert_int_equal(ob_writing_part_end(w, wanted, &err), wanted);
    m->in_part = false;
    if (!keeps)
        m->writing = m->part;
}

static void end_whole(model *m, ob_writing **w, bool keeps)
{
    ob_error err = {0};
    ob_status wanted = keeps ? OB_OK : OB_EREFUSED;
    if (m->in_part)
        end_part(m, *w, true);
    if (ob_writing_end(*w, wanted, &err) != wanted)
        fail_msg("%s", err.text);
    *w = NULL;
    if (keeps)
        m->committed = m->writing;
}

static void write_step(model *m, ob_store *store, ob_writing **w, test_random *r)
{
    ob_error err = {0};
    if (!*w) {
        must(ob_writing_begin(w, store, &err), &err);
        m->writing = m->committed;
        return;
    }
    switch (test_below(r, 6)) {
    case 0:
        end_whole(m, w, test_below(r, 4) != 0);
        return;
    case 1:
        if (m->in_part) {
            end_part(m, *w, test_below(r, 2));
        } else {
            must(ob_writing_part(*w, &err), &err);
            m->part = m->writing;
            m->in_part = true;
        }
        return;
    default:
        change(m, *w, r);
    }
}

static void view_step(model *m, ob_store *store, test_random *r, uint64_t seed)
{
    ob_error err = {0};
    const size_t v = test_below(r, VIEWS);
    if (!m->views[v].view) {
        must(ob_view_open(&m->views[v].view, store, &err), &err);
        m->views[v].has_asked = false;
    } else if (test_below(r, 4)) {
        if (!m->views[v].has_asked)
            m->views[v].shows = m->committed;
        m->views[v].has_asked = true;
        records_state is = read_state(m->views[v].view);
        expect(&is, &m->views[v].shows, "a view", seed);
    } else {
        ob_view_close(m->views[v].view);
        m->views[v].view = NULL;
    }
}

static void interleave(model *m, ob_store *store, uint64_t seed)
{
    test_random r = {seed};
    ob_writing *w = NULL;
    for (int i = 0; i < STEPS; i++) {
        if (test_below(&r, 2))
            view_step(m, store, &r, seed);
        else
            write_step(m, store, &w, &r);
        if (w && !test_below(&r, 8)) {
            records_state is = read_state(ob_writing_view(w));
            expect(&is, &m->writing, "the writing", seed);
        }
    }
    if (w)
        end_whole(m, &w, true);
    for (int v = 0; v < VIEWS; v++) {
        ob_view_close(m->views[v].view);
        m->views[v].view = NULL;
    }
}

static void a_view_shows_one_committed_state_whatever_is_written(void **state)
{
    place *p = *state;
    const char *asked = getenv("OBHUT_INTERLEAVINGS");
    const uint64_t most = asked ? strtoull(asked, NULL, 10) : 2000;
    model m = {.committed = {.reaped = -1, .scrubbed = -1}};
    for (uint64_t seed = 1; seed <= most; seed++)
        interleave(&m, p->store, seed);
    print_message("# %llu interleavings\n", (unsigned long long)most);
    open_again(p);
    ob_view *view = NULL;
    ob_error err = {0};
    must(ob_view_open(&view, p->store, &err), &err);
    records_state is = read_state(view);
    expect(&is, &m.committed, "the store", 0);
    ob_view_close(view);
}

/* ---- Threads ----------------------------------------------------------------------------------
 */

typedef struct race {
    ob_store *store;
    atomic_llong acknowledged; /* how far the writer got */
    atomic_bool over;
} race;

/* Whatever was acknowledged before a view began, it shows; and both marks are of one writing. */
static void *read_on(void *argument)
{
    race *c = argument;
    while (!atomic_load(&c->over)) {
        const int64_t least = atomic_load(&c->acknowledged);
        int64_t one = 0, other = 0;
        ob_view *view = NULL;
        ob_error err = {0};
        must(ob_view_open(&view, c->store, &err), &err);
        must(ob_store_mark(&one, view, OB_MARK_REAPED, &err), &err);
        must(ob_store_mark(&other, view, OB_MARK_SCRUBBED, &err), &err);
        ob_view_close(view);
        if (one != other || one < least)
            fail_msg("%lld and %lld, and %lld was acknowledged", (long long)one, (long long)other,
                     (long long)least);
    }
    return NULL;
}

static void what_was_acknowledged_is_seen_by_every_view_that_begins_afterwards(void **state)
{
    enum { READERS = 4, ROUNDS = 300 };
    place *p = *state;
    race c = {.store = p->store};
    pthread_t readers[READERS];
    ob_error err = {0};
    for (int64_t i = 0; i <= ROUNDS; i++) {
        ob_writing *w = NULL;
        must(ob_writing_begin(&w, p->store, &err), &err);
        must(ob_store_mark_set(w, OB_MARK_REAPED, i, &err), &err);
        must(ob_store_mark_set(w, OB_MARK_SCRUBBED, i, &err), &err);
        must(ob_writing_end(w, OB_OK, &err), &err);
        atomic_store(&c.acknowledged, i);
        for (int r = 0; r < READERS && !i; r++)
            assert_int_equal(pthread_create(&readers[r], NULL, read_on, &c), 0);
    }
    atomic_store(&c.over, true);
    for (int r = 0; r < READERS; r++)
        pthread_join(readers[r], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_view_shows_one_committed_state_whatever_is_written),
        IN_PLACE(what_was_acknowledged_is_seen_by_every_view_that_begins_afterwards),
    };
    return cmocka_run_group_tests_name("store_views", tests, NULL, NULL);
}
