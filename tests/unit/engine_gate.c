/* The engine and the gate over real records, with laws of the test's own: what is allowed, what is
 * not, and what happens when it changes in the middle. */
#include "test.h"

#include "engine_priv.h"

#include <obhut/crypto.h>
#include <obhut/staff.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Laws, in the place of those that are built in
 * ------------------------------------------------- */

enum { EVERYTHING = 0x7FFFFFFF };

#define LAW(name, which)                                                                           \
    {                                                                                              \
        .id = name, .title = name, .kind = which, .status = OB_STATUS_IN_FORCE, .from = INT64_MIN, \
        .until = INT64_MAX, .dates_article = "Art. 9", .countries = "", .displaces = "",           \
        .services = EVERYTHING, .surfaces = EVERYTHING, .encryptions = EVERYTHING,                 \
        .scope_article = "Art. 8", .basis_article = {"1", "1", "1", "1", "1", "1", "1", "1"},      \
        .detectors = {OB_PERMISSION_YES, OB_PERMISSION_YES, OB_PERMISSION_YES},                    \
        .order_article = "Art. 7", .report_article = "Art. 6"                                      \
    }

static ob_regime laws[] = {
    LAW("eu-dsa", OB_REGIME_RULE),           /* the house rule of a fresh directory */
    LAW("rule", OB_REGIME_RULE),             /* of AA and BB */
    LAW("derogation", OB_REGIME_DEROGATION), /* of AA: displaces "rule" for own initiative */
    LAW("stricter", OB_REGIME_RULE),         /* of BB: knows public only */
    LAW("orders", OB_REGIME_RULE),           /* of CC */
};
enum { DSA, RULE, DEROGATION, STRICTER, ORDERS, LAWS };

const ob_regimes *ob_law_regimes(void)
{
    static const ob_regimes all = {laws, LAWS};
    return &all;
}

const uint8_t ob_law_regimes_digest[32], ob_law_floor_digest[32];
const int64_t ob_law_built_at = 1;
const ob_method_spec ob_law_methods[OB_METHODS] = {
    [OB_METHOD_DIGESTS] = {OB_DETECTOR_KNOWN, OB_STATE_ON, 10},
    [OB_METHOD_PDQ] = {OB_DETECTOR_KNOWN, OB_STATE_TRIAL, 10}};

static void make_laws(void)
{
    laws[DSA].bases = 1 << OB_BASIS_PUBLIC | 1 << OB_BASIS_NOTICE | 1 << OB_BASIS_REPORT;
    laws[DSA].surfaces = 1 << OB_SURFACE_PUBLIC | 1 << OB_SURFACE_STORAGE;
    laws[DSA].until = INT64_MAX;
    laws[RULE].countries = "AA BB";
    laws[RULE].bases = 1 << OB_BASIS_PUBLIC | 1 << OB_BASIS_CONSENT | 1 << OB_BASIS_REPORT;
    laws[DEROGATION].countries = "AA";
    laws[DEROGATION].displaces = "rule";
    laws[DEROGATION].bases = 1 << OB_BASIS_VOLUNTARY;
    laws[STRICTER].countries = "BB";
    laws[STRICTER].bases = 1 << OB_BASIS_PUBLIC;
    laws[ORDERS].countries = "CC";
    laws[ORDERS].bases = 1 << OB_BASIS_ORDER;
    laws[ORDERS].orderable = 1 << OB_DETECTOR_KNOWN;
    laws[ORDERS].court_only = true;
}

/* ---- A place to work in
 * ----------------------------------------------------------------------------- */

typedef struct place {
    char dir[64];
    ob_lists *lists;
    ob_store *store;
    ob_audit *audit;
    ob_staff *staff;
    ob_engine *engine;
    ob_policy policy;
} place;

/* Also off the main thread, from where cmocka cannot be told. */
static void must(ob_status status, const ob_error *err)
{
    if (!status)
        return;
    printf("# %s\n", err->text);
    fflush(stdout);
    abort();
}

static void open_engine(place *p, unsigned decoders)
{
    ob_error err = {0};
    const ob_engine_options options = {.lists = p->lists,
                                       .store = p->store,
                                       .staff = p->staff,
                                       .policy = &p->policy,
                                       .decoders = decoders,
                                       .searchers = 2,
                                       .queue_most = 4096,
                                       .worker.program = OB_WORKER};
    must(ob_engine_open(&p->engine, &options, &err), &err);
}

