#include "gateway/define/review.h"

#include <stdio.h>

#include "gateway/define/lower.h"
#include "gateway/define/route_find.h"
#include "gateway/define/sandbox.h"

#define BIND_MS 3000

/* Text with {1}, {2}, {3} filled in. */
static const char *fill(struct gw_review *c, const char *text, const char *const value[3])
{
	struct bus_buf b = { 0 };
	char *out;

	for (const char *p = text; *p; p++) {
		if (p[0] == '{' && p[1] >= '1' && p[1] <= '3' && p[2] == '}') {
			bus_buf_puts(&b, value[p[1] - '1']);
			p += 2;
		} else {
			bus_buf_putc(&b, *p);
		}
	}
	out = bus_arena_dup(c->arena, b.p ? b.p : "", b.n);
	bus_buf_release(&b);
	return out;
}

static void add(struct gw_review *c, struct gw_problem_found p, const char *one, const char *two,
		const char *three)
{
	const char *const value[3] = { one ? one : "", two ? two : "", three ? three : "" };

	c->failed |= p.error;
	if (c->n_problems == GW_PROBLEMS_MAX)
		return;
	p.id = fill(c, p.id, value);
	p.en = fill(c, p.en, value);
	p.hint = p.hint ? fill(c, p.hint, value) : NULL;
	c->problem[c->n_problems++] = p;
}

void gw_review_add(struct gw_review *c, const struct gw_problem_found *p)
{
	add(c, *p, NULL, NULL, NULL);
}

/* --- what parser and SQLite say ------------------------------------------------------------------------- */

/* `file:line: what` -> line, what */
static void add_error(struct gw_review *c, const char *file, const struct bus_error *err)
{
	struct gw_problem_found p = { .error = true, .id = "{1}", .en = "{1}" };
	const char *text = err->text;
	size_t n = strlen(file);
	char *end;

	if (strncmp(text, file, n) == 0 && text[n] == ':') {
		text += n + 1;
		p.line = (int)strtol(text, &end, 10);
		if (end > text && *end == ':')
			text = end + 1;
		text += strspn(text, " ");
	}
	add(c, p, text, NULL, NULL);
}

/* SQLite says where in the SELECT it stopped. */
static void place_error(struct gw_review *c)
{
	int offset = gw_db_error_offset(c->db);
	struct gw_problem_found *p = &c->problem[c->n_problems - 1];
	const char *body = c->def->body;

	if (offset < 0 || (size_t)offset > strlen(body) || p->line != c->def->body_line)
		return;
	p->column = 1;
	for (int i = 0; i < offset; i++) {
		p->column = body[i] == '\n' ? 1 : p->column + 1;
		p->line += body[i] == '\n';
	}
}

static bool parse(struct gw_review *c, const char *file, struct bus_str text)
{
	struct bus_error err = { 0 };

	if (gw_view_parse(file, text.p, text.n, &c->def, &err) != BUS_OK) {
		add_error(c, file, &err);
		return false;
	}
	if (gw_sandbox_open(c->world, c->def, &c->db, &err) != BUS_OK) {
		add_error(c, file, &err);
		return false;
	}
	return true;
}

static int line_of_route(const struct gw_def *d, const char *table)
{
	for (size_t i = 0; i < d->n_routes; i++) {
		if (strcmp(d->route[i].table, table) == 0 && d->route[i].line)
			return d->route[i].line;
	}
	return d->body_line;
}

