/* Lies of one or two packets, as a table: what is asked for before, what is said, and what comes of
 * it. */
#include "hostile_front.h"

#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef enum first {
    NOTHING,
    A_SCAN,
    AN_EXPLANATION,
    A_SCAN_GONE,
    A_READY,
    WHO_WAITS /* for something to happen; nothing is told of that */
} first;
typedef enum beside {
    NO_FILE,
    OPEN_FILE,
    SEALED_FILE,
    SEALED_AND_ZEROS,
    EVENT,
    LISTENING,
    CONTROL
} beside;

static const struct lie {
    const char *name;
    first first; /* what is asked for before, under the number 7, until the plan is there */
    uint32_t kind, first_field;
    uint64_t id;
    int64_t second_field;
    size_t size; /* zeros behind the fields; or of the file */
    beside beside;
    bool ends; /* that the core hangs up on it */
} lies[] = {
    {"kind-0", NOTHING, 0, 0, 1, 0, 0, NO_FILE, true},
    {"kind-of-the-core-plan", NOTHING, MESSAGE_PLAN, 0, 1, 0, 0, NO_FILE, true},
    {"kind-of-the-core-answer", NOTHING, MESSAGE_ANSWER, 200, 1, 0, 0, NO_FILE, true},
    {"kind-of-the-core-piece", NOTHING, MESSAGE_PIECE, 0, 1, 0, 0, NO_FILE, true},
    {"kind-99", NOTHING, 99, 0, 1, 0, 0, NO_FILE, true},
    {"kind-highest", NOTHING, UINT32_MAX, 0, 1, 0, 0, NO_FILE, true},
    {"ask-without-more", NOTHING, MESSAGE_ASK, 0, 1, 0, 0, NO_FILE, false},
    {"ask-neither-true-nor-false", NOTHING, MESSAGE_ASK, 2, 1, 0, 0, NO_FILE, true},
    {"ask-zeros", NOTHING, MESSAGE_ASK, 0, 1, 0, 5000, NO_FILE, false},
    {"ask-longest", NOTHING, MESSAGE_ASK, 0, 1, 0, MESSAGE_MOST - 16, NO_FILE, false},
    {"ask-with-file", NOTHING, MESSAGE_ASK, 0, 1, 0, 0, SEALED_FILE, true},
    {"ask-highest-number", NOTHING, MESSAGE_ASK, 0, UINT64_MAX, INT64_MAX, 9, NO_FILE, false},
    {"ask-negative-length", NOTHING, MESSAGE_ASK, 0, 2, INT64_MIN, 9, NO_FILE, false},
    {"ask-twice", A_SCAN, MESSAGE_ASK, 0, 7, 0, 0, NO_FILE, true},
    {"ask-same-place", A_SCAN, MESSAGE_ASK, 0, 7 + 16384, 0, 0, NO_FILE, true},
    {"ask-again-after-gone", A_SCAN_GONE, MESSAGE_ASK, 0, 7, 0, 0, NO_FILE, false},
    {"ask-again-after-answer", A_READY, MESSAGE_ASK, 0, 7, 0, 0, NO_FILE, false},
    {"body-of-nobody", NOTHING, MESSAGE_BODY, 0, 3, 0, 0, NO_FILE, false},
    {"body-of-nobody-with-file", NOTHING, MESSAGE_BODY, 0, 3, 5, 5, SEALED_FILE, false},
    {"body-without-file", A_SCAN, MESSAGE_BODY, 0, 7, 5, 5, NO_FILE, true},
    {"body-empty", A_SCAN, MESSAGE_BODY, 0, 7, 0, 0, NO_FILE, true},
    {"body-open-file", A_SCAN, MESSAGE_BODY, 0, 7, 50, 50, OPEN_FILE, true},
    {"body-shorter-than-said", A_SCAN, MESSAGE_BODY, 0, 7, 60, 50, SEALED_FILE, true},
    {"body-longer-than-said", A_SCAN, MESSAGE_BODY, 0, 7, 40, 50, SEALED_FILE, true},
    {"body-negative", A_SCAN, MESSAGE_BODY, 0, 7, -1, 50, SEALED_FILE, true},
    {"body-lowest", A_SCAN, MESSAGE_BODY, 0, 7, INT64_MIN, 50, SEALED_FILE, true},
    {"body-over-limit", A_SCAN, MESSAGE_BODY, 0, 7, 50000001, 0, SEALED_FILE, true},
    {"body-event", A_SCAN, MESSAGE_BODY, 0, 7, 0, 0, EVENT, true},
    {"body-listening-socket", A_SCAN, MESSAGE_BODY, 0, 7, 0, 0, LISTENING, true},
    {"body-control-socket", A_SCAN, MESSAGE_BODY, 0, 7, 0, 0, CONTROL, true},
    {"body-too-large", A_SCAN, MESSAGE_BODY, 1, 7, 0, 0, NO_FILE, false},
    {"body-too-large-with-file", A_SCAN, MESSAGE_BODY, 1, 7, 5, 5, SEALED_FILE, true},
    {"body-of-zeros", A_SCAN, MESSAGE_BODY, 0, 7, 5000, 5000, SEALED_FILE, false},
    {"body-of-nothing", A_SCAN, MESSAGE_BODY, 0, 7, 0, 0, SEALED_FILE, false},
    {"body-sparse", A_SCAN, MESSAGE_BODY, 0, 7, 30000000, 30000000, SEALED_FILE, false},
    {"body-after-gone", A_SCAN_GONE, MESSAGE_BODY, 0, 7, 50, 50, SEALED_FILE, false},
    {"body-after-answer", A_READY, MESSAGE_BODY, 0, 7, 50, 50, SEALED_FILE, false},
    {"body-of-another-in-its-place", A_SCAN, MESSAGE_BODY, 0, 7 + 16384, 50, 50, SEALED_FILE,
     false},
    {"json-zeros", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 500, 500, NO_FILE, false},
    {"json-other-size", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 9, 500, NO_FILE, false},
    {"json-nothing", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 0, 0, NO_FILE, false},
    {"json-file-zeros", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 90000, 90000, SEALED_FILE, false},
    {"json-file-open", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 90000, 90000, OPEN_FILE, true},
    {"json-file-over-limit", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 30000000, 30000000, SEALED_FILE,
     true},
    {"json-file-event", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 0, 0, EVENT, true},
    {"unable-nobody", NOTHING, MESSAGE_UNABLE, 1, 3, 0, 0, NO_FILE, false},
    {"unable-unknown", A_SCAN, MESSAGE_UNABLE, UINT32_MAX, 7, 0, 0, NO_FILE, false},
    {"unable-with-file", A_SCAN, MESSAGE_UNABLE, 1, 7, 5, 5, SEALED_FILE, true},
    {"unable-longer", A_SCAN, MESSAGE_UNABLE, 1, 7, 0, 4, NO_FILE, true},
    {"ask-beyond", NOTHING, MESSAGE_ASK, 1, 8, 0, 9, NO_FILE, false},
    {"gone-nobody", NOTHING, MESSAGE_GONE, 0, 5, 0, 0, NO_FILE, false},
    {"gone-with-file", NOTHING, MESSAGE_GONE, 0, 5, 0, 0, SEALED_FILE, true},
    {"gone-highest", NOTHING, MESSAGE_GONE, 1, UINT64_MAX, -1, 0, NO_FILE, false},
    {"gone-longer", NOTHING, MESSAGE_GONE, 1, 5, -1, 99, NO_FILE, true},
    {"late-nobody", NOTHING, MESSAGE_LATE, 0, 5, 0, 0, NO_FILE, false},
    {"late-longer", NOTHING, MESSAGE_LATE, 0, 5, 0, 4, NO_FILE, true},
    {"counts-empty", NOTHING, MESSAGE_COUNTS, 0, 0, 0, 0, NO_FILE, true},
    {"counts-longest", NOTHING, MESSAGE_COUNTS, 0, 0, 0, MESSAGE_MOST, NO_FILE, true},
    {"counts-highest", NOTHING, MESSAGE_COUNTS, 0, UINT64_MAX, 0, OB_FRONT_COUNTS * 8, NO_FILE,
     false},
    {"layers-all", NOTHING, MESSAGE_LAYERS, UINT32_MAX, 0, 0, 0, NO_FILE, false},
    {"layers-longer", NOTHING, MESSAGE_LAYERS, 0, 0, 0, 9, NO_FILE, true},
    {"taken-of-nobody", NOTHING, MESSAGE_TAKEN, 0, 3, 5, 0, NO_FILE, false},
    {"taken-longer", NOTHING, MESSAGE_TAKEN, 0, 3, 5, 4, NO_FILE, true},
    {"taken-without-pieces", A_SCAN, MESSAGE_TAKEN, 0, 7, 5, 0, NO_FILE, true},
    {"taken-nothing", A_SCAN, MESSAGE_TAKEN, 0, 7, 0, 0, NO_FILE, true},
    {"body-of-who-waits", WHO_WAITS, MESSAGE_BODY, 0, 7, 0, 0, NO_FILE, true},
    {"unable-of-who-waits", WHO_WAITS, MESSAGE_UNABLE, 1, 7, 0, 0, NO_FILE, true},
    {"ask-over-who-waits", WHO_WAITS, MESSAGE_ASK, 0, 7, 0, 0, NO_FILE, true},
    {"late-of-who-waits", WHO_WAITS, MESSAGE_LATE, 0, 7, 0, 0, NO_FILE, false},
    {"gone-of-who-waits", WHO_WAITS, MESSAGE_GONE, 0, 7, 0, 0, NO_FILE, false},
    {"too-long", NOTHING, MESSAGE_ASK, 0, 1, 0, MESSAGE_MOST + 8, NO_FILE, true},
    {"body-in-a-file-and-beside", A_SCAN, MESSAGE_BODY, 0, 7, 50, 50, SEALED_AND_ZEROS, true},
};