static int begin_in(void **state, unsigned decoders)
{
    place *p = calloc(1, sizeof *p);
    ob_error err = {0};
    make_laws();
    p->policy = (ob_policy)OB_POLICY_DEFAULT;
    snprintf(p->dir, sizeof p->dir, "/tmp/obhut-engine-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    must(ob_crypto_start(&err), &err);
    must(ob_lists_own(&p->lists, p->dir, &err), &err);
    must(ob_store_open(&p->store, p->dir, NULL, &err), &err);
    must(ob_engine_audit(&p->audit, p->dir, NULL, NULL, &err), &err);
    must(ob_staff_open(&p->staff, p->store, p->audit, p->dir, &err), &err);
    open_engine(p, decoders);
    *state = p;
    return 0;
}

static int begin(void **state)
{
    return begin_in(state, 1);
}

static int end(void **state)
{
    place *p = *state;
    char command[128];
    ob_engine_close(p->engine);
    ob_staff_close(p->staff);
    ob_error err = {0};
    must(ob_audit_close(p->audit, &err), &err);
    ob_store_close(p->store);
    ob_lists_close(p->lists);
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

/* Everything that a service can switch on. */
static void set_profile(place *p, const char *country)
{
    ob_error err = {0};
    ob_profile profile = {.service = "example",
                          .kinds = 1 << OB_SERVICE_HOSTING | 1 << OB_SERVICE_INTERPERSONAL,
                          .regime = "eu-dsa",
                          .surfaces = EVERYTHING,
                          .bases = EVERYTHING,
                          .detectors = 1 << OB_DETECTOR_KNOWN,
                          .keeps_register = true};
    snprintf(profile.country, sizeof profile.country, "%s", country);
    must(ob_store_profile_set(p->store, &profile, &err), &err);
}

static ob_record_key key(const char *name)
{
    ob_record_key k = {{0}};
    memcpy(k.bytes, name, strlen(name));
    return k;
}

static ob_item item(ob_surface surface, const char *account)
{
    static int number;
    char name[32];
    snprintf(name, sizeof name, "item %d", __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED));
    ob_item i = {.media = OB_MEDIA_IMAGE,
                 .surface = surface,
                 .encryption = OB_ENCRYPTION_TRANSPORT,
                 .id = key(name)};
    if (account) {
        i.has_account = true;
        i.account = key(account);
        i.has_conversation = true;
        i.conversation = key("talk");
    }
    return i;
}

static ob_gate_decision ask(place *p, const ob_item *i)
{
    ob_gate_decision d;
    ob_error err = {0};
    must(ob_engine_ask(&d, p->engine, i, OB_EVERY_METHOD, &err), &err);
    return d;
}

static const char *answer(place *p, const ob_item *i)
{
    return ob_reason_name(ask(p, i).reason);
}

/* ---- Looking at files
 * ----------------------------------------------------------------------------------- */

typedef struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t more;
    unsigned left;
} waiting;

static void on_done(ob_task *task)
{
    waiting *w = task->context;
    pthread_mutex_lock(&w->lock);
    w->left--;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
}

static uint8_t *picture;
static size_t picture_size;

static ob_task task_for(const ob_item *i, waiting *w)
{
    ob_task task = {.kind = OB_TASK_SCAN,
                    .done = on_done,
                    .context = w,
                    .item = *i,
                    .file = memfd_create("test", MFD_CLOEXEC),
                    .size = picture_size,
                    .limit = OB_LISTS_NO_LIMIT};
    assert_true(task.file >= 0 && write(task.file, picture, picture_size) == (ssize_t)picture_size);
    return task;
}