/* Every table that has no route: what was looked for, and the rewrite that would do. */
static bool name_unrouted(struct gw_review *c)
{
	struct gw_ast *ast = gw_ast_parse(c->def->body, c->world, c->arena);
	struct gw_problem_found p = { .error = true, .line = c->def->body_line };
	struct gw_route_def route[1];
	bool named = false;

	p.id = "'{1}' dibaca tetapi tidak punya rute: kunci mana yang tersentuh bila barisnya berubah? {2}";
	p.en = "'{1}' is read but has no route: which keys does a change of one of its rows touch? {3}";
	for (size_t i = 0; i < c->def->n_reads; i++) {
		const char *table = c->def->read[i].table;
		enum gw_route_why why;
		size_t n = 0;

		if (line_of_route(c->def, table) != c->def->body_line)
			continue;
		why = gw_route_find(ast, c->def->pub.key, table, route, 1, &n);
		if (why == GW_ROUTE_FOUND)
			continue;
		add(c, p, table, gw_route_why(why, true), gw_route_why(why, false));
		named = true;
	}
	return named;
}

/* An index is the most common thing to forget: it is found, named, and the check goes on with it. */
static bool bind(struct gw_review *c, const char *file)
{
	const struct gw_catalogue catalogue = gw_sandbox_catalogue(c->world);
	struct gw_index_found index[GW_INDEX_FIND_MAX];
	struct bus_error err = { 0 };
	enum bus_err rc;
	size_t n;

	gw_db_deadline(c->db, BIND_MS);
	rc = gw_view_bind(c->db, c->def, &catalogue, &err);
	if (rc == BUS_EPARSE && strstr(err.text, "from end to end")) {
		n = gw_index_find(c->db, c->def, c->world, index);
		for (size_t i = 0; i < n; i++)
			add(c,
			    (struct gw_problem_found){
				.error = true,
				.line = c->def->body_line,
				.id = "satu kunci akan membaca seluruh tabel '{1}': kurang indeks pada '{2}'",
				.en = "one key would read all of table '{1}': an index on '{2}' is missing",
				.hint = "indexes:\n  - {table: {1}, columns: [{2}]}" },
			    index[i].table, index[i].column, NULL);
		if (n > 0)
			rc = gw_view_bind(c->db, c->def, &catalogue, &err);
	}
	if (rc == BUS_OK)
		return true;
	if (!strstr(err.text, "which has no route") || !name_unrouted(c)) {
		add_error(c, file, &err);
		place_error(c);
		gw_review_near(c);
	}
	return false;
}

/* --- words, classes, sources ---------------------------------------------------------------------------- */

static bool is_personal(const struct gw_view *v)
{
	for (size_t i = 0; i < v->n_columns; i++) {
		if (gw_world_graver(v->column[i].pdp, 'P'))
			return true;
	}
	return false;
}

static void check_words(struct gw_review *c)
{
	const struct gw_view *v = &c->def->pub;
	const struct gw_problem_found missing = { .line = 2,
						  .id = "'{1}' belum ada: {2}",
						  .en = "'{1}' is missing: {3}" };

	if (v->internal)
		return;
	if (!v->title_id)
		add(c, missing, "title", "namanya bagi orang", "its name for people");
	if (!v->about_id)
		add(c, missing, "about", "apa isinya", "what is in it");
	if (!v->owner)
		add(c, missing, "owner", "OPD yang bertanggung jawab", "the OPD that answers for it");
	if (!v->purpose_id)
		add(c, missing, "purpose", "untuk apa boleh dipakai", "what it may be used for");
	if (is_personal(v) && !v->basis)
		add(c, missing, "basis", "dasar hukum, karena ada data pribadi",
		    "its legal basis: it has personal data");
	if (is_personal(v) && !v->dpia)
		add(c, missing, "dpia", "berkas penilaian dampak, karena ada data pribadi",
		    "its impact assessment: it has personal data");
	for (size_t i = 0; i < v->n_columns; i++) {
		struct gw_problem_found p = missing;

		p.line = v->column[i].line;
		if (!v->column[i].title_id)
			add(c, p, "title", v->column[i].name, v->column[i].name);
	}
}

