/* The parts of staff: staff.c has tokens, persons.c persons, proposals.c what two of them do,
 * acts.c what stands in the log of all that. */
#ifndef OBHUT_STAFF_PRIV_H
#define OBHUT_STAFF_PRIV_H

#include <obhut/crypto.h>
#include <obhut/staff.h>

#include <pthread.h>

enum { STAFF_NOT_DONE = 256 }; /* more than there are threads that could ask for theirs */

/* Tokens are few and asked for with every request: they are kept in memory, and read again when the
 * records have changed. */
struct ob_staff {
    ob_store *store;
    ob_audit *audit;
    char audit_dir[4096 + 8];
    /* All under the store's lock: the last entry of an act, and the latest of those not done. */
    int64_t last_entry;
    uint64_t not_done[STAFF_NOT_DONE];
    unsigned not_done_count;
    uint8_t key[OB_KEY_SIZE]; /* of pseudonyms */
    pthread_mutex_t lock;
    ob_token *tokens;
    size_t count;
    uint64_t generation; /* of the store when they were read */
};

/* acts.c: entries of acts that the records do not have are told of as not done. The store belongs
 * to this thread, or there is no other yet. */
ob_status staff_settle_log(ob_staff *staff, ob_error *err);

/* What was begun and changes something else than records did not end: the log says so. */
ob_status staff_settle_deeds(ob_staff *staff, ob_error *err);

#endif