static void wait_for(waiting *w)
{
    pthread_mutex_lock(&w->lock);
    while (w->left)
        pthread_cond_wait(&w->more, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

/* "ALLOWED" where it was looked at; else why not. "BUSY": records changed faster than it could be.
 */
static const char *scan(place *p, const ob_item *i)
{
    waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .left = 1};
    ob_task task = task_for(i, &w);
    ob_error err = {0};
    must(ob_engine_add(p->engine, &task, &err), &err);
    wait_for(&w);
    if (task.status == OB_EBUSY) {
        ob_task_clear(&task);
        return "BUSY";
    }
    must(task.status, &task.error);
    const char *said = ob_reason_name(task.why.reason);
    assert_int_equal(task.action == OB_ACTION_NOT_SCANNED, task.why.reason != OB_ALLOWED);
    if (task.action != OB_ACTION_NOT_SCANNED)
        assert_int_equal(task.job.media.format, OB_FORMAT_JPEG);
    else
        assert_int_equal(task.job.media.format, OB_FORMAT_UNKNOWN);
    ob_task_clear(&task);
    return said;
}

/* ---- Records
 * ------------------------------------------------------------------------------------------- */

static void set_consent(place *p, bool a, bool b)
{
    ob_error err = {0};
    const ob_conversation talk = {
        .id = key("talk"), .is_free = true, .is_protected = OB_NO, .changed_at = ob_now()};
    const ob_member members[] = {{key("anna"), a}, {key("bert"), b}};
    must(ob_store_conversation_set(p->store, &talk, members, 2, &err), &err);
}

static int64_t add_cause(place *p, const char *account, int64_t record_at, const char *by)
{
    ob_error err = {0};
    int64_t id = 0, now = ob_now();
    ob_cause cause = {.account = key(account),
                      .ground = OB_GROUND_VERDICT,
                      .record = 1,
                      .record_at = record_at,
                      .from = now,
                      .until = now + OB_CAUSE_SECONDS};
    snprintf(cause.reason, sizeof cause.reason, "a reason");
    snprintf(cause.confirmed_by, sizeof cause.confirmed_by, "%s", by);
    ob_status status = ob_store_cause_add(&id, p->store, &cause, &err);
    return status ? 0 : id;
}

static int64_t add_order(place *p, const char *account)
{
    ob_error err = {0};
    int64_t id = 0, now = ob_now();
    ob_order order = {.regime = "orders",
                      .issuer = "court",
                      .is_judicial = true,
                      .is_authentic = true,
                      .has_detectors = true,
                      .has_accounts = true,
                      .service = "example",
                      .detectors = 1 << OB_DETECTOR_KNOWN,
                      .received = now - 86400,
                      .start = now - 10,
                      .end = now + 86400,
                      .reasons = "r",
                      .legal_basis = "l",
                      .redress = "r",
                      .halfway_at = now + 43200};
    const ob_record_key named = key(account);
    must(ob_store_order_add(&id, p->store, &order, &named, 1, &err), &err);
    return id;
}

/* ---- Tests
 * ---------------------------------------------------------------------------------------------- */

static void a_fresh_directory_looks_at_public_uploads_and_nothing_else(void **state)
{
    place *p = *state;
    ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    assert_string_equal(scan(p, &i), "ALLOWED");
    i = item(OB_SURFACE_PUBLIC, "anna");
    assert_string_equal(scan(p, &i), "ALLOWED");
    for (int s = 0; s < OB_SURFACES; s++)
        for (int e = 0; e < OB_ENCRYPTION_COUNT; e++)
            for (int l = 0; l < 2; l++) {
                i = item((ob_surface)s, "anna");
                i.encryption = (ob_encryption)e;
                i.locus = l ? OB_LOCUS_DISCLOSED : OB_LOCUS_SERVER;
                bool open = s == OB_SURFACE_PUBLIC &&
                            (e <= OB_ENCRYPTION_TRANSPORT || l); /* what was disclosed is open */
                assert_int_equal(!strcmp(answer(p, &i), "ALLOWED"), open);
                assert_int_equal(!strcmp(scan(p, &i), "ALLOWED"), open);
            }
    i = item(OB_SURFACE_PUBLIC, NULL);
    i.media = OB_MEDIA_AUDIO;
    assert_string_equal(scan(p, &i), "FLOOR_MEDIA");
}

/* Adds one more when fewer than `most` are on their way. */
static bool add_when_few(place *p, ob_task *task, waiting *w, unsigned most)
{
    const ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    ob_error err = {0};
    pthread_mutex_lock(&w->lock);
    bool few = w->left < most;
    w->left += few;
    pthread_mutex_unlock(&w->lock);
    if (!few)
        return false;
    *task = task_for(&i, w);
    must(ob_engine_add(p->engine, task, &err), &err);
    return true;
}

static void a_law_that_ends_in_mid_run_drops_what_was_not_looked_at(void **state)
{
    enum { MOST = 100000, QUEUE = 500 };
    place *p = *state;
    waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};
    ob_task *tasks = calloc(MOST, sizeof *tasks);
    unsigned count = 0, looked = 0, dropped = 0;
    bool after_end = false;
    assert_non_null(tasks);
    laws[DSA].until = ob_now() + 2;
    while (ob_now() < laws[DSA].until && count < MOST) /* the queue is full when it ends */
        count += add_when_few(p, &tasks[count], &w, QUEUE);
    wait_for(&w);
    for (unsigned k = 0; k < count; k++) {
        must(tasks[k].status, &tasks[k].error);
        bool was_dropped = tasks[k].action == OB_ACTION_NOT_SCANNED;
        if (was_dropped) {
            assert_int_equal(tasks[k].why.reason, OB_REGIME_EXPIRED);
            assert_int_equal(tasks[k].job.media.format, OB_FORMAT_UNKNOWN);
        } else {
            assert_int_equal(tasks[k].job.media.format, OB_FORMAT_JPEG);
            assert_false(after_end); /* one thread: nothing is looked at after the first drop */
        }
        after_end |= was_dropped;
        looked += !was_dropped;
        dropped += was_dropped;
        ob_task_clear(&tasks[k]);
    }
    print_message("# %u were looked at, %u dropped\n", looked, dropped);
    assert_true(looked > 20 && dropped > QUEUE / 2);
    free(tasks);
}

