#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "bus/client.h"
#include "bus/log.h"
#include "gateway/engine/scan.h"
#include "gateway/export/exports.h"
#include "gateway/feed/feeds.h"
#include "tests/support/engine_support.h"

#define COLUMNS                                                                                              \
	"columns:\n  id: {type: text, pdp: N}\n  teks: {type: text, pdp: N}\n  n: {type: int, pdp: "         \
	"N}\n---*/\n"
#define SELECT "SELECT _key AS id, teks, n FROM uji_a"

struct stage {
	struct engine *t;
	struct gw_api api;
	struct bus_http *http;
	struct gw_exports_conf conf;
	char dir[128], policy[128], keys[128], header[128], base[64];
};

static void put(struct engine *t, int i, const char *text)
{
	char key[16], json[200];

	snprintf(key, sizeof(key), "k%05d", i);
	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"teks\":\"%s\",\"n\":%d}", key, text, i);
	engine_put(t, 0, key, json);
}

static struct engine *start_engine(int rows)
{
	struct engine *t = engine_new();

	engine_topic(
	    t, "pku.uji.a.v1",
	    engine_schema("{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\","
			  "\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"teks\",\"type\":"
			  "\"string\"},{\"name\":\"n\",\"type\":\"long\"}]}"));
	engine_view(t, "thin", "/*---\nname: thin\nkey: id\nroutes: {uji_a: _key}\n" COLUMNS SELECT);
	engine_view(t, "full",
		    "/*---\nname: full\nkey: id\nstore: full\nroutes: {uji_a: _key}\n" COLUMNS SELECT);
	engine_open(t, NULL);
	for (int i = 0; i < rows; i++)
		put(t, i, "awal");
	engine_apply(t, 5000, GW_FORCE);
	engine_whole(t);
	return t;
}

static void start(struct stage *s, int rows, int64_t space)
{
	const struct bus_http_conf http = { .address = "127.0.0.1", .threads = 2, .program = "uji" };
	struct bus_error err = { 0 };
	struct bus_buf key = { 0 };
	FILE *f;

	memset(s, 0, sizeof(*s));
	s->t = start_engine(rows);
	snprintf(s->dir, sizeof(s->dir), "%s/exports", s->t->dir);
	snprintf(s->policy, sizeof(s->policy), "%s/policy.yaml", s->t->dir);
	snprintf(s->keys, sizeof(s->keys), "%s/keys", s->t->dir);
	f = fopen(s->policy, "w");
	assert_non_null(f);
	fputs("readers:\n  uji:\n    views:\n      \"*\": {clear: [\"*\"]}\n", f);
	fclose(f);
	engine_must(gw_access_key_new(s->keys, "uji", &key, &err), &err);
	snprintf(s->header, sizeof(s->header), "Authorization: Bearer %s", bus_buf_cstr(&key));
	bus_buf_release(&key);
	engine_must(gw_access_open(s->t->e, s->policy, s->keys, &s->api.access, &err), &err);
	s->api.engine = s->t->e;
	s->api.feeds = gw_feeds_new(10);
	s->conf = (struct gw_exports_conf){ .dir = s->dir,
					    .space = space,
					    .keep_ms = 60000,
					    .patience_ms = 60000,
					    .threads = 2,
					    .per_reader = 100 };
	engine_must(gw_exports_open(&s->api, &s->conf, &s->api.exports, &err), &err);
	engine_must(bus_http_start(&http, gw_api_routes, &s->api, &s->http, &err), &err);
	snprintf(s->base, sizeof(s->base), "http://127.0.0.1:%d", bus_http_port(s->http));
}

static void stop(struct stage *s)
{
	gw_exports_stop(s->api.exports);
	bus_http_stop(&s->http, 2000);
	gw_exports_free(&s->api.exports);
	gw_feeds_free(&s->api.feeds);
	gw_access_close(&s->api.access);
	engine_free(&s->t);
}

