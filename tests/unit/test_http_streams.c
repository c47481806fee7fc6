/* Answers that come later, and piece by piece; and how the server ends. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/http_stage.h"

static void a_deferred_answer_comes_from_another_thread(void **state)
{
	int fd = stage_dial();
	char *a;

	(void)state;
	stage_say(fd, GET("/late"));
	a = stage_hear(fd, "late", 3000, NULL);
	assert_holds(a, "HTTP/1.1 201 ");
	free(a);
	/* the connection is as good as before */
	stage_say(fd, "POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" GET("/at-once")
			  GET("/hello"));
	a = stage_hear(fd, "hello", 3000, NULL);
	assert_holds(a, "late");
	assert_holds(a, "at once");
	free(a);
	close(fd);
}

static void a_peer_that_leaves_a_deferred_request_does_no_harm(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		int fd = stage_dial();

		stage_say(fd, GET("/late"));
		usleep(3000);
		close(fd);
	}
	usleep(100000);
	stage_expect(GET("/hello"), "hello", "hello");
}

static void a_stream_parks_and_is_woken(void **state)
{
	int fd = stage_dial();
	char *a;

	(void)state;
	stage_say(fd, GET("/feed"));
	a = stage_hear(fd, "\r\n\r\n", 3000, NULL);
	assert_holds(a, "Transfer-Encoding: chunked");
	free(a);
	for (int i = 1; i <= 50; i++) {
		char want[32];

		snprintf(want, sizeof(want), "tick %d\n", i);
		stage_tick(false);
		a = stage_hear(fd, want, 3000, NULL);
		assert_holds(a, want);
		free(a);
	}
	stage_tick(true);
	a = stage_hear(fd, "0\r\n\r\n", 3000, NULL);
	assert_holds(a, "tick 51\n");
	assert_holds(a, "\r\n0\r\n\r\n");
	free(a);
	stage_say(fd, GET("/hello"));
	a = stage_hear(fd, "hello", 3000, NULL);
	assert_holds(a, "hello");
	free(a);
	close(fd);
	assert_int_equal(atomic_load(&stage.freed), 1);
}

static void a_gathered_stream_is_one_answer(void **state)
{
	int fd = stage_dial();
	char *a;

	(void)state;
	stage_say(fd, GET("/gathered"));
	for (int i = 0; i < 20; i++) {
		usleep(2000);
		stage_tick(i == 19);
	}
	a = stage_hear(fd, "tick 20\n", 3000, NULL);
	assert_holds(a, "Content-Length: ");
	assert_holds(a, "X-Finish: 200, ");
	assert_null(strstr(a, "chunked"));
	assert_null(strstr(a, "-1 bytes"));
	free(a);
	/* and the connection is as good as before; what is known late is told late */
	stage_say(fd, GET("/hello"));
	a = stage_hear(fd, "hello", 3000, NULL);
	assert_holds(a, "X-Finish: 200, 5 bytes, text/plain");
	free(a);
	stage_say(fd, GET("/export"));
	a = stage_hear(fd, "\r\n\r\n", 3000, NULL);
	assert_holds(a, "X-Finish: 200, -1 bytes, ");
	free(a);
	close(fd);
	/* a peer that leaves while it waits is let go */
	stage.last = false;
	fd = stage_dial();
	stage_say(fd, GET("/gathered"));
	usleep(20000);
	close(fd);
	for (int i = 0; i < 300 && atomic_load(&stage.freed) < 3; i++)
		usleep(10000);
	assert_int_equal(atomic_load(&stage.freed), 3);
}

static void *tick_often(void *ctx)
{
	(void)ctx;
	for (int i = 0; i < 500; i++) {
		stage_tick(false);
		if (i % 4 == 0)
			usleep(1000);
	}
	stage_tick(true);
	return NULL;
}

static void two_hundred_streams_lose_no_wake_up(void **state)
{
	enum { N = 200 };
	pthread_t waker;
	int fd[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		fd[i] = stage_dial();
		stage_say(fd[i], GET("/feed"));
	}
	for (int i = 0; i < N; i++)
		free(stage_hear(fd[i], "\r\n\r\n", 5000, NULL));
	assert_int_equal(pthread_create(&waker, NULL, tick_often, NULL), 0);
	/* requests are served among them, and peers that leave do no harm */
	for (int i = 0; i < 50; i++) {
		int gone = stage_dial();

		stage_expect(GET("/hello"), "hello", "hello");
		stage_say(gone, GET("/feed"));
		close(gone);
	}
	pthread_join(waker, NULL);
	for (int i = 0; i < N; i++) {
		char *a = stage_hear(fd[i], "\r\n0\r\n\r\n", 10000, NULL);

		assert_holds(a, "tick 1\n");
		assert_holds(a, "tick 501\n");
		assert_int_equal(stage_times(a, "tick "), 501);
		free(a);
		close(fd[i]);
	}
}

static void a_parked_stream_whose_peer_left_is_freed(void **state)
{
	int fd[20];

	(void)state;
	for (int i = 0; i < 20; i++) {
		fd[i] = stage_dial();
		stage_say(fd[i], GET("/feed"));
		free(stage_hear(fd[i], "\r\n\r\n", 3000, NULL));
	}
	for (int i = 0; i < 20; i++)
		close(fd[i]);
	for (int i = 0; i < 100 && atomic_load(&stage.freed) < 20; i++)
		usleep(20000);
	assert_int_equal(atomic_load(&stage.freed), 20);
	assert_null(stage.feeds);
}

