/* GET /transparency: what is being looked at and what is not, for everybody to read. */
#include "services_priv.h"

#include <obhut/law.h>
#include <obhut/pages.h>
#include <obhut/records/profile.h>
#include <obhut/records/tally.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 86400, DAYS = 30, FEW = 10 };

/* ---- Words ----------------------------------------------------------------------------------- */

enum { DETECTORS_NAMED = 4 };

typedef struct words {
    const char *lang, *other_lang, *other_name, *title, *lead, *scanned, *not_scanned_by, *never,
        *counts, *laws, *how_found, *digests, *surface, *answer, *basis, *law, *number, *reason,
        *why_not, *since, *until, *open_end, *none, *few, *house_rule, *counted, *detector, *state,
        *how, *ask, *service;
    const char *surfaces[OB_SURFACES], *bases[OB_BASIS_COUNT], *grounds[OB_BASIS_COUNT],
        *states[OB_STATE_COUNT], *floor[8];
    struct {
        const char *id, *name;
    } detectors[DETECTORS_NAMED];
} words;

static const words in[OB_LANGUAGES] = {
    [OB_ENGLISH] =
        {.lang = "en",
         .other_lang = "de",
         .other_name = "Deutsch",
         .title = "What is looked at here",
         .lead =
             "This service looks for known material of child sexual abuse. This page says where it "
             "looks and where it does not, under which law, and how often. It is made by the "
             "software itself.",
         .scanned = "Where somebody may look",
         .not_scanned_by = "nobody looks",
         .never = "What nobody looks at, whatever the settings",
         .counts = "How often",
         .laws = "Under which law",
         .how_found = "How it is looked for",
         .digests = "Which software this is",
         .surface = "Where",
         .answer = "May somebody look?",
         .basis = "Basis",
         .law = "Law",
         .number = "Items",
         .reason = "Reason",
         .why_not = "Not looked at",
         .since = "since",
         .until = "until",
         .open_end = "no end is known",
         .none = "none yet",
         .few = "fewer than 10",
         .house_rule = "This service has chosen this law as its own rule.",
         .counted = "Counted over the last 30 days. Numbers below 10 are not told exactly.",
         .detector = "Method",
         .state = "State",
         .how =
             "Anybody with the same release can compute these digests, and see that neither laws "
             "nor "
             "limits were changed.",
         .ask = "The regimes together",
         .service = "Service",
         .surfaces = {"messages between two people", "closed groups", "public posts and uploads",
                      "private storage"},
         .bases = {"none", "public", "a participant's report", "a notice", "consent of all",
                   "an own image", "a court's order", "a cause"},
         .grounds =
             {"", "everybody can see it anyway", "a participant has disclosed this very item",
              "somebody has notified this very item", "all participants have freely agreed",
              "an own wish about an own image", "a court has ordered it for this very account",
              "two persons have recorded a cause against this very account: known material only, "
              "at most 30 days"},
         .detectors = {{"digests", "the same file (digests)"}, {"pdq", "similar pictures (PDQ)"}},
         .states = {"not tested: not used", "on trial: every hit is a question for a person", "on",
                    "suspended: not used"},
         .floor = {"end-to-end encrypted messages, on any server",
                   "private conversations without a cause, a report or consent",
                   "sound, live transmissions, metadata",
                   "conversations with those who must keep secrets by profession",
                   "anything on your own device, unless you want it yourself",
                   "anything for another purpose than child sexual abuse",
                   "Nothing is reported, and no account is sanctioned, before a trained person has "
                   "looked and confirmed."}},
    [OB_GERMAN] =
        {.lang = "de",
         .other_lang = "en",
         .other_name = "English",
         .title = "Was hier angesehen wird",
         .lead =
             "Dieser Dienst sucht nach bekanntem Material sexueller Gewalt gegen Kinder. Diese "
             "Seite "
             "sagt, wo er sucht und wo nicht, nach welchem Gesetz und wie oft. Die Software selbst "
             "erstellt sie.",
         .scanned = "Wo jemand nachsehen darf",
         .not_scanned_by = "niemand sieht nach",
         .never = "Was niemand ansieht, gleich was eingestellt ist",
         .counts = "Wie oft",
         .laws = "Nach welchem Gesetz",
         .how_found = "Wie gesucht wird",
         .digests = "Welche Software das ist",
         .surface = "Wo",
         .answer = "Darf jemand nachsehen?",
         .basis = "Grundlage",
         .law = "Gesetz",
         .number = "Inhalte",
         .reason = "Grund",
         .why_not = "Nicht angesehen",
         .since = "seit",
         .until = "bis",
         .open_end = "kein Ende bekannt",
         .none = "noch keine",
         .few = "weniger als 10",
         .house_rule = "Dieser Dienst hat dieses Gesetz als eigene Regel gewählt.",
         .counted = "Gezählt über die letzten 30 Tage. Zahlen unter 10 werden nicht genau genannt.",
         .detector = "Verfahren",
         .state = "Stand",
         .how = "Wer dieselbe Version hat, kann diese Prüfsummen nachrechnen und sehen, dass weder "
                "Gesetze noch Grenzen verändert wurden.",
         .ask = "Alle Gesetze zusammen",
         .service = "Dienst",
         .surfaces = {"Nachrichten zwischen zwei Menschen", "geschlossene Gruppen",
                      "öffentliche Beiträge und Uploads", "privater Speicher"},
         .bases = {"keine", "öffentlich", "Meldung einer beteiligten Person", "Meldung Dritter",
                   "Zustimmung aller", "eigenes Bild", "Anordnung eines Gerichts", "Anlass"},
         .grounds = {"", "alle können es ohnehin sehen",
                     "eine beteiligte Person hat genau diesen Inhalt offengelegt",
                     "jemand hat genau diesen Inhalt gemeldet",
                     "alle Beteiligten haben aus freien Stücken zugestimmt",
                     "ein eigener Wunsch zu einem eigenen Bild",
                     "ein Gericht hat es für genau dieses Konto angeordnet",
                     "zwei Menschen haben einen Anlass gegen genau dieses Konto festgehalten: nur "
                     "bekanntes Material, höchstens 30 Tage"},
         .detectors = {{"digests", "dieselbe Datei (Prüfsummen)"},
                       {"pdq", "ähnliche Bilder (PDQ)"}},
         .states = {"nicht erprobt: nicht benutzt",
                    "in Erprobung: jeder Treffer ist eine Frage an einen Menschen", "in Betrieb",
                    "ausgesetzt: nicht benutzt"},
         .floor = {"Ende-zu-Ende-verschlüsselte Nachrichten, auf keinem Server",
                   "private Unterhaltungen ohne Anlass, Meldung oder Zustimmung",
                   "Ton, Liveübertragungen, Metadaten",
                   "Unterhaltungen mit Menschen, die einem Berufsgeheimnis unterliegen",
                   "etwas auf dem eigenen Gerät, wenn man es nicht selbst wünscht",
                   "etwas zu einem anderen Zweck als dem Schutz vor sexueller Gewalt gegen Kinder",
                   "Nichts wird gemeldet und kein Konto wird belangt, bevor ein geschulter Mensch "
                   "hingesehen und es bestätigt hat."}},
};

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct page {
    ob_buf out;
    const words *w;
    ob_language language;
    const ob_services_options *options;
    ob_view *view; /* one instant */
    ob_profile profile;
    const ob_regime *laws[OB_LAWS_MOST];
    size_t law_count;
} page;