/* Status; 0: the connection broke. */
static int ask(const struct stage *s, const char *method, const char *path, const char *body,
	       struct bus_buf *out)
{
	const struct bus_client_conf conf = { .insecure = true };
	const char *const header[] = { s->header, NULL };
	char *url = bus_xasprintf("%s%s", s->base, path);
	const struct bus_client_call call = { .method = method,
					      .url = url,
					      .header = header,
					      .body = bus_str(body ? body : ""),
					      .timeout_ms = 60000 };
	struct bus_client *c;
	int status = 0;

	bus_buf_reset(out);
	if (bus_client_open(&conf, &c, NULL) != BUS_OK ||
	    bus_client_call(c, &call, &status, out, NULL) != BUS_OK)
		status = 0;
	bus_client_close(&c);
	free(url);
	return status;
}

static int lines(const struct bus_buf *b)
{
	int n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

static int files_in(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_type == DT_REG;
	if (d)
		closedir(d);
	return n;
}

static void a_view_is_a_file_of_all_its_rows(void **state)
{
	static const char *const path[] = { "/v1/views/thin.csv", "/v1/views/full.csv" };
	struct bus_buf b = { 0 };
	struct stage s;

	(void)state;
	start(&s, 3000, 1 << 30);
	for (size_t i = 0; i < BUS_LEN(path); i++) {
		assert_int_equal(ask(&s, "GET", path[i], NULL, &b), 200);
		assert_int_equal(lines(&b), 3001);
		assert_int_equal(memcmp(b.p, "id,teks,n\r\nk00000,awal,0\r\nk00001,", 33), 0);
	}
	assert_int_equal(ask(&s, "GET", "/v1/views/full.ndjson?n=lt.10&order=n.desc", NULL, &b), 200);
	assert_int_equal(lines(&b), 10);
	assert_int_equal(memcmp(b.p, "{\"id\":\"k00009\"", 14), 0);
	bus_buf_release(&b);
	stop(&s);
}

/* --- one cut ------------------------------------------------------------------------------------------- */

struct seen {
	struct stage *s;
	int64_t seq;
	int rows, fresh, changed;
};

static enum bus_err see_cut(void *ctx, int64_t seq, struct bus_error *err)
{
	struct seen *x = ctx;

	(void)err;
	x->seq = seq;
	return BUS_OK;
}

/* While the rows are read, others are written. */
static enum bus_err see_row(void *ctx, const struct gw_value *value, struct bus_error *err)
{
	struct seen *x = ctx;

	(void)err;
	x->fresh += bus_str_is(value[1].s, "baru");
	if (x->rows++ == 100) {
		put(x->s->t, 2500, "baru");
		put(x->s->t, 9999, "baru");
		engine_apply(x->s->t, 10, GW_LIVE);
	}
	return BUS_OK;
}

static bool see_change(void *ctx, const struct gw_change *c)
{
	struct seen *x = ctx;

	x->changed += bus_str_is(c->value[1].s, "baru");
	return true;
}

static void the_rows_are_of_one_moment_and_the_feed_goes_on_from_it(void **state)
{
	static const char *const view[] = { "thin", "full" };
	struct bus_error err = { 0 };
	struct stage s;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(view); i++) {
		struct seen x = { .s = &s };
		struct gw_scan scan = { .all = true, .deadline_ms = 10000 };
		int64_t last;

		start(&s, 3000, 1 << 30);
		scan.query.view = gw_view_find(s.t->e, view[i]);
		assert_int_equal(gw_scan(gw_reader_of(s.t->e), &scan, see_cut, see_row, &x, &err), BUS_OK);
		assert_int_equal(x.rows, 3000);
		assert_int_equal(x.fresh, 0);
		assert_int_equal(gw_changes(gw_reader_of(s.t->e), scan.query.view, NULL, x.seq, 100,
					    see_change, &x, &last, &err),
				 BUS_OK);
		assert_int_equal(x.changed, 2);
		stop(&s);
	}
}

