/* What `obhut status` reads from the audit log: the last backup, and backups that did not end. */
#include "status_log.h"

#include <obhut/audit.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNDER_WAY = 8, INSTANT = 20 };

typedef struct seen {
    char backup[INSTANT + 1], given[INSTANT + 1];
    struct {
        uint64_t number;
        char at[INSTANT + 1];
    } begun[UNDER_WAY]; /* backups that may be under way: the latest */
    size_t begun_count;
} seen;

static bool says(const char *text, size_t size, const char *what)
{
    return memmem(text, size, what, strlen(what)) != NULL;
}

/* Entries are written by the log itself: the instant is the second member of each. */
static void take_instant(char out[INSTANT + 1], const char *text, size_t size)
{
    static const char before[] = "\"at\":\"";
    const char *at = memmem(text, size, before, strlen(before));
    if (at && (size_t)(text + size - at) > strlen(before) + INSTANT)
        snprintf(out, INSTANT + 1, "%.*s", INSTANT, at + strlen(before));
}

static uint64_t entry_of(const char *text, size_t size)
{
    static const char before[] = "\"entry\":";
    const char *at = memmem(text, size, before, strlen(before));
    return at ? strtoull(at + strlen(before), NULL, 10) : UINT64_MAX; /* a member follows it */
}

static ob_status take(void *context, uint64_t number, const char *text, size_t size, ob_error *err)
{
    seen *s = context;
    (void)err;
    if (says(text, size, "\"what\":\"checkpoint.given\"")) {
        take_instant(s->given, text, size);
    } else if (says(text, size, "\"what\":\"backup.make\"")) {
        s->begun[s->begun_count % UNDER_WAY].number = number;
        take_instant(s->begun[s->begun_count++ % UNDER_WAY].at, text, size);
    } else if (says(text, size, "\"what\":\"done\"")) {
        const uint64_t entry = entry_of(text, size);
        for (size_t i = 0; i < UNDER_WAY && i < s->begun_count; i++)
            if (s->begun[i].number == entry)
                memcpy(s->backup, s->begun[i].at, sizeof s->backup);
    }
    return OB_OK;
}

static json_t *instant(const char *text)
{
    return *text ? json_string(text) : json_null();
}

void status_from_log(json_t *status, const char *data_dir)
{
    seen s = {.begun_count = 0};
    char *dir = NULL;
    if (asprintf(&dir, "%s/audit", data_dir) >= 0)
        (void)ob_audit_read(dir, 0, UINT64_MAX, take, &s,
                            NULL); /* without a log, nothing is told */
    free(dir);
    json_object_set_new(status, "last_backup", instant(s.backup));
    json_object_set_new(status, "last_checkpoint_given", instant(s.given));
}