static void put(page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(page *p, const char *format, ...)
{
    char text[2000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ob_buf_append(&p->out, text, strlen(text), NULL);
}

static void put_bytes(page *p, const char *text)
{
    ob_buf_append(&p->out, text, strlen(text), NULL);
}

static void put_safe(page *p, const char *text)
{
    for (; *text; text++)
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            put(p, "&#%d;", *text);
        else
            ob_buf_append(&p->out, text, 1, NULL);
}

/* From the page's own place on, so that it is found where a proxy has put all of it elsewhere. */
static void put_file(page *p, const char *what, const char *name)
{
    put(p, "<link rel=\"%s\" href=\"%s\">", what, ob_page_path(name) + 1);
}

static void put_heading(page *p, const char *text)
{
    put(p, "<h2>%s</h2>", text);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* Whether any law of the service could allow this basis on this surface. */
static bool is_possible(const page *p, unsigned surface, unsigned basis)
{
    if (basis == OB_BASIS_PUBLIC && surface != OB_SURFACE_PUBLIC)
        return false;
    if (surface == OB_SURFACE_STORAGE && basis == OB_BASIS_VOLUNTARY)
        return false;
    bool is_private = surface == OB_SURFACE_DIRECT || surface == OB_SURFACE_GROUP;
    if (is_private && !p->profile.has_register)
        return false;
    for (size_t i = 0; i < p->law_count; i++)
        if (p->laws[i]->surfaces >> surface & 1 && p->laws[i]->bases >> basis & 1)
            return true;
    return false;
}

static void put_surfaces(page *p)
{
    const words *w = p->w;
    put_heading(p, w->scanned);
    put(p, "<table><thead><tr><th>%s</th><th>%s</th></tr></thead><tbody>", w->surface, w->answer);
    for (unsigned s = 0; s < OB_SURFACES; s++) {
        bool any = false;
        put(p, "<tr><td>%s</td><td>", w->surfaces[s]);
        for (unsigned b = OB_BASIS_NONE + 1; b < OB_BASIS_COUNT; b++) {
            if (!(p->profile.surfaces >> s & 1) || !(p->profile.bases >> b & 1) ||
                b == OB_BASIS_OWN_IMAGE || !is_possible(p, s, b))
                continue;
            put(p, "%s<span class=\"yes\">%s</span>: %s", any ? "<br>" : "", w->bases[b],
                w->grounds[b]);
            any = true;
        }
        if (!any)
            put(p, "<span class=\"no\">%s</span>", w->not_scanned_by);
        put_bytes(p, "</td></tr>");
    }
    put_bytes(p, "</tbody></table>");
}

/* Only what is so is said of what is found here. */
static void put_warnings(page *p)
{
    const uint32_t found = services_warnings(NULL, p->options, true);
    if (!found)
        return;
    put_bytes(p, "<ul class=\"warn\">");
    for (int w = 0; w < SERVICES_WARNINGS; w++)
        if (found >> w & 1)
            put(p, "<li>%s</li>", services_warning_text((services_warning)w, p->language));
    put_bytes(p, "</ul>");
}

static void put_floor(page *p)
{
    put_heading(p, p->w->never);
    put_bytes(p, "<ul>");
    for (int i = 0; i < 6; i++)
        put(p, "<li>%s</li>", p->w->floor[i]);
    put(p, "</ul><p>%s</p>", p->w->floor[6]);
}

static void put_laws(page *p)
{
    const words *w = p->w;
    char at[OB_TIME_TEXT + 1], digest[65];
    put_heading(p, w->laws);
    put_bytes(p, "<ul>");
    for (size_t i = 0; i < p->law_count; i++) {
        const ob_regime *r = p->laws[i];
        put_bytes(p, "<li>");
        put_safe(p, ob_regime_title(r, p->language));
        if (r->from != INT64_MIN) {
            ob_time_print(at, r->from);
            put(p, ", %s <time>%.10s</time>", w->since, at);
        }
        if (r->until != INT64_MAX) {
            ob_time_print(at, r->until);
            put(p, ", %s <time>%.10s</time>", w->until, at);
        } else {
            put(p, ", %s", w->open_end);
        }
        ob_hex(digest, r->digest, sizeof r->digest);
        put(p, "<br><code class=\"soft\">%s</code></li>", digest);
    }
    put_bytes(p, "</ul>");
    if (p->law_count == 1 &&
        !strstr(p->laws[0]->countries, *p->profile.country ? p->profile.country : "?"))
        put(p, "<p class=\"soft\">%s</p>", w->house_rule);
}

static void put_count(page *p, uint64_t count)
{
    if (count < FEW)
        put(p, "<td class=\"n\">%s</td>", p->w->few);
    else
        put(p, "<td class=\"n\">%llu</td>", (unsigned long long)count);
}

static void put_tallies(page *p, const ob_tally *t, size_t count, bool scanned)
{
    const words *w = p->w;
    bool any = false;
    put(p, "<table><thead><tr><th>%s</th><th>%s</th><th class=\"n\">%s</th></tr></thead><tbody>",
        w->surface, scanned ? w->basis : w->why_not, w->number);
    for (size_t i = 0; i < count; i++) {
        if ((t[i].reason == OB_ALLOWED) != scanned || t[i].surface >= OB_SURFACES ||
            t[i].basis >= OB_BASIS_COUNT || t[i].reason >= OB_REASON_COUNT)
            continue;
        any = true;
        put(p, "<tr><td>%s</td><td>", w->surfaces[t[i].surface]);
        if (scanned) {
            put_safe(p, w->bases[t[i].basis]);
            put_bytes(p, ", ");
            put_safe(p, t[i].regime);
        } else {
            put_safe(p, ob_reason_text((ob_reason)t[i].reason, p->language));
            put(p, " <code class=\"soft\">%s</code>", ob_reason_name((ob_reason)t[i].reason));
        }
        put_bytes(p, "</td>");
        put_count(p, t[i].count);
        put_bytes(p, "</tr>");
    }
    if (!any)
        put(p, "<tr><td class=\"no\" colspan=\"3\">%s</td></tr>", w->none);
    put_bytes(p, "</tbody></table>");
}

/* The same surface, basis and reason under several laws is one row where nobody looked. */
static size_t join_denied(ob_tally *t, size_t count)
{
    size_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < rows && (t[i].reason == OB_ALLOWED || t[k].reason != t[i].reason ||
                            t[k].surface != t[i].surface))
            k++;
        if (k < rows)
            t[k].count += t[i].count;
        else
            t[rows++] = t[i];
    }
    return rows;
}

static ob_status put_counts(page *p, ob_error *err)
{
    ob_tally *tallies = NULL;
    size_t count = 0;
    ob_status status =
        ob_store_tallies(&tallies, &count, p->view, ob_now() / DAY - DAYS, INT64_MAX, err);
    if (status)
        return status;
    count = join_denied(tallies, count);
    put_heading(p, p->w->counts);
    put(p, "<p class=\"soft\">%s</p>", p->w->counted);
    put_tallies(p, tallies, count, true);
    put_tallies(p, tallies, count, false);
    free(tallies);
    return OB_OK;
}

/* What this page calls a detector; one that it has no words for goes by its id. */
static const char *name_of_detector(const words *w, ob_detector detector)
{
    const char *id = ob_law_detectors[detector].id;
    for (int i = 0; i < DETECTORS_NAMED && w->detectors[i].id; i++)
        if (!strcmp(w->detectors[i].id, id))
            return w->detectors[i].name;
    return id;
}

static void put_detectors(page *p)
{
    const words *w = p->w;
    put_heading(p, w->how_found);
    put(p, "<table><thead><tr><th>%s</th><th>%s</th></tr></thead><tbody>", w->detector, w->state);
    for (ob_detector d = 0; d < ob_detector_count(); d++)
        put(p, "<tr><td>%s</td><td>%s</td></tr>", name_of_detector(w, d),
            w->states[ob_permits_detector(ob_engine_permits(p->options->engine), d)]);
    put_bytes(p, "</tbody></table>");
}

static void put_digests(page *p)
{
    char regimes[65], floor[65], build[OB_BUILD_ID];
    ob_hex(regimes, ob_law_regimes_digest, 32);
    ob_hex(floor, ob_law_floor_digest, 32);
    put_heading(p, p->w->digests);
    put(p,
        "<p>Obhut %s. %s</p><ul><li>%s: <code>%s</code></li><li>floor.c: <code>%s</code></li>"
        "<li>build: <code>%s</code></li></ul>",
        OB_VERSION, p->w->how, p->w->ask, regimes, floor, ob_build_id(build));
}

/* ---- The page -------------------------------------------------------------------------------- */

static ob_language choose(const ob_request *request)
{
    const char *wanted = ob_request_value(request, "lang");
    if (!wanted)
        wanted = ob_request_header(request, "Accept-Language");
    return wanted && !strncmp(wanted, "de", 2) ? OB_GERMAN : OB_ENGLISH;
}

static ob_status write_page(page *p, ob_error *err)
{
    const words *w = p->w;
    put(p, "<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\">", w->lang);
    put(p,
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>%s</title>",
        w->title);
    put_file(p, "stylesheet", "transparency/style.css");
    put_file(p, "icon", "transparency/icon.svg");
    put(p, "</head><body><main><nav><a href=\"?lang=%s\" hreflang=\"%s\" lang=\"%s\">%s</a></nav>",
        w->other_lang, w->other_lang, w->other_lang, w->other_name);
    put(p, "<h1>%s</h1><p>%s</p><p class=\"soft\">%s: ", w->title, w->lead, w->service);
    put_safe(p, p->profile.service);
    put(p, "%s%s</p>", *p->profile.country ? ", " : "", p->profile.country);
    put_warnings(p);
    put_surfaces(p);
    put_floor(p);
    put_laws(p);
    ob_status status = put_counts(p, err);
    if (status)
        return status;
    put_detectors(p);
    put_digests(p);
    put_bytes(p, "</main></body></html>\n");
    return OB_OK;
}

/* Which language; of the service's own. */
typedef struct page_wanted {
    const ob_services_options *options;
    ob_language language;
} page_wanted;

static ob_status make_page(ob_buf *out, void *context, ob_error *err)
{
    const page_wanted *wanted = context;
    page p = {.options = wanted->options, .language = wanted->language, .w = &in[wanted->language]};
    ob_status status = ob_view_open(&p.view, p.options->store, err);
    if (!status)
        status = ob_store_profile(&p.profile, p.view, err);
    if (!status)
        status = ob_permits_laws(p.laws, &p.law_count, ob_engine_permits(p.options->engine), err);
    if (!status)
        status = write_page(&p, err);
    ob_view_close(p.view);
    *out = p.out;
    return status;
}

ob_plan commands_page(services_call *c, const ob_request *request, const ob_token *token)
{
    page_wanted wanted = {.options = &c->services->options, .language = choose(request)};
    ob_buf text = {0};
    ob_error err = {0};
    (void)token;
    if (snapshot_get(&text, &c->services->page[wanted.language], make_page, &wanted, &err)) {
        ob_buf_free(&text);
        return services_end(c, ob_answer_error(services_of_records(&err)));
    }
    return services_end(
        c, (ob_answer){.status = 200, .type = "text/html; charset=utf-8", .body = text});
}
