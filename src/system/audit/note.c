/* Checkpoints as text: signed notes whose first three lines are a tree head (C2SP tlog-checkpoint),
 * and whose next three are what Obhut needs in order to go on from there. */
#include "audit_priv.h"

#include <string.h>
#include <time.h>

enum { SIGNED = KEY_ID + OB_SIGNATURE_SIZE };

static const char dash[] = "\xE2\x80\x94 "; /* — and a space */
enum { DASH = sizeof dash - 1 };

/* ---- Small things ---------------------------------------------------------------------------- */

bool number_parse(uint64_t *out, const char *text, const char *end)
{
    uint64_t number = 0;
    if (text == end || end - text > 18 || (*text == '0' && end - text > 1))
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = 10 * number + (uint64_t)(*text - '0');
    }
    *out = number;
    return true;
}

void time_print(char out[OB_AUDIT_TIME + 1], int64_t seconds)
{
    const int64_t last = INT64_C(253402300799); /* of the year 9999 */
    time_t t = (time_t)(seconds < 0 ? 0 : seconds > last ? last : seconds);
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(out, OB_AUDIT_TIME + 1, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool time_is_valid(const char *text, size_t length)
{
    static const char shape[] = "0000-00-00T00:00:00Z";
    if (length != OB_AUDIT_TIME)
        return false;
    for (size_t i = 0; i < OB_AUDIT_TIME; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    return true;
}

bool note_line_is_allowed(const char *line)
{
    size_t length = strlen(line);
    for (size_t i = 0; i < length; i++)
        if (line[i] < ' ' || line[i] > '~')
            return false;
    return length && length < 1024 && strncmp(line, "at ", 3) && strncmp(line, "bytes ", 6) &&
           strncmp(line, "before ", 7) && strncmp(line, "frontier", 8);
}

/* ---- Printing -------------------------------------------------------------------------------- */

static ob_status print_hash(ob_buf *out, const char *before, const tree_hash *hash, ob_error *err)
{
    ob_status status = ob_buf_append(out, before, strlen(before), err);
    return status ? status : ob_base64(out, hash->bytes, OB_AUDIT_HASH, err);
}

static ob_status print_body(ob_buf *out, const note *note, const log_key *name,
                            const char *const *lines, ob_error *err)
{
    ob_status status =
        ob_buf_printf(out, err, "%s\n%llu\n", name->name, (unsigned long long)note->frontier.size);
    if (!status)
        status = print_hash(out, "", &note->root, err);
    if (!status)
        status = ob_buf_printf(out, err, "\nat %s\nbefore %llu\nbytes %llu\nfrontier", note->at,
                               (unsigned long long)note->before, (unsigned long long)note->bytes);
    for (unsigned i = 0; i < tree_roots(note->frontier.size) && !status; i++)
        status = print_hash(out, " ", &note->frontier.roots[i], err);
    if (!status)
        status = ob_buf_append(out, "\n", 1, err);
    for (; lines && *lines && !status; lines++)
        status = ob_buf_printf(out, err, "%s\n", *lines);
    return status;
}

ob_status note_print(ob_buf *out, const note *note, const log_key *name, const ob_sign_key *key,
                     const char *const *lines, ob_error *err)
{
    uint8_t coded[SIGNED];
    ob_buf body = {0};
    ob_status status = print_body(&body, note, name, lines, err);
    if (status)
        goto out;
    memcpy(coded, name->id, KEY_ID);
    ob_sign(coded + KEY_ID, key, body.bytes, body.size);
    status = ob_buf_printf(&body, err, "\n%s%s ", dash, name->name);
    if (!status)
        status = ob_base64(&body, coded, sizeof coded, err);
    if (!status)
        status = ob_buf_append(&body, "\n", 1, err);
    if (!status)
        status = ob_buf_append(out, body.bytes, body.size, err);
out:
    ob_buf_free(&body);
    return status;
}

/* ---- Parsing: lines -------------------------------------------------------------------------- */

typedef struct cursor {
    const char *at, *end;
} cursor;

/* The next line without its newline; false when there is none that ends. */
static bool next_line(cursor *c, const char **line, size_t *length)
{
    const char *newline = c->at < c->end ? memchr(c->at, '\n', (size_t)(c->end - c->at)) : NULL;
    if (!newline)
        return false;
    *line = c->at;
    *length = (size_t)(newline - c->at);
    c->at = newline + 1;
    return true;
}

/* A line "WORD REST"; *rest is set to what follows the word and its space. */
static bool next_word(cursor *c, const char *word, const char **rest, const char **end)
{
    const char *line;
    size_t length, skip = strlen(word);
    if (!next_line(c, &line, &length) || length < skip || memcmp(line, word, skip))
        return false;
    *rest = line + skip;
    *end = line + length;
    return true;
}

static bool hash_parse(tree_hash *out, const char *text, size_t length)
{
    size_t got = 0;
    return !ob_base64_parse(out->bytes, &got, OB_AUDIT_HASH, text, length, NULL) &&
           got == OB_AUDIT_HASH;
}

static bool parse_frontier(tree_frontier *out, const char *rest, const char *end)
{
    enum { CHARACTERS = 44 };
    unsigned count = tree_roots(out->size);
    if ((size_t)(end - rest) != (size_t)count * (1 + CHARACTERS))
        return false;
    for (unsigned i = 0; i < count; i++, rest += 1 + CHARACTERS)
        if (*rest != ' ' || !hash_parse(&out->roots[i], rest + 1, CHARACTERS))
            return false;
    return true;
}

/* The tree head: what every checkpoint of the world has. */
static bool parse_head(note *out, cursor *c, const log_key *key)
{
    const char *rest, *end;
    return next_word(c, key->name, &rest, &end) && rest == end && next_word(c, "", &rest, &end) &&
           number_parse(&out->frontier.size, rest, end) && next_word(c, "", &rest, &end) &&
           hash_parse(&out->root, rest, (size_t)(end - rest));
}

/* What Obhut adds. Lines behind these are the service's own. */
static bool parse_rest(note *out, cursor *c)
{
    const char *rest, *end;
    if (!next_word(c, "at ", &rest, &end) || !time_is_valid(rest, (size_t)(end - rest)))
        return false;
    memcpy(out->at, rest, OB_AUDIT_TIME);
    out->at[OB_AUDIT_TIME] = '\0';
    return next_word(c, "before ", &rest, &end) && number_parse(&out->before, rest, end) &&
           next_word(c, "bytes ", &rest, &end) && number_parse(&out->bytes, rest, end) &&
           next_word(c, "frontier", &rest, &end) && parse_frontier(&out->frontier, rest, end);
}

/* ---- Parsing: signatures --------------------------------------------------------------------- */

typedef enum signature { FITS, DOES_NOT_FIT, SOMEBODY_ELSES, NO_SIGNATURE } signature;

static signature check_signature(const char *line, size_t length, const char *body, size_t size,
                                 const log_key *key)
{
    uint8_t coded[SIGNED];
    size_t got = 0, skip = DASH + OB_AUDIT_NAME + 1;
    if (length < DASH || memcmp(line, dash, DASH))
        return NO_SIGNATURE;
    if (length <= skip || memcmp(line + DASH, key->name, OB_AUDIT_NAME) || line[skip - 1] != ' ')
        return SOMEBODY_ELSES;
    if (ob_base64_parse(coded, &got, sizeof coded, line + skip, length - skip, NULL) ||
        got != SIGNED || memcmp(coded, key->id, KEY_ID))
        return SOMEBODY_ELSES;
    return ob_sign_check(coded + KEY_ID, key->public_key, body, size) ? FITS : DOES_NOT_FIT;
}

static ob_status no_end(ob_error *err)
{
    return ob_fail(err, OB_ENOTFOUND, "a checkpoint without its end");
}

/* Moves `c` behind the signatures that belong to the text before it. */
static ob_status read_signatures(cursor *c, const char *body, size_t size, note_kind kind,
                                 const log_key *key, ob_error *err)
{
    const char *line;
    size_t length;
    bool fits = false, first = true;
    while (kind == NOTE_STORED ? first : c->at < c->end) {
        if (!next_line(c, &line, &length))
            return no_end(err);
        signature s = check_signature(line, length, body, size, key);
        if (s == DOES_NOT_FIT)
            return ob_fail(err, OB_EFORMAT,
                           "the signature does not fit: the text is not what was signed");
        if (s == NO_SIGNATURE || (s == SOMEBODY_ELSES && kind == NOTE_STORED))
            return ob_fail(err, OB_EFORMAT, "a line that is no signature of %s", key->name);
        fits |= s == FITS;
        first = false;
    }
    return fits ? OB_OK : ob_fail(err, OB_EREFUSED, "not signed by %s", key->name);
}

ob_status note_parse(note *out, size_t *used, const char *text, size_t size, const note_rule *rule,
                     ob_error *err)
{
    const log_key *key = rule->key;
    size_t most = size < OB_AUDIT_CHECKPOINT_MAX ? size : OB_AUDIT_CHECKPOINT_MAX;
    const char *blank = most ? memmem(text, most, "\n\n", 2) : NULL;
    tree_hash folded;
    if (!blank && size > most)
        return ob_fail(err, OB_EFORMAT, "%d bytes without the end of a checkpoint",
                       OB_AUDIT_CHECKPOINT_MAX);
    if (!blank)
        return no_end(err);
    size_t body = (size_t)(blank - text) + 1;
    cursor c = {blank + 2, text + size}, lines = {text, text + body};
    memset(out, 0, sizeof *out);
    if (!parse_head(out, &lines, key))
        return ob_fail(err, OB_EFORMAT, "not a checkpoint of %s", key->name);
    ob_status status = read_signatures(&c, text, body, rule->kind, key, err);
    if (status)
        return status;
    /* From here on the right key has signed it. */
    if (!parse_rest(out, &lines))
        return ob_fail(err, OB_EREFUSED,
                       "this checkpoint is in a format that this version does not know; use the "
                       "version of Obhut that wrote it, or a newer one");
    status = tree_root(&folded, &out->frontier, rule->sum, err);
    if (!status && !tree_same(&folded, &out->root))
        status = ob_fail(err, OB_EFORMAT, "the frontier of this checkpoint does not give its root");
    if (!status)
        *used = (size_t)(c.at - text);
    return status;
}
