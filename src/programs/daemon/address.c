#include "address.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names are not looked up, but for the one that everybody means alike. */
static const char localhost[] = "localhost", loopback[] = "127.0.0.1";

static bool split(char host[128], char port[16], const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || !colon[1] || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || atoi(colon + 1) > UINT16_MAX)
        return false;
    size_t length = (size_t)(colon - text);
    if (*text == '[') {
        if (length < 3 || text[length - 1] != ']')
            return false;
        text++;
        length -= 2;
    }
    if (!length || length >= 128)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    snprintf(port, 16, "%s", colon + 1);
    return true;
}

static ob_status read_path(address *out, const char *text, ob_error *err)
{
    address path = {.path = {.sun_family = AF_UNIX}, .size = sizeof path.path};
    if (strlen(text) >= sizeof path.path.sun_path)
        return ob_fail(err, OB_EINVAL, "\"%.200s\" is too long for a socket: at most %zu bytes",
                       text, sizeof path.path.sun_path - 1);
    if (text[strlen(text) - 1] == '/')
        return ob_fail(err, OB_EINVAL, "\"%.200s\" is a directory, and no socket in one", text);
    snprintf(path.path.sun_path, sizeof path.path.sun_path, "%s", text);
    if (out)
        *out = path;
    return OB_OK;
}

ob_status address_read(address *out, const char *text, ob_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[128], port[16];
    if (*text == '/')
        return read_path(out, text, err);
    if (!split(host, port, text))
        return ob_fail(err, OB_EINVAL,
                       "\"%.200s\" is no ADDRESS:PORT, both as numbers, and no path of a socket",
                       text);
    const int problem =
        getaddrinfo(strcmp(host, localhost) ? host : loopback, port, &hints, &found);
    if (problem)
        return ob_fail(err, OB_EINVAL, "\"%.200s\" is no numeric ADDRESS:PORT: %s", text,
                       gai_strerror(problem));
    if (out) {
        *out = (address){.size = found->ai_addrlen};
        memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
    }
    freeaddrinfo(found);
    return OB_OK;
}

bool address_is_none(const char *text)
{
    return !strcmp(text, "none");
}

void address_write(char out[ADDRESS_TEXT], const address *a)
{
    char host[100], port[16];
    if (a->any.sa_family == AF_UNIX && a->size > offsetof(struct sockaddr_un, sun_path) &&
        *a->path.sun_path)
        snprintf(out, ADDRESS_TEXT, "%s", a->path.sun_path);
    else if (a->any.sa_family == AF_UNIX ||
             getnameinfo(&a->any, a->size, host, sizeof host, port, sizeof port,
                         NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(out, ADDRESS_TEXT, "an inherited socket");
    else
        snprintf(out, ADDRESS_TEXT, a->any.sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
