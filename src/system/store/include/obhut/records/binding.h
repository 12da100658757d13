/* Bindings: what ties files to the records: a MAC that only the owner of a key can make. The store
 * holds the values without knowing their meaning; obhut/acts.h makes and compares them. */
#ifndef OBHUT_RECORDS_BINDING_H
#define OBHUT_RECORDS_BINDING_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef struct ob_binding {
    char name[OB_NAME_MAX + 1]; /* "log", "pseudonym", "lists" */
    int64_t entries, bytes;
    bool is_closed;
    ob_record_key root, mac;
} ob_binding;

/* Reads the binding of this name. Where there is none, *found is false and *out untouched. */
ob_status ob_store_binding(bool *found, ob_binding *out, ob_view *view, const char *name,
                           ob_error *err);
/* Sets the binding of that name, in place of an earlier one. */
ob_status ob_store_binding_set(ob_writing *w, const ob_binding *binding, ob_error *err);
/* Deletes the binding of this name, if there is one. */
ob_status ob_store_binding_drop(ob_writing *w, const char *name, ob_error *err);

#endif
