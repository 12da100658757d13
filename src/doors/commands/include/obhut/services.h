/* services: what services and the public ask over HTTP, from a request's head to its answer.
 * docs/openapi.yaml describes it. */
#ifndef OBHUT_SERVICES_H
#define OBHUT_SERVICES_H

#include <obhut/acts.h>
#include <obhut/engine.h>
#include <obhut/http.h>
#include <obhut/lists.h>
#include <obhut/staff.h>

#include <stdatomic.h>

typedef struct ob_services_options {
    ob_engine *engine;
    ob_lists *lists;
    ob_acts *acts;
    ob_staff *staff;
    ob_store *store;
    const ob_policy *policy;
    uint64_t body_most;    /* bytes of a file; 0: 50 MB */
    uint64_t written_most; /* bytes that records of one token may take in a day; 0: 2,000 MB. What
                            * was written today before is read from the store */
    unsigned tries_most;   /* matches of an account that are told in a day; 0: all */
    /* Hears what an operator should know: a sentence that names a token and nothing of any item.
     * NULL: nobody. Any thread. */
    void (*problem)(void *context, const char *sentence);
    void *context;
} ob_services_options;

typedef struct ob_services ob_services;

/* Prepares to answer requests. What options point to must outlive *out, which the caller closes:
 * ob_services_close. Errors as ob_store_written. */
ob_status ob_services_open(ob_services **out, const ob_services_options *options, ob_error *err);
void ob_services_close(ob_services *services); /* NULL is fine */

/* Says each reason why the service protects nobody, or less than its operator believes. */
void ob_services_warn(ob_services *services, void (*say)(void *context, const char *sentence),
                      void *context);

/* Says whether answering this request reads records, which may be slow. */
bool ob_services_asks(const ob_request *request);

/* Looks at a request's head. With OB_PLAN_ANSWER the answer is in (*out)->answer. The caller, who
 * carries the call, owns *out: it sets `answered` and `carrier` before it hands over a body, and
 * calls class->end in the end. *out is NULL only when out of memory. */
ob_plan ob_services_begin(ob_call **out, ob_services *services, const ob_request *request);

/* What is counted outside of the API: connections taken, requests cut because they were too slow,
 * bodies that were too large, bytes that nobody looked at, requests that could not be handed on. */
typedef enum ob_front_count {
    OB_FRONT_CONNECTIONS,
    OB_FRONT_SLOW,
    OB_FRONT_LARGE,
    OB_FRONT_DROPPED,
    OB_FRONT_GAVE_WAY,  /* connections, bodies and answers that ended so that others have room */
    OB_FRONT_COULD_NOT, /* and behind it: by ob_hindrance */
    OB_FRONT_COUNTS = OB_FRONT_COULD_NOT + OB_HINDRANCES,
} ob_front_count;

/* Counters for /metrics, set by the code that carries requests. */
typedef struct ob_services_counts {
    atomic_ullong front[OB_FRONT_COUNTS]; /* what the front tells */
    atomic_uint front_layers; /* OB_CONFINED_… that hold it, as it says; 0: none is there */
} ob_services_counts;
/* Returns the counters, which belong to `services`. Any thread may change them. */
ob_services_counts *ob_services_counters(ob_services *services);

/* ---- Items ----------------------------------------------------------------------------------- */

/* Whether a field of this name says something of an item, in the query of its request. */
bool ob_command_item_has(const char *name);

/* The item that a request describes, once its head was found to be what the row says
 * (ob_command_check_head of "file.scan"). OB_EINVAL: what is needed on its surface is missing;
 * *code is then the problem's. */
ob_status ob_command_item(ob_item *out, const char **code, const ob_acts *acts,
                          const ob_request *request, ob_error *err);

/* {action: not_scanned, reason, names}. */
json_t *ob_services_not_scanned(const ob_gate_decision *why);

/* {action: could_not, reason, detail}. */
json_t *ob_services_could_not(ob_hindrance hindrance);

/* {action, format, …, matches, total, took_us}: what was found of a file, or one of the two above.
 */
json_t *ob_services_scan(const ob_scan *scan, const ob_detectors *detectors, unsigned threshold);

/* ---- JSON that others use too ---------------------------------------------------------------- */

/* A signal of a file that is an entry of a list. `threshold`: the distance that was asked for. */
json_t *ob_services_match(const ob_signal *signal, unsigned threshold);

/* One that is none: {detectors, score, explanation}. */
json_t *ob_services_signal(const ob_signal *signal, const ob_detectors *detectors);

/* A match of a look-up: by digest where `digest` is not NULL. */
json_t *ob_services_entry(const ob_list_match *match, const ob_list_match *all, size_t count,
                          const ob_list_digest *digest, unsigned threshold);

/* What was computed of a file: format, width, height, pdq, quality, and more where there is more.
 */
void ob_services_set_picture(json_t *object, const ob_media_result *media);

/* "DAMAGED", "TOO_LARGE", …: why a file could not be looked at. */
const char *ob_services_undecodable(ob_status status);

/* The same of a picture of which not everything was looked at (ob_unseen), and its sentence. */
const char *ob_services_unseen(uint32_t unseen);
/* Returns the sentence that goes with ob_services_unseen. The text is a constant. */
const char *ob_services_unseen_text(uint32_t unseen);

/* Returns a list as the API shows it; the caller owns the value. NULL: out of memory. */
json_t *ob_services_list(const ob_list_info *info);

#endif
