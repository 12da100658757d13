/* What could not be answered, said to people. */
#include "front.h"

#include <obhut/pages.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct words {
    const char *lang, *title, *sentence;
} words;

enum { ENGLISH, GERMAN, LANGUAGES };

/* NULL: there is no page for it. */
static const words *words_of(unsigned status, const char *language)
{
    static const words not_here[LANGUAGES] = {
        {"en", "There is nothing here", "Nothing is at this address."},
        {"de", "Hier ist nichts", "Unter dieser Adresse gibt es nichts."}};
    static const words wrong_method[LANGUAGES] = {
        {"en", "This page can only be read", "Nothing can be sent to this address."},
        {"de", "Diese Seite kann man nur lesen", "An diese Adresse lässt sich nichts schicken."}};
    static const words not_now[LANGUAGES] = {
        {"en", "Not now", "This page cannot be shown at the moment. Please try again later."},
        {"de", "Gerade nicht",
         "Diese Seite lässt sich im Augenblick nicht zeigen. Bitte versuchen Sie es später noch "
         "einmal."}};
    const bool german = language && !strncasecmp(language, "de", 2);
    switch (status) {
    case 404:
        return &not_here[german];
    case 405:
        return &wrong_method[german];
    case 503:
        return &not_now[german];
    default:
        return NULL;
    }
}

/* ---- Accept (RFC 9110, 12.5.1) --------------------------------------------------------------- */

/* Of a range from its name to the comma: how much it is wanted, 0 to 1. */
static double weight_of(const char *range, size_t size)
{
    for (size_t i = 0; i + 2 < size; i++)
        if (range[i] == ';') {
            const size_t blanks = strspn(range + i + 1, " \t");
            if (i + 1 + blanks + 2 < size && !strncasecmp(range + i + 1 + blanks, "q=", 2))
                return strtod(range + i + 1 + blanks + 2, NULL);
        }
    return 1;
}

static bool is_named(const char *range, const char *const names[2])
{
    const size_t length = strcspn(range, "; \t,");
    for (int i = 0; i < 2; i++)
        if (length == strlen(names[i]) && !strncasecmp(range, names[i], length))
            return true;
    return false;
}

/* How much one of these is wanted by its name; 0: it is not named. */
static double wanted(const char *accept, const char *const names[2])
{
    double most = 0;
    while (*accept) {
        accept += strspn(accept, ", \t");
        const size_t size = strcspn(accept, ",");
        const double weight = is_named(accept, names) ? weight_of(accept, size) : 0;
        most = weight > most ? weight : most;
        accept += size;
    }
    return most;
}

static bool is_for_programs(const char *accept)
{
    static const char *const problems[2] = {"application/problem+json", "application/json"};
    static const char *const pages[2] = {"text/html", "application/xhtml+xml"};
    return accept && wanted(accept, problems) > wanted(accept, pages);
}

/* ---------------------------------------------------------------------------------------------- */

bool page_of(ob_buf *out, unsigned status, const char *accept, const char *language)
{
    static const char form[] =
        "<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><title>%s</title><link rel=\"stylesheet\" "
        "href=\"%s\"><link rel=\"icon\" href=\"%s\"></head><body><main><h1>%s</h1><p>%s</p></main>"
        "</body></html>\n";
    char page[1200];
    const words *w = words_of(status, language);
    if (!w || is_for_programs(accept))
        return false;
    const int size =
        snprintf(page, sizeof page, form, w->lang, w->title, ob_page_path("transparency/style.css"),
                 ob_page_path("transparency/icon.svg"), w->title, w->sentence);
    return !ob_buf_append(out, page, (size_t)size, NULL);
}