static void a_view_that_waits_for_evaluation_is_not_read(void **state)
{
	struct seen x = { 0 };
	struct gw_scan scan = { .all = true, .deadline_ms = 10000, .wait_ms = 30 };
	struct bus_error err = { 0 };
	struct stage s;

	(void)state;
	start(&s, 100, 1 << 30);
	x.s = &s;
	put(s.t, 5, "baru");
	engine_must(engine_try_apply(s.t, 0, s.t->n, &err), &err);
	engine_must(gw_commit(s.t->e, &err), &err); /* its tables are ahead of its log now */
	scan.query.view = gw_view_find(s.t->e, "thin");
	assert_int_equal(gw_scan(gw_reader_of(s.t->e), &scan, see_cut, see_row, &x, &err), BUS_ECONFLICT);
	scan.query.view = gw_view_find(s.t->e, "full");
	assert_int_equal(gw_scan(gw_reader_of(s.t->e), &scan, see_cut, see_row, &x, &err), BUS_OK);
	assert_int_equal(x.fresh, 0); /* what its log says */
	engine_drop_waiting(s.t);
	engine_settle(s.t);
	x = (struct seen){ .s = &s };
	scan.query.view = gw_view_find(s.t->e, "thin");
	assert_int_equal(gw_scan(gw_reader_of(s.t->e), &scan, see_cut, see_row, &x, &err), BUS_OK);
	assert_int_equal(x.fresh, 1);
	stop(&s);
}

/* --- what waits says why ------------------------------------------------------------------------------- */

struct call {
	struct stage *s;
	const char *path;
	int status;
	struct bus_buf answer;
	pthread_t thread;
	_Atomic bool over;
};

static void *call_it(void *ctx)
{
	struct call *c = ctx;

	c->status = ask(c->s, "GET", c->path, NULL, &c->answer);
	c->over = true;
	return NULL;
}

static bool says(const struct bus_buf *b, const char *text)
{
	return memmem(b->p, b->n, text, strlen(text)) != NULL;
}

static void begin_job(struct stage *s, const char *question, char path[64])
{
	struct bus_buf b = { 0 };
	const char *id;

	assert_int_equal(ask(s, "POST", "/v1/exports", question, &b), 202);
	id = memmem(b.p, b.n, "\"id\":\"", 6);
	assert_non_null(id);
	snprintf(path, 64, "/v1/exports/%.32s", id + 6);
	bus_buf_release(&b);
}

static void await_word(struct stage *s, const char *path, const char *text)
{
	struct bus_buf b = { 0 };

	for (int i = 0; i < 1000 && (ask(s, "GET", path, NULL, &b) != 200 || !says(&b, text)); i++)
		usleep(2000);
	assert_true(says(&b, text));
	bus_buf_release(&b);
}

/* A file as a browser asks for it, while time passes. */
static int fetch(struct stage *s, const char *path, struct bus_buf *out)
{
	struct call c = { .s = s, .path = path };

	assert_int_equal(pthread_create(&c.thread, NULL, call_it, &c), 0);
	while (!c.over) {
		gw_exports_tick(s->api.exports);
		usleep(2000);
	}
	pthread_join(c.thread, NULL);
	bus_buf_release(out);
	*out = c.answer;
	return c.status;
}

static void open_again(struct stage *s, int threads)
{
	struct bus_error err = { 0 };

	gw_exports_free(&s->api.exports);
	s->conf.threads = threads;
	s->conf.patience_ms = 200;
	engine_must(gw_exports_open(&s->api, &s->conf, &s->api.exports, &err), &err);
}

