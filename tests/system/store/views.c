/* Readers beside the one who writes: random steps of both, held against a model that has one state
 * after the other. */
#include "store_test.h"

#include <obhut/records/conversation.h>
#include <obhut/records/log.h>
#include <obhut/records/verdict.h>

/* ---- The model ------------------------------------------------------------------------------- */

enum {
    TOKENS = 4,
    SHOWN = 4, /* verdicts that are looked at, the newest */
    CONVERSATIONS = 2,
    ACCOUNTS = 4,
    READERS = 4,
    STEPS = 32, /* of an interleaving */
};

/* All that the model knows of the records. Masks: bit n is token, account or verdict n. */
typedef struct state {
    int64_t tokens;
    int64_t verdicts, overturned; /* how many there are; of those shown, from the newest */
    int64_t members[CONVERSATIONS], consenting[CONVERSATIONS]; /* members -1: there is none */
    int64_t marks[OB_COUNTERS];
} state;

typedef struct reader {
    ob_view *view;
    bool asked;
    state at; /* the records at the instant of the first question */
} reader;

typedef struct interleaving {
    place *p;
    test_random r;
    uint64_t number;
    unsigned step;
    state committed;
    reader readers[READERS];
    ob_writing *w;
    bool failed; /* nothing follows in the writing */
    state now;   /* with what was changed in it */
    bool in_part, part_failed;
    state before_part;
} interleaving;

#define CHECK(i, condition, ...)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("interleaving %llu (of the seed %d), step %u: %s\n",                       \
                        (unsigned long long)(i)->number, SEED, (i)->step, #condition);             \
            fail_msg(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)

enum { SEED = 20011 };

static state first_state(void)
{
    state s = {.tokens = 0};
    for (int n = 0; n < CONVERSATIONS; n++)
        s.members[n] = -1;
    for (int n = 0; n < OB_COUNTERS; n++)
        s.marks[n] = -1;
    return s;
}

static const char *token_name(unsigned n)
{
    static const char *const names[TOKENS] = {"a", "b", "c", "d"};
    return names[n];
}

/* ---- Questions ------------------------------------------------------------------------------- */

static void see_tokens(interleaving *i, ob_view *view, const state *expected)
{
    ob_token *all = NULL;
    size_t count = 0;
    ob_error err = {0};
    int64_t seen = 0;
    must(ob_store_tokens(&all, &count, view, &err), &err);
    for (size_t k = 0; k < count; k++)
        seen |= 1 << (all[k].name[0] - 'a');
    free(all);
    CHECK(i, seen == expected->tokens, "tokens %llx, not %llx", (unsigned long long)seen,
          (unsigned long long)expected->tokens);
}

static void see_verdicts(interleaving *i, ob_view *view, const state *expected)
{
    ob_verdict *all = NULL;
    size_t count = 0;
    ob_error err = {0};
    int64_t overturned = 0, newest;
    must(ob_store_verdicts(&all, &count, view, SHOWN, &err), &err);
    for (size_t k = 0; k < count; k++)
        overturned |= (int64_t)(all[k].overturned_at != 0) << k;
    newest = count ? all[0].id : 0;
    free(all);
    CHECK(i, newest == expected->verdicts && overturned == expected->overturned,
          "verdict %lld, overturned %llx; not %lld, %llx", (long long)newest,
          (unsigned long long)overturned, (long long)expected->verdicts,
          (unsigned long long)expected->overturned);
}

static void see_conversation(interleaving *i, ob_view *view, const state *expected, unsigned n)
{
    ob_conversation c = {.members = 0};
    ob_record_key id = key_of(n);
    bool found;
    ob_error err = {0};
    must(ob_store_conversation(&found, &c, view, &id, &err), &err);
    CHECK(i, found == (expected->members[n] != -1), "conversation %u", n);
    if (found)
        CHECK(i,
              (int)c.members == __builtin_popcountll((unsigned long long)expected->members[n]) &&
                  (int)c.consenting ==
                      __builtin_popcountll((unsigned long long)expected->consenting[n]),
              "conversation %u: %u members, %u consent", n, c.members, c.consenting);
}