static void a_withdrawn_consent_stops_the_next_item(void **state)
{
    place *p = *state;
    const ob_record_key anna = key("anna");
    uint64_t changed;
    ob_error err = {0};
    set_profile(p, "AA");
    ob_item i = item(OB_SURFACE_DIRECT, "anna");
    assert_string_equal(scan(p, &i), "FLOOR_SUSPICIONLESS"); /* own initiative without a cause */
    set_consent(p, true, true);
    assert_string_equal(scan(p, &i), "ALLOWED");
    set_consent(p, true, false);
    assert_string_equal(scan(p, &i), "CONSENT_INCOMPLETE");
    set_consent(p, true, true);
    assert_string_equal(scan(p, &i), "ALLOWED");
    must(ob_store_consent_withdraw(&changed, p->store, &anna, ob_now(), &err), &err);
    assert_int_equal(changed, 1);
    assert_string_equal(scan(p, &i), "CONSENT_INCOMPLETE");
    set_consent(p, true, true);
    const ob_record_key talk = key("talk");
    must(ob_store_conversation_remove(p->store, &talk, &err), &err);
    assert_string_equal(scan(p, &i), "FLOOR_SUSPICIONLESS");
}

static void a_protected_conversation_is_left_alone(void **state)
{
    place *p = *state;
    ob_error err = {0};
    set_profile(p, "AA");
    ob_conversation talk = {.id = key("talk"), .is_free = true, .is_protected = OB_YES};
    const ob_member member = {key("anna"), true};
    must(ob_store_conversation_set(p->store, &talk, &member, 1, &err), &err);
    ob_item i = item(OB_SURFACE_GROUP, "anna");
    assert_string_equal(scan(p, &i), "PROFESSIONAL_SECRECY");
    talk.is_protected = OB_UNKNOWN;
    must(ob_store_conversation_set(p->store, &talk, &member, 1, &err), &err);
    assert_string_equal(scan(p, &i), "INPUT_INCOMPLETE");
    talk.is_protected = OB_NO;
    must(ob_store_conversation_set(p->store, &talk, &member, 1, &err), &err);
    assert_string_equal(scan(p, &i), "ALLOWED");
}

