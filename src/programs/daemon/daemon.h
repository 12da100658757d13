/* The parts of obhutd. main.c reads the command line, roles.c is the table of processes,
 * supervise.c watches over them: front.c speaks HTTP and knows nothing, core.c knows everything and
 * speaks to nobody outside. channel.c is what these two say to each other, control.c what main and
 * they do; config.c is the one configuration file, listen.c opens the listening sockets. Workers
 * are the core's children. */
#ifndef OBHUT_DAEMON_H
#define OBHUT_DAEMON_H

#include <obhut/base.h>
#include <obhut/engine.h>
#include <obhut/http.h>
#include <obhut/sandbox.h>

/* ---- config.c -------------------------------------------------------------------------------- */

typedef struct config {
    char data[4096];
    char listen[OB_LISTENERS][128]; /* as address.h has it, or "none" */
    char records[2048];             /* postgresql://…, perhaps with a password; "": SQLite */
    unsigned decoders, searchers, queue_most, queue_wait_ms;
    unsigned connections_most[OB_LISTENERS]; /* 0: nobody listens there */
    unsigned decode_time_ms, decode_cpu_ms;
    unsigned head_time_ms, body_time_ms; /* for a head; for a body before its rate counts */
    unsigned gateway_time_ms;            /* within which a gateway answers, whatever waits */
    uint64_t body_most, memory_most;     /* bytes: of one body, of all that are on their way */
    unsigned tries_day;                  /* matches of an account that are told in a day */
    uint64_t records_day;                /* bytes that a token's records may take in a day */
    ob_policy policy;                    /* policy.lists is freed by config_free */
} config;

/* Defaults, then the file (NULL: none). OB_EFORMAT names file, line, key, problem and the key that
 * was probably meant. */
ob_status config_read(config *out, const char *file, ob_error *err);
void config_free(config *config);

/* Where "none" stands for an address there are no connections. */
void config_close_listeners(config *config);

/* The key of a listener's address; its option is the same behind two dashes. */
extern const char *const config_listen_keys[OB_LISTENERS];

/* The known key that is nearest to a word, or NULL where none is near. */
const char *config_nearest(const char *word);

/* ---- What processes have -------------------------------------------------------------------- */

/* Processes that main starts: roles.h has a row for each. */
typedef enum role_id { ROLE_CORE, ROLE_FRONT, ROLES } role_id;

/* Descriptors of a process: to main, and, of one that is apart, a socket for each listener: an
 * empty file in the place of one that is off or not its. */
enum {
    CONTROL_FD = 3,
    LISTEN_FD = OB_FRONT_LISTENING,
    LISTEN_END = LISTEN_FD + OB_FRONT_LISTENERS
};

_Static_assert((int)OB_LISTENERS == OB_FRONT_LISTENERS, "what the sandbox lets be listened on");

/* Exit codes of obhutd and its parts. */
enum { EXIT_FINE = 0, EXIT_WRONG_USE = 2, EXIT_FAILED = 3 };

int core_main(const config *config);
int front_main(const config *config);

/* "obhutd: WHO: SENTENCE" on standard error, one line in one write. Never about an item. */
void daemon_say(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));

int64_t daemon_now_ms(void); /* monotonic */

#endif
