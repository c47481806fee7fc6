/* bus/http_impl.h - what the files of the HTTP server share. Internal to bus/http*.c.
 *
 *   http.c         start, stop; MHD's callbacks: a request from its first line to its answer
 *   http_conn.c    connections: deadlines, peers that have gone, one watchdog thread
 *   http_tls.c     certificates: ours, and the clients'
 *   http_guard.c   what is refused before a handler sees it
 *   http_body.c    bodies: how much of them, whose
 *   http_read.c    a handler reads its request
 *   http_answer.c  a handler answers: whole, problem, later
 *   http_stream.c  an answer piece by piece
 *   http_keep.c    answers given again
 *   http_gzip.c    answers compressed
 *   http_cors.c    pages of other origins
 *   http_route.c   paths, queries (no MHD)
 *
 * Locks, in the order in which they may be taken: caller's own -> bus_http.list_lock -> request.lock ->
 * MHD's; payers_lock alone. No callback of the program is called under any of ours. MHD calls us with none of its own held but
 * the response's, around the stream's reader (0.9.75, read in its source), which nobody else takes.
 *
 * A connection has one struct bus_http_request, used again for each of its requests. Its thread is the
 * connection's MHD thread; what other threads touch is under request.lock. A connection is suspended and
 * resumed under that lock only, so that a wake-up is never lost and never meets a connection that is gone:
 * `mhd` is NULL from the moment MHD says that the request is over.
 */
#ifndef BUS_HTTP_IMPL_H
#define BUS_HTTP_IMPL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "bus/http_route.h"
#include "bus/shares.h"

#if MHD_VERSION < 0x00097002
#error "libmicrohttpd 0.9.75 or newer is needed"
#endif

#define HTTP_URI_MAX ((size_t)8 * 1024)
#define HTTP_POOL ((size_t)16 * 1024)		   /* of a connection: its URI and headers must fit */
#define HTTP_KEEP ((size_t)16 * 1024)		   /* buffers above this are given back after the request */
#define HTTP_DRAIN_MAX (INT64_C(16) * 1024 * 1024) /* of a body too large, still read so that 413 arrives */
#define HTTP_ID_MAX 64
#define HTTP_TICK_MS 200 /* the watchdog's */

struct http_conn {
	struct bus_http *h;
	int fd;
	uint32_t generation; /* so that a late event is not taken for a new connection with the same number */
	_Atomic int64_t deadline_ms; /* monotonic; 0: none */
	struct bus_http_request *req;
	struct http_conn *next, *prev; /* list_lock */
	struct http_credentials *credentials; /* of its TLS session; NULL: plain */
	struct http_peer *peer;		      /* its certificate, once somebody has asked; its thread's */
};

struct bus_http {
	struct MHD_Daemon *daemon;
	int listening; /* its socket */
	struct http_table table;
	void *ctx;
	int port;
	int64_t body_max, bodies_max;
	_Atomic int64_t bodies; /* bytes that requests hold */
	int64_t unasked;	/* a body of so much is held before anybody asks whose it is */
	pthread_mutex_t payers_lock;
	struct bus_shares *payers; /* payers_lock: of bodies, what each holds */
	int64_t header_ms, body_ms, idle_ms;
	char *program;
	const char *const *types; /* NULL: bodies of any */
	const char *problem_type;
	void (*write_error)(struct bus_buf *out, int status, const char *title, const char *detail);
	bool (*own_shape)(const struct bus_http_request *req);
	void (*refuse)(void *ctx, struct bus_http_request *req, int status);
	bool (*admit)(void *ctx, struct bus_http_request *req);
	bool (*knows)(void *ctx, struct bus_http_request *req, char payer[BUS_HTTP_WHO_MAX]);
	void (*answered)(void *ctx, const struct bus_http_request *req, int status);
	void (*finish)(void *ctx, struct bus_http_request *req, int status, const struct bus_str *content);
	struct http_tls *tls; /* NULL: plain */
	const char *const *origins; /* NULL: no page of another origin */
	bool gzip;
	struct bus_metric *connections;
	atomic_int open; /* requests between their first line and their end */
	atomic_int n_connections;
	atomic_int refs;	/* the program's, and one for each ticket that stop could not wait for */
	atomic_bool stopping;	/* streams are cut, answers close their connection */
	atomic_bool abandoning; /* tickets are answered 503 */
	_Atomic uint64_t next_id;