static void a_cause_opens_one_account_until_it_ends(void **state)
{
    place *p = *state;
    ob_error err = {0};
    set_profile(p, "AA");
    int64_t now = ob_now();
    int64_t first = add_cause(p, "mallory", now - 100, "ada");
    assert_true(first);
    ob_item his = item(OB_SURFACE_DIRECT, "mallory"), hers = item(OB_SURFACE_DIRECT, "anna");
    assert_string_equal(scan(p, &his), "ALLOWED");
    assert_string_equal(scan(p, &hers), "FLOOR_SUSPICIONLESS");
    must(ob_store_cause_end(p->store, first, ob_now(), &err), &err);
    assert_string_equal(scan(p, &his), "FLOOR_SUSPICIONLESS");
    /* it is not prolonged: a new one needs a newer record and another person */
    assert_false(add_cause(p, "mallory", now - 100, "bea"));
    assert_false(add_cause(p, "mallory", now - 200, "bea"));
    assert_false(add_cause(p, "mallory", now - 50, "ada"));
    assert_true(add_cause(p, "mallory", now - 50, "bea"));
    assert_string_equal(scan(p, &his), "ALLOWED");
}

static void an_overturned_verdict_ends_its_causes(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    ob_verdict verdict = {.account = key("mallory"), .reason = "r", .at = ob_now()};
    set_profile(p, "AA");
    must(ob_store_verdict_add(&id, p->store, &verdict, &err), &err);
    assert_int_equal(id, 1);
    assert_true(add_cause(p, "mallory", ob_now(), "ada"));
    ob_item i = item(OB_SURFACE_GROUP, "mallory");
    assert_string_equal(scan(p, &i), "ALLOWED");
    must(ob_store_verdict_overturn(p->store, id, "bea", ob_now(), &err), &err);
    assert_string_equal(scan(p, &i), "FLOOR_SUSPICIONLESS");
}

static void an_order_opens_whom_it_names_while_it_is_valid(void **state)
{
    place *p = *state;
    ob_error err = {0};
    set_profile(p, "CC");
    ob_item his = item(OB_SURFACE_DIRECT, "mallory"), hers = item(OB_SURFACE_DIRECT, "anna");
    assert_string_equal(scan(p, &his), "FLOOR_SUSPICIONLESS");
    int64_t id = add_order(p, "mallory");
    assert_string_equal(scan(p, &his), "ALLOWED");
    assert_string_equal(scan(p, &hers), "FLOOR_SUSPICIONLESS");
    his.encryption = OB_ENCRYPTION_E2EE;
    assert_string_equal(scan(p, &his), "FLOOR_E2EE_SERVER");
    his.encryption = OB_ENCRYPTION_NONE;
    must(ob_store_order_set_state(p->store, id, OB_ORDER_HELD, 100, &err), &err);
    assert_string_equal(scan(p, &his), "ORDER_SUSPENDED");
    must(ob_store_order_set_state(p->store, id, OB_ORDER_VALID, 100, &err), &err);
    assert_string_equal(scan(p, &his), "ALLOWED");
    must(ob_store_order_set_state(p->store, id, OB_ORDER_REVOKED, 100, &err), &err);
    assert_string_equal(scan(p, &his), "ORDER_SUSPENDED");
    assert_int_equal(ob_store_order_set_state(p->store, id, OB_ORDER_VALID, 100, &err),
                     OB_ENOTFOUND);
}

static void a_report_opens_exactly_its_items(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    set_profile(p, "AA");
    ob_item i = item(OB_SURFACE_DIRECT, "mallory"), other = item(OB_SURFACE_DIRECT, "mallory");
    const ob_incoming report = {.kind = OB_INCOMING_REPORT,
                                .conversation = key("talk"),
                                .reporter = key("anna"),
                                .account = key("mallory"),
                                .reason = "r",
                                .at = ob_now()};
    must(ob_store_incoming_add(&id, p->store, &report, &i.id, 1, &err), &err);
    i.report = other.report = id;
    i.locus = other.locus = OB_LOCUS_DISCLOSED;
    assert_string_equal(scan(p, &i), "ALLOWED");
    i.encryption = OB_ENCRYPTION_E2EE; /* what was disclosed may be looked at */
    assert_string_equal(scan(p, &i), "ALLOWED");
    assert_string_equal(scan(p, &other), "REPORT_SCOPE");
    i.locus = OB_LOCUS_SERVER;
    assert_string_equal(scan(p, &i), "FLOOR_E2EE_SERVER");
    i.encryption = OB_ENCRYPTION_TRANSPORT;
    assert_string_equal(scan(p, &i), "REPORT_SCOPE");
    i.locus = OB_LOCUS_DISCLOSED;
    must(ob_store_incoming_remove(p->store, OB_INCOMING_REPORT, id, 100, &err), &err);
    assert_string_equal(scan(p, &i), "REPORT_SCOPE");
}

