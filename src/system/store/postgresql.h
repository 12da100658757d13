/* The parts of the driver for PostgreSQL: postgresql.c (statements), postgresql_session.c (the
 * connection and all waiting), postgresql_words.c (differences in SQL). */
#ifndef OBHUT_POSTGRESQL_H
#define OBHUT_POSTGRESQL_H

#include "driver.h"

#include <libpq-fe.h>

/* ---- postgresql_words.c ---------------------------------------------------------------------- */

/* A script of schema.c. Appends to *out. */
ob_status postgresql_words(ob_buf *out, const char *text, ob_error *err);

/* Every `?` becomes $1, $2, …; *count: how many there are. Appends to *out. */
ob_status postgresql_parameters(ob_buf *out, int *count, const char *text, ob_error *err);

/* ---- postgresql_session.c -------------------------------------------------------------------- */

/* A connection that comes back. */
typedef struct session {
    char *url;
    connection_use use;
    PGconn *connection;  /* NULL: lost */
    uint64_t number;     /* another one for every connection, from 1 */
    bool in_transaction; /* as begun here */
    int64_t changed;
    int64_t answer_ms;   /* how long an answer may take */
    uint64_t names;      /* of statements, given out so far */
    int64_t retry_at_ms; /* not before */
    ob_error failure;    /* of the last attempt to connect */
    char why[300];       /* how the connection was lost */
} session;

/* What a statement does: errors say so, and a lost connection means more where it writes. */
typedef enum doing { DOING_READ, DOING_WRITE } doing;

ob_status session_open(session **out, const char *url, connection_use use, ob_error *err);
void session_close(session *s);

/* Connects where there is no connection; *is_new is set then. */
ob_status session_ready(bool *is_new, session *s, ob_error *err);

/* Waits for the answer to what was sent (`sent`: what libpq said about sending it). *out is the
 * last result and set on success only; NULL: not wanted. */
ob_status session_answer(PGresult **out, session *s, int sent, doing what, ob_error *err);

/* Waits for the next row only: with PQsetSingleRowMode. *out NULL: there are no more. */
ob_status session_row(PGresult **out, session *s, doing what, ob_error *err);

/* Statements without parameters. */
ob_status session_run(PGresult **out, session *s, const char *text, doing what, ob_error *err);

/* Until the transaction ends, a statement may take as long as a large database needs. Outside one,
 * nothing changes. */
ob_status session_take_time(session *s, int64_t answer_ms, ob_error *err);
void session_hurry(session *s);

/* Outside a transaction, until session_hurry_again: five minutes. */
ob_status session_take_minutes(session *s, ob_error *err);
void session_hurry_again(session *s);

/* Gives the connection up. */
void session_lose(session *s, const char *why);

#endif
