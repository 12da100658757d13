/* Any change to what the records say of log, key and lists: only what the service wrote is
 * believed. The bytes are laid over the three rows, and where they change nothing, all is as it
 * was. */
#include "../unit/folder.h"
#include "acts_priv.h"

#include <obhut/records/binding.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { OF_LISTS = 2, ROWS = 3 };
static const char *const names[ROWS] = {"log", "pseudonym", "lists"};

static char dir[TEST_FOLDER_SIZE];
static ob_store *store;
static ob_binding kept[ROWS];

static void begin(void)
{
    ob_audit *audit = NULL;
    ob_acts *acts = NULL;
    ob_view *view = NULL;
    bool found = true;
    if (store)
        return;
    if (ob_crypto_start(NULL) || !test_folder(dir) || ob_store_open(&store, dir, NULL, NULL))
        abort();
    const ob_audit_options options = {.dir = dir};
    if (ob_audit_open(&audit, &options, NULL) || ob_acts_open(&acts, store, audit, dir, NULL))
        abort();
    if (ob_acts_lists_set(acts, &(ob_acts_lists){.changes = 7, .sum = {1, 2, 3}}, NULL))
        abort();
    ob_acts_close(acts);
    ob_audit_close(audit, NULL);
    if (ob_view_open(&view, store, NULL))
        abort();
    for (int i = 0; i < ROWS; i++)
        if (ob_store_binding(&found, &kept[i], view, names[i], NULL) || !found)
            abort();
    ob_view_close(view);
}

/* The next bytes over `out`; whether that changed anything. */
static bool lay_over(void *out, size_t length, const uint8_t **at, size_t *left)
{
    uint8_t *bytes = out;
    bool changes = false;
    for (; length && *left; length--, bytes++, (*at)++, (*left)--) {
        *bytes ^= **at;
        changes |= **at != 0;
    }
    return changes;
}

static bool change(ob_binding *b, const uint8_t **at, size_t *left)
{
    uint8_t closed = 0;
    bool changes = lay_over(&closed, 1, at, left) && closed & 1;
    b->is_closed ^= closed & 1;
    changes |= lay_over(&b->entries, sizeof b->entries, at, left);
    changes |= lay_over(&b->bytes, sizeof b->bytes, at, left);
    changes |= lay_over(&b->root, sizeof b->root, at, left);
    return changes | lay_over(&b->mac, sizeof b->mac, at, left);
}

static void put(const ob_binding *b)
{
    ob_writing *w = NULL;
    if (ob_writing_begin(&w, store, NULL) ||
        ob_writing_end(w, ob_store_binding_set(w, b, NULL), NULL))
        abort();
}

static void check(ob_status status, bool is_known, bool is_changed, const ob_error *err)
{
    if (is_changed ? !status || !*err->text : status || !is_known)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    bool changes[ROWS], is_known = false;
    ob_audit_signed is_signed;
    ob_acts_lists lists;
    ob_error err = {0};
    begin();
    for (int i = 0; i < ROWS; i++) {
        ob_binding b = kept[i];
        changes[i] = change(&b, &bytes, &size);
        put(&b);
    }
    ob_status status = ob_acts_signed(&is_known, &is_signed, store, dir, &err);
    check(status, is_known, changes[0] || changes[1], &err);
    err = (ob_error){0};
    is_known = false;
    status = ob_acts_lists_known(&is_known, &lists, store, dir, &err);
    check(status, is_known, changes[1] || changes[OF_LISTS], &err);
    if (!status && (lists.changes != 7 || lists.sum[0] != 1))
        abort();
    return 0;
}
