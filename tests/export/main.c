/* A table as a file, for tests that read it with other people's readers: export_file KIND [PACK] < TABLE > FILE
 * TABLE: {"columns": [{"name", "type", "pdp"}...], "excel": false, "clear": bits, "rows": [[cell...]...]}; the first
 * column is the key; a cell is null, a boolean, a number, a text, or {"hex": bytes of a text}, {"real": number}. */
#include <stdio.h>

#include "gateway/export/file.h"
#include "bus/json.h"

static struct bus_arena *arena;

static void must(enum bus_err rc, const struct bus_error *err)
{
	if (rc == BUS_OK)
		return;
	fprintf(stderr, "%s: %s\n", bus_err_name(rc), err->text);
	exit(1);
}

static const char *text_of(const struct bus_json *j, const char *name)
{
	const struct bus_json *v = bus_json_get(j, name);

	return v ? bus_arena_dup(arena, v->text.p, v->text.n) : NULL;
}

static enum gw_type type_of(const char *name)
{
	static const char *const names[] = { "null", "int", "real", "text", "bool", "json" };

	for (size_t i = 0; i < BUS_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum gw_type)i;
	abort();
}

static struct bus_str unhex(struct bus_str hex)
{
	char *p = bus_arena_alloc(arena, hex.n / 2 + 1);
	unsigned byte;

	for (size_t i = 0; i + 1 < hex.n; i += 2) {
		const char two[3] = { hex.p[i], hex.p[i + 1], 0 };

		byte = (unsigned)strtoul(two, NULL, 16);
		p[i / 2] = (char)byte;
	}
	return (struct bus_str){ p, hex.n / 2 };
}

static struct gw_value value_of(const struct bus_json *j, enum gw_type declared)
{
	const struct bus_json *hex = bus_json_get(j, "hex"), *real = bus_json_get(j, "real");

	switch (j->type) {
	case BUS_JSON_NULL:
		return (struct gw_value){ .type = GW_NULL };
	case BUS_JSON_TRUE:
	case BUS_JSON_FALSE:
		return (struct gw_value){ .type = GW_BOOL, .i = j->type == BUS_JSON_TRUE };
	case BUS_JSON_NUMBER:
		if (declared == GW_REAL)
			return (struct gw_value){ .type = GW_REAL, .r = strtod(j->text.p, NULL) };
		return (struct gw_value){ .type = GW_INT, .i = strtoll(j->text.p, NULL, 10) };
	case BUS_JSON_STRING:
		return (struct gw_value){ .type = declared == GW_JSON ? GW_JSON : GW_TEXT, .s = j->text };
	default:
		if (real)
			return (struct gw_value){ .type = GW_REAL, .r = strtod(real->text.p, NULL) };
		return (struct gw_value){ .type = declared == GW_JSON ? GW_JSON : GW_TEXT,
					  .s = unhex(hex->text) };
	}
}

static enum bus_err to_stdout(void *ctx, const void *p, size_t n, struct bus_error *err)
{
	(void)ctx;
	return fwrite(p, 1, n, stdout) == n ? BUS_OK : bus_fail(err, BUS_EIO, "cannot write");
}

static void read_all(struct bus_buf *b)
{
	size_t n;

	do {
		bus_buf_reserve(b, 1 << 16);
		n = fread(b->p + b->n, 1, b->cap - b->n, stdin);
		b->n += n;
	} while (n > 0);
}

int main(int argc, char **argv)
{
	const struct bus_json_limits limits = { .text = 64 * 1024 * 1024 };
	const struct gw_sink sink = { .put = to_stdout };
	const struct gw_file_kind *kind = argc > 1 ? gw_file_kind_named(argv[1]) : NULL;
	struct gw_column column[GW_COLUMNS_MAX] = { 0 };
	struct gw_view view = { .name = "uji", .title_id = "Uji", .owner = "diskominfo", .column = column };
	struct gw_params params = { .view = &view,
				    .grant = { .allowed = true, .shown = ~0ULL, .clear = ~0ULL } };
	struct gw_value value[GW_COLUMNS_MAX];
	struct gw_sheet sheet = {
		.params = &params, .as_of = "2026-01-02T03:04:05+07:00", .cursor = "kursor", .folder = "."
	};
	struct bus_error err = { 0 };
	struct bus_buf in = { 0 };
	struct bus_json *table;
	const struct bus_json *at, *clear;
	void *w;

	if (!kind)
		return 2;
	sheet.pack = kind->usual;
	for (int i = 0; argc > 2 && i < GW_PACKS; i++)
		if (strcmp(gw_pack_name[i], argv[2]) == 0)
			sheet.pack = (enum gw_pack)i;
	arena = bus_arena_new(0);
	read_all(&in);
	must(bus_json_parse(bus_buf_str(&in), &limits, arena, &table, &err), &err);
	for (at = bus_json_get(table, "columns")->first; at; at = at->next) {
		struct gw_column *c = &column[view.n_columns];

		c->name = text_of(at, "name");
		c->title_id = text_of(at, "title");
		c->unit = text_of(at, "unit");
		c->pdp = 'N';
		c->type = type_of(text_of(at, "type"));
		params.name[params.n_columns] = c->name;
		params.column[params.n_columns++] = (uint8_t)view.n_columns++;
	}
	params.excel = bus_json_get(table, "excel") && bus_json_get(table, "excel")->type == BUS_JSON_TRUE;
	clear = bus_json_get(table, "clear");
	if (clear)
		params.grant.clear = strtoull(clear->text.p, NULL, 10);
	must(kind->open(&sheet, &sink, &w, &err), &err);
	for (at = bus_json_get(table, "rows")->first; at; at = at->next) {
		size_t i = 0;

		for (const struct bus_json *cell = at->first; cell; cell = cell->next, i++)
			value[i] = value_of(cell, column[i].type);
		must(kind->row(w, value, &err), &err);
	}
	must(kind->end(w, &err), &err);
	kind->free(w);
	bus_arena_free(&arena);
	bus_buf_release(&in);
	return fflush(stdout) == 0 ? 0 : 1;
}
