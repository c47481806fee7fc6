/* bus/client_find.h - a name's addresses, without waiting. Internal to bus/client_*.c. Thread: one. */
#ifndef BUS_CLIENT_FIND_H
#define BUS_CLIENT_FIND_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct bus_find;

struct bus_find *bus_find_start(const char *host);
/* False: not yet. Then *n addresses, 0 when there are none (or more than max). */
bool bus_find_done(struct bus_find *f, struct sockaddr_storage *out, size_t max, size_t *n);
/* An address that is written as one is no name: false when it is none. */
bool bus_find_literal(const char *host, struct sockaddr_storage *out);
void bus_find_free(struct bus_find **f); /* one that cannot be stopped any more is left to itself */

#endif
