/* Conversations: their members, and which of them consent. */
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

/* Adds or replaces a conversation with all its members. A member who is named twice does not
 * consent. Raises a withdrawal where all had consented and now one does not. */
ob_status ob_store_conversation_set(ob_writing *w, const ob_conversation *conversation,
                                    const ob_member *members, size_t count, ob_error *err);
/* Reads one conversation, without its members. *found is false, and *out untouched, where there is
 * none. */
ob_status ob_store_conversation(bool *found, ob_conversation *out, ob_view *view,
                                const ob_record_key *id, ob_error *err);
/* Reads one conversation as ob_store_conversation does, and sets *is_member to whether this account
 * is a member. */
ob_status ob_store_conversation_of(bool *found, ob_conversation *out, bool *is_member,
                                   ob_view *view, const ob_record_key *id,
                                   const ob_record_key *account, ob_error *err);
/* Sets *out to all members of a conversation, ordered by account, for the caller to free. A
 * conversation that does not exist has none. */
ob_status ob_store_members(ob_member **out, size_t *count, ob_view *view, const ob_record_key *id,
                           ob_error *err);
/* Deletes a conversation and its members. Raises a withdrawal. OB_ENOTFOUND: there is none. */
ob_status ob_store_conversation_remove(ob_writing *w, const ob_record_key *id, ob_error *err);
/* Withdraws one account's consent in every conversation. *changed is set to in how many of them it
 * had consented. */
ob_status ob_store_consent_withdraw(uint64_t *changed, ob_writing *w, const ob_record_key *account,
                                    int64_t at, ob_error *err);

#endif
