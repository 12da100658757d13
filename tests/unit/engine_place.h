/* What the tests of the engine share: an engine in a directory of its own, laws of their own, items
 * and records. Included once by a program. */
#ifndef OBHUT_TEST_ENGINE_PLACE_H
#define OBHUT_TEST_ENGINE_PLACE_H

#include "folder.h"
#include "test.h"

#include "engine_priv.h"

#include "once.h"

#include <obhut/acts.h>
#include <obhut/crypto.h>
#include <obhut/records/cause.h>
#include <obhut/records/conversation.h>
#include <obhut/records/order.h>
#include <obhut/records/profile.h>
#include <obhut/regimes.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Laws, in the place of those that are built in ------------------------------------------- */

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
/* A test that has a detector of its own says here what a file in data/detectors would, and sets the
 * other two. */
#ifndef MORE_DETECTORS
#define MORE_DETECTORS                                                                             \
    {                                                                                              \
        .id = NULL                                                                                 \
    }
#endif
static const ob_detector_class *more_detector; /* its class */
static const char *worker_program = OB_WORKER;

enum { DIGESTS, PDQ };
const ob_detector_spec ob_law_detectors[OB_DETECTORS_MOST] = {
    [DIGESTS] = {"digests", OB_MATERIAL_KNOWN, OB_STATE_ON, 10, "the same bytes"},
    [PDQ] = {"pdq", OB_MATERIAL_KNOWN, OB_STATE_TRIAL, 10, "similar pictures"},
    MORE_DETECTORS};

static inline void make_laws(void)
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
    laws[ORDERS].orderable = 1 << OB_MATERIAL_KNOWN;
    laws[ORDERS].court_only = true;
}

/* ---- A place to work in ---------------------------------------------------------------------- */

typedef struct place {
    char dir[64];
    ob_lists *lists;
    ob_store *store;
    ob_audit *audit;
    ob_acts *acts;
    ob_engine *engine;
    ob_policy policy;
} place;

/* Also off the main thread, from where cmocka cannot be told. */
static inline void must(ob_status status, const ob_error *err)
{
    if (!status)
        return;
    printf("# %s\n", err->text);
    fflush(stdout);
    abort();
}

static inline void open_engine(place *p, unsigned decoders)
{
    ob_error err = {0};
    const ob_engine_options options = {.lists = p->lists,
                                       .store = p->store,
                                       .acts = p->acts,
                                       .policy = &p->policy,
                                       .decoders = decoders,
                                       .searchers = 2,
                                       .queue_most = 4096,
                                       .detectors = &more_detector,
                                       .detector_count = more_detector ? 1 : 0,
                                       .worker = {.program = worker_program, .time_ms = 600000}};
    must(ob_engine_open(&p->engine, &options, &err), &err);
}

static inline int begin_in(void **state, unsigned decoders)
{
    place *p = calloc(1, sizeof *p);
    ob_error err = {0};
    make_laws();
    p->policy = (ob_policy)OB_POLICY_DEFAULT;
    assert_true(test_folder(p->dir));
    must(ob_crypto_start(&err), &err);
    must(ob_lists_own(&p->lists, p->dir, &err), &err);
    must(ob_store_open(&p->store, p->dir, NULL, &err), &err);
    must(ob_engine_audit(&p->audit, p->store, p->dir, NULL, NULL, &err), &err);
    must(ob_acts_open(&p->acts, p->store, p->audit, p->dir, &err), &err);
    open_engine(p, decoders);
    *state = p;
    return 0;
}

static inline int begin(void **state)
{
    return begin_in(state, 1);
}

static inline int end(void **state)
{
    place *p = *state;
    char command[128];
    ob_engine_close(p->engine);
    ob_acts_close(p->acts);
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
static inline void set_profile(place *p, const char *country)
{
    ob_error err = {0};
    ob_profile profile = {.service = "example",
                          .kinds = 1 << OB_SERVICE_HOSTING | 1 << OB_SERVICE_INTERPERSONAL,
                          .regime = "eu-dsa",
                          .surfaces = EVERYTHING,
                          .bases = EVERYTHING,
                          .detectors = 1 << OB_MATERIAL_KNOWN,
                          .has_register = true};
    snprintf(profile.country, sizeof profile.country, "%s", country);
    must(WRITES(p->store, &err, ob_store_profile_set(w, &profile, &err)), &err);
}

static inline ob_record_key key(const char *name)
{
    ob_record_key k = {{0}};
    memcpy(k.bytes, name, strlen(name));
    return k;
}

static inline ob_item item(ob_surface surface, const char *account)
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

static inline ob_gate_decision ask(place *p, const ob_item *i)
{
    ob_gate_decision d;
    ob_error err = {0};
    must(ob_engine_ask(&d, p->engine, i, OB_EVERY_DETECTOR, &err), &err);
    return d;
}

static inline const char *answer(place *p, const ob_item *i)
{
    return ob_reason_name(ask(p, i).reason);
}

/* ---- Looking at files ------------------------------------------------------------------------ */

typedef struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t more;
    unsigned left;
} waiting;

