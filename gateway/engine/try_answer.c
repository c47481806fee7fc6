/* The process that tries a definition: reads the question, writes lines of progress and the report. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bus/log.h"
#include "gateway/define/review.h"
#include "gateway/engine/try.h"
#include "gateway/engine/try_diff.h"
#include "gateway/engine/world.h"

#define QUESTION_MAX ((size_t)64 * 1024 * 1024)
#define TRIAL_MS 3000
#define COUNT_MS 3000 /* for the numbers of rows of the tables it reads */
#define VIEWS_MAX 4096

struct answer {
	struct bus_arena *arena;
	const struct bus_json *question;
	struct gw_def **def; /* of the views that run */
	size_t n_defs;
	const struct gw_world *world;
	void (*line)(void *ctx, const struct bus_buf *line);
	void *ctx;
	int64_t expected; /* rows of the comparison */
};

static const char *text_of(struct answer *a, const struct bus_json *object, const char *name)
{
	const struct bus_json *v = bus_json_get(object, name);

	return v && v->type == BUS_JSON_STRING ? bus_arena_dup(a->arena, v->text.p, v->text.n) : NULL;
}

static struct bus_str str_of(const struct bus_json *object, const char *name)
{
	const struct bus_json *v = bus_json_get(object, name);

	return v && v->type == BUS_JSON_STRING ? v->text : (struct bus_str){ "", 0 };
}

static int64_t int_of(const struct bus_json *object, const char *name)
{
	const struct bus_json *v = bus_json_get(object, name);
	int64_t n = 0;

	return v && bus_json_int(v, &n) == BUS_OK ? n : 0;
}

/* --- the world ---------------------------------------------------------------------------------------- */

static void read_table(struct answer *a, const struct bus_json *t, struct gw_world_table *out)
{
	const struct bus_json *columns = bus_json_get(t, "columns");
	struct gw_world_column *c = bus_arena_zalloc(a->arena, (columns ? columns->n + 1 : 1) * sizeof(*c));
	size_t n = 0;

	for (const struct bus_json *x = columns ? columns->first : NULL; x; x = x->next)
		c[n++] = (struct gw_world_column){ text_of(a, x, "name"), (enum gw_type)int_of(x, "type"),
						   str_of(x, "pdp").n ? str_of(x, "pdp").p[0] : 'N' };
	*out = (struct gw_world_table){ .name = text_of(a, t, "name"),
					.topic = text_of(a, t, "topic"),
					.key = text_of(a, t, "key"),
					.twin = text_of(a, t, "twin"),
					.column = c,
					.n_columns = n };
}

static void read_world(struct answer *a)
{
	const struct bus_json *tables = bus_json_get(a->question, "tables"),
			      *views = bus_json_get(a->question, "views");
	size_t n = (tables ? tables->n : 0) + (views ? views->n : 0);
	struct gw_world_table *t = bus_arena_zalloc(a->arena, (n + 1) * sizeof(*t));
	struct gw_world *w = bus_arena_zalloc(a->arena, sizeof(*w));

	w->table = t;
	for (const struct bus_json *x = tables ? tables->first : NULL; x; x = x->next)
		read_table(a, x, &t[w->n++]);
	a->def = bus_arena_zalloc(a->arena, (n + 1) * sizeof(struct gw_def *));
	for (const struct bus_json *x = views ? views->first : NULL; x; x = x->next) {
		struct bus_str text = str_of(x, "text");

		if (gw_view_parse(text_of(a, x, "name"), text.p, text.n, &a->def[a->n_defs], NULL) == BUS_OK)
			a->n_defs++;
	}
	for (size_t i = 0; i < a->n_defs; i++) {
		if (a->def[i]->full)
			gw_world_add_view(&t[w->n++], a->def[i], a->arena);
	}
	a->world = w;
}

/* --- the city's rows ---------------------------------------------------------------------------------- */

static void tell(void *ctx, int64_t rows)
{
	struct answer *a = ctx;
	struct bus_buf line = { 0 };

	bus_buf_printf(&line, "P %d\n", (int)(rows >= a->expected ? 999 : rows * 1000 / a->expected));
	a->line(a->ctx, &line);
	bus_buf_release(&line);
}

static struct gw_def *running(struct answer *a, const char *name)
{
	for (size_t i = 0; i < a->n_defs; i++) {
		if (strcmp(a->def[i]->pub.name, name) == 0)
			return a->def[i];
	}
	return NULL;
}

/* The very text of a view that runs: taken before, or of a file. */
static bool runs_already(struct answer *a)
{
	struct bus_str text = str_of(a->question, "text");

	for (size_t i = 0; i < a->n_defs; i++) {
		if (bus_str_eq(a->def[i]->text, text))
			return true;
	}
	return false;
}

static int64_t count(struct gw_db *db, const char *table)
{
	int64_t n = -1;

	return gw_db_int(db, 0, &n, NULL, "SELECT count(*) FROM \"%s\"", table) == BUS_OK ? n : -1;
}

