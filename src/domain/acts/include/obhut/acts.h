/* acts: what changes records and stands in the log, both or neither; steps that need two persons;
 * and the pseudonyms that records and log know accounts and persons by. */
#ifndef OBHUT_ACTS_H
#define OBHUT_ACTS_H

#include <obhut/audit.h>
#include <obhut/base.h>
#include <obhut/entry.h>
#include <obhut/records/conversation.h>
#include <obhut/records/person.h>
#include <obhut/records/proposal.h>
#include <obhut/store.h>

typedef struct ob_acts ob_acts;

/* What the records know to have been signed of the log in DIR; *is_known is false where they never
 * had one. Asked before the log is opened: OB_EREFUSED, OB_EFORMAT where the key in
 * DIR/keys/pseudonym is not the one that the records were made with, is missing, or has not made
 * what they say. */
ob_status ob_acts_signed(bool *is_known, ob_audit_signed *out, ob_store *store, const char *dir,
                         ob_error *err);

/* What the records know the lists to be (obhut/lists.h says what that is); *is_known is false where
 * they never were told. OB_EREFUSED: somebody changed what they say; else as ob_acts_signed. */
typedef struct ob_acts_lists {
    uint64_t changes;
    uint8_t sum[32];
} ob_acts_lists;
ob_status ob_acts_lists_known(bool *is_known, ob_acts_lists *out, ob_store *store, const char *dir,
                              ob_error *err);
/* Tells them. Never within an act. */
ob_status ob_acts_lists_keep(ob_acts *acts, const ob_acts_lists *now, ob_error *err);

/* *out uses `store` and `audit`, which must outlive it, has a thread that writes, and the key in
 * DIR/keys/pseudonym, which it makes where the records know of none. Says in the log what was
 * logged and then not done, because the process died in between. OB_EREFUSED: log and records are
 * not of one piece. Any thread. */
ob_status ob_acts_open(ob_acts **out, ob_store *store, ob_audit *audit, const char *dir,
                       ob_error *err);
void ob_acts_close(ob_acts *acts); /* NULL is fine */

/* ---- Pseudonyms ------------------------------------------------------------------------------ */

typedef enum ob_pseudonym_kind {
    OB_PSEUDONYM_ACCOUNT,
    OB_PSEUDONYM_CONVERSATION,
    OB_PSEUDONYM_ITEM,
    OB_PSEUDONYM_PERSON,   /* of the staff, in the log */
    OB_PSEUDONYM_DELIVERY, /* a request, to know it again */
} ob_pseudonym_kind;

enum { OB_PSEUDONYM_TEXT = 256 };

/* What records know an account, conversation or item of a service by: a keyed code of its words.
 * The words are not kept; without the key nobody can find them or compare with another service. */
void ob_acts_pseudonym(ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                       const char *text);

/* ---- Steps that need two persons
 * ------------------------------------------------------------------- */

/* Who does something: a person, or the operator (person NULL), who may propose and never confirm.
 */
typedef struct ob_actor {
    const ob_person *person;
} ob_actor;

const char *ob_actor_name(const ob_actor *actor);         /* "operator" without a person */
bool ob_actor_has(const ob_actor *actor, uint32_t roles); /* any of them */

enum { OB_PROPOSAL_SECONDS = 7 * 86400 };

/* Proposes `body` (JSON) of a kind. */
ob_status ob_acts_propose(int64_t *id, ob_writing *w, const char *kind, const char *body,
                          const ob_actor *actor, ob_error *err);

/* Looks whether `actor` may agree to what `out` says: a person, with one of `roles`, other than who
 * proposed, in time. OB_EREFUSED. A proposal of the operator, who might be anybody, becomes that of
 * the first person who agrees: *adopted, and it stays open for a second one. */
ob_status ob_acts_second(bool *adopted, ob_proposal *out, ob_writing *w, int64_t id,
                         const ob_actor *actor, uint32_t roles, ob_error *err);

/* ---- Acts ---------------------------------------------------------------------------------------
 */

/* An entry beside an act's own. */
typedef struct ob_act_more {
    const char *what;
    ob_entry *members;
} ob_act_more;

/* An act changes records and stands in the log: both or neither. What cannot be logged is not done.
 * One thread does them all: those that wait at the same time share a transaction and a sync of the
 * log, and one that fails is undone alone. */
typedef struct ob_act {
    ob_acts *acts;
    ob_writing *w; /* the records, to be changed */
    ob_view *view; /* and to be read, with what was changed so far */
    const char *what;
    const ob_actor *actor;
    ob_entry *members;
    ob_act_more *also; /* entries before it */
    size_t also_count;
    /* Called with the entry's number before the records keep the act; NULL: not. */
    ob_status (*keep)(void *context, ob_writing *w, uint64_t entry, ob_error *err);
    void *keep_context;
    ob_record_key key;    /* of whom it is about */
    ob_record_key by_key; /* of the person who acts */
    bool has_key, has_by_key, quiet;
    ob_error error; /* of its members */
} ob_act;

