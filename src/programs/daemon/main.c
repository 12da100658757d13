/* obhutd: reads the command line, opens the listening socket, and watches over two processes. */
#include "address.h"
#include "launch.h"
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "Usage: obhutd [--data DIR] [--listen ADDRESS:PORT] [--config FILE]\n"
    "\n"
    "Looks at what a service hands over and may be looked at, and answers over HTTP. Runs in the\n"
    "foreground; SIGTERM ends it within ten seconds.\n"
    "\n"
    "  --data DIR             lists, records, keys; made if it is not there (as for obhut)\n"
    "  --listen ADDRESS:PORT  default 127.0.0.1:8480; port 0: any that is free\n"
    "  --config FILE          man obhutd.conf; everything has a safe default. -FILE: where it is "
    "not\n"
    "                         there, all defaults count\n"
    "  --check-config         only reads the configuration and says what is wrong with it\n"
    "  --version, --help\n"
    "\n"
    "At the first start a token that may scan and match on every surface is written to "
    "DIR/keys/api-token:\n"
    "\n"
    "  curl --data-binary @photo.jpg -H \"Authorization: Bearer $(cat DIR/keys/api-token)\" \\\n"
    "       'http://127.0.0.1:8480/v1/scan?surface=public'\n";

static int usage(const char *problem, const char *what)
{
    if (problem)
        fprintf(stderr, "obhutd: %s%s\n", problem, what);
    fputs("Help: obhutd --help\n", stderr);
    return EXIT_WRONG_USE;
}

/* ---- Listening ------------------------------------------------------------------------------ */

/* What systemd has opened for us (sd_listen_fds(3)); -1: nothing, -2: not one stream socket. */
static int inherited_socket(void)
{
    const char *process = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    enum { FIRST = 3 };
    int kind = 0;
    socklen_t size = sizeof kind;
    if (!process || !count || strtol(process, NULL, 10) != (long)getpid())
        return -1;
    if (strcmp(count, "1") || getsockopt(FIRST, SOL_SOCKET, SO_TYPE, &kind, &size) ||
        kind != SOCK_STREAM)
        return -2;
    return FIRST;
}

static ob_status open_socket(int *out, const char *address, ob_error *err)
{
    struct addrinfo *found = NULL;
    enum { BACKLOG = 1024 };
    const int yes = 1;
    ob_status status = address_read(&found, address, err);
    if (status)
        return status;
    int listening = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool opened =
        listening >= 0 && !setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) &&
        !bind(listening, found->ai_addr, found->ai_addrlen) && !listen(listening, BACKLOG);
    const int problem = errno;
    freeaddrinfo(found);
    if (opened) {
        *out = listening;
        return OB_OK;
    }
    if (listening >= 0)
        close(listening);
    return ob_fail(err, OB_EIO, "%s cannot be listened on: %s", address, strerror(problem));
}

static void url_of(char out[200], int listening)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[100], port[16];
    if (getsockname(listening, (struct sockaddr *)&address, &size) ||
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(out, 200, "the inherited socket");
    else
        snprintf(out, 200, address.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host,
                 port);
}

/* Above the descriptors that children get at fixed places. */
static int move_up(int file)
{
    enum { ABOVE = 10 };
    int moved = fcntl(file, F_DUPFD_CLOEXEC, ABOVE);
    close(file);
    return moved;
}

/* ---- Running -------------------------------------------------------------------------------- */

static ob_status make_data_dir(const char *dir, ob_error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", dir);
    for (char *p = path + 1;; p++) {
        char kept = *p;
        if (kept != '/' && kept)
            continue;
        *p = '\0';
        if (mkdir(path, 0700) && errno != EEXIST)
            return ob_fail(err, OB_EIO, "%s cannot be made: %s", path, strerror(errno));
        *p = kept;
        if (!kept)
            return OB_OK;
    }
}

