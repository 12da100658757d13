/* The parts of acts: acts.c opens and closes; act.c and consents.c are what an act's entry says,
 * proposals.c what two persons agree to, writer.c the thread that does acts, recover.c what an
 * unplanned end has left, bind.c the key of pseudonyms and what binds log and lists to records. */
#ifndef OBHUT_ACTS_PRIV_H
#define OBHUT_ACTS_PRIV_H

#include <obhut/acts.h>
#include <obhut/crypto.h>

#include <pthread.h>

struct ob_acts {
    ob_store *store;
    ob_audit *audit;
    char audit_dir[4096 + 8];
    uint8_t key[OB_KEY_SIZE]; /* of pseudonyms */
    pthread_mutex_t queue;    /* of acts that wait */
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

/* act.c */
void act_begin(ob_act *out, ob_acts *acts, ob_writing *w, const char *what, const ob_actor *actor);
void act_end(ob_act *act);

/* writer.c; stopping waits for what has been posted. */
ob_status acts_writer_start(ob_acts *acts, ob_error *err);
void acts_writer_stop(ob_acts *acts);

/* bind.c: the key of pseudonyms, which must be the one that the records were made with; it is made
 * only where nothing was made with one. */
ob_status bind_key(ob_acts *acts, const char *dir, ob_error *err);
/* From now on the records keep what of the log was signed; and at the end, that nothing may follow
 * it. */
ob_status bind_log_begin(ob_acts *acts, ob_error *err);
void bind_log_end(ob_acts *acts);

/* recover.c: for each act that stands in the log and not in the records, appends `not_done`. *last:
 * the last entry that the records know. Only the writer's thread, or where there is none. */
ob_status acts_recover_log(int64_t *last, ob_acts *acts, ob_error *err);

/* For each deed that had begun and did not end, an entry `unfinished`. */
ob_status acts_recover_intents(ob_acts *acts, ob_error *err);

#endif
