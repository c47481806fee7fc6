#include "schemas/catalogue/lint.h"

#include <ctype.h>

#include "schemas/avro/place.h"
#include "schemas/catalogue/personal.h"
#include "schemas/avro/schema_impl.h"

enum rule {
	RECORD,
	TOPIC,
	TOPIC_FORM,
	KIND,
	KEY,
	KEY_UNKNOWN,
	KEY_NULLABLE,
	KEY_PERSONAL,
	CLASS,
	CLASS_NAME,
	OWNER,
	NAMESPACE,
	TOPIC_NAMESPACE,
	DOC,
	FIELD_NAME,
	TYPE_NAME,
	SYMBOL_NAME,
	ENUM_DEFAULT,
	NULL_DEFAULT,
	NULL_FIRST,
	TEXT_DATE,
	FLOAT_MONEY,
};

const struct schema_lint_rule schema_lint_rules[] = {
	[RECORD] = { "record",
		     true,
		     { "a schema of the catalogue is a record, or a named type with x_jenis \"tipe\"",
		       "skema katalog adalah record, atau tipe bernama dengan x_jenis \"tipe\"" } },
	[TOPIC] = { "topic-missing",
		    true,
		    { "the record names its topic (x_topik)", "record menyebut topiknya (x_topik)" } },
	[TOPIC_FORM] = { "topic-form",
			 false,
			 { "a topic is pku.<department>.<entity>.v<major>, in lower case",
			   "topik berbentuk pku.<opd>.<entitas>.v<mayor>, huruf kecil" } },
	[KIND] = { "kind-unknown",
		   true,
		   { "x_jenis is \"register\", \"peristiwa\" or, for a type that others use, \"tipe\"",
		     "x_jenis adalah \"register\", \"peristiwa\" atau, untuk tipe yang dipakai skema lain, "
		     "\"tipe\"" } },
	[KEY] = { "key-missing",
		  true,
		  { "a register names its key field (x_kunci)",
		    "register menyebut kolom kuncinya (x_kunci)" } },
	[KEY_UNKNOWN] = { "key-unknown",
			  true,
			  { "x_kunci is a field of the record", "x_kunci adalah kolom record ini" } },
	[KEY_NULLABLE] = { "key-nullable", true, { "the key is never null", "kunci tidak pernah null" } },
	[KEY_PERSONAL] = { "key-personal",
			   true,
			   { "no personal data in keys: the key's class is N or P",
			     "tidak ada data pribadi dalam kunci: golongan kunci N atau P" } },
	[CLASS] = { "class-unknown",
		    true,
		    { "every field has a class of personal data: x_pdp is N, P, U, S or A",
		      "setiap kolom punya golongan data pribadi: x_pdp adalah N, P, U, S atau A" } },
	[CLASS_NAME] = { "class-doubtful",
			 false,
			 { "a field named like personal data is not of class N",
			   "kolom yang bernama data pribadi tidak bergolongan N" } },
	[OWNER] = { "owner-missing",
		    false,
		    { "the record names who makes the data and who answers for them (x_produsen, x_walidata)",
		      "record menyebut produsen dan walidata (x_produsen, x_walidata)" } },
	[NAMESPACE] = { "namespace-form",
			false,
			{ "the namespace ends in its major version: ...<department>.v1",
			  "namespace diakhiri versi mayor: ...<opd>.v1" } },
	[TOPIC_NAMESPACE] = { "topic-namespace",
			      false,
			      { "topic and namespace agree on the major version",
				"topik dan namespace sepakat tentang versi mayor" } },
	[DOC] = { "doc-missing",
		  false,
		  { "the record and every field are described (doc)",
		    "record dan setiap kolom diterangkan (doc)" } },
	[FIELD_NAME] = { "field-name",
			 false,
			 { "names of fields are snake_case", "nama kolom ditulis snake_case" } },
	[TYPE_NAME] = { "type-name",
			false,
			{ "names of types are PascalCase", "nama tipe ditulis PascalCase" } },
	[SYMBOL_NAME] = { "symbol-name",
			  false,
			  { "symbols of an enum are UPPER_CASE", "simbol enum ditulis HURUF_BESAR" } },
	[ENUM_DEFAULT] = { "enum-default",
			   false,
			   { "an enum has a default, so that symbols may be added",
			     "enum punya nilai bawaan (default) agar simbol dapat ditambahkan" } },
	[NULL_DEFAULT] = { "null-default",
			   false,
			   { "what may be null has a default", "yang boleh null punya nilai bawaan" } },
	[NULL_FIRST] = { "null-first",
			 false,
			 { "null comes first in its union, so that it can be the default",
			   "null berdiri pertama dalam union agar dapat menjadi nilai bawaan" } },
	[TEXT_DATE] = { "text-date",
			false,
			{ "dates and times have a logical type (date, timestamp-millis), they are no text",
			  "tanggal dan waktu memakai logical type (date, timestamp-millis), bukan teks" } },
	[FLOAT_MONEY] = { "float-money",
			  false,
			  { "money is whole or decimal, never float or double",
			    "uang berupa bilangan bulat atau decimal, bukan float atau double" } },
	{ 0 },
};

