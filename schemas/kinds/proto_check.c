/* protoc's rules, beyond what parsing and names have seen to. */
#include "schemas/kinds/proto.h"

#define RESERVED_FROM 19000 /* protobuf's own */
#define RESERVED_TO 19999

struct span { /* a range, or a number that is one long */
	int32_t from, to;
	struct schema_proto_at at;
	struct bus_str name; /* of a field or value; p NULL: a range */
	bool extension;
};

struct spans {
	struct span *item;
	size_t n, room;
};

static void add(struct spans *s, struct span one)
{
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 16;
		s->item = bus_xrealloc(s->item, s->room * sizeof(*s->item));
	}
	s->item[s->n++] = one;
}

static int by_place(const void *a, const void *b)
{
	const struct span *x = a;
	const struct span *y = b;

	return x->from != y->from ? (x->from > y->from) - (x->from < y->from)
				  : (x->to > y->to) - (x->to < y->to);
}

/* No two of them share a number (two names may where alias says so). aliases: how many do. */
static enum bus_err disjoint(struct schema_proto *p, struct spans *s, bool alias, size_t *aliases)
{
	const struct span *widest = NULL; /* of those before, the one that ends last */

	qsort(s->item, s->n, sizeof(*s->item), by_place);
	for (size_t i = 0; i < s->n; i++) {
		const struct span *one = &s->item[i];
		const struct span *other = widest && widest->to >= one->from ? widest : NULL;

		if (!widest || one->to > widest->to)
			widest = one;
		if (!other)
			continue;
		if (one->name.p && other->name.p && alias) {
			++*aliases;
			continue;
		}
		if (one->name.p && other->name.p)
			return schema_proto_fail(
			    p, one->at, "'" SCHEMA_PROTO_F "' and '" SCHEMA_PROTO_F "' share the number %d",
			    SCHEMA_PROTO_A(other->name), SCHEMA_PROTO_A(one->name), one->from);
		if (one->name.p || other->name.p) {
			const struct span *named = one->name.p ? one : other;
			const struct span *range = one->name.p ? other : one;

			return schema_proto_fail(p, named->at,
						 "'" SCHEMA_PROTO_F "' has the number %d, which is %s",
						 SCHEMA_PROTO_A(named->name), named->from,
						 range->extension ? "kept for extensions" : "reserved");
		}
		return schema_proto_fail(p, one->at, "the range %d to %d overlaps %d to %d", one->from,
					 one->to, other->from, other->to);
	}
	return BUS_OK;
}

static void add_ranges(struct spans *s, const struct schema_proto_ranges *r, bool extension)
{
	for (; r; r = r->next)
		for (const struct schema_proto_range *one = r->first; one; one = one->next)
			if (!one->name.p)
				add(s, (struct span){ one->from, one->to, one->at, { 0 }, extension });
}

static int by_name(const void *a, const void *b)
{
	struct bus_str x = ((const struct span *)a)->name;
	struct bus_str y = ((const struct span *)b)->name;
	int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return c ? c : (x.n > y.n) - (x.n < y.n);
}

/* No name is reserved. used is not changed. */
static enum bus_err not_reserved(struct schema_proto *p, const struct schema_proto_ranges *r,
				 const struct spans *used)
{
	struct spans reserved = { 0 };
	enum bus_err rc = BUS_OK;

	for (; r; r = r->next)
		for (const struct schema_proto_range *one = r->first; one; one = one->next)
			if (one->name.p)
				add(&reserved, (struct span){ .at = one->at, .name = one->name });
	if (reserved.n > 0)
		qsort(reserved.item, reserved.n, sizeof(*reserved.item), by_name);
	for (size_t i = 1; i < reserved.n && rc == BUS_OK; i++)
		if (by_name(&reserved.item[i - 1], &reserved.item[i]) == 0)
			rc = schema_proto_fail(p, reserved.item[i].at,
					       "'" SCHEMA_PROTO_F "' is reserved twice",
					       SCHEMA_PROTO_A(reserved.item[i].name));
	for (size_t i = 0; i < used->n && reserved.n > 0 && rc == BUS_OK; i++)
		if (used->item[i].name.p &&
		    bsearch(&used->item[i], reserved.item, reserved.n, sizeof(*reserved.item), by_name))
			rc = schema_proto_fail(p, used->item[i].at,
					       "the name '" SCHEMA_PROTO_F "' is reserved",
					       SCHEMA_PROTO_A(used->item[i].name));
	free(reserved.item);
	return rc;
}