static void a_notice_opens_exactly_its_items(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    set_profile(p, "");
    ob_item i = item(OB_SURFACE_STORAGE, "anna"), other = item(OB_SURFACE_STORAGE, "anna");
    const ob_incoming notice = {.kind = OB_INCOMING_NOTICE, .reason = "r", .at = ob_now()};
    assert_string_equal(scan(p, &i), "NO_BASIS");
    must(ob_store_incoming_add(&id, p->store, &notice, &i.id, 1, &err), &err);
    i.notice = other.notice = id;
    assert_string_equal(scan(p, &i), "ALLOWED");
    assert_string_equal(scan(p, &other), "REPORT_SCOPE");
}

static void the_stricter_of_two_rules_wins_and_a_derogation_displaces_one(void **state)
{
    place *p = *state;
    set_profile(p, "AA");
    set_consent(p, true, true);
    add_cause(p, "anna", ob_now(), "ada");
    ob_item i = item(OB_SURFACE_DIRECT, "anna");
    ob_gate_decision d = ask(p, &i); /* the rule knows consent: the derogation is not asked */
    assert_true(d.allow);
    assert_string_equal(d.regime->id, "rule");
    set_consent(p, false, true);
    d = ask(p, &i); /* own initiative: the derogation stands in the rule's place */
    assert_true(d.allow);
    assert_string_equal(d.regime->id, "derogation");
    laws[DEROGATION].until = ob_now();
    assert_false(ask(p, &i).allow);
    laws[DEROGATION].until = INT64_MAX;
    set_profile(p, "BB"); /* two rules, neither displaced */
    set_consent(p, true, true);
    assert_string_equal(answer(p, &i), "NO_BASIS");
    i = item(OB_SURFACE_PUBLIC, NULL);
    assert_string_equal(answer(p, &i), "ALLOWED");
    laws[STRICTER].detectors[OB_DETECTOR_KNOWN] = OB_PERMISSION_UNVERIFIED;
    assert_string_equal(answer(p, &i), "DETECTOR_UNVERIFIED");
    laws[STRICTER].detectors[OB_DETECTOR_KNOWN] = OB_PERMISSION_YES;
}

static void safeguards_count_while_they_are_current(void **state)
{
    place *p = *state;
    ob_error err = {0};
    set_profile(p, "AA");
    add_cause(p, "anna", ob_now(), "ada");
    ob_item i = item(OB_SURFACE_DIRECT, "anna");
    laws[DEROGATION].evidence_needed = true;
    laws[DEROGATION].safeguards = 1 << OB_SAFEGUARD_IMPACT_ASSESSMENT;
    assert_string_equal(answer(p, &i), "EVIDENCE_OTHER_REGIME");
    ob_safeguard_record r = {.regime = "derogation",
                             .safeguard = OB_SAFEGUARD_IMPACT_ASSESSMENT,
                             .at = ob_now() - 400 * 86400,
                             .by = "ada"};
    must(ob_store_safeguard_add(p->store, &r, &err), &err);
    assert_string_equal(answer(p, &i), "SAFEGUARD_OUTDATED");
    r.at = ob_now() - 300 * 86400;
    must(ob_store_safeguard_add(p->store, &r, &err), &err);
    assert_string_equal(answer(p, &i), "ALLOWED");
    const ob_detector_record change = {
        .detector = "pdq", .state = OB_STATE_TRIAL, .by = "ada", .reason = "r", .at = ob_now()};
    must(ob_store_detector_set(p->store, &change, &err), &err); /* older than a change */
    assert_string_equal(answer(p, &i), "SAFEGUARD_OUTDATED");
    r.at = ob_now() + 1;
    must(ob_store_safeguard_add(p->store, &r, &err), &err); /* not from the future */
    assert_string_equal(answer(p, &i), "SAFEGUARD_OUTDATED");
    laws[DEROGATION].evidence_needed = false;
    laws[DEROGATION].safeguards = 0;
}

