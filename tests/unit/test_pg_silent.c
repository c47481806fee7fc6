/* A PostgreSQL that falls silent: who asks gets an end, and another connection once the server is back. The server is
 * that of TITIAN_TEST_STORE (tests/support/postgres.py), behind a relay that passes nothing on while it is told so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/clock.h"
#include "gateway/store/db.h"

#define PAIRS 32
#define SLOW "SELECT count(*) FROM lambat a, lambat b, lambat c WHERE a.i + b.i + c.i < 0"

static struct relay {
	char folder[64], path[100], server[200];
	int listener, fd[2 * PAIRS];
	size_t n;
	_Atomic bool silent, end;
	pthread_t thread;
} relay;

static int unix_socket(const char *path, struct sockaddr_un *to)
{
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(to->sun_path, sizeof(to->sun_path), "%s", path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void pass(size_t i)
{
	char bytes[65536];
	ssize_t n = read(relay.fd[i], bytes, sizeof(bytes)), done = 0, more;

	while (done < n && (more = send(relay.fd[i ^ 1], bytes + done, (size_t)(n - done), MSG_NOSIGNAL)) > 0)
		done += more;
	if (n <= 0)
		(void)shutdown(relay.fd[i ^ 1], SHUT_WR);
	if (n <= 0)
		(void)shutdown(relay.fd[i], SHUT_RD);
}

static void *run(void *unused)
{
	struct pollfd p[2 * PAIRS + 1];
	bool over[2 * PAIRS] = { 0 };
	struct sockaddr_un to;

	(void)unused;
	while (!atomic_load(&relay.end)) {
		bool silent = atomic_load(&relay.silent);

		p[0] = (struct pollfd){ .fd = relay.listener, .events = POLLIN };
		for (size_t i = 0; i < relay.n; i++)
			p[i + 1] =
			    (struct pollfd){ .fd = silent || over[i] ? -1 : relay.fd[i], .events = POLLIN };
		(void)poll(p, relay.n + 1, 20);
		for (size_t i = 0; i < relay.n; i++)
			if (p[i + 1].revents) {
				pass(i);
				over[i] = recv(relay.fd[i], &to, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
			}
		if (p[0].revents &&
		    relay.n < BUS_LEN(relay.fd)) { /* taken, as a kernel does for who sleeps */
			relay.fd[relay.n] = accept(relay.listener, NULL, NULL);
			relay.fd[relay.n + 1] = unix_socket(relay.server, &to);
			assert_int_equal(connect(relay.fd[relay.n + 1], (struct sockaddr *)&to, sizeof(to)),
					 0);
			relay.n += 2;
		}
	}
	return NULL;
}

/* "postgres:ROLE:host=FOLDER ..." with the relay in the place of the server. */
static char *begin_relay(const char *store)
{
	const char *host = strstr(store, "host="), *rest;
	struct sockaddr_un at;

	assert_non_null(host);
	rest = host + 5 + strcspn(host + 5, " ");
	snprintf(relay.server, sizeof(relay.server), "%.*s/.s.PGSQL.5432", (int)(rest - host - 5), host + 5);
	snprintf(relay.folder, sizeof(relay.folder), "/tmp/titian-relay-XXXXXX");
	assert_non_null(mkdtemp(relay.folder));
	snprintf(relay.path, sizeof(relay.path), "%s/.s.PGSQL.5432", relay.folder);
	relay.listener = unix_socket(relay.path, &at);
	assert_int_equal(bind(relay.listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(relay.listener, 8), 0);
	assert_int_equal(pthread_create(&relay.thread, NULL, run, NULL), 0);
	return bus_xasprintf("%.*shost=%s%s", (int)(host - store), store, relay.folder, rest);
}

static void end_relay(void)
{
	atomic_store(&relay.end, true);
	pthread_join(relay.thread, NULL);
	for (size_t i = 0; i < relay.n; i++)
		close(relay.fd[i]);
	close(relay.listener);
	unlink(relay.path);
	rmdir(relay.folder);
}

/* What it came to, and in how long. */
static enum bus_err ask(struct gw_db *db, const char *sql, int deadline_ms, int64_t *ms)
{
	int64_t begin = bus_clock_mono_ms(), out;
	enum bus_err rc;

	gw_db_deadline(db, deadline_ms);
	rc = gw_db_int(db, 0, &out, NULL, "%s", sql);
	gw_db_deadline(db, 0);
	*ms = bus_clock_mono_ms() - begin;
	return rc;
}

static void *go_silent(void *unused)
{
	(void)unused;
	usleep(100000);
	atomic_store(&relay.silent, true);
	return NULL;
}

static void *interrupt(void *db)
{
	usleep(200000);
	gw_db_interrupt(db);
	return NULL;
}

static void a_silent_server_is_not_waited_for(void **unused)
{
	const char *store = getenv("TITIAN_TEST_STORE");
	struct gw_db *writer = NULL, *db = NULL;
	struct bus_error err = { 0 };
	pthread_t thread;
	char *path;
	int64_t ms;

	(void)unused;
	if (!store)
		skip();
	path = begin_relay(store);
	assert_int_equal(gw_db_open(store, GW_DB_WRITER, 0, &writer, &err), BUS_OK);
	assert_int_equal(gw_db_exec(writer, &err, "CREATE TABLE lambat(i INTEGER)"), BUS_OK);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(gw_db_exec(writer, &err, "INSERT INTO lambat VALUES (%d)", i), BUS_OK);
	assert_int_equal(gw_db_open(path, GW_DB_READER, 0, &db, &err), BUS_OK);

	/* One that answers: the statement ends, the connection stays, and the next one is not ended too. */
	for (int i = 0; i < 10; i++) {
		assert_int_equal(ask(db, SLOW, 50, &ms), BUS_ETIMEOUT);
		assert_true(ms < 1500);
		assert_int_equal(ask(db, "SELECT 1", 5000, &ms), BUS_OK);
	}
	assert_true(relay.n > 2); /* cancelled over it */

	assert_int_equal(pthread_create(&thread, NULL, go_silent, NULL), 0);
	assert_int_equal(ask(db, SLOW, 300, &ms), BUS_EIO);
	assert_in_range(ms, 2000, 4000);
	pthread_join(thread, NULL);
	atomic_store(&relay.silent, false);
	assert_int_equal(ask(db, "SELECT 1", 5000, &ms), BUS_OK);

	/* The same when it is another thread that has had enough. */
	assert_int_equal(pthread_create(&thread, NULL, interrupt, db), 0);
	atomic_store(&relay.silent, true);
	assert_int_equal(ask(db, SLOW, 0, &ms), BUS_EIO);
	assert_in_range(ms, 2000, 4000);
	pthread_join(thread, NULL);
	atomic_store(&relay.silent, false);

	gw_db_close(&db);
	gw_db_close(&writer);
	end_relay();
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_server_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
