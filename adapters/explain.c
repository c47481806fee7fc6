#include "adapters/explain.h"

#include <inttypes.h>

#include "adapters/input.h"
#include "adapters/map_impl.h"
#include "bus/clock.h"
#include "bus/plain.h"
#include "schemas/catalogue/personal.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

struct explain {
	const struct adapter_preview_conf *conf;
	FILE *out;
	struct adapter_map *map;
	struct schema *schema;
	bool hidden[MAP_COLUMNS_MAX]; /* the column's values are personal */
	bool slot_hidden[MAP_SLOTS_MAX];
};

/* ---- what is personal ---- */

static bool field_personal(const struct explain *x, const char *name)
{
	const struct schema_field *f = schema_field_find(schema_root(x->schema), name, NULL);
	const char *class = f ? schema_property(f->properties, "x_pdp") : NULL;

	return !class || (class[0] && strchr("USA", class[0]));
}

static const char *last_part(const char *name)
{
	const char *p = strrchr(name, '/'), *dot = strrchr(name, '.');

	return p && p[1] == ' ' ? p + 2 : dot && dot[1] ? dot + 1 : name;
}

/* A value is personal when a field it becomes is, or a column it comes from; a column, when its name says so or a value made
 * of it is. A pseudonym is not, though what it is made of is. */
static void find_personal(struct explain *x)
{
	const struct map_program *p = &x->map->scope->program;
	bool sure;

	for (size_t i = 0; i < x->map->n_columns; i++)
		x->hidden[i] = schema_class_of_name(last_part(x->map->column[i]), &sure) != 'N';
	for (size_t i = 0; i < x->map->n_fields; i++)
		x->slot_hidden[x->map->field[i].slot] |= field_personal(x, x->map->field[i].name);
	/* From the fields back to what they are made of, then forward again. */
	for (size_t i = p->n_ops; i-- > 0;) {
		const struct map_op *op = &p->op[i];
		const struct map_parts *parts = op->arg;
		const struct map_id *id = op->kind == MAP_OP_ID ? op->arg : NULL;

		x->slot_hidden[op->slot] |= op->kind == MAP_OP_NIK || (id && id->personal);
		if (!x->slot_hidden[op->slot] && op->kind != MAP_OP_PSEUDONYM)
			continue;
		if (op->kind == MAP_OP_CELL)
			x->hidden[op->column] = true;
		else if (op->kind == MAP_OP_COPY)
			x->slot_hidden[op->other] = true;
		else if (op->kind == MAP_OP_JOIN || op->kind == MAP_OP_FIRST || op->kind == MAP_OP_PSEUDONYM)
			for (size_t k = 0; k < parts->n; k++)
				x->slot_hidden[parts->slot[k]] = true;
	}
	for (size_t i = 0; i < p->n_ops; i++) {
		const struct map_op *op = &p->op[i];
		const struct map_parts *parts = op->arg;

		if (op->kind == MAP_OP_CELL)
			x->slot_hidden[op->slot] |= x->hidden[op->column];
		else if (op->kind == MAP_OP_COPY)
			x->slot_hidden[op->slot] |= x->slot_hidden[op->other];
		else if (op->kind == MAP_OP_JOIN || op->kind == MAP_OP_FIRST)
			for (size_t k = 0; k < parts->n; k++)
				x->slot_hidden[op->slot] |= x->slot_hidden[parts->slot[k]];
		else if (op->kind == MAP_OP_PSEUDONYM)
			x->slot_hidden[op->slot] = false;
	}
}

/* ---- showing values ---- */

static void show_text(const struct explain *x, struct bus_str s, bool hidden)
{
	char shown[200];
	size_t n = s.n < sizeof(shown) ? s.n : sizeof(shown);

	if (hidden && !x->conf->personal) {
		fprintf(x->out, "\u2022\u2022\u2022 (%zu)", s.n);
		return;
	}
	if (n > 0)
		memcpy(shown, s.p, n);
	bus_plain(shown, n, false);
	fprintf(x->out, "'%.*s'%s", (int)n, shown, s.n > n ? "..." : "");
}

static void show_slot(const struct explain *x, uint16_t slot, enum map_type type, const struct map_slot *s)
{
	char text[40];

	if (s->state == MAP_NOTHING) {
		fprintf(x->out, "kosong / nothing");
		return;
	}
	if (s->state == MAP_BAD) {
		fprintf(x->out, "BURUK / BAD: %s", adapter_map_why_text(s->why));
		return;
	}
	switch (type) {
	case MAP_LIST:
		fprintf(x->out, "%zu unsur / items", s->items.n);
		break;
	case MAP_FLAGS:
		break;
	case MAP_WHOLE:
		snprintf(text, sizeof(text), "%" PRId64, s->whole);
		show_text(x, bus_str(text), x->slot_hidden[slot]);
		break;
	case MAP_DATE:
	case MAP_TIME:
		bus_clock_iso_wib(type == MAP_DATE ? s->whole * DAY_MS : s->whole, text, sizeof(text));
		if (type == MAP_DATE)
			text[10] = '\0';
		show_text(x, bus_str(text), x->slot_hidden[slot]);
		break;
	default:
		show_text(x, s->text, x->slot_hidden[slot]);
	}
	if (s->alt > 0)
		fprintf(x->out, "  (bentuk ke-%d / form %d)", s->alt + 1, s->alt + 1);
	if (s->doubt)
		fprintf(x->out, "  (meragukan / doubtful: %s)", adapter_map_why_text(s->doubt));
}

