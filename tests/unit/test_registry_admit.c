/* The look before the handlers under load: logins of all kinds on many threads, files read again meanwhile,
 * and a stop while passwords are still being checked. Runs under TSan too (the daemon cannot: librdkafka's
 * threads). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/base64.h"
#include "bus/client.h"
#include "schemas/registry/registry.h"
#include "schemas/registry/users.h"

#define THREADS 6
#define EACH 40
#define LOGINS 40

static struct {
	char folder[64];
	struct schema_registry r;
	struct bus_http *http;
	int port;
	char token[128];
	atomic_int wrong; /* answers that should not be */
	atomic_bool done;
} t;

static const char *file(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", t.folder, name);
	return path;
}

static void who(void *ctx, struct bus_http_request *req)
{
	struct bus_buf b = { 0 };

	(void)ctx;
	bus_buf_printf(&b, "%s", schema_user(req));
	bus_http_reply(req, 200, "text/plain", &b);
}

static const struct bus_http_route routes[] = { { "GET", "/subjects", who }, { NULL, NULL, NULL } };

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *fp = fopen(file(path, name), "w");

	assert_non_null(fp);
	fputs(text, fp);
	assert_int_equal(fchmod(fileno(fp), 0600), 0);
	assert_int_equal(fclose(fp), 0);
}

static int start(void **state)
{
	struct bus_http_conf conf = { .address = "127.0.0.1",
				      .threads = 2,
				      .program = "test",
				      .admit = schema_access_admit,
				      .answered = schema_access_answered };
	struct bus_buf token = { 0 };
	char policy[128], users[128];
	struct bus_error err;

	(void)state;
	snprintf(t.folder, sizeof(t.folder), "/tmp/test_registry_admit.XXXXXX");
	assert_non_null(mkdtemp(t.folder));
	write_file("policy", "users: { a: {}, b: {} }\n");
	/* 10,000 rounds: under ASan each costs a hundred times as much */
	write_file("users", "password a pbkdf2-sha256 10000 000102030405060708090a0b0c0d0e0f "
			    "36e1025cb9fc71e09657564ad92175406eeb0376c8e8be675dfc2de462cfe75c x\n");
	(void)file(users, "users");
	assert_int_equal(schema_users_add_token(users, "b", &token, &err), BUS_OK);
	snprintf(t.token, sizeof(t.token), "%s", bus_buf_cstr(&token));
	bus_buf_release(&token);
	const struct schema_access_conf access = { .policy = file(policy, "policy"), .users = users };

	if (schema_access_open(&access, &t.r.access, &err) != BUS_OK ||
	    bus_http_start(&conf, routes, &t.r, &t.http, &err) != BUS_OK)
		fail_msg("%s", err.text);
	t.port = bus_http_port(t.http);
	return 0;
}

static int stop(void **state)
{
	char line[128];

	(void)state;
	bus_http_stop(&t.http, 5000);
	schema_access_close(&t.r.access);
	snprintf(line, sizeof(line), "rm -rf %s", t.folder);
	return system(line);
}

/* The status of GET /subjects as that; answer must be the name when it is 200. */
static int ask(const char *user, const char *password, const char *token, int timeout_ms)
{
	const struct bus_client_conf none = { .insecure = true };
	struct bus_buf answer = { 0 }, line = { 0 };
	char url[64], pair[64];
	const char *header[2] = { NULL, NULL };
	struct bus_client_call call = {
		.method = "GET", .url = url, .header = header, .timeout_ms = timeout_ms
	};
	struct bus_client *c;
	int status = 0;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/subjects", t.port);
	if (user) {
		snprintf(pair, sizeof(pair), "%s:%s", user, password);
		bus_buf_puts(&line, "Authorization: Basic ");
		bus_base64_put(bus_str(pair), &line);
		header[0] = bus_buf_cstr(&line);
	} else if (token) {
		bus_buf_printf(&line, "Authorization: Bearer %s", token);
		header[0] = bus_buf_cstr(&line);
	}
	if (bus_client_open(&none, &c, NULL) == BUS_OK)
		if (bus_client_call(c, &call, &status, &answer, NULL) == BUS_OK && status == 200 &&
		    strcmp(bus_buf_cstr(&answer), user ? user : "b") != 0)
			atomic_fetch_add(&t.wrong, 1);
	bus_client_close(&c);
	bus_buf_release(&line);
	bus_buf_release(&answer);
	return status;
}

static void *knock(void *ctx)
{
	size_t which = (size_t)(uintptr_t)ctx;
	int status;

	for (int i = 0; i < EACH; i++) {
		switch ((which + (size_t)i) % 4) {
		case 0:
			/* another thread's wrong tries may have closed the door to passwords that are not
			 * known */
			status = ask("a", "kata sandi", NULL, 20000);
			if (status != 200 && status != 429)
				atomic_fetch_add(&t.wrong, 1);
			break;
		case 1:
			atomic_fetch_add(&t.wrong, ask(NULL, NULL, t.token, 20000) != 200);
			break;
		case 2:
			atomic_fetch_add(&t.wrong, ask(NULL, NULL, NULL, 20000) != 401);
			break;
		default:
			status = ask("a", "kata salah", NULL, 20000);
			atomic_fetch_add(&t.wrong, status != 401 && status != 429);
			break;
		}
	}
	return NULL;
}

static void *reload(void *ctx)
{
	struct bus_error err;

	(void)ctx;
	while (!atomic_load(&t.done)) {
		if (schema_access_reload(t.r.access, &err) != BUS_OK)
			atomic_fetch_add(&t.wrong, 1);
		usleep(2000);
	}
	return NULL;
}

static void knows_everybody_on_many_threads(void **state)
{
	pthread_t thread[THREADS], reloader;

	(void)state;
	assert_int_equal(ask("a", "kata sandi", NULL, 20000), 200);
	assert_int_equal(pthread_create(&reloader, NULL, reload, NULL), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, knock, (void *)(uintptr_t)i), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	atomic_store(&t.done, true);
	pthread_join(reloader, NULL);
	assert_int_equal(atomic_load(&t.wrong), 0);
	assert_int_equal(ask("a", "kata sandi", NULL, 20000), 200); /* what was known before is known still */
}

/* A name that is not there is as slow as can be. */
static void *log_in(void *ctx)
{
	bool patient = (uintptr_t)ctx % 2;
	int status = ask("x", "kata salah", NULL, patient ? 20000 : 200);

	/* 0: given up, or cut */
	if (status != 401 && status != 503 && status != 0)
		atomic_fetch_add(&t.wrong, 1);
	return NULL;
}

static void stops_while_passwords_are_checked(void **state)
{
	pthread_t thread[LOGINS];

	(void)state;
	atomic_store(&t.wrong, 0);
	for (size_t i = 0; i < LOGINS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, log_in, (void *)(uintptr_t)i), 0);
	for (size_t i = 0; i < LOGINS; i += 2)
		pthread_join(thread[i], NULL); /* these have gone; their passwords still wait */
	bus_http_stop(&t.http, 1);
	schema_access_close(&t.r.access);
	for (size_t i = 1; i < LOGINS; i += 2)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&t.wrong), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(knows_everybody_on_many_threads, start, stop),
		cmocka_unit_test_setup_teardown(stops_while_passwords_are_checked, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
