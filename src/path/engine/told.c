/* What was found, and what passed without being looked at, until it is told: to the log, and on
 * standard error. Never of which item, account or file. */
#include "engine_priv.h"

#include <stdio.h>
#include <string.h>

/* ---- Matches ---------------------------------------------------------------------------------
 */

static bool is_same(const matched *a, const matched *b)
{
    return a->action == b->action && a->answer == b->answer && !strcmp(a->list, b->list) &&
           !strcmp(a->source, b->source) && !strcmp(a->via, b->via);
}

void matches_add(matches *m, const matched *one)
{
    for (size_t i = 0; i < m->count; i++)
        if (is_same(&m->kind[i], one)) {
            m->kind[i].count += one->count;
            return;
        }
    if (m->count < MATCHES_MOST)
        m->kind[m->count++] = *one;
    else
        m->more += one->count;
}

static const char *answer_of(const matched *one)
{
    static const char *const answers[] = {"", "refused", "let_through"};
    return answers[one->answer];
}

json_t *matches_json(const matches *m)
{
    json_t *array = json_array();
    for (size_t i = 0; i < m->count; i++) {
        const matched *one = &m->kind[i];
        json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:I}", "list", one->list, "source",
                                   one->source, "via", one->via, "action",
                                   ob_action_name(one->action), "count", (json_int_t)one->count);
        if (one->answer)
            json_object_set_new(object, "answer", json_string(answer_of(one)));
        json_array_append_new(array, object);
    }
    return array;
}

/* A publisher's word in a line of its own: nothing in it begins another. */
static void quote(char *out, size_t room, const char *text)
{
    size_t at = 0;
    for (; *text && at + 1 < room; text++)
        out[at++] = (unsigned char)*text < 0x20 || *text == '"' || *text == 0x7f ? '?' : *text;
    out[at] = '\0';
}

void matches_tell(const matches *m, const teller *to)
{
    static const char *const words[] = {"", ", refused", ", let through"};
    char line[600], source[OB_LIST_TEXT_MAX + 1];
    for (size_t i = 0; i < m->count; i++) {
        const matched *one = &m->kind[i];
        char many[32] = "a match";
        if (one->count > 1)
            snprintf(many, sizeof many, "%llu matches", (unsigned long long)one->count);
        quote(source, sizeof source, one->source);
        snprintf(line, sizeof line, "%s in list \"%s\" (%s%s%s) by %s: %s%s", many, one->list,
                 *source ? "source \"" : "no source given", source, *source ? "\"" : "", one->via,
                 ob_action_name(one->action), words[one->answer]);
        to->say(to->context, line);
    }
    if (!m->more)
        return;
    snprintf(line, sizeof line, "%llu matches more in this second", (unsigned long long)m->more);
    to->say(to->context, line);
}

/* ---- What passed ------------------------------------------------------------------------------
 */

void passed_add(passed *p, const char *via, const char *reason)
{
    size_t i = 0;
    while (i < p->count && (strcmp(p->kind[i].via, via) || strcmp(p->kind[i].reason, reason)))
        i++;
    p->all++;
    if (i == PASSED_MOST)
        return;
    if (i == p->count) {
        snprintf(p->kind[i].via, sizeof p->kind[i].via, "%s", via);
        p->kind[i].reason = reason;
        p->count++;
    }
    p->kind[i].number++;
}

void passed_tell(const passed *p, const teller *to)
{
    char line[900];
    if (!p->all)
        return;
    size_t at = (size_t)snprintf(line, sizeof line,
                                 "%llu file%s passed that nobody has looked at, though somebody "
                                 "may:",
                                 (unsigned long long)p->all, p->all == 1 ? "" : "s");
    for (size_t i = 0; i < p->count && at < sizeof line; i++)
        at += (size_t)snprintf(line + at, sizeof line - at, "%s %s %s %llu", i ? "," : "",
                               p->kind[i].via, p->kind[i].reason,
                               (unsigned long long)p->kind[i].number);
    to->say(to->context, line);
}

/* ---- Since the start --------------------------------------------------------------------------
 */

void tally_matches(match_counts *c, const matched *one)
{
    ob_match_count *found = NULL;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count && !found; i++)
        if (c->kind[i].action == one->action && !strcmp(c->kind[i].list, one->list) &&
            !strcmp(c->kind[i].via, one->via))
            found = &c->kind[i];
    if (!found) {
        const bool fits = c->count < MATCH_COUNTS_MOST;
        found = &c->kind[fits ? c->count++ : MATCH_COUNTS_MOST - 1];
        memcpy(found->list, fits ? one->list : "other", fits ? sizeof found->list : 6);
        memcpy(found->via, fits ? one->via : "other", fits ? sizeof found->via : 6);
        found->action = one->action;
    }
    found->count += one->count;
    pthread_mutex_unlock(&c->lock);
}
