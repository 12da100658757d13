/* Tokens of services, and the operator's own. */
#include <obhut/staff.h>

#include <obhut/clock.h>
#include <obhut/crypto.h>
#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert((int)OB_TOKEN_TEXT == (int)OB_SECRET_TEXT, "a token's secret is a secret");
_Static_assert((int)OB_FINGERPRINT_SIZE == (int)OB_MAC_SIZE, "a fingerprint is as long as a MAC");

static const char *const scopes[OB_SCOPES] = {"scan", "match", "lists", "reports", "consents"};

const char *ob_scope_name(ob_scope scope)
{
    return scope < OB_SCOPES ? scopes[scope] : "unknown";
}

/* Tokens are few and asked for with every request: they are kept in memory, and read again when the
 * records have changed. */
struct ob_staff {
    ob_store *store;
    ob_acts *acts;
    pthread_mutex_t lock;
    ob_token *tokens;
    size_t count;
    uint64_t generation; /* of the store when they were read */
};

/* ---- Opening --------------------------------------------------------------------------------- */

/* Under the lock. */
static ob_status read_tokens(ob_staff *staff, ob_error *err)
{
    ob_token *tokens = NULL;
    size_t count = 0;
    uint64_t generation = ob_store_generation(staff->store);
    if (staff->generation == generation)
        return OB_OK;
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, staff->store, err);
    if (!status)
        status = ob_store_tokens(&tokens, &count, view, err);
    ob_view_close(view);
    if (status)
        return status;
    free(staff->tokens);
    staff->tokens = tokens;
    staff->count = count;
    staff->generation = generation;
    return OB_OK;
}

ob_status ob_staff_open(ob_staff **out, ob_store *store, ob_acts *acts, ob_error *err)
{
    ob_staff *staff = calloc(1, sizeof *staff);
    if (!staff)
        return ob_fail(err, OB_ENOMEM, "out of memory: tokens");
    staff->store = store;
    staff->acts = acts;
    pthread_mutex_init(&staff->lock, NULL);
    ob_status status = read_tokens(staff, err);
    if (status)
        ob_staff_close(staff);
    else
        *out = staff;
    return status;
}

