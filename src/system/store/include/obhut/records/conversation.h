/* Conversations, and who in them consents. */
#ifndef OBHUT_RECORDS_CONVERSATION_H
#define OBHUT_RECORDS_CONVERSATION_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef enum ob_yes_no { OB_NO, OB_YES, OB_UNKNOWN } ob_yes_no;

typedef struct ob_conversation {
    ob_record_key id;
    uint32_t members, consenting;
    bool is_free; /* consent was no condition of using the service */
    ob_yes_no is_protected, has_child;
    int64_t changed_at;
} ob_conversation;

typedef struct ob_member {
    ob_record_key account;
    bool consents;
} ob_member;

/* Replaces all members; one who is named twice does not consent. Raises the withdrawal where all
 * had consented and now not all do. */
ob_status ob_store_conversation_set(ob_writing *w, const ob_conversation *conversation,
                                    const ob_member *members, size_t count, ob_error *err);
/* *found is false where there is none. */
ob_status ob_store_conversation(bool *found, ob_conversation *out, ob_view *view,
                                const ob_record_key *id, ob_error *err);
/* The same, and whether this account is one of its members. */
ob_status ob_store_conversation_of(bool *found, ob_conversation *out, bool *is_member,
                                   ob_view *view, const ob_record_key *id,
                                   const ob_record_key *account, ob_error *err);
/* All of them, by account; none where there is no such conversation. */
ob_status ob_store_members(ob_member **out, size_t *count, ob_view *view, const ob_record_key *id,
                           ob_error *err);
/* With its members. */
ob_status ob_store_conversation_remove(ob_writing *w, const ob_record_key *id, ob_error *err);
/* Withdraws one account's consent everywhere; *changed: in how many conversations. */
ob_status ob_store_consent_withdraw(uint64_t *changed, ob_writing *w, const ob_record_key *account,
                                    int64_t at, ob_error *err);

#endif