static const char *const op_names[] = {
	[MAP_OP_CELL] = "from",		 [MAP_OP_MEMBER] = "from",
	[MAP_OP_ITEM] = "item",		 [MAP_OP_COPY] = "value",
	[MAP_OP_CONST] = "text",	 [MAP_OP_JOIN] = "join",
	[MAP_OP_FIRST] = "first",	 [MAP_OP_PSEUDONYM] = "pseudonym",
	[MAP_OP_EACH] = "each",		 [MAP_OP_CLEAN] = "clean",
	[MAP_OP_UPPER] = "upper",	 [MAP_OP_LOWER] = "lower",
	[MAP_OP_STRIP] = "strip_prefix", [MAP_OP_REMOVE] = "remove",
	[MAP_OP_NULLS] = "null_if",	 [MAP_OP_CUT] = "cut",
	[MAP_OP_DIGITS] = "digits",	 [MAP_OP_NIK] = "nik",
	[MAP_OP_NIK_DATE] = "nik_date",	 [MAP_OP_NIK_SEX] = "nik_sex",
	[MAP_OP_DATE] = "date",		 [MAP_OP_TIME] = "time",
	[MAP_OP_WHOLE] = "whole",	 [MAP_OP_RUPIAH] = "rupiah",
	[MAP_OP_DECIMAL] = "decimal",	 [MAP_OP_ID] = "",
	[MAP_OP_WORDS] = "words",	 [MAP_OP_LOOKUP] = "lookup / known",
};

static const char *op_name(const struct map_op *op)
{
	const struct map_id *id = op->arg;

	if (op->kind == MAP_OP_ID)
		return id->name;
	return op->kind < BUS_LEN(op_names) && op_names[op->kind] ? op_names[op->kind] : "?";
}

/* A slot is of its last type only when all of its conversions are done; before that of the type that they begin with. */
static enum map_type type_after(const struct map_program *p, size_t i, enum map_type last)
{
	for (size_t k = i + 1; k < p->n_ops; k++)
		if (p->op[k].slot == p->op[i].slot)
			return MAP_TEXT;
	return last;
}

static void show_cells(const struct explain *x, const struct adapter_row *row)
{
	fprintf(x->out, "\nSumber / source\n");
	for (size_t i = 0; i < x->map->n_columns && i < row->n_cells; i++) {
		const struct adapter_cell *c = &row->cell[i];

		fprintf(x->out, "  %-28.80s ", x->map->column[i]);
		if (c->kind == ADAPTER_TEXT || c->kind == ADAPTER_NUMBER)
			show_text(x, c->text, x->hidden[i]);
		else
			fputs(c->kind == ADAPTER_MISSING ? "tidak ada / not there"
			      : c->kind == ADAPTER_NULL	 ? "null"
			      : c->kind == ADAPTER_BROKEN
				  ? adapter_map_why_text((enum map_why)(MAP_WHY_CELL_ERROR + (int)c->broken))
				  : "objek, larik, benar/salah / object, array, true/false",
			      x->out);
		fprintf(x->out, "%s\n", c->kind == ADAPTER_NUMBER ? "  (bilangan / number)" : "");
	}
}

/* The program once more, an operation at a time. */
static void show_steps(struct explain *x, const struct adapter_row *row)
{
	const struct map_program *p = &x->map->scope->program;

	fprintf(x->out, "\nPemetaan / mapping (%s)\n", x->map->path);
	for (size_t i = 0; i < p->n_ops; i++) {
		struct map_program one = { .op = &p->op[i], .n_ops = 1, .n_slots = p->n_slots };
		uint16_t slot = p->op[i].slot;
		const struct map_info *info = &x->map->scope->info[slot];
		bool conversion = p->op[i].kind >= MAP_OP_CONVERSIONS;

		if (conversion && x->map->slot[slot].state != MAP_GOOD)
			continue; /* passed over */
		adapter_map_run(x->map, &one, x->map->slot, row, NULL);
		if (!conversion)
			fprintf(x->out, "  %s (baris/line %d)\n", info->name ? info->name : "?", info->line);
		fprintf(x->out, "    %-14s -> ", op_name(&p->op[i]));
		show_slot(x, slot, type_after(p, i, info->type), &x->map->slot[slot]);
		fputc('\n', x->out);
	}
}

