/* bus/http.h - the HTTP/1.1 server of the daemons, plain or TLS. The only includer of libmicrohttpd and of
 * GnuTLS, which is what libmicrohttpd speaks TLS with (all other cryptography is OpenSSL's: bus/crypto.h).
 *
 * An epoll pool (MHD) calls one handler a request, after the whole body (up to the cap) has arrived.
 * A handler never blocks. It answers in exactly one of three ways before it returns:
 *   bus_http_reply()   the whole answer;
 *   bus_http_stream()  an answer written piece by piece by a callback (exports, feeds);
 *   bus_http_defer()   later, from any thread, through the ticket (registry writes).
 * A handler that returns without any is answered 500 (and logged).
 *
 * Guarded here, for every program: duplicate Content-Length, Content-Length with Transfer-Encoding, space
 * before a header's colon, missing or second Host, second Authorization, Content-Type, Content-Encoding,
 * Idempotency-Key or Expect, NUL, bare CR or folding in a header, control characters and spaces in the URI: 400 and close; Transfer-Encoding other than chunked: 501 and
 * close. Absolute deadlines for the request (10 s for headers, 30 s for the body, 30 s idle); URI over 8 KiB
 * 414, path or query with a broken escape, %00, no UTF-8 or over 256 parameters 400, body over the cap 413, of another
 * type or packed 415, all bodies over their common cap 503, of one payer over a fourth of it 429, HEAD as GET without a body, OPTIONS with
 * Allow, 405 with Allow, 404; these as problem documents (RFC 9457). Standard headers on every answer:
 * X-Content-Type-Options: nosniff, Cache-Control: no-store unless set, X-Request-Id (the one sent, else the trace-id
 * of a traceparent, else a new one). Access log at debug level
 * has the route's pattern, never the path or the query (MHD's own log is off: it would write the path).
 *
 * What MHD answers itself, before we see the request (a short HTML page, connection closed): a header line
 * without a colon 400, request line and headers over 16 KiB in all 414 or 431, malformed chunks 400. What it
 * accepts and hides: a bare LF as a line end (RFC 9112 2.2 allows it), chunk extensions, trailers; and a bare LF around
 * chunks, which is not allowed: the answer to a body in chunks closes its connection.
 * A body without an end that is over the cap is read for 16 MiB more, told so while it still comes, and cut 16 MiB later.
 * A whole answer to a reader that takes a byte now and then has no deadline but 30 s without any byte.
 *
 * TLS: 1.2 and 1.3, AEAD ciphers with ephemeral keys only, no renegotiation, no resumption (so that a client's
 * certificate is looked at in every connection), no early data. The deadline for headers runs from the moment
 * the connection is accepted: a slow handshake has no time of its own. Connections made after
 * bus_http_reload() use the new certificate and CAs; those open go on with the old ones.
 * Beyond loopback (127.0.0.0/8) plain HTTP is refused at the start unless `exposed` says that it is meant.
 */
#ifndef BUS_HTTP_H
#define BUS_HTTP_H

#include <stdatomic.h>
#include <stdint.h>

#include "bus/arena.h"
#include "bus/buf.h"
#include "bus/error.h"

#define BUS_HTTP_PEER_LEN 16
#define BUS_HTTP_WHO_MAX 64

struct bus_http;
struct bus_http_request; /* lives until it is answered, or its stream ends */
struct bus_http_ticket;

typedef void (*bus_http_handler_fn)(void *ctx, struct bus_http_request *req);

struct bus_http_route {
	const char *method; /* "GET" (HEAD comes along), "POST", "PUT", "PATCH", "DELETE"; NULL ends the table */
	const char
	    *pattern; /* "/v1/views/{name}/{key}"; a part in braces takes one percent-decoded segment */
	bus_http_handler_fn handler;
};

struct bus_http_large { /* a path whose bodies have a cap of their own */
	const char *pattern; /* as in the routes; NULL ends the list */
	int64_t body_max;
	bool any; /* ... and any Content-Type and Content-Encoding: the handler sees to them */
};

enum bus_http_client { BUS_HTTP_CLIENT_NONE, BUS_HTTP_CLIENT_OPTIONAL, BUS_HTTP_CLIENT_REQUIRED };

