/* titian view: definitions of views checked, explained, compared, applied, tested, verified, dropped. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bus/json_out.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/progress.h"
#include "deploy/ctl/view.h"

#define TEXT_MAX ((size_t)256 * 1024) /* as the gateway takes */
#define MS_MAX 600000
#define LOOK_MS 200
#define SCHEMAS_DEFAULT "schemas/avsc"

enum { GATEWAY, KEY_FILE, CLIENT, JSON, MS, LOCAL, SCHEMAS };

#define OPTION_JSON                                                                                          \
	{                                                                                                    \
		"--json", NULL, NULL, "what the gateway found, as JSON",                                     \
		    "yang ditemukan gateway, sebagai JSON"                                                   \
	}
#define OPTION_MS                                                                                            \
	{                                                                                                    \
		"--ms", "N", NULL, "time for comparing with the running one (30000; 0: not compared)",       \
		    "waktu untuk membandingkan dengan yang berjalan (30000; 0: tidak)"                       \
	}
#define OPTION_YES                                                                                           \
	{                                                                                                    \
		"--yes", NULL, NULL, "do it; without it only what would be done is told",                    \
		    "lakukan; tanpanya hanya dikatakan apa yang akan terjadi"                                \
	}

static const struct ctl_option check_option[] = {
	[GATEWAY] = CTL_OPTION_GATEWAY,
	[KEY_FILE] = CTL_OPTION_KEY_FILE,
	[CLIENT] = CTL_OPTION_GATEWAY_CLIENT,
	[JSON] = OPTION_JSON,
	[MS] = OPTION_MS,
	[LOCAL] = { "--local", NULL, NULL, "without a gateway: against the catalogue's schemas",
		    "tanpa gateway: terhadap skema katalog" },
	[SCHEMAS] = { "--schemas", "DIR", NULL, "the catalogue's folder for --local (schemas/avsc)",
		      "folder katalog bagi --local (schemas/avsc)" },
	{ 0 },
};

enum { YES = MS };

static const struct ctl_option change_option[] = {
	[GATEWAY] = CTL_OPTION_GATEWAY,
	[KEY_FILE] = CTL_OPTION_KEY_FILE,
	[CLIENT] = CTL_OPTION_GATEWAY_CLIENT,
	[JSON] = OPTION_JSON,
	[YES] = OPTION_YES,
	{ 0 },
};

static const struct ctl_option verify_option[] = {
	[GATEWAY] = CTL_OPTION_GATEWAY,
	[KEY_FILE] = CTL_OPTION_KEY_FILE,
	[CLIENT] = CTL_OPTION_GATEWAY_CLIENT,
	[JSON] = OPTION_JSON,
	{ 0 },
};

enum { TEST_SCHEMAS, TEST_FILE };

static const struct ctl_option test_option[] = {
	[TEST_SCHEMAS] = { "--schemas", "DIR", NULL, "the catalogue's folder (schemas/avsc)",
			   "folder katalog (schemas/avsc)" },
	[TEST_FILE] = { "--test", "FILE", NULL, "the tests (tests/<view>.yaml beside the definition)",
			"ujinya (tests/<tayangan>.yaml di samping definisi)" },
	{ 0 },
};

enum show { PROBLEMS, EXPLAIN, DIFF };

struct work {
	const struct ctl_args *args;
	struct ctl_gateway *g; /* NULL: --local */
	struct bus_arena *arena;
	struct bus_buf text, report;
	long ms;
};

static enum ctl_exit read_file(const char *path, struct bus_buf *out)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

	bus_buf_reset(out);
	if (!f) {
		ctl_complain("%s: %s", path, ctl_say("cannot be opened", "tidak dapat dibuka"));
		return CTL_NOT_FOUND;
	}
	bus_buf_reserve(out, TEXT_MAX + 1);
	out->n = fread(out->p, 1, TEXT_MAX + 1, f);
	if (f != stdin)
		fclose(f);
	if (out->n <= TEXT_MAX)
		return CTL_OK;
	ctl_complain(ctl_say("%s: longer than %zu bytes", "%s: lebih dari %zu byte"), path, TEXT_MAX);
	return CTL_FAILED;
}

