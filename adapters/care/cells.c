#include "adapters/care/cells.h"

#include "bus/json_out.h"

static void put_cell(struct bus_json_out *j, const struct adapter_cell *cell)
{
	switch (cell->kind) {
	case ADAPTER_TEXT:
		bus_json_put_str(j, cell->text);
		return;
	case ADAPTER_NULL:
		bus_json_put_null(j);
		return;
	case ADAPTER_MISSING:
	case ADAPTER_NUMBER:
	case ADAPTER_TREE:
	case ADAPTER_BROKEN:
		break;
	}
	bus_json_object(j);
	if (cell->kind == ADAPTER_NUMBER) {
		bus_json_key(j, "angka");
		bus_json_put_str(j, cell->text);
		if (cell->rounded)
			bus_json_bool_member(j, "bulat", true);
	} else if (cell->kind == ADAPTER_BROKEN) {
		bus_json_int_member(j, "rusak", cell->broken);
	} else if (cell->kind == ADAPTER_TREE) {
		bus_json_key(j, "pohon");
		bus_json_put_tree(j, cell->tree);
	}
	bus_json_object_end(j);
}

void adapter_cells_put(const char *const *name, size_t n, const struct adapter_row *row, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	for (size_t i = 0; i < n && i < row->n_cells; i++) {
		bus_json_key(&j, name[i]);
		put_cell(&j, &row->cell[i]);
	}
	bus_json_object_end(&j);
}

static enum bus_err parse(struct bus_str text, struct bus_arena *arena, struct bus_json **out,
			  struct bus_error *err)
{
	enum bus_err rc = bus_json_parse(text, NULL, arena, out, NULL);

	if (rc || (*out)->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EDATA, "the columns that were kept of this row cannot be read");
	return BUS_OK;
}

static struct adapter_cell cell_of(const struct bus_json *v)
{
	const struct bus_json *number, *broken, *tree;
	int64_t code;

	if (v->type == BUS_JSON_STRING)
		return (struct adapter_cell){ .kind = ADAPTER_TEXT, .text = v->text };
	if (v->type != BUS_JSON_OBJECT)
		return (struct adapter_cell){ .kind = ADAPTER_NULL };
	number = bus_json_get(v, "angka");
	broken = bus_json_get(v, "rusak");
	tree = bus_json_get(v, "pohon");
	if (number && number->type == BUS_JSON_STRING)
		return (struct adapter_cell){ .kind = ADAPTER_NUMBER,
					      .text = number->text,
					      .rounded = bus_json_get(v, "bulat") != NULL };
	if (broken) {
		bool known =
		    bus_json_int(broken, &code) == BUS_OK && code >= 0 && code < ADAPTER_CELL_UNREADABLE;

		return (struct adapter_cell){ .kind = ADAPTER_BROKEN,
					      .broken = known ? (enum adapter_broken)code
							      : ADAPTER_CELL_UNREADABLE };
	}
	if (tree)
		return (struct adapter_cell){ .kind = ADAPTER_TREE, .tree = tree };
	return (struct adapter_cell){ .kind = ADAPTER_MISSING };
}

enum bus_err adapter_cells_get(struct bus_str text, const char *const *name, size_t n,
			       struct bus_arena *arena, struct adapter_cell *cell, struct bus_error *err)
{
	struct bus_json *tree;
	enum bus_err rc = parse(text, arena, &tree, err);

	for (size_t i = 0; i < n && !rc; i++) {
		const struct bus_json *v = bus_json_get(tree, name[i]);

		if (!v)
			return bus_fail(err, BUS_EDATA, "column '%s' was not kept when the row was refused",
					name[i]);
		cell[i] = cell_of(v);
	}
	return rc;
}

static const struct adapter_cell_change *find(const struct adapter_cell_change *change, size_t n,
					      struct bus_str name)
{
	for (size_t i = 0; i < n; i++)
		if (bus_str_eq(change[i].name, name))
			return &change[i];
	return NULL;
}

enum bus_err adapter_cells_change(struct bus_str text, const struct adapter_cell_change *change, size_t n,
				  struct bus_arena *arena, struct bus_buf *out, struct bus_error *err)
{
	struct bus_json_out j = { .buf = out };
	struct bus_json *tree = NULL;
	enum bus_err rc = text.n > 0 ? parse(text, arena, &tree, err) : BUS_OK;

	if (rc)
		return rc;
	bus_json_object(&j);
	for (const struct bus_json *v = tree ? tree->first : NULL; v; v = v->next) {
		const struct adapter_cell_change *c = find(change, n, v->name);

		bus_json_key_str(&j, v->name);
		if (c)
			bus_json_put_str(&j, c->text);
		else
			bus_json_put_tree(&j, v);
	}
	for (size_t i = 0; i < n; i++) {
		bool there = false;

		for (const struct bus_json *v = tree ? tree->first : NULL; v; v = v->next)
			there |= bus_str_eq(v->name, change[i].name);
		if (there)
			continue;
		bus_json_key_str(&j, change[i].name);
		bus_json_put_str(&j, change[i].text);
	}
	bus_json_object_end(&j);
	return BUS_OK;
}

struct bus_str adapter_cells_text(const struct bus_json *member)
{
	struct adapter_cell cell = cell_of(member);

	return cell.kind == ADAPTER_TEXT || cell.kind == ADAPTER_NUMBER ? cell.text
									: (struct bus_str){ "", 0 };
}