static void what_waits_says_why_soon_and_a_job_goes_on_waiting(void **state)
{
	char first[64], second[64];
	struct bus_error err = { 0 };
	struct bus_buf b = { 0 };
	struct stage s;

	(void)state;
	start(&s, 100, 1 << 30);
	put(s.t, 5, "baru");
	engine_must(engine_try_apply(s.t, 0, s.t->n, &err), &err);
	engine_must(gw_commit(s.t->e, &err), &err); /* its tables are ahead of its log */
	open_again(&s, 2);
	assert_int_equal(fetch(&s, "/v1/views/thin.csv", &b), 503);
	assert_true(says(&b, "not-ready") && says(&b, "is being brought up to date") &&
		    says(&b, "POST /v1/exports"));
	assert_int_equal(fetch(&s, "/v1/views/full.csv", &b), 200);
	open_again(&s, 1); /* the only worker waits for the view: the others have no turn */
	begin_job(&s, "{\"view\":\"thin\",\"format\":\"csv\"}", first);
	await_word(&s, first, "\"waits_for\":\"view\"");
	begin_job(&s, "{\"view\":\"full\",\"format\":\"csv\"}", second);
	await_word(&s, second, "\"waits_for\":\"turn\"");
	assert_int_equal(fetch(&s, "/v1/views/full.csv", &b), 429);
	assert_true(says(&b, "too-many-exports") && says(&b, "POST /v1/exports"));
	engine_drop_waiting(s.t);
	engine_settle(s.t);
	await_word(&s, first, "\"waits_for\":null,");
	await_word(&s, first, "\"state\":\"done\"");
	await_word(&s, second, "\"state\":\"done\"");
	bus_buf_release(&b);
	stop(&s);
}

/* --- many at a time ------------------------------------------------------------------------------------ */

struct client {
	struct stage *s;
	unsigned seed;
	int bad;
	pthread_t thread;
};

static void *fetch_many(void *ctx)
{
	static const char *const path[] = { "/v1/views/thin.csv", "/v1/views/full.ndjson",
					    "/v1/views/full.parquet", "/v1/views/thin.avro",
					    "/v1/views/full.xlsx?limit=50" };
	struct client *c = ctx;
	struct bus_buf b = { 0 };

	for (int i = 0; i < 12; i++) {
		size_t k = (size_t)rand_r(&c->seed) % BUS_LEN(path);
		int status = ask(c->s, "GET", path[k], NULL, &b);

		/* A job that is begun and dropped; a reader that asks and does not wait. */
		if (i % 4 == 0)
			status = ask(c->s, "POST", "/v1/exports",
				     "{\"view\":\"thin\",\"format\":\"csv\",\"bundle\":true}", &b) == 202
				     ? 200
				     : 0;
		c->bad += status != 200;
	}
	bus_buf_release(&b);
	return NULL;
}

static void readers_and_the_writer_do_not_meet(void **state)
{
	struct client client[6] = { 0 };
	struct bus_buf b = { 0 };
	struct stage s;

	(void)state;
	start(&s, 2000, 1 << 30);
	for (size_t i = 0; i < BUS_LEN(client); i++) {
		client[i].s = &s;
		client[i].seed = (unsigned)i;
		assert_int_equal(pthread_create(&client[i].thread, NULL, fetch_many, &client[i]), 0);
	}
	for (int i = 0; i < 100; i++) {
		put(s.t, i, "baru");
		engine_apply(s.t, 10, GW_LIVE);
	}
	for (size_t i = 0; i < BUS_LEN(client); i++) {
		pthread_join(client[i].thread, NULL);
		assert_int_equal(client[i].bad, 0);
	}
	assert_int_equal(ask(&s, "GET", "/v1/exports", NULL, &b), 200);
	bus_buf_release(&b);
	stop(&s);
}

static void *fetch_one(void *ctx)
{
	struct client *c = ctx;
	struct bus_buf b = { 0 };
	int status = ask(c->s, "GET", "/v1/views/thin.ndjson", NULL, &b);

	c->bad = status != 200 && status != 503 &&
		 status != 0; /* whole, refused, or cut: never a half that looks whole */
	if (status == 200 && lines(&b) != 30000)
		c->bad = 1;
	bus_buf_release(&b);
	return NULL;
}

