/* The processes of the service, one row each. Main starts, introduces, watches, restarts and stops
 * them by these rows, and knows nothing else of them. */
#ifndef OBHUT_ROLES_H
#define OBHUT_ROLES_H

#include "listen.h"

typedef struct supervision {
    const char *config_file; /* NULL: none */
    const config *config;
    const listeners *listeners; /* told when everything is ready */
} supervision;

/* Words of a command line that is being written. */
enum { ROLE_WORDS = 16 };
typedef struct role_words {
    size_t count;
    bool failed;                 /* out of memory, or too many */
    char *words[ROLE_WORDS + 1]; /* NULL behind the last */
} role_words;

void words_add(role_words *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
void words_free(role_words *words);

typedef struct role {
    const char *name; /* the first word of its command line */
    /* The further words. Where it does not read the configuration file, `read` takes them back. */
    void (*tell)(role_words *to, const supervision *s);
    bool (*read)(config *out, char *const *words, int count);
    int (*run)(const config *config); /* its life; returns its exit code */
    /* Whether it gives up its rights, to this profile: then it is also started apart, without an
     * environment and in a numbering of processes of its own. */
    bool is_confined;
    ob_confinement profile;
    bool listens;    /* whether it has the listening sockets, from LISTEN_FD on */
    unsigned peers;  /* 1 << role_id: with whom it has a connection */
    unsigned judges; /* of these: whom main ends when it says so */
    /* Bytes of memory files that it may have, which no limit of a process counts; NULL: it is
     * trusted. */
    uint64_t (*files_most)(const config *config);
    /* Where it has ended, it is started again at once, or, the sooner it ended, after up to
     * `again_most_ms`. One that ran for `calm_ms` had not failed at its start. */
    unsigned calm_ms, again_most_ms;
    /* When everything stops: it is told once these are gone or late, and killed after `stop_ms`. */
    unsigned stops_after, stop_ms;
} role;

extern const role roles[ROLES];

/* Which role has this name; ROLES: none. */
role_id role_find(const char *name);

/* All that the front is told of the configuration, as words of its command line: it reads no file.
 * Reading sets what the words say, and nothing else. False: they are not as many numbers. */
void front_words(role_words *to, const config *config);
bool front_read_words(config *out, char *const *words, int count);

#endif
