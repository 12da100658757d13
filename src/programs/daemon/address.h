/* Where a service listens. */
#ifndef OBHUT_DAEMON_ADDRESS_H
#define OBHUT_DAEMON_ADDRESS_H

#include <obhut/base.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_un path;
        struct sockaddr_storage storage;
    };
    socklen_t size;
} address;

/* "ADDRESS:PORT" or "[ADDRESS]:PORT", both as numbers; "localhost:PORT", which is 127.0.0.1; or the
 * whole path of a Unix socket. Sets *out unless it is NULL. OB_EINVAL: it is none; the sentence
 * says so in one clause. */
ob_status address_read(address *out, const char *text, ob_error *err);

/* "none": nobody listens. */
bool address_is_none(const char *text);

/* The same as text, as address_read takes it; "an inherited socket" where it cannot be told. */
enum { ADDRESS_TEXT = 128 };
void address_write(char out[ADDRESS_TEXT], const address *address);

#endif
