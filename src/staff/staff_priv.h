/* The parts of staff: staff.c has tokens, persons.c persons, proposals.c what two of them do. */
#ifndef OBHUT_STAFF_PRIV_H
#define OBHUT_STAFF_PRIV_H

#include <obhut/crypto.h>
#include <obhut/staff.h>

#include <pthread.h>

/* Tokens are few and asked for with every request: they are kept in memory, and read again when the
 * records have changed. */
struct ob_staff {
    ob_store *store;
    uint8_t key[OB_KEY_SIZE]; /* of pseudonyms */
    pthread_mutex_t lock;
    ob_token *tokens;
    size_t count;
    uint64_t generation; /* of the store when they were read */
};

#endif
