#include <ctype.h>
#include <errno.h>

#include "deploy/ctl/commands.h"
#include "schemas/catalogue/derive.h"
#include "schemas/avro/schema.h"

enum { FORMAT, NAME, NAMESPACE, TOPIC, KEY, JSON };

static const struct ctl_option derive_option[] = {
	[FORMAT] = { "--format", "FORMAT", NULL, "csv, json or lines (default: as it looks)",
		     "csv, json atau lines (bawaan: menurut isinya)" },
	[NAME] = { "--name", "NAME", NULL, "the record's name (default: the file's)",
		   "nama record (bawaan: nama berkas)" },
	[NAMESPACE] = { "--namespace", "NAME", NULL, "default: id.go.pekanbaru.opd.v1",
			"bawaan: id.go.pekanbaru.opd.v1" },
	[TOPIC] = { "--topic", "NAME", NULL, "default: pku.opd.<file>.v1", "bawaan: pku.opd.<berkas>.v1" },
	[KEY] = { "--key", "FIELD", NULL, "the key (default: the first unique field that is not personal)",
		  "kunci (bawaan: kolom unik pertama yang bukan data pribadi)" },
	[JSON] = { "--json", NULL, NULL, "schema and guesses as one JSON object",
		   "skema dan dugaan sebagai satu objek JSON" },
	{ 0 },
};

static enum bus_err read_sample(const char *path, struct bus_buf *out, struct bus_error *err)
{
	FILE *fp = fopen(path, "re");

	if (!fp)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", path);
	bus_buf_reserve(out, SCHEMA_DERIVE_TEXT_MAX + 1);
	out->n = fread(out->p, 1, SCHEMA_DERIVE_TEXT_MAX + 1, fp);
	if (ferror(fp)) {
		fclose(fp);
		return bus_fail(err, BUS_EIO, "cannot read '%s'", path);
	}
	fclose(fp);
	return BUS_OK;
}

/* "/x/Data Siswa-2024.csv" -> "data_siswa", "DataSiswa": letters only, since years and ids change. */
static void names_of(const char *path, struct bus_buf *entity, struct bus_buf *name)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	bool up = true;

	for (size_t n = strcspn(base, "."); n > 0; n--, base++) {
		unsigned char c = (unsigned char)*base;

		if (c < 0x80 && isalpha(c)) {
			if (up && entity->n > 0)
				bus_buf_putc(entity, '_');
			bus_buf_putc(entity, (char)tolower(c));
			bus_buf_putc(name, (char)(up ? toupper(c) : tolower(c)));
		}
		up = !(c < 0x80 && isalpha(c));
	}
	if (entity->n == 0) {
		bus_buf_puts(entity, "entitas");
		bus_buf_puts(name, "Entitas");
	}
}

static void say(void *ctx, const struct schema_guess *g)
{
	struct bus_buf from = { 0 };

	(void)ctx;
	if (strcmp(g->path, g->from) != 0) {
		bus_buf_puts(&from, " <- '");
		ctl_put_line(&from, g->from);
		bus_buf_putc(&from, '\'');
	}
	fprintf(stderr, "  %-28s %-7s x_pdp %c%s  %s%s\n", g->path, g->sure, g->class,
		g->class_sure ? " " : "?", ctl_say(g->why.en, g->why.id), bus_buf_cstr(&from));
	bus_buf_release(&from);
}

struct looking { /* for the field that --key names */
	const char *key;
	char class; /* '\0': no such field */
	struct bus_buf names;
};

static void look(void *ctx, const struct schema_guess *g)
{
	struct looking *l = ctx;

	if (strpbrk(g->path, ".[{"))
		return; /* within another */
	if (strcmp(g->path, l->key) == 0)
		l->class = g->class;
	bus_buf_printf(&l->names, "%s%s", l->names.n > 0 ? ", " : "", g->path);
}

/* False (told): there is no such field. A personal one is only warned of: its class is a guess. */
static bool allow_key(struct schema_derive *d, const char *key)
{
	struct looking l = { .key = key };

	schema_derive_guesses(d, look, &l);
	if (!l.class)
		ctl_complain(ctl_say("--key: there is no field '%s'; there are: %s",
				     "--key: tidak ada kolom '%s'; yang ada: %s"),
			     key, bus_buf_cstr(&l.names));
	else if (l.class != 'N' && l.class != 'P')
		ctl_complain(
		    ctl_say(
			"--key %s: looks like personal data (x_pdp %c), which titian schema check refuses "
			"as a key; take another field, or a pseudonym of class P",
			"--key %s: tampaknya data pribadi (x_pdp %c), yang ditolak titian schema check "
			"sebagai kunci; pakai kolom lain, atau pseudonim golongan P"),
		    key, l.class);
	bus_buf_release(&l.names);
	return l.class != '\0';
}

