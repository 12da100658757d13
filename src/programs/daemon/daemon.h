/* The parts of obhutd. main.c reads the command line and watches over two processes: front.c speaks
 * HTTP and knows nothing, core.c knows everything and speaks to nobody outside. channel.c is what
 * they say to each other; config.c the one configuration file, listen.c
 * where it is listened. Workers are the core's children. */
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

/* Descriptors of a child: to main, and for the front where it listens: one for each listener, an
 * empty file in the place of one that is off. */
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

/* Calls `hear` for what comes on a control channel: the next peer's end, or the word to stop.
 * Returns false when main is gone. */
typedef enum control_word {
    CONTROL_READY = 1, /* to main, once */
    CONTROL_PEER,
    CONTROL_STOP,
    CONTROL_HANG_UP, /* the core's: the front lies */
} control_word;
/* Waits for nothing: false where the other side is gone, or does not read. */
bool control_send(int control, control_word word, int peer);
/* Nor does this: false when there is no word; *word is 0 when the other side is gone or talks
 * nonsense, such as a descriptor that belongs to no word. */
bool control_receive(int control, control_word *word, int *peer);

#endif
