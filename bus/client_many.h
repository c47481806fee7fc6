/* bus/client_many.h - requests to hosts that others chose, many at a time.
 *
 * Nothing is trusted about where they go: a host's name is resolved once, every one of its addresses must be
 * allowed by the caller's rule, and the connection is made to one of those and no other (the rule is asked again
 * about the very address that is connected to). No redirects, no proxy, TLS 1.2 or newer with the certificate
 * verified, HTTP/1.1. An answer is its status and a few headers; its body is read no further than answer_max, and
 * kept nowhere. An answer whose status came in time is an answer, however its body goes on.
 * Thread: one; bus_many_wake() any.
 */
#ifndef BUS_CLIENT_MANY_H
#define BUS_CLIENT_MANY_H

#include <stdint.h>
#include <sys/socket.h>

#include "bus/client.h"
#include "bus/client_url.h"

#define BUS_MANY_ADDRESSES 16 /* of one host; more are refused */

struct bus_many;
struct bus_many_call;

struct bus_many_answer {
	int status;	 /* 0: none, and rc says why */
	enum bus_err rc; /* EDENIED: address or certificate; ETIMEOUT; EIO: no connection, no name; EINVAL */
	const char *why; /* words for the receiver's people; holds no part of the URL */
	int64_t ms;	 /* from bus_many_send to here */
};

struct bus_many_call {
	const char *method;
	struct bus_url to;
	char *url;			/* taken */
	char **header;			/* "Name: value", NULL-ended; taken */
	struct bus_buf body;		/* taken */
	struct bus_client_header *want; /* filled from the answer; n_want of them, the caller's */
	size_t n_want;
	/* Once for each that was sent, inside bus_many_run or _cancel. May send another, but for the latter. */
	void (*done)(void *ctx, const struct bus_many_answer *answer);
	void *ctx;
};

struct bus_many_conf {
	const char *ca; /* PEM; as bus_client_conf */
	int at_once;	/* 0: 64 */
	int timeout_ms; /* of a request, its resolving apart */
	size_t answer_max;
	/* The addresses of a name in place of the resolver's; 0: ask the resolver. May be NULL. */
	size_t (*find)(void *ctx, const char *host, struct sockaddr_storage *out, size_t max);
	bool (*may)(void *ctx, const struct bus_url *to, const struct sockaddr *address);
	void *ctx;
};

enum bus_err bus_many_new(const struct bus_many_conf *conf, struct bus_many **out,
			  struct bus_error *err) BUS_MUSTCHECK;
void bus_many_free(struct bus_many **m); /* after _cancel, or when none is under way */

/* False: at_once are under way, and nothing was taken. */
bool bus_many_send(struct bus_many *m, struct bus_many_call *call) BUS_MUSTCHECK;
void bus_many_call_release(struct bus_many_call *call); /* one that was not sent */
/* Works until a request is done, somebody wakes it or the time is over. */
void bus_many_run(struct bus_many *m, int timeout_ms);
void bus_many_wake(struct bus_many *m);
int bus_many_under_way(const struct bus_many *m);
void bus_many_cancel(struct bus_many *m); /* all under way: done, with BUS_ESTOPPED */

#endif
