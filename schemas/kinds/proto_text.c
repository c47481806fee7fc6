/* The layout is that of io.confluent.kafka.schemaregistry.protobuf.ProtobufSchemaUtils: its clients and ours
 * compare schemas by this text. Within a message: reserved, options, fields, oneofs, groups, extensions,
 * extend, types; of the types first the messages, then the enums. */
#include <stdio.h>

#include "schemas/kinds/proto_parse.h"
#include "schemas/kinds/proto_text.h"

static void put_message(struct proto_text *t, const struct schema_proto_message *m);

void schema_proto_put_str(struct proto_text *t, struct bus_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!t->midline)
			for (int d = 0; d < t->depth; d++)
				bus_buf_puts(t->out, "  ");
		bus_buf_putc(t->out, s.p[i]);
		t->midline = s.p[i] != '\n';
	}
}

void schema_proto_put(struct proto_text *t, const char *s)
{
	schema_proto_put_str(t, bus_str(s));
}

void schema_proto_put_int(struct proto_text *t, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	schema_proto_put(t, text);
}

static struct bus_str dotted(struct proto_text *t, struct bus_str full)
{
	char *s = schema_proto_new(t->p, full.n + 2);

	if (!s) {
		t->failed = true;
		return full;
	}
	s[0] = '.';
	memcpy(s + 1, full.p, full.n);
	return (struct bus_str){ s, full.n + 1 };
}

struct bus_str schema_proto_type_text(struct proto_text *t, const struct schema_proto_message *scope,
				      struct bus_str name)
{
	const struct schema_proto_symbol *s =
	    t->normalize ? schema_proto_resolve(t->p, t->file, scope, name, true) : NULL;

	return s ? dotted(t, s->name) : name;
}

