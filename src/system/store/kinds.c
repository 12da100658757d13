/* All kinds of records, in the order in which docs/DATA.md tells them. */
#include "record.h"

#include <obhut/records/retention.h>

const record_kind *const record_kinds[] = {
    &kind_token,         &kind_gateway,       &kind_profile, &kind_person,    &kind_proposal,
    &kind_incoming,      &kind_incoming_item, &kind_verdict, &kind_cause,     &kind_order,
    &kind_order_account, &kind_conversation,  &kind_member,  &kind_safeguard, &kind_detector,
    &kind_hold,          &kind_delivery,      &kind_log_key, &kind_tally,     &kind_denied,
    &kind_salt,          &kind_counter,       &kind_binding, &kind_written,
};

const size_t record_kind_count = sizeof record_kinds / sizeof *record_kinds;

const ob_record_kind *ob_record_kind_at(size_t index)
{
    return index < record_kind_count ? &record_kinds[index]->about : NULL;
}

const ob_record_field *ob_record_field_at(const ob_record_kind *kind, size_t index)
{
    const record_kind *whole = (const record_kind *)kind; /* its first member */
    return index < whole->count ? &whole->columns[index].field : NULL;
}
