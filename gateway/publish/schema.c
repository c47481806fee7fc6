/* Which schema; values written with it, keys found in them. */
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/publish/impl.h"
#include "schemas/avro/cells.h"
#include "schemas/avro/json.h"

#define NIK_LEN 16

struct gw_publish_encoder {
	struct gw_publish *all;
	struct gw_publish_schema says;
	struct schema_reader *reader;
	struct schema_plan *self, *key; /* the value as it is; its key alone, NULL: no key in it */
	struct schema *writer;		/* of the last datum in another version, and its plan */
	struct schema_plan *other;
	struct bus_pseudonym *pseudonym;
};

/* --- which schema -------------------------------------------------------------------------------------------- */

static bool is_text(const struct schema_node *node)
{
	if (node->type == SCHEMA_UNION && node->n == 2)
		return node->branch[0]->type == SCHEMA_STRING || node->branch[1]->type == SCHEMA_STRING;
	return node->type == SCHEMA_STRING;
}

static void look_at_schema(struct gw_publish_schema *s)
{
	const struct schema_node *root = schema_root(s->schema);
	const char *key = schema_property(root->properties, "x_kunci"), *kind, *class;
	size_t i;

	if (root->type != SCHEMA_RECORD)
		return;
	kind = schema_property(root->properties, "x_jenis");
	s->register_topic = kind && strcmp(kind, "register") == 0;
	s->key = key ? schema_field_find(root, key, &i) : NULL;
	if (s->key && !is_text(s->key->type))
		s->key = NULL;
	if (!s->key)
		return;
	class = schema_property(s->key->properties, "x_pdp");
	s->key_personal = class && strchr("USA", class[0]) != NULL;
}

static enum bus_err version_of_id(struct schema_store *store, const char *subject, int32_t id,
				  struct schema_version *out, struct bus_error *err)
{
	struct schema_version_list list = { 0 };
	int version = 0;

	schema_store_versions(store, subject, SCHEMA_LIVE, &list);
	for (size_t i = 0; i < list.n; i++)
		if (list.item[i].id == id)
			version = list.item[i].version;
	schema_version_list_release(&list);
	if (version == 0)
		return bus_fail(err, BUS_ENOENT, "no version of '%s' has this id", subject);
	return schema_store_version(store, subject, version, out, err);
}

enum bus_err gw_publish_schema_find(struct gw_publish *p, const char *topic, int version, int32_t id,
				    struct gw_publish_schema *out, struct bus_error *err)
{
	struct schema_store *store = p->conf.schemas;
	struct schema_version v = { 0 };
	char subject[GW_PUBLISH_TOPIC_MAX + 8];
	enum bus_err rc;

	*out = (struct gw_publish_schema){ 0 };
	if (!store)
		return bus_fail(err, BUS_ENOENT, "no schema is known");
	snprintf(subject, sizeof(subject), "%s-value", topic);
	rc = id > 0 ? version_of_id(store, subject, id, &v, err)
		    : schema_store_version(store, subject, version, &v, err);
	if (rc == BUS_OK && (!v.schema || v.deleted))
		rc = bus_fail(err, BUS_ENOENT, "'%s' has no such version that is Avro", subject);
	if (rc == BUS_OK) {
		out->schema = schema_ref(v.schema);
		out->id = v.id;
		look_at_schema(out);
	}
	schema_version_release(&v);
	return rc;
}

void gw_publish_schema_release(struct gw_publish_schema *s)
{
	schema_unref(&s->schema);
	*s = (struct gw_publish_schema){ 0 };
}

/* --- plans that are kept ------------------------------------------------------------------------------------- */

static void known_release(struct gw_publish_known *k)
{
	schema_plan_free(&k->self);
	schema_plan_free(&k->key);
	schema_unref(&k->only_key);
	schema_unref(&k->schema);
	*k = (struct gw_publish_known){ 0 };
}

