/* What `obhut audit` consists of: cmd_audit.c reads the command line, verifies and proves;
 * audit_show.c shows entries and searches them. */
#ifndef OBHUT_CLI_AUDIT_H
#define OBHUT_CLI_AUDIT_H

#include <obhut/base.h>

enum { AUDIT_WORDS_MAX = 16 };

typedef struct audit_wishes {
    const char *dir;      /* or NULL: that of the data directory */
    const char *data_dir; /* whose own log it is, so that the records know it; or NULL */
    const char *since, *key, *proof;
    uint64_t from, to;
    const char *what;                   /* the beginning of one */
    const char *account, *person;       /* whom it is about */
    const char *words[AUDIT_WORDS_MAX]; /* all of them */
    int word_count;
    const char *after, *before; /* beginnings of times */
    bool json, wants_names;
    struct json_t *names; /* code → name of the staff; NULL: codes are shown */
} audit_wishes;

/* Prints the entries that have what was wished for. Returns an exit code. */
int audit_show(const char *dir, const audit_wishes *w);

/* One entry as a line that a person reads. */
void audit_print_entry(const char *text, size_t size, const struct json_t *names);

/* The beginning of an instant as entries have it. */
bool audit_time_is_valid(const char *text);

#endif
