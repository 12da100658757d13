/* Decisions of the gate: alone, and with the records of a large service. The reference is one
 * look-up by primary key in SQLite, prepared and cached. */
#include "bench.h"

#include "../unit/once.h"

#include "engine_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/cause.h>
#include <obhut/records/conversation.h>
#include <obhut/records/order.h>
#include <obhut/records/profile.h>
#include <obhut/records/safeguard.h>
#include <obhut/regimes.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUND = 2000 };

typedef struct service {
    char dir[64];
    ob_lists *lists;
    ob_store *store;
    ob_audit *audit;
    ob_acts *acts;
    ob_engine *engine;
    ob_policy policy;
    uint64_t random;
    uint32_t conversations, causes, orders;
    sqlite3_stmt *plain;
} service;

static void must(ob_status status, const ob_error *err)
{
    if (!status)
        return;
    fprintf(stderr, "bench: %s\n", err->text);
    exit(1);
}

static ob_record_key key(const char *kind, uint64_t number)
{
    ob_record_key k;
    char text[64];
    uint8_t secret[OB_KEY_SIZE] = {1};
    snprintf(text, sizeof text, "%s %llu", kind, (unsigned long long)number);
    ob_mac(k.bytes, secret, "bench", text, strlen(text));
    return k;
}

/* ---- Records ------------------------------------------------------------------------------------
 */

static void fill(service *s)
{
    ob_error err = {0};
    int64_t id, now = ob_now();
    for (uint32_t i = 0; i < s->conversations; i++) {
        const ob_conversation talk = {.id = key("talk", i), .is_free = true, .changed_at = now};
        const ob_member members[] = {{key("account", 2 * i), true},
                                     {key("account", 2 * i + 1), true}};
        must(WRITES(s->store, &err, ob_store_conversation_set(w, &talk, members, 2, &err)), &err);
    }
    for (uint32_t i = 0; i < s->causes; i++) {
        const ob_cause cause = {.account = key("suspect", i),
                                .record = 1,
                                .record_at = now,
                                .reason = "a reason",
                                .proposed_by = "ada",
                                .confirmed_by = "bea",
                                .from = now,
                                .until = now + OB_CAUSE_SECONDS};
        must(WRITES(s->store, &err, ob_store_cause_add(&id, w, &cause, &err)), &err);
    }
    for (uint32_t i = 0; i < s->orders; i++) {
        const ob_order order = {.regime = "zz-orders",
                                .issuer = "Court",
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
        const ob_record_key account = key("ordered", i);
        must(WRITES(s->store, &err, ob_store_order_add(&id, w, &order, &account, 1, &err)), &err);
    }
}

static void set_profile(service *s, const char *country, uint32_t bases)
{
    ob_error err = {0};
    ob_profile profile = {.service = "example",
                          .kinds = 1 << OB_SERVICE_HOSTING | 1 << OB_SERVICE_INTERPERSONAL,
                          .regime = "eu-dsa",
                          .surfaces = 15,
                          .bases = bases,
                          .detectors = 1 << OB_MATERIAL_KNOWN,
                          .has_register = true};
    snprintf(profile.country, sizeof profile.country, "%s", country);
    must(WRITES(s->store, &err, ob_store_profile_set(w, &profile, &err)), &err);
    for (uint32_t k = 0; k < OB_SAFEGUARD_COUNT; k++) {
        const ob_safeguard_record r = {
            .regime = "eu-2026-1881", .safeguard = k, .at = ob_now(), .by = "ada"};
        must(WRITES(s->store, &err, ob_store_safeguard_add(w, &r, &err)), &err);
    }
}

static void open_plain(service *s)
{
    char path[100];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/obhut.db", s->dir);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) ||
        sqlite3_prepare_v2(db, "SELECT members FROM conversation WHERE id = ?", -1, &s->plain,
                           NULL))
        must(OB_EIO, &(ob_error){.text = "the database cannot be read"});
}

/* ---- Rounds
 * -------------------------------------------------------------------------------------- */

static ob_item item(service *s, ob_surface surface, const char *kind, uint32_t of)
{
    uint32_t number = of ? (uint32_t)(bench_random(&s->random) % of) : 0;
    ob_item i = {.media = OB_MEDIA_IMAGE,
                 .surface = surface,
                 .encryption = OB_ENCRYPTION_TRANSPORT,
                 .has_account = true,
                 .account = key(kind, number),
                 .has_conversation = true,
                 .conversation = key("talk", kind[0] == 'a' ? number / 2 : s->conversations)};
    memcpy(i.id.bytes, &s->random, sizeof s->random);
    return i;
}

typedef struct round_of {
    service *s;
    ob_item *items;
    bool expected;
} round_of;

static void ask(void *context)
{
    const round_of *r = context;
    ob_gate_decision d;
    for (int i = 0; i < ROUND; i++)
        if (ob_engine_ask(&d, r->s->engine, &r->items[i], OB_EVERY_DETECTOR, NULL) ||
            d.allow != r->expected) {
            fprintf(stderr, "bench: an unexpected answer: %s\n", ob_reason_name(d.reason));
            exit(1);
        }
}

static void look_up(void *context)
{
    const round_of *r = context;
    for (int i = 0; i < ROUND; i++) {
        sqlite3_bind_blob(r->s->plain, 1, r->items[i].conversation.bytes, OB_RECORD_KEY,
                          SQLITE_STATIC);
        sqlite3_step(r->s->plain);
        sqlite3_reset(r->s->plain);
    }
}

