/* avro DIR: this engine and avro-c on one folder of records (bench_avro.py): `op lib records/s` lines. */
#include <avro.h>
#include <stdio.h>
#include <time.h>

#include "bus/buf.h"
#include "schemas/avro/json.h"
#include "schemas/avro/cells.h"

#define ROUND_S 0.25
#define ROUNDS 5

struct data {
	struct bus_str *datum;
	struct bus_str *line;
	size_t n;
	struct bus_buf raw, text;
};

static volatile int64_t taken; /* so that nothing is left out for want of use */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "avro: %s\n", what);
	exit(1);
}

static void load(const char *dir, const char *name, struct bus_buf *b)
{
	char path[4096];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	must(f != NULL, path);
	do {
		bus_buf_reserve(b, 65536);
		n = fread(b->p + b->n, 1, 65536, f);
		b->n += n;
	} while (n > 0);
	fclose(f);
}

static struct data load_data(const char *dir)
{
	struct data d = { 0 };
	size_t at = 0;
	uint32_t n;

	load(dir, "data.bin", &d.raw);
	load(dir, "data.jsonl", &d.text);
	for (size_t i = 0; i < d.raw.n; i += 4 + n, d.n++)
		memcpy(&n, d.raw.p + i, 4);
	d.datum = bus_xcalloc(d.n, sizeof(*d.datum));
	d.line = bus_xcalloc(d.n, sizeof(*d.line));
	for (size_t i = 0, line = 0; i < d.n; i++) {
		const char *end = memchr(d.text.p + line, '\n', d.text.n - line);

		memcpy(&n, d.raw.p + at, 4);
		d.datum[i] = (struct bus_str){ d.raw.p + at + 4, n };
		at += 4 + n;
		must(end != NULL, "a line for each record");
		d.line[i] = (struct bus_str){ d.text.p + line, (size_t)(end - d.text.p) - line };
		line += d.line[i].n + 1;
	}
	return d;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

typedef void run_fn(void *ctx, const struct data *d);

static double best(run_fn *run, void *ctx, const struct data *d)
{
	double most = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double began = now();
		double took;
		size_t n = 0;

		do {
			run(ctx, d);
			n += d->n;
			took = now() - began;
		} while (took < ROUND_S);
		most = (double)n / took > most ? (double)n / took : most;
	}
	return most;
}

static void say(const char *op, const char *lib, double speed)
{
	printf("%s %s %.0f\n", op, lib, speed);
	fflush(stdout);
}

/* --- ours --- */

struct ours {
	struct schema_reader *reader;
	struct schema_plan *plan;
	struct schema *schema;
	struct bus_buf out;
	struct schema_reader **held; /* a reader for each record: its cells */
	const struct schema_cell **root;
};

static void our_decode(void *ctx, const struct data *d)
{
	struct ours *o = ctx;
	const struct schema_cell *root;

	for (size_t i = 0; i < d->n; i++) {
		must(schema_read_cells(o->reader, o->plan, d->datum[i], &root, NULL) == BUS_OK, "decode");
		taken += root->n;
	}
}

static void our_encode(void *ctx, const struct data *d)
{
	struct ours *o = ctx;

	for (size_t i = 0; i < d->n; i++) {
		bus_buf_reset(&o->out);
		schema_write_cells(schema_root(o->schema), o->root[i], o->root[i], &o->out);
		taken += (int64_t)o->out.n;
	}
}

static void our_to_json(void *ctx, const struct data *d)
{
	struct ours *o = ctx;
	struct bus_json_out out = { .buf = &o->out };
	struct schema_json_sink sink;

	schema_json_sink_init(&sink, &out, SCHEMA_JSON_AVRO);
	for (size_t i = 0; i < d->n; i++) {
		bus_buf_reset(&o->out);
		must(schema_read(o->reader, o->plan, d->datum[i], &sink.sink, NULL) == BUS_OK, "to_json");
	}
}

static void our_from_json(void *ctx, const struct data *d)
{
	struct ours *o = ctx;

	for (size_t i = 0; i < d->n; i++) {
		bus_buf_reset(&o->out);
		must(schema_encode_json(o->schema, d->line[i], SCHEMA_JSON_AVRO, &o->out, NULL) == BUS_OK,
		     "from_json");
	}
}

static struct schema *our_schema(const char *dir, const char *name)
{
	struct bus_buf text = { 0 };
	struct schema *s = NULL;

	load(dir, name, &text);
	must(schema_parse(bus_buf_str(&text), SCHEMA_LENIENT, NULL, 0, &s, NULL) == BUS_OK, name);
	bus_buf_release(&text);
	return s;
}

