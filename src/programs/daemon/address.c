#include "address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool split(char host[128], char port[16], const char *address)
{
    const char *colon = strrchr(address, ':');
    if (!colon || !colon[1] || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || atoi(colon + 1) > UINT16_MAX)
        return false;
    size_t length = (size_t)(colon - address);
    if (*address == '[') {
        if (length < 3 || address[length - 1] != ']')
            return false;
        address++;
        length -= 2;
    }
    if (!length || length >= 128)
        return false;
    memcpy(host, address, length);
    host[length] = '\0';
    snprintf(port, 16, "%s", colon + 1);
    return true;
}

ob_status address_read(struct addrinfo **out, const char *address, ob_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[128], port[16];
    if (!split(host, port, address))
        return ob_fail(err, OB_EINVAL, "\"%.200s\" is no ADDRESS:PORT, both as numbers", address);
    const int problem = getaddrinfo(host, port, &hints, &found);
    if (problem)
        return ob_fail(err, OB_EINVAL, "\"%.200s\" is no numeric ADDRESS:PORT: %s", address,
                       gai_strerror(problem));
    if (out)
        *out = found;
    else
        freeaddrinfo(found);
    return OB_OK;
}
