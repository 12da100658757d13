/* What the front answers alone, also while the core is not there, or does not get round to it. */
#include "front.h"

#include <string.h>

static bool reads(exchange *x, const char *method, const char *path)
{
    if (!strcmp(method, "GET") || !strcmp(method, "HEAD"))
        return true;
    char sentence[200];
    snprintf(x->allow, sizeof x->allow, "GET, HEAD");
    snprintf(sentence, sizeof sentence, "%.100s takes GET, HEAD", path);
    exchange_set_problem(x, 405, "METHOD", sentence);
    return false;
}

/* For who watches over the service. */
static void tell_health(exchange *x)
{
    static const char fine[] = "{\"status\":\"ok\"}\n";
    exchange_set_answer(x, 200, "application/json", fine, sizeof fine - 1);
}

bool own_answer(exchange *x, const char *method, const char *path)
{
    const bool is_health = !exchange_came_by(x, OB_LISTENER_PUBLIC) && !strcmp(path, "/healthz");
    const ob_page *page = is_health ? NULL : ob_page_find(x->visitor->door->listener, path);
    if (!is_health && !page)
        return false;
    if (!reads(x, method, path))
        return true;
    if (is_health) {
        tell_health(x);
    } else {
        exchange_set_answer(x, 200, page->type, "", 0);
        x->page = page;
    }
    return true;
}