static inline void on_done(ob_work *work)
{
    waiting *w = work->context;
    pthread_mutex_lock(&w->lock);
    w->left--;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
}

static uint8_t *picture;
static size_t picture_size;

static inline ob_file_work picture_file(void)
{
    const ob_file_work out = {.file = memfd_create("test", MFD_CLOEXEC), .size = picture_size};
    assert_true(out.file >= 0 && write(out.file, picture, picture_size) == (ssize_t)picture_size);
    return out;
}

static inline ob_scan scan_for(const ob_item *i, waiting *w)
{
    return (ob_scan){.work = {.done = on_done, .context = w, .item = *i},
                     .file = picture_file(),
                     .limit = OB_LISTS_NO_LIMIT};
}

static inline void wait_for(waiting *w)
{
    pthread_mutex_lock(&w->lock);
    while (w->left)
        pthread_cond_wait(&w->more, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

/* "ALLOWED" where it was looked at; else why not. "BUSY": records changed faster than it could be.
 */
static inline const char *scan(place *p, const ob_item *i)
{
    waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .left = 1};
    ob_scan scan = scan_for(i, &w);
    const ob_decision *d = &scan.work.decision;
    ob_error err = {0};
    must(ob_engine_scan(p->engine, &scan, &err), &err);
    wait_for(&w);
    if (scan.work.status == OB_EBUSY) {
        ob_scan_clear(&scan);
        return "BUSY";
    }
    must(scan.work.status, &scan.work.error);
    const char *said = ob_reason_name(d->gate.reason);
    bool looked = d->gate.reason == OB_ALLOWED;
    bool of_now = ob_reason_is_operational(d->gate.reason);
    assert_int_equal(d->action == OB_ACTION_NOT_SCANNED, !looked && !of_now);
    assert_int_equal(d->action == OB_ACTION_COULD_NOT, of_now);
    assert_int_equal(d->hindrance != OB_HINDRANCE_NONE, of_now);
    if (looked)
        assert_int_equal(scan.file.result->media.format, OB_FORMAT_JPEG);
    else
        assert_null(scan.file.result);
    ob_scan_clear(&scan);
    return said;
}

/* ---- Records --------------------------------------------------------------------------------- */

static inline void set_consent(place *p, bool a, bool b)
{
    ob_error err = {0};
    const ob_conversation talk = {
        .id = key("talk"), .is_free = true, .is_protected = OB_NO, .changed_at = ob_now()};
    const ob_member members[] = {{key("anna"), a}, {key("bert"), b}};
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &talk, members, 2, &err)), &err);
}

static inline int64_t add_cause(place *p, const char *account, int64_t record_at, const char *by)
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
    ob_status status = WRITES(p->store, &err, ob_store_cause_add(&id, w, &cause, &err));
    return status ? 0 : id;
}

static inline int64_t add_order(place *p, const char *account)
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
                      .detectors = 1 << OB_MATERIAL_KNOWN,
                      .received = now - 86400,
                      .start = now - 10,
                      .end = now + 86400,
                      .reasons = "r",
                      .legal_basis = "l",
                      .redress = "r",
                      .halfway_at = now + 43200};
    const ob_record_key named = key(account);
    must(WRITES(p->store, &err, ob_store_order_add(&id, w, &order, &named, 1, &err)), &err);
    return id;
}

/* Before and after all tests: a picture to look at. */
static inline int load_picture(void **state)
{
    (void)state;
    picture = test_file(OB_TESTS "/conformance/pdq/images/astronaut-512-420.jpg", &picture_size);
    return 0;
}

static inline int free_picture(void **state)
{
    (void)state;
    free(picture);
    return 0;
}

#endif