struct linter {
	const struct schema *s;
	struct schema_lint *out;
	const struct schema_step *step;
	bool *seen; /* by node */
	bool must_only;
};

static void note(struct linter *l, enum rule rule)
{
	const struct schema_sentence form = { "{at}: {what}", "{at}: {what}" };
	struct bus_arena *arena = l->out->memory;
	struct schema_fault f = { .rule = &schema_lint_rules[rule] };
	struct bus_buf text = { 0 };

	if ((l->must_only && !f.rule->must) || l->out->n == SCHEMA_LINT_MAX)
		return;
	schema_place_path(l->step, 0, &text);
	f.path = bus_arena_dup(arena, bus_buf_cstr(&text), text.n);
	bus_buf_reset(&text);
	if (schema_place_pointer(l->s, l->step, 0, true, &text))
		f.place = bus_arena_dup(arena, bus_buf_cstr(&text), text.n);
	bus_buf_release(&text);
	if (f.path) {
		const struct schema_word word[] = { { "at", schema_words_at(arena, f.path) },
						    { "what", f.rule->what } };

		f.sentence = schema_words_fill(arena, form, word, BUS_LEN(word));
		l->out->fault[l->out->n++] = f;
	}
}

/* Nothing, or what `titian schema derive` leaves for a person to fill in. */
static bool empty(const char *text)
{
	return !text || !text[0] || strncmp(text, "PERIKSA", 7) == 0;
}

/* --- names --- */