struct bus_http_tls {		 /* files in PEM; of at most 1 MiB */
	const char *certificate; /* the server's, then its chain */
	const char *key;	 /* not readable by others (mode & 007), not encrypted */
	const char *client_ca;	 /* who may sign clients' certificates; NULL or "": nobody is asked for one */
	const char *client_crl;	 /* certificates that are revoked; NULL or "": none */
	enum bus_http_client client; /* REQUIRED: the handshake fails without a certificate */
};
enum bus_err bus_http_tls_check(const struct bus_http_tls *conf,
				struct bus_error *err) BUS_MUSTCHECK; /* can they be read? */

struct bus_http_conf {
	const char *address;		 /* "127.0.0.1" */
	int port;			 /* 0: any; see bus_http_port */
	int threads;			 /* 0: min(cores, 4) */
	int connections;		 /* 0: 10,000 in all */
	int address_connections; /* of one address; those beyond are closed unread. 0: any, as behind a proxy */
	int64_t body_max;		 /* 0: 1 MiB */
	const struct bus_http_large *large; /* NULL: none */
	/* Media types that a body may have, NULL-ended, "+json" for all that end so; others are refused (415). One that says
	 * nothing is taken. NULL: any. */
	const char *const *types;
	/* Of all requests at a time; 0: 256 MiB. What all connections may hold before `knows` is asked is a fourth of it. */
	int64_t bodies_max;
	int header_ms, body_ms, idle_ms; /* the deadlines; 0: 10 s, 30 s, 30 s */
	const char *program;		 /* for metrics: titian_http_requests_total{program,route,status} */
	const char *problem_type; /* content type of errors made here; NULL: application/problem+json */
	/* Writes an error body made by this layer in the program's own shape; NULL: problem document. */
	void (*write_error)(struct bus_buf *out, int status, const char *title, const char *detail);
	bool (*own_shape)(const struct bus_http_request *req); /* of which paths; its path may be asked. NULL: of all */
	const struct bus_http_tls *tls; /* NULL: plain HTTP */
	bool exposed;			/* plain HTTP beyond loopback is meant */
	const char *const *origins; /* pages of these origins may read our answers (CORS), NULL-ended, "*": of any;
				     * borrowed while the server runs. NULL: none */
	bool gzip; /* whole answers are compressed for those who take it; streams where the handler says so */
	/* Answers a request that has no route (404) or not with its method (405; Allow is set); NULL: a problem
	 * document in English. */
	void (*refuse)(void *ctx, struct bus_http_request *req, int status);
	/* Before each handler, once the body is there (never for 404, 405 and OPTIONS): false when it has
	 * answered, as a handler does, or deferred. NULL: everybody may. */
	bool (*admit)(void *ctx, struct bus_http_request *req);
	/* Before a body is taken that is large or has no length: whose it is, as far as headers tell. payer, "": whose bodies
	 * are counted with it (none has more than a fourth of bodies_max; 429). False when it has answered, as a handler
	 * does and at once: nothing of the body is kept. On the connection's thread; admit is asked all the same. NULL:
	 * everybody's, and nobody's are counted. */
	bool (*knows)(void *ctx, struct bus_http_request *req, char payer[BUS_HTTP_WHO_MAX]);
	/* As an answer to a request that admit was asked about is handed over: for the audit. On the
	 * connection's thread; it only reads. */
	void (*answered)(void *ctx, const struct bus_http_request *req, int status);
	/* As an answer is complete but for headers that speak of it, on the connection's thread: may call
	 * bus_http_given and bus_http_add. content: what is sent after the headers (compressed, if it is); NULL: not
	 * known yet (a file, a stream), or none is sent (HEAD). Not for a 503 while the server stops. */
	void (*finish)(void *ctx, struct bus_http_request *req, int status, const struct bus_str *content);
};

enum bus_err bus_http_start(const struct bus_http_conf *conf, const struct bus_http_route *routes, void *ctx,
			    struct bus_http **out, struct bus_error *err) BUS_MUSTCHECK;
int bus_http_port(const struct bus_http *h);
/* Reads the certificate's files again; a failure changes nothing. Without TLS: nothing to do. Any thread. */
enum bus_err bus_http_reload(struct bus_http *h, struct bus_error *err) BUS_MUSTCHECK;
/* Stops listening, cuts every stream (a reader must not take it for the end), waits for open requests, at
 * most timeout_ms, answers those still deferred 503, closes. A ticket that is open then is still to be
 * given back with bus_http_ticket_done(), and its request's text (but not its headers) lives until that. */
