/* Named fields, whatever file they stood in, become an entry. */
#include "read_priv.h"

#include <obhut/hash.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

/* ---- Names ----------------------------------------------------------------------------------- */

/* As publishers write them, without case, blanks and signs. */
static const struct {
    const char *name;
    field field;
} field_names[] = {
    {"hash", FIELD_ANY},
    {"hashvalue", FIELD_ANY},
    {"signal", FIELD_ANY},
    {"signalvalue", FIELD_ANY},
    {"signalstr", FIELD_ANY},
    {"indicator", FIELD_ANY},
    {"rawindicator", FIELD_ANY},
    {"fingerprint", FIELD_ANY},
    {"value", FIELD_ANY},
    {"signaltype", FIELD_TYPE},
    {"hashtype", FIELD_TYPE},
    {"indicatortype", FIELD_TYPE},
    {"type", FIELD_TYPE},
    {"algorithm", FIELD_TYPE},
    {"id", FIELD_ID},
    {"entryid", FIELD_ID},
    {"mediaid", FIELD_ID},
    {"imageid", FIELD_ID},
    {"hashid", FIELD_ID},
    {"contentid", FIELD_ID},
    {"bankcontentid", FIELD_ID},
    {"indicatorid", FIELD_ID},
    {"source", FIELD_SOURCE},
    {"publisher", FIELD_SOURCE},
    {"member", FIELD_SOURCE},
    {"classification", FIELD_CLASSIFICATION},
    {"category", FIELD_CLASSIFICATION},
    {"state", FIELD_STATE},
    {"status", FIELD_STATE},
    {"hashstatus", FIELD_STATE},
    {"entrystatus", FIELD_STATE},
    {"shoulddelete", FIELD_GONE},
    {"deleted", FIELD_GONE},
    {"isdeleted", FIELD_GONE},
    {"withdrawn", FIELD_GONE},
    {"iswithdrawn", FIELD_GONE},
    {"active", FIELD_HERE},
    {"isactive", FIELD_HERE},
    {"enabled", FIELD_HERE},
    {"quality", FIELD_QUALITY},
    {"pdqquality", FIELD_QUALITY},
};

static const struct {
    const char *name;
    field field;
} kind_names[] = {
    {"pdq", FIELD_PDQ},       {"md5", FIELD_MD5},           {"sha1", FIELD_SHA1},
    {"sha256", FIELD_SHA256}, {"photodna", FIELD_PHOTODNA}, {"pdna", FIELD_PHOTODNA},
    {"tmk", FIELD_TMK},       {"tmkpdqf", FIELD_TMK},       {"vpdq", FIELD_VPDQ},
};

enum { WORD = 48 };

/* Letters and digits in lower case; false where nothing known is so long. */
static bool plain_word(char out[WORD], const char *name)
{
    size_t size = 0;
    for (; *name; name++) {
        const unsigned char c = (unsigned char)*name;
        if (isalnum(c) && size == WORD - 1)
            return false;
        if (isalnum(c))
            out[size++] = (char)tolower(c);
    }
    out[size] = '\0';
    return true;
}

static char *without_start(char *word, const char *start)
{
    return strncmp(word, start, strlen(start)) ? word : word + strlen(start);
}

static void cut_end(char *word, const char *end)
{
    size_t size = strlen(word), less = strlen(end);
    if (size > less && !strcmp(word + size - less, end))
        word[size - less] = '\0';
}

/* "HASH_VIDEO_MD5", "ImagePDQ", "md5sum", "SHA-1 hash". */
static int kind_of(char *word)
{
    word = without_start(word, "hash");
    word = without_start(word, "image");
    word = without_start(word, "photo");
    word = without_start(word, "file");
    word = without_start(word, "video");
    cut_end(word, "hash");
    cut_end(word, "hex");
    cut_end(word, "sum");
    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++)
        if (!strcmp(word, kind_names[i].name))
            return (int)kind_names[i].field;
    return -1;
}