/* --- order, when normalizing ------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	const struct schema_proto_field *x = *(const struct schema_proto_field *const *)a;
	const struct schema_proto_field *y = *(const struct schema_proto_field *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

static int by_value(const void *a, const void *b)
{
	const struct schema_proto_constant *x = *(const struct schema_proto_constant *const *)a;
	const struct schema_proto_constant *y = *(const struct schema_proto_constant *const *)b;
	int c = memcmp(x->name.p, y->name.p, x->name.n < y->name.n ? x->name.n : y->name.n);

	if (x->number != y->number)
		return (x->number > y->number) - (x->number < y->number);
	return c ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

/* Ranges by where they begin, names after them. */
static int by_range(const void *a, const void *b)
{
	const struct schema_proto_range *x = (*(const struct schema_proto_ranges *const *)a)->first;
	const struct schema_proto_range *y = (*(const struct schema_proto_ranges *const *)b)->first;
	int c;

	if (!x->name.p != !y->name.p)
		return x->name.p ? 1 : -1;
	if (!x->name.p)
		return (x->from > y->from) - (x->from < y->from);
	c = memcmp(x->name.p, y->name.p, x->name.n < y->name.n ? x->name.n : y->name.n);
	return c ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static int by_import(const void *a, const void *b)
{
	struct bus_str x = (*(const struct schema_proto_import *const *)a)->name;
	struct bus_str y = (*(const struct schema_proto_import *const *)b)->name;
	int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return c ? c : (x.n > y.n) - (x.n < y.n);
}

/* --- parts of a message ------------------------------------------------------------------------------ */

static void put_range(struct proto_text *t, const struct schema_proto_range *r, int32_t max)
{
	if (r->name.p) {
		schema_proto_put_quoted(t, r->name);
		return;
	}
	schema_proto_put_int(t, r->from);
	if (!r->span || (t->normalize && r->to == r->from))
		return;
	schema_proto_put(t, " to ");
	if (r->to == max)
		schema_proto_put(t, "max");
	else
		schema_proto_put_int(t, r->to);
}

/* word: "reserved " or "extensions ". Normalized, each range is a line of its own. */
static void put_ranges(struct proto_text *t, const char *word, const struct schema_proto_message *scope,
		       struct schema_proto_ranges *list, int32_t max)
{
	struct schema_proto_ranges *single = NULL;
	struct schema_proto_ranges **all;
	size_t n;

	for (const struct schema_proto_ranges *r = list; r && t->normalize; r = r->next)
		for (const struct schema_proto_range *one = r->first; one; one = one->next) {
			struct schema_proto_ranges *made = schema_proto_new(t->p, sizeof(*made));
			struct schema_proto_range *copy = schema_proto_new(t->p, sizeof(*copy));

			if (!made || !copy) {
				t->failed = true;
				return;
			}
			*copy = *one;
			copy->next = NULL;
			*made = (struct schema_proto_ranges){ .first = copy, .options = r->options };
			SCHEMA_PROTO_PUSH(single, made);
		}
	all = SCHEMA_PROTO_ARRAY(t->normalize ? single : list, &n);
	if (t->normalize)
		qsort(all, n, sizeof(struct schema_proto_ranges *), by_range);
	if (n > 0)
		schema_proto_put(t, "\n");
	t->depth++;
	for (size_t i = 0; i < n; i++) {
		schema_proto_put(t, word);
		for (const struct schema_proto_range *one = all[i]->first; one; one = one->next) {
			put_range(t, one, max);
			if (one->next)
				schema_proto_put(t, ", ");
		}
		schema_proto_put_brackets(t, scope, all[i]->options, NULL);
		schema_proto_put(t, ";\n");
	}
	t->depth--;
	free(all);
}

static void put_field(struct proto_text *t, const struct schema_proto_message *scope,
		      const struct schema_proto_field *f)
{
	static const char *const label[] = { "", "optional ", "required ", "repeated " };
	bool map =
	    f->map || (t->normalize && f->message && f->type == SCHEMA_PROTO_MESSAGE &&
		       schema_proto_is_entry(f->message) && f->message->fields && f->message->fields->next);

	if (map) {
		const struct schema_proto_field *value = f->message->fields->next;

		schema_proto_put(t, "map<");
		schema_proto_put_str(t, f->message->fields->type_name);
		schema_proto_put(t, ", ");
		schema_proto_put_str(t, schema_proto_scalar(value->type_name)
					    ? value->type_name
					    : schema_proto_type_text(t, f->message, value->type_name));
		schema_proto_put(t, ">");
	} else {
		schema_proto_put(t, label[f->label]);
		schema_proto_put_str(t, schema_proto_scalar(f->type_name)
					    ? f->type_name
					    : schema_proto_type_text(t, scope, f->type_name));
	}
	schema_proto_put(t, " ");
	schema_proto_put_str(t, f->name);
	schema_proto_put(t, " = ");
	schema_proto_put_int(t, f->number);
	schema_proto_put_brackets(t, scope, f->options, f);
	schema_proto_put(t, ";\n");
}

static void put_body(struct proto_text *t, const struct schema_proto_message *m);

static void put_group(struct proto_text *t, const struct schema_proto_message *scope,
		      const struct schema_proto_field *f)
{
	static const char *const label[] = { "", "optional ", "required ", "repeated " };

	schema_proto_put(t, label[f->label]);
	schema_proto_put(t, "group ");
	schema_proto_put_str(t, f->message->name);
	schema_proto_put(t, " = ");
	schema_proto_put_int(t, f->number);
	schema_proto_put_brackets(t, scope, f->options, NULL);
	schema_proto_put(t, " {");
	put_body(t, f->message);
	schema_proto_put(t, "}\n");
}

/* Of the list the fields of one oneof (NULL: of none), groups or not. blank: an empty line before the first.
 */
static void put_fields(struct proto_text *t, const struct schema_proto_message *scope,
		       struct schema_proto_field *list, const struct schema_proto_oneof *oneof, bool groups)
{
	size_t n;
	struct schema_proto_field **all = SCHEMA_PROTO_ARRAY(list, &n);
	bool some = false;

	if (t->normalize)
		qsort(all, n, sizeof(struct schema_proto_field *), by_number);
	for (size_t i = 0; i < n; i++) {
		bool group = all[i]->type == SCHEMA_PROTO_GROUP && all[i]->message && all[i]->message->group;

		if (all[i]->oneof != oneof || group != groups)
			continue;
		if (!some)
			schema_proto_put(t, "\n");
		some = true;
		t->depth++;
		if (group)
			put_group(t, scope, all[i]);
		else
			put_field(t, scope, all[i]);
		t->depth--;
	}
	free(all);
}

static int32_t lowest(const struct schema_proto_message *m, const struct schema_proto_oneof *o)
{
	int32_t low = INT32_MAX;

	for (const struct schema_proto_field *f = m->fields; f; f = f->next)
		if (f->oneof == o && f->number < low)
			low = f->number;
	return low;
}

static void put_oneofs(struct proto_text *t, const struct schema_proto_message *m)
{
	size_t n;
	struct schema_proto_oneof **all = SCHEMA_PROTO_ARRAY(m->oneofs, &n);

	for (size_t i = 1; i < n && t->normalize; i++) {
		struct schema_proto_oneof *o = all[i];
		size_t k = i;

		for (; k > 0 && lowest(m, all[k - 1]) > lowest(m, o); k--)
			all[k] = all[k - 1];
		all[k] = o;
	}
	if (n > 0)
		schema_proto_put(t, "\n");
	t->depth++;
	for (size_t i = 0; i < n; i++) {
		schema_proto_put(t, "oneof ");
		schema_proto_put_str(t, all[i]->name);
		schema_proto_put(t, " {");
		schema_proto_put_options(t, m, all[i]->options, true, 1);
		put_fields(t, m, m->fields, all[i], false);
		put_fields(t, m, m->fields, all[i], true);
		schema_proto_put(t, "}\n");
	}
	t->depth--;
	free(all);
}

static void put_extend(struct proto_text *t, const struct schema_proto_message *scope, struct bus_str name,
		       struct schema_proto_field *fields)
{
	schema_proto_put(t, "extend ");
	schema_proto_put_str(t, name);
	schema_proto_put(t, " {");
	put_fields(t, scope, fields, NULL, false);
	put_fields(t, scope, fields, NULL, true);
	schema_proto_put(t, "}\n");
}

/* Normalized: one block for each message that is extended. */
static void put_extends(struct proto_text *t, const struct schema_proto_message *scope,
			const struct schema_proto_extend *list)
{
	if (!list || t->ignore_extensions)
		return;
	schema_proto_put(t, "\n");
	t->depth += scope != NULL;
	for (const struct schema_proto_extend *e = list; e; e = e->next) {
		struct schema_proto_field *fields = e->fields;
		const struct schema_proto_extend *first = list;

		while (t->normalize && e->message && first->message != e->message)
			first = first->next;
		if (t->normalize && e->message && first != e)
			continue;
		if (t->normalize && e->message) {
			fields = NULL;
			for (const struct schema_proto_extend *same = e; same; same = same->next)
				for (struct schema_proto_field *f = same->fields;
				     f && same->message == e->message; f = f->next) {
					struct schema_proto_field *copy =
					    schema_proto_new(t->p, sizeof(*copy));

					if (!copy) {
						t->failed = true;
						break;
					}
					*copy = *f;
					SCHEMA_PROTO_PUSH(fields, copy);
				}
			SCHEMA_PROTO_REVERSE(fields);
		}
		put_extend(t, scope, schema_proto_type_text(t, scope, e->name), fields);
	}
	t->depth -= scope != NULL;
}

static void put_enum(struct proto_text *t, const struct schema_proto_message *scope,
		     const struct schema_proto_enum *e)
{
	size_t n;
	struct schema_proto_constant **all = SCHEMA_PROTO_ARRAY(e->constants, &n);

	if (t->normalize)
		qsort(all, n, sizeof(struct schema_proto_constant *), by_value);
	schema_proto_put(t, "enum ");
	schema_proto_put_str(t, e->name);
	schema_proto_put(t, " {");
	put_ranges(t, "reserved ", scope, e->reserved, INT32_MAX);
	if (!e->reserved && (e->options || n > 0))
		schema_proto_put(t, "\n");
	schema_proto_put_options(t, scope, e->options, false, 1);
	t->depth++;
	for (size_t i = 0; i < n; i++) {
		schema_proto_put_str(t, all[i]->name);
		schema_proto_put(t, " = ");
		schema_proto_put_int(t, all[i]->number);
		schema_proto_put_brackets(t, scope, all[i]->options, NULL);
		schema_proto_put(t, ";\n");
	}
	t->depth--;
	schema_proto_put(t, "}\n");
	free(all);
}

/* Not written: what stands with its field already. */
static bool is_hidden(const struct proto_text *t, const struct schema_proto_message *m)
{
	return m->entry || m->group || (t->normalize && schema_proto_is_entry(m));
}

/* Messages, then enums; blank: an empty line before the first. */
static void put_types(struct proto_text *t, const struct schema_proto_message *scope,
		      const struct schema_proto_message *messages, const struct schema_proto_enum *enums)
{
	bool some = enums != NULL;

	for (const struct schema_proto_message *m = messages; m; m = m->next)
		some = some || !is_hidden(t, m);
	if (some)
		schema_proto_put(t, "\n");
	t->depth += scope != NULL;
	for (const struct schema_proto_message *m = messages; m; m = m->next)
		if (!is_hidden(t, m))
			put_message(t, m);
	for (const struct schema_proto_enum *e = enums; e; e = e->next)
		put_enum(t, scope, e);
	t->depth -= scope != NULL;
}

static void put_body(struct proto_text *t, const struct schema_proto_message *m)
{
	put_ranges(t, "reserved ", m, m->reserved, SCHEMA_PROTO_NUMBER_MAX);
	schema_proto_put_options(t, m, m->options, true, 1);
	put_fields(t, m, m->fields, NULL, false);
	put_oneofs(t, m);
	put_fields(t, m, m->fields, NULL, true);
	if (!t->ignore_extensions)
		put_ranges(t, "extensions ", m, m->extensions, SCHEMA_PROTO_NUMBER_MAX);
	put_extends(t, m, m->extends);
	put_types(t, m, m->messages, m->enums);
}

/* Depth: the parser's. */
static void put_message(struct proto_text *t, const struct schema_proto_message *m)
{
	schema_proto_put(t, "message ");
	schema_proto_put_str(t, m->name);
	schema_proto_put(t, " {");
	put_body(t, m);
	schema_proto_put(t, "}\n");
}

/* --- the file ---------------------------------------------------------------------------------------- */

static void put_imports(struct proto_text *t, struct schema_proto_import *list)
{
	size_t n;
	struct schema_proto_import **all = SCHEMA_PROTO_ARRAY(list, &n);

	if (t->normalize)
		qsort(all, n, sizeof(struct schema_proto_import *), by_import);
	if (n > 0)
		schema_proto_put(t, "\n");
	for (int kind = 0; kind < 3; kind++) { /* plain, public, weak */
		struct bus_str before = { 0 };

		for (size_t i = 0; i < n; i++) {
			if ((all[i]->public ? 1 : all[i]->weak ? 2 : 0) != kind)
				continue;
			if (t->normalize && before.p && bus_str_eq(before, all[i]->name))
				continue;
			before = all[i]->name;
			schema_proto_put(t, kind == 0	? "import "
					    : kind == 1 ? "import public "
							: "import weak ");
			schema_proto_put_quoted(t, all[i]->name);
			schema_proto_put(t, ";\n");
		}
	}
	free(all);
}

static void put_service(struct proto_text *t, const struct schema_proto_service *s)
{
	schema_proto_put(t, "service ");
	schema_proto_put_str(t, s->name);
	schema_proto_put(t, " {");
	schema_proto_put_options(t, NULL, s->options, true, 1);
	if (s->rpcs)
		schema_proto_put(t, "\n");
	t->depth++;
	for (const struct schema_proto_rpc *r = s->rpcs; r; r = r->next) {
		schema_proto_put(t, "rpc ");
		schema_proto_put_str(t, r->name);
		schema_proto_put(t, r->input_stream ? " (stream " : " (");
		schema_proto_put_str(t, schema_proto_type_text(t, NULL, r->input));
		schema_proto_put(t, r->output_stream ? ") returns (stream " : ") returns (");
		schema_proto_put_str(t, schema_proto_type_text(t, NULL, r->output));
		schema_proto_put(t, ")");
		if (r->options) {
			schema_proto_put(t, " {\n");
			schema_proto_put_options(t, NULL, r->options, false, 1);
			schema_proto_put(t, "}");
		}
		schema_proto_put(t, ";\n");
	}
	t->depth--;
	schema_proto_put(t, "}\n");
}

enum bus_err schema_proto_text(struct schema_proto *p, struct schema_proto_file *f, int flags,
			       struct bus_buf *out)
{
	struct proto_text t = { .p = p,
				.file = f,
				.out = out,
				.normalize = flags & SCHEMA_PROTO_NORMALIZED,
				.ignore_extensions = flags & SCHEMA_PROTO_IGNORE_EXTENSIONS };

	if (f->syntax.p && (!t.normalize || f->proto3)) {
		schema_proto_put(&t, "syntax = \"");
		schema_proto_put_str(&t, f->syntax);
		schema_proto_put(&t, "\";\n");
	}
	if (f->package.p) {
		schema_proto_put(&t, "package ");
		schema_proto_put_str(&t, f->package);
		schema_proto_put(&t, ";\n");
	}
	put_imports(&t, f->imports);
	schema_proto_put_options(&t, NULL, f->options, true, 0);
	put_types(&t, NULL, f->messages, f->enums);
	put_extends(&t, NULL, f->extends);
	if (f->services)
		schema_proto_put(&t, "\n");
	for (const struct schema_proto_service *s = f->services; s; s = s->next)
		put_service(&t, s);
	return t.failed ? schema_proto_no_room(p) : BUS_OK;
}
