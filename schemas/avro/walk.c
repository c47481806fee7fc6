/* Cells -> events. */
#include "schemas/avro/machine.h"

struct walk {
	struct schema_level *top; /* the first free one */
	const struct schema_cell *root;
	const struct schema_sink *sink;
};

#define EMIT(event, ...) (w->sink->event ? w->sink->event(w->sink->ctx, __VA_ARGS__) : BUS_OK)

/* Tells of a value; of a record, array or map: only that it begins. */
static enum bus_err begin(struct walk *w, const struct schema_node *type, const struct schema_cell *cell)
{
	enum bus_err rc;

	if (type->type == SCHEMA_UNION) {
		rc = EMIT(branch, type, (int32_t)cell->branch);
		if (rc != BUS_OK)
			return rc;
		type = type->branch[cell->branch];
	}
	switch (type->type) {
	case SCHEMA_NULL:
		return EMIT(null, type);
	case SCHEMA_BOOLEAN:
		return EMIT(boolean, type, cell->i != 0);
	case SCHEMA_INT:
	case SCHEMA_LONG:
		return EMIT(integer, type, cell->i);
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return EMIT(real, type, cell->r);
	case SCHEMA_STRING:
		return EMIT(text, type, ((struct bus_str){ cell->p, cell->n }));
	case SCHEMA_BYTES:
	case SCHEMA_FIXED:
		return EMIT(bytes, type, ((struct bus_str){ cell->p, cell->n }));
	case SCHEMA_ENUM:
		return EMIT(symbol, type, (int32_t)cell->i);
	case SCHEMA_RECORD:
		rc = EMIT(record, type);
		break;
	case SCHEMA_ARRAY:
		rc = EMIT(array, type);
		break;
	case SCHEMA_MAP:
	default:
		rc = EMIT(map, type);
	}
	/* The cells nest as deep as the frames did, and an empty array or map one more. */
	if (rc == BUS_OK)
		*w->top++ = (struct schema_level){ type, w->root + cell->at, 0, cell->n };
	return rc;
}

/* The next part of the innermost record, array or map, or its end. */
static enum bus_err next(struct walk *w)
{
	struct schema_level *l = w->top - 1;
	const struct schema_node *type = l->node->item;
	uint32_t i = l->i++;
	enum bus_err rc = BUS_OK;

	if (i == l->n) {
		w->top--;
		return EMIT(end, l->node);
	}
	if (l->node->type == SCHEMA_RECORD) {
		type = l->node->field[i].type;
		rc = EMIT(field, l->node, i);
	} else if (l->node->type == SCHEMA_MAP) {
		rc = EMIT(key, l->node, ((struct bus_str){ l->cell->p, l->cell->n }));
		l->cell++;
	}
	return rc == BUS_OK ? begin(w, type, l->cell++) : rc;
}

enum bus_err schema_walk(struct schema_reader *r, const struct schema_node *type,
			 const struct schema_cell *root, const struct schema_cell *cell,
			 const struct schema_sink *sink)
{
	struct walk w = { .root = root, .sink = sink };
	enum bus_err rc;

	if (!r->level)
		r->level = bus_xmalloc(((size_t)r->limits.depth + 1) * sizeof(*r->level));
	w.top = r->level;
	rc = begin(&w, type, cell);
	while (rc == BUS_OK && w.top > r->level)
		rc = next(&w);
	return rc;
}

enum bus_err schema_read(struct schema_reader *r, const struct schema_plan *p, struct bus_str datum,
			 const struct schema_sink *sink, struct bus_error *err)
{
	const struct schema_cell *root;
	enum bus_err rc = schema_read_cells(r, p, datum, &root, err);

	if (rc != BUS_OK)
		return rc;
	rc = schema_walk(r, schema_root(p->reader), root, root, sink);
	return rc == BUS_OK ? BUS_OK : bus_fail(err, rc, "datum refused by its receiver");
}