/* What an act does, on the thread that writes: it must neither wait for anything nor ask for
 * another act. With an error nothing has happened; OB_EREFUSED is logged as such. */
typedef ob_status (*ob_act_run)(ob_act *act, void *context, ob_error *err);

typedef struct ob_act_job {
    const char *what;
    const ob_actor *actor; /* lives until `done`; NULL: members say who */
    ob_act_run run;        /* NULL: the entry is all */
    void *context;
    bool patient; /* waits while records are overwritten, however long that takes */
    /* Called once, when the act is durable or was not done; on the thread that writes, or at once
     * on that of ob_acts_post: so be brief. The job is its owner's again. */
    void (*done)(struct ob_act_job *job);
    /* Results. OB_EIO also where it has waited for ten seconds: then nothing was done. OB_EREFUSED
     * is in the log. */
    ob_status status;
    ob_error error;
    uint64_t entry; /* its number in the log; UINT64_MAX: it has none */
    /* The writer's. */
    ob_act act;
    size_t first_entry, entry_count;
    int64_t until_ms;
    struct ob_act_job *next;
} ob_act_job;

/* Hands an act in. */
void ob_acts_post(ob_acts *acts, ob_act_job *job);

/* Hands it in and waits. `entry` (may be NULL) is set on success. Never within an act. */
ob_status ob_acts_do(uint64_t *entry, ob_acts *acts, const char *what, const ob_actor *actor,
                     ob_act_run run, void *context, ob_error *err);

/* The same of what the service itself notes down, for which nobody waits: it is patient. */
ob_status ob_acts_note(ob_acts *acts, const char *what, ob_act_run run, void *context,
                       ob_error *err);

/* Members of the entry. Never what somebody wrote in their own words: of that, a code. */
void ob_act_number(ob_act *act, const char *member, int64_t number);
void ob_act_word(ob_act *act, const char *member, const char *word);
void ob_act_words(ob_act *act, const char *member, const char *const *words, size_t count);
void ob_act_yes(ob_act *act, const char *member, bool is_so);
/* By the code that only this account's own key makes; "about": whom the entry is about. */
void ob_act_account(ob_act *act, const char *member, const ob_record_key *account);
/* The same of several, as an array; what does not fit goes into entries of the same name before. */
void ob_act_accounts(ob_act *act, const char *member, const ob_record_key *accounts, size_t count);
void ob_act_person(ob_act *act, const char *member, const char *name);
/* A code of a text, with the key of whom the entry is about: whoever has both can show that it is
 * what was logged. Where the entry is about nobody, with the key of the person who acts, and of the
 * operator's with the service's own. */
void ob_act_text(ob_act *act, const char *member, const char *text);
/* By a code that only this account's key and this entry's salt make: without the keys of the
 * records, nobody can see which entries are about the same account. Sets "salt". */
void ob_act_hidden(ob_act *act, const char *member, const ob_record_key *account);
/* Entries of such codes about consents that were given or withdrawn between two states of a
 * conversation, each by account; of who neither did nor does consent nothing. The act needs no
 * other entry then. */
void ob_act_consents(ob_act *act, const ob_member *before, size_t before_count,
                     const ob_member *now, size_t now_count);
/* One more entry, before the act's own; takes `members`. `what` lives as long as the act. An entry
 * has at most OB_AUDIT_ENTRY_MAX bytes. */
void ob_act_also(ob_act *act, const char *what, ob_entry *members);
/* No entry of its own: nothing worth one has happened, or ob_act_also says it. */
void ob_act_quiet(ob_act *act);

/* An entry of its own; takes `members` (may be NULL). `entry` may be NULL. */
ob_status ob_acts_log(uint64_t *entry, ob_acts *acts, const char *what, const ob_actor *actor,
                      ob_entry *members, ob_error *err);

/* How a deed ended that ob_store_deed_begin began within the act that announced it, as an act of
 * its own; takes `members` (may be NULL). */
void ob_acts_deed_ended(ob_acts *acts, uint64_t entry, bool done, ob_entry *members);

/* What was logged last could be written. */
bool ob_acts_log_fine(const ob_acts *acts);

/* What is being logged now has been on its way to the disk for too long. */
bool ob_acts_log_slow(const ob_acts *acts);

/* What the log tells of an account's consents, in the order of the log. Reads the whole log. *out
 * is the caller's to free. */
typedef struct ob_logged_consent {
    uint64_t entry;
    char at[OB_AUDIT_TIME + 1];
    bool given; /* else withdrawn */
} ob_logged_consent;
ob_status ob_acts_log_consents(ob_logged_consent **out, size_t *count, ob_acts *acts,
                               const char *account, ob_error *err);

enum { OB_LOG_CODE = 48 };

/* What the log knows an account or person by; *found false where there is no key, or no more. */
ob_status ob_acts_log_code(bool *found, char out[OB_LOG_CODE], const ob_acts *acts, ob_view *view,
                           ob_pseudonym_kind kind, const char *name, ob_error *err);

#endif