void bus_http_stop(struct bus_http **h, int timeout_ms);

/* --- reading a request; all text is NUL-ended, borrowed and lives as long as the request --- */
const char *bus_http_method(const struct bus_http_request *req);
const char *bus_http_part(const struct bus_http_request *req,
			  const char *name); /* {name}; "": the route has none */
const char *bus_http_header(const struct bus_http_request *req, const char *name); /* NULL: none */
/* All of them in order, values as sent; stops when fn returns false. */
void bus_http_each_header(const struct bus_http_request *req,
			  bool (*fn)(void *ctx, const char *name, const char *value), void *ctx);
const char *bus_http_query(const struct bus_http_request *req, const char *name);  /* decoded; first one */
/* All of them in order; stops when fn returns false. */
void bus_http_each_query(const struct bus_http_request *req,
			 bool (*fn)(void *ctx, const char *name, const char *value), void *ctx);
struct bus_str bus_http_body(const struct bus_http_request *req);
struct bus_buf *bus_http_scratch(struct bus_http_request *req); /* empty; until it is asked for again */
struct bus_arena *bus_http_arena(struct bus_http_request *req); /* for the handler; 4 MiB cap */
const char *
bus_http_id(const struct bus_http_request *req); /* X-Request-Id, as sent (1-64 of A-Za-z0-9._-) or made */
const char *bus_http_raw_query(const struct bus_http_request *req); /* after '?', still encoded; "" */
const char *
bus_http_path(const struct bus_http_request *req); /* without query, still encoded; never log it */
const char *bus_http_pattern(const struct bus_http_request *req); /* of its route */
/* --- the connection, on its thread: in admit, handlers and answered --- */
/* The peer's IPv4 address, "10.1.2.3": the socket's, whatever headers say. */
void bus_http_peer(const struct bus_http_request *req, char out[BUS_HTTP_PEER_LEN]);

struct bus_http_certificate { /* of a client; verified, for client authentication */
	const char *subject;  /* RFC 4514, "CN=dinsos,O=Pekanbaru" */
	const char
	    *name[16]; /* alternative names, "DNS:...", "URI:...", "EMAIL:..."; those over 16 are dropped */
	size_t n_names;
};
/* NULL: none was shown. Lives as long as the connection. */
const struct bus_http_certificate *bus_http_certificate(const struct bus_http_request *req);

/* Something of the program's that goes with the request: let go with release when the request is over, or
 * when something else is attached. */
void bus_http_attach(struct bus_http_request *req, void *p, void (*release)(void *p));
void *bus_http_attached(const struct bus_http_request *req); /* NULL: nothing */
/* In that release, when it is called because the request is over: all of the answer was handed to the kernel. The peer
 * may still not get it. */
bool bus_http_sent(const struct bus_http_request *req);

/* Who asks, as the program found out; kept with the request. At most BUS_HTTP_WHO_MAX - 1 bytes (assert); "": nobody
 * has said. */
void bus_http_set_who(struct bus_http_request *req, const char *who);
const char *bus_http_who(const struct bus_http_request *req);

/* The type that the answer shall have, kept with the request; static text. NULL: nothing was set. */
void bus_http_set_type(struct bus_http_request *req, const char *type);
const char *bus_http_type(const struct bus_http_request *req);

/* --- answering --- */
/* Before the answer; may be called several times. Value must not hold CR or LF (assert). */
void bus_http_set(struct bus_http_request *req, const char *name, const char *value);
/* In finish alone: a header of the answer (NULL: none), and one more. */
const char *bus_http_given(const struct bus_http_request *req, const char *name);
void bus_http_add(struct bus_http_request *req, const char *name, const char *value);
/* The bytes of an answer that is (a part of) a file, appended to out; false: it is none, of more than max, or not to be
 * read. */
bool bus_http_file_bytes(const struct bus_http_request *req, size_t max, struct bus_buf *out);
/* Takes body's bytes (body is empty afterwards); NULL: no body. */
void bus_http_reply(struct bus_http_request *req, int status, const char *type, struct bus_buf *body);
/* An answer that may be given again to others, as it was: status, type, the headers set since the mark (Cache-Control
 * is among them), body. Counted and immutable; any thread. */
struct bus_http_answer;
size_t bus_http_mark(const struct bus_http_request *req);
/* As bus_http_reply; the caller owns a reference to what is returned. type: static text. */
struct bus_http_answer *bus_http_reply_kept(struct bus_http_request *req, size_t mark, int status, const char *type,
					    struct bus_buf *body);
