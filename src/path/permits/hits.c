/* What was found, and what passed without being looked at, until it is told: to the log, and on
 * standard error. Never of which item, account or file. */
#include "permits_priv.h"

#include <stdio.h>
#include <string.h>

/* ---- Matches ---------------------------------------------------------------------------------
 */

static bool is_same(const ob_hit *a, const ob_hit *b)
{
    return a->action == b->action && a->answer == b->answer && !strcmp(a->detector, b->detector) &&
           !strcmp(a->list, b->list) && !strcmp(a->source, b->source) && !strcmp(a->via, b->via);
}

void hits_add(hits *h, const ob_hit *one)
{
    for (size_t i = 0; i < h->count; i++)
        if (is_same(&h->kind[i], one)) {
            h->kind[i].count += one->count;
            return;
        }
    if (h->count < HITS_MOST)
        h->kind[h->count++] = *one;
    else
        h->more += one->count;
}

static const char *answer_of(const ob_hit *one)
{
    static const char *const answers[] = {"", "refused", "let_through"};
    return answers[one->answer];
}

void hits_log(ob_entry *out, const char *member, const hits *h)
{
    for (size_t i = 0; i < h->count; i++) {
        const ob_hit *one = &h->kind[i];
        ob_entry *inner = ob_entry_new();
        if (*one->detector) {
            ob_entry_text(inner, "detector", one->detector);
        } else {
            ob_entry_text(inner, "list", one->list);
            ob_entry_text(inner, "source", one->source);
        }
        ob_entry_text(inner, "via", one->via);
        ob_entry_text(inner, "action", ob_action_name(one->action));
        ob_entry_number(inner, "count", (int64_t)one->count);
        if (one->answer)
            ob_entry_text(inner, "answer", answer_of(one));
        ob_entry_list_inner(out, member, inner);
    }
}

/* A publisher's word in a line of its own: nothing in it begins another. */
static void quote(char *out, size_t room, const char *text)
{
    size_t at = 0;
    for (; *text && at + 1 < room; text++)
        out[at++] = (unsigned char)*text < 0x20 || *text == '"' || *text == 0x7f ? '?' : *text;
    out[at] = '\0';
}

static void describe(char *out, size_t room, const ob_hit *one)
{
    char source[OB_LIST_TEXT_MAX + 1];
    quote(source, sizeof source, one->source);
    if (*one->detector)
        snprintf(out, room, "by the detector \"%s\"", one->detector);
    else
        snprintf(out, room, "in list \"%s\" (%s%s%s)", one->list,
                 *source ? "source \"" : "no source given", source, *source ? "\"" : "");
}

void hits_tell(const hits *h, const ob_counts_listener *to)
{
    static const char *const words[] = {"", ", refused", ", let through"};
    char line[600], where[300];
    for (size_t i = 0; i < h->count; i++) {
        const ob_hit *one = &h->kind[i];
        char many[32] = "a match";
        if (one->count > 1)
            snprintf(many, sizeof many, "%llu matches", (unsigned long long)one->count);
        describe(where, sizeof where, one);
        snprintf(line, sizeof line, "%s %s by %s: %s%s", many, where, one->via,
                 ob_action_name(one->action), words[one->answer]);
        to->say(to->context, line);
    }
    if (!h->more)
        return;
    snprintf(line, sizeof line, "%llu matches more in this second", (unsigned long long)h->more);
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

void passed_tell(const passed *p, const ob_counts_listener *to)
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
