/* A front that was taken over, in the place of the real one: confined by the same code, then it
 * does what a line on a connection says: "NAME TOKEN", one of the tables' names, or "list". */
#include "hostile_front.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static ob_wire *main_wire;
int core_socket = -1, visitor_socket = -1;
char large[MESSAGE_MOST + 99];
const char *token;
ob_packet heads[HEADS];

void say(const char *format, ...)
{
    char line[2000];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    line[size++] = '\n';
    (void)!send(visitor_socket, line, (size_t)size, MSG_NOSIGNAL);
}

static void hear_main(void)
{
    ob_packet p;
    ob_wire_got got;
    while ((got = ob_wire_receive(main_wire, &p)) == OB_WIRE_PACKET) {
        if (p.kind == CONTROL_STOP)
            _exit(EXIT_FINE);
        if (core_socket >= 0)
            close(core_socket);
        core_socket = p.file;
    }
    if (got != OB_WIRE_NOTHING)
        _exit(EXIT_FINE);
}

/* Whether the core answers what is asked in earnest. */
static void ask_core(void)
{
    if (core_socket < 0) {
        say("no core");
        return;
    }
    ask(A_READY_HEAD, 4242, NULL, 0);
    const uint32_t status = await(4242, 5000);
    if (status)
        say("status %u", status);
    else
        say("no answer");
}

static void do_line(char *line)
{
    char *rest = NULL, *name = strtok_r(line, " \n", &rest), *what = strtok_r(NULL, " \n", &rest);
    char *count = strtok_r(NULL, " \n", &rest);
    token = what ? what : "";
    make_head(A_SCAN_HEAD, "POST", "/v1/scan", -1, "surface", "public");
    make_head(AN_EXPLANATION_HEAD, "POST", "/v1/gate/explain", -1, NULL, NULL);
    make_head(A_READY_HEAD, "GET", "/readyz", 0, NULL, NULL);
    make_head(A_WAITING_HEAD, "GET", "/v1/lists", 0, "wait", "50");
    if (!name)
        return;
    if (!strcmp(name, "list"))
        list_lies(), list_floods();
    else if (!strcmp(name, "calls"))
        try_calls(atoi(token));
    else if (!strcmp(name, "ask"))
        ask_core();
    else if (!strcmp(name, "random"))
        random_packets((unsigned)atoi(count ? count : "1"), 5000);
    else
        tell_lie(name), run_flood(name);
}

int front_main(const config *config)
{
    uint32_t layers = 0;
    ob_error err = {0};
    main_wire = ob_wire_new(CONTROL_FD, &control_protocol, CONTROL_CHILD, NULL);
    if (!main_wire || front_leave(&layers, config, &err))
        return EXIT_FAILED;
    control_send(main_wire, CONTROL_READY, ROLE_CORE, -1);
    for (;;) {
        struct pollfd all[2] = {{.fd = LISTEN_FD, .events = POLLIN},
                                {.fd = CONTROL_FD, .events = POLLIN}};
        poll(all, 2, -1);
        hear_main();
        char line[1000] = "";
        visitor_socket = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC);
        if (visitor_socket < 0)
            continue;
        if (recv(visitor_socket, line, sizeof line - 1, 0) > 0)
            do_line(line);
        close(visitor_socket);
    }
}