static unsigned account_of(const ob_record_key *key)
{
    unsigned n = 0;
    while (n < ACCOUNTS) {
        ob_record_key one = key_of(100 + n);
        if (!memcmp(&one, key, sizeof one))
            break;
        n++;
    }
    return n;
}

static void see_members(interleaving *i, ob_view *view, const state *expected, unsigned n)
{
    ob_member *all = NULL;
    size_t count = 0;
    ob_record_key id = key_of(n);
    ob_error err = {0};
    int64_t members = 0, consenting = 0;
    must(ob_store_members(&all, &count, view, &id, &err), &err);
    for (size_t k = 0; k < count; k++) {
        members |= 1 << account_of(&all[k].account);
        consenting |= (int64_t)all[k].consents << account_of(&all[k].account);
    }
    free(all);
    CHECK(i,
          members == (expected->members[n] == -1 ? 0 : expected->members[n]) &&
              consenting == expected->consenting[n],
          "conversation %u: members %llx, consenting %llx", n, (unsigned long long)members,
          (unsigned long long)consenting);
}

static void see_mark(interleaving *i, ob_view *view, const state *expected, unsigned n)
{
    int64_t seen;
    ob_error err = {0};
    must(ob_store_counter(&seen, view, (ob_counter)n, &err), &err);
    CHECK(i, seen == expected->marks[n], "mark %u: %lld, not %lld", n, (long long)seen,
          (long long)expected->marks[n]);
}

static void see_something(interleaving *i, ob_view *view, const state *expected)
{
    const unsigned n = (unsigned)test_below(&i->r, CONVERSATIONS);
    switch (test_below(&i->r, 5)) {
    case 0:
        see_tokens(i, view, expected);
        break;
    case 1:
        see_verdicts(i, view, expected);
        break;
    case 2:
        see_conversation(i, view, expected, n);
        break;
    case 3:
        see_members(i, view, expected, n);
        break;
    default:
        see_mark(i, view, expected, (unsigned)test_below(&i->r, OB_COUNTERS));
    }
}

static void see_everything(interleaving *i, ob_view *view, const state *expected)
{
    see_tokens(i, view, expected);
    see_verdicts(i, view, expected);
    for (unsigned n = 0; n < CONVERSATIONS; n++) {
        see_conversation(i, view, expected, n);
        see_members(i, view, expected, n);
    }
    for (unsigned n = 0; n < OB_COUNTERS; n++)
        see_mark(i, view, expected, n);
}

/* ---- Changes --------------------------------------------------------------------------------- */

/* Each does something, says in `s` what it should have done, and in *expected what it should have
 * returned. */
typedef ob_status change(ob_status *expected, state *s, interleaving *i, ob_error *err);

static ob_status change_token(ob_status *expected, state *s, interleaving *i, ob_error *err)
{
    unsigned n = (unsigned)test_below(&i->r, TOKENS);
    const bool there = s->tokens >> n & 1;
    /* seldom what cannot be: one that is there already, or is not */
    if (there != (test_below(&i->r, 16) == 0)) {
        *expected = there ? OB_OK : OB_ENOTFOUND;
        s->tokens &= ~(INT64_C(1) << n);
        return ob_store_token_remove(i->w, token_name(n), err);
    }
    const ob_token token = token_of(token_name(n), n);
    *expected = there ? OB_EINVAL : OB_OK;
    s->tokens |= INT64_C(1) << n;
    return ob_store_token_add(i->w, &token, err);
}

static ob_status add_verdict(ob_status *expected, state *s, interleaving *i, ob_error *err)
{
    int64_t id = 0;
    const ob_verdict verdict = {
        .account = key_of(100), .reason = "r", .proposed_by = "p", .confirmed_by = "c", .at = 1};
    ob_status status = ob_store_verdict_add(&id, i->w, &verdict, err);
    *expected = OB_OK;
    s->verdicts++;
    s->overturned = s->overturned << 1 & ((1 << SHOWN) - 1);
    if (!status) /* numbers of what was undone are given out again */
        CHECK(i, id == s->verdicts, "verdict %lld, not %lld", (long long)id,
              (long long)s->verdicts);
    return status;
}