	pthread_mutex_t list_lock; /* connections and by_fd */
	struct http_conn *conns;
	struct http_conn **by_fd;
	size_t n_by_fd;
	uint32_t generation;

	int epoll_fd; /* tells of peers that hang up, also on suspended connections, which MHD does not watch
		       */
	pthread_t watchdog;
	atomic_bool watchdog_stop;
};

enum http_phase { HTTP_IDLE, HTTP_LINE, HTTP_BODY, HTTP_RUNNING };

struct bus_http_stream {
	struct bus_http_request *req;
	bus_http_source_fn fn;
	void (*free_state)(void *state);
	void *state;
	const char *type; /* of one that is gathered */
	struct bus_buf out;
	size_t sent;  /* of out */
	struct bus_http_bytes *lent; /* sent after out; NULL: none */
	size_t lent_sent;
	bool parking; /* fn has said PARK */
	bool ended;
	bool woken; /* lock: since fn was last entered */
};

struct bus_http_ticket {
	struct bus_http_request *req;
};

struct bus_http_request {
	struct bus_http *h;
	struct http_conn *conn;
	enum http_phase phase;
	int refusal;	 /* decided (and perhaps written), but the body is still being read; 0: none */
	int64_t drained; /* bytes of a body that is not kept */
	bool said;	 /* ... and what was said of it, past MHD */
	bool last; /* of its connection */
	const char *method;
	struct http_match match;
	struct bus_buf uri;	  /* as sent, NUL-ended; n without the NUL */
	size_t path_at, path_len; /* in uri */
	const char *raw_query;	  /* in uri */
	size_t uri_sent;	  /* length before it was cut at HTTP_URI_MAX */
	const char *mhd_uri;	  /* where MHD holds it: for the guard's arithmetic */
	struct bus_buf text;	  /* decoded parts and query */
	const char *part[HTTP_PARTS_MAX];
	struct bus_buf pairs; /* struct http_pair[] */
	size_t n_pairs;
	struct bus_buf body;
	int64_t held; /* of bus_http.bodies */
	bool pays;    /* ... and of payer's part in them */
	char payer[BUS_HTTP_WHO_MAX];
	struct bus_buf head; /* of the answer: name NUL value NUL ... */
	struct bus_buf scratch;
	bool has_cache_control;
	char id[HTTP_ID_MAX + 1];
	struct bus_arena *arena; /* made when asked for */
	void *attached;
	void (*release)(void *p);
	bool asked; /* admit has been called: answered is told */
	char who[BUS_HTTP_WHO_MAX];
	bool whole; /* content is what the answer's body is, in response */
	struct bus_str content;
	int file;		/* -1: the answer is none; lives as long as response */
	int64_t file_at, file_n;
	bool gathering; /* the stream is to be one answer; its connection's thread */

	pthread_mutex_t
	    lock; /* the rest; response and status are written before `answered` is set under it */
	struct MHD_Connection *mhd; /* NULL: over */
	struct MHD_Response *response;
	int status;
	bool answered;
	bool deferred;
	bool again; /* its ticket was given back without an answer */
	bool streaming;
	bool suspended;
	bool gone;	/* the peer has hung up */
	bool sent;	/* over, and all of the answer was handed to the kernel */
	bool abandoned; /* a deferred request that stop answered itself */
	const char *type; /* bus_http_set_type */
	bool orphan;	/* ... and that its connection has left: the ticket frees it */
	struct bus_http_stream stream;
	struct http_gzip *gzip; /* of the stream; NULL: as it is */
	struct bus_http_ticket ticket;
};

/* http_conn.c */
enum bus_err bus_http_watch_start(struct bus_http *h, struct bus_error *err) BUS_MUSTCHECK;
void bus_http_watch_stop(struct bus_http *h);
struct http_conn *bus_http_conn_open(struct bus_http *h, int fd);
void bus_http_conn_close(struct http_conn *c);
void bus_http_conn_each(struct bus_http *h, void (*fn)(struct http_conn *c)); /* under list_lock */
void bus_http_release(struct bus_http *h); /* drops one of its references */

/* http_tls.c */
enum bus_err bus_http_tls_open(const struct bus_http_tls *conf, struct http_tls **out,
			       struct bus_error *err) BUS_MUSTCHECK;
