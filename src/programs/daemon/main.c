/* obhutd: reads the command line, opens the listening sockets, and watches over its processes; or
 * is one of these. */
#include "address.h"
#include "roles.h"
#include "supervise.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "Usage: obhutd [--data DIR] [--listen WHERE] [--listen-staff WHERE] [--listen-public WHERE]\n"
    "              [--config FILE]\n"
    "\n"
    "Looks at what a service hands over and may be looked at, and answers over HTTP. Runs in the\n"
    "foreground; SIGTERM ends it within ten seconds.\n"
    "\n"
    "  --data DIR             lists, records, keys; made if it is not there (as for obhut)\n"
    "  --listen WHERE         for services: /v1, gateways, /readyz, /metrics; default "
    "127.0.0.1:8480\n"
    "  --listen-staff WHERE   for persons; default 127.0.0.1:8481\n"
    "  --listen-public WHERE  for everybody: /transparency; default 127.0.0.1:8482\n"
    "  --config FILE          man obhutd.conf; everything has a safe default. -FILE: where it is "
    "not\n"
    "                         there, all defaults count\n"
    "  --check-config         only reads the configuration and says what is wrong with it\n"
    "  --version, --help\n"
    "\n"
    "WHERE is ADDRESS:PORT, [ADDRESS]:PORT, localhost:PORT, the path of a Unix socket (mode 0660), "
    "or\n"
    "none. Port 0 takes any that is free. Nothing of one listener answers on another.\n"
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
    listeners all;
    ob_status status = listeners_open(&all, config, &err);
    if (!status && (status = make_data_dir(config->data, &err)))
        listeners_close(&all);
    if (status) {
        daemon_say("main", "%s", err.text);
        return status == OB_EINVAL ? EXIT_WRONG_USE : EXIT_FAILED;
    }
    allow_many_files();
    const supervision s = {.config_file = config_file, .config = config, .listeners = &all};
    const int code = supervise(&s);
    listeners_close(&all);
    return code;
}

/* "-FILE" is a file that may be missing: NULL then. */
static const char *config_file_of(const char *given)
{
    if (!given || *given != '-' || !given[1])
        return given;
    return access(given + 1, F_OK) && errno == ENOENT ? NULL : given + 1;
}

/* A process that main has started. */
static int run_role(role_id role, const config *config)
{
    char name[32];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    snprintf(name, sizeof name, "obhutd: %s", roles[role].name);
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file may grow no more: that is an error, and no reason to die */
    signal(SIGINT, SIG_IGN);  /* a terminal sends it to everybody; main says when to stop */
    signal(SIGTERM, SIG_IGN);
    return roles[role].run(config);
}

/* One that has no configuration but these words, so that nothing else of it is in its memory. */
static int run_told(role_id role, char *const *words, int count)
{
    config config = {.data = ""};
    if (!roles[role].read(&config, words, count))
        return usage("only obhutd itself starts a ", roles[role].name);
    return run_role(role, &config);
}

/* What stands on the command line; it is stronger than the file. */
typedef struct given {
    const char *data, *file, *listen[OB_LISTENERS];
    bool check;
} given;

/* False: the exit code is set. */
static bool read_options(given *out, int *code, int argc, char **argv)
{
    enum { LISTEN = 256, DATA = LISTEN + OB_LISTENERS, CONFIG, CHECK, VERSION };
    static const struct option longs[] = {
        {"data", required_argument, NULL, DATA},
        {"listen", required_argument, NULL, LISTEN + OB_LISTENER_SERVICES},
        {"listen-staff", required_argument, NULL, LISTEN + OB_LISTENER_STAFF},
        {"listen-public", required_argument, NULL, LISTEN + OB_LISTENER_PUBLIC},
        {"config", required_argument, NULL, CONFIG},
        {"check-config", no_argument, NULL, CHECK},
        {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, 'h'},
        {0}};
    int option;
    opterr = 0; /* usage says it, with the nearest that there is */
    *code = EXIT_FINE;
    while ((option = getopt_long(argc, argv, ":h", longs, NULL)) != -1)
        switch (option) {
        case LISTEN + OB_LISTENER_SERVICES:
        case LISTEN + OB_LISTENER_STAFF:
        case LISTEN + OB_LISTENER_PUBLIC:
            out->listen[option - LISTEN] = optarg;
            break;
        case DATA:
            out->data = optarg;
            break;
        case CONFIG:
            out->file = optarg;
            break;
        case CHECK:
            out->check = true;
            break;
        case VERSION:
            puts("obhutd " OB_VERSION);
            return false;
        case 'h':
            fputs(help, stdout);
            return false;
        case ':':
            *code = usage("a value is needed: ", argv[optind - 1]);
            return false;
        default:
            *code = usage(optopt ? "no such option, or it takes no value: " : "no option ",
                          argv[optind - 1]);
            return false;
        }
    if (optind < argc)
        *code = usage("too much: ", argv[optind]);
    return optind >= argc;
}

/* False after saying why. */
static bool apply(config *config, const given *g)
{
    if (g->data && (!*g->data || strlen(g->data) >= sizeof config->data)) {
        usage("--data needs a directory", "");
        return false;
    }
    if (g->data)
        snprintf(config->data, sizeof config->data, "%s", g->data);
    for (int i = 0; i < OB_LISTENERS; i++)
        if (g->listen[i])
            snprintf(config->listen[i], sizeof config->listen[i], "%s", g->listen[i]);
    config_close_listeners(config);
    return true;
}

/* The file's were looked at when it was read. */
static int check(const given *g)
{
    ob_error err = {0};
    for (int i = 0; i < OB_LISTENERS; i++)
        if (g->listen[i] && !address_is_none(g->listen[i]) &&
            address_read(NULL, g->listen[i], &err)) {
            daemon_say("main", "--%s: %s", config_listen_keys[i], err.text);
            return EXIT_FAILED;
        }
    puts("the configuration is fine");
    return EXIT_FINE;
}

static bool has_proc(void)
{
    if (!access("/proc/self/exe", F_OK))
        return true;
    daemon_say("main", "/proc is not there: obhutd starts its other processes from it "
                       "(mount -t proc proc /proc)");
    return false;
}

int main(int argc, char **argv)
{
    const role_id role = argc > 1 ? role_find(argv[1]) : ROLES;
    given g = {0};
    int code;
    if (role < ROLES && roles[role].read)
        return run_told(role, argv + 2, argc - 2);
    optind = role < ROLES ? 2 : 1;
    if (!read_options(&g, &code, argc, argv))
        return code;
    config config;
    ob_error err = {0};
    const char *file = config_file_of(g.file);
    if (config_read(&config, file, &err)) {
        daemon_say("main", "%s", err.text);
        return EXIT_FAILED;
    }
    code = EXIT_WRONG_USE;
    if (apply(&config, &g))
        code = g.check        ? check(&g)
               : !has_proc()  ? EXIT_FAILED
               : role < ROLES ? run_role(role, &config)
                              : start(&config, file);
    config_free(&config);
    return code;
}
