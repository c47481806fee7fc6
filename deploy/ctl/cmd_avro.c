/* Avro container files for people and scripts: read, described, made. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deploy/ctl/commands.h"
#include "schemas/avro/canon.h"
#include "schemas/avro/columns.h"
#include "schemas/avro/json.h"
#include "schemas/avro/ocf.h"

#define OPTION_AVRO                                                                                          \
	{                                                                                                    \
		"--avro", NULL, NULL, "JSON as Avro spells it: labels in unions, bytes as text",             \
		    "JSON menurut ejaan Avro: label pada union, byte sebagai teks"                           \
	}

/* A file being read: all of it borrowed from the command. */
struct input {
	FILE *file;
	struct schema_ocf_reader *reader;
	struct schema_plan *plan;
};

static enum bus_err input_open(struct input *in, const char *path, struct bus_error *err)
{
	enum bus_err rc;

	in->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (!in->file)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", path);
	rc = schema_ocf_open(schema_ocf_from_file, in->file, NULL, &in->reader, err);
	if (rc == BUS_OK)
		rc = schema_plan(schema_ocf_schema(in->reader), NULL, &in->plan, err);
	return rc == BUS_OK ? rc : bus_fail_prefix(err, rc, "%s", path);
}

static void input_close(struct input *in)
{
	schema_plan_free(&in->plan);
	schema_ocf_close(&in->reader);
	if (in->file && in->file != stdin)
		fclose(in->file);
}

/* --- cat --- */

enum { CAT_AVRO, CAT_CSV };

static const struct ctl_option cat_option[] = {
	[CAT_AVRO] = OPTION_AVRO,
	[CAT_CSV] = { "--csv", NULL, NULL, "CSV, with the fields' names first; nested values as JSON",
		      "CSV, didahului nama kolom; nilai bersarang sebagai JSON" },
	{ 0 },
};

static enum bus_err print_line(struct bus_buf *line, struct bus_error *err)
{
	bool done = fwrite(line->p, 1, line->n, stdout) == line->n;

	bus_buf_reset(line);
	return done ? BUS_OK : bus_fail(err, BUS_EIO, "cannot write: %m");
}

static enum bus_err print_all(struct input *in, enum schema_json spelling, struct bus_error *err)
{
	struct bus_buf line = { 0 };
	struct bus_json_out out = { .buf = &line };
	struct schema_json_sink sink;
	enum bus_err rc;
	bool more;

	schema_json_sink_init(&sink, &out, spelling);
	while ((rc = schema_ocf_next(in->reader, in->plan, &sink.sink, &more, err)) == BUS_OK && more) {
		bus_buf_putc(&line, '\n');
		rc = print_line(&line, err);
		if (rc != BUS_OK)
			break;
	}
	bus_buf_release(&line);
	return rc;
}

static enum bus_err print_csv(struct input *in, struct bus_error *err)
{
	const struct schema_node *root = schema_root(schema_ocf_schema(in->reader));
	const struct schema_sink nobody = { 0 };
	struct schema_columns *columns = schema_columns_new(NULL);
	const struct schema_column *column;
	struct bus_buf line = { 0 };
	enum bus_err rc = BUS_OK;
	bool more = root->type == SCHEMA_RECORD;

	if (!more)
		rc = bus_fail(err, BUS_EINVAL, "only records make CSV; these are of type %s",
			      schema_type_name(root->type));
	else
		schema_csv_head(root, ',', &line);
	while (rc == BUS_OK && more) {
		rc = print_line(&line, err);
		if (rc == BUS_OK)
			rc = schema_ocf_next(in->reader, in->plan, &nobody, &more, err);
		if (rc == BUS_OK && more)
			rc = schema_columns_read(columns, in->plan, schema_ocf_datum(in->reader), &column,
						 err);
		if (rc == BUS_OK && more)
			schema_csv_row(column, root->n, ',', &line);
	}
	bus_buf_release(&line);
	schema_columns_free(&columns);
	return rc;
}

static enum ctl_exit run_cat(const struct ctl_args *args)
{
	struct input in = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc;

	if (args->option[CAT_AVRO] && args->option[CAT_CSV]) {
		ctl_complain("%s", ctl_say("--avro and --csv: one of them", "--avro dan --csv: salah satu"));
		return CTL_USAGE;
	}
	rc = input_open(&in, args->rest[0], &err);
	if (rc == BUS_OK) {
		if (args->option[CAT_CSV])
			rc = print_csv(&in, &err);
		else
			rc = print_all(&in, args->option[CAT_AVRO] ? SCHEMA_JSON_AVRO : SCHEMA_JSON_PLAIN,
				       &err);
		if (rc != BUS_OK)
			(void)bus_fail_prefix(&err, rc, "%s", args->rest[0]);
	}
	if (rc == BUS_OK && fflush(stdout) != 0)
		rc = bus_fail(&err, BUS_EIO, "cannot write: %m");
	input_close(&in);
	return rc == BUS_OK ? CTL_OK : ctl_fail(&err, false);
}

