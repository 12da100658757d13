/* Detectors: the state of each, and who set it. */
#ifndef OBHUT_RECORDS_DETECTOR_H
#define OBHUT_RECORDS_DETECTOR_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef struct ob_detector_record {
    char detector[24];
    uint32_t state; /* ob_detector_state */
    char by[OB_NAME_MAX + 1], reason[OB_RECORD_TEXT + 1];
    int64_t at;
} ob_detector_record;

/* Sets the state of a detector, in place of the earlier one. Raises a withdrawal. */
ob_status ob_store_detector_set(ob_writing *w, const ob_detector_record *record, ob_error *err);
/* Sets *out to all detectors whose state was ever set, by name, for the caller to free. */
ob_status ob_store_detectors(ob_detector_record **out, size_t *count, ob_view *view, ob_error *err);

#endif
