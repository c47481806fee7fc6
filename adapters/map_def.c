/* What a value is made of: `from`, `value`, `text`, `join`, `first`, `pseudonym`, `each`, `flags`. */
#include "adapters/map_impl.h"

struct map_op *adapter_map_op_add(struct adapter_map *m, struct map_scope *scope, enum map_op_kind kind,
				  uint16_t slot)
{
	struct map_program *p = &scope->program;

	if (p->n_ops == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 32;
		struct map_op *op = adapter_map_keep(m, cap * sizeof(*op));

		if (p->n_ops > 0)
			memcpy(op, p->op, p->n_ops * sizeof(*op));
		p->op = op;
		p->cap = cap;
	}
	p->op[p->n_ops] = (struct map_op){ .kind = (uint16_t)kind, .slot = slot };
	return &p->op[p->n_ops++];
}

static enum bus_err new_slot(struct adapter_map *m, struct map_scope *scope, const struct bus_yaml_node *at,
			     const char *name, enum map_type type, uint16_t *slot, struct bus_error *err)
{
	if (scope->program.n_slots == MAP_SLOTS_MAX)
		return bus_yaml_fail(m->yaml, at, err, "more than %d values", MAP_SLOTS_MAX);
	*slot = (uint16_t)scope->program.n_slots++;
	scope->info[*slot] =
	    (struct map_info){ .name = name, .line = at->line, .type = type, .alternatives = 1 };
	return BUS_OK;
}

void adapter_map_strict(struct adapter_map *m, struct map_scope *scope)
{
	uint16_t *strict = adapter_map_keep(m, scope->program.n_slots * sizeof(*strict) + 1);
	size_t n = 0;

	for (size_t i = 0; i < scope->program.n_slots; i++)
		if (scope->info[i].can_fail && !scope->info[i].handled)
			strict[n++] = (uint16_t)i;
	scope->program.strict = strict;
	scope->program.n_strict = n;
}

enum bus_err adapter_map_find(struct adapter_map *m, struct map_scope *scope, const struct bus_yaml_node *at,
			      const char *name, uint16_t *slot, struct bus_error *err)
{
	const char *names[MAP_SLOTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < scope->program.n_slots; i++) {
		if (!scope->info[i].named)
			continue;
		names[n++] = scope->info[i].name;
		if (strcmp(scope->info[i].name, name) == 0) {
			*slot = (uint16_t)i;
			return BUS_OK;
		}
	}
	return adapter_map_hint(m, at, err, "no value further up is called", name, names, n);
}

enum bus_err adapter_map_texts(struct adapter_map *m, struct bus_yaml_node *node,
			       const struct map_texts **out, struct bus_error *err)
{
	struct bus_yaml_node *n = node->kind == BUS_YAML_LIST ? node->first : node;
	size_t count = node->kind == BUS_YAML_LIST ? bus_yaml_count(node) : 1;
	struct map_texts *t = adapter_map_keep(m, sizeof(*t) + count * sizeof(t->text[0]));

	if (count == 0)
		return bus_yaml_fail(m->yaml, node, err, "an empty list");
	for (size_t i = 0; i < count; i++, n = n->next) {
		if (n->kind != BUS_YAML_SCALAR || n->text_len == 0)
			return bus_yaml_fail(m->yaml, n, err, "a text, or a list of texts, is needed here");
		t->text[i] = (struct bus_str){ n->text, n->text_len };
		t->lengths |= (uint64_t)1 << (n->text_len < 63 ? n->text_len : 63);
	}
	t->n = count;
	*out = t;
	return BUS_OK;
}

static enum bus_err path(struct adapter_map *m, const struct bus_yaml_node *at, const char *text,
			 const struct map_path **out, struct bus_error *err)
{
	struct map_path *p;
	size_t n = 1;

	for (const char *c = text; *c; c++)
		n += *c == '.';
	p = adapter_map_keep(m, sizeof(*p) + n * sizeof(p->name[0]));
	for (p->n = 0; p->n < n; p->n++) {
		size_t len = strcspn(text, ".");

		if (len == 0)
			return bus_yaml_fail(m->yaml, at, err, "a path is names with points between them");
		p->name[p->n] = bus_arena_dup(m->keep, text, len);
		text += len + 1;
	}
	*out = p;
	return BUS_OK;
}

/* ---- the origins ---- */

struct def {
	struct adapter_map *m;
	struct map_scope *scope;
	struct bus_yaml_node *node; /* the whole definition */
	struct bus_yaml_node *arg;  /* what stands behind the origin's name */
	const char *name;
	struct bus_error *err;
};