static bool option_true(const struct schema_proto_option *o, const char *name,
			const struct schema_proto_option **out)
{
	for (; o; o = o->next)
		if (!o->name->parens && !o->name->next && bus_str_is(o->name->text, name)) {
			*out = o;
			return bus_str_is(o->value->text, "true");
		}
	return false;
}

static enum bus_err check_enum(struct schema_proto *p, const struct schema_proto_enum *e)
{
	const struct schema_proto_option *o = NULL;
	struct spans used = { 0 };
	bool alias = option_true(e->options, "allow_alias", &o);
	size_t aliases = 0;
	enum bus_err rc = BUS_OK;

	if (!e->constants)
		return schema_proto_fail(p, e->at, "enum '" SCHEMA_PROTO_F "' has no value",
					 SCHEMA_PROTO_A(e->name));
	if (e->file->proto3 && e->constants->number != 0)
		return schema_proto_fail(p, e->constants->at,
					 "the first value of an enum of proto3 must be 0");
	for (const struct schema_proto_constant *c = e->constants; c; c = c->next)
		add(&used, (struct span){ c->number, c->number, c->at, c->name, false });
	rc = not_reserved(p, e->reserved, &used);
	add_ranges(&used, e->reserved, false);
	if (rc == BUS_OK)
		rc = disjoint(p, &used, alias, &aliases);
	if (rc == BUS_OK && alias && aliases == 0)
		rc = schema_proto_fail(
		    p, o->at, "enum '" SCHEMA_PROTO_F "' says allow_alias, and no values share a number",
		    SCHEMA_PROTO_A(e->name));
	free(used.item);
	return rc;
}

static enum bus_err check_map(struct schema_proto *p, const struct schema_proto_field *f)
{
	const struct schema_proto_field *key = f->message->fields;
	const struct schema_proto_field *value = key ? key->next : NULL;

	if (!value || value->next || !bus_str_is(key->name, "key") || !bus_str_is(value->name, "value") ||
	    key->number != 1 || value->number != 2 || f->label != SCHEMA_PROTO_REPEATED)
		return schema_proto_fail(p, f->at, "'" SCHEMA_PROTO_F "' is no map: write map<key, value>",
					 SCHEMA_PROTO_A(f->message->name));
	switch (key->type) {
	case SCHEMA_PROTO_DOUBLE:
	case SCHEMA_PROTO_FLOAT:
	case SCHEMA_PROTO_BYTES:
	case SCHEMA_PROTO_ENUM:
	case SCHEMA_PROTO_MESSAGE:
	case SCHEMA_PROTO_GROUP:
		return schema_proto_fail(
		    p, f->at, "the key of a map is a whole number, bool or string, not '" SCHEMA_PROTO_F "'",
		    SCHEMA_PROTO_A(key->type_name));
	default:
		break;
	}
	if (value->enumeration && value->enumeration->constants && value->enumeration->constants->number != 0)
		return schema_proto_fail(p, f->at, "the enum of a map's values must begin with 0");
	return BUS_OK;
}

/* packed and jstype, which protoc wants on fields that can have them. */
static enum bus_err check_field_options(struct schema_proto *p, const struct schema_proto_field *f)
{
	bool wide = f->type == SCHEMA_PROTO_INT64 || f->type == SCHEMA_PROTO_UINT64 ||
		    f->type == SCHEMA_PROTO_SINT64 || f->type == SCHEMA_PROTO_FIXED64 ||
		    f->type == SCHEMA_PROTO_SFIXED64;
	const struct schema_proto_option *o = NULL;

	if (option_true(f->options, "packed", &o) &&
	    (f->label != SCHEMA_PROTO_REPEATED || f->type == SCHEMA_PROTO_TEXT ||
	     f->type == SCHEMA_PROTO_BYTES || f->type == SCHEMA_PROTO_MESSAGE ||
	     f->type == SCHEMA_PROTO_GROUP))
		return schema_proto_fail(p, o->at, "packed is for repeated numbers, bools and enums");
	o = NULL;
	(void)option_true(f->options, "jstype", &o);
	if (o && !wide && !bus_str_is(o->value->text, "JS_NORMAL"))
		return schema_proto_fail(p, o->at, "jstype is for numbers of 64 bits");
	return BUS_OK;
}

