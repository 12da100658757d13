/* What makes a service's files fail and its clock wrong, in tests/fault/obhutd: the program's own
 * sources, and this, which begins before them.
 *
 * OBHUT_TEST_FILES has rules (rules.h) for as long as the service runs; or OBHUT_TEST_FILES_FROM
 * names a file with them, which may be there or not, and is read again whenever it is another one:
 * rename a new one to its place. Beside it, NAME.seen has the text that is in force in its first
 * line, and a line "CALLS WAITING" for every rule. What waits goes on when its rule is gone. */
#include "page.h"
#include "rules.h"

#include <obhut/clock.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 4096, LOOK_MS = 10 };

static const char *from; /* OBHUT_TEST_FILES_FROM */
static struct stat last;
static char in_force[TEXT], told[TEXT + 64 * FILES_RULES];
static int numbers[FILES_RULES];
static unsigned count;

static void apply(const char *text)
{
    rules_text read;
    const char *wrong;
    if (!rules_read(&read, &wrong, text, ob_clock_real.now(NULL)) || (read.has_clock && !from)) {
        fprintf(stderr, "tests/fault: this is no rule, or a clock without a file: %s\n", wrong);
        _exit(9);
    }
    files_remove_all();
    for (count = 0; count < read.count; count++)
        numbers[count] = files_add(&read.rules[count]);
    if (from)
        page_set(read.ahead);
    snprintf(in_force, sizeof in_force, "%s", text);
}

/* The file's text, in one line; false where it is the one that was there before. */
static bool read_text(char out[TEXT])
{
    struct stat now = {0};
    int file = open(from, O_RDONLY | O_CLOEXEC);
    bool is_new = file >= 0 && !fstat(file, &now) &&
                  (now.st_ino != last.st_ino || now.st_mtim.tv_sec != last.st_mtim.tv_sec ||
                   now.st_mtim.tv_nsec != last.st_mtim.tv_nsec);
    ssize_t got = is_new ? read(file, out, TEXT - 1) : 0;
    if (file >= 0)
        close(file);
    if (!is_new || got < 0)
        return false;
    last = now;
    out[got] = '\0';
    for (char *p = out; (p = strchr(p, '\n')) != NULL;)
        *p = ';';
    return true;
}

static void tell(void)
{
    char text[sizeof told], path[PATH_MAX], next[PATH_MAX + 8];
    int length = snprintf(text, sizeof text, "%s\n", in_force);
    for (unsigned i = 0; i < count; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%lu %u\n",
                           files_calls(numbers[i]), files_waiting(numbers[i]));
    if (!strcmp(text, told))
        return;
    strcpy(told, text);
    snprintf(path, sizeof path, "%s.seen", from);
    snprintf(next, sizeof next, "%s.next", path);
    FILE *file = fopen(next, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) || rename(next, path))
        perror(path);
}

static void *look(void *nothing)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000};
    char text[TEXT];
    for (;; nanosleep(&pause, NULL)) {
        if (read_text(text))
            apply(text);
        tell();
    }
    return nothing;
}

static void start_looking(void)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, look, NULL))
        _exit(9);
    pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* The core alone works with files; the others have its clock. */
__attribute__((constructor)) static void begin(int argc, char **argv)
{
    static char text[TEXT];
    const char *always = getenv("OBHUT_TEST_FILES");
    from = getenv("OBHUT_TEST_FILES_FROM");
    if (from)
        page_use(from);
    if (argc < 2 || strcmp(argv[1], "core"))
        return;
    files_begin();
    if (from ? read_text(text) : always != NULL)
        apply(from ? text : always);
    if (from)
        start_looking();
}
