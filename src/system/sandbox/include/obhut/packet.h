/* packet: what processes hand each other over sockets of this machine, with a descriptor where one
 * belongs to it. A packet carries one descriptor at most: a receiver that made room for one, and
 * looked at one, would keep every further one open for ever. */
#ifndef OBHUT_PACKET_H
#define OBHUT_PACKET_H

#include <stddef.h>

#include <sys/types.h>
#include <sys/uio.h>

/* Receives what one sendmsg has sent.
 *
 * file    set to the descriptor that came, which is the caller's, or to -1; NULL: none is expected
 * pieces  where the bytes go; `count` of them
 * flags   of recvmsg; descriptors are closed on exec in any case
 *
 * Returns how many bytes came, 0 at the end, or -1 with errno set. EBADMSG: what came had more
 * descriptors than it may have, or more bytes than there was room for; its descriptors are closed,
 * and the bytes mean nothing. */
ssize_t ob_packet_receive(int *file, int from, struct iovec *pieces, size_t count, int flags);

#endif