static void show_fate(struct explain *x, const struct adapter_result *r)
{
	static const char *const fates[] = { "refuse", "flag", "loose", "note", "seen" };
	const struct adapter_class *class = x->map->class;

	fprintf(x->out, "\nPemeriksaan / checks\n");
	for (size_t i = 0; i < r->n_flags; i++)
		fprintf(x->out, "  %s (%s)\n", class[r->flag[i]].name, fates[class[r->flag[i]].fate]);
	if (r->fate == ADAPTER_REFUSE)
		fprintf(x->out, "  %s (refuse)%s%s: %s\n", class[r->reason].name,
			r->field ? ", kolom/column " : "", r->field ? r->field : "", r->detail);
	if (r->n_flags == 0 && r->fate == ADAPTER_PUBLISH)
		fprintf(x->out, "  tidak ada yang kena / none held\n");
	fprintf(x->out, "\nHasil / outcome: %s\n",
		r->fate == ADAPTER_REFUSE ? "DITOLAK, ke karantina / REFUSED, to quarantine"
					  : "DITERBITKAN / PUBLISHED");
	if (r->fate == ADAPTER_PUBLISH) {
		char hex[BUS_PSEUDONYM_LEN + 1];

		bus_pseudonym_make(x->map->pseudonym, "explain:", r->key, hex);
		fprintf(x->out,
			"  kunci, disamarkan pada layar ini / key, disguised on this screen: %.16s\n"
			"  partisi / partition: murmur2(kunci/key) mod jumlah partisi / number of partitions "
			"of %s\n",
			hex, adapter_map_topic(x->map));
	}
}

static enum bus_err show_row(struct explain *x, const struct adapter_row *row, struct bus_error *err)
{
	struct adapter_result result;
	enum bus_err rc;

	fprintf(x->out, "%s, baris / line %" PRIu64 "\n", x->map->feed, row->line);
	if (row->defect) {
		fprintf(x->out, "\nTak terbaca menurut sumbernya / unreadable by its source\n");
	} else {
		show_cells(x, row);
		bus_arena_reset(x->map->row);
		show_steps(x, row);
	}
	/* The steps were tried alone: what checks remember of earlier rows is untouched until here. */
	rc = adapter_map_row(x->map, row, &result, err);
	if (rc != BUS_OK)
		return rc;
	show_fate(x, &result);
	return result.fate == ADAPTER_PUBLISH
		   ? adapter_preview_record(x->schema, result.value, x->conf->personal, x->out, err)
		   : BUS_OK;
}

static enum bus_err find_row(struct explain *x, const struct adapter_source_kind *kind, void *source,
			     uint64_t wanted, bool by_record, struct bus_error *err)
{
	struct adapter_result result;
	struct adapter_row row;
	uint64_t n = 0, before = 0;
	enum bus_err rc;

	while ((rc = kind->next(source, &row, err)) == BUS_OK) {
		n++;
		if ((by_record ? n : row.line) == wanted)
			return show_row(x, &row, err);
		if (!by_record && row.line > wanted)
			break;
		before = row.line;
		rc = adapter_map_row(x->map, &row, &result, err);
		if (rc != BUS_OK)
			return rc;
	}
	if (rc != BUS_OK && rc != BUS_ENOENT)
		return rc;
	return bus_fail(err, BUS_ENOENT,
			by_record ? "rekaman %" PRIu64 " tidak ada; berkas memuat %" PRIu64
				    " / no record %" PRIu64 "; the file holds %" PRIu64
				  : "di baris %" PRIu64
				    " tidak ada rekaman; yang terakhir sebelumnya di %" PRIu64
				    " / no record begins on line %" PRIu64 "; the last before it on %" PRIu64,
			wanted, by_record ? n : before, wanted, by_record ? n : before);
}

enum bus_err adapter_explain(const struct adapter_preview_conf *conf, uint64_t row, bool by_record, FILE *out,
			     struct bus_error *err)
{
	struct explain *x = bus_xcalloc(1, sizeof(*x));
	const struct adapter_source_kind *kind = NULL;
	struct adapter_input *in = NULL;
	void *source = NULL;
	enum bus_err rc;

	x->conf = conf;
	x->out = out;
	rc = adapter_preview_open(conf, &x->map, &x->schema, err);
	if (rc == BUS_OK) {
		find_personal(x);
		kind = adapter_map_source(x->map);
		rc = adapter_input_open(conf->file, &in, err);
	}
	if (rc == BUS_OK)
		rc = adapter_map_begin(x->map, err);
	if (rc == BUS_OK)
		rc = adapter_map_open_source(x->map, in, &source, err);
	if (rc == BUS_OK)
		rc = find_row(x, kind, source, row, by_record, err);
	if (source)
		kind->close(source);
	adapter_input_close(&in);
	adapter_map_free(&x->map);
	schema_unref(&x->schema);
	free(x);
	return rc;
}
