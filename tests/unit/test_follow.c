/* Followers over HTTP on an engine without Kafka, while its views change: every reader is told of every key once, by
 * whichever way it came to it, and of nothing outside its part. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/feed/feeds.h"
#include "tests/support/engine_support.h"

#define READERS 24
#define KEYS 120
#define END_MS 30000

static const struct bus_http_route routes[] = {
	{ "GET", "/v1/views/{view}/changes", gw_feeds_changes },
	{ "GET", "/v1/changes", gw_feeds_several },
	{ 0 },
};
static struct engine *t;
static struct gw_api api;
static struct bus_http *http;
static char key[80];
static const char view[] = "/*---\nname: %s\nkey: id\nscope: [kel]\nroutes: {uji_orang: _key}\ncolumns:\n"
			   "  id: {type: text, pdp: P}\n  kel: {type: text, pdp: N}\n---*/\n"
			   "SELECT _key AS id, kel FROM uji_orang";

static void put_file(const char *path, const char *text)
{
	FILE *fp = fopen(path, "we");

	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
}

static int setup(void **state)
{
	const struct bus_http_conf conf = { .program = "test", .threads = 2 };
	char policy[128], keys[128], text[800];
	struct bus_error err = { 0 };
	struct bus_buf made = { 0 };

	(void)state;
	t = engine_new();
	engine_topic(
	    t, "pku.uji.orang.v1",
	    engine_schema("{\"type\":\"record\",\"name\":\"O\",\"x_jenis\":\"register\",\"x_kunci\":\"id\","
			  "\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"kel\",\"type\":"
			  "\"string\"}]}"));
	snprintf(text, sizeof(text), view, "satu");
	engine_view(t, "satu", text);
	snprintf(text, sizeof(text), view, "dua");
	engine_view(t, "dua", text);
	engine_open(t, NULL);
	engine_whole(t);
	snprintf(policy, sizeof(policy), "%s/policy.yaml", t->dir);
	snprintf(keys, sizeof(keys), "%s/access.keys", t->dir);
	put_file(policy, "readers:\n  uji: {streams: 100, views: {\"*\": {}}}\n");
	engine_must(gw_access_key_new(keys, "uji", &made, &err), &err);
	snprintf(key, sizeof(key), "%s", bus_buf_cstr(&made));
	bus_buf_release(&made);
	api = (struct gw_api){ .engine = t->e };
	engine_must(gw_access_open(t->e, policy, keys, &api.access, &err), &err);
	api.feeds = gw_feeds_new(60);
	gw_on_change(t->e, gw_feeds_on_change, api.feeds);
	engine_must(bus_http_start(&conf, routes, &api, &http, &err), &err);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bus_http_stop(&http, 2000);
	gw_feeds_free(&api.feeds);
	gw_access_close(&api.access);
	engine_free(&t);
	return 0;
}

struct reader {
	const char *path; /* with its question */
	int one_in;	  /* keys of its part: every first, second, ... */
	int times;	  /* that each key comes: once a view */
	bool hasty;	  /* hangs up now and then, and goes on by its cursor */
	int fd;
	char cursor[200], id[200];
	struct bus_buf rest;
	int told[KEYS], n;
	unsigned pieces;
	bool within; /* an event that has begun */
};

static void ask(struct reader *r)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)bus_http_port(http)) };
	char request[800];
	int n;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(r->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	/* 1.0: the answer is what it is, not chunks of it */
	n = snprintf(request, sizeof(request),
		     "GET %s HTTP/1.0\r\nHost: a\r\nAccept: text/event-stream\r\nAuthorization: Bearer "
		     "%s\r\n%s%s%s\r\n",
		     r->path, key, r->cursor[0] ? "Last-Event-ID: " : "", r->cursor,
		     r->cursor[0] ? "\r\n" : "");
	assert_int_equal(send(r->fd, request, (size_t)n, MSG_NOSIGNAL), n);
	r->rest.n = 0;
}

static void take_line(struct reader *r, const char *line)
{
	const char *at;
	int k;

	r->within = line[0] != '\0';
	if (strncmp(line, "id: ", 4) == 0)
		snprintf(r->id, sizeof(r->id), "%s", line + 4);
	if (line[0] == '\0' && r->id[0])
		memcpy(r->cursor, r->id, sizeof(r->id));
	at = strncmp(line, "data: ", 6) == 0 ? strstr(line, "\"key\":\"k") : NULL;
	if (!at)
		return;
	k = atoi(at + 8);
	assert_true(k >= 0 && k < KEYS && k % r->one_in == 0);
	r->told[k]++;
	r->n++;
}