static bool is_view_name(const char *s)
{
	return s[0] && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

/* A file's text; or, of a name that is no file, the definition that runs. */
static enum ctl_exit take_text(struct work *w, const char *operand)
{
	const struct bus_json *json;
	struct bus_str text;
	enum ctl_exit rc;
	char *path;

	if (!w->g || !is_view_name(operand) || access(operand, R_OK) == 0)
		return read_file(operand, &w->text);
	path = bus_xasprintf("/v1/views/%s/definition", operand);
	rc = ctl_gateway_ask(w->g, "GET", path, (struct bus_str){ 0 }, false, &json, &text);
	free(path);
	bus_buf_reset(&w->text);
	if (rc == CTL_OK)
		bus_buf_put(&w->text, text.p, text.n);
	return rc;
}

static enum ctl_exit ask_local(struct work *w, const char *file, const struct bus_json **report)
{
	const char *const schemas = w->args->option[SCHEMAS] ? w->args->option[SCHEMAS] : SCHEMAS_DEFAULT;
	const char *const argv[] = { "--schemas", schemas, file, NULL };
	struct bus_json *tree = NULL;
	enum ctl_exit rc;

	bus_buf_reset(&w->report);
	bus_arena_reset(w->arena);
	rc = ctl_local_gateway("check", argv, &w->report);
	if (rc != CTL_OK && rc != CTL_FAILED)
		return rc;
	if (bus_json_parse(bus_buf_str(&w->report), NULL, w->arena, &tree, NULL) != BUS_OK)
		return CTL_FAILED;
	*report = tree;
	return CTL_OK;
}

static enum ctl_exit ask(struct work *w, const char *file, const struct bus_json **report)
{
	const struct bus_json *begun;
	char path[64];
	enum ctl_exit rc;

	*report = NULL;
	if (!w->g)
		return ask_local(w, file, report);
	snprintf(path, sizeof(path), "/v1/views/check?ms=%ld", w->ms);
	rc = ctl_gateway_ask(w->g, "POST", path, bus_buf_str(&w->text), true, &begun, NULL);
	return rc == CTL_OK ? ctl_gateway_wait(w->g, begun, ctl_say("checking", "memeriksa"), report) : rc;
}

static void print_json(const struct bus_json *v)
{
	struct bus_buf text = { 0 };
	struct bus_json_out j = { .buf = &text };

	bus_json_put_tree(&j, v);
	puts(bus_buf_cstr(&text));
	bus_buf_release(&text);
}

static void show(const struct work *w, const char *file, const struct bus_json *report, enum show what)
{
	const struct bus_json *view = bus_json_get(report, "view");

	if (w->args->option[JSON]) {
		print_json(report);
		return;
	}
	ctl_report_problems(report, file);
	if (what == EXPLAIN && bus_json_get(report, "inputs"))
		ctl_report_explain(report);
	if (what == DIFF || (what == PROBLEMS && ctl_report_good(report)))
		ctl_report_diff(report);
	if (what == PROBLEMS && ctl_report_good(report))
		printf("%s: %s (%.*s)\n", file, ctl_say("good", "baik"), view ? (int)view->text.n : 0,
		       view ? view->text.p : "");
}

static enum ctl_exit begin(struct work *w, const struct ctl_args *args, bool local)
{
	*w = (struct work){ .args = args };
	w->arena = bus_arena_new(0); /* of a report, which is bounded */
	return local ? CTL_OK
		     : ctl_gateway_open(args->option[GATEWAY],
					args->option[CLIENT] ? NULL : args->option[KEY_FILE],
					args->option[CLIENT], &w->g);
}

static void end(struct work *w)
{
	ctl_gateway_close(&w->g);
	bus_arena_free(&w->arena);
	bus_buf_release(&w->text);
	bus_buf_release(&w->report);
}

static enum ctl_exit look(const struct ctl_args *args, enum show what)
{
	const struct bus_json *report;
	enum ctl_exit worst = CTL_OK, rc;
	struct work w;

	rc = begin(&w, args, args->option[LOCAL] != NULL);
	if (rc == CTL_OK &&
	    !ctl_number("--ms", args->option[MS], 0, MS_MAX, what == EXPLAIN ? 0 : 30000, &w.ms))
		rc = CTL_USAGE;
	for (size_t i = 0; i < args->n_rest && rc == CTL_OK; i++) {
		rc = take_text(&w, args->rest[i]);
		if (rc == CTL_OK)
			rc = ask(&w, args->rest[i], &report);
		if (rc != CTL_OK)
			break;
		show(&w, args->rest[i], report, what);
		if (!ctl_report_good(report))
			worst = CTL_FAILED;
	}
	end(&w);
	return rc != CTL_OK ? rc : worst;
}

static enum ctl_exit check(const struct ctl_args *args)
{
	return look(args, PROBLEMS);
}

static enum ctl_exit explain(const struct ctl_args *args)
{
	return look(args, EXPLAIN);
}

static enum ctl_exit diff(const struct ctl_args *args)
{
	return look(args, DIFF);
}

/* --- changes -------------------------------------------------------------------------------------------- */

/* Until the gateway runs it, or says why it does not. */
static enum ctl_exit wait_state(struct work *w, const char *view)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	char *path = bus_xasprintf("/v1/views/%s/state", view);
	const struct bus_json *state, *percent, *fault;
	struct ctl_progress progress;
	enum ctl_exit rc;
	int64_t at;

	ctl_progress_begin(&progress, ctl_say("building", "membangun"), "%", 0);
	for (;;) {
		rc = ctl_gateway_ask(w->g, "GET", path, (struct bus_str){ 0 }, false, &state, NULL);
		if (rc != CTL_OK || ctl_json_is(state, "state", "running") ||
		    ctl_json_is(state, "state", "refused") || ctl_json_is(state, "state", "failed"))
			break;
		percent = bus_json_get(state, "percent");
		if (percent && bus_json_int(percent, &at) == BUS_OK)
			ctl_progress_at(&progress, at, 100);
		nanosleep(&pause, NULL);
	}
	ctl_progress_end(&progress, 100);
	free(path);
	if (rc != CTL_OK)
		return rc;
	if (ctl_json_is(state, "state", "running")) {
		printf("%s: %s\n", view, ctl_say("running", "berjalan"));
		return CTL_OK;
	}
	fault = bus_json_get(state, "fault");
	ctl_complain("%s: %.*s", view, fault ? (int)fault->text.n : 0, fault ? fault->text.p : "");
	return CTL_FAILED;
}