static ob_status overturn_verdict(ob_status *expected, state *s, interleaving *i, ob_error *err)
{
    int64_t back = (int64_t)test_below(&i->r, SHOWN);
    const bool stands = back < s->verdicts && !(s->overturned >> back & 1);
    if (!stands && test_below(&i->r, 8))
        return add_verdict(expected, s, i, err);
    *expected = stands ? OB_OK : OB_ENOTFOUND;
    s->overturned |= INT64_C(1) << back;
    return ob_store_verdict_overturn(i->w, s->verdicts - back, "o", 2, err);
}

static ob_status set_conversation(ob_status *expected, state *s, interleaving *i, ob_error *err)
{
    unsigned n = (unsigned)test_below(&i->r, CONVERSATIONS);
    ob_member members[ACCOUNTS];
    size_t count = 0;
    const ob_conversation c = {.id = key_of(n), .is_free = true, .changed_at = 1};
    s->members[n] = (int64_t)test_below(&i->r, 1 << ACCOUNTS);
    s->consenting[n] = s->members[n] & (int64_t)test_next(&i->r);
    for (unsigned a = 0; a < ACCOUNTS; a++)
        if (s->members[n] >> a & 1)
            members[count++] = (ob_member){key_of(100 + a), s->consenting[n] >> a & 1};
    *expected = OB_OK;
    return ob_store_conversation_set(i->w, &c, members, count, err);
}

static ob_status remove_conversation(ob_status *expected, state *s, interleaving *i, ob_error *err)
{
    unsigned n = (unsigned)test_below(&i->r, CONVERSATIONS);
    const ob_record_key id = key_of(n);
    if (s->members[n] == -1 && test_below(&i->r, 8))
        return set_conversation(expected, s, i, err);
    *expected = s->members[n] == -1 ? OB_ENOTFOUND : OB_OK;
    s->members[n] = -1;
    s->consenting[n] = 0;
    return ob_store_conversation_remove(i->w, &id, err);
}

static ob_status withdraw(ob_status *expected, state *s, interleaving *i, ob_error *err)
{
    unsigned a = (unsigned)test_below(&i->r, ACCOUNTS);
    uint64_t changed = 0, had = 0;
    const ob_record_key account = key_of(100 + a);
    for (int n = 0; n < CONVERSATIONS; n++) {
        had += s->consenting[n] >> a & 1;
        s->consenting[n] &= ~(INT64_C(1) << a);
    }
    *expected = OB_OK;
    ob_status status = ob_store_consent_withdraw(&changed, i->w, &account, 2, err);
    if (!status)
        CHECK(i, changed == had, "withdrawn in %llu", (unsigned long long)changed);
    return status;
}

