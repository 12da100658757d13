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

void caller_print(char out[INET6_ADDRSTRLEN], const struct sockaddr *address)
{
    const void *bytes = NULL;
    int family = address ? address->sa_family : AF_UNSPEC;
    *out = '\0';
    if (family == AF_INET)
        bytes = &((const struct sockaddr_in *)address)->sin_addr;
    if (family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
        const bool is_four = IN6_IS_ADDR_V4MAPPED(six);
        bytes = is_four ? six->s6_addr + 12 : six->s6_addr;
        family = is_four ? AF_INET : AF_INET6;
    }
    if (bytes && !inet_ntop(family, bytes, out, INET6_ADDRSTRLEN))
        *out = '\0';
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