static enum ctl_exit apply_one(struct work *w, const char *file)
{
	const struct bus_json *report, *view, *answer;
	enum ctl_exit rc;
	char *name, *path;
	bool good;

	rc = take_text(w, file);
	if (rc == CTL_OK)
		rc = ask(w, file, &report);
	if (rc != CTL_OK)
		return rc;
	show(w, file, report, PROBLEMS);
	good = ctl_report_good(report);
	view = bus_json_get(report, "view");
	name = view && view->type == BUS_JSON_STRING ? bus_xstrndup(view->text.p, view->text.n) : NULL;
	if (!good || !name) {
		free(name);
		return CTL_FAILED;
	}
	if (!w->args->option[YES]) {
		fprintf(stderr, "%s\n",
			ctl_say("this was a dry run: --yes applies it",
				"ini baru percobaan: --yes memberlakukannya"));
		free(name);
		return CTL_OK;
	}
	path = bus_xasprintf("/v1/views/%s?apply=true", name);
	rc = ctl_gateway_ask(w->g, "PUT", path, bus_buf_str(&w->text), false, &answer, NULL);
	free(path);
	if (rc == CTL_OK)
		rc = wait_state(w, name);
	free(name);
	return rc;
}

static enum ctl_exit apply(const struct ctl_args *args)
{
	struct work w;
	enum ctl_exit rc = begin(&w, args, false);

	w.ms = 30000;
	for (size_t i = 0; i < args->n_rest && rc == CTL_OK; i++)
		rc = apply_one(&w, args->rest[i]);
	end(&w);
	return rc;
}

static enum ctl_exit drop_one(struct work *w, const char *view)
{
	bool yes = w->args->option[YES] != NULL;
	const struct bus_json *answer;
	enum ctl_exit rc;
	char *path;

	if (!is_view_name(view)) {
		ctl_complain(ctl_say("'%s' is no name of a view", "'%s' bukan nama tayangan"), view);
		return CTL_USAGE;
	}
	path = bus_xasprintf("/v1/views/%s%s", view, yes ? "?apply=true" : "");
	rc = ctl_gateway_ask(w->g, "DELETE", path, (struct bus_str){ 0 }, false, &answer, NULL);
	free(path);
	if (rc != CTL_OK)
		return rc;
	if (w->args->option[JSON] && answer)
		print_json(answer);
	else
		printf("%s: %s\n", view,
		       ctl_json_is(answer, "outcome", "reverted")
			   ? ctl_say("goes back to the definition of the gateway's file",
				     "kembali ke definisi berkas gateway")
		       : yes
			   ? ctl_say("dropped", "dihapus")
			   : ctl_say("would be dropped: --yes does it", "akan dihapus: --yes melakukannya"));
	return CTL_OK;
}

static enum ctl_exit drop(const struct ctl_args *args)
{
	struct work w;
	enum ctl_exit rc = begin(&w, args, false);

	for (size_t i = 0; i < args->n_rest && rc == CTL_OK; i++)
		rc = drop_one(&w, args->rest[i]);
	end(&w);
	return rc;
}