static ob_status set_mark(ob_status *expected, state *s, interleaving *i, ob_error *err)
{
    unsigned n = (unsigned)test_below(&i->r, OB_COUNTERS);
    s->marks[n] = (int64_t)(test_next(&i->r) >> 2);
    *expected = OB_OK;
    return ob_store_counter_set(i->w, (ob_counter)n, s->marks[n], err);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static bool nothing_follows(const interleaving *i)
{
    return i->failed || (i->in_part && i->part_failed);
}

static void change_something(interleaving *i)
{
    static change *const changes[] = {change_token,        add_verdict, overturn_verdict,
                                      set_conversation,    set_mark,    withdraw,
                                      remove_conversation, set_mark};
    state then = i->now;
    ob_status expected = OB_OK;
    ob_error err = {0};
    change *one = changes[test_below(&i->r, sizeof changes / sizeof *changes)];
    ob_status status = one(&expected, &then, i, &err);
    if (nothing_follows(i)) {
        CHECK(i, status, "it was done, though what was before it had failed");
        return;
    }
    CHECK(i, status == expected, "%d, not %d: %s", status, expected, err.text);
    if (!status)
        i->now = then;
    else if (i->in_part)
        i->part_failed = true;
    else
        i->failed = true;
}

static void begin_writing(interleaving *i)
{
    ob_error err = {0};
    must(ob_writing_begin(&i->w, i->p->store, &err), &err);
    i->now = i->committed;
    i->failed = false;
}

static void end_part(interleaving *i)
{
    ob_error err = {0};
    const ob_status so_far = test_below(&i->r, 3) ? OB_OK : OB_EREFUSED;
    ob_status status = ob_writing_part_end(i->w, so_far, &err);
    const bool kept = !so_far && !i->part_failed;
    CHECK(i, so_far ? status == so_far : !status == kept, "%d: %s", status, err.text);
    if (!kept)
        i->now = i->before_part;
    i->in_part = false;
}

static void begin_part(interleaving *i)
{
    ob_error err = {0};
    ob_status status = ob_writing_part(i->w, &err);
    CHECK(i, !status == !i->failed, "%d: %s", status, err.text);
    i->in_part = !status;
    i->part_failed = false;
    i->before_part = i->now;
}

static void end_the_writing(interleaving *i)
{
    ob_error err = {0};
    if (i->in_part)
        end_part(i);
    const ob_status so_far = test_below(&i->r, 4) ? OB_OK : OB_EREFUSED;
    ob_status status = ob_writing_end(i->w, so_far, &err);
    const bool kept = !so_far && !i->failed;
    CHECK(i, so_far ? status == so_far : !status == kept, "%d: %s", status, err.text);
    if (kept)
        i->committed = i->now;
    i->w = NULL;
}

static void write_something(interleaving *i)
{
    const uint64_t what = test_below(&i->r, 10);
    if (!i->w)
        begin_writing(i);
    else if (what == 0)
        end_the_writing(i);
    else if (what == 1 && nothing_follows(i))
        CHECK(i, ob_store_tokens(&(ob_token *){NULL}, &(size_t){0}, ob_writing_view(i->w), NULL),
              "it was answered, though what was before it had failed");
    else if (what <= 2 && !nothing_follows(i))
        see_something(i, ob_writing_view(i->w), &i->now);
    else if (what <= 4)
        i->in_part ? end_part(i) : begin_part(i);
    else
        change_something(i);
}

static void read_something(interleaving *i)
{
    ob_error err = {0};
    reader *one = &i->readers[test_below(&i->r, READERS)];
    if (!one->view) {
        must(ob_view_open(&one->view, i->p->store, &err), &err);
        one->asked = false;
    } else if (!test_below(&i->r, 8)) {
        ob_view_close(one->view);
        one->view = NULL;
    } else {
        if (!one->asked)
            one->at = i->committed;
        one->asked = true;
        see_something(i, one->view, &one->at);
    }
}

static void close_all(interleaving *i)
{
    if (i->w)
        end_the_writing(i);
    for (int n = 0; n < READERS; n++) {
        ob_view_close(i->readers[n].view);
        i->readers[n].view = NULL;
    }
}

static void see_all(interleaving *i)
{
    ob_error err = {0};
    must(ob_view_open(&i->readers[0].view, i->p->store, &err), &err);
    see_everything(i, i->readers[0].view, &i->committed);
    ob_view_close(i->readers[0].view);
    i->readers[0].view = NULL;
}

static void a_view_shows_one_committed_state_and_a_writing_its_own(void **state)
{
    enum { SEEN_AS_A_WHOLE = 10, OPENED_AGAIN = 500 }; /* every so many */
    interleaving i = {.p = *state, .r = {SEED}, .committed = first_state()};
    const uint64_t many = test_samples("OBHUT_INTERLEAVINGS", 3000);
    for (; i.number < many; i.number++) {
        for (i.step = 0; i.step < STEPS; i.step++)
            test_below(&i.r, 2) ? write_something(&i) : read_something(&i);
        close_all(&i);
        if (i.number % SEEN_AS_A_WHOLE == SEEN_AS_A_WHOLE - 1)
            see_all(&i);
        if (i.number % OPENED_AGAIN == OPENED_AGAIN - 1)
            open_again(i.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_view_shows_one_committed_state_and_a_writing_its_own),
    };
    return cmocka_run_group_tests_name("store_views", tests, NULL, NULL);
}
