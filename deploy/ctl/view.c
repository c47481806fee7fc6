#include "deploy/ctl/view.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bus/client.h"
#include "deploy/ctl/progress.h"

#define ANSWER_ARENA ((size_t)64 * 1024 * 1024)
#define REPORT_MAX ((size_t)16 * 1024 * 1024)
#define LOOK_MS 150

extern char **environ;

struct ctl_gateway {
	char *base;
	struct bus_client *client;
	struct bus_buf answer;
	struct bus_arena *arena;
};

enum ctl_exit ctl_gateway_open(const char *url, const char *key_file, const char *client,
			       struct ctl_gateway **out)
{
	const struct bus_client_conf conf = { .token_file = key_file };
	struct ctl_gateway *g;
	struct bus_error err;
	enum bus_err rc;

	*out = NULL;
	if (!url || !url[0] || (!key_file && !client)) {
		ctl_complain(
		    "%s",
		    ctl_say("--gateway URL and --key-file FILE are needed (or TITIAN_URL, TITIAN_KEY_FILE)",
			    "perlu --gateway URL dan --key-file FILE (atau TITIAN_URL, TITIAN_KEY_FILE)"));
		return CTL_USAGE;
	}
	g = bus_xcalloc(1, sizeof(*g));
	rc = client ? bus_client_open_file(client, &g->client, &err)
		    : bus_client_open(&conf, &g->client, &err);
	if (rc != BUS_OK) {
		free(g);
		return ctl_fail(&err, false);
	}
	g->base = bus_xstrndup(url, strlen(url) - (url[strlen(url) - 1] == '/'));
	g->arena = bus_arena_new(ANSWER_ARENA);
	*out = g;
	return CTL_OK;
}

void ctl_gateway_close(struct ctl_gateway **g)
{
	if (!*g)
		return;
	bus_client_close(&(*g)->client);
	bus_buf_release(&(*g)->answer);
	bus_arena_free(&(*g)->arena);
	free((*g)->base);
	free(*g);
	*g = NULL;
}

/* A refusal, as the gateway says it. */
enum ctl_exit ctl_gateway_refused(int status, const struct bus_json *problem)
{
	static const char *const member[] = { "title", "detail", "hint" };
	struct bus_buf line = { 0 };

	for (size_t i = 0; i < BUS_LEN(member); i++) {
		char *text = ctl_json_copy(problem, member[i]);

		if (text && line.n > 0)
			bus_buf_puts(&line,
				     strcmp(member[i], "hint") ? "; " : ctl_say("; try: ", "; coba: "));
		if (text)
			ctl_put_line(&line, text);
		free(text);
	}
	if (line.n == 0)
		bus_buf_printf(&line, ctl_say("the gateway answers %d", "gateway menjawab %d"), status);
	ctl_complain("%s", bus_buf_cstr(&line));
	bus_buf_release(&line);
	return status == 401 || status == 403	? CTL_DENIED
	       : status == 404			? CTL_NOT_FOUND
	       : status == 429 || status == 503 ? CTL_UNREACHABLE
						: CTL_FAILED;
}

enum ctl_exit ctl_gateway_ask(struct ctl_gateway *g, const char *method, const char *path,
			      struct bus_str body, bool async, const struct bus_json **json,
			      struct bus_str *text)
{
	const char *const header[] = { ctl_indonesian() ? "Accept-Language: id" : "Accept-Language: en",
				       async ? "Prefer: respond-async" : NULL, NULL };
	char *url = bus_xasprintf("%s%s", g->base, path);
	const struct bus_client_call call = { .method = method,
					      .url = url,
					      .type = body.p ? "application/sql" : NULL,
					      .body = body,
					      .header = header,
					      .timeout_ms = 4 * CTL_TIMEOUT_MS };
	struct bus_json *tree = NULL;
	struct bus_error err;
	enum bus_err rc;
	int status = 0;

	*json = NULL;
	bus_buf_reset(&g->answer);
	bus_arena_reset(g->arena);
	rc = bus_client_call(g->client, &call, &status, &g->answer, &err);
	free(url);
	if (rc != BUS_OK)
		return ctl_fail(&err, true);
	if (bus_json_parse(bus_buf_str(&g->answer), NULL, g->arena, &tree, NULL) == BUS_OK &&
	    tree->type == BUS_JSON_OBJECT)
		*json = tree;
	if (text)
		*text = bus_buf_str(&g->answer);
	return status >= 200 && status < 300 ? CTL_OK : ctl_gateway_refused(status, *json);
}

