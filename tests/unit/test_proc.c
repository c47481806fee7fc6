#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/proc.h"

struct conf {
	int64_t workers;
};

static const struct bus_conf_option table[] = {
	{ "workers", BUS_CONF_INT, offsetof(struct conf, workers), "4", "How many." },
	{ 0 },
};

/* Runs fn in a child; returns its exit status, and what it wrote (stdout and stderr). */
static int run(void (*fn)(void *), void *arg, char *out, size_t n)
{
	int pipes[2];
	size_t used = 0;
	ssize_t k;
	pid_t pid;
	int status;

	assert_int_equal(pipe(pipes), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		fn(arg);
		fflush(NULL);
		_exit(77); /* came back */
	}
	close(pipes[1]);
	while (used < n - 1 && (k = read(pipes[0], out + used, n - 1 - used)) > 0)
		used += (size_t)k;
	out[used] = '\0';
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void parse(void *arg)
{
	char **argv = arg;
	struct conf c = { 0 };
	int argc = 0;

	while (argv[argc])
		argc++;
	bus_proc_options(argc, argv, "usage: x", table, &c);
	printf("workers %d\n", (int)c.workers);
}

#define RUN(out, ...) run(parse, (char *[]){ word[0], __VA_ARGS__, NULL }, out, sizeof(out))

static char word[12][24] = { "x",	"--set",  "workers=7", "workers=x", "--help",	   "--version",
			     "--check", "--dump", "--oops",    "stray",	    "--log-level", "loud" };

static void runs_with_the_options_given(void **state)
{
	char out[4096];

	(void)state;
	assert_int_equal(RUN(out, word[1], word[2]), 77);
	assert_string_equal(out, "workers 7\n");
}

static void exits_2_with_a_message_when_misused(void **state)
{
	char out[4096];

	(void)state;
	assert_int_equal(RUN(out, word[1], word[3]), 2);
	assert_non_null(strstr(out, "--set workers: 'x' is not a whole number\n"));
	assert_int_equal(RUN(out, word[8]), 2);
	assert_int_equal(RUN(out, word[9]), 2);
	assert_int_equal(RUN(out, word[10], word[11]), 2);
}

static void prints_what_was_asked_for_and_exits_0(void **state)
{
	char out[4096];

	(void)state;
	assert_int_equal(RUN(out, word[4]), 0);
	assert_non_null(strstr(out, "usage: x\n"));
	assert_non_null(strstr(out, "  workers  4         How many.\n"));
	assert_int_equal(RUN(out, word[5]), 0);
	assert_non_null(strstr(out, TITIAN_VERSION));
	assert_int_equal(RUN(out, word[6]), 0);
	assert_int_equal(RUN(out, word[7], word[1], word[2]), 0);
	assert_string_equal(out, "workers: 7\n");
}

static void be_told(void *arg)
{
	struct pollfd p;

	(void)arg;
	bus_proc_signals();
	p = (struct pollfd){ .fd = bus_proc_stop_fd(), .events = POLLIN };
	if (bus_proc_stopping() || poll(&p, 1, 0) != 0)
		_exit(1);
	raise(SIGPIPE);
	raise(SIGXFSZ);
	if (bus_proc_stopping())
		_exit(2);
	raise(SIGTERM);
	if (!bus_proc_stopping() || poll(&p, 1, 0) != 1)
		_exit(3);
	bus_proc_wait();
	_exit(0);
}

static void stops_when_told_and_only_then(void **state)
{
	char out[256];

	(void)state;
	assert_int_equal(run(be_told, NULL, out, sizeof(out)), 0);
}

static void get_ready(void *path)
{
	setenv("NOTIFY_SOCKET", path, 1);
	bus_proc_ready("test");
	_exit(0);
}

/* path as systemd writes it: '@' for the abstract name space. */
static void expect_notified(char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char out[1024];
	char got[64] = "";

	strcpy(at.sun_path, path);
	if (path[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
			 0);
	assert_int_equal(run(get_ready, path, out, sizeof(out)), 0);
	assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 7);
	assert_string_equal(got, "READY=1");
	assert_non_null(strstr(out, "id=test.ready"));
	close(fd);
}

static void tells_systemd_that_it_is_ready(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_proc.%d", (int)getpid());
	expect_notified(path);
	unlink(path);
	snprintf(path, sizeof(path), "@test_proc.%d", (int)getpid());
	expect_notified(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_with_the_options_given),
		cmocka_unit_test(exits_2_with_a_message_when_misused),
		cmocka_unit_test(prints_what_was_asked_for_and_exits_0),
		cmocka_unit_test(stops_when_told_and_only_then),
		cmocka_unit_test(tells_systemd_that_it_is_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
