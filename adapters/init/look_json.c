/* JSON documents, JSON lines, GeoJSON: where the rows are, and the members they have. */
#include <stdio.h>

#include "adapters/init/shape.h"
#include "adapters/source.h"

#define DEPTH_MAX 6   /* of members that are looked at */
#define ROWS_MAX 5000 /* further rows bring no new members */
#define ARRAYS_MAX 32
#define PATH_MAX_BYTES 256
#define TREE_MAX ((size_t)16 * 1024 * 1024)

/* ---- where the rows are ---- */

struct array {
	char path[PATH_MAX_BYTES];
	uint64_t objects;
};

struct finding {
	struct array array[ARRAYS_MAX];
	size_t n;
	char name[DEPTH_MAX + 2][PATH_MAX_BYTES]; /* of the member that is open at each depth */
	bool is_array[BUS_JSON_DEPTH_MAX + 2];
	int at[BUS_JSON_DEPTH_MAX + 2]; /* which array is open there; -1: none that counts */
};

/* The path of what begins at depth; false: it lies in an array, is too deep, or cannot be written with points. */
static bool path_of(const struct finding *f, int depth, char out[PATH_MAX_BYTES])
{
	size_t n = 0;

	out[0] = '\0';
	for (int i = 1; i <= depth; i++) {
		if (i > DEPTH_MAX || f->is_array[i] || strchr(f->name[i], '.') || f->name[i][0] == '\0')
			return false;
		n += (size_t)snprintf(out + n, PATH_MAX_BYTES - n, "%s%s", n > 0 ? "." : "", f->name[i]);
		if (n >= PATH_MAX_BYTES)
			return false;
	}
	return true;
}

static void take(struct finding *f, enum bus_json_type type, struct bus_str text, int depth)
{
	int parent = type == BUS_JSON_OBJECT || type == BUS_JSON_ARRAY ? depth - 1 : depth;
	char path[PATH_MAX_BYTES];

	if (type == BUS_JSON_NAME && depth <= DEPTH_MAX)
		snprintf(f->name[depth], PATH_MAX_BYTES, "%.*s", (int)(text.n < PATH_MAX_BYTES ? text.n : 0),
			 text.p);
	if (type == BUS_JSON_OBJECT && parent >= 0 && f->is_array[parent] && f->at[parent] >= 0)
		f->array[f->at[parent]].objects++;
	if (type == BUS_JSON_OBJECT) {
		f->is_array[depth] = false;
		f->at[depth] = -1;
	} else if (type == BUS_JSON_ARRAY) {
		f->is_array[depth] = true;
		f->at[depth] = -1;
		if (f->n < ARRAYS_MAX && path_of(f, parent, path)) {
			f->at[depth] = (int)f->n;
			snprintf(f->array[f->n++].path, PATH_MAX_BYTES, "%s", path);
		}
	}
}

static enum bus_err find_arrays(const char *path, struct finding *f, struct bus_error *err)
{
	struct bus_json_puller *puller = bus_json_puller_new(NULL);
	struct adapter_input *in = NULL;
	struct bus_str piece, text;
	enum bus_json_type type = BUS_JSON_MORE;
	enum bus_err rc = adapter_input_open(path, &in, err);

	if (rc == BUS_OK)
		rc = adapter_source_sniff(in, err);
	while (rc == BUS_OK && type != BUS_JSON_END) {
		rc = adapter_input_piece(in, &piece, err);
		if (rc == BUS_ENOENT) {
			piece = (struct bus_str){ "", 0 };
			bus_json_feed(puller, "", 0, true);
			rc = BUS_OK;
		} else if (rc == BUS_OK) {
			bus_json_feed(puller, piece.p, piece.n, false);
		}
		do {
			if (rc == BUS_OK)
				rc = bus_json_next(puller, &type, &text, err);
			if (rc == BUS_OK)
				take(f, type, text, bus_json_depth(puller));
		} while (rc == BUS_OK && type != BUS_JSON_MORE && type != BUS_JSON_END);
		if (rc == BUS_OK && type == BUS_JSON_MORE && piece.n == 0)
			break;
	}
	bus_json_puller_free(&puller);
	adapter_input_close(&in);
	return rc;
}

/* ---- the members ---- */

struct members {
	struct adapter_init_shape *out;
	struct bus_arena *arena;
	uint64_t rows;
	size_t unwritable; /* names with a point */
	size_t nested;	   /* arrays of objects */
};

static void add(struct members *m, const char *path, bool list)
{
	struct adapter_init_shape *s = m->out;

	for (size_t i = 0; i < s->n_columns; i++) {
		if (strcmp(s->column[i], path) == 0) {
			s->list[i] |= list;
			return;
		}
	}
	adapter_init_column_add(s, path, list);
}

/* A GeoJSON geometry (RFC 7946): of its coordinates, however deep, the mapping wants the place. */
static bool is_geometry(const struct bus_json *object)
{
	const struct bus_json *type = bus_json_get(object, "type"),
			      *coordinates = bus_json_get(object, "coordinates");

	return type && type->type == BUS_JSON_STRING && coordinates && coordinates->type == BUS_JSON_ARRAY;
}