const struct ctl_command ctl_avro_cat = {
	.noun = "avro",
	.verb = "cat",
	.operands = "FILE.avro",
	.least = 1,
	.most = 1,
	.option = cat_option,
	.en = "the records of a container file, one JSON object a line",
	.id = "rekaman sebuah berkas kontainer, satu objek JSON per baris",
	.example = "titian avro cat bansos.avro",
	.run = run_cat,
};

/* --- meta --- */

static const struct ctl_option meta_option[] = { { 0 } };

static void print_header(const struct schema_ocf_reader *r)
{
	uint8_t fingerprint[SCHEMA_FINGERPRINT_LEN];
	char hex[2 * SCHEMA_FINGERPRINT_LEN + 1];
	struct bus_buf text = { 0 };
	size_t n;
	const struct schema_ocf_meta *meta = schema_ocf_metadata(r, &n);

	printf("codec\t%s\n", schema_codec_name(schema_ocf_codec(r)));
	schema_fingerprint_bytes(schema_fingerprint(schema_ocf_schema(r)), fingerprint);
	bus_hex(fingerprint, sizeof(fingerprint), hex);
	printf("fingerprint\t%s\n", hex); /* as it stands in a single-object message */
	schema_to_string(schema_ocf_schema(r), &text);
	printf("schema\t%s\n", bus_buf_cstr(&text));
	for (size_t i = 0; i < n; i++) {
		struct bus_json_out out = { .buf = &text };

		if (bus_str_is(meta[i].key, "avro.schema") || bus_str_is(meta[i].key, "avro.codec"))
			continue;
		bus_buf_reset(&text);
		bus_json_object(&out);
		bus_json_key_str(&out, meta[i].key);
		bus_json_put_str(&out, meta[i].value);
		bus_json_object_end(&out);
		printf("metadata\t%s\n", bus_buf_cstr(&text));
	}
	bus_buf_release(&text);
}

static enum ctl_exit run_meta(const struct ctl_args *args)
{
	static const struct schema_sink nobody;
	struct input in = { 0 };
	struct bus_error err = { 0 };
	unsigned long long records = 0;
	enum bus_err rc = input_open(&in, args->rest[0], &err);
	bool more = true;

	if (rc == BUS_OK)
		print_header(in.reader);
	while (rc == BUS_OK && more) {
		rc = schema_ocf_next(in.reader, in.plan, &nobody, &more, &err);
		if (rc == BUS_OK)
			records += more;
		else
			(void)bus_fail_prefix(&err, rc, "%s", args->rest[0]);
	}
	if (in.plan)
		printf("blocks\t%llu\nrecords\t%llu\n", (unsigned long long)schema_ocf_blocks(in.reader),
		       records);
	input_close(&in);
	return rc == BUS_OK ? CTL_OK : ctl_fail(&err, false);
}

const struct ctl_command ctl_avro_meta = {
	.noun = "avro",
	.verb = "meta",
	.operands = "FILE.avro",
	.least = 1,
	.most = 1,
	.option = meta_option,
	.en = "codec, schema and metadata of a container file; reads it to its end, so a broken one is told",
	.id = "codec, skema dan metadata berkas kontainer; dibaca sampai habis, jadi kerusakan terlihat",
	.example = "titian avro meta bansos.avro",
	.run = run_meta,
};

/* --- make --- */

enum { MAKE_SCHEMA, MAKE_CODEC, MAKE_AVRO };

static const struct ctl_option make_option[] = {
	[MAKE_SCHEMA] = { "--schema", "FILE.avsc", NULL, "the schema of the records", "skema rekaman" },
	[MAKE_CODEC] = { "--codec", "NAME", NULL, "null, deflate (default), snappy, zstandard, bzip2 or xz",
			 "null, deflate (baku), snappy, zstandard, bzip2 atau xz" },
	[MAKE_AVRO] = OPTION_AVRO,
	{ 0 },
};

static enum bus_err read_schema(const char *path, struct schema **out, struct bus_error *err)
{
	struct bus_buf text = { 0 };
	FILE *f = fopen(path, "rb");
	enum bus_err rc;

	*out = NULL;
	if (!f)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", path);
	/* One byte more than a schema may have: the parser says so. */
	bus_buf_reserve(&text, SCHEMA_TEXT_MAX + 1);
	text.n = fread(text.p, 1, SCHEMA_TEXT_MAX + 1, f);
	if (ferror(f))
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
	else
		rc = schema_parse(bus_buf_str(&text), SCHEMA_STRICT, NULL, 0, out, err);
	fclose(f);
	bus_buf_release(&text);
	return rc == BUS_OK ? rc : bus_fail_prefix(err, rc, "%s", path);
}