int field_of(const char *name)
{
    char word[WORD];
    if (!plain_word(word, name))
        return -1;
    for (size_t i = 0; i < sizeof field_names / sizeof *field_names; i++)
        if (!strcmp(word, field_names[i].name))
            return (int)field_names[i].field;
    return !strcmp(word, "photodna") ? FIELD_PHOTODNA : kind_of(word);
}

bool field_is_hash(int field)
{
    return field >= 0 && field <= FIELD_ANY;
}

bool field_is_state(int field)
{
    return field == FIELD_STATE || field == FIELD_GONE || field == FIELD_HERE;
}

bool field_could_be_hash(const char *text)
{
    const size_t digits = strspn(text, "0123456789abcdefABCDEF");
    return digits >= 2 * (size_t)OB_MD5_SIZE - 2 && !text[digits];
}

int field_kind(const char *name)
{
    static const char *const no_kind[] = {"",      "hash",  "image", "picture", "photo",
                                          "video", "media", "file",  "content"};
    char word[WORD];
    if (!plain_word(word, name))
        return -1;
    for (size_t i = 0; i < sizeof no_kind / sizeof *no_kind; i++)
        if (!strcmp(word, no_kind[i]))
            return FIELD_ANY;
    return !strcmp(word, "photodna") ? FIELD_PHOTODNA : kind_of(word);
}

const char *ob_list_kind_name(ob_list_kind kind)
{
    static const char *const names[OB_LIST_KINDS] = {"pdq",      "md5", "sha1", "sha256",
                                                     "photodna", "tmk", "vpdq"};
    return names[kind];
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* Whether jansson would take it: lists become JSON output. */
ob_status list_check_text(const char *text, size_t most, const char *name, ob_error *err)
{
    if (strlen(text) > most)
        return ob_fail(err, OB_EFORMAT, "%s of %zu bytes; at most %zu are kept", name, strlen(text),
                       most);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            return ob_fail(err, OB_EFORMAT, "%s with a control character", name);
    json_t *utf8 = json_string(text);
    if (!utf8)
        return ob_fail(err, OB_EFORMAT, "%s is not UTF-8", name);
    json_decref(utf8);
    return OB_OK;
}

static const char *trim(char *text)
{
    if (!text)
        return "";
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size && strchr(" \t\r\n", text[size - 1]))
        size--;
    text[size] = '\0';
    return text;
}

ob_status said_put(bool *used, said *to, int field, char *text, ob_error *err)
{
    const bool several = field_is_hash(field) || field_is_state(field);
    *used = field >= 0 && text;
    if (!*used)
        return OB_OK;
    if (!*trim(to->text[field])) {
        to->text[field] = text;
        return OB_OK;
    }
    *used = several;
    if (!several || !*trim(text))
        return OB_OK;
    if (to->more_count == SAID_MORE)
        return ob_fail(err, OB_EFORMAT, "more than %d hashes and states in one entry", SAID_MORE);
    to->more[to->more_count].field = field;
    to->more[to->more_count++].text = text;
    return OB_OK;
}