static enum bus_err need_scalar(const struct def *d)
{
	if (d->arg->kind == BUS_YAML_SCALAR && d->arg->text_len > 0)
		return BUS_OK;
	return bus_yaml_fail(d->m->yaml, d->arg, d->err, "%s: a name is needed", d->arg->key);
}

static enum bus_err def_from(const struct def *d, uint16_t *slot)
{
	struct bus_yaml_node *own = bus_yaml_get(d->node, "nulls");
	const struct map_texts *nulls = d->m->nulls;
	const struct map_path *p = NULL;
	uint16_t column = 0;
	struct map_op *op;
	enum bus_err rc = BUS_OK;

	if (own)
		rc = adapter_map_texts(d->m, own, &nulls, d->err);
	if (rc == BUS_OK && d->arg)
		rc = need_scalar(d);
	if (rc == BUS_OK && d->arg && d->scope->item)
		rc = path(d->m, d->arg, d->arg->text, &p, d->err);
	else if (rc == BUS_OK && d->arg)
		rc = adapter_map_column(d->m, d->arg, d->arg->text, &column, d->err);
	if (rc == BUS_OK)
		rc = new_slot(d->m, d->scope, d->node, d->name, MAP_TEXT, slot, d->err);
	if (rc != BUS_OK)
		return rc;
	op = adapter_map_op_add(d->m, d->scope,
				!d->arg ? MAP_OP_ITEM
				: p	? MAP_OP_MEMBER
					: MAP_OP_CELL,
				*slot);
	if (p)
		op->arg = p;
	else
		op->column = column;
	op->nulls = nulls;
	/* A tree where a single value should stand is bad, so that nothing passes unread. */
	d->scope->info[*slot].can_fail = true;
	d->scope->info[*slot].column = d->arg ? d->arg->text : NULL;
	return BUS_OK;
}

static enum bus_err def_value(const struct def *d, uint16_t *slot)
{
	struct map_info *info;
	uint16_t other = 0;
	enum bus_err rc = need_scalar(d);

	if (rc == BUS_OK)
		rc = adapter_map_find(d->m, d->scope, d->arg, d->arg->text, &other, d->err);
	if (rc == BUS_OK)
		rc = new_slot(d->m, d->scope, d->node, d->name, d->scope->info[other].type, slot, d->err);
	if (rc != BUS_OK)
		return rc;
	adapter_map_op_add(d->m, d->scope, MAP_OP_COPY, *slot)->other = other;
	info = &d->scope->info[*slot];
	info->column = d->scope->info[other].column;
	info->is_nik = d->scope->info[other].is_nik;
	info->personal = d->scope->info[other].personal;
	info->each = d->scope->info[other].each;
	info->item = d->scope->info[other].item;
	return BUS_OK;
}

static enum bus_err def_text(const struct def *d, uint16_t *slot)
{
	const struct map_texts *t = NULL;
	enum bus_err rc = adapter_map_texts(d->m, d->arg, &t, d->err);

	if (rc == BUS_OK && t->n != 1)
		rc = bus_yaml_fail(d->m->yaml, d->arg, d->err, "text: one text is needed");
	if (rc == BUS_OK)
		rc = new_slot(d->m, d->scope, d->node, d->name, MAP_TEXT, slot, d->err);
	if (rc != BUS_OK)
		return rc;
	adapter_map_op_add(d->m, d->scope, MAP_OP_CONST, *slot)->arg = t;
	return BUS_OK;
}

static enum bus_err def_parts(const struct def *d, uint16_t *slot)
{
	bool first = strcmp(d->arg->key, "first") == 0, pseudonym = strcmp(d->arg->key, "pseudonym") == 0;
	struct bus_yaml_node *n = d->arg->kind == BUS_YAML_LIST ? d->arg->first : d->arg;
	size_t count = d->arg->kind == BUS_YAML_LIST ? bus_yaml_count(d->arg) : 1;
	struct map_parts *p = adapter_map_keep(d->m, sizeof(*p) + count * sizeof(p->slot[0]));
	const char *with = pseudonym ? "|" : "";
	struct map_info *info;
	bool is_nik = true, personal = false;
	enum map_type type = MAP_TEXT;
	enum bus_err rc = BUS_OK;

