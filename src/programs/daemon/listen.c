#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above the descriptors that children get at fixed places. */
static int move_up(int file)
{
    enum { ABOVE = 20 };
    int moved = fcntl(file, F_DUPFD_CLOEXEC, ABOVE);
    close(file);
    return moved;
}

/* ---- What systemd has opened ----------------------------------------------------------------- */

/* sd_listen_fds(3). */
enum { INHERITED = 3 };

static int inherited_count(void)
{
    const char *process = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    if (!process || !count || strtol(process, NULL, 10) != (long)getpid())
        return 0;
    return (int)strtol(count, NULL, 10);
}

/* The n-th of "A:B:C". */
static void name_of(char out[64], int n)
{
    const char *at = getenv("LISTEN_FDNAMES");
    for (; at && n; n--) {
        at = strchr(at, ':');
        at = at ? at + 1 : NULL;
    }
    snprintf(out, 64, "%.*s", at ? (int)strcspn(at, ":") : 0, at ? at : "");
}

/* Without FileDescriptorName= the name is the unit's: then it is the services', who alone were
 * there once. Anything else may be a slip, and is nobody's. */
static bool listener_of(ob_listener *out, const char *name)
{
    const char *end = strrchr(name, '.');
    for (int i = 0; i < OB_LISTENERS; i++)
        if (!strcmp(name, ob_listener_name((ob_listener)i))) {
            *out = (ob_listener)i;
            return true;
        }
    *out = OB_LISTENER_SERVICES;
    return !*name || !strcmp(name, "unknown") || (end && !strcmp(end, ".socket"));
}

static bool has_option(int file, int option, int wanted)
{
    int value = 0;
    socklen_t size = sizeof value;
    return !getsockopt(file, SOL_SOCKET, option, &value, &size) && value == wanted;
}

static ob_status take_inherited(listeners *out, const config *config, int n, ob_error *err)
{
    char name[64];
    ob_listener which;
    const int file = INHERITED + n;
    name_of(name, n);
    if (!listener_of(&which, name))
        return ob_fail(err, OB_EINVAL,
                       "systemd hands over a socket that is named \"%s\": FileDescriptorName= is "
                       "services, staff or public",
                       name);
    if (out->socket[which] >= 0)
        return ob_fail(err, OB_EINVAL, "systemd hands over two sockets for %s: one is taken",
                       ob_listener_name(which));
    if (!has_option(file, SO_TYPE, SOCK_STREAM) || !has_option(file, SO_ACCEPTCONN, 1))
        return ob_fail(err, OB_EINVAL,
                       "what systemd hands over for %s is no listening stream socket",
                       ob_listener_name(which));
    if (address_is_none(config->listen[which]))
        return ob_fail(err, OB_EINVAL, "systemd hands over a socket for %s, and %s is \"none\"",
                       ob_listener_name(which), config_listen_keys[which]);
    out->socket[which] = move_up(file);
    if (out->socket[which] < 0)
        return ob_fail(err, OB_EIO, "a socket of systemd's cannot be taken: %s", strerror(errno));
    return OB_OK;
}

/* ---- What is opened here --------------------------------------------------------------------- */

/* Whether somebody takes connections there. */
static bool is_alive(const address *a)
{
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool alive = probe < 0 || !connect(probe, &a->any, a->size) || errno != ECONNREFUSED;
    if (probe >= 0)
        close(probe);
    return alive;
}

/* A socket that a service left which was killed. Sets errno where something else is there. */
static bool clear_path(const address *a)
{
    struct stat there;
    if (lstat(a->path.sun_path, &there))
        return errno == ENOENT;
    errno = EEXIST;
    if (!S_ISSOCK(there.st_mode))
        return false;
    if (is_alive(a)) {
        errno = EADDRINUSE;
        return false;
    }
    return !unlink(a->path.sun_path);
}

/* Others than owner and group are not let in. */
static bool bind_path(int file, const address *a)
{
    if (!clear_path(a))
        return false;
    const mode_t mask = umask(0117);
    const bool bound = !bind(file, &a->any, a->size);
    const int problem = errno;
    umask(mask);
    errno = problem;
    return bound;
}

static bool bind_port(int file, const address *a)
{
    const int yes = 1;
    return !setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) &&
           !bind(file, &a->any, a->size);
}

static int open_socket(const address *a)
{
    enum { BACKLOG = 1024 };
    const int file = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0)
        return -1;
    const bool is_path = a->any.sa_family == AF_UNIX;
    if ((is_path ? bind_path(file, a) : bind_port(file, a)) && !listen(file, BACKLOG))
        return move_up(file);
    const int problem = errno;
    close(file);
    errno = problem;
    return -1;
}