static void allow_many_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static int start(const config *config, const char *config_file)
{
    ob_error err = {0};
    int listening = inherited_socket();
    char url[200];
    ob_status status = OB_OK;
    if (listening == -2)
        status = ob_fail(&err, OB_EINVAL, "exactly one stream socket is wanted from systemd");
    else if (listening == -1)
        status = open_socket(&listening, config->listen, &err);
    if (!status)
        status = make_data_dir(config->data, &err);
    if (status) {
        daemon_say("main", "%s", err.text);
        return status == OB_EINVAL ? EXIT_WRONG_USE : EXIT_FAILED;
    }
    allow_many_files();
    url_of(url, listening);
    const int flags = fcntl(listening, F_GETFL);
    fcntl(listening, F_SETFL, flags | O_NONBLOCK);
    const supervision s = {
        .config_file = config_file, .config = config, .listening = move_up(listening), .url = url};
    return supervise(&s);
}

/* "-FILE" is a file that may be missing: NULL then. */
static const char *config_file_of(const char *given)
{
    if (!given || *given != '-' || !given[1])
        return given;
    return access(given + 1, F_OK) && errno == ENOENT ? NULL : given + 1;
}

/* A process that main has started: its role is its first argument. */
static int run_role(const char *role, const config *config)
{
    char name[32];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    snprintf(name, sizeof name, "obhutd: %s", role);
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file may grow no more: that is an error, and no reason to die */
    signal(SIGINT, SIG_IGN);  /* a terminal sends it to everybody; main says when to stop */
    signal(SIGTERM, SIG_IGN);
    return strcmp(role, "core") ? front_main(config) : core_main(config);
}

/* It has no configuration, so that nothing of one is in its memory. */
static int run_front(char *const *words, int count)
{
    config config = {.data = ""};
    if (!front_read_words(&config, words, count))
        return usage("only obhutd itself starts a front", "");
    return run_role("front", &config);
}

int main(int argc, char **argv)
{
    enum { DATA = 256, LISTEN, CONFIG, CHECK, VERSION };
    static const struct option longs[] = {{"data", required_argument, NULL, DATA},
                                          {"listen", required_argument, NULL, LISTEN},
                                          {"config", required_argument, NULL, CONFIG},
                                          {"check-config", no_argument, NULL, CHECK},
                                          {"version", no_argument, NULL, VERSION},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *data = NULL, *address = NULL, *file = NULL;
    const char *role = argc > 1 && !strcmp(argv[1], "core") ? argv[1] : NULL;
    bool check = false;
    int option;
    if (argc > 1 && !strcmp(argv[1], "front"))
        return run_front(argv + 2, argc - 2);
    optind = role ? 2 : 1;
    opterr = 0; /* usage says it, with the nearest that there is */
    while ((option = getopt_long(argc, argv, ":h", longs, NULL)) != -1)
        switch (option) {
        case DATA:
            data = optarg;
            break;
        case LISTEN:
            address = optarg;
            break;
        case CONFIG:
            file = optarg;
            break;
        case CHECK:
            check = true;
            break;
        case VERSION:
            puts("obhutd " OB_VERSION);
            return EXIT_FINE;
        case 'h':
            fputs(help, stdout);
            return EXIT_FINE;
        case ':':
            return usage("a value is needed: ", argv[optind - 1]);
        default:
            return usage(optopt ? "no such option, or it takes no value: " : "no option ",
                         argv[optind - 1]);
        }
    if (optind < argc)
        return usage("too much: ", argv[optind]);
    config config;
    ob_error err = {0};
    file = config_file_of(file);
    if (config_read(&config, file, &err)) {
        daemon_say("main", "%s", err.text);
        return EXIT_FAILED;
    }
    if (data && (!*data || strlen(data) >= sizeof config.data))
        return usage("--data needs a directory", "");
    if (data)
        snprintf(config.data, sizeof config.data, "%s", data);
    if (address)
        snprintf(config.listen, sizeof config.listen, "%s", address);
    int code = EXIT_FINE;
    if (check && address && address_read(NULL, address, &err)) {
        daemon_say("main", "--listen: %s", err.text);
        code = EXIT_FAILED;
    } else if (check)
        puts("the configuration is fine");
    else if (access("/proc/self/exe", F_OK)) {
        daemon_say("main", "/proc is not there: obhutd starts its other processes from it "
                           "(mount -t proc proc /proc)");
        code = EXIT_FAILED;
    } else
        code = role ? run_role(role, &config) : start(&config, file);
    config_free(&config);
    return code;
}