static void put_guess(void *ctx, const struct schema_guess *g)
{
	const char class[2] = { g->class, '\0' };
	struct bus_json_out *j = ctx;

	bus_json_object(j);
	bus_json_key(j, "path");
	bus_json_put_text(j, g->path);
	bus_json_key(j, "from");
	bus_json_put_text(j, g->from);
	bus_json_key(j, "sure");
	bus_json_put_text(j, g->sure);
	bus_json_key(j, "class");
	bus_json_put_text(j, class);
	bus_json_key(j, "class_sure");
	bus_json_put_bool(j, g->class_sure);
	schema_words_put(j, g->why);
	bus_json_object_end(j);
}

static void show_json(struct schema_derive *d, struct bus_buf *draft)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	bus_json_key(&j, "rows");
	bus_json_put_int(&j, (int64_t)schema_derive_rows(d));
	bus_json_key(&j, "schema");
	bus_json_put_raw(&j, bus_buf_str(draft));
	bus_json_key(&j, "fields");
	bus_json_array(&j);
	schema_derive_guesses(d, put_guess, &j);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	puts(bus_buf_cstr(&b));
	bus_buf_release(&b);
}

static bool format_of(const char *text, enum schema_sample *out)
{
	static const char *const name[] = { "auto", "csv", "json", "lines" };

	*out = SCHEMA_SAMPLE_AUTO;
	for (size_t i = 0; text && i < BUS_LEN(name); i++)
		if (strcmp(text, name[i]) == 0) {
			*out = (enum schema_sample)i;
			return true;
		}
	if (text)
		ctl_complain(ctl_say("--format: '%s' is none of csv, json, lines",
				     "--format: '%s' bukan csv, json, atau lines"),
			     text);
	return !text;
}

static enum ctl_exit schema_derive_command(const struct ctl_args *args)
{
	struct bus_buf sample = { 0 }, entity = { 0 }, name = { 0 }, topic = { 0 }, text = { 0 };
	struct schema_derive *d = NULL;
	struct schema *s = NULL;
	enum schema_sample format;
	struct bus_error err;
	enum bus_err rc;
	bool misused = false;

	if (!format_of(args->option[FORMAT], &format))
		return CTL_USAGE;
	names_of(args->rest[0], &entity, &name);
	bus_buf_printf(&topic, "pku.opd.%s.v1", bus_buf_cstr(&entity));
	rc = read_sample(args->rest[0], &sample, &err);
	if (rc == BUS_OK)
		rc = schema_derive_open(bus_buf_str(&sample), format, &d, &err);
	if (rc == BUS_OK) {
		const struct schema_draft draft = {
			.name = args->option[NAME] ? args->option[NAME] : bus_buf_cstr(&name),
			.name_space =
			    args->option[NAMESPACE] ? args->option[NAMESPACE] : "id.go.pekanbaru.opd.v1",
			.topic = args->option[TOPIC] ? args->option[TOPIC] : bus_buf_cstr(&topic),
			.key = args->option[KEY],
		};

		schema_derive_put(d, &draft, &text);
		/* Names from the command line may be none. */
		rc = schema_parse(bus_buf_str(&text), SCHEMA_STRICT, NULL, 0, &s, &err);
	}
	if (rc == BUS_OK && args->option[KEY] && !allow_key(d, args->option[KEY])) {
		misused = true;
	} else if (rc == BUS_OK && args->option[JSON]) {
		show_json(d, &text);
	} else if (rc == BUS_OK) {
		fputs(bus_buf_cstr(&text), stdout);
		fprintf(
		    stderr,
		    ctl_say(
			"a draft from %zu rows; look at what says PERIKSA, at classes with '?', at "
			"guesses:\n",
			"rancangan dari %zu baris; periksa yang bertanda PERIKSA, golongan dengan '?', dan "
			"dugaan (guess):\n"),
		    schema_derive_rows(d));
		schema_derive_guesses(d, say, NULL);
	}
	schema_unref(&s);
	schema_derive_free(&d);
	bus_buf_release(&sample);
	bus_buf_release(&entity);
	bus_buf_release(&name);
	bus_buf_release(&topic);
	bus_buf_release(&text);
	if (misused)
		return CTL_USAGE;
	return rc == BUS_OK ? CTL_OK : ctl_fail(&err, false);
}

const struct ctl_command ctl_schema_derive = {
	.noun = "schema",
	.verb = "derive",
	.operands = "FILE",
	.least = 1,
	.most = 1,
	.option = derive_option,
	.en = "draft a schema from a sample (CSV, JSON, JSON lines); no value of it is shown",
	.id = "merancang skema dari contoh data (CSV, JSON, baris JSON); nilainya tidak ditampilkan",
	.example = "titian schema derive siswa.csv > schemas/avsc/disdik/siswa.avsc",
	.run = schema_derive_command,
};
