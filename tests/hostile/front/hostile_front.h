/* The parts of a front that was taken over: packets.c says what is wanted, whatever the protocol;
 * lies.c tells lies of one or two packets, floods.c of many, random.c any; calls.c tries system
 * calls; main.c is its life. */
#ifndef OBHUT_HOSTILE_FRONT_H
#define OBHUT_HOSTILE_FRONT_H

#include "front.h"

/* ---- What it has ----------------------------------------------------------------------------- */

extern int core_socket, visitor_socket; /* to the core, -1: there is none; to who says what to do */
extern const char *token;               /* of a service */
extern char large[MESSAGE_MOST + 99];   /* zeros */

/* A head of a request: fields without a tail. */
typedef enum asks { A_SCAN_HEAD, A_READY_HEAD, AN_EXPLANATION_HEAD, A_WAITING_HEAD, HEADS } asks;
extern ob_packet heads[HEADS];

/* A line to who said what to do. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- packets.c ------------------------------------------------------------------------------- */

/* Sends these bytes with `file` (-1: none) so many times; never waits. */
bool send_to(int to, const void *bytes, size_t size, int file, int files);
/* Waits a while for room; false where the core does not speak to us any longer. */
bool send_waiting(const void *bytes, size_t size, int file, int files);
/* As it is, whatever the protocol says; frees it, and leaves its descriptor. */
bool send_packet(ob_packet *p);
bool kind_alone(uint32_t kind, uint64_t id);
/* Any fields, and so many zeros behind them. */
bool packet(uint32_t kind, uint32_t first, uint64_t id, uint64_t second, size_t zeros, int file);
/* A request as it should be, but for what these say. */
bool ask(asks what, uint64_t id, const void *body, size_t size);
/* Drops what came, if something did. */
bool take_any(void);
/* Waits until this number was spoken of. Returns what was said first: a plan or a status. */
uint32_t await(uint64_t id, int ms);
void make_head(asks what, const char *method, const char *path, int64_t length, const char *name,
               const char *value);
int memory_file(size_t size, bool sealed);

/* ---- lies.c, floods.c, random.c, calls.c ----------------------------------------------------- */

/* Say each lie's name and whether the core hangs up on it. */
void list_lies(void);
void list_floods(void);
/* Do what is called so, if something is. */
void tell_lie(const char *name);
void run_flood(const char *name);

/* Packets that could nearly be meant, with wrong bytes; some that are, and a few that are not. */
void random_packets(unsigned seed, unsigned count);

/* Tries system calls, of which all must fail, and says of each whether it does. */
void try_calls(int process);

#endif
