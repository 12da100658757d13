/* acts: an act changes records and stands in the log, both or neither. Also: decisions that need
 * two persons, and the pseudonyms by which records and log know accounts and persons. */
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

/* Reads what the records know to have been signed of the log in DIR; *is_known is false where they
 * know nothing. Call this before the log is opened. OB_EREFUSED, OB_EFORMAT: the key in
 * DIR/keys/pseudonym is not the one that the records were made with, is missing, or did not make
 * what they contain. */
ob_status ob_acts_signed(bool *is_known, ob_audit_signed *out, ob_store *store, const char *dir,
                         ob_error *err);

/* What the records know the lists to be (obhut/lists.h says what that is); *is_known is false where
 * they never were told. OB_EREFUSED: somebody changed what they say; else as ob_acts_signed. */
typedef struct ob_acts_lists {
    uint64_t changes;
    uint8_t sum[32];
} ob_acts_lists;
/* Reads what the records know of the lists; *is_known is false where they know nothing.
 * OB_EREFUSED: somebody changed what the records say; else errors as ob_acts_signed. */
ob_status ob_acts_lists_known(bool *is_known, ob_acts_lists *out, ob_store *store, const char *dir,
                              ob_error *err);
/* Sets what the records know of the lists. Never call this within an act. */
ob_status ob_acts_lists_set(ob_acts *acts, const ob_acts_lists *now, ob_error *err);

/* Opens the acts of a directory and starts the thread that writes. `store` and `audit` must outlive
 * *out, which the caller closes: ob_acts_close. Makes the key in DIR/keys/pseudonym where the
 * records know of none. Appends an entry for each act that was logged and then not done, because
 * the process died in between. OB_EREFUSED: log and records do not belong together. Any thread. */
ob_status ob_acts_open(ob_acts **out, ob_store *store, ob_audit *audit, const char *dir,
                       ob_error *err);
/* Ends the thread that writes, after the acts that wait, and frees `acts`. NULL is fine. */
void ob_acts_close(ob_acts *acts);

/* ---- Pseudonyms ------------------------------------------------------------------------------ */

typedef enum ob_pseudonym_kind {
    OB_PSEUDONYM_ACCOUNT,
    OB_PSEUDONYM_CONVERSATION,
    OB_PSEUDONYM_ITEM,
    OB_PSEUDONYM_PERSON,   /* of the staff, in the log */
    OB_PSEUDONYM_DELIVERY, /* a request, to know it again */
} ob_pseudonym_kind;

enum { OB_PSEUDONYM_TEXT = 256 };

/* Computes the pseudonym of an account, conversation, item, person or delivery: a MAC of its
 * text. The text is not stored; without the key nobody can find it or compare it with another
 * service's. */
void ob_acts_pseudonym(ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                       const char *text);

/* ---- Steps that need two persons ------------------------------------------------------------- */

/* Who does something: a person, or the operator (person NULL), who may propose and never confirm.
 */
typedef struct ob_actor {
    const ob_person *person;
} ob_actor;

/* Returns the person's name, or "operator" without a person. The text belongs to the person. */
const char *ob_actor_name(const ob_actor *actor);
/* Says whether the actor has any of these roles. */
bool ob_actor_has(const ob_actor *actor, uint32_t roles);

enum { OB_PROPOSAL_SECONDS = 7 * 86400 };

/* Adds a proposal of a kind, with `body` (JSON) as what is proposed, and sets *id to its number. */
ob_status ob_acts_propose(int64_t *id, ob_writing *w, const char *kind, const char *body,
                          const ob_actor *actor, ob_error *err);

/* Checks whether `actor` may agree to a proposal, and sets *out to it: the actor must be a person
 * with one of `roles`, other than who proposed, and in time; else OB_EREFUSED. A proposal by the
 * operator, who might be anybody, is adopted by the first person who agrees: *adopted is true then,
 * and it stays open for a second person. */
ob_status ob_acts_second(bool *adopted, ob_proposal *out, ob_writing *w, int64_t id,
                         const ob_actor *actor, uint32_t roles, ob_error *err);

/* ---- Acts ------------------------------------------------------------------------------------ */

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
    ob_status (*on_commit)(void *context, ob_writing *w, uint64_t entry, ob_error *err);
    void *on_commit_context;
    ob_record_key key;    /* of whom it is about */
    ob_record_key by_key; /* of the person who acts */
    bool has_key, has_by_key, quiet;
    ob_error error; /* of its members */
} ob_act;

/* Does the work of an act, on the thread that writes. It must neither wait for anything nor ask for
 * another act. After an error nothing has changed; OB_EREFUSED is logged as such. */
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

