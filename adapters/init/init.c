#include "adapters/init/init.h"

#include <ctype.h>
#include <unistd.h>

#include "adapters/init/draft.h"
#include "adapters/init/file_name.h"

struct reading {
	struct adapter_init_column *column;
	struct adapter_init_prints *prints;
	size_t n;
};

static void take(void *ctx, const struct adapter_row *row)
{
	struct reading *r = ctx;

	adapter_init_columns_take(r->column, r->n, row);
	adapter_init_prints_take(r->prints, row);
}

static void tell_shape(const struct adapter_init_shape *s, FILE *out)
{
	fprintf(out, "Tebakan / guesses\n");
	for (size_t i = 0; i < s->n_notes; i++)
		fprintf(out, "  %s %-13s  %s\n", s->note[i].warning ? "!" : " ",
			adapter_init_sure_name(s->note[i].sure), s->note[i].text);
	if (s->left_out > 0)
		fprintf(out, "  ! %zu kolom terakhir tidak dipetakan / the last %zu columns are left out\n",
			s->left_out, s->left_out);
}

static void tell_columns(const struct adapter_init_draft *d, FILE *out)
{
	fprintf(out, "\nKolom / columns\n");
	for (size_t i = 0; i < d->shape->n_columns; i++) {
		const struct adapter_init_guess *g = &d->guess[i];
		uint64_t all = g->filled + g->empty;

		fprintf(out, "  %-24.60s %-20s %-13s %3llu%% terisi/filled%s%s%s%s\n", g->field,
			adapter_init_type_name(g->type), adapter_init_sure_name(g->sure),
			(unsigned long long)(all > 0 ? g->filled * 100 / all : 0),
			g->unique ? ", unik/unique" : "", g->class != 'N' ? ", data pribadi/personal" : "",
			g->example[0] ? "  mis./e.g. " : "", g->example);
	}
	fprintf(out, "\nKunci / key (%s):", adapter_init_sure_name(d->key->sure));
	for (size_t i = 0; i < d->key->n; i++)
		fprintf(out, "%s %s", i > 0 ? " +" : "", d->guess[d->key->part[i]].field);
	if (d->key->personal)
		fprintf(out, " (nama samaran / pseudonym)");
	if (d->key->again > 0)
		fprintf(out,
			"\n  ! %llu baris kuncinya sudah dipakai baris lain dan akan ditolak / %llu rows "
			"have the key of "
			"an earlier one and will be refused",
			(unsigned long long)d->key->again, (unsigned long long)d->key->again);
	fprintf(out, "\n");
}

static void tell_end(const struct adapter_init_draft *d, const char *dir, FILE *out)
{
	fprintf(out,
		"\nDitulis / written: %s/adapter.yaml, %s.yaml, skema/%s.avsc, masuk/, referensi/, kunci/\n"
		"Berikutnya / next:\n"
		"  titian adapter check --config %s/adapter.yaml\n",
		dir, d->entity, d->entity, dir);
	if (d->fetch)
		fprintf(out, "  titian adapter test-connection --config %s/adapter.yaml\n", dir);
	else
		fprintf(out, "  titian adapter preview --config %s/adapter.yaml %s\n", dir, d->file);
}

/* ---- names ---- */

