/* Deliveries: requests that were received lately, so that the same request twice makes one
 * record. */
#ifndef OBHUT_RECORDS_DELIVERY_H
#define OBHUT_RECORDS_DELIVERY_H

#include <obhut/records/record.h>
#include <obhut/store.h>

/* Looks for a delivery with this key; deliveries are deleted after a day. *found says whether there
 * is one, *id is the number of the record that it made. OB_EREFUSED: the earlier delivery had a
 * body with another digest. */
ob_status ob_store_delivery(bool *found, int64_t *id, ob_view *view, const ob_record_key *key,
                            const ob_record_key *digest, ob_error *err);
/* Notes a delivery that made record number `id` at the instant `at`. */
ob_status ob_store_delivery_add(ob_writing *w, const ob_record_key *key,
                                const ob_record_key *digest, int64_t id, int64_t at, ob_error *err);

#endif