	if (count == 0)
		return bus_yaml_fail(d->m->yaml, d->arg, d->err, "%s: of what?", d->arg->key);
	for (; p->n < count && rc == BUS_OK; n = n->next) {
		const char *other = NULL;

		rc = adapter_map_define(d->m, d->scope, n, d->name, false, &p->slot[p->n], &other, d->err);
		if (rc != BUS_OK)
			break;
		info = &d->scope->info[p->slot[p->n]];
		if (other)
			return bus_yaml_fail(d->m->yaml, n, d->err, "`else` has no place here");
		if (p->n == 0)
			type = info->type;
		if (first ? info->type != type || type == MAP_LIST : info->type != MAP_TEXT)
			return bus_yaml_fail(d->m->yaml, n, d->err,
					     first ? "first: the values must be of one kind"
						   : "%s: texts are needed",
					     d->arg->key);
		is_nik &= info->is_nik;
		personal |= info->personal;
		p->n++;
	}
	if (rc == BUS_OK && pseudonym)
		rc = bus_yaml_str(d->m->yaml, d->node, "domain", false, &p->domain, d->err);
	else if (rc == BUS_OK && !first)
		rc = bus_yaml_str(d->m->yaml, d->node, "with", false, &with, d->err);
	if (rc == BUS_OK && pseudonym && !p->domain && (p->n > 1 || !is_nik))
		rc = bus_yaml_fail(d->m->yaml, d->arg, d->err,
				   "a pseudonym of anything but a NIK needs a domain, such as \"kk:\"");
	if (rc == BUS_OK)
		rc = new_slot(d->m, d->scope, d->node, d->name, type, slot, d->err);
	if (rc != BUS_OK)
		return rc;
	p->with = bus_str(with);
	if (pseudonym) {
		p->domain = p->domain ? p->domain : "";
		p->cache = adapter_map_keep(d->m, MAP_CACHE * sizeof(*p->cache));
	}
	adapter_map_op_add(d->m, d->scope,
			   first       ? MAP_OP_FIRST
			   : pseudonym ? MAP_OP_PSEUDONYM
				       : MAP_OP_JOIN,
			   *slot)
	    ->arg = p;
	info = &d->scope->info[*slot];
	info->is_nik = first && is_nik;
	info->personal = !pseudonym && personal;
	info->column = d->scope->info[p->slot[0]].column;
	return BUS_OK;
}

/* The text that stands in for an item that is not there. */
static enum bus_err item_else(const struct def *d, struct map_scope *item, const char *text, uint16_t *slot)
{
	struct map_texts *t = adapter_map_keep(d->m, sizeof(*t) + sizeof(t->text[0]));
	struct map_parts *p = adapter_map_keep(d->m, sizeof(*p) + 2 * sizeof(p->slot[0]));
	uint16_t fixed = 0, both = 0;
	enum bus_err rc = new_slot(d->m, item, d->node, d->name, MAP_TEXT, &fixed, d->err);

	if (rc == BUS_OK)
		rc = new_slot(d->m, item, d->node, d->name, MAP_TEXT, &both, d->err);
	if (rc != BUS_OK)
		return rc;
	t->n = 1;
	t->text[0] = bus_str(text);
	adapter_map_op_add(d->m, item, MAP_OP_CONST, fixed)->arg = t;
	p->n = 2;
	p->slot[0] = *slot;
	p->slot[1] = fixed;
	adapter_map_op_add(d->m, item, MAP_OP_FIRST, both)->arg = p;
	item->info[*slot].handled = true;
	*slot = both;
	return BUS_OK;
}

static enum bus_err each_item(const struct def *d, struct map_scope *item, struct map_each *e)
{
	struct bus_yaml_node *one = bus_yaml_get(d->node, "item"), *fields = bus_yaml_get(d->node, "fields");
	struct def whole = { d->m, item, d->node, NULL, d->name, d->err };
	const char *other = NULL;
	enum bus_err rc;

	if (one && fields)
		return bus_yaml_fail(d->m->yaml, d->node, d->err, "each: either `item` or `fields`");
	if (fields) {
		e->record = true;
		return adapter_map_fields(d->m, item, fields, &item->member, &item->n_members, d->err);
	}
	if (one) {
		rc = adapter_map_define(d->m, item, one, d->name, false, &e->scalar, &other, d->err);
	} else {
		rc = def_from(&whole, &e->scalar);
		if (rc == BUS_OK)
			rc = bus_yaml_str(d->m->yaml, d->node, "else", false, &other, d->err);
	}
	if (rc == BUS_OK && item->info[e->scalar].type == MAP_FLAGS)
		rc = bus_yaml_fail(d->m->yaml, d->node, d->err, "flags have no place in a list's items");
	if (rc == BUS_OK && other && item->info[e->scalar].type != MAP_TEXT)
		rc = bus_yaml_fail(d->m->yaml, d->node, d->err,
				   "`else` in a list is for items that are texts");
	if (rc == BUS_OK && other)
		rc = item_else(d, item, other, &e->scalar);
	return rc;
}

static enum bus_err def_each(const struct def *d, uint16_t *slot)
{
	struct map_scope *item = adapter_map_keep(d->m, sizeof(*item));
	struct map_each *e = adapter_map_keep(d->m, sizeof(*e));
	struct map_info *info;
	enum bus_err rc = need_scalar(d);