static void a_stop_lets_everybody_go(void **state)
{
	struct client client[8] = { 0 };
	struct stage s;

	(void)state;
	start(&s, 30000, 1 << 30);
	for (size_t i = 0; i < BUS_LEN(client); i++) {
		client[i].s = &s;
		assert_int_equal(pthread_create(&client[i].thread, NULL, fetch_one, &client[i]), 0);
	}
	usleep(20000); /* whatever they are at */
	gw_exports_stop(s.api.exports);
	for (size_t i = 0; i < BUS_LEN(client); i++) {
		pthread_join(client[i].thread, NULL);
		assert_int_equal(client[i].bad, 0);
	}
	stop(&s);
}

/* --- room ---------------------------------------------------------------------------------------------- */

/* The room of one before is given back when its reader or its worker has let go of it: until then 503, try again. */
static int ask_patiently(const struct stage *s, const char *path, struct bus_buf *out)
{
	int status;

	for (int i = 0; (status = ask(s, "GET", path, NULL, out)) == 503 && i < 1000; i++)
		;
	return status;
}

static void the_oldest_make_room_and_no_more_than_the_room_is_taken(void **state)
{
	struct bus_buf b = { 0 };
	struct stage s;

	(void)state;
	start(&s, 3000, 200000); /* a file has about 50,000 bytes */
	for (int i = 0; i < 12; i++)
		assert_int_equal(ask_patiently(&s, "/v1/views/full.csv", &b), 200);
	assert_true(files_in(s.dir) >= 1 && files_in(s.dir) <= 4);
	for (int i = 0; i < 4; i++) /* one that there is no room for: refused, or cut, and never whole */
		assert_int_not_equal(
		    ask(&s, "GET",
			"/v1/views/full.ndjson?select=id,a:teks,b:teks,c:teks,d:teks,e:teks,f:teks,g:teks",
			NULL, &b),
		    200);
	assert_int_equal(ask_patiently(&s, "/v1/views/full.csv", &b), 200);
	assert_int_equal(lines(&b), 3001);
	bus_buf_release(&b);
	stop(&s);
}

static void what_was_left_goes_and_other_folders_are_let_be(void **state)
{
	struct gw_exports *other = NULL;
	struct bus_error err = { 0 };
	char path[300];
	struct stage s;

	(void)state;
	start(&s, 10, 1 << 30);
	gw_exports_stop(s.api.exports);
	gw_exports_free(&s.api.exports);
	for (int i = 0; i < 3; i++) {
		static const char *const name[] = { "0123456789abcdef0123456789abcdef.csv", "catatan.txt",
						    "work/tmp.a" };
		int fd;

		snprintf(path, sizeof(path), "%s/%s", s.dir, name[i]);
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	assert_int_equal(gw_exports_open(&s.api, &s.conf, &s.api.exports, &err), BUS_OK);
	assert_int_equal(files_in(s.dir), 1); /* the one that is none of ours */
	snprintf(path, sizeof(path), "%s/work", s.dir);
	assert_int_equal(files_in(path), 0);
	s.conf.dir = s.t->views;
	assert_int_equal(chmod(s.t->views, 0755), 0);
	assert_int_equal(gw_exports_open(&s.api, &s.conf, &other, &err), BUS_EINVAL);
	assert_non_null(strstr(err.text, "chmod 700"));
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_is_a_file_of_all_its_rows),
		cmocka_unit_test(the_rows_are_of_one_moment_and_the_feed_goes_on_from_it),
		cmocka_unit_test(a_view_that_waits_for_evaluation_is_not_read),
		cmocka_unit_test(what_waits_says_why_soon_and_a_job_goes_on_waiting),
		cmocka_unit_test(readers_and_the_writer_do_not_meet),
		cmocka_unit_test(a_stop_lets_everybody_go),
		cmocka_unit_test(the_oldest_make_room_and_no_more_than_the_room_is_taken),
		cmocka_unit_test(what_was_left_goes_and_other_folders_are_let_be),
	};

	bus_log_setup(BUS_LOG_AUDIT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