static void check_source(struct gw_review *c, const struct gw_column *column, const struct gw_lineage *l,
			 const struct gw_source *s)
{
	const struct gw_world_column *from = &s->table->column[s->column];
	char classes[2][2] = { { column->pdp, 0 }, { from->pdp, 0 } };
	char *name;

	if (s->summed || !gw_world_graver(from->pdp, column->pdp))
		return;
	name = bus_xasprintf("%s.%s (%s)", s->table->name, from->name, classes[1]);
	add(c,
	    (struct gw_problem_found){
		.line = column->line,
		.id =
		    l->computed
			? "kolom '{1}' berkelas {2}, padahal dihitung dari {3}: pastikan nilainya tidak lagi "
			  "mengatakan itu"
			: "kolom '{1}' berkelas {2}, padahal salinan {3}",
		.en = l->computed ? "column '{1}' is of class {2}, but computed from {3}: make sure that it "
				    "no longer says "
				    "that"
				  : "column '{1}' is of class {2}, but a copy of {3}" },
	    column->name, classes[0], name);
	free(name);
}

/* The same as an error; whether there is one. */
static bool refuse_lowered(struct gw_review *c, size_t i)
{
	const struct gw_column *column = &c->def->pub.column[i];
	struct gw_lowered x = gw_lower_find(c->def, c->world, c->lineage, i);
	char classes[2][2] = { { column->pdp, 0 }, { x.pdp, 0 } };
	struct gw_problem_found p = { .error = true, .line = column->line, .hint = "pdp: {3}" };
	char *name;

	if (x.how == GW_LOWER_NOT)
		return false;
	name = bus_xasprintf("%s.%s (%s)", x.table, x.column, classes[1]);
	p.id = x.how == GW_LOWER_COPY ? "kolom '{1}' salinan {2}: kelasnya tidak boleh lebih rendah"
	       : x.how == GW_LOWER_COMPUTED
		   ? "kolom '{1}' dihitung dari {2}: kelasnya tidak boleh lebih rendah, "
		     "kecuali jumlah per kelompok berkunci kelas N"
		   : "asal kolom '{1}' tidak dapat ditelusuri, dan {2} ikut dibaca: kelasnya "
		     "tidak boleh lebih rendah; sederhanakan SELECT";
	p.en = x.how == GW_LOWER_COPY ? "column '{1}' is a copy of {2}: its class must not be lower"
	       : x.how == GW_LOWER_COMPUTED
		   ? "column '{1}' is computed from {2}: its class must not be lower, unless "
		     "it is a sum over groups with a key of class N"
		   : "the sources of column '{1}' cannot be followed, and {2} is read: its class "
		     "must not be lower; use a simpler SELECT";
	add(c, p, column->name, name, classes[1]);
	free(name);
	return true;
}

/* What the SELECT says of itself, what SQLite says of plain columns, what the author declares. */
static void trace(struct gw_review *c)
{
	struct gw_source source;

	gw_lower_trace(c->db, c->def, c->ast, c->lineage);
	for (size_t i = 0; i < c->def->pub.n_columns; i++) {
		const struct gw_lineage *l = &c->lineage[i];

		/* What the author names may only be counted; what the SELECT copies is what it shows. */
		if (!c->trusted && refuse_lowered(c, i))
			continue;
		for (size_t k = 0; k < l->n; k++)
			check_source(c, &c->def->pub.column[i], l, &l->source[k]);
	}
	for (size_t i = 0; i < c->def->pub.n_columns; i++) {
		const struct gw_column *column = &c->def->pub.column[i];

		for (size_t k = 0; k < column->n_from; k++) {
			if (!gw_lineage_declared(c->world, column->from[k], &source))
				add(c,
				    (struct gw_problem_found){ .error = true,
							       .line = column->line,
							       .id = "from '{1}': tidak ada kolom itu",
							       .en = "from '{1}': there is no such column" },
				    column->from[k], NULL, NULL);
			else
				gw_lineage_add(&c->lineage[i], source);
		}
	}
}

/* --- routes --------------------------------------------------------------------------------------------- */