void bus_http_reply_again(struct bus_http_request *req, struct bus_http_answer *a);
struct bus_http_answer *bus_http_answer_ref(struct bus_http_answer *a);
void bus_http_answer_unref(struct bus_http_answer **a);
size_t bus_http_answer_size(const struct bus_http_answer *a);
/* n bytes of a file, which nobody shortens, from there on. Takes fd: it is closed once they are sent. */
void bus_http_file(struct bus_http_request *req, int status, const char *type, int fd, int64_t from, int64_t n);
/* RFC 9457; `code`, `message`, `details` and `hint` are there too, as PostgREST's clients look for them. type: the
 * last part of the URL that explains it, e.g. "view-unknown"; code NULL: the same. detail, hint may be NULL.
 * Never personal data. */
void bus_http_problem(struct bus_http_request *req, int status, const char *type, const char *code,
		      const char *title, const char *detail, const char *hint);

enum bus_http_more {
	BUS_HTTP_MORE, /* call again when out has been sent; with nothing in out: at once */
	BUS_HTTP_PARK, /* nothing to say now: call again after bus_http_wake() */
	BUS_HTTP_END,  /* out is the last */
	BUS_HTTP_ABORT /* cut the connection: the reader must see that it is not the end */
};
/* Appends at most about 64 KiB to out a call. Called on the connection's thread, never twice at a time. */
typedef enum bus_http_more (*bus_http_source_fn)(void *state, struct bus_buf *out);

/* Before bus_http_stream(): it is compressed if the reader takes it. For exports, not for feeds: it holds 256 KiB. */
void bus_http_compress(struct bus_http_request *req);
/* Before bus_http_stream(): it is kept until its end and then sent as one answer, so that its digest can stand before
 * it. For streams that are short (at most BUS_HTTP_GATHER_MAX, else the connection is cut), such as a poll. */
#define BUS_HTTP_GATHER_MAX ((size_t)16 * 1024 * 1024)
void bus_http_gather(struct bus_http_request *req);
struct bus_http_stream;
/* free_state is called once, on any thread, when the stream is over; the handle is dead then: whoever may
 * wake it must have been told by free_state (under the caller's own lock). */
struct bus_http_stream *bus_http_stream(struct bus_http_request *req, int status, const char *type,
					bus_http_source_fn fn, void (*free_state)(void *state), void *state);
/* Any thread, but not from inside fn. Wakes a parked stream; a wake while fn runs is not lost. */
void bus_http_wake(struct bus_http_stream *s);
/* Any thread, but not from inside fn. Hangs up: the peer sees that it is not the end. */
void bus_http_cut(struct bus_http_stream *s);
/* After bus_http_stream, by a handler whose stream needs nothing of the request any more: its text, headers as
 * decoded and arena are let go. For streams that stay open by the thousand. */
void bus_http_slim(struct bus_http_request *req);

/* Bytes that several streams send: counted, never changed. A slow reader holds a reference, not a copy. */
struct bus_http_bytes;
/* Takes b's bytes. held (may be NULL; outlives them): their number is added, and taken off with the last
 * reference. */
struct bus_http_bytes *bus_http_bytes_new(struct bus_buf *b, _Atomic int64_t *held);
struct bus_http_bytes *bus_http_bytes_ref(struct bus_http_bytes *b);
void bus_http_bytes_unref(struct bus_http_bytes **b);
size_t bus_http_bytes_len(const struct bus_http_bytes *b);
/* From inside fn, once a call: b is sent after what fn puts into out. Takes a reference of its own. */
void bus_http_lend(struct bus_http_stream *s, struct bus_http_bytes *b);

/* Parks the request. Exactly one bus_http_ticket_done() must follow, from any thread; the handler does not
 * touch the request any more once another thread may have the ticket. Whether the peer is still there is
 * not looked at. */
struct bus_http_ticket *bus_http_defer(struct bus_http_request *req);
struct bus_http_request *bus_http_ticket_request(struct bus_http_ticket *t); /* for _set and _reply, once */
void bus_http_ticket_done(struct bus_http_ticket *t); /* after bus_http_reply on its request */
/* Instead of an answer: the request begins anew, with admit, on its connection's thread. */
void bus_http_ticket_again(struct bus_http_ticket *t);

#endif