static void put_sizes(struct gw_db *db, const struct gw_def *d, struct bus_json_out *j)
{
	bus_json_key(j, "rows");
	bus_json_object(j);
	gw_db_deadline(db, COUNT_MS);
	for (size_t i = 0; i < d->n_reads; i++) {
		bus_json_key(j, d->read[i].table);
		bus_json_put_int(j, count(db, d->read[i].table));
	}
	gw_db_deadline(db, 0);
	bus_json_object_end(j);
}

static void put_diff(struct answer *a, struct gw_review *r, struct bus_json_out *j)
{
	const struct bus_json *reading = bus_json_get(a->question, "reading");
	struct gw_def *before = running(a, r->def->pub.name);
	const char *path = text_of(a, a->question, "db");
	struct bus_buf members = { 0 };
	struct bus_json_out m = { .buf = &members };
	struct gw_db *db = NULL;
	struct bus_error err = { 0 };
	char state[80];
	int64_t rows;
	enum bus_err rc;

	if (reading && reading->type == BUS_JSON_TRUE) {
		bus_json_text_member(
		    j, "diff_failed",
		    "the gateway has not read all its topics once; ask again when it is ready");
		return;
	}
	snprintf(state, sizeof(state), "_view_%s", r->def->pub.name);
	rc = path ? gw_db_open(path, GW_DB_READER, 8 * 1024 * 1024, &db, &err) : BUS_ENOENT;
	if (rc == BUS_OK)
		gw_db_narrow(db);
	if (rc == BUS_OK)
		rc = gw_db_exec(db, &err, "BEGIN");
	if (rc == BUS_OK) {
		put_sizes(db, r->def, j);
		rows = before ? count(db, state) : -1;
		a->expected = rows > 0 ? rows : 1000000;
		bus_json_object(&m);
		rc = gw_try_diff(db, r->def, before, (int)int_of(a->question, "ms"), tell, a, &m, &err);
		bus_json_object_end(&m);
	}
	if (rc == BUS_OK) {
		bus_json_key(j, "diff");
		bus_json_put_raw(j, bus_buf_str(&members));
	} else {
		bus_json_text_member(j, "diff_failed", rc == BUS_ETOOBIG ? "memory" : err.text);
	}
	if (db)
		gw_db_rollback(db);
	gw_db_close(&db);
	bus_buf_release(&members);
}

void gw_try_answer(struct bus_str question, void (*line)(void *ctx, const struct bus_buf *line), void *ctx)
{
	static const struct bus_json_limits limits = { .depth = 8, .text = GW_VIEW_TEXT_MAX + 1024 };
	struct answer a = { .line = line, .ctx = ctx, .expected = 1 };
	struct gw_review *r = bus_xcalloc(1, sizeof(*r));
	struct bus_json *root = NULL;
	struct bus_buf out = { 0 };
	struct bus_json_out j = { .buf = &out };
	struct bus_error err = { 0 };

	a.arena = bus_arena_new(0); /* of what the gateway itself wrote */
	if (bus_json_parse(question, &limits, a.arena, &root, &err) != BUS_OK) {
		bus_buf_printf(&out, "E %s\n", err.text);
		goto out;
	}
	a.question = root;
	read_world(&a);
	gw_review_run(r, text_of(&a, root, "file"), str_of(root, "text"), a.world, runs_already(&a),
		      TRIAL_MS);
	bus_buf_puts(&out, r->failed ? "F " : "G ");
	bus_json_object(&j);
	gw_review_put(r, &j);
	if (r->bound && int_of(root, "ms") > 0)
		put_diff(&a, r, &j);
	bus_json_object_end(&j);
	bus_buf_putc(&out, '\n');
	gw_review_release(r);
out:
	line(ctx, &out);
	bus_buf_release(&out);
	for (size_t i = 0; i < a.n_defs; i++)
		gw_view_free(&a.def[i]);
	bus_arena_free(&a.arena);
	free(r);
}

/* --- the process -------------------------------------------------------------------------------------- */

static void limit(int what, rlim_t value)
{
	struct rlimit l = { value, value };

	(void)setrlimit(what, &l);
}

static void write_line(void *ctx, const struct bus_buf *line)
{
	(void)ctx;
	fwrite(line->p, 1, line->n, stdout);
	fflush(stdout);
}

int gw_try_main(void)
{
	struct bus_buf question = { 0 };
	size_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGXFSZ, SIG_IGN); /* a file too long is an error of the statement */
	bus_log_setup(BUS_LOG_ERROR, false);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, GW_TRY_MS_MAX / 1000 + 30);
	limit(RLIMIT_FSIZE, (rlim_t)4 * 1024 * 1024 * 1024); /* what is sorted */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	limit(RLIMIT_AS, GW_TRY_SPACE); /* sanitizers map far more than they use */
#endif
	(void)!nice(10);
	gw_db_memory_limit(GW_TRY_HEAP);
	do {
		bus_buf_reserve(&question, 65536);
		n = fread(question.p + question.n, 1, 65536, stdin);
		question.n += n;
	} while (n > 0 && question.n < QUESTION_MAX);
	gw_try_answer(bus_buf_str(&question), write_line, NULL);
	bus_buf_release(&question);
	return 0;
}