void gw_publish_known_release(struct gw_publish *p)
{
	for (size_t i = 0; i < GW_PUBLISH_KNOWN; i++)
		known_release(&p->known[i]);
}

/* A record of the key's field alone: reading with it passes over all others. */
static struct schema *only_key(const struct gw_publish_schema *s)
{
	const struct schema_node *root = schema_root(s->schema);
	char *text = bus_xasprintf(
	    "{\"type\":\"record\",\"name\":\"%s\",\"fields\":[{\"name\":\"%s\",\"type\":%s}]}", root->name,
	    s->key->name, s->key->type->type == SCHEMA_UNION ? "[\"null\",\"string\"]" : "\"string\"");
	struct schema *out = NULL;

	if (schema_parse(bus_str(text), SCHEMA_LENIENT, NULL, 0, &out, NULL))
		out = NULL;
	free(text);
	return out;
}

static void known_make(struct gw_publish_known *k, const struct gw_publish_schema *s)
{
	known_release(k);
	k->id = s->id;
	k->schema = schema_ref(s->schema);
	if (schema_plan(s->schema, NULL, &k->self, NULL))
		k->self = NULL;
	if (s->key)
		k->only_key = only_key(s);
	if (k->only_key && schema_plan(s->schema, k->only_key, &k->key, NULL))
		k->key = NULL;
}

struct gw_publish_encoder *gw_publish_encoder_new(struct gw_publish *p, const struct gw_publish_schema *s)
{
	struct gw_publish_encoder *e = bus_xcalloc(1, sizeof(*e));
	struct gw_publish_known *k = &p->known[0];

	e->all = p;
	e->says = *s;
	e->says.schema = schema_ref(s->schema);
	e->reader = schema_reader_new(NULL);
	pthread_mutex_lock(&p->known_lock);
	for (size_t i = 0; i < GW_PUBLISH_KNOWN; i++) {
		if (p->known[i].schema == s->schema) {
			k = &p->known[i];
			break;
		}
		if (p->known[i].used < k->used)
			k = &p->known[i];
	}
	if (k->schema != s->schema)
		known_make(k, s);
	k->used = ++p->known_clock;
	e->self = k->self ? schema_plan_ref(k->self) : NULL;
	e->key = k->key ? schema_plan_ref(k->key) : NULL;
	pthread_mutex_unlock(&p->known_lock);
	return e;
}

void gw_publish_encoder_free(struct gw_publish_encoder **ep)
{
	struct gw_publish_encoder *e = *ep;

	*ep = NULL;
	if (!e)
		return;
	schema_reader_free(&e->reader);
	schema_plan_free(&e->self);
	schema_plan_free(&e->key);
	schema_plan_free(&e->other);
	schema_unref(&e->writer);
	gw_publish_schema_release(&e->says);
	bus_pseudonym_free(&e->pseudonym);
	free(e);
}

/* --- values -------------------------------------------------------------------------------------------------- */

/* "value /a/0: not an int" (avro/json.h) -> where it is in the body, and what it is not. */
static void misfit(struct gw_publish_batch *b, struct gw_publish_record *r, const struct bus_error *err,
		   const char *pointer)
{
	const char *path = strncmp(err->text, "value /", 7) == 0 ? err->text + 6 : NULL,
		   *what = path ? strstr(path, ": ") : NULL;
	char place[512];

	if (!what) {
		gw_publish_refuse(b, r, err->code == BUS_ETOOBIG ? "record-too-large" : "record-invalid",
				  pointer, err->text);
		return;
	}
	snprintf(place, sizeof(place), "%s%.*s", pointer, what - path > 1 ? (int)(what - path) : 0, path);
	gw_publish_refuse(b, r, "record-invalid", place, what + 2);
}

static void value_begin(struct gw_publish_batch *b, struct gw_publish_record *r, int32_t schema_id)
{
	r->value_at = (uint32_t)b->bytes.n;
	bus_wire_put_prefix(&b->bytes, schema_id);
}

