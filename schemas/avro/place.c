#include "schemas/avro/place.h"

#include "schemas/avro/schema_impl.h"

/* Appends the pointer of `target`; false: not below v. Recursion: as deep as the JSON is, SCHEMA_DEPTH_MAX.
 */
static bool find(const struct bus_json *v, const struct bus_json *target, struct bus_buf *out)
{
	size_t before = out->n;
	size_t i = 0;

	if (v == target)
		return true;
	for (const struct bus_json *child = v->first; child; child = child->next, i++) {
		if (!child->first && child != target)
			continue;
		if (v->type == BUS_JSON_ARRAY) {
			bus_buf_printf(out, "/%zu", i);
		} else {
			bus_buf_putc(out, '/');
			for (size_t k = 0; k < child->name.n; k++)
				if (child->name.p[k] == '~' || child->name.p[k] == '/')
					bus_buf_puts(out, child->name.p[k] == '~' ? "~0" : "~1");
				else
					bus_buf_putc(out, child->name.p[k]);
		}
		if (find(child, target, out))
			return true;
		out->n = before;
	}
	return false;
}

/* {"type": {...}} stands for what is in it. */
static const struct bus_json *unwrap(const struct bus_json *v)
{
	while (v && v->type == BUS_JSON_OBJECT) {
		const struct bus_json *inner = bus_json_get(v, "type");

		if (!inner || inner->type == BUS_JSON_STRING)
			break;
		v = inner;
	}
	return v;
}

/* The JSON of a type, followed through its name. */
static const struct bus_json *definition(const struct bus_json *v, const struct schema_node *node)
{
	v = unwrap(v);
	return node->name && node->properties ? node->properties : v;
}

static const struct bus_json *nth(const struct bus_json *list, size_t i)
{
	const struct bus_json *v = list && list->type == BUS_JSON_ARRAY ? list->first : NULL;

	while (v && i-- > 0)
		v = v->next;
	return v;
}

/* The type at the leaf on this side, and its JSON; NULL JSON: lost in a text we do not have. */
static const struct bus_json *stand(const struct schema *s, const struct schema_step *leaf, int side,
				    const struct schema_node **node)
{
	const struct bus_json *v;

	if (!leaf) {
		*node = s->root;
		return definition(s->json, s->root);
	}
	if (leaf->kind == SCHEMA_STEP_FIELD && leaf->field[side]) {
		*node = leaf->field[side]->type;
		v = leaf->field[side]->properties;
		return definition(v ? bus_json_get(v, "type") : NULL, *node);
	}
	v = stand(s, leaf->up, side, node);
	if (leaf->kind == SCHEMA_STEP_ITEM && (*node)->item) {
		v = v ? bus_json_get(v, (*node)->type == SCHEMA_MAP ? "values" : "items") : NULL;
		*node = (*node)->item;
		return definition(v, *node);
	}
	if (leaf->kind == SCHEMA_STEP_BRANCH && leaf->side == side) {
		*node = (*node)->branch[leaf->index];
		return definition(nth(v, leaf->index), *node);
	}
	return v;
}

bool schema_place_pointer(const struct schema *s, const struct schema_step *leaf, int side, bool whole,
			  struct bus_buf *out)
{
	const struct schema_node *node;
	const struct bus_json *v;

	if (whole && leaf && leaf->kind == SCHEMA_STEP_FIELD && leaf->field[side])
		v = leaf->field[side]->properties;
	else
		v = stand(s, leaf, side, &node);
	return v && find(s->json, v, out);
}

/* Branches besides null. */
static size_t branches(const struct schema_node *node)
{
	size_t n = 0;

	for (size_t i = 0; i < node->n; i++)
		n += node->branch[i]->type != SCHEMA_NULL;
	return n;
}

void schema_place_path(const struct schema_step *leaf, int side, struct bus_buf *out)
{
	const struct schema_field *field;

	if (!leaf)
		return;
	schema_place_path(leaf->up, side, out);
	switch (leaf->kind) {
	case SCHEMA_STEP_FIELD:
		field = leaf->field[side] ? leaf->field[side] : leaf->field[!side];
		bus_buf_printf(out, "%s%s", out->n > 0 ? "." : "", field->name);
		break;
	case SCHEMA_STEP_ITEM:
		bus_buf_puts(out, leaf->node->type == SCHEMA_MAP ? "{}" : "[]");
		break;
	case SCHEMA_STEP_BRANCH:
		if (branches(leaf->node) > 1)
			bus_buf_printf(out, "<%s>",
				       schema_short_name(schema_label(leaf->node->branch[leaf->index])));
		break;
	}
}