/* ---- States ---------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    bool withdrawn;
} states[] = {
    {"", false},          {"active", false},    {"enabled", false},     {"live", false},
    {"current", false},   {"confirmed", false}, {"listed", false},      {"received", false},
    {"malicious", false}, {"withdrawn", true},  {"deleted", true},      {"inactive", true},
    {"removed", true},    {"retracted", true},  {"revoked", true},      {"disabled", true},
    {"expired", true},    {"delisted", true},   {"nonmalicious", true}, {"falsepositive", true},
};

static void note_state(bool withdrawn, reader *r, const char *state)
{
    size_t at = 0;
    if (!*state)
        return;
    names_note(&at, &r->understood->states, state);
    if (at != SIZE_MAX)
        r->understood->states.name[at].used = !withdrawn;
}

static bool find_state(bool *withdrawn, const char *state)
{
    char word[WORD] = "?";
    if (!plain_word(word, state))
        return false;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (!strcmp(word, states[i].word)) {
            *withdrawn = states[i].withdrawn;
            return true;
        }
    return false;
}

bool field_state_is_known(const char *word)
{
    bool withdrawn;
    return *word && find_state(&withdrawn, word);
}

static ob_status take_state(bool *withdrawn, const char *state, ob_error *err)
{
    if (find_state(withdrawn, state))
        return OB_OK;
    return ob_fail(
        err, OB_EFORMAT,
        "state \"%.40s\"; known are active, received, confirmed, enabled, and withdrawn, "
        "deleted, removed, inactive, disabled, expired, revoked",
        state);
}

/* *out where the field says yes or no. */
static ob_status take_flag(bool *out, const char *text, const char *what, ob_error *err)
{
    if (!strcasecmp(text, "true") || !strcmp(text, "1") || !strcasecmp(text, "yes"))
        *out = true;
    else if (!strcasecmp(text, "false") || !strcmp(text, "0") || !strcasecmp(text, "no"))
        *out = false;
    else if (*text)
        return ob_fail(err, OB_EFORMAT, "\"%.40s\" where %s: true and false are known", text, what);
    return OB_OK;
}

static ob_status take_any_state(bool *withdrawn, int field, char *said, ob_error *err)
{
    bool gone = false, here = true, flagged = false;
    const char *text = trim(said);
    ob_status status = field == FIELD_STATE ? take_state(&gone, text, err)
                       : field == FIELD_GONE
                           ? take_flag(&flagged, text, "it is said whether an entry is gone", err)
                           : take_flag(&here, text, "it is said whether an entry counts", err);
    *withdrawn |= gone || flagged || !here;
    return status;
}

/* Where several say it, one that says withdrawn is enough. */
ob_status withdrawn_from_fields(bool *withdrawn, const said *said, ob_error *err)
{
    static const field states_of[] = {FIELD_STATE, FIELD_GONE, FIELD_HERE};
    ob_status status = OB_OK;
    for (size_t i = 0; i < 3 && !status; i++)
        status = take_any_state(withdrawn, states_of[i], said->text[states_of[i]], err);
    for (unsigned i = 0; i < said->more_count && !status; i++)
        if (field_is_state(said->more[i].field))
            status = take_any_state(withdrawn, said->more[i].field, said->more[i].text, err);
    return status;
}

static void note_states(reader *r, const said *said)
{
    bool withdrawn = false;
    find_state(&withdrawn, trim(said->text[FIELD_STATE]));
    note_state(withdrawn, r, trim(said->text[FIELD_STATE]));
    for (unsigned i = 0; i < said->more_count; i++)
        if (said->more[i].field == FIELD_STATE) {
            find_state(&withdrawn, trim(said->more[i].text));
            note_state(withdrawn, r, trim(said->more[i].text));
        }
}

/* ---- Hashes ---------------------------------------------------------------------------------- */

/* What spreadsheets make of hashes that look like numbers. */
static bool is_spreadsheet_number(const char *text)
{
    size_t digits = strspn(text, "0123456789.,");
    return digits && strspn(text + digits, "Ee") == 1 && text[digits + 1] == '+';
}

static ob_status take_hash(entry *to, int field, const char *text, ob_error *err)
{
    if (is_spreadsheet_number(text))
        return ob_fail(err, OB_EFORMAT,
                       "\"%.40s\": a spreadsheet has made a number of a hash; export it as text",
                       text);
    if (field == FIELD_PDQ) {
        to->has_hash = true;
        return ob_hash256_parse(&to->hash, text, strlen(text), err);
    }
    to->has_digest[field] = true;
    return ob_list_digest_parse(to->digest[field], (ob_list_digest)field, text, strlen(text), err);
}

static void note_unused(reader *r, const char *kind)
{
    size_t at = 0;
    names_note(&at, &r->understood->unused, kind);
}