bool gw_publish_value_json(struct gw_publish_encoder *e, struct gw_publish_batch *b,
			   struct gw_publish_record *r, struct bus_str json, bool avro_spelling,
			   const char *pointer)
{
	struct bus_error err = { 0 };

	value_begin(b, r, e->says.id);
	if (schema_encode_json(e->says.schema, json, avro_spelling ? SCHEMA_JSON_AVRO : SCHEMA_JSON_PLAIN,
			       &b->bytes, &err)) {
		b->bytes.n = r->value_at;
		misfit(b, r, &err, pointer);
		return false;
	}
	r->value_n = (uint32_t)(b->bytes.n - r->value_at);
	return true;
}

bool gw_publish_value_avro(struct gw_publish_encoder *e, struct gw_publish_batch *b,
			   struct gw_publish_record *r, struct bus_str datum, struct schema *writer,
			   const char *pointer)
{
	const struct schema_node *root = schema_root(e->says.schema);
	const struct schema_plan *plan = e->self;
	const struct schema_cell *cell;
	struct bus_error err = { 0 };
	enum bus_err rc = BUS_OK;

	if (writer != e->says.schema) {
		if (e->writer != writer) {
			schema_plan_free(&e->other);
			schema_unref(&e->writer);
			rc = schema_plan(writer, e->says.schema, &e->other, &err);
			e->writer = schema_ref(writer);
		}
		plan = e->other;
	}
	if (rc == BUS_OK && !plan)
		rc = bus_fail(&err, BUS_EDATA, "its schema cannot be read as this one");
	if (rc == BUS_OK)
		rc = schema_read_cells(e->reader, plan, datum, &cell, &err);
	if (rc != BUS_OK) {
		gw_publish_refuse(b, r, rc == BUS_ETOOBIG ? "record-too-large" : "record-invalid", pointer,
				  err.text);
		return false;
	}
	value_begin(b, r, e->says.id);
	if (plan == e->self)
		bus_buf_put(&b->bytes, datum.p, datum.n);
	else
		schema_write_cells(root, cell, cell, &b->bytes);
	r->value_n = (uint32_t)(b->bytes.n - r->value_at);
	return true;
}

/* --- keys ---------------------------------------------------------------------------------------------------- */

