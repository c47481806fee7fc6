#include "schemas/avro/mask.h"

#include <string.h>

static bool personal(const struct schema_field *f, bool unclassed)
{
	const char *class = schema_property(f->properties, "x_pdp");

	if (!class)
		return unclassed;
	return strcmp(class, "N") != 0 && strcmp(class, "P") != 0; /* a class unknown to us too */
}

static bool is_hidden(const struct schema_mask_rule *rule, const struct schema_field *f)
{
	const struct schema_field *newest = NULL;
	bool hidden;

	if (rule->also && rule->also->type == SCHEMA_RECORD)
		newest = schema_field_find(rule->also, f->name, NULL);
	hidden = personal(f, rule->unclassed) || (newest && personal(newest, false));
	for (size_t i = 0; hidden && i < rule->n_clear; i++)
		hidden = strcmp(rule->clear[i], "*") != 0 && strcmp(rule->clear[i], f->name) != 0;
	return hidden;
}

/* True: the event belongs to a masked value. `opens` +1 or -1 for a container's begin or end. */
static bool hide(struct schema_mask *m, int opens)
{
	if (!m->hiding)
		return false;
	m->depth += opens;
	if (m->depth == 0)
		m->hiding = false; /* that was its last event */
	return true;
}

#define INNER(m) (&(m)->json.sink)

static enum bus_err on_null(void *ctx, const struct schema_node *node)
{
	struct schema_mask *m = ctx;

	return hide(m, 0) ? BUS_OK : INNER(m)->null(INNER(m)->ctx, node);
}

static enum bus_err on_boolean(void *ctx, const struct schema_node *node, bool v)
{
	struct schema_mask *m = ctx;

	return hide(m, 0) ? BUS_OK : INNER(m)->boolean(INNER(m)->ctx, node, v);
}

static enum bus_err on_integer(void *ctx, const struct schema_node *node, int64_t v)
{
	struct schema_mask *m = ctx;

	return hide(m, 0) ? BUS_OK : INNER(m)->integer(INNER(m)->ctx, node, v);
}

static enum bus_err on_real(void *ctx, const struct schema_node *node, double v)
{
	struct schema_mask *m = ctx;

	return hide(m, 0) ? BUS_OK : INNER(m)->real(INNER(m)->ctx, node, v);
}

static enum bus_err on_text(void *ctx, const struct schema_node *node, struct bus_str v)
{
	struct schema_mask *m = ctx;

	return hide(m, 0) ? BUS_OK : INNER(m)->text(INNER(m)->ctx, node, v);
}

static enum bus_err on_bytes(void *ctx, const struct schema_node *node, struct bus_str v)
{
	struct schema_mask *m = ctx;

	return hide(m, 0) ? BUS_OK : INNER(m)->bytes(INNER(m)->ctx, node, v);
}

static enum bus_err on_symbol(void *ctx, const struct schema_node *node, int32_t index)
{
	struct schema_mask *m = ctx;

	return hide(m, 0) ? BUS_OK : INNER(m)->symbol(INNER(m)->ctx, node, index);
}

static enum bus_err on_branch(void *ctx, const struct schema_node *node, int32_t index)
{
	struct schema_mask *m = ctx;

	/* The value itself is still to come. */
	return m->hiding || !INNER(m)->branch ? BUS_OK : INNER(m)->branch(INNER(m)->ctx, node, index);
}

static enum bus_err on_record(void *ctx, const struct schema_node *node)
{
	struct schema_mask *m = ctx;

	return hide(m, 1) ? BUS_OK : INNER(m)->record(INNER(m)->ctx, node);
}

static enum bus_err on_field(void *ctx, const struct schema_node *node, size_t index)
{
	struct schema_mask *m = ctx;
	enum bus_err rc;

	if (m->hiding)
		return BUS_OK;
	rc = INNER(m)->field(INNER(m)->ctx, node, index);
	if (rc == BUS_OK && is_hidden(&m->rule, &node->field[index])) {
		bus_json_put_text(m->json.out, m->rule.word);
		m->hiding = true;
		m->depth = 0;
	}
	return rc;
}

static enum bus_err on_array(void *ctx, const struct schema_node *node)
{
	struct schema_mask *m = ctx;

	return hide(m, 1) ? BUS_OK : INNER(m)->array(INNER(m)->ctx, node);
}

static enum bus_err on_map(void *ctx, const struct schema_node *node)
{
	struct schema_mask *m = ctx;

	return hide(m, 1) ? BUS_OK : INNER(m)->map(INNER(m)->ctx, node);
}

static enum bus_err on_key(void *ctx, const struct schema_node *node, struct bus_str name)
{
	struct schema_mask *m = ctx;

	return m->hiding ? BUS_OK : INNER(m)->key(INNER(m)->ctx, node, name);
}

static enum bus_err on_end(void *ctx, const struct schema_node *node)
{
	struct schema_mask *m = ctx;

	return hide(m, -1) ? BUS_OK : INNER(m)->end(INNER(m)->ctx, node);
}

void schema_mask_init(struct schema_mask *m, const struct schema_mask_rule *rule, struct bus_json_out *out)
{
	memset(m, 0, sizeof(*m));
	m->rule = *rule;
	schema_json_sink_init(&m->json, out, SCHEMA_JSON_PLAIN);
	m->sink = (struct schema_sink){ .ctx = m,
					.null = on_null,
					.boolean = on_boolean,
					.integer = on_integer,
					.real = on_real,
					.text = on_text,
					.bytes = on_bytes,
					.symbol = on_symbol,
					.branch = on_branch,
					.record = on_record,
					.field = on_field,
					.array = on_array,
					.map = on_map,
					.key = on_key,
					.end = on_end };
}