static void measure_ours(const char *dir, const struct data *d)
{
	static const char *const reader[] = { "writer.avsc", "reader.avsc", "few.avsc" };
	static const char *const op[] = { "decode", "resolve", "project" };
	struct ours o = { .reader = schema_reader_new(NULL), .schema = our_schema(dir, "writer.avsc") };

	for (int i = 0; i < 3; i++) {
		struct schema *s = our_schema(dir, reader[i]);

		must(schema_plan(o.schema, s, &o.plan, NULL) == BUS_OK, op[i]);
		say(op[i], "titian", best(our_decode, &o, d));
		schema_plan_free(&o.plan);
		schema_unref(&s);
	}
	must(schema_plan(o.schema, NULL, &o.plan, NULL) == BUS_OK, "plan");
	o.held = bus_xcalloc(d->n, sizeof(*o.held));
	o.root = bus_xcalloc(d->n, sizeof(*o.root));
	for (size_t i = 0; i < d->n; i++) {
		o.held[i] = schema_reader_new(NULL);
		must(schema_read_cells(o.held[i], o.plan, d->datum[i], &o.root[i], NULL) == BUS_OK, "read");
		bus_buf_reset(&o.out);
		schema_write_cells(schema_root(o.schema), o.root[i], o.root[i], &o.out);
		must(bus_str_eq(bus_buf_str(&o.out), d->datum[i]), "written as it was read");
		bus_buf_reset(&o.out);
		must(schema_encode_json(o.schema, d->line[i], SCHEMA_JSON_AVRO, &o.out, NULL) == BUS_OK &&
			 bus_str_eq(bus_buf_str(&o.out), d->datum[i]),
		     "encoded from JSON as it was written");
	}
	say("encode", "titian", best(our_encode, &o, d));
	say("to_json", "titian", best(our_to_json, &o, d));
	say("from_json", "titian", best(our_from_json, &o, d));
}

/* --- avro-c --- */

struct theirs {
	avro_value_t value;  /* what is read into */
	avro_value_t target; /* the reader's value behind it, when resolving */
	avro_value_t *record;
	avro_reader_t reader;
	avro_writer_t writer;
	char *out;
};

static void their_decode(void *ctx, const struct data *d)
{
	struct theirs *t = ctx;

	for (size_t i = 0; i < d->n; i++) {
		avro_reader_memory_set_source(t->reader, d->datum[i].p, (int64_t)d->datum[i].n);
		avro_value_reset(&t->target);
		must(avro_value_read(t->reader, &t->value) == 0, "avro-c decode");
	}
}

static void their_encode(void *ctx, const struct data *d)
{
	struct theirs *t = ctx;

	for (size_t i = 0; i < d->n; i++) {
		avro_writer_reset(t->writer);
		must(avro_value_write(t->writer, &t->record[i]) == 0, "avro-c encode");
		taken += avro_writer_tell(t->writer);
	}
}

static void their_to_json(void *ctx, const struct data *d)
{
	struct theirs *t = ctx;
	char *json;

	for (size_t i = 0; i < d->n; i++) {
		avro_reader_memory_set_source(t->reader, d->datum[i].p, (int64_t)d->datum[i].n);
		avro_value_reset(&t->target);
		must(avro_value_read(t->reader, &t->value) == 0, "avro-c decode");
		must(avro_value_to_json(&t->value, 1, &json) == 0, "avro-c to_json");
		free(json);
	}
}

static avro_schema_t their_schema(const char *dir, const char *name)
{
	struct bus_buf text = { 0 };
	avro_schema_t s;

	load(dir, name, &text);
	must(avro_schema_from_json_length(text.p, text.n, &s) == 0, name);
	bus_buf_release(&text);
	return s;
}

static double their_read(avro_schema_t w, avro_schema_t r, bool resolved, const struct data *d)
{
	struct theirs t = { .reader = avro_reader_memory("", 0) };
	avro_value_iface_t *iface = avro_generic_class_from_schema(r);
	double speed;

	must(avro_generic_value_new(iface, &t.target) == 0, "avro-c value");
	t.value = t.target;
	if (resolved) {
		avro_value_iface_t *both = avro_resolved_writer_new(w, r);

		must(both != NULL, "avro-c resolver");
		must(avro_resolved_writer_new_value(both, &t.value) == 0, "avro-c resolved value");
		avro_resolved_writer_set_dest(&t.value, &t.target);
	}
	speed = best(their_decode, &t, d);
	return speed;
}

static void measure_theirs(const char *dir, const struct data *d)
{
	avro_schema_t writer = their_schema(dir, "writer.avsc");
	avro_value_iface_t *iface = avro_generic_class_from_schema(writer);
	struct theirs t = { .reader = avro_reader_memory("", 0) };
	double plain = their_read(writer, writer, false, d);
	double resolved = their_read(writer, writer, true, d);

	say("decode", "avroc", plain > resolved ? plain : resolved);
	say("resolve", "avroc", their_read(writer, their_schema(dir, "reader.avsc"), true, d));
	say("project", "avroc", their_read(writer, their_schema(dir, "few.avsc"), true, d));
	t.out = bus_xmalloc(1 << 20);
	t.writer = avro_writer_memory(t.out, 1 << 20);
	t.record = bus_xcalloc(d->n, sizeof(*t.record));
	for (size_t i = 0; i < d->n; i++) {
		must(avro_generic_value_new(iface, &t.record[i]) == 0, "avro-c value");
		avro_reader_memory_set_source(t.reader, d->datum[i].p, (int64_t)d->datum[i].n);
		must(avro_value_read(t.reader, &t.record[i]) == 0, "avro-c read");
	}
	t.value = t.target = t.record[0];
	say("encode", "avroc", best(their_encode, &t, d));
	say("to_json", "avroc", best(their_to_json, &t, d));
}

int main(int argc, char **argv)
{
	struct data d;

	must(argc == 2, "usage: avro DIR");
	d = load_data(argv[1]);
	measure_ours(argv[1], &d);
	measure_theirs(argv[1], &d);
	return 0;
}
