#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };

typedef struct rule {
    files_rule says;
    bool is_used;
    unsigned long life; /* another one for every rule that had this place */
    unsigned long calls;
    unsigned waiting;
} rule;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static rule rules[FILES_RULES];
static unsigned long lives;
static void (*listener)(void *context, ob_file_verb verb, const char *path);
static void *listener_context;

static const char *const verbs[OB_FILE_VERBS] = {"open",   "read",   "write", "sync", "truncate",
                                                 "rename", "unlink", "mkdir", "stat", "own"};

const char *files_verb_name(ob_file_verb verb)
{
    return verbs[verb];
}

int files_verb(const char *name, size_t length)
{
    for (int i = 0; i < OB_FILE_VERBS; i++)
        if (strlen(verbs[i]) == length && !memcmp(verbs[i], name, length))
            return i;
    return -1;
}

static void fail(const char *what)
{
    fprintf(stderr, "tests/fault/files: %s\n", what);
    abort();
}

/* ---- Paths ----------------------------------------------------------------------------------- */

/* Where an open file lies, by the name that it has now. */
static void path_of(char out[PATH_MAX], int file)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, out, PATH_MAX - 1);
    out[length > 0 ? length : 0] = '\0';
}

static void path_of_call(char out[PATH_MAX], const ob_file_call *call)
{
    size_t length = 0;
    *out = '\0';
    if (!call->path || (*call->path != '/' && call->file != AT_FDCWD)) {
        path_of(out, call->file);
        length = strlen(out);
    }
    if (call->path)
        snprintf(out + length, PATH_MAX - length, "%s%s", length ? "/" : "", call->path);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void make_condition(void)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static struct timespec in_ms(unsigned ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

static bool is_kept_waiting(const rule *r, unsigned long life)
{
    return r->is_used && r->life == life && (r->says.holds || r->says.delay_ms);
}

/* Under the lock. False where the rule went meanwhile. */
static bool wait_in(rule *r)
{
    const unsigned long life = r->life;
    const struct timespec until = in_ms(r->says.delay_ms);
    bool late = false;
    r->waiting++;
    pthread_cond_broadcast(&changed);
    while (is_kept_waiting(r, life) && !late)
        if (r->says.holds)
            pthread_cond_wait(&changed, &lock);
        else
            late = pthread_cond_timedwait(&changed, &lock, &until) == ETIMEDOUT;
    if (r->life != life)
        return false;
    r->waiting--;
    return r->is_used;
}

/* ---- Deciding -------------------------------------------------------------------------------- */

/* Counts; returns the rule that decides, or NULL. */
static rule *find(ob_file_verb verb, const char *path)
{
    rule *found = NULL;
    for (rule *r = rules; r < rules + FILES_RULES; r++) {
        if (!r->is_used || !(r->says.verbs >> verb & 1) || !strstr(path, r->says.path))
            continue;
        unsigned long call = ++r->calls, nth = r->says.nth;
        if (!found && (!nth || call == nth || (r->says.and_on && call > nth)))
            found = r;
    }
    return found;
}

static int before(void *context, const ob_file_call *call)
{
    char path[PATH_MAX];
    int error = 0;
    (void)context;
    path_of_call(path, call);
    pthread_mutex_lock(&lock);
    void (*hear)(void *, ob_file_verb, const char *) = listener;
    void *with = listener_context;
    pthread_mutex_unlock(&lock);
    if (hear)
        hear(with, call->verb, path);
    pthread_mutex_lock(&lock);
    rule *r = find(call->verb, path);
    if (r && (!(r->says.delay_ms || r->says.holds) || wait_in(r)))
        error = r->says.error;
    pthread_mutex_unlock(&lock);
    return error;
}

/* ---- From outside ---------------------------------------------------------------------------- */

static rule *rule_at(int number)
{
    if (number < 0 || number >= FILES_RULES || !rules[number].is_used)
        fail("there is no such rule");
    return &rules[number];
}

void files_remove_all(void)
{
    pthread_once(&once, make_condition);
    pthread_mutex_lock(&lock);
    for (int i = 0; i < FILES_RULES; i++)
        rules[i].is_used = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void files_begin(void)
{
    static const ob_file_watch watch = {.before = before};
    files_remove_all();
    files_listen(NULL, NULL);
    ob_file_watch_by(&watch);
}

void files_end(void)
{
    ob_file_watch_by(NULL);
    files_remove_all();
}

int files_add(const files_rule *says)
{
    pthread_mutex_lock(&lock);
    int at = 0;
    while (at < FILES_RULES && rules[at].is_used)
        at++;
    if (at == FILES_RULES)
        fail("too many rules");
    rules[at] = (rule){.says = *says, .is_used = true, .life = ++lives};
    pthread_mutex_unlock(&lock);
    return at;
}

void files_remove(int number)
{
    pthread_mutex_lock(&lock);
    rule_at(number)->is_used = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

unsigned long files_calls(int number)
{
    pthread_mutex_lock(&lock);
    unsigned long calls = rule_at(number)->calls;
    pthread_mutex_unlock(&lock);
    return calls;
}

unsigned files_waiting(int number)
{
    pthread_mutex_lock(&lock);
    unsigned waiting = rule_at(number)->waiting;
    pthread_mutex_unlock(&lock);
    return waiting;
}

void files_await(int number, unsigned waiting)
{
    const struct timespec until = in_ms(PATIENCE_S * 1000);
    pthread_mutex_lock(&lock);
    while (rule_at(number)->waiting < waiting)
        if (pthread_cond_timedwait(&changed, &lock, &until) == ETIMEDOUT)
            fail("nobody came to wait");
    pthread_mutex_unlock(&lock);
}

void files_release(int number)
{
    pthread_mutex_lock(&lock);
    rule_at(number)->says.holds = false;
    rule_at(number)->says.delay_ms = 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void files_listen(void (*hear)(void *context, ob_file_verb verb, const char *path), void *context)
{
    pthread_mutex_lock(&lock);
    listener = hear;
    listener_context = context;
    pthread_mutex_unlock(&lock);
}