static void take_some(struct reader *r)
{
	char buf[4096], *line, *end;
	ssize_t n = recv(r->fd, buf, r->hasty ? 700 : sizeof(buf), MSG_DONTWAIT);

	if (n > 0) {
		bus_buf_put(&r->rest, buf, (size_t)n);
		bus_buf_cstr(&r->rest);
		for (line = r->rest.p; (end = memchr(line, '\n', r->rest.n - (size_t)(line - r->rest.p)));
		     line = end + 1) {
			*end = '\0';
			if (end > line && end[-1] == '\r')
				end[-1] = '\0';
			take_line(r, line);
		}
		r->rest.n -= (size_t)(line - r->rest.p);
		memmove(r->rest.p, line, r->rest.n);
		/* Between events only: one that has not come whole comes again. */
		if (r->hasty && ++r->pieces % 3 == 0 && r->rest.n == 0 && !r->within) {
			close(r->fd);
			ask(r);
		}
	}
}

static void change(int i)
{
	char name[8], json[80];

	snprintf(name, sizeof(name), "k%d", i);
	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"kel\":\"%s\"}", name,
		 i % 3 == 0   ? "a"
		 : i % 3 == 1 ? "b"
			      : "c");
	engine_put(t, 0, name, json);
	engine_apply(t, 10, GW_LIVE);
}

static void every_reader_is_told_of_every_key_once(void **state)
{
	struct reader *r = bus_xcalloc(READERS, sizeof(*r));
	int64_t end = bus_clock_mono_ms() + END_MS;
	int open = READERS, made = 0;

	(void)state;
	for (; made < 30; made++)
		change(made);
	for (int i = 0; i < READERS; i++) {
		r[i] = (struct reader){
			.path = "/v1/views/satu/changes", .one_in = 1, .times = 1, .hasty = i % 5 == 4
		};
		if (i % 4 == 1) {
			r[i].path = "/v1/views/satu/changes?kel=eq.a";
			r[i].one_in = 3;
		} else if (i % 4 == 2) {
			r[i].path = "/v1/changes?views=dua,satu";
			r[i].times = 2;
		}
		ask(&r[i]);
	}
	while (open > 0 && bus_clock_mono_ms() < end) {
		if (made < KEYS)
			change(made++);
		gw_feeds_tick(api.feeds);
		open = 0;
		for (int i = 0; i < READERS; i++) {
			take_some(&r[i]);
			open += r[i].n < r[i].times * KEYS / r[i].one_in;
		}
		usleep(1000);
	}
	for (int i = 0; i < READERS; i++) {
		for (int k = 0; k < KEYS; k++)
			if (r[i].told[k] != (k % r[i].one_in ? 0 : r[i].times))
				fail_msg("reader %d was told %d times of k%d", i, r[i].told[k], k);
		close(r[i].fd);
		bus_buf_release(&r[i].rest);
	}
	free(r);
}

/* Reads until a text has come, or the answer has ended. */
static void until(struct reader *r, const char *text)
{
	int64_t end = bus_clock_mono_ms() + END_MS;
	ssize_t n = -1;
	char buf[4096];

	while (!strstr(bus_buf_cstr(&r->rest), text) && n != 0) {
		n = recv(r->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n > 0)
			bus_buf_put(&r->rest, buf, (size_t)n);
		else
			usleep(1000);
		if (bus_clock_mono_ms() > end)
			fail_msg("not told: %s", text);
	}
	if (!strstr(bus_buf_cstr(&r->rest), text))
		fail_msg("ended without: %s", text);
}

static void a_store_made_anew_is_told_as_a_reset(void **state)
{
	struct reader r = { .path = "/v1/views/satu/changes" }, late = r, lost = r;
	struct bus_error err = { 0 };
	char path[400], *at;

	(void)state;
	change(0);
	ask(&r);
	until(&r, "event: up-to-date\ndata: {}\n\n");
	at = strstr(r.rest.p, "id: ") + 4;
	snprintf(late.cursor, sizeof(late.cursor), "%.*s", (int)strcspn(at, "\n"), at);
	r.rest.n = 0;
	engine_must(gw_core_wipe(t->e, &err), &err);
	for (int i = 1; i < 4; i++)
		change(i);
	engine_settle(t); /* after a wipe a view is evaluated as a whole */
	until(&r, "id: \nevent: reset\n");
	assert_null(strstr(r.rest.p, "event: up-to-date")); /* it has not been whole since */
	engine_whole(t);
	until(&r, "\"k3\"");
	assert_null(strstr(r.rest.p, "\"k0\""));
	/* Who comes back by itself cannot look at a status. */
	ask(&late);
	until(&late, "id: \nevent: reset\n");
	until(&late, "\"k3\"");
	snprintf(path, sizeof(path), "/v1/views/satu/changes?after=%s", late.cursor);
	lost.path = path;
	ask(&lost);
	until(&lost, "410 ");
	until(&lost, "cursor-unknown");
	for (size_t i = 0; i < 3; i++) {
		struct reader *one[] = { &r, &late, &lost };

		close(one[i]->fd);
		bus_buf_release(&one[i]->rest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_reader_is_told_of_every_key_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_made_anew_is_told_as_a_reset, setup, teardown),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
