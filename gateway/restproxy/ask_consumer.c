/* Requests of consumers, taken down on HTTP's threads. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/restproxy/change.h"

/* The body, which may be none: read by the worker, one tree a worker. False: answered. */
static bool take_body(struct gw_rp_job *job, struct bus_http_request *req)
{
	const struct bus_str body = bus_http_body(req);

	if (body.n > GW_RP_BODY_MAX) {
		gw_rp_fail(req, 413, "the body is over 256 KiB");
		return false;
	}
	bus_buf_put(&job->text, body.p, body.n);
	return true;
}

static bool number(struct bus_http_request *req, const char *name, int64_t least, int64_t most, int64_t *out)
{
	const char *text = bus_http_query(req, name);
	char *end;

	if (!text)
		return true;
	errno = 0;
	*out = strtoll(text, &end, 10);
	if (end != text && *end == '\0' && !errno && *out >= least) {
		if (*out > most)
			*out = most;
		return true;
	}
	gw_rp_fail(req, 400, name);
	return false;
}

static void take(void *ctx, struct bus_http_request *req, gw_rp_job_fn run)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX];
	struct gw_rp_job *job;
	const char *accept = bus_http_header(req, "Accept");
	enum gw_rp_format format;
	const bool records = run == gw_rp_do_records;

	if (!gw_rp_reader(api, req, reader) || (!records && !gw_rp_accept(req)))
		return;
	if (bus_http_body(req).n > 0 && !gw_rp_content(req, &format))
		return;
	if (strcmp(bus_http_method(req), "HEAD") == 0 &&
	    records) { /* would be read by nobody, and passed over */
		gw_rp_fail(req, 405, "HTTP 405 Method Not Allowed");
		return;
	}
	if (!api->consumers) {
		gw_rp_fail(req, 404, "no consumers are served here (restproxy.topic)");
		return;
	}
	if (!gw_access_group(api->access, reader, bus_http_part(req, "group"))) {
		gw_rp_fail(req, GW_RP_FORBIDDEN, "the policy must say groups: [GROUP]");
		return;
	}
	if (!gw_rp_log_ready(api->consumers->log)) {
		gw_rp_fail(req, GW_RP_KAFKA_RETRY, "the topic of consumers cannot be read yet");
		return;
	}
	job = bus_xcalloc(1, sizeof(*job));
	job->all = api->consumers;
	job->run = run;
	job->req = req;
	memcpy(job->reader, reader, sizeof(reader));
	job->group = bus_xstrdup(bus_http_part(req, "group"));
	job->name = run == gw_rp_do_create ? NULL : bus_xstrdup(bus_http_part(req, "instance"));
	job->accept = records && accept ? bus_xstrdup(accept) : NULL;
	job->reads = !records && strcmp(bus_http_method(req), "GET") == 0;
	job->timeout_ms = -1;
	job->max_bytes = job->all->conf.max_bytes;
	if ((records && (!number(req, "timeout", 0, GW_RP_TIMEOUT_MAX, &job->timeout_ms) ||
			 !number(req, "max_bytes", 1, job->all->conf.max_bytes, &job->max_bytes))) ||
	    (!records && !take_body(job, req))) {
		gw_rp_job_free(&job);
		return;
	}
	job->ticket = bus_http_defer(req);
	gw_rp_submit(job);
}

#define HANDLER(name, run)                                                                                   \
	void name(void *api, struct bus_http_request *req)                                                   \
	{                                                                                                    \
		take(api, req, run);                                                                         \
	}

HANDLER(gw_rp_consumer_create, gw_rp_do_create)
HANDLER(gw_rp_consumer_delete, gw_rp_do_delete)
HANDLER(gw_rp_subscribe, gw_rp_do_subscribe)
HANDLER(gw_rp_subscription, gw_rp_do_subscription)
HANDLER(gw_rp_unsubscribe, gw_rp_do_unsubscribe)
HANDLER(gw_rp_assign, gw_rp_do_assign)
HANDLER(gw_rp_assignments, gw_rp_do_assignments)
HANDLER(gw_rp_seek, gw_rp_do_seek)
HANDLER(gw_rp_seek_beginning, gw_rp_do_seek_beginning)
HANDLER(gw_rp_seek_end, gw_rp_do_seek_end)
HANDLER(gw_rp_records, gw_rp_do_records)
HANDLER(gw_rp_commit, gw_rp_do_commit)
HANDLER(gw_rp_committed, gw_rp_do_committed)