void ob_staff_close(ob_staff *staff)
{
    if (!staff)
        return;
    pthread_mutex_destroy(&staff->lock);
    free(staff->tokens);
    free(staff);
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

ob_status ob_staff_token_add(char secret[], ob_writing *w, const char *name, uint32_t surfaces,
                             uint32_t scopes_wanted, ob_error *err)
{
    ob_token token = {.surfaces = surfaces, .scopes = scopes_wanted, .made_at = ob_now()};
    if (!surfaces || !scopes_wanted || surfaces & ~(uint32_t)OB_EVERY_SURFACE ||
        scopes_wanted & ~(uint32_t)OB_EVERY_SCOPE)
        return ob_fail(err, OB_EINVAL, "a token needs a surface and a scope");
    if (!ob_name_is_valid(name))
        return ob_fail(err, OB_EINVAL, "\"%s\" is no name: a-z 0-9 . _ -, at most %d", name,
                       OB_NAME_MAX);
    snprintf(token.name, sizeof token.name, "%s", name);
    ob_secret_make(secret);
    ob_secret_fingerprint(token.fingerprint, secret, OB_SECRET_TEXT);
    return ob_store_token_add(w, &token, err);
}

ob_status ob_staff_token_find(bool *found, ob_token *out, ob_staff *staff, const char *secret,
                              ob_error *err)
{
    uint8_t fingerprint[OB_MAC_SIZE];
    *found = false;
    ob_secret_fingerprint(fingerprint, secret, strlen(secret));
    pthread_mutex_lock(&staff->lock);
    ob_status status = read_tokens(staff, err);
    for (size_t i = 0; i < staff->count && !status; i++)
        if (ob_same(staff->tokens[i].fingerprint, fingerprint, sizeof fingerprint)) {
            *out = staff->tokens[i];
            *found = true;
        }
    pthread_mutex_unlock(&staff->lock);
    return status;
}

/* ---- The operator's own ---------------------------------------------------------------------- */

static const char own_name[] = "own";

/* Whole or not at all. */
static ob_status write_secret(const char *path, const char *dir, const char *secret, ob_error *err)
{
    char next[4096 + 8];
    snprintf(next, sizeof next, "%s.new", path);
    ob_file_unlink(AT_FDCWD, next, 0); /* left by a start that was cut short */
    int file = ob_file_open(AT_FDCWD, next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t size = strlen(secret);
    bool written = file >= 0 && !ob_file_give(file, next, AT_FDCWD, dir, NULL) &&
                   ob_file_write(file, secret, size) == (ssize_t)size &&
                   ob_file_write(file, "\n", 1) == 1 && !ob_file_sync(file) &&
                   !ob_file_rename(next, path);
    int problem = errno;
    if (file >= 0)
        close(file);
    if (written)
        return OB_OK;
    ob_file_unlink(AT_FDCWD, next, 0);
    return ob_fail(err, OB_EIO, "%s: cannot be written: %s", path, strerror(problem));
}

/* A file that is there must be the operator's, and what the records know. OB_ENOTFOUND: none is. */
static ob_status check_secret(const ob_staff *staff, const char *path, ob_error *err)
{
    char text[OB_SECRET_TEXT + 3] = ""; /* a byte more than a token and its newline */
    uint8_t fingerprint[OB_MAC_SIZE];
    const ob_file_rule rule = {.most = 4096, .forbidden = 0077};
    const ob_token *own = NULL;
    int file = -1;
    ob_status status = ob_file_open_regular(&file, NULL, path, O_RDONLY, &rule, err);
    if (status)
        return status;
    const ssize_t got = ob_file_read(file, text, OB_SECRET_TEXT + 2);
    close(file);
    if (got < 0)
        return ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(errno));
    for (size_t i = 0; i < staff->count; i++)
        if (!strcmp(staff->tokens[i].name, own_name))
            own = &staff->tokens[i];
    const size_t length = got > 0 && text[got - 1] == '\n' ? (size_t)got - 1 : (size_t)got;
    ob_secret_fingerprint(fingerprint, text, length);
    ob_wipe(text, sizeof text);
    if (own && !ob_same(fingerprint, own->fingerprint, sizeof fingerprint))
        return ob_fail(
            err, OB_EREFUSED,
            "%s is not the token that the records know (\"own\"): put it back, or remove "
            "the file, and the next start makes a new token",
            path);
    return OB_OK;
}

typedef struct own_token {
    bool has_record; /* the start that made it was cut short, or the file was lost */
    char secret[OB_SECRET_TEXT + 1];
} own_token;

static ob_status add_own_token(ob_act *act, void *context, ob_error *err)
{
    own_token *own = context;
    ob_status status = OB_OK;
    ob_act_word(act, "name", own_name);
    if (own->has_record)
        status = ob_store_token_remove(act->w, own_name, err);
    return status ? status
                  : ob_staff_token_add(own->secret, act->w, own_name, OB_EVERY_SURFACE,
                                       OB_OWN_SCOPES, err);
}

ob_status ob_staff_need_own_token(bool *made, ob_staff *staff, const char *dir, ob_error *err)
{
    char path[4096];
    own_token own = {.has_record = false};
    ob_error problem = {0};
    *made = false;
    if (snprintf(path, sizeof path, "%s/keys", dir) >= (int)sizeof path - 16)
        return ob_fail(err, OB_EINVAL, "%s: the path is too long", dir);
    ob_status status = ob_file_make_dir(path, dir, err);
    if (status)
        return status;
    strcat(path, "/api-token");
    status = check_secret(staff, path, &problem);
    if (status != OB_ENOTFOUND) /* fine also where its token was removed: on purpose, then */
        return status ? ob_fail(err, status, "%s", problem.text) : OB_OK;
    for (size_t i = 0; i < staff->count; i++)
        own.has_record |= !strcmp(staff->tokens[i].name, own_name);
    const ob_actor operator= {NULL};
    status = ob_acts_do(NULL, staff->acts, "token.add", &operator, add_own_token, &own, err);
    if (!status)
        status = write_secret(path, dir, own.secret, err);
    ob_wipe(&own, sizeof own);
    *made = !status;
    return status;
}