static void prepare(first first)
{
    const bool scans = first == A_SCAN || first == A_SCAN_GONE;
    if (first == NOTHING)
        return;
    if (first == WHO_WAITS) {
        ask(A_WAITING_HEAD, 7, NULL, 0);
        poll(NULL, 0, 300);
        return;
    }
    ask(scans                     ? A_SCAN_HEAD
        : first == AN_EXPLANATION ? AN_EXPLANATION_HEAD
                                  : A_READY_HEAD,
        7, NULL, 0);
    await(7, 20000);
    if (first == A_SCAN_GONE)
        kind_alone(MESSAGE_GONE, 7);
}

static void tell(const struct lie *l)
{
    const bool sealed = l->beside == SEALED_FILE || l->beside == SEALED_AND_ZEROS;
    int file = l->beside == OPEN_FILE   ? memory_file(l->size, false)
               : sealed                 ? memory_file(l->size, true)
               : l->beside == EVENT     ? (int)syscall(SYS_eventfd2, 0, 0)
               : l->beside == LISTENING ? LISTEN_FD
               : l->beside == CONTROL   ? CONTROL_FD
                                        : -1;
    const bool zeros = l->beside == NO_FILE || l->beside == SEALED_AND_ZEROS;
    prepare(l->first);
    packet(l->kind, l->first_field, l->id, (uint64_t)l->second_field, zeros ? l->size : 0, file);
    if (file > LISTEN_FD)
        close(file);
    if (!l->ends) /* the number is free for the next one */
        kind_alone(MESSAGE_GONE, 7);
}

void list_lies(void)
{
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        say("%s %d", lies[i].name, lies[i].ends);
}

void tell_lie(const char *name)
{
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        if (!strcmp(name, lies[i].name))
            tell(&lies[i]);
}