/* Queues an act and returns. job->done is called once, when the act is durable or was not done. */
void ob_acts_post(ob_acts *acts, ob_act_job *job);

/* Queues an act and waits for it. `entry` (may be NULL) is set on success to the entry's number.
 * Never call this within an act. */
ob_status ob_acts_do(uint64_t *entry, ob_acts *acts, const char *what, const ob_actor *actor,
                     ob_act_run run, void *context, ob_error *err);

/* Does an act of the service itself and waits for it, as long as it takes. Never call this within
 * an act. */
ob_status ob_acts_note(ob_acts *acts, const char *what, ob_act_run run, void *context,
                       ob_error *err);

/* Adds a number to the act's entry. */
void ob_act_number(ob_act *act, const char *member, int64_t number);
/* Adds a word of the program's own to the act's entry. Never what somebody wrote: for that,
 * ob_act_text. */
void ob_act_word(ob_act *act, const char *member, const char *word);
/* Adds a list of `count` words of the program's own to the act's entry. */
void ob_act_words(ob_act *act, const char *member, const char *const *words, size_t count);
/* Adds true or false to the act's entry. */
void ob_act_yes(ob_act *act, const char *member, bool is_so);
/* Adds an account to the act's entry by its alias, which only the account's own key makes. "about"
 * names whom the entry is about. */
void ob_act_account(ob_act *act, const char *member, const ob_record_key *account);
/* Adds several accounts by their aliases, as a list. What does not fit goes into entries of the
 * same name before this one. */
void ob_act_accounts(ob_act *act, const char *member, const ob_record_key *accounts, size_t count);
/* Adds a person of the staff to the act's entry, by an alias. */
void ob_act_person(ob_act *act, const char *member, const char *name);
/* Adds the MAC of a text, made with the key of the account that the entry is about: with text
 * and key anybody can show that this text was logged. Where the entry is about nobody, the key is
 * that of the person who acts; for the operator, it is the service's own. */
void ob_act_text(ob_act *act, const char *member, const char *text);
/* Adds an account by a MAC that needs its key and this entry's salt: without the keys of the
 * records nobody can see which entries are about the same account. Adds "salt". */
void ob_act_hidden(ob_act *act, const char *member, const ob_record_key *account);
/* Adds an entry for each account that gave or withdrew consent between two states of a
 * conversation, with hidden aliases; none for accounts that did not consent before and do not now.
 * The act has no other entry then. */
void ob_act_consents(ob_act *act, const ob_member *before, size_t before_count,
                     const ob_member *now, size_t now_count);
/* Adds one more entry, before the act's own; takes ownership of `members`. `what` must live as long
 * as the act. An entry has at most OB_AUDIT_ENTRY_MAX bytes. */
void ob_act_also(ob_act *act, const char *what, ob_entry *members);
/* Leaves the act's own entry out: nothing happened that must be logged, or ob_act_also logs it. */
void ob_act_quiet(ob_act *act);

/* Appends an entry of its own; takes ownership of `members` (may be NULL). `entry` may be NULL.
 * Never call this within an act. */
ob_status ob_acts_log(uint64_t *entry, ob_acts *acts, const char *what, const ob_actor *actor,
                      ob_entry *members, ob_error *err);

/* Logs, as an act of its own, how a change outside the records ended which entry number `entry`
 * announced (ob_store_intent_begin); takes ownership of `members` (may be NULL). */
void ob_acts_intent_ended(ob_acts *acts, uint64_t entry, bool done, ob_entry *members);

/* Says whether the log could be written last time. Never blocks. */
bool ob_acts_log_fine(const ob_acts *acts);

/* Says whether an entry has been on its way to the disk for too long. Never blocks. */
bool ob_acts_log_slow(const ob_acts *acts);

/* An entry about a consent. */
typedef struct ob_logged_consent {
    uint64_t entry;
    char at[OB_AUDIT_TIME + 1];
    bool given; /* else withdrawn */
} ob_logged_consent;
/* Sets *out to all entries about an account's consents, in the order of the log, for the caller to
 * free. Reads the whole log. */
ob_status ob_acts_log_consents(ob_logged_consent **out, size_t *count, ob_acts *acts,
                               const char *account, ob_error *err);

enum { OB_LOG_ALIAS = 48 };

/* Computes the alias by which the log knows an account or person. *found is false where its key was
 * never made or was destroyed. */
ob_status ob_acts_log_alias(bool *found, char out[OB_LOG_ALIAS], const ob_acts *acts, ob_view *view,
                            ob_pseudonym_kind kind, const char *name, ob_error *err);

#endif
