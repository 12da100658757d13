/* Safeguards: what a derogation demands beforehand, on record. */
#ifndef OBHUT_RECORDS_SAFEGUARD_H
#define OBHUT_RECORDS_SAFEGUARD_H

#include <obhut/store.h>

typedef struct ob_safeguard_record {
    char regime[65];
    uint32_t safeguard; /* ob_safeguard, or OB_SAFEGUARD_COUNT: the yearly report */
    int64_t year;       /* of a yearly report; else 0 */
    int64_t at;
    char by[OB_NAME_MAX + 1];
    uint8_t document[32]; /* SHA-256 */
} ob_safeguard_record;

/* Sets the record of a safeguard, in place of an older one. */
ob_status ob_store_safeguard_add(ob_writing *w, const ob_safeguard_record *record, ob_error *err);
/* Deletes the record of a safeguard. Raises a withdrawal. OB_ENOTFOUND: there is none. */
ob_status ob_store_safeguard_remove(ob_writing *w, const char *regime, uint32_t safeguard,
                                    ob_error *err);
/* Sets *out to all records, by regime and safeguard, for the caller to free. */
ob_status ob_store_safeguards(ob_safeguard_record **out, size_t *count, ob_view *view,
                              ob_error *err);

#endif