enum bus_err bus_http_tls_reload(struct http_tls *t, struct bus_error *err) BUS_MUSTCHECK;
void bus_http_tls_close(struct http_tls **t); /* no connection is open any more */
/* For MHD_start_daemon: what it must be given, and never asks. */
extern const char bus_http_tls_priorities[];
extern void *const bus_http_tls_callback;
/* A new connection, before its handshake: it gets today's credentials, held until _leave. */
struct http_credentials *bus_http_tls_enter(struct http_tls *t, struct MHD_Connection *c);
void bus_http_tls_leave(struct http_tls *t, struct http_credentials **c);
void bus_http_tls_say(struct MHD_Connection *c, const void *p, size_t n); /* past MHD, on its thread */
struct http_peer *bus_http_tls_peer(struct MHD_Connection *c); /* free with bus_http_peer_free */
const struct bus_http_certificate *bus_http_peer_certificate(const struct http_peer *p);
void bus_http_peer_free(struct http_peer **p);

/* http_guard.c */
/* Looks at the request line and headers as MHD parsed them. 0: fine; else the status to refuse with, and
 * *why. *length: Content-Length, -1 when the body is chunked. */
int bus_http_guard(struct bus_http_request *req, const char *version, int64_t *length, const char **why);

/* Of a request that has a body and a route: is it said to be what is not taken there? */
bool bus_http_odd_body(const struct bus_http_request *req);

/* http_body.c */
const char *bus_http_body_why(int status); /* of what is refused here, in words */
/* The headers are in. length: -1 without one. False: refusal, and perhaps response, is to be given before the body is read. */
bool bus_http_body_begin(struct bus_http_request *req, int64_t length);
bool bus_http_body_take(struct bus_http_request *req, const char *p, size_t n); /* false: cut the connection */
void bus_http_body_unhold(struct bus_http_request *req);			/* gives back what it has counted */

/* http_answer.c */
void bus_http_refuse(struct bus_http_request *req, int status,
		     const char *detail);				 /* in the program's shape */
struct MHD_Response *bus_http_unavailable(struct bus_http_request *req); /* 503, while a ticket is open */
/* To a peer that is still sending, when MHD takes no answer yet: as much as its socket has room for, then its end. */
void bus_http_say_now(struct bus_http_request *req, int status, const char *detail);
void bus_http_add_head(struct bus_http_request *req, struct MHD_Response *r, const char *type);
void bus_http_count(struct bus_http_request *req, int status);
const char *bus_http_reason(int status);

/* http_read.c */
struct bus_http_request *bus_http_request_new(struct bus_http *h, struct http_conn *c);
void bus_http_request_free(struct bus_http_request **req);
void bus_http_request_begin(struct bus_http_request *req, struct MHD_Connection *c, const char *uri);
/* After the headers: path, query and parts decoded, route found. 0, or 400. */
int bus_http_request_parse(struct bus_http_request *req, const char *method, const char **why);
void bus_http_request_name(struct bus_http_request *req); /* its X-Request-Id */
void bus_http_request_reset(struct bus_http_request *req);
void bus_http_request_drop_body(struct bus_http_request *req);

/* http_gzip.c */
bool bus_http_takes_gzip(const char *accept); /* an Accept-Encoding; NULL: none */
/* Compresses body, if it is worth it and the reader takes it. */
void bus_http_gzip_body(struct bus_http_request *req, const char *type, struct bus_buf *body);
struct http_gzip *bus_http_gzip_new(void);
enum http_gzip_flush { HTTP_GZIP_MORE, HTTP_GZIP_NOW, HTTP_GZIP_END };
void bus_http_gzip_put(struct http_gzip *g, const void *p, size_t n, enum http_gzip_flush how, struct bus_buf *out);
void bus_http_gzip_free(struct http_gzip **g);

/* http_cors.c */
void bus_http_cors(const struct bus_http_request *req, struct MHD_Response *r);
void bus_http_preflight(struct bus_http_request *req, const char *methods); /* before the answer to OPTIONS */

/* http_stream.c */
/* Goes on with a stream that is gathered, until it is an answer or there is nothing to do. False: cut the connection. */
bool bus_http_gather_more(struct bus_http_request *req);
void bus_http_wake_locked(struct bus_http_request *req); /* resumes it if it is suspended */

#endif
