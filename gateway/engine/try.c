#include "gateway/engine/try.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/mem.h"

#define BESIDE_MS 20000 /* for all but the comparison */
#define LOOK_MS 100	/* between two looks at `stop` */
#define REPORT_MAX ((size_t)4 * 1024 * 1024)

extern char **environ;

struct child {
	pid_t pid;
	int in, out; /* our ends; -1: closed */
	struct bus_buf question, answer;
	size_t written;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static enum bus_err start(struct child *c, const char *program, struct bus_error *err)
{
	static char name[] = "titian-gateway", word[] = "try";
	char *const argv[] = { name, word, NULL };
	posix_spawn_file_actions_t actions;
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, rc;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
		rc = errno;
	} else {
		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
		posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
		rc = posix_spawn(&c->pid, program, &actions, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	close_fd(&in[0]);
	close_fd(&out[1]);
	c->in = in[1];
	c->out = out[0];
	if (rc != 0) {
		errno = rc;
		return bus_fail(err, BUS_EIO, "cannot start the process that tries definitions: %m");
	}
	fcntl(c->in, F_SETFL, O_NONBLOCK);
	return BUS_OK;
}

/* Lines of progress go, the report stays. */
static void take_progress(struct child *c, _Atomic int *permille)
{
	char *end;

	while (c->answer.n > 2 && c->answer.p[0] == 'P' && (end = memchr(c->answer.p, '\n', c->answer.n))) {
		if (permille)
			atomic_store(permille, atoi(c->answer.p + 2));
		c->answer.n -= (size_t)(end + 1 - c->answer.p);
		memmove(c->answer.p, end + 1, c->answer.n);
	}
}

/* Writes what is left, reads what there is. False: it has said all. */
static bool exchange(struct child *c)
{
	struct pollfd p[2] = { { .fd = c->out, .events = POLLIN }, { .fd = c->in, .events = POLLOUT } };
	ssize_t n;

	if (poll(p, c->in >= 0 ? 2 : 1, LOOK_MS) <= 0)
		return true;
	if (c->in >= 0 && p[1].revents) {
		n = write(c->in, c->question.p + c->written, c->question.n - c->written);
		if (n > 0)
			c->written += (size_t)n;
		if (c->written == c->question.n || (n < 0 && errno != EAGAIN && errno != EINTR))
			close_fd(&c->in);
	}
	if (!p[0].revents)
		return true;
	bus_buf_reserve(&c->answer, 65536);
	n = read(c->out, c->answer.p + c->answer.n, 65536);
	if (n > 0)
		c->answer.n += (size_t)n;
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static enum bus_err talk(struct child *c, const struct gw_try *t, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + t->ms + BESIDE_MS;

	while (exchange(c)) {
		take_progress(c, t->permille);
		if (t->stop && atomic_load(t->stop))
			return bus_fail(err, BUS_ESTOPPED, "stopping");
		if (bus_clock_mono_ms() > until)
			return bus_fail(err, BUS_ETIMEOUT, "checking the definition took too long");
		if (c->answer.n > REPORT_MAX)
			return bus_fail(err, BUS_ETOOBIG, "the report is too long");
	}
	take_progress(c, t->permille);
	return BUS_OK;
}

static enum bus_err read_report(struct child *c, struct bus_buf *report, bool *good, struct bus_error *err)
{
	if (c->answer.n < 4 || (c->answer.p[0] != 'G' && c->answer.p[0] != 'F'))
		return bus_fail(err, BUS_ETOOBIG, "checking the definition took more memory than it may");
	*good = c->answer.p[0] == 'G';
	bus_buf_put(report, c->answer.p + 2, c->answer.n - 3); /* without its mark and its line's end */
	return BUS_OK;
}

enum bus_err gw_try_run(struct gw_engine *e, const struct gw_try *t, struct bus_buf *report, bool *good,
			struct bus_error *err)
{
	struct child c = { .pid = -1, .in = -1, .out = -1 };
	enum bus_err rc;

	*good = false;
	gw_try_question(e, t, &c.question);
	rc = start(&c, t->program ? t->program : "/proc/self/exe", err);
	if (rc == BUS_OK)
		rc = talk(&c, t, err);
	close_fd(&c.in);
	close_fd(&c.out);
	if (c.pid > 0) {
		if (rc != BUS_OK)
			kill(c.pid, SIGKILL);
		while (waitpid(c.pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (rc == BUS_OK)
		rc = read_report(&c, report, good, err);
	bus_buf_release(&c.question);
	bus_buf_release(&c.answer);
	return rc;
}