/* One of a form that is not known is told and left out, not what stands beside it. */
static void take_signal(entry *to, bool *skipped, reader *r, int kind, const char *text)
{
    to->has_digest[kind] =
        !ob_list_digest_parse(to->digest[kind], (ob_list_digest)kind, text, strlen(text), NULL);
    if (!to->has_digest[kind]) {
        note_unused(r, list_digest_kinds[kind].name);
        *skipped = true;
    }
}

static ob_status take_one(entry *to, bool *skipped, reader *r, int field, const char *text,
                          ob_error *err)
{
    if (field >= DIGEST_KINDS || !list_digest_kinds[field].is_signal)
        return take_hash(to, field, text, err);
    take_signal(to, skipped, r, field, text);
    return OB_OK;
}

/* By its length: 64 digits are a PDQ hash or what was told at import, 32 MD5, 40 SHA-1. */
static int field_by_length(const reader *r, const char *text)
{
    size_t length = strlen(text);
    return length == 2 * OB_MD5_SIZE     ? FIELD_MD5
           : length == 2 * OB_SHA1_SIZE  ? FIELD_SHA1
           : r->type == OB_IMPORT_SHA256 ? FIELD_SHA256
                                         : FIELD_PDQ;
}

static bool has_any(const entry *e)
{
    bool any = e->has_hash;
    for (int k = 0; k < DIGEST_KINDS; k++)
        any |= e->has_digest[k];
    return any;
}

static bool has_same(const entry *one, const entry *e)
{
    bool is_there =
        !one->has_hash || (e->has_hash && !memcmp(&one->hash, &e->hash, sizeof e->hash));
    for (int k = 0; k < DIGEST_KINDS; k++)
        is_there &=
            !one->has_digest[k] ||
            (e->has_digest[k] && !memcmp(one->digest[k], e->digest[k], sizeof e->digest[k]));
    return is_there;
}

/* In the entry where it has none of that kind yet, else in one of its own. */
static ob_status add_hash(entry *to, bool *skipped, reader *r, int field, const char *text,
                          ob_error *err)
{
    const bool there = field == FIELD_PDQ ? to->has_hash : to->has_digest[field];
    entry one = {.has_hash = false};
    ob_status status = take_one(there ? &one : to, skipped, r, field, text, err);
    bool is_there = !there || has_same(&one, to);
    for (unsigned i = 0; i < r->also_count; i++)
        is_there |= has_same(&one, &r->also[i]);
    if (!status && !is_there)
        r->also[r->also_count++] = one;
    return status;
}

/* A hash whose kind stands beside it, or nowhere. Beside one of a name of its own it may as well be
 * anything else. */
static ob_status take_any(entry *to, bool *skipped, reader *r, const char *type, const char *text,
                          ob_error *err)
{
    int kind = field_kind(type);
    const bool is_signal = kind >= 0 && kind < DIGEST_KINDS && list_digest_kinds[kind].is_signal;
    if (has_any(to) && !field_could_be_hash(text) && !is_signal)
        return OB_OK;
    if (kind == FIELD_ANY)
        kind = field_by_length(r, text);
    if (kind < 0) {
        note_unused(r, type);
        *skipped = true;
        return OB_OK;
    }
    return add_hash(to, skipped, r, kind, text, err);
}

static ob_status take_more(entry *to, bool *skipped, reader *r, const char *type, const said *said,
                           ob_error *err)
{
    ob_status status = OB_OK;
    for (unsigned i = 0; i < said->more_count && !status; i++) {
        const int field = said->more[i].field;
        const char *text = trim(said->more[i].text);
        if (field == FIELD_ANY)
            status = take_any(to, skipped, r, type, text, err);
        else if (field_is_hash(field))
            status = add_hash(to, skipped, r, field, text, err);
    }
    return status;
}

