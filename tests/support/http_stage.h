/* tests/support/http_stage.h - a server with one handler of each kind, and a client over a raw socket that does no more
 * than it is told. One stage a program; stage_start and stage_stop around each test.
 */
#ifndef TESTS_SUPPORT_HTTP_STAGE_H
#define TESTS_SUPPORT_HTTP_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "bus/http.h"

struct stage_feed;

struct stage {
	struct bus_http *http;
	pthread_mutex_t lock; /* feeds, ticks */
	struct stage_feed *feeds;
	int ticks;
	bool last;
	atomic_int freed;
	atomic_int answered;
	_Atomic(struct bus_http_ticket *) held;
};

extern struct stage stage;
extern const struct bus_http_route stage_routes[];

int stage_start(void **state);
int stage_stop(void **state);
void stage_reply(struct bus_http_request *req, int status, const char *text);
void stage_tick(bool last); /* told by GET /feed, "tick N\n" */

int stage_try(int port); /* a connection, or -errno */
int stage_dial(void);
void stage_say_n(int fd, const char *p, size_t n);
void stage_say(int fd, const char *text);
/* Reads until `until` appears, the peer closes, or ms pass. *closed may be NULL. The caller frees. */
char *stage_hear(int fd, const char *until, int ms, bool *closed);
char *stage_ask(const char *request, const char *until);
void stage_expect(const char *request, const char *until, const char *what);
int stage_times(const char *text, const char *what);

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define assert_holds(text, what)                                                                             \
	do {                                                                                                 \
		if (!strstr((text), (what)))                                                                 \
			fail_msg("no '%s' in: %.2000s", (what), (text));                                     \
	} while (0)
#define TEST(f) cmocka_unit_test_setup_teardown(f, stage_start, stage_stop)

#endif
