/* tests/bench/http_hello.c - the same small answer from a bare libmicrohttpd and from bus/http, so that one
 * can be held against the other: `http_hello bare|bus PORT`, until a line or the end of standard input.
 * Both with two threads and epoll; the bus's adds routing, guards, deadlines, headers and counters. */
#include <microhttpd.h>
#include <stdio.h>

#include "bus/http.h"

static const char text[] = "{\"name\":\"hello\",\"value\":1234567,\"text\":\"the answer of a point read\"}\n";
static int first;

static enum MHD_Result bare(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
			    const char *version, const char *data, size_t *n, void **request)
{
	enum MHD_Result rc;
	struct MHD_Response *r;

	(void)ctx, (void)url, (void)method, (void)version, (void)data, (void)n;
	if (!*request) {
		*request = &first;
		return MHD_YES;
	}
	r = MHD_create_response_from_buffer(sizeof(text) - 1, (void *)(uintptr_t)text,
					    MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(r, "Content-Type", "application/json");
	rc = MHD_queue_response(c, 200, r);
	MHD_destroy_response(r);
	return rc;
}

static void hello(void *ctx, struct bus_http_request *req)
{
	struct bus_buf b = { 0 };

	(void)ctx;
	bus_buf_put(&b, text, sizeof(text) - 1);
	bus_http_reply(req, 200, "application/json", &b);
}

int main(int argc, char **argv)
{
	static const struct bus_http_route routes[] = {
		{ "GET", "/v1/views", hello },
		{ "GET", "/v1/views/{name}", hello },
		{ "GET", "/v1/views/{name}/changes", hello },
		{ "GET", "/v1/views/{name}/{key}", hello },
		{ NULL, NULL, NULL },
	};
	bool ours = argc == 3 && strcmp(argv[1], "bus") == 0;
	int port = argc == 3 ? atoi(argv[2]) : 0;

	if (argc != 3 || (!ours && strcmp(argv[1], "bare") != 0)) {
		fprintf(stderr, "usage: http_hello bare|bus PORT\n");
		return 2;
	}
	if (ours) {
		struct bus_http_conf conf = {
			.address = "127.0.0.1", .port = port, .threads = 2, .program = "b"
		};
		struct bus_error err;
		struct bus_http *h;

		if (bus_http_start(&conf, routes, NULL, &h, &err) != BUS_OK) {
			fprintf(stderr, "%s\n", err.text);
			return 1;
		}
		getchar();
		bus_http_stop(&h, 1000);
	} else {
		struct MHD_Daemon *d =
		    MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)port, NULL, NULL, bare, NULL,
				     MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_END);

		if (!d)
			return 1;
		getchar();
		MHD_stop_daemon(d);
	}
	return 0;
}
