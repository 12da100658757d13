/* What WebAssembly needs besides the public functions of base, hash, index and gate, which are
 * exported as they are: a search that keeps what it found, for callers that cannot be called back,
 * and a decision whose words are spelled out. */
#include <obhut/index.h>
#include <obhut/regimes.h>

#include <stdlib.h>

typedef struct core_match {
    uint32_t query, entry, distance;
} core_match;

typedef struct core_matches {
    core_match *match;
    uint32_t capacity, count;
} core_matches;

/* Fills match[0..capacity) and sets *total to how many matches there are. */
ob_status core_search(uint32_t *total, core_match *match, uint32_t capacity, const void *memory,
                      uint32_t entries, const ob_hash256 *queries, uint32_t count,
                      uint32_t distance, ob_error *err);

static ob_status copy(void *context, uint32_t query, uint64_t entry, unsigned distance)
{
    core_matches *m = context;
    if (m->count < m->capacity)
        m->match[m->count] = (core_match){query, (uint32_t)entry, distance};
    m->count++;
    return OB_OK;
}

ob_status core_search(uint32_t *total, core_match *match, uint32_t capacity, const void *memory,
                      uint32_t entries, const ob_hash256 *queries, uint32_t count,
                      uint32_t distance, ob_error *err)
{
    core_matches m = {.match = match, .capacity = capacity};
    ob_index index;
    ob_status status =
        ob_index_open(&index, memory, ob_index_size(entries), entries, OB_ISA_AUTO, err);
    if (!status)
        status = ob_index_search(&index, queries, count, distance, copy, &m, err);
    if (!status)
        *total = m.count;
    return status;
}

/* ---- The gate -------------------------------------------------------------------------------- */

/* A decision, for a caller that knows no C: everything 4 bytes wide. NULL where there is nothing. */
typedef struct core_answer {
    uint32_t allow, law_allow, clarification;
    const char *reason, *names, *ceiling, *referral, *regime, *article, *basis;
    const char *law_reason, *law_names, *english, *german;
    char expires[OB_TIME_TEXT + 4];
} core_answer;

/* Facts, empty; to be told by ob_facts_add. core_facts_free takes them back; NULL: out of memory. */
ob_facts *core_facts_new(uint32_t text_size);
void core_facts_free(ob_facts *facts);

/* Completes the facts and decides, among the built-in regimes. */
void core_decide(core_answer *out, ob_facts *facts);

/* ob_facts_add, with a number that JavaScript has. */
void core_facts_add(ob_facts *facts, const char *path, uint32_t kind, const char *text,
                    double number);

ob_facts *core_facts_new(uint32_t text_size)
{
    ob_facts *facts = malloc(sizeof *facts + text_size);
    if (facts)
        ob_facts_begin(facts, (char *)(facts + 1), text_size);
    return facts;
}

void core_facts_free(ob_facts *facts)
{
    free(facts);
}

void core_facts_add(ob_facts *facts, const char *path, uint32_t kind, const char *text,
                    double number)
{
    ob_facts_add(facts, path, (ob_fact_kind)kind, text, (int64_t)number);
}

void core_decide(core_answer *out, ob_facts *facts)
{
    ob_facts_end(facts);
    ob_gate_decision d = ob_gate_decide(&facts->situation, ob_law_regimes());
    *out = (core_answer){
        .allow = d.allow,
        .law_allow = d.law_allow,
        .clarification = d.clarification,
        .reason = ob_reason_name(d.reason),
        .names = d.names,
        .ceiling = d.ceiling ? ob_word_name(OB_WORD_CEILING, d.ceiling) : NULL,
        .referral = d.allow ? ob_word_name(OB_WORD_REFERRAL, d.referral) : NULL,
        .regime = d.regime ? d.regime->id : NULL,
        .article = d.article,
        .basis = facts->situation.incomplete ? NULL : ob_word_name(OB_WORD_BASIS, d.basis),
        .law_reason = ob_reason_name(d.law_reason),
        .law_names = d.law_names,
        .english = ob_reason_text(d.reason, OB_ENGLISH),
        .german = ob_reason_text(d.reason, OB_GERMAN),
    };
    if (d.allow)
        ob_time_print(out->expires, d.expires);
}