static void judge_table(struct gw_review *c, const struct gw_trial_table *t)
{
	struct gw_problem_found p = { .line = line_of_route(c->def, t->table) };
	char number[16];

	if (t->missed > 0) {
		p.error = true;
		p.id = "rute dari '{1}' tidak cukup: saat {2} berubah, ada kunci yang barisnya ikut berubah "
		       "tetapi tidak "
		       "diberikan oleh rute mana pun";
		p.en = "the routes from '{1}' do not suffice: when {3} changed, a key's row changed that no "
		       "route gave";
		add(c, p, t->table, t->column[0] ? t->column : "satu baris",
		    t->column[0] ? t->column : "a whole row");
	} else if (t->mattered == 0 && t->changes > 0) {
		p.id = "percobaan tidak dapat menguji rute dari '{1}': dari {2} perubahan tidak satu pun "
		       "mengubah tayangan; "
		       "tulis ujinya di tests/";
		p.en = "the trial could not test the routes from '{1}': none of {2} changes altered the "
		       "view; write a test "
		       "in tests/";
		snprintf(number, sizeof(number), "%d", t->changes);
		add(c, p, t->table, number, NULL);
	}
}

static void try_routes(struct gw_review *c, const char *file, int ms)
{
	struct bus_error err = { 0 };
	struct gw_problem_found p = { .error = true, .line = c->def->body_line };
	enum bus_err rc;

	rc = gw_trial_run(c->db, c->def, c->world, ms, &c->trial, &err);
	c->tried = rc == BUS_OK;
	if (rc == BUS_ETIMEOUT || rc == BUS_ETOOBIG) {
		p.id = "menghitungnya dari selusin baris per tabel saja sudah terlalu berat: tabel-tabelnya "
		       "tidak tersambung "
		       "oleh kolom = kolom?";
		p.en = "computing it from a dozen rows a table is too much already: are its tables joined by "
		       "column = column?";
		add(c, p, NULL, NULL, NULL);
		return;
	}
	if (rc != BUS_OK) {
		add_error(c, file, &err);
		return;
	}
	for (size_t i = 0; i < c->trial.n && !c->def->rollup; i++)
		judge_table(c, &c->trial.table[i]);
	p.error = false;
	if (c->trial.twice > 0) {
		p.id = "dengan data tertentu dua baris berkunci sama: kuncinya harus unik; pastikan data "
		       "yang sebenarnya "
		       "menjaminnya, atau pakai GROUP BY";
		p.en = "with some data two rows have one key: a key must be unique; make sure that the real "
		       "data see to that, "
		       "or use GROUP BY";
		add(c, p, NULL, NULL, NULL);
	}
	if (c->trial.nulls > 0) {
		p.id = "dengan data tertentu ada baris tanpa kunci (null): baris itu tidak akan tampil; "
		       "saring dengan IS NOT "
		       "NULL";
		p.en =
		    "with some data a row has no key (null): it will not be shown; filter with IS NOT NULL";
		add(c, p, NULL, NULL, NULL);
	}
	if (c->trial.wrong_type > 0) {
		const struct gw_column *column = &c->def->pub.column[c->trial.wrong_column];

		p.line = column->line;
		p.id = "kolom '{1}' memberi nilai yang bukan tipe yang dinyatakan";
		p.en = "column '{1}' gives values that are not of its declared type";
		add(c, p, column->name, NULL, NULL);
	}
}

void gw_review_run(struct gw_review *c, const char *file, struct bus_str text, const struct gw_world *w,
		   bool trusted, int ms)
{
	memset(c, 0, sizeof(*c));
	c->trusted = trusted;
	c->arena = bus_arena_new(0);
	c->world = w;
	if (!parse(c, file, text))
		return;
	check_words(c);
	if (!bind(c, file))
		return;
	c->bound = true;
	c->ast = gw_ast_parse(c->def->body, w, c->arena);
	trace(c);
	try_routes(c, file, ms);
}

void gw_review_release(struct gw_review *c)
{
	gw_db_close(&c->db);
	gw_view_free(&c->def);
	bus_arena_free(&c->arena);
}