static bool is_name(const char *s)
{
	if (!(*s >= 'a' && *s <= 'z') || strlen(s) > 40)
		return false;
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* ---- asking ---- */

/* What the person types, or what is proposed. false: no more answers. */
static bool ask(const struct adapter_init_conf *conf, FILE *out, const char *what, const char *proposed,
		char *answer, size_t n)
{
	char line[256];
	size_t len;

	fprintf(out, "%s [%s]: ", what, proposed);
	fflush(out);
	if (!fgets(line, sizeof(line), conf->in))
		return false;
	len = strlen(line);
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		line[--len] = '\0';
	snprintf(answer, n, "%s", len > 0 ? line : proposed);
	return true;
}

static bool ask_name(const struct adapter_init_conf *conf, FILE *out, const char *what, const char *proposed,
		     char *answer, size_t n)
{
	do {
		if (!ask(conf, out, what, proposed, answer, n))
			return false;
		if (!is_name(answer))
			fprintf(out, "  huruf kecil, angka dan _ saja / a to z, 0 to 9 and _ only\n");
	} while (!is_name(answer));
	return true;
}

static enum bus_err ask_all(const struct adapter_init_conf *conf, struct adapter_init_draft *d,
			    struct adapter_init_key *key, char opd[64], char entity[64], FILE *out,
			    struct bus_error *err)
{
	char answer[64];
	bool good;

	snprintf(opd, 64, "%s", d->opd);
	snprintf(entity, 64, "%.63s", d->entity);
	if (conf->yes || !conf->in)
		return BUS_OK;
	fprintf(out, "\nEnter menerima tebakan; Ctrl-C berhenti tanpa menulis apa pun / Enter takes the "
		     "guess; Ctrl-C stops and "
		     "writes nothing\n");
	good = ask_name(conf, out, "OPD (a-z) / department", d->opd, opd, 64) &&
	       ask_name(conf, out, "Nama data / name of the data", d->entity, entity, 64);
	for (bool again = good; again && good;) {
		good = ask(conf, out, "Kolom kunci / key column",
			   key->n == 1 ? d->guess[key->part[0]].field : "tebakan", answer, sizeof(answer));
		again = good && strcmp(answer, "tebakan") != 0;
		for (size_t i = 0; i < d->shape->n_columns && again; i++)
			if (strcmp(d->guess[i].field, answer) == 0) {
				*key = (struct adapter_init_key){ .part = { i },
								  .n = 1,
								  .unique = d->guess[i].unique,
								  .personal = d->guess[i].class != 'N',
								  .sure = ADAPTER_INIT_HIGH };
				again = false;
			}
		if (again)
			fprintf(out, "  tidak ada kolom itu / there is no such column\n");
	}
	good = good && ask(conf, out, "Tulis? y/t / write? y/n", "y", answer, sizeof(answer));
	if (!good || strchr("tTnN", answer[0]))
		return bus_fail(err, BUS_ESTOPPED,
				"berhenti: tidak ada yang ditulis / stopped: nothing was written");
	d->opd = opd;
	d->entity = entity;
	return BUS_OK;
}

/* ---- all of it ---- */

/* Rows that name a person by number are about persons, whatever the other columns are called. */
static void guard_persons(struct adapter_init_guess *guess, size_t n, struct adapter_init_shape *shape)
{
	bool persons = false;

	for (size_t i = 0; i < n; i++)
		persons |= guess[i].type == ADAPTER_INIT_ID && guess[i].class != 'N';
	for (size_t i = 0; i < n && persons; i++) {
		struct adapter_init_guess *g = &guess[i];

		if (g->class != 'N' || (g->type != ADAPTER_INIT_TEXT && g->type != ADAPTER_INIT_DATE &&
					g->type != ADAPTER_INIT_TIME))
			continue;
		g->class = 'U';
		g->choices[0] = '\0';
		adapter_init_hide(g->example);
	}
	if (persons)
		adapter_init_note(
		    shape, ADAPTER_INIT_MEDIUM, true,
		    "baris-barisnya tentang orang: semua teks dan tanggal dianggap data pribadi; longgarkan "
		    "x_pdp "
		    "di skema bila bukan / the rows are about persons: all texts and dates are taken for "
		    "personal data; relax x_pdp in the schema where they are not");
}

/* Which files the drafted adapter takes, for those who drop the next one. */
static void note_pattern(const struct adapter_init_conf *conf, struct adapter_init_shape *shape,
			 struct bus_buf *pattern, struct adapter_init_draft *d)
{
	bool dated;

	adapter_init_file_pattern(conf->file, pattern, &dated);
	d->pattern = bus_buf_cstr(pattern);
	adapter_init_note(shape, ADAPTER_INIT_MEDIUM, dated,
			  "nama berkas yang diterima / file names taken: %s%s", d->pattern,
			  dated ? " (tahun atau tanggal lain juga / any year or date)" : "");
}

/* db: NULL of a file. */
static enum bus_err draft(const struct adapter_init_conf *conf, struct adapter_init_shape *shape,
			  struct adapter_init_db *db, struct adapter_init_draft *d, struct reading *r,
			  struct bus_buf *fetch, FILE *out, struct bus_error *err)
{
	struct adapter_init_key key;
	char opd[64], entity[64];
	enum bus_err rc;

	rc = db ? adapter_init_db_read(db, take, r, &d->records, err)
		: adapter_init_read(conf->file, shape, take, r, &d->records, err);
	if (rc != BUS_OK)
		return rc;
	if (shape->expected > 0 && shape->expected != d->records)
		adapter_init_note(
		    shape, ADAPTER_INIT_LOW, true,
		    "aturan di pemetaan menghitung %llu rekaman, pengamatan baris demi baris %llu: periksa "
		    "skip_rows / the mapping's rules count %llu records, looking row by row %llu: look at "
		    "skip_rows",
		    (unsigned long long)d->records, (unsigned long long)shape->expected,
		    (unsigned long long)d->records, (unsigned long long)shape->expected);
	for (size_t i = 0; i < r->n; i++)
		adapter_init_column_guess(r->column, i, shape->column[i], shape->list[i], &d->guess[i]);
	if (db)
		adapter_init_db_types(db, d->guess);
	guard_persons(d->guess, r->n, shape);
	adapter_init_draft_names(d);
	adapter_init_key_find(r->prints, d->guess, r->n, &key);
	d->key = &key;
	if (db) {
		adapter_init_db_key(db, d->guess, shape, &key);
		rc = adapter_init_db_fetch(db, d->guess, shape, fetch, &d->complete, err);
		if (rc != BUS_OK)
			return rc;
		d->fetch = bus_buf_cstr(fetch);
	}
	tell_shape(shape, out);
	tell_columns(d, out);
	fprintf(out, "\nRekaman / records: %llu\n", (unsigned long long)d->records);
	rc = ask_all(conf, d, &key, opd, entity, out, err);
	if (rc == BUS_OK)
		rc = adapter_init_write(d, conf->dir, conf->force, err);
	if (rc == BUS_OK)
		tell_end(d, conf->dir, out);
	return rc;
}

enum bus_err adapter_init(const struct adapter_init_conf *conf, FILE *out, struct bus_error *err)
{
	struct adapter_init_shape shape = { 0 };
	struct adapter_init_draft d = { .opd = conf->opd ? conf->opd : "opd",
					.file = conf->file,
					.shape = &shape };
	struct adapter_init_db *db = NULL;
	struct bus_buf fetch = { 0 }, pattern = { 0 };
	struct reading r = { 0 };
	char *entity;
	enum bus_err rc;

	rc = conf->db.connection
		 ? adapter_init_db_open(&conf->db, conf->yes ? NULL : conf->in, out, &shape, &db, err)
		 : adapter_init_look(conf->file, &conf->want, &shape, err);
	if (rc != BUS_OK) {
		adapter_init_shape_release(&shape);
		return rc;
	}
	entity = conf->entity ? bus_xstrdup(conf->entity)
			      : adapter_init_file_entity(db ? adapter_init_db_name(db) : conf->file);
	d.entity = entity;
	if (!is_name(d.opd) || !is_name(d.entity))
		rc = bus_fail(
		    err, BUS_EINVAL,
		    "'%s': nama memakai huruf kecil, angka dan _ / a name is made of a to z, 0 to 9 and _",
		    is_name(d.opd) ? d.entity : d.opd);
	if (rc == BUS_OK) {
		if (!db)
			note_pattern(conf, &shape, &pattern, &d);
		r = (struct reading){ adapter_init_columns_new(shape.n_columns),
				      adapter_init_prints_new(shape.n_columns), shape.n_columns };
		d.guess = bus_xcalloc(shape.n_columns + 1, sizeof(*d.guess));
		rc = draft(conf, &shape, db, &d, &r, &fetch, out, err);
	}
	adapter_init_columns_free(&r.column, r.n);
	adapter_init_prints_free(&r.prints);
	free(d.guess);
	free(entity);
	bus_buf_release(&fetch);
	bus_buf_release(&pattern);
	adapter_init_db_close(&db);
	adapter_init_shape_release(&shape);
	return rc;
}

/* ---- the command line ---- */

static const char usage[] =
    "titian-adapter init [--yes] [--force] [--opd OPD] [--name NAME] [--sheet SHEET] [--table TABLE] [--rows "
    "PATH]\n"
    "                    --out DIR FILE\n"
    "    looks at FILE, guesses how it is written and what it holds, and drafts an adapter for it in DIR\n"
    "    melihat FILE, menebak susunan dan isinya, lalu menyusun draf adapter di DIR\n"
    "    --table: of a dump by its name, on a sheet by any cell in it, such as B8 / menurut nama, atau sel "
    "mana pun\n"
    "titian-adapter init [--yes] [--force] [--opd OPD] [--name NAME] --connection \"Driver=...\" "
    "[--password-file F]\n"
    "                    [--table TABLE | --query SQL] [--mark COLUMN] --out DIR\n"
    "    the same of a table of a database (ODBC), which the adapter then fetches by itself; --mark -: the "
    "whole each time\n"
    "    sama, untuk tabel basis data (ODBC), yang lalu diambil sendiri oleh adapter; --mark -: seluruhnya "
    "tiap kali\n";

int adapter_init_main(int argc, char **argv)
{
	struct adapter_init_conf conf = { .in = stdin };
	const struct {
		const char *name;
		const char **to;
	} words[] = { { "--out", &conf.dir },
		      { "--opd", &conf.opd },
		      { "--name", &conf.entity },
		      { "--sheet", &conf.want.sheet },
		      { "--table", &conf.want.table },
		      { "--rows", &conf.want.rows },
		      { "--connection", &conf.db.connection },
		      { "--password-file", &conf.db.password_file },
		      { "--query", &conf.db.query },
		      { "--mark", &conf.db.mark } };
	struct bus_error err = { 0 };
	enum bus_err rc;

	for (int i = 1; i < argc; i++) {
		size_t k = 0;

		while (k < BUS_LEN(words) && strcmp(argv[i], words[k].name) != 0)
			k++;
		if (k < BUS_LEN(words) && i + 1 < argc)
			*words[k].to = argv[++i];
		else if (strcmp(argv[i], "--yes") == 0)
			conf.yes = true;
		else if (strcmp(argv[i], "--force") == 0)
			conf.force = true;
		else if (strcmp(argv[i], "--help") == 0)
			return fputs(usage, stdout) < 0 ? 1 : 0;
		else if (argv[i][0] != '-' && !conf.file)
			conf.file = argv[i];
		else
			return fprintf(stderr, "titian-adapter: init: '%s'?\n%s", argv[i], usage), 2;
	}
	conf.db.table = conf.want.table;
	if (!conf.dir || !conf.file == !conf.db.connection || (conf.db.table && conf.db.query))
		return fprintf(stderr, "titian-adapter: init: %s\n%s",
			       !conf.dir			   ? "--out DIR?"
			       : !conf.file == !conf.db.connection ? "a file, or --connection?"
								   : "--table, or --query?",
			       usage),
		       2;
	if (!conf.yes && !isatty(STDIN_FILENO))
		return fprintf(stderr, "titian-adapter: init: tidak ada terminal untuk bertanya: beri --yes "
				       "/ no terminal to "
				       "ask on: say --yes\n"),
		       2;
	rc = adapter_init(&conf, stdout, &err);
	if (rc == BUS_OK)
		return 0;
	fprintf(stderr, "titian-adapter: init: %s\n", err.text);
	return rc == BUS_EEXIST || rc == BUS_EINVAL ? 2 : 1;
}
