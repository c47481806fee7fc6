/* gateway/serve/desk.h - requests whose answer takes a moment: done one at a time, on a thread of the desk's, while a few
 * more wait. Thread: any, but open and close. */
#ifndef GATEWAY_SERVE_DESK_H
#define GATEWAY_SERVE_DESK_H

#include "bus/http.h"

struct gw_desk;

struct gw_desk_conf {
	const char *name; /* in messages: "figures" */
	size_t waiting;	  /* at most; a request more is answered 503 */
	/* Answers req, whose headers may be gone: what is needed of them is in the job. */
	void (*answer)(void *ctx, struct bus_http_request *req, void *job);
	/* Before the first and when nothing has come for idle_s; 0: never. */
	void (*idle)(void *ctx);
	int idle_s;
	void *ctx;
};

enum bus_err gw_desk_open(const struct gw_desk_conf *conf, struct gw_desk **out,
			  struct bus_error *err) BUS_MUSTCHECK;
/* What waits is answered first. While HTTP still runs or when no request is open. */
void gw_desk_close(struct gw_desk **d);
/* From a handler, which returns then. Takes job, plain memory. */
void gw_desk_take(struct gw_desk *d, struct bus_http_request *req, void *job);

#endif
