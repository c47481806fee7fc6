/* Slots to Avro binary (Avro specification, "Binary Encoding"), through the writers made by map_bind.c. */
#include "adapters/map_impl.h"
#include "schemas/avro/plain.h"
#include "schemas/avro/write.h"

static bool fail(struct adapter_map *m, enum map_why why)
{
	m->failed_why = why;
	return false;
}

static bool write_enum(struct adapter_map *m, const struct map_writer *w, struct bus_str text)
{
	for (size_t i = 0; i < w->type->n; i++) {
		if (bus_str_is(text, w->type->symbol[i])) {
			schema_put_long(&m->value, (int64_t)i);
			return true;
		}
	}
	return fail(m, MAP_WHY_WORD);
}

static bool write_decimal(struct adapter_map *m, const struct map_writer *w, struct bus_str text)
{
	bus_buf_reset(&m->decimal);
	if (!schema_plain_decimal_parse(w->type, text, &m->decimal))
		return fail(m, MAP_WHY_SCALE);
	if (w->type->type == SCHEMA_BYTES)
		schema_put_long(&m->value, (int64_t)m->decimal.n);
	bus_buf_put(&m->value, m->decimal.p, m->decimal.n);
	return true;
}

static bool write_boolean(struct adapter_map *m, struct bus_str text)
{
	bool yes = bus_str_is(text, "true");

	if (!yes && !bus_str_is(text, "false"))
		return fail(m, MAP_WHY_WORD);
	schema_put_boolean(&m->value, yes);
	return true;
}

static bool write_one(struct adapter_map *m, const struct map_writer *w, const struct map_slot *slot);

static bool write_list(struct adapter_map *m, const struct map_writer *w, const struct map_items *items)
{
	if (items->n > 0) {
		schema_put_long(&m->value, (int64_t)items->n);
		for (size_t i = 0; i < items->n; i++)
			if (!write_one(m, w->item, items->slot + i * w->n_slots))
				return false;
	}
	schema_put_long(&m->value, 0);
	return true;
}

static bool write_good(struct adapter_map *m, const struct map_writer *w, const struct map_slot *s)
{
	if (w->value_at >= 0)
		schema_put_long(&m->value, w->value_at);
	switch (w->kind) {
	case MAP_WRITE_TEXT:
		schema_put_text(&m->value, s->text);
		return true;
	case MAP_WRITE_WHOLE:
		if (w->narrow && (s->whole < INT32_MIN || s->whole > INT32_MAX))
			return fail(m, MAP_WHY_RANGE);
		schema_put_long(&m->value, s->whole);
		return true;
	case MAP_WRITE_DECIMAL:
		return write_decimal(m, w, s->text);
	case MAP_WRITE_DOUBLE: /* strtod reads the point, as no program of ours sets a locale */
		schema_put_double(&m->value, strtod(s->text.p, NULL));
		return true;
	case MAP_WRITE_BOOLEAN:
		return write_boolean(m, s->text);
	case MAP_WRITE_ENUM:
		return write_enum(m, w, s->text);
	case MAP_WRITE_LIST:
		return write_list(m, w, &s->items);
	case MAP_WRITE_FALLBACK:
	case MAP_WRITE_RECORD:
	case MAP_WRITE_FLAGS:
		break;
	}
	return true;
}

/* slot: of the program that the writer belongs to. */
static bool write_one(struct adapter_map *m, const struct map_writer *w, const struct map_slot *slot)
{
	const struct map_slot *s = &slot[w->slot];
	size_t start = m->value.n;

	if (w->kind == MAP_WRITE_RECORD) {
		for (size_t i = 0; i < w->n; i++)
			if (!write_one(m, &w->item[i], slot))
				return false;
		return true;
	}
	if (w->kind != MAP_WRITE_FALLBACK && s->state == MAP_GOOD) {
		if (write_good(m, w, s))
			return true;
		/* What the schema cannot take is bad, and `else` stands in for that too. */
		if (!w->has_else)
			return false;
		m->value.n = start;
	}
	if (!w->has_fallback)
		return fail(m, MAP_WHY_EMPTY);
	bus_buf_put(&m->value, w->fallback.p, w->fallback.n);
	return true;
}

static void write_flags(struct adapter_map *m, const struct map_writer *w, const struct adapter_result *out)
{
	int64_t n = 0;

	if (w->value_at >= 0)
		schema_put_long(&m->value, w->value_at);
	for (size_t i = 0; i < out->n_flags; i++)
		n += m->class[out->flag[i]].fate <= ADAPTER_CLASS_LOOSE;
	if (n > 0)
		schema_put_long(&m->value, n);
	for (size_t i = 0; i < out->n_flags; i++)
		if (m->class[out->flag[i]].fate <= ADAPTER_CLASS_LOOSE)
			schema_put_text(&m->value, bus_str(m->class[out->flag[i]].name));
	schema_put_long(&m->value, 0);
}

bool adapter_map_write(struct adapter_map *m, const struct adapter_result *out)
{
	bus_buf_reset(&m->value);
	for (size_t i = 0; i < m->n_writers; i++) {
		const struct map_writer *w = &m->writer[i];

		if (w->kind == MAP_WRITE_FLAGS) {
			write_flags(m, w, out);
		} else if (!write_one(m, w, m->slot)) {
			m->failed_slot = w->slot;
			return false;
		}
	}
	return true;
}
