/* law: regimes and situations from JSON. One that comes from a file can be explained, never used:
 * those that can be used are built in, see obhut/regimes.h. */
#ifndef OBHUT_LAW_H
#define OBHUT_LAW_H

#include <obhut/base.h>
#include <obhut/gate.h>
#include <obhut/regimes.h>

#include <jansson.h>

/* ---- Regimes --------------------------------------------------------------------------------- */

/* A regime from a file. */
typedef struct ob_law_file ob_law_file;

/* Reads one; *out is the caller's: ob_law_file_free. OB_EFORMAT names the member and what is wrong.
 */
ob_status ob_law_file_read(ob_law_file **out, const char *bytes, size_t size, ob_error *err);
/* Returns the regime of a file; it belongs to `file`. */
const ob_regime *ob_law_file_regime(const ob_law_file *file);
/* Frees a regime from a file. NULL is fine. */
void ob_law_file_free(ob_law_file *file);

/* ---- Situations ------------------------------------------------------------------------------ */

/* A situation from JSON. */
typedef struct ob_law_situation ob_law_situation;

/* Reads one from an object. Only memory can be missing: whatever is wrong with the facts stands in
 * the situation itself. The caller owns *out: ob_law_situation_free. */
ob_status ob_law_situation_read(ob_law_situation **out, const json_t *object, ob_error *err);

/* Returns the situation, which the caller may change (its instant, mode, regime); it belongs to
 * `situation`. */
ob_situation *ob_law_situation_get(ob_law_situation *situation);
/* Frees a situation. NULL is fine. */
void ob_law_situation_free(ob_law_situation *situation);

/* ---- Explaining ------------------------------------------------------------------------------ */

typedef struct ob_law_question {
    const char *at;            /* instead of the situation's own instant; NULL */
    bool what_if;              /* what every other regime would say, too */
    const ob_law_file *regime; /* instead of the built-in one of that id; NULL. Whatever it says of
                                * itself, unless it is that one to the byte, it is not in force */
} ob_law_question;

/* What the gate would say: {decision, reason, names, clarification, referral, ceiling, regime,
 * article, basis, expires, law: {decision, reason, names}, text: {en, de}, what_if: {REGIME:
 * {decision, reason, …}}}. It never makes a permit. `situation` NULL, or no object: a situation
 * without any fact. The caller owns the result; NULL: out of memory. */
json_t *ob_law_explain(const json_t *situation, const ob_law_question *question);

/* Appends the same explanation for people, as a short letter, to *out. OB_ENOMEM. */
ob_status ob_law_letter(ob_buf *out, const json_t *situation, const ob_law_question *question,
                        ob_language language, ob_error *err);

/* What is built in, at an instant: {regimes: [{id, title, kind, state, from, until, days_left,
 * countries, displaces, digest}], digest, floor_digest, built_at}. State: in_force, not_yet,
 * expired, proposal, unverified. NULL: out of memory. */
json_t *ob_law_overview(int64_t at);

#endif
