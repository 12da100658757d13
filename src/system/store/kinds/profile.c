/* The profile as a record: columns, queries. */
#include "../record.h"

#include <obhut/records/profile.h>

enum { PUBLIC = 1 << 2, HOSTING = 1 << 1, KNOWN = 1, PUBLIC_AND_REPORT = 1 << 1 | 1 << 2, ONE = 1 };

const ob_profile ob_profile_default = {.service = "default",
                                       .kinds = HOSTING,
                                       .regime = "eu-dsa",
                                       .surfaces = PUBLIC,
                                       .bases = PUBLIC_AND_REPORT,
                                       .detectors = KNOWN};

typedef struct row {
    int64_t id; /* ONE */
    ob_profile profile;
} row;

static const record_column columns[] = {
    {COLUMN(row, id, "there is one row"), .key = 1},
    {COLUMN_AS("service", row, profile.service, "orders name it")},
    {COLUMN_AS("kinds", row, profile.kinds, "which laws are about it")},
    {COLUMN_AS("country", row, profile.country, "whose laws are in force")},
    {COLUMN_AS("regime", row, profile.regime, "the house rule where no law is known")},
    {COLUMN_AS("surfaces", row, profile.surfaces, "what was switched on")},
    {COLUMN_AS("bases", row, profile.bases, "what was switched on")},
    {COLUMN_AS("detectors", row, profile.detectors, "what was switched on")},
    {COLUMN_AS("keeps_register", row, profile.has_register,
               "whether protected conversations are told")},
    {COLUMN_AS("changed_at", row, profile.changed_at, "whether an assessment is still about it")},
};

const record_kind kind_profile = {
    .about = {.table = "profile",
              .title = "the service's profile",
              .purpose = "what the gate may allow at all",
              .period = "while the directory exists",
              .persons = "no"},
    COLUMNS(columns),
    .size = sizeof(row),
};

ob_status ob_store_profile(ob_profile *out, ob_view *view, ob_error *err)
{
    sql q;
    bool found;
    row read = {0};
    record_select(&q, view, &kind_profile, "WHERE id = 1", err);
    ob_status status = record_read_one(&found, &read, &q);
    if (!status)
        *out = found ? read.profile : ob_profile_default;
    return status;
}

ob_status ob_store_profile_set(ob_writing *w, const ob_profile *profile, ob_error *err)
{
    const row set = {.id = ONE, .profile = *profile};
    ob_status status = record_put(w, &kind_profile, &set, err);
    store_changed(w);
    store_withdrawn(w, false);
    return status;
}
