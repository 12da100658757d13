/* A regime from its JSON file: data/regimes/schema.json describes it, and this reads nothing else.
 */
#include "law_priv.h"

#include <stdlib.h>
#include <string.h>

struct ob_law_file {
    json_t *json; /* that the texts belong to */
    ob_regime regime;
    char countries[400];
};

/* ---- Members --------------------------------------------------------------------------------- */

/* Reading stops at the first problem, which names the member. */
typedef struct reader {
    ob_law_file *file;
    ob_error *err;
    ob_status status;
} reader;

static void wrong(reader *r, const char *member, const char *what)
{
    if (!r->status)
        r->status = ob_fail(r->err, OB_EFORMAT, "regime: \"%s\" %s", member, what);
}

static const json_t *object_at(reader *r, const json_t *in, const char *member, bool needed)
{
    const json_t *value = json_object_get(in, member);
    if (!value && needed)
        wrong(r, member, "is missing");
    else if (value && !json_is_object(value))
        wrong(r, member, "is no object");
    return json_is_object(value) ? value : NULL;
}

static const char *text_at(reader *r, const json_t *in, const char *member)
{
    const char *text = json_string_value(json_object_get(in, member));
    if (!text || !*text)
        wrong(r, member, "is missing or no text");
    return text ? text : "";
}

/* One of some texts; the number of the last one where it is none of them. */
static unsigned choice_at(reader *r, const json_t *in, const char *member,
                          const char *const *choices, unsigned count)
{
    const char *text = text_at(r, in, member);
    for (unsigned i = 0; i < count; i++)
        if (!strcmp(choices[i], text))
            return i;
    wrong(r, member, "is none of its values");
    return count - 1;
}

static void check_members(reader *r, const json_t *in, const char *where, const char *const *names,
                          size_t count)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)in, key, value)
    {
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known |= !strcmp(names[i], key);
        if (!known)
            wrong(r, where, "has a member that is not known");
    }
}

/* The article of a rule; its state of verification must be there too. */
static const char *article_of(reader *r, const json_t *rule, const char *where)
{
    static const char *const states[] = {"official", "secondary", "unverified"};
    if (!rule)
        return "";
    const char *article = json_string_value(json_object_get(rule, "article"));
    if (!article || !*article)
        wrong(r, where, "has a rule without an article");
    choice_at(r, rule, "verified", states, 3);
    return article ? article : "";
}

static uint32_t set_at(reader *r, const json_t *in, const char *member, ob_word word)
{
    const json_t *array = json_object_get(in, member);
    uint32_t set = 0;
    size_t i;
    json_t *value;
    if (!json_is_array(array))
        wrong(r, member, "is no array");
    json_array_foreach((json_t *)(uintptr_t)array, i, value)
    {
        unsigned bit;
        const char *text = json_string_value(value);
        if (text && ob_word_parse(&bit, word, text))
            set |= UINT32_C(1) << bit;
        else
            wrong(r, member, "has an element that is not known");
    }
    return set;
}

static unsigned number_at(reader *r, const json_t *in, const char *member, unsigned most)
{
    const json_t *value = json_object_get(in, member);
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || number > (json_int_t)most) {
        wrong(r, member, "is no such number");
        return 0;
    }
    return (unsigned)number;
}