static void a_long_stream_arrives_whole(void **state)
{
	char *a = stage_ask(GET("/export"), "0\r\n\r\n");

	(void)state;
	assert_int_equal(stage_times(a, "0000042\n"), 1000);
	assert_true(stage_times(a, "0000001\n") >= 990); /* a chunk's border may cut lines */
	free(a);
	/* HTTP/1.0: no chunks, the end is the end of the connection */
	a = stage_ask("GET /export HTTP/1.0\r\n\r\n", NULL);
	assert_int_equal(strlen(strstr(a, "\r\n\r\n") + 4), 800000);
	free(a);
}

static void an_aborted_stream_has_no_end(void **state)
{
	int fd = stage_dial();
	bool closed;
	char *a;

	(void)state;
	stage_say(fd, GET("/abort"));
	a = stage_hear(fd, NULL, 3000, &closed);
	assert_true(closed);
	assert_holds(a, "0000002\n");
	assert_null(strstr(a, "\r\n0\r\n\r\n"));
	free(a);
	close(fd);
	assert_int_equal(atomic_load(&stage.freed), 1);
}

/* --- the end ---------------------------------------------------------------------------------------- */

static void stop_cuts_open_streams_and_waits_for_open_requests(void **state)
{
	int feed_fd = stage_dial(), late_fd = stage_dial(), idle_fd = stage_dial();
	bool closed;
	char *a;

	(void)state;
	stage_say(feed_fd, GET("/feed"));
	free(stage_hear(feed_fd, "\r\n\r\n", 3000, NULL));
	stage_say(idle_fd, GET("/hello"));
	free(stage_hear(idle_fd, "hello", 3000, NULL));
	stage_say(late_fd, GET("/late"));
	usleep(5000);
	bus_http_stop(&stage.http, 3000);
	a = stage_hear(late_fd, NULL, 3000, &closed);
	assert_holds(a, "late");
	free(a);
	a = stage_hear(feed_fd, NULL, 3000, &closed);
	assert_true(closed);
	assert_null(strstr(a, "0\r\n\r\n"));
	free(a);
	free(stage_hear(idle_fd, NULL, 3000, &closed));
	assert_true(closed);
	close(feed_fd);
	close(late_fd);
	close(idle_fd);
	assert_int_equal(atomic_load(&stage.freed), 1);
}

static void stop_answers_what_nobody_answers(void **state)
{
	int fd = stage_dial();
	char *a;

	(void)state;
	stage_say(fd, GET("/hold"));
	for (int i = 0; i < 100 && !atomic_load(&stage.held); i++)
		usleep(10000);
	bus_http_stop(&stage.http, 50);
	a = stage_hear(fd, NULL, 3000, NULL);
	assert_holds(a, "HTTP/1.1 503 ");
	free(a);
	close(fd);
	stage_reply(bus_http_ticket_request(stage.held), 200, "too late");
	bus_http_ticket_done(stage.held);
	stage.held = NULL;
}

static void *stop(void *ctx)
{
	bus_http_stop(ctx, 5000);
	return NULL;
}

/* Nobody's connection is taken while those before are still being answered. */
static void stop_refuses_new_connections_at_once(void **state)
{
	int port = bus_http_port(stage.http), held_fd = stage_dial(), fd = 0;
	pthread_t t;
	char *said;

	(void)state;
	stage_say(held_fd, GET("/hold"));
	while (!atomic_load(&stage.held))
		usleep(1000);
	assert_int_equal(pthread_create(&t, NULL, stop, &stage.http), 0);
	for (int i = 0; i < 2000 && fd >= 0; i++) {
		fd = stage_try(port);
		if (fd >= 0)
			close(fd);
		usleep(1000);
	}
	assert_int_equal(fd, -ECONNREFUSED);
	stage_reply(bus_http_ticket_request(stage.held), 200, "in time");
	bus_http_ticket_done(stage.held);
	stage.held = NULL;
	said = stage_hear(held_fd, "in time", 3000, NULL);
	assert_holds(said, "HTTP/1.1 200 ");
	free(said);
	assert_int_equal(pthread_join(t, NULL), 0);
	close(held_fd);
}

static atomic_int coming; /* the port; 0: no more */

static void *come_and_go(void *ctx)
{
	const char *ask = GET("/hello");
	int port;

	(void)ctx;
	while ((port = atomic_load(&coming)) != 0) {
		int fd = stage_try(port);
		char junk[4096];

		while (fd >= 0 && send(fd, ask, strlen(ask), MSG_NOSIGNAL) > 0 &&
		       recv(fd, junk, sizeof(junk), 0) > 0)
			;
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* Who comes or goes wakes the threads that stop is about to end. */
static void stops_thirty_times_while_peers_come_and_go(void **state)
{
	pthread_t t[4];

	atomic_store(&coming, bus_http_port(stage.http));
	for (size_t i = 0; i < BUS_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, come_and_go, NULL), 0);
	for (int i = 0; i < 30; i++) {
		usleep(2000);
		bus_http_stop(&stage.http, 3000);
		assert_int_equal(stage_start(state), 0);
		atomic_store(&coming, bus_http_port(stage.http));
	}
	atomic_store(&coming, 0);
	for (size_t i = 0; i < BUS_LEN(t); i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_deferred_answer_comes_from_another_thread),
		TEST(a_peer_that_leaves_a_deferred_request_does_no_harm),
		TEST(a_stream_parks_and_is_woken),
		TEST(a_gathered_stream_is_one_answer),
		TEST(two_hundred_streams_lose_no_wake_up),
		TEST(a_parked_stream_whose_peer_left_is_freed),
		TEST(a_long_stream_arrives_whole),
		TEST(an_aborted_stream_has_no_end),
		TEST(stop_cuts_open_streams_and_waits_for_open_requests),
		TEST(stop_answers_what_nobody_answers),
		TEST(stop_refuses_new_connections_at_once),
		TEST(stops_thirty_times_while_peers_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
