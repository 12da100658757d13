/* The parts of staff: staff.c has tokens, persons.c persons, proposals.c what two of them do,
 * acts.c and consents.c what an act's entry says, writer.c the thread that does them, recover.c
 * what an unplanned end has left. */
#ifndef OBHUT_STAFF_PRIV_H
#define OBHUT_STAFF_PRIV_H

#include <obhut/crypto.h>
#include <obhut/records/token.h>
#include <obhut/staff.h>

#include <pthread.h>

/* Tokens are few and asked for with every request: they are kept in memory, and read again when the
 * records have changed. */
struct ob_staff {
    ob_store *store;
    ob_audit *audit;
    char audit_dir[4096 + 8];
    uint8_t key[OB_KEY_SIZE]; /* of pseudonyms */
    pthread_mutex_t lock;
    ob_token *tokens;
    size_t count;
    uint64_t generation; /* of the store when they were read */

    pthread_mutex_t queue; /* of acts that wait */
    pthread_cond_t some, ends;
    ob_act_job *first, **last;
    unsigned waiting;
    bool closing, has_queue, has_writer, has_watch;
    pthread_t writer, watch;
    bool writes;       /* somebody does */
    bool was_bound;    /* the records knew what of the log was signed */
    bool is_bound;     /* they are told what is */
    bool must_recover; /* of who writes: whether the last acts were kept is not known yet */
};

/* acts.c */
ob_status act_begin(ob_act *out, ob_staff *staff, ob_writing *w, const char *what,
                    const ob_actor *actor, ob_error *err);
void act_end(ob_act *act);

/* writer.c; stopping waits for what has been posted. */
ob_status staff_writer_start(ob_staff *staff, ob_error *err);
void staff_writer_stop(ob_staff *staff);

/* bind.c: the key of pseudonyms, which must be the one that the records were made with; it is made
 * only where nothing was made with one. */
ob_status bind_key(ob_staff *staff, const char *dir, ob_error *err);
/* From now on the records keep what of the log was signed; and at the end, that nothing may follow
 * it. */
ob_status bind_log_begin(ob_staff *staff, ob_error *err);
void bind_log_end(ob_staff *staff);

/* recover.c: for each act that stands in the log and not in the records, appends `not_done`. *last:
 * the last entry that the records know. Only the writer's thread, or where there is none. */
ob_status staff_recover_log(int64_t *last, ob_staff *staff, ob_error *err);

/* For each deed that had begun and did not end, an entry `unfinished`. */
ob_status staff_recover_deeds(ob_staff *staff, ob_error *err);

#endif