static void know_path(listeners *out, int which, const char *path)
{
    struct stat made;
    if (lstat(path, &made))
        return;
    out->device[which] = made.st_dev;
    out->node[which] = made.st_ino;
}

static ob_status open_one(listeners *out, int which, const char *text, ob_error *err)
{
    address a;
    ob_error wrong = {0};
    if (address_read(&a, text, &wrong))
        return ob_fail(err, OB_EINVAL, "--%s: %s", config_listen_keys[which], wrong.text);
    out->socket[which] = open_socket(&a);
    if (out->socket[which] < 0)
        return ob_fail(err, OB_EIO, "--%s: %s cannot be listened on: %s", config_listen_keys[which],
                       text, errno == EEXIST ? "there is a file, and no socket" : strerror(errno));
    if (a.any.sa_family == AF_UNIX)
        know_path(out, which, a.path.sun_path);
    return OB_OK;
}

/* ---- All ------------------------------------------------------------------------------------- */

static void know_where(listeners *l, int which)
{
    address a = {.size = sizeof a.storage};
    const int file = l->socket[which];
    if (file < 0) {
        snprintf(l->told[which], ADDRESS_TEXT, "none");
        return;
    }
    fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK);
    if (getsockname(file, &a.any, &a.size))
        a = (address){.any.sa_family = AF_UNIX};
    address_write(l->told[which], &a);
}

static ob_status open_all(listeners *out, const config *config, ob_error *err)
{
    const int count = inherited_count();
    bool any = false;
    ob_status status = OB_OK;
    for (int i = 0; i < count && !status; i++)
        status = take_inherited(out, config, i, err);
    for (int i = 0; i < OB_LISTENERS && !status; i++) {
        if (out->socket[i] < 0 && !address_is_none(config->listen[i]))
            status = open_one(out, i, config->listen[i], err);
        any |= out->socket[i] >= 0;
        know_where(out, i);
    }
    if (!status && !any)
        return ob_fail(
            err, OB_EINVAL,
            "nobody could ask: --listen, --listen-staff and --listen-public are \"none\"");
    return status;
}

ob_status listeners_open(listeners *out, const config *config, ob_error *err)
{
    listeners l = {.socket = {-1, -1, -1}};
    ob_status status = open_all(&l, config, err);
    if (status)
        listeners_close(&l);
    else
        *out = l;
    return status;
}

void listeners_close(listeners *l)
{
    for (int i = 0; i < OB_LISTENERS; i++) {
        struct stat there;
        if (l->socket[i] < 0)
            continue;
        close(l->socket[i]);
        l->socket[i] = -1;
        if (l->node[i] && !lstat(l->told[i], &there) && there.st_dev == l->device[i] &&
            there.st_ino == l->node[i])
            unlink(l->told[i]);
    }
}

/* ---- Telling --------------------------------------------------------------------------------- */

/* Whom it lets in. */
static void tell_path(char out[300], const char *path)
{
    struct stat there;
    if (lstat(path, &there)) {
        snprintf(out, 300, "%s", path);
        return;
    }
    const struct passwd *user = getpwuid(there.st_uid);
    const struct group *group = getgrgid(there.st_gid);
    char numbers[2][24];
    snprintf(numbers[0], sizeof numbers[0], "%u", (unsigned)there.st_uid);
    snprintf(numbers[1], sizeof numbers[1], "%u", (unsigned)there.st_gid);
    snprintf(out, 300, "%s (mode %04o, owner %.40s:%.40s)", path, (unsigned)there.st_mode & 07777U,
             user ? user->pw_name : numbers[0], group ? group->gr_name : numbers[1]);
}

void listeners_tell(char out[LISTENERS_TEXT], const listeners *l)
{
    size_t length = 0;
    *out = '\0';
    for (int i = 0; i < OB_LISTENERS; i++) {
        char where[300];
        if (l->socket[i] < 0)
            continue;
        if (*l->told[i] == '/')
            tell_path(where, l->told[i]);
        else
            snprintf(where, sizeof where, "%s%s", strchr(l->told[i], ':') ? "http://" : "",
                     l->told[i]);
        length += (size_t)snprintf(out + length, LISTENERS_TEXT - length, "%s%s %s",
                                   length ? ", " : "", ob_listener_name((ob_listener)i), where);
    }
}