static bool is_snake(const char *name)
{
	if (!islower((unsigned char)name[0]))
		return false;
	for (; *name; name++)
		if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

static bool is_pascal(const char *name)
{
	return isupper((unsigned char)name[0]) && !strchr(name, '_');
}

static bool is_upper(const char *name)
{
	for (; *name; name++)
		if (!isupper((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

/* The number after the last ".v"; 0: none. */
static unsigned long major_of(const char *dotted, size_t n)
{
	const char *last = n > 0 ? memrchr(dotted, '.', n) : NULL;
	char *end;
	unsigned long v;

	if (!last || last[1] != 'v' || !isdigit((unsigned char)last[2]))
		return 0;
	v = strtoul(last + 2, &end, 10);
	return end == dotted + n ? v : 0;
}

/* --- the record itself --- */

static bool is_topic(const char *topic)
{
	size_t dots = 0;

	for (const char *c = topic; *c; c++) {
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && !strchr("._-{}", *c))
			return false;
		dots += *c == '.';
	}
	return dots == 3 && strncmp(topic, "pku.", 4) == 0 && major_of(topic, strlen(topic)) > 0;
}

static bool is_nullable(const struct schema_node *type)
{
	return type->type == SCHEMA_NULL ||
	       (type->type == SCHEMA_UNION && schema_position(type, BUS_STR("null")) >= 0);
}

static void key(struct linter *l, const struct schema_node *root, const char *kind)
{
	const char *name = schema_property(root->properties, "x_kunci");
	const struct schema_field *field;
	const char *class;

	if (empty(name)) {
		if (kind && strcmp(kind, "register") == 0)
			note(l, KEY);
		return;
	}
	field = schema_field_find(root, name, NULL);
	if (!field) {
		note(l, KEY_UNKNOWN);
		return;
	}
	if (is_nullable(field->type))
		note(l, KEY_NULLABLE);
	class = schema_property(field->properties, "x_pdp");
	if (class && strcmp(class, "N") != 0 && strcmp(class, "P") != 0)
		note(l, KEY_PERSONAL);
}

static void root(struct linter *l, const struct schema_node *node)
{
	const char *topic = schema_property(node->properties, "x_topik");
	const char *kind = schema_property(node->properties, "x_jenis");
	unsigned long major = node->name ? major_of(node->name, schema_space_len(node->name)) : 0;

	if (!node->name || (node->type != SCHEMA_RECORD && !(kind && strcmp(kind, "tipe") == 0))) {
		note(l, RECORD);
		return;
	}
	if (major == 0)
		note(l, NAMESPACE);
	if (kind && strcmp(kind, "tipe") == 0)
		return;
	if (empty(topic))
		note(l, TOPIC);
	else if (!is_topic(topic))
		note(l, TOPIC_FORM);
	else if (major > 0 && major != major_of(topic, strlen(topic)))
		note(l, TOPIC_NAMESPACE);
	if (empty(kind) || (strcmp(kind, "register") != 0 && strcmp(kind, "peristiwa") != 0))
		note(l, KIND);
	if (empty(schema_property(node->properties, "x_produsen")) ||
	    empty(schema_property(node->properties, "x_walidata")))
		note(l, OWNER);
	key(l, node, kind);
}

/* --- fields --- */

static bool is_class(const char *text)
{
	return text && text[0] && strchr("NPUSA", text[0]) && !text[1];
}

/* The one type besides null. */
static const struct schema_node *value_of(const struct schema_node *type)
{
	if (type->type != SCHEMA_UNION || type->n != 2)
		return type;
	return type->branch[type->branch[0]->type == SCHEMA_NULL];
}

/* Begins with, or is, one of the words a date or a time is called by. */
static bool sounds_like_time(const char *name)
{
	static const char *const word[] = { "tgl", "tanggal", "waktu", "jam", "date", "time", "timestamp" };
	size_t n = strcspn(name, "_");

	for (size_t i = 0; i < BUS_LEN(word); i++)
		if (strlen(word[i]) == n && strncmp(name, word[i], n) == 0)
			return true;
	return false;
}

static void field(struct linter *l, const struct schema_field *f)
{
	const char *class = schema_property(f->properties, "x_pdp");
	const char *unit = schema_property(f->properties, "x_satuan");
	const struct schema_node *value = value_of(f->type);
	bool sure;

	if (!is_class(class))
		note(l, CLASS);
	else if (class[0] == 'N' && schema_class_of_name(f->name, &sure) != 'N' && sure)
		note(l, CLASS_NAME);
	if (l->must_only)
		return;
	if (empty(f->doc))
		note(l, DOC);
	if (!is_snake(f->name))
		note(l, FIELD_NAME);
	if (is_nullable(f->type) && !f->fallback)
		note(l, NULL_DEFAULT);
	if (f->type->type == SCHEMA_UNION && is_nullable(f->type) &&
	    f->type->branch[0]->type != SCHEMA_NULL && !(f->fallback && f->fallback->type != BUS_JSON_NULL))
		note(l, NULL_FIRST);
	if (value->type == SCHEMA_STRING && sounds_like_time(f->name))
		note(l, TEXT_DATE);
	if ((value->type == SCHEMA_FLOAT || value->type == SCHEMA_DOUBLE) && unit && strcmp(unit, "IDR") == 0)
		note(l, FLOAT_MONEY);
}

static void type(struct linter *l, const struct schema_node *node);

static void named(struct linter *l, const struct schema_node *node)
{
	struct schema_step step = { .up = l->step, .kind = SCHEMA_STEP_FIELD };

	if (!is_pascal(schema_short_name(node->name)))
		note(l, TYPE_NAME);
	if (node->type == SCHEMA_ENUM) {
		for (size_t i = 0; i < node->n; i++)
			if (!is_upper(node->symbol[i])) {
				note(l, SYMBOL_NAME);
				break;
			}
		if (!node->fallback_symbol)
			note(l, ENUM_DEFAULT);
	}
	if (node->type != SCHEMA_RECORD)
		return;
	/* Others are described by the field that holds them. */
	if (empty(node->doc) && !l->step)
		note(l, DOC);
	l->step = &step;
	for (size_t i = 0; i < node->n; i++) {
		step.field[0] = &node->field[i];
		field(l, step.field[0]);
		type(l, step.field[0]->type);
	}
	l->step = step.up;
}

static void type(struct linter *l, const struct schema_node *node)
{
	struct schema_step step = { .up = l->step, .kind = SCHEMA_STEP_ITEM, .node = node };

	if (l->seen[node->index] || (node->name && node->index < l->s->own))
		return;
	l->seen[node->index] = true;
	if (node->name) {
		named(l, node);
		return;
	}
	l->step = &step;
	if (node->item)
		type(l, node->item);
	for (size_t i = 0; i < node->n && node->type == SCHEMA_UNION; i++) {
		step.kind = SCHEMA_STEP_BRANCH;
		step.index = i;
		type(l, node->branch[i]);
	}
	l->step = step.up;
}

void schema_lint(const struct schema *s, bool must_only, struct schema_lint *out)
{
	struct linter l = { .s = s, .out = out, .must_only = must_only };

	*out = (struct schema_lint){ .memory = bus_arena_new((size_t)8 * 1024 * 1024) };
	out->fault = bus_xcalloc(SCHEMA_LINT_MAX, sizeof(*out->fault));
	l.seen = bus_xcalloc((size_t)schema_count(s) + 1, sizeof(bool));
	root(&l, s->root);
	type(&l, s->root);
	free(l.seen);
}

void schema_lint_release(struct schema_lint *l)
{
	free(l->fault);
	bus_arena_free(&l->memory);
	*l = (struct schema_lint){ 0 };
}
