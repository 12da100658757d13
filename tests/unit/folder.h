/* A directory of a test's own and how long it waits: for programs with and without cmocka. */
#ifndef OBHUT_TEST_FOLDER_H
#define OBHUT_TEST_FOLDER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TEST_FOLDER_SIZE = 64 };

/* A new directory in TMPDIR, which tests/run.py removes when the suite has ended, or in /tmp. */
static inline bool test_folder(char out[TEST_FOLDER_SIZE])
{
    const char *where = getenv("TMPDIR");
    int length = snprintf(out, TEST_FOLDER_SIZE, "%s/obhut-XXXXXX", where ? where : "/tmp");
    return length < TEST_FOLDER_SIZE && mkdtemp(out);
}

/* For a loop that waits for another thread: pauses, and says false when that took so long that it
 * will never be. A busy machine is no fault, so the limit is generous. `tries` begins at 0. */
static inline bool test_wait(unsigned *tries)
{
    enum { PAUSE_MS = 10, LIMIT_MS = 120000 };
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
    nanosleep(&pause, NULL);
    return ++*tries < LIMIT_MS / PAUSE_MS;
}

#endif