/* Every line of in that is not blank, as a record. */
static enum bus_err append_lines(FILE *in, const char *name, struct schema *s, enum schema_json spelling,
				 struct schema_ocf_writer *w, struct bus_error *err)
{
	struct bus_buf datum = { 0 };
	unsigned long long number = 0;
	char *line = NULL;
	size_t room = 0;
	enum bus_err rc = BUS_OK;
	ssize_t n;

	while (rc == BUS_OK && (n = getline(&line, &room, in)) > 0) {
		number++;
		if (strspn(line, " \t\r\n") == (size_t)n)
			continue;
		bus_buf_reset(&datum);
		rc = schema_encode_json(s, (struct bus_str){ line, (size_t)n }, spelling, &datum, err);
		if (rc != BUS_OK)
			(void)bus_fail_prefix(err, rc, "%s:%llu", name, number);
		else
			rc = schema_ocf_append(w, bus_buf_str(&datum), err);
	}
	if (rc == BUS_OK && ferror(in))
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", name);
	free(line);
	bus_buf_release(&datum);
	return rc;
}

static enum bus_err make(FILE *in, const char *name, FILE *out, struct schema *s, enum schema_codec codec,
			 enum schema_json spelling, struct bus_error *err)
{
	struct schema_ocf_writer *w = NULL;
	enum bus_err rc = schema_ocf_create(s, codec, NULL, 0, NULL, schema_ocf_to_file, out, &w, err);
	enum bus_err end;

	if (rc != BUS_OK)
		return rc;
	rc = append_lines(in, name, s, spelling, w, err);
	end = schema_ocf_finish(&w, rc == BUS_OK ? err : NULL);
	return rc == BUS_OK ? end : rc;
}

/* Under another name until it is whole; "-" is standard output. */
static enum bus_err make_file(const char *from, const char *to, struct schema *s, enum schema_codec codec,
			      enum schema_json spelling, struct bus_error *err)
{
	const bool named = strcmp(to, "-") != 0;
	char *draft = named ? bus_xasprintf("%s.part", to) : bus_xstrdup("standard output");
	FILE *in = strcmp(from, "-") == 0 ? stdin : fopen(from, "rb");
	FILE *out = NULL;
	enum bus_err rc = BUS_OK;

	if (!in)
		rc = bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", from);
	if (rc == BUS_OK && !(out = named ? fopen(draft, "wb") : stdout))
		rc = bus_fail(err, BUS_EIO, "cannot make '%s': %m", draft);
	if (rc == BUS_OK)
		rc = make(in, from, out, s, codec, spelling, err);
	if (out && (named ? fclose(out) : fflush(out)) != 0 && rc == BUS_OK)
		rc = bus_fail(err, BUS_EIO, "cannot write '%s': %m", draft);
	if (rc == BUS_OK && named && rename(draft, to) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot rename '%s' to '%s': %m", draft, to);
	if (out && named && rc != BUS_OK)
		unlink(draft);
	if (in && in != stdin)
		fclose(in);
	free(draft);
	return rc;
}

static enum ctl_exit run_make(const struct ctl_args *args)
{
	const char *name = args->option[MAKE_CODEC] ? args->option[MAKE_CODEC] : "deflate";
	enum schema_codec codec;
	struct bus_error err = { 0 };
	struct schema *s = NULL;
	enum bus_err rc;

	if (!args->option[MAKE_SCHEMA]) {
		ctl_complain(
		    ctl_say("avro make needs --schema FILE.avsc", "avro make memerlukan --schema FILE.avsc"));
		return CTL_USAGE;
	}
	if (!schema_codec_parse(bus_str(name), &codec)) {
		ctl_complain(ctl_say("--codec: '%s' is none of null, deflate, snappy, zstandard, bzip2, xz",
				     "--codec: '%s' bukan null, deflate, snappy, zstandard, bzip2, xz"),
			     name);
		return CTL_USAGE;
	}
	rc = read_schema(args->option[MAKE_SCHEMA], &s, &err);
	if (rc == BUS_OK)
		rc = make_file(args->rest[0], args->rest[1], s, codec,
			       args->option[MAKE_AVRO] ? SCHEMA_JSON_AVRO : SCHEMA_JSON_PLAIN, &err);
	schema_unref(&s);
	return rc == BUS_OK ? CTL_OK : ctl_fail(&err, false);
}

const struct ctl_command ctl_avro_make = {
	.noun = "avro",
	.verb = "make",
	.operands = "FILE.ndjson FILE.avro",
	.least = 2,
	.most = 2,
	.option = make_option,
	.en = "a container file of JSON lines, checked against a schema; - is standard input or output",
	.id = "berkas kontainer dari baris-baris JSON yang diperiksa terhadap skema; - adalah masukan atau "
	      "keluaran baku",
	.example = "titian avro make --schema bansos.avsc --codec zstandard bansos.ndjson bansos.avro",
	.run = run_make,
};
