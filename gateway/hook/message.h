/* gateway/hook/message.h - what is sent: changes as a body and its headers, in a subscription's format.
 *
 * standard                 {"type":"VIEW.upsert","timestamp":...,"data":{"view","key","cursor","sequence","row"}}; with
 *                          max_batch over 1: "VIEW.changes" and "data":{"view","changes":[...]}
 * cloudevents-binary       the row, with ce-* headers       cloudevents-structured   application/cloudevents+json
 * cloudevents-batch        application/cloudevents-batch+json (CloudEvents 1.0.2, HTTP binding 3.1 to 3.3)
 *
 * Every message is signed as sign.h says. A row with personal columns in clear is sent only where the grant says
 * `full`; without, or when it is too large, the message holds the row's URL in its place, and the reader fetches it
 * with its key. The id of a message depends on the subscription, its round and the change alone: it is the same
 * in every try, on every gateway with this store.
 * Thread: one.
 */
#ifndef GATEWAY_HOOK_MESSAGE_H
#define GATEWAY_HOOK_MESSAGE_H

#include "gateway/hook/sub.h"
#include "gateway/serve/cursor.h"
#include "gateway/serve/format.h"

#define GW_HOOK_BODY_MAX ((size_t)20000) /* bytes; Standard Webhooks advises 20 kB */
#define GW_HOOK_MESSAGE_ID_LEN 36	 /* msg_ and 32 hex digits */

struct gw_hook_names {	    /* how the bus calls itself; borrowed */
	const char *base;   /* "https://bus.pekanbaru.go.id", where readers reach it */
	const char *prefix; /* of CloudEvents types: "id.go.pekanbaru.bus" */
};

struct gw_hook_message {
	/* given */
	const struct gw_hook_names *names;
	const struct gw_hook_sub *sub;
	const struct gw_params *params;
	struct gw_cursors cursors;
	bool full;
	int64_t now;   /* wall ms */
	int64_t fresh; /* as struct gw_place: while it is behind there */
	/* made */
	struct bus_buf body;
	char **header; /* "Name: value", NULL-ended, in pieces of their own */
	size_t n_headers;
	char id[GW_HOOK_MESSAGE_ID_LEN + 1];
	size_t changes;	     /* in it */
	int64_t first, last; /* seq of the first and of the last */
	bool more;	     /* a change was not taken: it had no room */
	const char *type;    /* of the body */
};

/* One change more; false: it has no room. A gw_change_fn. */
bool gw_hook_message_change(void *message, const struct gw_change *c);
/* Instead of changes: "reset" (everything comes anew), "test". */
void gw_hook_message_event(struct gw_hook_message *m, const char *what);
/* Closes the body, makes the headers. */
void gw_hook_message_end(struct gw_hook_message *m);
void gw_hook_message_release(struct gw_hook_message *m);

#endif
