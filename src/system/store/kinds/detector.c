/* States of detectors as records: columns, queries. */
#include "../record.h"
#include "words.h"

#include <obhut/records/detector.h>

static const record_column columns[] = {
    {COLUMN(ob_detector_record, detector, "which"), .key = 1},
    {COLUMN(ob_detector_record, state, "trial, on, suspended")},
    {COLUMN_AS("person", ob_detector_record, by, "who set it")},
    {COLUMN(ob_detector_record, reason, "why")},
    {COLUMN(ob_detector_record, at, "when")},
};

const record_kind kind_detector = {
    .about = {.table = "detector",
              .title = "states of detectors",
              .purpose = "not using what is wrong too often",
              .period = "until replaced",
              .persons = STAFF},
    COLUMNS(columns),
    .size = sizeof(ob_detector_record),
};

ob_status ob_store_detector_set(ob_writing *w, const ob_detector_record *record, ob_error *err)
{
    ob_status status = record_put(w, &kind_detector, record, err);
    store_changed(w);
    store_withdrawn(w, false);
    return status;
}

ob_status ob_store_detectors(ob_detector_record **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_detector, "ORDER BY detector", err);
    return record_read_all(out, count, &q);
}
