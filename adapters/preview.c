#include "adapters/preview.h"

#include <stdio.h>
#include <unistd.h>

#include "adapters/input.h"
#include "bus/arena.h"
#include "bus/plain.h"
#include "schemas/avro/json.h"

#define SHOWN 5
#define RECORD_MAX ((size_t)64 * 1024 * 1024) /* memory for one record's JSON */

struct preview {
	const struct adapter_preview_conf *conf;
	FILE *out;
	struct adapter_map *map;
	struct schema *schema;
	struct schema_plan *plan;
	struct schema_reader *reader;
	struct bus_arena *arena;
	struct bus_buf json, masked;
	int64_t rows, accepted, refused, loose, count[ADAPTER_CLASSES_MAX];
	int shown_records, shown_refusals;
};

/* ---- one record as JSON, masked ---- */

static const struct schema_node *settle(const struct schema_node *t)
{
	for (size_t i = 0; t->type == SCHEMA_UNION && i < t->n; i++)
		if (t->branch[i]->type != SCHEMA_NULL)
			return t->branch[i];
	return t;
}

static bool personal(const struct schema_field *f)
{
	const char *kind = schema_property(f->properties, "x_pdp");

	return kind && kind[0] && strchr("USA", kind[0]);
}

static void put(struct bus_json_out *j, const struct bus_json *v, const struct schema_node *type, bool clear);

/* What is empty or not there says so; everything else of a person is three dots. */
static void put_field(struct bus_json_out *j, const struct bus_json *v, const struct schema_field *f,
		      bool clear)
{
	bool empty = v->type == BUS_JSON_NULL || (v->type == BUS_JSON_STRING && v->text.n == 0) ||
		     (v->type == BUS_JSON_ARRAY && v->n == 0);

	if (clear || empty || !personal(f))
		put(j, v, f->type, clear);
	else
		bus_json_put_text(j, "\u2022\u2022\u2022");
}

static void put(struct bus_json_out *j, const struct bus_json *v, const struct schema_node *type, bool clear)
{
	type = settle(type);
	switch (v->type) {
	case BUS_JSON_OBJECT:
		bus_json_object(j);
		for (const struct bus_json *c = v->first; c; c = c->next) {
			const struct schema_field *f = NULL;

			bus_json_key_str(j, c->name);
			for (size_t i = 0; type->type == SCHEMA_RECORD && i < type->n && !f; i++)
				if (bus_str_is(c->name, type->field[i].name))
					f = &type->field[i];
			if (f)
				put_field(j, c, f, clear);
			else
				put(j, c, type->type == SCHEMA_MAP ? type->item : type, clear);
		}
		bus_json_object_end(j);
		break;
	case BUS_JSON_ARRAY:
		bus_json_array(j);
		for (const struct bus_json *c = v->first; c; c = c->next)
			put(j, c, type->type == SCHEMA_ARRAY ? type->item : type, clear);
		bus_json_array_end(j);
		break;
	case BUS_JSON_STRING:
		bus_json_put_str(j, v->text);
		break;
	case BUS_JSON_NUMBER:
		bus_json_put_raw(j, v->text);
		break;
	case BUS_JSON_TRUE:
	case BUS_JSON_FALSE:
		bus_json_put_bool(j, v->type == BUS_JSON_TRUE);
		break;
	default:
		bus_json_put_null(j);
	}
}

static enum bus_err show_record(struct preview *p, const struct adapter_row *row,
				const struct adapter_result *r, struct bus_error *err)
{
	struct bus_json_out plain = { .buf = &p->json }, masked = { .buf = &p->masked };
	struct schema_json_sink sink;
	struct bus_json *tree;
	enum bus_err rc;

	bus_buf_reset(&p->json);
	bus_buf_reset(&p->masked);
	bus_arena_reset(p->arena);
	schema_json_sink_init(&sink, &plain, SCHEMA_JSON_PLAIN);
	rc = schema_read(p->reader, p->plan, r->value, &sink.sink, err);
	if (rc == BUS_OK)
		rc = bus_json_parse(bus_buf_str(&p->json), NULL, p->arena, &tree, err);
	if (rc != BUS_OK)
		return rc;
	put(&masked, tree, schema_root(p->schema), p->conf->personal);
	if (row)
		fprintf(p->out, "%llu\t", (unsigned long long)row->line);
	bus_plain(p->masked.p, p->masked.n, false);
	fprintf(p->out, "%s\n", bus_buf_cstr(&p->masked));
	return BUS_OK;
}