static enum bus_err check_field(struct schema_proto *p, const struct schema_proto_field *f, bool proto3)
{
	if (f->number >= RESERVED_FROM && f->number <= RESERVED_TO)
		return schema_proto_fail(p, f->at, "the numbers %d to %d are protobuf's own", RESERVED_FROM,
					 RESERVED_TO);
	if (f->preset && proto3)
		return schema_proto_fail(p, f->preset->at, "proto3 has no defaults of fields");
	if (f->preset && f->label == SCHEMA_PROTO_REPEATED)
		return schema_proto_fail(p, f->preset->at, "a repeated field has no default");
	if (proto3 && f->type == SCHEMA_PROTO_GROUP)
		return schema_proto_fail(p, f->at, "a group in proto3");
	if (proto3 && f->enumeration && !f->enumeration->file->proto3)
		return schema_proto_fail(p, f->at,
					 "'" SCHEMA_PROTO_F "' is an enum of proto2, which proto3 cannot use",
					 SCHEMA_PROTO_A(f->type_name));
	if (f->message && schema_proto_is_entry(f->message)) {
		enum bus_err rc = check_map(p, f);

		if (rc)
			return rc;
	}
	if (f->preset) {
		enum bus_err rc = schema_proto_default(p, f);

		if (rc)
			return rc;
	}
	return check_field_options(p, f);
}

/* a_bc -> aBc */
static struct bus_str json_name(struct schema_proto *p, const struct schema_proto_field *f)
{
	char *s;
	bool up = false;
	size_t n = 0;

	if (f->json_name.p)
		return f->json_name;
	s = schema_proto_new(p, f->name.n + 1);
	for (size_t i = 0; s && i < f->name.n; i++) {
		char c = f->name.p[i];

		if (c != '_')
			s[n++] = up && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
		up = c == '_';
	}
	return (struct bus_str){ s, n };
}

static enum bus_err check_json_names(struct schema_proto *p, const struct schema_proto_message *m)
{
	struct spans names = { 0 };
	enum bus_err rc = BUS_OK;

	for (const struct schema_proto_field *f = m->fields; f && rc == BUS_OK; f = f->next) {
		struct bus_str name = json_name(p, f);

		if (!name.p)
			rc = schema_proto_no_room(p);
		else
			add(&names, (struct span){ .at = f->at, .name = name });
	}
	if (names.n > 0)
		qsort(names.item, names.n, sizeof(*names.item), by_name);
	for (size_t i = 1; i < names.n && rc == BUS_OK; i++)
		if (by_name(&names.item[i - 1], &names.item[i]) == 0)
			rc = schema_proto_fail(p, names.item[i].at,
					       "two fields are both '" SCHEMA_PROTO_F "' in JSON",
					       SCHEMA_PROTO_A(names.item[i].name));
	free(names.item);
	return rc;
}

static bool has_options(struct bus_str name)
{
	static const char *const known[] = { "File",	"Message", "Field", "Enum",	     "EnumValue",
					     "Service", "Method",  "Oneof", "ExtensionRange" };
	char full[64];

	for (size_t i = 0; i < BUS_LEN(known); i++) {
		memcpy(stpcpy(stpcpy(full, "google.protobuf."), known[i]), "Options", 8);
		if (bus_str_is(name, full))
			return true;
	}
	return false;
}

static bool in_extensions(const struct schema_proto_message *m, int32_t number, size_t *looked)
{
	for (const struct schema_proto_ranges *r = m->extensions; r; r = r->next)
		for (const struct schema_proto_range *one = r->first; one; one = one->next) {
			++*looked;
			if (one->from <= number && number <= one->to)
				return true;
		}
	return false;
}

static enum bus_err check_extends(struct schema_proto *p, const struct schema_proto_extend *e)
{
	for (; e; e = e->next)
		for (const struct schema_proto_field *f = e->fields; f; f = f->next) {
			size_t looked = 0;
			enum bus_err rc;

			if (p->files->proto3 && !has_options(e->message->full))
				return schema_proto_fail(p, e->at,
							 "proto3 extends google.protobuf's options only");
			if (f->label == SCHEMA_PROTO_REQUIRED)
				return schema_proto_fail(p, f->at, "an extension cannot be required");
			if (f->json_name.p)
				return schema_proto_fail(p, f->at, "an extension has no json_name");
			if (!in_extensions(e->message, f->number, &looked))
				return schema_proto_fail(
				    p, f->at, "'" SCHEMA_PROTO_F "' keeps no number %d for extensions",
				    SCHEMA_PROTO_A(e->message->full), f->number);
			rc = schema_proto_work(p, looked);
			if (rc == BUS_OK)
				rc = check_field(p, f, p->files->proto3);
			if (rc)
				return rc;
		}
	return BUS_OK;
}