static void a_suspended_detector_is_not_used(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_detector_record r = {
        .detector = "pdq", .state = OB_STATE_SUSPENDED, .by = "ada", .reason = "r", .at = ob_now()};
    ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    must(ob_store_detector_set(p->store, &r, &err), &err);
    waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .left = 1};
    ob_task task = task_for(&i, &w);
    task.kind = OB_TASK_HASH; /* wants both */
    must(ob_engine_add(p->engine, &task, &err), &err);
    wait_for(&w);
    must(task.status, &task.error);
    assert_int_equal(task.job.methods, 1 << OB_METHOD_DIGESTS);
    assert_int_equal(task.job.media.format, OB_FORMAT_UNKNOWN); /* nobody hashed it */
    assert_int_equal(task.job.digested, OB_DIGEST_ALL);
    ob_task_clear(&task);
    snprintf(r.detector, sizeof r.detector, "digests");
    must(ob_store_detector_set(p->store, &r, &err), &err);
    assert_string_equal(scan(p, &i), "DETECTOR_SUSPENDED");
    ob_query query = {.is_digest = true};
    task = (ob_task){.kind = OB_TASK_LOOK_UP,
                     .done = on_done,
                     .context = &w,
                     .item = i,
                     .queries = &query,
                     .query_count = 1};
    w.left = 1;
    must(ob_engine_add(p->engine, &task, &err), &err);
    wait_for(&w);
    assert_int_equal(task.action, OB_ACTION_NOT_SCANNED);
    assert_int_equal(task.why.reason, OB_DETECTOR_SUSPENDED);
    ob_task_clear(&task);
}

/* ---- Counting, and what stops everything
 * ------------------------------------------------------------------- */

static uint64_t counted(place *p, ob_reason reason)
{
    ob_tally *tallies = NULL;
    size_t count = 0;
    uint64_t sum = 0;
    ob_error err = {0};
    must(ob_engine_settle(p->engine, &err), &err);
    must(ob_store_tallies(&tallies, &count, p->store, 0, INT64_MAX, &err), &err);
    for (size_t i = 0; i < count; i++)
        sum += tallies[i].reason == reason ? tallies[i].count : 0;
    free(tallies);
    return sum;
}

static void a_retry_is_counted_once(void **state)
{
    place *p = *state;
    ob_item a = item(OB_SURFACE_STORAGE, "anna"), b = item(OB_SURFACE_STORAGE, "anna");
    for (int k = 0; k < 20; k++) {
        ask(p, &a);
        scan(p, &a);
    }
    assert_int_equal(counted(p, OB_NO_BASIS), 1);
    scan(p, &b);
    assert_int_equal(counted(p, OB_NO_BASIS), 2);
    ob_engine_close(p->engine); /* and after a restart on the same day */
    open_engine(p, 1);
    scan(p, &a);
    assert_int_equal(counted(p, OB_NO_BASIS), 2);
    for (int k = 0; k < 3000; k++) { /* more than a small table holds */
        ob_item other = item(OB_SURFACE_STORAGE, "anna");
        ask(p, &other);
        ask(p, &other);
    }
    assert_int_equal(counted(p, OB_NO_BASIS), 3002);
    a = item(OB_SURFACE_PUBLIC, NULL);
    for (int k = 0; k < 5; k++)
        assert_string_equal(scan(p, &a), "ALLOWED");
    assert_int_equal(counted(p, OB_ALLOWED), 5); /* every look counts */
}

static void what_cannot_be_recorded_does_not_happen(void **state)
{
    place *p = *state;
    ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    const ob_item denied = item(OB_SURFACE_STORAGE, "anna");
    assert_string_equal(scan(p, &i), "ALLOWED");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 0; /* a disk without room */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    ask(p, &denied);
    ob_error err = {0};
    ob_status full = ob_engine_settle(p->engine, &err);
    const ob_gate_decision d = ask(p, &i);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(full && *err.text);
    assert_int_equal(d.reason, OB_NO_AUDIT);
    must(ob_engine_settle(p->engine, &err), &err);
    assert_string_equal(scan(p, &i), "ALLOWED");
}

static void a_clock_that_was_set_back_stops_everything(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    assert_string_equal(scan(p, &i), "ALLOWED");
    must(ob_engine_settle(p->engine, &err), &err);
    int64_t mark = 0;
    must(ob_store_clock(&mark, p->store, &err), &err);
    assert_true(mark >= ob_now() - 60);
    ob_engine_close(p->engine);
    must(ob_store_clock_set(p->store, ob_now() + 3600, &err),
         &err); /* the last permit: in an hour */
    open_engine(p, 1);
    assert_string_equal(ob_engine_clock(p->engine), "backwards");
    assert_string_equal(scan(p, &i), "CLOCK");
    must(ob_engine_accept_clock(p->engine, &err), &err);
    assert_string_equal(ob_engine_clock(p->engine), "ok");
    assert_string_equal(scan(p, &i), "ALLOWED");
}

