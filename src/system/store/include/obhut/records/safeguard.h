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

/* A newer record takes the place of an older one. */
ob_status ob_store_safeguard_add(ob_writing *w, const ob_safeguard_record *record, ob_error *err);
ob_status ob_store_safeguard_remove(ob_writing *w, const char *regime, uint32_t safeguard,
                                    ob_error *err);
/* All of them, by regime and safeguard. */
ob_status ob_store_safeguards(ob_safeguard_record **out, size_t *count, ob_view *view,
                              ob_error *err);

#endif