struct extension {
	const struct schema_proto_message *of;
	const struct schema_proto_field *f;
};

static int by_extension(const void *a, const void *b)
{
	const struct extension *x = a;
	const struct extension *y = b;

	if (x->of != y->of)
		return (uintptr_t)x->of < (uintptr_t)y->of ? -1 : 1;
	return (x->f->number > y->f->number) - (x->f->number < y->f->number);
}

/* Every number of a message is that of one extension, over all files. */
static enum bus_err check_extensions(struct schema_proto *p)
{
	struct extension *all = bus_xcalloc(p->n_symbols + 1, sizeof(*all));
	enum bus_err rc = BUS_OK;
	size_t n = 0;

	for (size_t i = 0; i < p->symbol_size; i++)
		if (p->symbol[i].name.p && p->symbol[i].kind == SCHEMA_PROTO_IS_EXTENSION &&
		    p->symbol[i].extend->message)
			all[n++] = (struct extension){ p->symbol[i].extend->message, p->symbol[i].what };
	qsort(all, n, sizeof(*all), by_extension);
	for (size_t i = 1; i < n && rc == BUS_OK; i++)
		if (by_extension(&all[i - 1], &all[i]) == 0)
			rc = schema_proto_fail(p, all[i].f->at,
					       "'" SCHEMA_PROTO_F "' and '" SCHEMA_PROTO_F
					       "' both extend '" SCHEMA_PROTO_F "' with the number %d",
					       SCHEMA_PROTO_A(all[i - 1].f->name),
					       SCHEMA_PROTO_A(all[i].f->name),
					       SCHEMA_PROTO_A(all[i].of->full), all[i].f->number);
	free(all);
	return rc;
}

static enum bus_err check_numbers(struct schema_proto *p, const struct schema_proto_message *m)
{
	struct spans used = { 0 };
	size_t none = 0;
	enum bus_err rc;

	for (const struct schema_proto_field *f = m->fields; f; f = f->next)
		add(&used, (struct span){ f->number, f->number, f->at, f->name, false });
	rc = not_reserved(p, m->reserved, &used);
	add_ranges(&used, m->reserved, false);
	add_ranges(&used, m->extensions, true);
	if (rc == BUS_OK && used.n > 0)
		rc = disjoint(p, &used, false, &none);
	free(used.item);
	return rc;
}

static enum bus_err check_messages(struct schema_proto *p, const struct schema_proto_message *m)
{
	enum bus_err rc = BUS_OK;

	for (; m && rc == BUS_OK; m = m->next) {
		bool proto3 = m->file->proto3;

		rc = check_numbers(p, m);
		if (rc == BUS_OK && proto3 && m->extensions)
			rc = schema_proto_fail(p, m->extensions->first->at,
					       "proto3 keeps no numbers for extensions");
		for (const struct schema_proto_field *f = m->fields; f && rc == BUS_OK; f = f->next)
			rc = check_field(p, f, proto3);
		if (rc == BUS_OK && proto3)
			rc = check_json_names(p, m);
		for (const struct schema_proto_enum *e = m->enums; e && rc == BUS_OK; e = e->next)
			rc = check_enum(p, e);
		if (rc == BUS_OK)
			rc = check_extends(p, m->extends);
		if (rc == BUS_OK)
			rc = check_messages(p, m->messages);
	}
	return rc;
}

enum bus_err schema_proto_rules(struct schema_proto *p)
{
	struct schema_proto_file *f = p->files;
	struct bus_buf scratch = { 0 };
	enum bus_err rc = check_messages(p, f->messages);

	for (const struct schema_proto_enum *e = f->enums; e && rc == BUS_OK; e = e->next)
		rc = check_enum(p, e);
	if (rc == BUS_OK)
		rc = check_extends(p, f->extends);
	if (rc == BUS_OK)
		rc = check_extensions(p);
	/* Every option has to be one that there is. */
	if (rc == BUS_OK)
		rc = schema_proto_write(p, f, &scratch);
	bus_buf_release(&scratch);
	return rc;
}