static ob_status take_hashes(entry *to, bool *skipped, reader *r, const char *const text[FIELDS],
                             const said *said, ob_error *err)
{
    ob_status status = OB_OK;
    for (int f = 0; f < DIGEST_KINDS && !status; f++)
        if (*text[f])
            status = take_one(to, skipped, r, f, text[f], err);
    if (!status && *text[FIELD_PDQ])
        status = take_hash(to, FIELD_PDQ, text[FIELD_PDQ], err);
    if (!status && *text[FIELD_ANY])
        status = take_any(to, skipped, r, text[FIELD_TYPE], text[FIELD_ANY], err);
    if (!status)
        status = take_more(to, skipped, r, text[FIELD_TYPE], said, err);
    *skipped &= !has_any(to);
    if (!status && !has_any(to) && !*skipped && !(to->withdrawn && to->id))
        status = ob_fail(err, OB_EFORMAT,
                         to->withdrawn
                             ? "withdrawn, but neither a hash nor an id says which"
                             : "no hash: neither pdq, md5, sha1, sha256, photodna, tmk nor vpdq");
    return status;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static ob_status check_texts(const entry *e, ob_error *err)
{
    ob_status status = e->id ? list_check_text(e->id, OB_LIST_ID_MAX, "an id", err) : OB_OK;
    if (!status)
        status = list_check_text(e->source, OB_LIST_TEXT_MAX, "a source", err);
    if (!status)
        status = list_check_text(e->classification, OB_LIST_TEXT_MAX, "a classification", err);
    return status;
}

/* Whole numbers from 0 to 100 are PDQ's; others mean something else. */
static bool is_low(const char *quality)
{
    const size_t digits = strspn(quality, "0123456789");
    return digits && digits <= 2 && !quality[digits] && atoi(quality) < OB_PDQ_MIN_QUALITY;
}

static void count_kinds(reader *r, const entry *e)
{
    uint64_t *kinds = r->understood->kinds;
    kinds[OB_LIST_KIND_PDQ] += e->has_hash;
    for (int k = 0; k < DIGEST_KINDS; k++)
        kinds[OB_LIST_KIND_MD5 + k] += e->has_digest[k];
}

static void inherit(entry *to, const inherited *from)
{
    if (!from)
        return;
    to->withdrawn |= from->withdrawn;
    to->id = to->id || !*from->id ? to->id : from->id;
    to->source = *to->source ? to->source : from->source;
    to->classification = *to->classification ? to->classification : from->classification;
}

/* What else an entry has, for its further hashes. */
static void finish_also(reader *r, const entry *of)
{
    for (unsigned i = 0; i < r->also_count; i++) {
        entry *e = &r->also[i];
        e->id = of->id;
        e->source = of->source;
        e->classification = of->classification;
        e->withdrawn = of->withdrawn;
        e->low_quality = of->low_quality;
        if (!e->withdrawn)
            count_kinds(r, e);
    }
}

ob_status entry_from_fields(entry *out, bool *skipped, reader *r, const said *said, ob_error *err)
{
    const char *text[FIELDS];
    for (int f = 0; f < FIELDS; f++)
        text[f] = trim(said->text[f]);
    entry made = {.id = *text[FIELD_ID] ? text[FIELD_ID] : NULL,
                  .source = text[FIELD_SOURCE],
                  .classification = text[FIELD_CLASSIFICATION],
                  .low_quality = is_low(text[FIELD_QUALITY])};
    *skipped = false;
    r->also_count = r->also_given = 0;
    ob_status status = withdrawn_from_fields(&made.withdrawn, said, err);
    inherit(&made, r->inherited);
    if (!status)
        status = check_texts(&made, err);
    if (!status)
        status = take_hashes(&made, skipped, r, text, said, err);
    if (status) {
        r->also_count = 0;
        return status;
    }
    note_states(r, said);
    r->understood->skipped += *skipped;
    if (!*skipped && !made.withdrawn)
        count_kinds(r, &made);
    finish_also(r, &made);
    *out = made;
    return OB_OK;
}