static void decide(void *context)
{
    const ob_situation *s = context;
    bool all = true;
    for (int i = 0; i < ROUND; i++)
        all &= ob_gate_decide(s, ob_law_regimes()).allow;
    if (!all)
        exit(1);
}

static void make(void *context)
{
    ob_permits *permits = context;
    ob_holder holder;
    ob_gate_decision why;
    ob_grant g;
    ob_holder_init(&holder);
    for (int i = 0; i < ROUND; i++) {
        const ob_item one = {.surface = OB_SURFACE_PUBLIC,
                             .encryption = OB_ENCRYPTION_TRANSPORT,
                             .id.bytes = {(uint8_t)i}};
        if (ob_grant_get(&g, &why, permits, &holder, &one, OB_EVERY_DETECTOR, NULL))
            exit(1);
    }
}

/* ---- The part
 * -------------------------------------------------------------------------------------- */

static void print_row(const char *what, double seconds, double reference)
{
    printf("    %8.2f us, %5.1f x a look-up, %7.0f/s: %s\n", seconds / ROUND * 1e6,
           seconds / reference, ROUND / seconds, what);
}

static void bench_case(service *s, const char *what, ob_surface surface, const char *kind,
                       uint32_t of, bool expected, double reference)
{
    round_of r = {.s = s, .expected = expected, .items = calloc(ROUND, sizeof *r.items)};
    for (int i = 0; i < ROUND; i++)
        r.items[i] = item(s, surface, kind, of);
    print_row(what, bench_median(ask, &r, 9), reference);
    free(r.items);
}

static ob_situation pure(void)
{
    return (ob_situation){.at = ob_now(),
                          .regime = "eu-dsa",
                          .service_kind = OB_SERVICE_HOSTING,
                          .service_name = "example",
                          .item = "item",
                          .account = "account",
                          .surface = OB_SURFACE_PUBLIC,
                          .encryption = OB_ENCRYPTION_TRANSPORT,
                          .basis = OB_BASIS_PUBLIC,
                          .detector_state = OB_STATE_ON,
                          .clock_ok = true,
                          .audit_ok = true,
                          .policy_bases = UINT32_MAX,
                          .policy_detectors = UINT32_MAX,
                          .policy_surfaces = UINT32_MAX,
                          .list_trusted = true,
                          .list_csam = true,
                          .output_is_patterns = true};
}

void bench_gate(void)
{
    enum { EVERY_BASIS = (1 << OB_BASIS_COUNT) - 1 };
    service s = {.random = 5, .conversations = 500000, .causes = 10000, .orders = 10000};
    ob_error err = {0};
    s.policy = (ob_policy)OB_POLICY_DEFAULT;
    snprintf(s.dir, sizeof s.dir, "%s/obhut-bench-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(s.dir))
        exit(1);
    must(ob_crypto_start(&err), &err);
    must(ob_lists_own(&s.lists, s.dir, &err), &err);
    must(ob_store_open(&s.store, s.dir, NULL, &err), &err);
    must(ob_engine_audit(&s.audit, s.store, s.dir, NULL, NULL, &err), &err);
    must(ob_acts_open(&s.acts, s.store, s.audit, s.dir, &err), &err);
    const ob_engine_options options = {.lists = s.lists,
                                       .store = s.store,
                                       .acts = s.acts,
                                       .policy = &s.policy,
                                       .decoders = 1,
                                       .searchers = 1};
    must(ob_engine_open(&s.engine, &options, &err), &err);
    printf("\ngate, %u orders, %u causes, %u consents (reference: one look-up by key in SQLite)\n",
           s.orders, s.causes, 2 * s.conversations);
    double started = bench_now();
    fill(&s);
    printf("    records were written in %.0f s\n", bench_now() - started);
    open_plain(&s);
    round_of r = {.s = &s, .items = calloc(ROUND, sizeof *r.items)};
    for (int i = 0; i < ROUND; i++)
        r.items[i] = item(&s, OB_SURFACE_DIRECT, "account", 2 * s.conversations);
    double reference = bench_median(look_up, &r, 9);
    free(r.items);
    print_row("the reference", reference, reference);
    ob_situation alone = pure();
    print_row("a decision alone", bench_median(decide, &alone, 9), reference);
    set_profile(&s, "DE", EVERY_BASIS);
    bench_case(&s, "public", OB_SURFACE_PUBLIC, "account", 2 * s.conversations, true, reference);
    bench_case(&s, "direct, consent of all", OB_SURFACE_DIRECT, "account", 2 * s.conversations,
               true, reference);
    bench_case(&s, "direct, a cause, after looking for consent and orders", OB_SURFACE_DIRECT,
               "suspect", s.causes, true, reference);
    set_profile(&s, "ZZ", EVERY_BASIS);
    bench_case(&s, "direct, an order, after looking for consent", OB_SURFACE_DIRECT, "ordered",
               s.orders, true, reference);
    ob_permits *permits = NULL;
    must(ob_permits_open(&permits, s.store, s.acts, &err), &err);
    print_row("public, with a permit made and taken", bench_median(make, permits, 9), reference);
    ob_permits_close(permits);
    sqlite3 *db = sqlite3_db_handle(s.plain);
    sqlite3_finalize(s.plain);
    sqlite3_close(db);
    ob_engine_close(s.engine);
    ob_acts_close(s.acts);
    ob_audit_close(s.audit, NULL);
    ob_store_close(s.store);
    ob_lists_close(s.lists);
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", s.dir);
    if (system(command))
        exit(1);
}