/* ---- While everything changes
 * --------------------------------------------------------------------------------- */

typedef struct race {
    place *place;
    atomic_uint phase; /* odd: being changed; 4n: consent was given; 4n + 2: withdrawn */
    atomic_bool stop;
    atomic_uint wrong, looked, left_alone;
} race;

static void *keep_scanning(void *argument)
{
    race *r = argument;
    while (!atomic_load(&r->stop)) {
        const ob_item i = item(OB_SURFACE_DIRECT, "anna");
        unsigned before = atomic_load(&r->phase);
        const char *said = scan(r->place, &i);
        bool looked = !strcmp(said, "ALLOWED");
        unsigned after = atomic_load(&r->phase);
        if (!strcmp(said, "BUSY"))
            continue;
        atomic_fetch_add(looked ? &r->looked : &r->left_alone, 1);
        if (before == after && before % 2 == 0 && looked != (before % 4 == 0))
            atomic_fetch_add(&r->wrong, 1);
    }
    return NULL;
}

static int begin_with_two(void **state)
{
    return begin_in(state, 2);
}

static void nothing_is_looked_at_after_a_withdrawal_was_acknowledged(void **state)
{
    enum { THREADS = 3 };
    place *p = *state;
    race r = {.place = p};
    pthread_t threads[THREADS];
    uint64_t changes = test_samples("OBHUT_CHANGES", 1000) / 10;
    set_profile(p, "AA");
    set_consent(p, true, true);
    for (int k = 0; k < THREADS; k++)
        assert_int_equal(pthread_create(&threads[k], NULL, keep_scanning, &r), 0);
    for (uint64_t k = 0; k < changes; k++) {
        const struct timespec moment = {.tv_nsec = 8000000};
        nanosleep(&moment, NULL);
        atomic_fetch_add(&r.phase, 1);
        set_consent(p, k % 2, true);
        atomic_fetch_add(&r.phase, 1);
    }
    atomic_store(&r.stop, true);
    for (int k = 0; k < THREADS; k++)
        pthread_join(threads[k], NULL);
    print_message("# %u looked at, %u left alone\n", atomic_load(&r.looked),
                  atomic_load(&r.left_alone));
    assert_int_equal(atomic_load(&r.wrong), 0);
    assert_true(atomic_load(&r.looked) > 5 && atomic_load(&r.left_alone) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fresh_directory_looks_at_public_uploads_and_nothing_else,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_law_that_ends_in_mid_run_drops_what_was_not_looked_at,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_withdrawn_consent_stops_the_next_item, begin, end),
        cmocka_unit_test_setup_teardown(a_protected_conversation_is_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(a_cause_opens_one_account_until_it_ends, begin, end),
        cmocka_unit_test_setup_teardown(an_overturned_verdict_ends_its_causes, begin, end),
        cmocka_unit_test_setup_teardown(an_order_opens_whom_it_names_while_it_is_valid, begin, end),
        cmocka_unit_test_setup_teardown(a_report_opens_exactly_its_items, begin, end),
        cmocka_unit_test_setup_teardown(a_notice_opens_exactly_its_items, begin, end),
        cmocka_unit_test_setup_teardown(
            the_stricter_of_two_rules_wins_and_a_derogation_displaces_one, begin, end),
        cmocka_unit_test_setup_teardown(safeguards_count_while_they_are_current, begin, end),
        cmocka_unit_test_setup_teardown(a_suspended_detector_is_not_used, begin, end),
        cmocka_unit_test_setup_teardown(a_retry_is_counted_once, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_recorded_does_not_happen, begin, end),
        cmocka_unit_test_setup_teardown(a_clock_that_was_set_back_stops_everything, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_looked_at_after_a_withdrawal_was_acknowledged,
                                        begin_with_two, end),
    };
    picture = test_file(OB_TESTS "/conformance/pdq/images/astronaut-512-420.jpg", &picture_size);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(picture);
    return failed;
}