/* ---- the file ---- */

static void show_refusal(struct preview *p, const struct adapter_row *row, const struct adapter_result *r)
{
	size_t n;
	const struct adapter_class *class = adapter_map_classes(p->map, &n);

	fprintf(p->out, "%llu\tDITOLAK/REFUSED\t%s%s%s\t%s\n", (unsigned long long)row->line,
		class[r->reason].name, r->field ? "\t" : "", r->field ? r->field : "", r->detail);
}

static enum bus_err count_row(struct preview *p, const struct adapter_row *row,
			      const struct adapter_result *r, struct bus_error *err)
{
	int limit = p->conf->count ? 0 : p->conf->limit > 0 ? p->conf->limit : SHOWN;
	size_t n;
	const struct adapter_class *class = adapter_map_classes(p->map, &n);
	bool loose = false;

	p->rows++;
	for (size_t i = 0; i < r->n_flags; i++) {
		p->count[r->flag[i]]++;
		loose |= class[r->flag[i]].fate == ADAPTER_CLASS_LOOSE;
	}
	p->loose += loose;
	if (r->fate == ADAPTER_REFUSE) {
		p->refused++;
		p->count[r->reason]++;
		if (p->shown_refusals++ < limit)
			show_refusal(p, row, r);
		return BUS_OK;
	}
	p->accepted++;
	return p->shown_records++ < limit ? show_record(p, row, r, err) : BUS_OK;
}

static void show_summary(struct preview *p, const struct adapter_end *end)
{
	size_t n;
	const struct adapter_class *class = adapter_map_classes(p->map, &n);

	fprintf(p->out, "\n%s -> %s\n", adapter_map_feed(p->map), adapter_map_topic(p->map));
	fprintf(p->out, "  baris / rows              %10lld\n", (long long)p->rows);
	fprintf(p->out, "  diterima / accepted       %10lld\n", (long long)p->accepted);
	fprintf(p->out, "  ditolak / refused         %10lld\n", (long long)p->refused);
	fprintf(p->out, "  tak tergabung / loose     %10lld\n", (long long)p->loose);
	for (size_t i = 0; i < n; i++)
		if (p->count[i] > 0)
			fprintf(p->out, "  %-25s %10lld  %s\n", class[i].name, (long long)p->count[i],
				adapter_map_fate_text(class[i].fate));
	for (size_t i = 0; i < end->n_controls; i++)
		fprintf(p->out, "  kendali / control %-7s %10lld  terhitung / counted %lld%s\n",
			end->control[i].name, (long long)end->control[i].said,
			(long long)end->control[i].counted,
			end->control[i].said == end->control[i].counted ? "" : "  BERBEDA / DIFFERS");
	if (end->cut)
		fprintf(p->out, "  BERKAS TERPOTONG / FILE IS CUT: %s\n", end->why);
	if (p->conf->count)
		fprintf(p->out, "%lld\n", (long long)p->rows);
}

static enum bus_err read_file(struct preview *p, struct bus_error *err)
{
	const struct adapter_source_kind *kind = adapter_map_source(p->map);
	struct adapter_input *in = NULL;
	struct adapter_result result;
	struct adapter_row row;
	struct adapter_end end = { 0 };
	void *source = NULL;
	enum bus_err rc = adapter_input_open(p->conf->file, &in, err);

	if (rc == BUS_OK)
		rc = adapter_map_begin(p->map, err);
	if (rc == BUS_OK)
		rc = adapter_map_open_source(p->map, in, &source, err);
	while (rc == BUS_OK) {
		rc = kind->next(source, &row, err);
		if (rc == BUS_OK)
			rc = adapter_map_row(p->map, &row, &result, err);
		if (rc == BUS_OK)
			rc = count_row(p, &row, &result, err);
	}
	if (rc == BUS_ENOENT && source) {
		kind->end(source, &end);
		show_summary(p, &end);
		rc = BUS_OK;
	}
	if (source)
		kind->close(source);
	adapter_input_close(&in);
	return rc;
}

/* ---- mapping and schema ---- */

static enum bus_err pick_mapping(struct preview *p, struct bus_error *err)
{
	const struct adapter_preview_conf *c = p->conf;
	const char *slash = c->file ? strrchr(c->file, '/') : NULL;
	const char *name = slash ? slash + 1 : c->file;

