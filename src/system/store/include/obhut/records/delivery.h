/* Deliveries: the same request twice makes one record. */
#ifndef OBHUT_RECORDS_DELIVERY_H
#define OBHUT_RECORDS_DELIVERY_H

#include <obhut/records/record.h>
#include <obhut/store.h>

/* Sets *id where `key` has come within a day; OB_EREFUSED
 * where it came with another body, whose digest was another. */
ob_status ob_store_delivery(bool *found, int64_t *id, ob_view *view, const ob_record_key *key,
                            const ob_record_key *digest, ob_error *err);
ob_status ob_store_delivery_add(ob_writing *w, const ob_record_key *key,
                                const ob_record_key *digest, int64_t id, int64_t at, ob_error *err);

#endif