/* --- verify, test --------------------------------------------------------------------------------------- */

static enum ctl_exit verify_one(struct work *w, const char *view)
{
	const struct bus_json *begun, *verdict;
	enum ctl_exit rc;
	char *path;

	if (!is_view_name(view)) {
		ctl_complain(ctl_say("'%s' is no name of a view", "'%s' bukan nama tayangan"), view);
		return CTL_USAGE;
	}
	path = bus_xasprintf("/v1/views/%s/verify", view);
	rc = ctl_gateway_ask(w->g, "POST", path, (struct bus_str){ "", 0 }, false, &begun, NULL);
	free(path);
	if (rc == CTL_OK)
		rc = ctl_gateway_wait(w->g, begun, ctl_say("verifying", "memverifikasi"), &verdict);
	if (rc != CTL_OK)
		return rc;
	if (w->args->option[JSON])
		print_json(verdict);
	else
		ctl_report_verdict(verdict);
	return ctl_report_good(verdict) ? CTL_OK : CTL_FAILED;
}

static enum ctl_exit verify(const struct ctl_args *args)
{
	enum ctl_exit rc, worst = CTL_OK;
	struct work w;

	rc = begin(&w, args, false);
	for (size_t i = 0; i < args->n_rest && rc == CTL_OK; i++) {
		rc = verify_one(&w, args->rest[i]);
		if (rc == CTL_FAILED) {
			worst = rc;
			rc = CTL_OK;
		}
	}
	end(&w);
	return rc != CTL_OK ? rc : worst;
}

static enum ctl_exit test(const struct ctl_args *args)
{
	const char **argv = bus_xcalloc(args->n_rest + 5, sizeof(*argv));
	enum ctl_exit rc;
	size_t n = 0;

	argv[n++] = "--schemas";
	argv[n++] = args->option[TEST_SCHEMAS] ? args->option[TEST_SCHEMAS] : SCHEMAS_DEFAULT;
	if (args->option[TEST_FILE]) {
		argv[n++] = "--test";
		argv[n++] = args->option[TEST_FILE];
	}
	for (size_t i = 0; i < args->n_rest; i++)
		argv[n++] = args->rest[i];
	rc = ctl_local_gateway("test", argv, NULL);
	free(argv);
	return rc;
}

#define COMMAND(name, v, what, least_n, options, english, indonesian, sample)                                \
	const struct ctl_command name = {                                                                    \
		.noun = "view",                                                                              \
		.verb = #v,                                                                                  \
		.operands = what,                                                                            \
		.least = least_n,                                                                            \
		.most = 1000,                                                                                \
		.option = options,                                                                           \
		.en = english,                                                                               \
		.id = indonesian,                                                                            \
		.example = sample,                                                                           \
		.run = v,                                                                                    \
	}

COMMAND(ctl_view_check, check, "FILE...", 1, check_option,
	"what speaks against a definition, and what it would change",
	"apa yang salah pada sebuah definisi, dan apa yang akan berubah", "titian view check kematian.sql");
COMMAND(ctl_view_explain, explain, "FILE|VIEW...", 1, check_option,
	"in words: what it reads, where columns come from, how keys are found, how it is kept",
	"dalam kata: yang dibaca, asal kolom, cara kunci ditemukan, cara dipelihara",
	"titian view explain penduduk");
COMMAND(ctl_view_diff, diff, "FILE...", 1, check_option,
	"rows added, changed and removed beside the running version",
	"baris yang bertambah, berubah dan hilang dibanding yang berjalan", "titian view diff kematian.sql");
COMMAND(ctl_view_apply, apply, "FILE...", 1, change_option,
	"define or change a view while the gateway runs; a dry run without --yes",
	"menetapkan atau mengubah tayangan selagi gateway berjalan; percobaan bila tanpa --yes",
	"titian view apply kematian.sql --yes");
COMMAND(ctl_view_drop, drop, "VIEW...", 1, change_option,
	"drop a view that was applied; a dry run without --yes",
	"menghapus tayangan yang diberlakukan; percobaan bila tanpa --yes",
	"titian view drop kematian --yes");
COMMAND(ctl_view_verify, verify, "VIEW...", 1, verify_option,
	"compute a whole view afresh and compare it with what is stored",
	"menghitung ulang seluruh tayangan dan membandingkannya dengan yang tersimpan",
	"titian view verify penduduk");
COMMAND(ctl_view_test, test, "FILE...", 1, test_option,
	"run tests/<view>.yaml of definitions on this machine",
	"menjalankan tests/<tayangan>.yaml di mesin ini", "titian view test gateway/views/*.sql");