	for (size_t i = 0; i < c->n_mappings; i++) {
		enum bus_err rc = adapter_map_load(c->mapping[i], c->env, &p->map, err);

		if (rc != BUS_OK)
			return rc;
		if (c->n_mappings == 1 || !name || adapter_map_takes(p->map, name))
			return BUS_OK;
		adapter_map_free(&p->map);
	}
	return bus_fail(err, BUS_EINVAL, "no mapping takes a file of this name; see `files` in the mappings");
}

static enum bus_err find_schema(struct preview *p, struct bus_error *err)
{
	const char *topic = adapter_map_topic(p->map), *path = adapter_map_path(p->map);
	const char *slash = strrchr(path, '/');
	char *beside =
	    bus_xasprintf("%.*s/../../../schemas/avsc", slash ? (int)(slash - path) : 1, slash ? path : ".");
	const char *const dirs[] = { p->conf->avsc_dir, "schemas/avsc", beside, "/usr/share/titian/avsc" };
	enum bus_err rc = BUS_ENOENT;

	/* A folder that was named is the only one. */
	for (size_t i = p->conf->avsc_dir ? 0 : 1;
	     i < (p->conf->avsc_dir ? 1 : BUS_LEN(dirs)) && rc == BUS_ENOENT; i++)
		if (p->conf->avsc_dir || access(dirs[i], R_OK) == 0)
			rc = adapter_preview_schema(dirs[i], topic, &p->schema, err);
	free(beside);
	if (rc == BUS_ENOENT)
		return bus_fail(err, BUS_EINVAL, "no schema with x_topik '%s' in the catalogue schemas/avsc",
				topic);
	return rc != BUS_OK ? rc : adapter_map_bind(p->map, p->schema, err);
}

static void release(struct preview *p)
{
	bus_buf_release(&p->json);
	bus_buf_release(&p->masked);
	bus_arena_free(&p->arena);
	schema_reader_free(&p->reader);
	schema_plan_free(&p->plan);
	schema_unref(&p->schema);
	adapter_map_free(&p->map);
}

enum bus_err adapter_preview_open(const struct adapter_preview_conf *conf, struct adapter_map **map,
				  struct schema **schema, struct bus_error *err)
{
	struct preview p = { .conf = conf };
	enum bus_err rc = pick_mapping(&p, err);

	if (rc == BUS_OK)
		rc = find_schema(&p, err);
	*map = NULL;
	*schema = NULL;
	if (rc == BUS_OK) {
		*map = p.map;
		*schema = p.schema;
		p.map = NULL;
		p.schema = NULL;
	}
	release(&p);
	return rc;
}

enum bus_err adapter_preview_record(struct schema *schema, struct bus_str value, bool personal, FILE *out,
				    struct bus_error *err)
{
	const struct adapter_preview_conf conf = { .personal = personal };
	struct preview p = { .conf = &conf, .out = out, .schema = schema_ref(schema) };
	const struct adapter_result r = { .value = value };
	enum bus_err rc = schema_plan(schema, NULL, &p.plan, err);

	if (rc == BUS_OK) {
		p.reader = schema_reader_new(NULL);
		p.arena = bus_arena_new(RECORD_MAX);
		rc = show_record(&p, NULL, &r, err);
	}
	release(&p);
	return rc;
}

enum bus_err adapter_preview(const struct adapter_preview_conf *conf, FILE *out, struct bus_error *err)
{
	struct preview p = { .conf = conf, .out = out };
	enum bus_err rc = pick_mapping(&p, err);

	if (rc == BUS_OK)
		rc = find_schema(&p, err);
	if (rc == BUS_OK)
		rc = schema_plan(p.schema, NULL, &p.plan, err);
	if (rc == BUS_OK) {
		p.reader = schema_reader_new(NULL);
		p.arena = bus_arena_new(RECORD_MAX);
		rc = read_file(&p, err);
	}
	release(&p);
	return rc;
}

enum bus_err adapter_preview_check(const struct adapter_preview_conf *conf, FILE *out, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < conf->n_mappings && rc == BUS_OK; i++) {
		struct adapter_preview_conf one = *conf;
		struct preview p = { .conf = &one, .out = out };

		one.mapping = &conf->mapping[i];
		one.n_mappings = 1;
		rc = pick_mapping(&p, err);
		if (rc == BUS_OK)
			rc = find_schema(&p, err);
		if (rc == BUS_OK)
			fprintf(out, "%s: baik / ok: %s -> %s\n", adapter_map_path(p.map),
				adapter_map_feed(p.map), adapter_map_topic(p.map));
		release(&p);
	}
	return rc;
}
