/* bus/client.h - HTTP requests to our own services and to registries. The only includer of libcurl.
 *
 * A client knows whom it trusts and who it is: a CA, a certificate with its key, a user with a password, or a
 * token; secrets come from files only, and are in no message. TLS 1.2 or newer. It keeps its connection open
 * between calls. Thread: any; a client belongs to one at a time.
 */
#ifndef BUS_CLIENT_H
#define BUS_CLIENT_H

#include "bus/buf.h"
#include "bus/error.h"

struct bus_client;

struct bus_client_conf {	 /* files by name; NULL or "": none. Also the keys of bus_client_open_file */
	const char *ca;		 /* PEM; signers of servers' certificates. None: the system's */
	const char *certificate; /* PEM; ours, and its chain */
	const char *key;	 /* PEM */
	const char *user;	 /* with password_file */
	const char *password_file; /* its first line */
	const char *token_file;	   /* a bearer token: its first line */
	bool insecure;		   /* the secret may go over plain HTTP to another machine */
};

/* BUS_EINVAL: a user without a password, both password and token, a secret's file that others can read. */
enum bus_err bus_client_open(const struct bus_client_conf *conf, struct bus_client **out,
			     struct bus_error *err) BUS_MUSTCHECK;
/* conf as a YAML file: ca, certificate, key, user, password_file, token_file, insecure. Relative names are
 * relative to its folder. */
enum bus_err bus_client_open_file(const char *path, struct bus_client **out,
				  struct bus_error *err) BUS_MUSTCHECK;
void bus_client_close(struct bus_client **c);

struct bus_client_header {
	const char *name;
	char value[128]; /* "": none, or too long */
};

struct bus_client_call {
	const char *method, *url;
	const char *type; /* of the body; may be NULL */
	struct bus_str body;
	const char *const *header; /* "Name: value", NULL-ended; may be NULL */
	int timeout_ms;
	bool (*go_on)(void *ctx); /* asked about once a second; false: BUS_ESTOPPED. May be NULL */
	void *ctx;
	struct bus_client_header *want; /* of the answer, filled; n_want of them */
	size_t n_want;
	/* Each header line of the answer, whole, also those over a want's size; may be NULL */
	void (*heard)(void *heard_ctx, const char *line, size_t n);
	void *heard_ctx;
	bool *unsent; /* may be NULL; with an error: nothing has reached the server */
	/* Where the body of an answer of 2xx goes, piece by piece, without a limit; then a minute without a byte ends
	 * the call. NULL: into the buffer. */
	enum bus_err (*take)(void *take_ctx, int status, const void *p, size_t n, struct bus_error *err);
	void *take_ctx;
};

/* *status is the HTTP status (an answer of 4xx or 5xx is not an error here). No redirects. The answer is
 * appended; it is cut off at 64 MiB (BUS_ETOOBIG). BUS_EDENIED: the server's certificate is not to be
 * trusted, or it does not take ours; or a secret would go over plain HTTP. */
enum bus_err bus_client_call(struct bus_client *c, const struct bus_client_call *call, int *status,
			     struct bus_buf *answer, struct bus_error *err) BUS_MUSTCHECK;

/* One call of a client without conf. type and body may be NULL; bearer may be NULL. */
enum bus_err bus_client_request(const char *method, const char *url, const char *bearer, const char *type,
				struct bus_str body, int timeout_ms, int *status, struct bus_buf *answer,
				struct bus_error *err) BUS_MUSTCHECK;

/* What `reference` means on the page at `base` (RFC 3986, 5), appended to out. *same: scheme, host and port are base's.
 * BUS_EINVAL: no URL of HTTP; neither is in the message. */
enum bus_err bus_client_resolve(const char *base, const char *reference, struct bus_buf *out, bool *same,
				struct bus_error *err) BUS_MUSTCHECK;

/* May a secret go there? Over TLS, or to this machine. */
bool bus_client_guarded(const char *url);

/* --- for bus/client_many.c: one header line of an answer --- */
void bus_client_take_header(const char *p, size_t n, struct bus_client_header *want, size_t n_want);

#endif
