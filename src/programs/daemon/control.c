/* What main and the processes that it starts say to each other, and how all of them speak to
 * people.
 */
#include "control.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void daemon_say(const char *who, const char *format, ...)
{
    char line[1200];
    va_list args;
    va_start(args, format);
    int at = snprintf(line, sizeof line - 1, "obhutd: %s: ", who);
    int more = vsnprintf(line + at, sizeof line - 1 - (size_t)at, format, args);
    va_end(args);
    size_t size = strlen(line);
    (void)more;
    line[size++] = '\n';
    (void)!write(STDERR_FILENO, line, size);
}

int64_t daemon_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const ob_wire_kind kinds[CONTROL_KINDS] = {
    [CONTROL_READY] = {"READY", CONTROL_CHILD, 0, 0, OB_WIRE_NO_FILE},
    [CONTROL_HANG_UP] = {"HANG_UP", CONTROL_CHILD, 0, 0, OB_WIRE_NO_FILE},
    [CONTROL_PEER] = {"PEER", CONTROL_MAIN, 0, 0, OB_WIRE_HAS_FILE},
    [CONTROL_STOP] = {"STOP", CONTROL_MAIN, 0, 0, OB_WIRE_NO_FILE},
};

/* Nothing waits: who does not read is at its end, or is ended. */
const ob_wire_protocol control_protocol = {
    .sides = {[CONTROL_MAIN] = "main", [CONTROL_CHILD] = "child"},
    .kinds = kinds,
    .kind_count = CONTROL_KINDS,
};

bool control_send(ob_wire *to, control_kind kind, role_id about, int file)
{
    ob_packet p = ob_packet_of(kind, about);
    p.file = file;
    return ob_wire_send(to, &p);
}
