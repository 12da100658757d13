/* commands: everything that can be asked, one row each. From the rows come what the operator's
 * socket and the staff's listener take, what is checked before anything is done, what the log is
 * told, help, manual page, completion and the API's description. Adding a command is one row and
 * one function. */
#ifndef OBHUT_COMMANDS_H
#define OBHUT_COMMANDS_H

#include <obhut/http.h>
#include <obhut/records/token.h>
#include <obhut/service.h>

#include <jansson.h>

/* What a field is. On the command line it is an option of its name (with - for _) or stands in its
 * place; in JSON a member. */
typedef enum ob_field_kind {
    OB_FIELD_TEXT = 1, /* least to most bytes of UTF-8 without NUL */
    OB_FIELD_WORD,     /* the same, of a closed set: `words`, with | between them */
    OB_FIELD_WORDS,  /* least to most texts of 1 to `each` bytes; of `words`, where these are a set
                      */
    OB_FIELD_NUMBER, /* a whole number from least to most */
    OB_FIELD_TRUTH,  /* true or false; as an option it has no value */
    OB_FIELD_TIME,   /* a day or an instant, 2026-11-25T10:00:00Z */
    OB_FIELD_OBJECT, /* a JSON object; as an option the name of a file that has it */
    OB_FIELD_FILE,   /* a descriptor that goes with the request, whose name may be said as text */
    OB_FIELD_DOCUMENT, /* the same, of which the SHA-256 is kept; over HTTP that, as 64 digits */
    OB_FIELD_PLACES,   /* texts, as many as there are: hashes, files, … */
    OB_FIELD_LIST,     /* least to most objects, whose members are `fields` */
    OB_FIELD_ANY,      /* any JSON; where it is an array, one of at most `most` */
} ob_field_kind;

/* Where a field stands in a request over HTTP. */
typedef enum ob_field_where {
    OB_BY_METHOD, /* in the path, where that has it in braces; else in the query of GET and DELETE,
                   * and in the JSON body of the others */
    OB_IN_QUERY,
    OB_IN_PATH,
    OB_IN_HEAD, /* a header of its name */
    OB_IN_BODY,
    OB_IS_BODY, /* it is the body */
} ob_field_where;

/* How the log may tell it. There is no value 0: a field without a rule does not compile. */
typedef enum ob_logged {
    OB_LOGGED_NEVER = 1, /* secrets, own words, what is in the lists */
    OB_LOGGED_PLAIN,     /* names that the operator gave, words of ours, numbers */
    OB_LOGGED_ABOUT,     /* an account: by the code that only its own key makes; whom it is about */
    OB_LOGGED_PERSON,    /* of the staff: by such a code */
    OB_LOGGED_CODE,      /* own words about an account: a code that its key makes */
    OB_LOGGED_HIDDEN,    /* an account: by a code that this entry's salt makes, too */
} ob_logged;

enum { OB_FIELD_WORD_MOST = 64, OB_FIELD_WORDS_MOST = 64 };

typedef struct ob_command_field {
    const char *name;
    ob_field_kind kind;
    int64_t least, most;
    int64_t each;                          /* bytes of each of OB_FIELD_WORDS */
    ob_field_where where;                  /* as ob_command_where tells */
    const struct ob_command_field *fields; /* of each of OB_FIELD_LIST; NULL: they are not told */
    const char *code;                      /* of the problem, where it is wrong; NULL: INVALID */
    bool is_needed;
    bool is_place; /* stands on the command line without an option's name */
    bool is_local; /* the command line's own: not sent */
    bool is_inner; /* programs send it, nobody types it */
    ob_logged logged;
    const char *words; /* a set with | between; else how the value is called in help: "NAME" */
    const char *about; /* a sentence */
} ob_command_field;

/* What it does to the log and to the records. */
typedef enum ob_effect {
    OB_EFFECT_SHOWS = 1, /* no entry, except `login` when a personal token was used */
    OB_EFFECT_READS,     /* reads records about persons: an entry says who asked */
    OB_EFFECT_ACTS,      /* changes records: the entry and the change, or neither */
    OB_EFFECT_ERASES,    /* the same, and deleted records are overwritten at once */
    OB_EFFECT_DOES, /* changes something outside the records: one entry before, one with the outcome
                     */
} ob_effect;

/* Where it can be asked. */
enum {
    OB_AT_SHELL = 1 << 0,    /* `obhut` alone: no service is asked */
    OB_AT_SOCKET = 1 << 1,   /* the operator's socket, through `obhut` */
    OB_AT_STAFF = 1 << 2,    /* HTTP, with a personal token */
    OB_AT_SERVICES = 1 << 3, /* HTTP, with a service's token */
    OB_AT_PUBLIC = 1 << 4,   /* HTTP, by anybody */
};

/* How many persons it takes. */
typedef enum ob_persons {
    OB_PERSONS_NONE,     /* the operator may; a person with one of the roles may, too */
    OB_PERSONS_ONE,      /* a person with one of the roles */
    OB_PERSONS_TWO,      /* a person with one of the roles proposes it, another agrees */
    OB_PERSONS_PROPOSED, /* the same, and the operator may propose it: two persons agree then */
} ob_persons;

struct commands_call;

/* What a command does, once its row was looked at; sets *out to an object, or leaves it. */
typedef ob_status (*ob_command_run)(json_t **out, const struct commands_call *call, ob_error *err);

/* What a service's token must be good for: an ob_scope, or one of these. */
enum { OB_TOKEN_NONE = -2, OB_TOKEN_ANY = -1 };

