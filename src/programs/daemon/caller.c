/* Addresses that connect, and what each has of the front. */
#include "front.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Of IPv6 the network: whoever has one address of it has them all. */
static void key_of(uint8_t key[CALLER_KEY], const struct sockaddr *address)
{
    enum { NETWORK = 8 };
    memset(key, 0, CALLER_KEY);
    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        key[10] = key[11] = 0xFF;
        memcpy(key + 12, &four->sin_addr, 4);
    } else if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        const bool is_four = IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);
        memcpy(key, &six->sin6_addr, is_four ? CALLER_KEY : NETWORK);
    }
}

static caller **place_of(callers *all, const uint8_t key[CALLER_KEY])
{
    unsigned sum = 0;
    for (int i = 0; i < CALLER_KEY; i++)
        sum = sum * 31 + key[i];
    caller **at = &all->line[sum % CALLER_LINES];
    while (*at && memcmp((*at)->key, key, CALLER_KEY) != 0)
        at = &(*at)->next;
    return at;
}

caller *caller_come(callers *all, const struct sockaddr *address)
{
    uint8_t key[CALLER_KEY];
    key_of(key, address);
    caller **at = place_of(all, key);
    if (!*at && (*at = calloc(1, sizeof **at)))
        memcpy((*at)->key, key, CALLER_KEY);
    if (*at)
        (*at)->connections++;
    return *at;
}

void caller_go(callers *all, caller *c)
{
    if (--c->connections)
        return;
    *place_of(all, c->key) = c->next;
    free(c);
}

caller *caller_with_most(const callers *all, uint64_t (*has)(const caller *))
{
    caller *most = NULL;
    for (unsigned i = 0; i < CALLER_LINES; i++)
        for (caller *c = all->line[i]; c; c = c->next)
            if (!most || has(c) > has(most))
                most = c;
    return most;
}