static void add_place(struct members *m, const char *path)
{
	static const char *const axis[] = { "@lon", "@lat" };

	for (size_t i = 0; i < BUS_LEN(axis); i++) {
		char place[PATH_MAX_BYTES + 8];

		snprintf(place, sizeof(place), "%s.%s", path, axis[i]);
		add(m, place, false);
	}
}

static void walk(struct members *m, const struct bus_json *object, const char *prefix, int depth)
{
	for (const struct bus_json *v = object->first; v; v = v->next) {
		char path[PATH_MAX_BYTES];
		int n = snprintf(path, sizeof(path), "%s%s%.*s", prefix, *prefix ? "." : "", (int)v->name.n,
				 v->name.p);

		if (n >= (int)sizeof(path) || v->name.n == 0 || memchr(v->name.p, '.', v->name.n) ||
		    memchr(v->name.p, '\0', v->name.n)) {
			m->unwritable++;
			continue;
		}
		if (v->type == BUS_JSON_OBJECT && is_geometry(v))
			add_place(m, path);
		else if (v->type == BUS_JSON_OBJECT && depth < DEPTH_MAX)
			walk(m, v, path, depth + 1);
		else if (v->type == BUS_JSON_ARRAY && v->first &&
			 (v->first->type == BUS_JSON_OBJECT || v->first->type == BUS_JSON_ARRAY))
			m->nested++;
		else if (v->type != BUS_JSON_OBJECT && !(v->type == BUS_JSON_ARRAY && !v->first))
			add(m, path, v->type == BUS_JSON_ARRAY);
	}
}

static void take_row(void *ctx, const struct adapter_row *row)
{
	struct members *m = ctx;
	struct bus_json *tree;

	if (m->rows++ >= ROWS_MAX || row->defect)
		return;
	bus_arena_reset(m->arena);
	if (bus_json_parse(row->raw, NULL, m->arena, &tree, NULL) == BUS_OK && tree->type == BUS_JSON_OBJECT)
		walk(m, tree, "", 1);
}

static enum bus_err find_members(const char *path, struct adapter_init_shape *out, struct bus_error *err)
{
	struct members m = { .out = out, .arena = bus_arena_new(TREE_MAX) };
	struct adapter_init_shape bare = { .kind = out->kind, .source = out->source };
	enum bus_err rc = adapter_init_read(path, &bare, take_row, &m, &out->expected, err);

	bus_arena_free(&m.arena);
	if (rc == BUS_OK && out->expected == 0)
		rc = bus_fail(err, BUS_EDATA,
			      "tidak ada rekaman di berkas ini / there is no record in this file");
	if (rc == BUS_OK && out->n_columns == 0)
		rc = bus_fail(
		    err, BUS_EDATA,
		    "unsur-unsurnya bukan objek dengan isian / the elements are no objects with members");
	if (m.nested > 0)
		adapter_init_note(
		    out, ADAPTER_INIT_LOW, true,
		    "larik berisi objek tidak dipetakan; tambahkan dengan {each: ...} bila perlu / arrays of "
		    "objects are left out; add them with {each: ...} if they are needed");
	if (m.unwritable > 0)
		adapter_init_note(
		    out, ADAPTER_INIT_LOW, true,
		    "nama anggota yang memuat titik tidak dipetakan / members with a point in their name are "
		    "left out");
	return rc;
}

enum bus_err adapter_init_look_json(const char *path, bool lines, const struct adapter_init_want *want,
				    struct adapter_init_shape *out, struct bus_error *err)
{
	struct finding *f = NULL;
	const char *rows = want->rows;
	size_t best = 0;
	enum bus_err rc = BUS_OK;

	if (lines) {
		out->kind = "jsonl";
		bus_buf_puts(&out->source, "kind: jsonl\n");
		adapter_init_note(
		    out, ADAPTER_INIT_HIGH, false,
		    "JSON baris demi baris: tiap baris satu objek / JSON lines: one object a line");
		return find_members(path, out, err);
	}
	f = bus_xcalloc(1, sizeof(*f));
	if (!rows)
		rc = find_arrays(path, f, err);
	for (size_t i = 1; i < f->n; i++)
		if (f->array[i].objects > f->array[best].objects)
			best = i;
	if (rc == BUS_OK && !rows && (f->n == 0 || f->array[best].objects == 0))
		rc = bus_fail(
		    err, BUS_EDATA,
		    "dokumen JSON ini tidak memuat larik berisi objek / this JSON document holds no array of "
		    "objects");
	if (rc == BUS_OK) {
		rows = rows ? rows : f->array[best].path;
		out->kind = "json";
		bus_buf_puts(&out->source, "kind: json\n");
		if (rows[0]) {
			bus_buf_puts(&out->source, "rows: ");
			adapter_init_put_yaml(&out->source, rows);
			bus_buf_puts(&out->source, "\n");
		}
		adapter_init_note(out, ADAPTER_INIT_HIGH, false,
				  "satu dokumen JSON; rekamannya unsur larik '%s', yang terpanjang / one "
				  "JSON document; its "
				  "records are the elements of the array '%s', the longest",
				  rows[0] ? rows : "(dokumen)", rows[0] ? rows : "(document)");
		rc = find_members(path, out, err);
	}
	free(f);
	return rc;
}