/* Whether records are asked on the way to the answer, and may be slow. */
typedef enum ob_asks { OB_ASKS_NEVER, OB_ASKS_ALWAYS, OB_ASKS_BY_ITEM } ob_asks;

/* What looks at the head of a service's request, once its token was found to be good enough: sets
 * the answer and returns OB_PLAN_ANSWER, or wants a body. */
struct services_call;
typedef ob_plan (*ob_command_begin)(struct services_call *call, const ob_request *request,
                                    const ob_token *token);

/* How a request of a service's or of everybody's is answered: for docs/openapi.yaml. */
typedef struct ob_command_answer {
    unsigned status;       /* where it was done; 0: 200 */
    const char *about;     /* a sentence of that answer */
    const char *schemas;   /* names there, with | between; NULL: what the row gives */
    const char *type;      /* NULL: application/json */
    const char *could_not; /* what is there in the place of CouldNot; NULL: nothing */
    unsigned also[2];      /* statuses that follow from none of the row's fields */
    bool takes_any_query;  /* whatever the query says is left alone */
} ob_command_answer;

typedef struct ob_command {
    const char *name;  /* "cause.add": `obhut cause add` */
    const char *about; /* a sentence */
    ob_effect effect;
    ob_persons persons;
    uint32_t roles;                        /* which persons may (bit r: ob_role r); 0: every */
    uint32_t agree;                        /* with two persons: who may agree */
    uint32_t places;                       /* OB_AT_… */
    bool is_inner;                         /* `obhut` asks it by itself, nobody types it */
    bool has_acts_of_its_own;              /* its function does and logs them, not do.c */
    const char *method, *path;             /* over HTTP; fields of the path stand in braces */
    const ob_command_field *takes, *gives; /* up to a field without a name; NULL: none */
    ob_command_run run;                    /* of socket and staff; NULL: there is none */
    int scope;                             /* of services and the public, with the next two */
    ob_asks asks;
    ob_command_begin begin;
    const ob_command_answer *answers;
    const char *more; /* sentences for docs/openapi.yaml; may be NULL */
} ob_command;

/* The row at a position, or of a name; NULL: there is none. They live for ever. */
const ob_command *ob_command_at(size_t index);
/* Returns the row of this name, which is a constant; NULL where there is none. */
const ob_command *ob_command_find(const char *name);

/* Where its field stands in a request over HTTP: never OB_BY_METHOD. */
ob_field_where ob_command_where(const ob_command *command, const ob_command_field *field);

/* Its field of that name, or NULL. */
const ob_command_field *ob_command_field_find(const ob_command_field *fields, const char *name);

/* Commands of one first word: `obhut GROUP ACTION`. */
typedef struct ob_command_group {
    const char *name, *about;
    const char *notes;       /* a paragraph for its help; may be NULL */
    const char *examples[6]; /* up to NULL */
} ob_command_group;

/* Returns the group at a position from 0, which is a constant; NULL beyond the last. */
const ob_command_group *ob_command_group_at(size_t index);
/* Says whether a command belongs to a group: its name is the group's, or begins with that and a
 * dot. */
bool ob_command_is_of(const ob_command *command, const char *group);

/* Whether a request's members are what the row says: all that is needed is there, nothing else is,
 * each of its kind and within its bounds; has_file: whether a descriptor goes with it. OB_EINVAL
 * with a sentence that names the field. */
ob_status ob_command_check(const ob_command *command, const json_t *request, bool has_file,
                           ob_error *err);

/* The same of what stands in a request's path, query and head. OB_EINVAL; *code is then the
 * problem's. */
ob_status ob_command_check_head(const char **code, const ob_command *command,
                                const ob_request *request, ob_error *err);

/* The same of a JSON body. */
ob_status ob_command_check_body(const ob_command *command, const json_t *body, ob_error *err);

/* An instant, of that or of a day; false: `text` is neither. */
bool ob_command_instant(int64_t *out, const char *text);

/* {"groups": […], "commands": […]}: all rows, as `obhut help --json` prints them. */
json_t *ob_commands_json(void);

/* ---- Doing it -------------------------------------------------------------------------------- */

/* Who listens on the way to the answer. */
typedef struct ob_commands_listener {
    void (*hear)(void *context, json_t *event); /* the event is the caller's */
    void *context;
} ob_commands_listener;

/* Does one request at one of the OB_AT_… places. A request is one JSON object, and so is its
 * answer:
 * {"do": "list.add", …}; {"ok": {…}} or {"error": {"status": -1, "text": "…"}}; on the way there
 * may be
 * {"progress": {"step", "done", "total"}} and {"line": "…"}, a bad line of a list. `file` is the
 * descriptor that goes with it, or -1. Never NULL except when out of memory. Any thread. */
json_t *ob_commands_do(ob_service *service, const json_t *request, int file,
                       const ob_commands_listener *listener, uint32_t place);

/* A request of a person's, with their personal token: by the rows of obhut/commands.h that the
 * staff's listener has, by the same code as at the socket. As ob_services_begin; *service must live
 * until ob_commands_wait. */
ob_plan ob_commands_begin_http(ob_call **out, ob_service *service, const ob_request *request);

/* Before and after a command of a thread of its own: at most 32 of the socket's at a time, and as
 * many of staff's (`place`: an OB_AT_…). False: there are as many. */
bool ob_commands_enter(uint32_t place);
/* Ends what ob_commands_enter began and returned true for. */
void ob_commands_exit(uint32_t place);

/* Waits until all of them are done, at most so long. Returns false when one is not. */
bool ob_commands_wait(unsigned time_ms);

#endif
