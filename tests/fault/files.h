/* Faults of files, by path and verb: a call fails, takes long, or waits until a test lets it go.
 * All that goes through obhut/file.h, the records in SQLite among it; one table a process, any
 * thread. Linked into tests only. */
#ifndef OBHUT_FAULT_FILES_H
#define OBHUT_FAULT_FILES_H

#include <obhut/file.h>

#include <stdbool.h>

enum {
    FILES_RULES = 16,
    FILES_ANY = (1 << OB_FILE_VERBS) - 1,
    /* What changes a disk: what fails where it is full or broken. */
    FILES_CHANGES = 1 << OB_FILE_WRITE | 1 << OB_FILE_SYNC | 1 << OB_FILE_TRUNCATE |
                    1 << OB_FILE_RENAME | 1 << OB_FILE_UNLINK | 1 << OB_FILE_MKDIR,
};

typedef struct files_rule {
    char path[128];    /* is in the call's path; "": every path */
    unsigned verbs;    /* bits of ob_file_verb */
    unsigned long nth; /* that call of those, from 1; 0: all of them */
    bool and_on;       /* and all calls behind it */
    int error;         /* errno; 0: it is made */
    unsigned delay_ms; /* before that */
    bool holds;        /* before that: until files_release, or until the rule is gone */
} files_rule;

/* Watches from now on, with no rule. Ends all rules that there were. */
void files_begin(void);

/* Nobody watches any more; whoever waits goes on. */
void files_end(void);

/* Returns the rule's number, for the functions below. Where several fit a call, all of them count
 * it, and the first that says something of this call decides. */
int files_add(const files_rule *rule);

/* Ends a rule: whoever waits for it goes on, without its error. */
void files_remove(int rule);
void files_remove_all(void);

unsigned long files_calls(int rule); /* that fit, whether something happened to them or not */
unsigned files_waiting(int rule);    /* calls that a delay or a hold keeps waiting now */

/* Until so many calls wait; aborts where that does not come about within a minute. */
void files_await(int rule, unsigned waiting);

/* All that wait for this rule go on, and nothing waits for it any more; its error still counts. */
void files_release(int rule);

/* Hears of every call before anything else is done about it. On the thread that calls; it may call
 * the functions above, and must not make such calls itself. NULL: nobody. */
void files_listen(void (*hear)(void *context, ob_file_verb verb, const char *path), void *context);

/* "sync", "write", …; -1: there is no such verb. */
const char *files_verb_name(ob_file_verb verb);
int files_verb(const char *name, size_t length);

#endif
