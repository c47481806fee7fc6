/* gateway/hook/message_impl.h - inside message.c and cloudevents.c. */
#ifndef GATEWAY_HOOK_MESSAGE_IMPL_H
#define GATEWAY_HOOK_MESSAGE_IMPL_H

#include "gateway/hook/message.h"

struct gw_hook_event {
	const char *what;   /* upsert, delete, reset, test */
	int64_t seq;	    /* 0: none */
	struct bus_str key; /* p NULL: none */
	char id[GW_HOOK_MESSAGE_ID_LEN + 1];
	struct bus_buf data; /* JSON: the row, or where it is; empty: none */
	bool whole;	     /* data is the row */
};

/* The gravest class of what the message shows: N, P, U, or S (A counts as S). */
char gw_hook_class(const struct gw_hook_message *m);
void gw_hook_header(struct gw_hook_message *m, char *line); /* taken */

/* cloudevents.c: an event as JSON; as the message's headers and body. */
void gw_hook_structured(const struct gw_hook_message *m, const struct gw_hook_event *e, struct bus_buf *out);
void gw_hook_binary(struct gw_hook_message *m, const struct gw_hook_event *e);

#endif