bool gw_publish_is_nik(struct bus_str s)
{
	int day, month, year;
	int32_t days;

	if (s.n != NIK_LEN)
		return false;
	for (size_t i = 0; i < NIK_LEN; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	day = (s.p[6] - '0') * 10 + s.p[7] - '0';
	month = (s.p[8] - '0') * 10 + s.p[9] - '0';
	year = (s.p[10] - '0') * 10 + s.p[11] - '0';
	if (day > 40) /* women's */
		day -= 40;
	return bus_clock_days(2000 + year, month, day, &days) ||
	       bus_clock_days(1900 + year, month, day, &days);
}

/* One anywhere in the key, between what are no digits. */
bool gw_publish_holds_nik(struct bus_str key)
{
	for (size_t i = 0; i < key.n;) {
		size_t n = 0;

		while (i + n < key.n && key.p[i + n] >= '0' && key.p[i + n] <= '9')
			n++;
		if (gw_publish_is_nik((struct bus_str){ key.p + i, n }))
			return true;
		i += n > 0 ? n : 1;
	}
	return false;
}

static struct bus_str value_of(const struct gw_publish_batch *b, const struct gw_publish_record *r)
{
	return (struct bus_str){ b->bytes.p + r->value_at + BUS_WIRE_PREFIX, r->value_n - BUS_WIRE_PREFIX };
}

/* The key's field of a record's value, p NULL: null. Borrowed from the batch's bytes. */
static bool key_in_value(struct gw_publish_encoder *e, const struct gw_publish_batch *b,
			 const struct gw_publish_record *r, struct bus_str *out)
{
	const struct schema_node *field;
	const struct schema_cell *root;

	if (schema_read_cells(e->reader, e->key, value_of(b, r), &root, NULL))
		return false;
	field = schema_root(schema_plan_reader(e->key))->field[0].type;
	*out = schema_cell_type(field, &root[root->at])->type == SCHEMA_STRING
		   ? (struct bus_str){ root[root->at].p, root[root->at].n }
		   : (struct bus_str){ 0 };
	return true;
}

/* Writes the value once more, with the pseudonym in the place of the NIK in its key's field. */
static void replace_in_value(struct gw_publish_encoder *e, struct gw_publish_batch *b,
			     struct gw_publish_record *r, struct bus_str pseudonym)
{
	const struct schema_node *node = schema_root(e->says.schema);
	const struct schema_cell *root;
	struct schema_cell *cell;
	struct bus_buf fresh = { 0 };
	size_t i = (size_t)(e->says.key - node->field);

	if (schema_read_cells(e->reader, e->self, value_of(b, r), &root, NULL))
		return;
	cell = (struct schema_cell *)(uintptr_t)&root[root->at + i]; /* the reader is ours */
	cell->p = pseudonym.p;
	cell->n = (uint32_t)pseudonym.n;
	schema_write_cells(node, root, root, &fresh);
	b->bytes.n = r->value_at + BUS_WIRE_PREFIX; /* the value stands last */
	bus_buf_put(&b->bytes, fresh.p, fresh.n);
	r->value_n = (uint32_t)(b->bytes.n - r->value_at);
	bus_buf_release(&fresh);
}

static bool refuse_key(struct gw_publish_batch *b, struct gw_publish_record *r, const char *problem,
		       const char *pointer, const char *detail)
{
	gw_publish_refuse(b, r, problem, pointer, detail);
	return false;
}

bool gw_publish_key(struct gw_publish_encoder *e, struct gw_publish_batch *b, struct gw_publish_record *r,
		    struct bus_str key, const char *pointer)
{
	const struct gw_publish_schema *says = &e->says;
	char hex[BUS_PSEUDONYM_LEN + 1];
	struct bus_str held = { 0 };
	size_t at;
	bool inside;
	bool found = !r->tombstone && says->key && e->key && key_in_value(e, b, r, &held) && held.p;

	if (says->key_personal)
		return refuse_key(b, r, "record-key-personal", pointer, says->key->name);
	if (found && key.p && !bus_str_eq(key, held))
		return refuse_key(b, r, "record-key-other", pointer, says->key->name);
	if (!key.p)
		key = held;
	if (!key.p) {
		if (says->register_topic || says->key || r->tombstone)
			return refuse_key(b, r, "record-key-missing", pointer,
					  says->key ? says->key->name : NULL);
		return true;
	}
	if (gw_publish_is_nik(key) && e->all->conf.city) {
		if (!e->pseudonym)
			e->pseudonym = bus_pseudonym_new(e->all->conf.city);
		bus_pseudonym_make(e->pseudonym, "", key, hex);
		key = (struct bus_str){ hex, BUS_PSEUDONYM_LEN };
		if (found)
			replace_in_value(e, b, r, key);
	} else if (gw_publish_holds_nik(key)) {
		return refuse_key(b, r, "record-key-personal", pointer, says->key ? says->key->name : NULL);
	}
	if (key.n == 0)
		return refuse_key(b, r, "record-key-missing", pointer, says->key ? says->key->name : NULL);
	inside = found && key.p == held.p;
	at = inside ? (size_t)(key.p - b->bytes.p) : 0;
	bus_buf_reserve(&b->bytes, key.n); /* the bytes may move, and the key be in them */
	if (inside)
		key.p = b->bytes.p + at;
	r->key_at = (uint32_t)b->bytes.n;
	r->key_n = (uint32_t)key.n;
	bus_buf_put(&b->bytes, key.p, key.n);
	r->has_key = true;
	return true;
}
