/* Where a service listens. */
#ifndef OBHUT_DAEMON_ADDRESS_H
#define OBHUT_DAEMON_ADDRESS_H

#include <obhut/base.h>

#include <netdb.h>

/* "ADDRESS:PORT" or "[ADDRESS]:PORT", both as numbers. Sets *out (freeaddrinfo) unless it is NULL.
 * OB_EINVAL: it is none; the sentence says so in one clause. */
ob_status address_read(struct addrinfo **out, const char *address, ob_error *err);

#endif
