/* What binds files to the records: a code that only who has a key can make. The store keeps it and
 * does not know what it means; obhut/acts.h makes and compares it. */
#ifndef OBHUT_RECORDS_BINDING_H
#define OBHUT_RECORDS_BINDING_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef struct ob_binding {
    char name[OB_NAME_MAX + 1]; /* "log", "pseudonym", "lists" */
    int64_t entries, bytes;
    bool is_closed;
    ob_record_key root, code;
} ob_binding;

/* *found is false, and *out untouched, where nothing of that name is bound. */
ob_status ob_store_binding(bool *found, ob_binding *out, ob_view *view, const char *name,
                           ob_error *err);
/* In place of the one of that name. */
ob_status ob_store_binding_set(ob_writing *w, const ob_binding *binding, ob_error *err);
/* Nothing of that name is bound any more. */
ob_status ob_store_binding_drop(ob_writing *w, const char *name, ob_error *err);

#endif
