/* Orders: records of an authority's act, and the accounts that they name. */
#ifndef OBHUT_RECORDS_ORDER_H
#define OBHUT_RECORDS_ORDER_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef enum ob_order_state {
    OB_ORDER_VALID,
    OB_ORDER_STATE_SUSPENDED, /* "suspended" */
    OB_ORDER_REVOKED,
    OB_ORDER_STATES,
} ob_order_state;

/* The record of an authority's act. Texts that it lacks are "". */
typedef struct ob_order {
    int64_t id;
    uint8_t document[32]; /* SHA-256 */
    char regime[65];
    char issuer[201];
    bool is_judicial, is_authentic, names_professional, everybody, has_detectors, has_accounts;
    char authenticity[OB_RECORD_TEXT + 1]; /* how it was verified */
    char verified_by[OB_NAME_MAX + 1];
    char contact[201]; /* of the verified sender */
    char service[OB_NAME_MAX + 1];
    uint32_t detectors;
    int64_t received, start, end; /* 0: missing */
    char reasons[OB_RECORD_TEXT + 1], legal_basis[OB_RECORD_TEXT + 1], redress[OB_RECORD_TEXT + 1];
    ob_order_state state;
    int64_t halfway_at, halfway_done_at; /* the half-way report: due, done */
    int64_t secret_until;                /* accounts are not told before; 0: at once */
    char proposed_by[OB_NAME_MAX + 1], approved_by[OB_NAME_MAX + 1];
    int64_t made_at;
    int64_t revoked_at; /* 0: it was not */
} ob_order;

/* Adds an order with the accounts that it names, all or nothing, and sets *id to its number. */
ob_status ob_store_order_add(int64_t *id, ob_writing *w, const ob_order *order,
                             const ob_record_key *accounts, size_t count, ob_error *err);
/* Sets *out to the newest orders, at most `most`, for the caller to free. */
ob_status ob_store_orders(ob_order **out, size_t *count, ob_view *view, size_t most, ob_error *err);
/* Changes the state of an order at the instant `at`. Raises a withdrawal. OB_ENOTFOUND also where
 * the order was revoked: that is final. */
ob_status ob_store_order_set_state(ob_writing *w, int64_t id, ob_order_state state, int64_t at,
                                   ob_error *err);
/* Notes that the half-way report of an order was given at the instant `at`. */
ob_status ob_store_order_halfway_done(ob_writing *w, int64_t id, int64_t at, ob_error *err);

/* What the gate must know of an order: of its texts, whether they are there. */
typedef struct ob_order_brief {
    int64_t id;
    bool is_judicial, is_authentic, names_professional, everybody, has_detectors, has_accounts;
    bool has_issuer, has_reasons, has_legal_basis, has_redress;
    char service[OB_NAME_MAX + 1];
    uint32_t detectors;
    int64_t received, start, end;
    ob_order_state state;
    int64_t halfway_at, halfway_done_at, secret_until;
} ob_order_brief;

/* Returns what the gate needs of a whole order. */
ob_order_brief ob_order_brief_of(const ob_order *order);

/* Fills out[0] to out[most - 1] with the newest orders that name an account and have not ended at
 * the instant `at`, and sets *count to how many there are. */
ob_status ob_store_orders_naming(ob_order_brief *out, size_t *count, size_t most, ob_view *view,
                                 const ob_record_key *account, int64_t at, ob_error *err);

#endif
