/* The files in a backup: which there may be, in which order, and how they stand behind each other.
 */
#include "backup_priv.h"

#include <obhut/lists.h>

#include <string.h>

/* Little-endian, as all machines that this runs on. */
typedef struct file_head {
    uint64_t size;
    uint16_t mode, name_size;
    uint32_t zero;
} file_head;
_Static_assert(sizeof(file_head) == 16, "as documented");

/* ---- Names ----------------------------------------------------------------------------------- */

static const char *const audit_names[] = {"checkpoints", "key", "log"};
enum { AUDIT_NAMES = sizeof audit_names / sizeof *audit_names };

static int audit_place(const char *name)
{
    for (int i = 0; i < AUDIT_NAMES; i++)
        if (!strcmp(audit_names[i], name))
            return i;
    return -1;
}

/* What follows the folder's name, or NULL. */
static const char *within(const char *name, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(name, folder, length) ? NULL : name + length;
}

backup_rank sequence_rank(const char *name)
{
    const char *rest;
    if (!strcmp(name, "about"))
        return RANK_ABOUT;
    if (!strcmp(name, "records"))
        return RANK_RECORDS;
    if ((rest = within(name, "keys/")) != NULL)
        return ob_name_is_valid(rest) ? RANK_KEYS : RANKS;
    if ((rest = within(name, "audit/")) != NULL)
        return audit_place(rest) >= 0 ? RANK_AUDIT : RANKS;
    if ((rest = within(name, "lists/")) != NULL)
        return ob_list_file_is_valid(rest) ? RANK_LISTS : RANKS;
    return RANKS;
}

int sequence_order(const void *a, const void *b)
{
    const sequence_file *x = a, *y = b;
    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank)
                              : strcmp(x->name, y->name);
}

static bool is_small(backup_rank rank)
{
    return rank == RANK_ABOUT || rank == RANK_KEYS;
}

/* ---- Writing --------------------------------------------------------------------------------- */

ob_status sequence_put(const sequence_file *file, ob_seal_put put, void *context, ob_error *err)
{
    const file_head head = {.size = file->size,
                            .mode = (uint16_t)file->mode,
                            .name_size = (uint16_t)strlen(file->name)};
    ob_status status = put(context, &head, sizeof head, err);
    return status ? status : put(context, file->name, head.name_size, err);
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* As much as there is, up to `size`. */
static ob_status get_all(size_t *got, sequence *s, void *bytes, size_t size, ob_error *err)
{
    ob_status status = OB_OK;
    size_t now = 1;
    for (*got = 0; *got < size && now && !status; *got += now) {
        now = 0;
        status = s->get(s->context, (char *)bytes + *got, size - *got, &now, err);
    }
    return status;
}

static ob_status damaged(ob_error *err, const char *what)
{
    return ob_fail(err, OB_EFORMAT, "the backup makes no sense: %s", what);
}

static ob_status check_end(const sequence *s, ob_error *err)
{
    for (int i = 0; i < AUDIT_NAMES; i++)
        if (!s->has[i])
            return ob_fail(err, OB_EFORMAT, "the backup makes no sense: it has no audit/%s",
                           audit_names[i]);
    return s->now.rank == RANK_RECORDS ? OB_OK : damaged(err, "it has no records");
}

static ob_status check_file(const sequence *s, const sequence_file *next, ob_error *err)
{
    if (next->rank == RANKS)
        return damaged(err, "a file in it has a name that none can have");
    if (s->files ? sequence_order(&s->now, next) >= 0 : next->rank != RANK_ABOUT)
        return ob_fail(err, OB_EFORMAT, "the backup makes no sense: %s is not where it belongs",
                       next->name);
    if (next->mode != 0600 && next->mode != 0400)
        return ob_fail(err, OB_EFORMAT, "the backup makes no sense: %s has mode %o", next->name,
                       (unsigned)next->mode);
    if (next->size > (is_small(next->rank) ? SEQUENCE_SMALL : INT64_MAX))
        return ob_fail(err, OB_EFORMAT, "the backup makes no sense: %s has %llu bytes", next->name,
                       (unsigned long long)next->size);
    return s->files < SEQUENCE_FILES_MOST ? OB_OK : damaged(err, "too many files");
}

ob_status sequence_next(bool *end, sequence *s, ob_error *err)
{
    file_head head;
    sequence_file next = {0};
    size_t got = 0;
    if (s->left)
        return ob_fail(err, OB_EINVAL, "the file before was not read");
    ob_status status = get_all(&got, s, &head, sizeof head, err);
    if (status)
        return status;
    *end = !got;
    if (!got)
        return check_end(s, err);
    if (got < sizeof head)
        return damaged(err, "it ends within the head of a file");
    if (!head.name_size || head.name_size > SEQUENCE_NAME || head.zero)
        return damaged(err, "the head of a file in it");
    status = get_all(&got, s, next.name, head.name_size, err);
    if (status)
        return status;
    if (got < head.name_size)
        return damaged(err, "it ends within the name of a file");
    next.size = head.size;
    next.mode = head.mode;
    next.rank = strlen(next.name) == head.name_size ? sequence_rank(next.name) : RANKS;
    status = check_file(s, &next, err);
    if (status)
        return status;
    if (next.rank == RANK_AUDIT)
        s->has[audit_place(within(next.name, "audit/"))] = true;
    s->now = next;
    s->left = next.size;
    s->files++;
    return OB_OK;
}

ob_status sequence_read(void *context, void *bytes, size_t capacity, size_t *size, ob_error *err)
{
    sequence *s = context;
    *size = 0;
    if (!s->left || !capacity)
        return OB_OK;
    ob_status status =
        s->get(s->context, bytes, s->left < capacity ? (size_t)s->left : capacity, size, err);
    if (!status && !*size)
        status =
            ob_fail(err, OB_EFORMAT, "the backup makes no sense: it ends within %s", s->now.name);
    if (!status) {
        s->left -= *size;
        s->bytes += *size;
    }
    return status;
}

ob_status sequence_skip(sequence *s, ob_error *err)
{
    char piece[4096];
    size_t got = 1;
    ob_status status = OB_OK;
    while (got && !status)
        status = sequence_read(s, piece, sizeof piece, &got, err);
    return status;
}