enum ctl_exit ctl_gateway_wait(struct ctl_gateway *g, const struct bus_json *begun, const char *what,
			       const struct bus_json **result)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	const struct bus_json *id = begun ? bus_json_get(begun, "id") : NULL, *job, *fault;
	struct ctl_progress progress;
	enum ctl_exit rc;
	int64_t permille, rows;
	char path[80];

	*result = NULL;
	if (!id || id->text.n > 40 || strspn(id->text.p, "0123456789abcdef") < id->text.n) {
		ctl_complain("%s", ctl_say("what answers is no gateway", "yang menjawab bukan gateway"));
		return CTL_FAILED;
	}
	snprintf(path, sizeof(path), "/v1/checks/%.*s", (int)id->text.n, id->text.p);
	ctl_progress_begin(&progress, what, ctl_say("rows", "baris"), 0);
	for (;;) {
		rc = ctl_gateway_ask(g, "GET", path, (struct bus_str){ 0 }, false, &job, NULL);
		if (rc != CTL_OK)
			return rc;
		if (!job || ctl_json_is(job, "state", "done") || ctl_json_is(job, "state", "failed"))
			break;
		permille = ctl_json_int(job, "permille", 0);
		rows = ctl_json_int(job, "rows", 0);
		/* the number of rows where it is known, else only the share */
		ctl_progress_at(&progress, rows ? rows : permille,
				rows && permille ? rows * 1000 / permille : 1000);
		nanosleep(&look, NULL);
	}
	ctl_progress_end(&progress, job ? ctl_json_int(job, "rows", 0) : 0);
	if (job && ctl_json_is(job, "state", "done") && (*result = bus_json_get(job, "result")))
		return CTL_OK;
	fault = job ? bus_json_get(job, "fault") : NULL;
	if (fault && fault->type == BUS_JSON_STRING)
		ctl_complain("%.*s", (int)fault->text.n, fault->text.p);
	return CTL_FAILED;
}

/* --- the program beside this one ------------------------------------------------------------------------ */

static char *gateway_program(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *path;

	if (n > 0) {
		self[n] = '\0';
		path = bus_xasprintf("%s/titian-gateway", dirname(self));
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return bus_xstrdup("titian-gateway");
}

static bool take_output(int fd, struct bus_buf *out)
{
	ssize_t n;

	do {
		bus_buf_reserve(out, 65536);
		n = read(fd, out->p + out->n, 65536);
		if (n > 0)
			out->n += (size_t)n;
	} while ((n > 0 && out->n < REPORT_MAX) || (n < 0 && errno == EINTR));
	return n == 0;
}

enum ctl_exit ctl_local_gateway(const char *word, const char *const *argv, struct bus_buf *out)
{
	char *program = gateway_program();
	char *child[64] = { program, (char *)(uintptr_t) "view", (char *)(uintptr_t)word };
	posix_spawn_file_actions_t actions;
	int pipes[2] = { -1, -1 }, status = 0, rc;
	size_t n = 3;
	pid_t pid;

	for (; *argv && n + 1 < BUS_LEN(child); argv++)
		child[n++] = (char *)(uintptr_t)*argv;
	if (out && pipe2(pipes, O_CLOEXEC) != 0) {
		free(program);
		ctl_complain("%s", strerror(errno));
		return CTL_FAILED;
	}
	posix_spawn_file_actions_init(&actions);
	if (out)
		posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	fflush(stdout);
	rc = posix_spawnp(&pid, program, &actions, NULL, child, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (out)
		close(pipes[1]);
	if (rc == 0 && out)
		take_output(pipes[0], out);
	if (out)
		close(pipes[0]);
	if (rc != 0)
		ctl_complain("%s: %s", program, strerror(rc));
	while (rc == 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	free(program);
	return rc != 0 ? CTL_NOT_FOUND : WIFEXITED(status) ? (enum ctl_exit)WEXITSTATUS(status) : CTL_FAILED;
}