static bool truth_at(reader *r, const json_t *in, const char *member)
{
    const json_t *value = json_object_get(in, member);
    if (!json_is_boolean(value))
        wrong(r, member, "is neither true nor false");
    return json_is_true(value);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

static int64_t date_at(reader *r, const json_t *root, const char *member, int64_t otherwise,
                       const char **article)
{
    static const char *const names[] = {"at", "article", "verified"};
    const json_t *rule = object_at(r, root, member, false);
    int64_t at = otherwise;
    if (!rule)
        return otherwise;
    check_members(r, rule, member, names, 3);
    if (!ob_time_parse(&at, text_at(r, rule, "at")))
        wrong(r, member, "is no instant like 2026-07-31T04:00:00Z");
    *article = article_of(r, rule, member);
    return at;
}

static void read_countries(reader *r, const json_t *root)
{
    const json_t *array = json_object_get(root, "countries");
    char *out = r->file->countries;
    size_t i, used = 0;
    json_t *value;
    if (!json_is_array(array))
        wrong(r, "countries", "is no array");
    json_array_foreach((json_t *)(uintptr_t)array, i, value)
    {
        const char *code = json_string_value(value);
        if (!code || strlen(code) != 2 || used + 4 > sizeof r->file->countries ||
            strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2) {
            wrong(r, "countries", "has an element that is no country");
            return;
        }
        if (used)
            out[used++] = ' ';
        memcpy(out + used, code, 3);
        used += 2;
    }
    r->file->regime.countries = out;
}

static void read_scope(reader *r, const json_t *root)
{
    static const char *const names[] = {"services", "surfaces", "encryption", "article",
                                        "verified"};
    ob_regime *regime = &r->file->regime;
    const json_t *scope = object_at(r, root, "scope", true);
    if (!scope)
        return;
    check_members(r, scope, "scope", names, 5);
    regime->services = set_at(r, scope, "services", OB_WORD_SERVICE_KIND);
    regime->surfaces = set_at(r, scope, "surfaces", OB_WORD_SURFACE);
    regime->encryptions = set_at(r, scope, "encryption", OB_WORD_ENCRYPTION);
    regime->scope_article = article_of(r, scope, "scope");
}

static void read_bases(reader *r, const json_t *root)
{
    ob_regime *regime = &r->file->regime;
    const json_t *bases = object_at(r, root, "bases", true);
    const char *key;
    json_t *rule;
    json_object_foreach((json_t *)(uintptr_t)bases, key, rule)
    {
        unsigned basis;
        if (!ob_word_parse(&basis, OB_WORD_BASIS, key) || basis == OB_BASIS_NONE) {
            wrong(r, "bases", "has a basis that is not known");
            return;
        }
        regime->bases |= UINT32_C(1) << basis;
        regime->basis_article[basis] = article_of(r, rule, "bases");
    }
}

static const char *const detector_names[] = {"known", "new", "grooming"};

static void read_detectors(reader *r, const json_t *root)
{
    static const char *const permissions[] = {"no", "yes", "unverified"};
    static const char *const names[] = {"permission", "article", "verified"};
    ob_regime *regime = &r->file->regime;
    const json_t *detectors = object_at(r, root, "detectors", true);
    if (detectors)
        check_members(r, detectors, "detectors", detector_names, OB_MATERIAL_OTHER);
    for (unsigned d = 0; detectors && d < OB_MATERIAL_OTHER; d++) {
        const json_t *rule = object_at(r, detectors, ob_word_name(OB_WORD_MATERIAL, d), true);
        if (!rule)
            return;
        check_members(r, rule, "detectors", names, 3);
        regime->detectors[d] = (ob_permission)choice_at(r, rule, "permission", permissions, 3);
        regime->detector_article[d] = article_of(r, rule, "detectors");
    }
}

static void read_orders(reader *r, const json_t *root)
{
    static const char *const names[] = {
        "court_only",           "detectors", "months_most", "months_before",
        "grooming_needs_child", "article",   "verified"};
    ob_regime *regime = &r->file->regime;
    const json_t *orders = object_at(r, root, "orders", false);
    if (!orders)
        return;
    check_members(r, orders, "orders", names, 7);
    regime->court_only = truth_at(r, orders, "court_only");
    regime->orderable = set_at(r, orders, "detectors", OB_WORD_MATERIAL);
    regime->months_before = number_at(r, orders, "months_before", 1200);
    regime->grooming_needs_child = truth_at(r, orders, "grooming_needs_child");
    regime->order_article = article_of(r, orders, "orders");
    const json_t *most = object_at(r, orders, "months_most", true);
    if (most)
        check_members(r, most, "months_most", detector_names, OB_MATERIAL_OTHER);
    for (unsigned d = 0; most && d < OB_MATERIAL_OTHER; d++)
        if (json_object_get(most, ob_word_name(OB_WORD_MATERIAL, d)))
            regime->months_most[d] = number_at(r, most, ob_word_name(OB_WORD_MATERIAL, d), 1200);
}

static uint32_t read_safeguards(reader *r, const json_t *root, const char *member)
{
    const json_t *safeguards = object_at(r, root, member, false);
    uint32_t set = 0;
    const char *key;
    json_t *rule;
    json_object_foreach((json_t *)(uintptr_t)safeguards, key, rule)
    {
        unsigned safeguard;
        if (!ob_word_parse(&safeguard, OB_WORD_SAFEGUARD, key)) {
            wrong(r, member, "has a safeguard that is not known");
            return set;
        }
        set |= UINT32_C(1) << safeguard;
        r->file->regime.safeguard_article[safeguard] = article_of(r, rule, member);
    }
    return set;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static void read_all(reader *r, const json_t *root)
{
    static const char *const names[] = {
        "$schema",       "id",        "title",      "kind",
        "status",        "source",    "countries",  "from",
        "until",         "displaces", "scope",      "bases",
        "detectors",     "orders",    "safeguards", "safeguards_grooming",
        "annual_report", "retention", "title_de"};
    static const char *const kinds[] = {"rule", "derogation", "proposal"};
    static const char *const statuses[] = {"in_force", "proposal", "unverified"};
    ob_regime *regime = &r->file->regime;
    check_members(r, root, "it", names, sizeof names / sizeof *names);
    regime->id = text_at(r, root, "id");
    if (strlen(regime->id) > 64 ||
        strspn(regime->id, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(regime->id))
        wrong(r, "id", "is no id: a-z 0-9 -, at most 64");
    regime->title = text_at(r, root, "title");
    regime->title_de = json_object_get(root, "title_de") ? text_at(r, root, "title_de") : "";
    text_at(r, root, "source");
    regime->kind = (ob_regime_kind)choice_at(r, root, "kind", kinds, 3);
    regime->status = (ob_regime_status)choice_at(r, root, "status", statuses, 3);
    regime->dates_article = "";
    regime->from = date_at(r, root, "from", INT64_MIN, &regime->dates_article);
    regime->until = date_at(r, root, "until", INT64_MAX, &regime->dates_article);
    if (regime->from >= regime->until)
        wrong(r, "until", "is not after \"from\"");
    if (regime->status == OB_STATUS_IN_FORCE && regime->from == INT64_MIN)
        wrong(r, "from", "is missing: a law has a first day");
    const json_t *displaces = json_object_get(root, "displaces");
    regime->displaces = displaces ? text_at(r, root, "displaces") : "";
    read_countries(r, root);
    read_scope(r, root);
    read_bases(r, root);
    read_detectors(r, root);
    read_orders(r, root);
    regime->safeguards = read_safeguards(r, root, "safeguards");
    regime->safeguards_grooming = read_safeguards(r, root, "safeguards_grooming");
    regime->evidence_needed = regime->safeguards != 0;
    const json_t *report = object_at(r, root, "annual_report", false);
    regime->annual_report = report != NULL;
    regime->report_article = article_of(r, report, "annual_report");
    const json_t *retention = object_at(r, root, "retention", false);
    if (json_object_get(retention, "months"))
        regime->retention_months = number_at(r, retention, "months", 1200);
    if (json_object_get(retention, "least_months"))
        regime->retention_least_months = number_at(r, retention, "least_months", 1200);
    if (retention && !regime->retention_months && !regime->retention_least_months)
        wrong(r, "retention", "says neither \"months\" nor \"least_months\"");
    regime->retention_article = article_of(r, retention, "retention");
}

ob_status ob_law_file_read(ob_law_file **out, const char *bytes, size_t size, ob_error *err)
{
    json_error_t problem;
    ob_law_file *file = calloc(1, sizeof *file);
    if (!file)
        return ob_fail(err, OB_ENOMEM, "out of memory: a regime");
    reader r = {.file = file, .err = err};
    file->json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &problem);
    if (!file->json)
        r.status =
            ob_fail(err, OB_EFORMAT, "regime: no JSON: %s, line %d", problem.text, problem.line);
    else if (!json_is_object(file->json))
        r.status = ob_fail(err, OB_EFORMAT, "regime: no JSON object");
    else
        read_all(&r, file->json);
    if (!r.status)
        r.status = ob_sha256(file->regime.digest, bytes, size, err);
    if (r.status)
        ob_law_file_free(file);
    else
        *out = file;
    return r.status;
}

const ob_regime *ob_law_file_regime(const ob_law_file *file)
{
    return &file->regime;
}

void ob_law_file_free(ob_law_file *file)
{
    if (!file)
        return;
    json_decref(file->json);
    free(file);
}