	item->item = true;
	if (rc == BUS_OK && d->scope->item) {
		rc = path(d->m, d->arg, d->arg->text, &e->path, d->err);
	} else if (rc == BUS_OK) {
		e->cell = true;
		rc = adapter_map_column(d->m, d->arg, d->arg->text, &e->column, d->err);
	}
	if (rc == BUS_OK)
		rc = each_item(d, item, e);
	if (rc == BUS_OK)
		rc = new_slot(d->m, d->scope, d->node, d->name, MAP_LIST, slot, d->err);
	if (rc != BUS_OK)
		return rc;
	adapter_map_strict(d->m, item);
	e->item = &item->program;
	adapter_map_op_add(d->m, d->scope, MAP_OP_EACH, *slot)->arg = e;
	info = &d->scope->info[*slot];
	info->can_fail = true;
	info->column = d->arg->text;
	info->each = e;
	info->item = item;
	return BUS_OK;
}

static enum bus_err def_flags(const struct def *d, uint16_t *slot)
{
	bool yes = false;
	enum bus_err rc = bus_yaml_bool(d->m->yaml, d->node, "flags", true, &yes, d->err);

	if (rc == BUS_OK && (!yes || d->scope->item))
		rc = bus_yaml_fail(d->m->yaml, d->arg, d->err, "write {flags: true}, outside of lists");
	if (rc == BUS_OK)
		rc = new_slot(d->m, d->scope, d->node, d->name, MAP_FLAGS, slot, d->err);
	return rc;
}

enum bus_err adapter_map_define(struct adapter_map *m, struct map_scope *scope, struct bus_yaml_node *node,
				const char *name, bool named, uint16_t *slot, const char **other,
				struct bus_error *err)
{
	static const struct {
		const char *name;
		enum bus_err (*make)(const struct def *d, uint16_t *slot);
	} origin[] = {
		{ "from", def_from },  { "value", def_value }, { "text", def_text },
		{ "join", def_parts }, { "first", def_parts }, { "pseudonym", def_parts },
		{ "each", def_each },  { "flags", def_flags },
	};
	struct def d = { m, scope, node, NULL, name, err };
	struct bus_yaml_node *as;
	size_t which = 0;
	enum bus_err rc;

	if (node->kind == BUS_YAML_SCALAR)
		return adapter_map_find(m, scope, node, node->text, slot, err);
	if (node->kind == BUS_YAML_LIST)
		return bus_yaml_fail(m->yaml, node, err, "a definition is needed, such as {from: COLUMN}");
	for (size_t i = 0; i < BUS_LEN(origin); i++) {
		struct bus_yaml_node *arg = bus_yaml_get(node, origin[i].name);

		if (arg && d.arg)
			return bus_yaml_fail(m->yaml, arg, err,
					     "both '%s' and '%s': a value comes from one place", d.arg->key,
					     arg->key);
		if (arg) {
			d.arg = arg;
			which = i;
		}
	}
	as = bus_yaml_get(node, "as");
	if (!d.arg && !scope->item) {
		rc = bus_yaml_no_more(m->yaml, node, err);
		return rc != BUS_OK ? rc
				    : bus_yaml_fail(m->yaml, node, err, "where from? Give `from: COLUMN`");
	}
	rc = origin[which].make(&d, slot);
	if (rc == BUS_OK && as)
		rc = adapter_map_as(m, scope, as, *slot, err);
	if (rc == BUS_OK && !bus_yaml_get(node, "each"))
		rc = bus_yaml_str(m->yaml, node, "else", false, other, err);
	if (rc == BUS_OK)
		rc = bus_yaml_no_more(m->yaml, node, err);
	if (rc == BUS_OK && *other)
		scope->info[*slot].handled = true;
	if (rc == BUS_OK)
		scope->info[*slot].named = named;
	return rc;
}

enum bus_err adapter_map_fields(struct adapter_map *m, struct map_scope *scope, struct bus_yaml_node *node,
				struct map_member **out, size_t *n, struct bus_error *err)
{
	struct map_member *f = adapter_map_keep(m, (bus_yaml_count(node) + 1) * sizeof(*f));
	enum bus_err rc = BUS_OK;

	*n = 0;
	if (node->kind != BUS_YAML_MAP)
		return bus_yaml_fail(m->yaml, node, err,
				     "fields: a map of the schema's field names is needed");
	for (struct bus_yaml_node *i = node->first; i && rc == BUS_OK; i = i->next) {
		struct map_member *to = &f[(*n)++];

		i->asked = true;
		to->name = i->key;
		to->line = i->line;
		rc = adapter_map_define(m, scope, i, i->key, false, &to->slot, &to->other, err);
	}
	*out = f;
	return rc;
}
