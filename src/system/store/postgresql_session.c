/* The connection to PostgreSQL. Nothing here waits for ever: connecting, every statement and every
 * answer have a limit, on this side too, because a server that hangs keeps no promise of its own.
 */
#include "postgresql.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The server ends a statement after 10 s, which is a thousand times what one needs. An answer that
 * takes longer is a lost connection. Making tables and reading all of them may take long. */
enum {
    STATEMENT_S = 10,
    ANSWER_MS = 1000 * (STATEMENT_S + 2),
    MINUTES_ANSWER_MS = 310 * 1000,
    LONG_ANSWER_MS = 4 * 3600 * 1000,
};

/* How long the process that had these records before may take to end. */
enum { LOCK_MS = 1500 };

/* "obhut": the process with this lock owns the records of a database. */
#define LOCK "478560413044"

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/* The server's words in one line. */
static void one_line(char *out, size_t capacity, const char *words)
{
    size_t used = 0;
    for (; *words && used + 1 < capacity; words++) {
        char c = *words == '\n' || *words == '\t' ? ' ' : *words;
        if (c != ' ' || (used && out[used - 1] != ' '))
            out[used++] = c;
    }
    while (used && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
}

void session_lose(session *s, const char *why)
{
    if (why)
        one_line(s->why, sizeof s->why, why);
    if (why && !*s->why)
        one_line(s->why, sizeof s->why, "the connection was lost");
    PQfinish(s->connection);
    s->connection = NULL;
}

static ob_status fail_lost(session *s, doing what, ob_error *err)
{
    bool unknown = what == DOING_WRITE && !s->in_transaction;
    return ob_fail(err, OB_EIO, "the records (PostgreSQL) cannot be %s: %s%s",
                   what == DOING_READ ? "read" : "written", s->why, unknown ? DRIVER_UNKNOWN : "");
}

/* Only the first line of what the server says: the others may quote values. */
static ob_status fail_result(const session *s, const PGresult *result, doing what, ob_error *err)
{
    char words[300];
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    /* overwriting gives way to a session that uses the table, and is tried again */
    const bool gives_way = s->use == CONNECTION_SCRUBS && code && !strcmp(code, "55P03");
    ob_status status = !code                                                ? OB_EIO
                       : !strncmp(code, "23", 2) || !strncmp(code, "22", 2) ? OB_EINVAL
                       : !strcmp(code, "XX001") || !strcmp(code, "XX002")   ? OB_EFORMAT
                       : gives_way                                          ? OB_EBUSY
                                                                            : OB_EIO;
    if (!said)
        said = PQresultErrorMessage(result);
    one_line(words, sizeof words, *said ? said : "no reason was given");
    return ob_fail(err, status, "the records (PostgreSQL) cannot be %s: %s",
                   what == DOING_READ ? "read" : "written", words);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* False: the connection is lost, *why says how. */
static bool wait_for(PGconn *c, short events, int64_t until_ms, const char **why)
{
    int64_t left = until_ms - now_ms();
    struct pollfd one = {.fd = PQsocket(c), .events = events};
    if (one.fd < 0) {
        *why = PQerrorMessage(c);
        return false;
    }
    int ready = left > 0 ? poll(&one, 1, (int)left) : 0;
    if (!ready)
        *why = "the server does not answer";
    return ready > 0 || (ready < 0 && errno == EINTR);
}

static bool flush(PGconn *c, int64_t until_ms, const char **why)
{
    int left;
    while ((left = PQflush(c)) > 0)
        if (!wait_for(c, POLLIN | POLLOUT, until_ms, why) || !PQconsumeInput(c))
            return false;
    return left == 0;
}

/* The next result, NULL where there are no more; false: lost. */
static bool next(PGresult **out, PGconn *c, int64_t until_ms, const char **why)
{
    while (PQisBusy(c))
        if (!wait_for(c, POLLIN, until_ms, why) || !PQconsumeInput(c))
            return false;
    *out = PQgetResult(c);
    return true;
}

static bool is_error(const PGresult *result)
{
    ExecStatusType kind = PQresultStatus(result);
    return kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK && kind != PGRES_SINGLE_TUPLE;
}

/* Of this side: what the server says has a code. */
static bool is_own_error(const PGresult *result)
{
    return is_error(result) && !PQresultErrorField(result, PG_DIAG_SQLSTATE);
}

/* The last result, or the first error; false: lost. */
static bool collect(PGresult **out, session *s, const char **why)
{
    int64_t until = now_ms() + s->answer_ms;
    if (!flush(s->connection, until, why))
        return false;
    for (PGresult *result;;) {
        if (!next(&result, s->connection, until, why))
            return false;
        if (!result)
            return true;
        if (*out && is_error(*out)) {
            PQclear(result);
            continue;
        }
        PQclear(*out);
        *out = result;
    }
}

ob_status session_answer(PGresult **out, session *s, int sent, doing what, ob_error *err)
{
    const char *why = NULL;
    PGresult *result = NULL;
    ob_status status = OB_OK;
    if (!s->connection)
        return fail_lost(s, what, err);
    /* What could not be sent, and an answer that libpq could not make sense of or had no memory
     * for, leave the two sides with different ideas of where they are: a new connection has one. */
    bool is_lost = !sent || !collect(&result, s, &why) || !result || is_own_error(result) ||
                   PQstatus(s->connection) == CONNECTION_BAD;
    if (is_lost) {
        session_lose(s, why ? why : PQerrorMessage(s->connection));
        status = fail_lost(s, what, err);
    } else if (is_error(result)) {
        status = fail_result(s, result, what, err);
    }
    if (!status && out)
        *out = result;
    else
        PQclear(result);
    return status;
}

ob_status session_row(PGresult **out, session *s, doing what, ob_error *err)
{
    const char *why = NULL;
    PGresult *result = NULL;
    int64_t until = now_ms() + s->answer_ms;
    if (!s->connection)
        return fail_lost(s, what, err);
    if (!flush(s->connection, until, &why) || !next(&result, s->connection, until, &why) ||
        PQstatus(s->connection) == CONNECTION_BAD || (result && is_own_error(result))) {
        PQclear(result);
        session_lose(s, why ? why : PQerrorMessage(s->connection));
        return fail_lost(s, what, err);
    }
    if (result && is_error(result)) {
        ob_status status = fail_result(s, result, what, err);
        PQclear(result);
        return status;
    }
    *out = result;
    return OB_OK;
}

ob_status session_run(PGresult **out, session *s, const char *text, doing what, ob_error *err)
{
    int sent = s->connection ? PQsendQuery(s->connection, text) : 0;
    return session_answer(out, s, sent, what, err);
}

ob_status session_take_time(session *s, int64_t answer_ms, ob_error *err)
{
    if (!s->in_transaction)
        return OB_OK;
    ob_status status = session_run(NULL, s, "SET LOCAL statement_timeout = 0", DOING_READ, err);
    if (!status)
        s->answer_ms = answer_ms;
    return status;
}

void session_hurry(session *s)
{
    s->answer_ms = ANSWER_MS;
}

ob_status session_take_minutes(session *s, ob_error *err)
{
    ob_status status = session_run(NULL, s, "SET statement_timeout = '5min'", DOING_READ, err);
    if (!status)
        s->answer_ms = MINUTES_ANSWER_MS;
    return status;
}

void session_hurry_again(session *s)
{
    char text[64];
    session_hurry(s);
    snprintf(text, sizeof text, "SET statement_timeout = '%ds'", STATEMENT_S);
    if (s->connection && session_run(NULL, s, text, DOING_READ, NULL))
        session_lose(s, "its time-out could not be set again");
}

/* ---- Connecting ------------------------------------------------------------------------------ */

/* What the server says besides is for people at a terminal. */
static void on_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static const struct {
    const char *key, *normal;
} parameters[] = {
    {"connect_timeout", "5"},      {"tcp_user_timeout", "10000"}, {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},  {"keepalives_count", "3"},     {"gssencmode", "disable"},
    {"application_name", "obhut"},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

static bool url_has(const PQconninfoOption *given, const char *key)
{
    for (; given->keyword; given++)
        if (!strcmp(given->keyword, key))
            return given->val != NULL;
    return false;
}

/* libpq's own words about a URL may quote a part of it, and so a password. */
static ob_status refuse_url(ob_error *err)
{
    return ob_fail(err, OB_EINVAL,
                   "the address of the records cannot be read: postgresql://USER@HOST/DATABASE is "
                   "expected, special characters as %%XX");
}

static ob_status connect_to(PGconn **out, const char *url, ob_error *err)
{
    const char *keys[PARAMETERS + 3], *values[PARAMETERS + 3];
    char *words = NULL;
    PQconninfoOption *given = PQconninfoParse(url, &words);
    PQfreemem(words);
    if (!given)
        return refuse_url(err);
    int n = 0;
    keys[n] = "dbname"; /* stands for the whole URL */
    values[n++] = url;
    for (int i = 0; i < PARAMETERS; i++) {
        if (url_has(given, parameters[i].key))
            continue;
        keys[n] = parameters[i].key;
        values[n++] = parameters[i].normal;
    }
    keys[n] = "client_encoding";
    values[n++] = "UTF8";
    keys[n] = NULL;
    values[n] = NULL;
    PQconninfoFree(given);
    *out = PQconnectdbParams(keys, values, 1);
    return OB_OK;
}

/* A server that keeps what it acknowledges, and every text. */
static ob_status check(session *s, ob_error *err)
{
    PGresult *r = NULL;
    ob_status status =
        session_run(&r, s,
                    "SELECT current_setting('server_encoding') = 'UTF8', current_setting('fsync') ="
                    " 'on', current_setting('server_version_num')::int >= 130000",
                    DOING_READ, err);
    if (status)
        return status;
    if (*PQgetvalue(r, 0, 0) != 't')
        status = ob_fail(err, OB_EREFUSED,
                         "the database of the records is not in UTF-8: make one with "
                         "ENCODING 'UTF8' TEMPLATE template0");
    else if (*PQgetvalue(r, 0, 1) != 't')
        status =
            ob_fail(err, OB_EREFUSED,
                    "the records' PostgreSQL has fsync switched off, so that it would lose what "
                    "it acknowledged: switch it on");
    else if (*PQgetvalue(r, 0, 2) != 't')
        status = ob_fail(err, OB_EREFUSED,
                         "the records' PostgreSQL is older than version 13: install a newer one");
    PQclear(r);
    return status;
}

static ob_status try_lock(bool *got, session *s, ob_error *err)
{
    PGresult *r = NULL;
    ob_status status = session_run(&r, s, "SELECT pg_try_advisory_lock(" LOCK ")", DOING_READ, err);
    *got = !status && *PQgetvalue(r, 0, 0) == 't';
    PQclear(r);
    return status;
}

/* One Obhut a database. One that has just ended may not have been noticed yet. */
static ob_status own(session *s, ob_error *err)
{
    bool got = false;
    int64_t until = now_ms() + LOCK_MS;
    ob_status status = try_lock(&got, s, err);
    while (!status && !got && now_ms() < until) {
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        status = try_lock(&got, s, err);
    }
    if (!status && !got)
        status = ob_fail(err, OB_EBUSY, "these records are in use by another Obhut");
    return status;
}

static ob_status set_up(session *s, ob_error *err)
{
    char text[400];
    snprintf(text, sizeof text,
             "SET statement_timeout = '%ds'; SET lock_timeout = '%s';"
             "SET client_min_messages = warning;"
             /* so that it notices in half a minute, too, when this side is gone with the lock */
             "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;"
             "SET tcp_keepalives_count = 3;"
             "SELECT set_config('synchronous_commit', 'on', false)"
             " WHERE current_setting('synchronous_commit') = 'off'",
             STATEMENT_S,
             /* who waits for a table keeps those out who come later */
             s->use == CONNECTION_SCRUBS ? "300ms" : "10s");
    ob_status status = session_run(NULL, s, text, DOING_READ, err);
    if (!status)
        status = check(s, err);
    return status || s->use != CONNECTION_OWNS ? status : own(s, err);
}

static ob_status attempt(session *s, ob_error *err)
{
    ob_status status = connect_to(&s->connection, s->url, err);
    if (status)
        return status;
    if (!s->connection)
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    if (PQstatus(s->connection) != CONNECTION_OK) {
        session_lose(s, PQerrorMessage(s->connection));
        return ob_fail(err, OB_EIO, "the records (PostgreSQL) cannot be reached: %s", s->why);
    }
    PQsetNoticeReceiver(s->connection, on_notice, NULL);
    if (PQsetnonblocking(s->connection, 1))
        status = ob_fail(err, OB_EIO, "the records (PostgreSQL) cannot be reached without waiting");
    else
        status = set_up(s, err);
    if (status)
        session_lose(s, NULL);
    else
        s->number++;
    return status;
}

/* A server that has gone has said so, or closed its end; that is no reason to fail the next call.
 */
static void notice_loss(session *s)
{
    if (s->connection &&
        (!PQconsumeInput(s->connection) || PQstatus(s->connection) != CONNECTION_OK))
        session_lose(s, PQerrorMessage(s->connection));
}

ob_status session_ready(bool *is_new, session *s, ob_error *err)
{
    notice_loss(s);
    if (s->connection)
        return OB_OK;
    int64_t start = now_ms();
    if (start >= s->retry_at_ms) {
        s->failure = (ob_error){0};
        *is_new = !attempt(s, &s->failure);
        /* Acts wait for the connection that writes, and a view that waits has one of few places: at
         * most half of the time of any connection is spent on waiting. */
        s->retry_at_ms = *is_new ? 0 : 2 * now_ms() - start;
    }
    const ob_status status = s->failure.status;
    if (!status)
        return OB_OK;
    /* OB_EBUSY: another Obhut took the records over. That is no crowd that thins out by itself. */
    return ob_fail(err, status == OB_EBUSY ? OB_EIO : status, "%s", s->failure.text);
}

ob_status session_open(session **out, const char *url, connection_use use, ob_error *err)
{
    session *s = calloc(1, sizeof *s);
    if (!s || !(s->url = strdup(url))) {
        free(s);
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    }
    s->use = use;
    session_hurry(s);
    ob_status status = attempt(s, err);
    if (status)
        session_close(s);
    else
        *out = s;
    return status;
}

void session_close(session *s)
{
    if (!s)
        return;
    PQfinish(s->connection);
    free(s->url);
    free(s);
}
