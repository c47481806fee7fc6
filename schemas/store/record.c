#include "schemas/store/record.h"

#include "bus/json.h"

#define RECORD_TEXT_MAX ((size_t)8 * 1024 * 1024)

static const struct bus_json_limits limits = { .depth = 64, .text = RECORD_TEXT_MAX };

static const char *const kind_name[] = {
	[SCHEMA_RECORD_SCHEMA] = "SCHEMA",
	[SCHEMA_RECORD_CONFIG] = "CONFIG",
	[SCHEMA_RECORD_MODE] = "MODE",
	[SCHEMA_RECORD_DELETE_SUBJECT] = "DELETE_SUBJECT",
	[SCHEMA_RECORD_CLEAR_SUBJECT] = "CLEAR_SUBJECT",
	[SCHEMA_RECORD_CONTEXT] = "CONTEXT",
	[SCHEMA_RECORD_NOOP] = "NOOP",
};

static enum bus_err parse_object(struct bus_str text, struct bus_arena *arena, struct bus_json **out,
				 struct bus_error *err)
{
	enum bus_err rc = bus_json_parse(text, &limits, arena, out, err);

	if (rc == BUS_OK && (*out)->type != BUS_JSON_OBJECT)
		rc = bus_fail(err, BUS_EDATA, "not a JSON object");
	return rc;
}

static bool is_null(const struct bus_json *v)
{
	return !v || v->type == BUS_JSON_NULL;
}

static enum bus_err take_text(const struct bus_json *object, const char *name, struct bus_str *out,
			      struct bus_error *err)
{
	const struct bus_json *v = bus_json_get(object, name);

	if (is_null(v))
		return BUS_OK;
	if (v->type != BUS_JSON_STRING)
		return bus_fail(err, BUS_EDATA, "\"%s\" is not text", name);
	if (memchr(v->text.p, '\0', v->text.n)) /* a C string from here on */
		return bus_fail(err, BUS_EDATA, "\"%s\" holds U+0000", name);
	*out = v->text;
	return BUS_OK;
}

static enum bus_err take_int(const struct bus_json *object, const char *name, int64_t min, int32_t *out,
			     struct bus_error *err)
{
	const struct bus_json *v = bus_json_get(object, name);
	int64_t n;

	if (!v || bus_json_int(v, &n) != BUS_OK || n < min || n > INT32_MAX)
		return bus_fail(err, BUS_EDATA, "\"%s\" is not a number from %lld", name, (long long)min);
	*out = (int32_t)n;
	return BUS_OK;
}

static enum bus_err read_references(const struct bus_json *value, struct bus_arena *arena,
				    struct schema_record *out, struct bus_error *err)
{
	const struct bus_json *list = bus_json_get(value, "references"), *v;
	struct schema_store_reference *r;

	if (is_null(list))
		return BUS_OK;
	if (list->type != BUS_JSON_ARRAY || list->n > SCHEMA_STORE_REFERENCES_MAX)
		return bus_fail(err, BUS_EDATA, "\"references\" is not a list of at most %d",
				SCHEMA_STORE_REFERENCES_MAX);
	out->reference = bus_arena_zalloc(arena, (list->n + 1) * sizeof(*r));
	if (!out->reference)
		return bus_fail(err, BUS_ETOOBIG, "the record is too large");
	for (v = list->first; v; v = v->next) {
		struct bus_str name = { NULL, 0 }, subject = { NULL, 0 };
		enum bus_err rc = BUS_EDATA;

		r = &out->reference[out->n_references];
		if (v->type == BUS_JSON_OBJECT)
			rc = take_text(v, "name", &name, err);
		if (rc == BUS_OK)
			rc = take_text(v, "subject", &subject, err);
		if (rc == BUS_OK)
			rc = take_int(v, "version", 1, &r->version, err);
		if (rc != BUS_OK || !name.p || !subject.p)
			return bus_fail(err, BUS_EDATA, "a reference needs name, subject and version");
		r->name = bus_arena_dup(arena, name.p, name.n);
		r->subject = bus_arena_dup(arena, subject.p, subject.n);
		if (!r->name || !r->subject)
			return bus_fail(err, BUS_ETOOBIG, "the record is too large");
		out->n_references++;
	}
	return BUS_OK;
}

static enum bus_err read_meta(const struct bus_json *value, struct bus_arena *arena,
			      const struct schema_metadata **m, const struct schema_rule_set **rules,
			      struct schema_record *out, struct bus_error *err)
{
	struct bus_buf text = { 0 };
	enum bus_err rc;

	rc = schema_metadata_read(bus_json_get(value, "metadata"), arena, m, err);
	if (rc == BUS_OK)
		rc = schema_rule_set_read(bus_json_get(value, "ruleSet"), arena, rules, err);
	if (rc != BUS_OK)
		return rc;
	schema_meta_members(*m, *rules, &text);
	out->extra = (struct bus_str){ bus_arena_dup(arena, text.p, text.n), text.n };
	bus_buf_release(&text);
	return out->extra.p ? BUS_OK : bus_fail(err, BUS_ETOOBIG, "the record is too large");
}

static enum bus_err read_schema(const struct bus_json *value, struct bus_arena *arena,
				struct schema_record *out, struct bus_error *err)
{
	const struct bus_json *deleted = bus_json_get(value, "deleted");
	const struct schema_metadata *m = NULL;
	const struct schema_rule_set *rules = NULL;
	enum bus_err rc;

	out->type = BUS_STR("AVRO");
	rc = take_int(value, "id", 0, &out->id, err);
	if (rc == BUS_OK)
		rc = take_text(value, "schemaType", &out->type, err);
	if (rc == BUS_OK)
		rc = take_text(value, "schema", &out->text, err);
	if (rc == BUS_OK)
		rc = read_references(value, arena, out, err);
	if (rc == BUS_OK)
		rc = read_meta(value, arena, &m, &rules, out, err);
	if (rc != BUS_OK)
		return rc;
	if (!out->text.p)
		return bus_fail(err, BUS_EDATA, "no \"schema\"");
	out->deleted = deleted && deleted->type == BUS_JSON_TRUE;
	schema_record_guid(out->text, out->reference, out->n_references, m, rules, out->guid);
	return BUS_OK;
}

static enum bus_err read_noop(const struct bus_json *value, struct bus_arena *arena,
			      struct schema_record *out, struct bus_error *err)
{
	const struct bus_json *contexts = bus_json_get(value, "contexts");
	enum bus_err rc = BUS_OK;

	if (bus_json_get(value, "highestId"))
		rc = take_int(value, "highestId", 0, &out->id, err);
	if (rc != BUS_OK || is_null(contexts))
		return rc;
	out->highest = bus_arena_zalloc(arena, (contexts->n + 1) * sizeof(*out->highest));
	if (!out->highest)
		return bus_fail(err, BUS_ETOOBIG, "the record is too large");
	for (const struct bus_json *c = contexts->first; c; c = c->next) {
		int64_t id;

		if (c->type != BUS_JSON_NUMBER || bus_json_int(c, &id) != BUS_OK || id < 0 || id > INT32_MAX)
			return bus_fail(err, BUS_EDATA, "a context's highest id is no id");
		out->highest[out->n_highest++] = (struct schema_highest){ c->name, (int32_t)id };
	}
	return BUS_OK;
}

static enum bus_err read_key(struct bus_str key, struct bus_arena *arena, struct schema_record *out,
			     struct bus_error *err)
{
	struct bus_str type = { NULL, 0 };
	struct bus_json *k = NULL;
	enum bus_err rc;
	size_t i;

	rc = parse_object(key, arena, &k, err);
	if (rc == BUS_OK)
		rc = take_text(k, "keytype", &type, err);
	if (rc == BUS_OK)
		rc = take_text(k, "subject", &out->subject, err);
	if (rc != BUS_OK)
		return rc;
	if (!type.p)
		return bus_fail(err, BUS_EDATA, "no \"keytype\"");
	out->kind = SCHEMA_RECORD_OTHER;
	for (i = 0; i < BUS_LEN(kind_name); i++)
		if (bus_str_is(type, kind_name[i]))
			out->kind = (enum schema_record_kind)i;
	if (out->kind == SCHEMA_RECORD_SCHEMA)
		rc = take_int(k, "version", 1, &out->version, err);
	if (!out->subject.p &&
	    (out->kind == SCHEMA_RECORD_SCHEMA || out->kind == SCHEMA_RECORD_DELETE_SUBJECT))
		return bus_fail(err, BUS_EDATA, "no \"subject\"");
	if (out->kind == SCHEMA_RECORD_CONTEXT && rc == BUS_OK) {
		rc = take_text(k, "context", &out->subject, err);
		if (rc == BUS_OK && !out->subject.p)
			return bus_fail(err, BUS_EDATA, "no \"context\"");
	}
	return rc;
}

enum bus_err schema_record_read(struct bus_str key, struct bus_str value, struct bus_arena *arena,
				struct schema_record *out, struct bus_error *err)
{
	struct bus_json *v = NULL;
	enum bus_err rc;

	memset(out, 0, sizeof(*out));
	if (!key.p)
		return bus_fail(err, BUS_EDATA, "no key");
	rc = read_key(key, arena, out, err);
	if (rc != BUS_OK || out->kind == SCHEMA_RECORD_OTHER)
		return rc;
	out->tombstone = value.n == 0; /* Karapace takes away with an empty value, Confluent with none */
	if (out->tombstone)
		return BUS_OK;
	rc = parse_object(value, arena, &v, err);
	if (rc != BUS_OK)
		return rc;
	switch (out->kind) {
	case SCHEMA_RECORD_SCHEMA:
		return read_schema(v, arena, out, err);
	case SCHEMA_RECORD_DELETE_SUBJECT:
		return take_int(v, "version", 0, &out->version, err);
	case SCHEMA_RECORD_NOOP:
		return read_noop(v, arena, out, err);
	default:
		out->value = value;
		out->settings = v;
		return BUS_OK;
	}
}

/* As Jackson writes a text, which Confluent's registry uses: bytes of keys must be the same for compaction.
 */
void schema_record_key_text(const char *s, struct bus_buf *out)
{
	static const char letter[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
	};

	bus_buf_putc(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			bus_buf_printf(out, "\\%c", c);
		else if (c < 32 && letter[c])
			bus_buf_printf(out, "\\%c", letter[c]);
		else if (c < 32)
			bus_buf_printf(out, "\\u%04X", c);
		else
			bus_buf_putc(out, *s);
	}
	bus_buf_putc(out, '"');
}

void schema_record_key(enum schema_record_kind kind, const char *subject, int version, struct bus_buf *out)
{
	bus_buf_printf(out, "{\"keytype\":\"%s\"", kind_name[kind]);
	if (kind == SCHEMA_RECORD_CONTEXT) {
		bus_buf_puts(out, ",\"tenant\":\"default\",\"context\":");
		schema_record_key_text(subject, out);
	} else if (subject) {
		bus_buf_puts(out, ",\"subject\":");
		schema_record_key_text(subject, out);
	}
	if (kind == SCHEMA_RECORD_SCHEMA)
		bus_buf_printf(out, ",\"version\":%d,\"magic\":1}", version);
	else
		bus_buf_puts(out, ",\"magic\":0}");
}

void schema_record_put_references(struct bus_json_out *j, const struct schema_version *v)
{
	size_t i;

	bus_json_key(j, "references");
	bus_json_array(j);
	for (i = 0; i < v->n_references; i++) {
		bus_json_object(j);
		bus_json_key(j, "name");
		bus_json_put_text(j, v->reference[i].name);
		bus_json_key(j, "subject");
		bus_json_put_text(j, v->reference[i].subject);
		bus_json_key(j, "version");
		bus_json_put_int(j, v->reference[i].version);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

void schema_record_schema(const struct schema_version *v, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_key(&j, "subject");
	bus_json_put_text(&j, v->subject);
	bus_json_key(&j, "version");
	bus_json_put_int(&j, v->version);
	bus_json_key(&j, "id");
	bus_json_put_int(&j, v->id);
	if (v->type && strcmp(v->type, "AVRO") != 0) {
		bus_json_key(&j, "schemaType");
		bus_json_put_text(&j, v->type);
	}
	if (v->n_references > 0)
		schema_record_put_references(&j, v);
	if (v->extra)
		bus_json_put_members(&j, bus_str(v->extra));
	bus_json_key(&j, "schema");
	bus_json_put_text(&j, v->text);
	bus_json_key(&j, "deleted");
	bus_json_put_bool(&j, v->deleted);
	bus_json_object_end(&j);
}

void schema_record_subject(const char *subject, int version, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	if (subject) {
		bus_json_key(&j, "subject");
		bus_json_put_text(&j, subject);
	}
	if (version > 0) {
		bus_json_key(&j, "version");
		bus_json_put_int(&j, version);
	}
	bus_json_object_end(&j);
}

void schema_record_config(const char *subject, const struct schema_config *c, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	if (subject) {
		bus_json_key(&j, "subject");
		bus_json_put_text(&j, subject);
	}
	schema_config_write(c, "compatibilityLevel", &j);
	bus_json_object_end(&j);
}

void schema_record_mode(const char *subject, int mode, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	if (subject) {
		bus_json_key(&j, "subject");
		bus_json_put_text(&j, subject);
	}
	bus_json_key(&j, "mode");
	bus_json_put_text(&j, schema_mode_name(mode));
	bus_json_object_end(&j);
}

void schema_record_context(const char *context, struct bus_buf *out)
{
	bus_buf_puts(out, "{\"tenant\":\"default\",\"context\":");
	schema_record_key_text(context, out);
	bus_buf_putc(out, '}');
}

void schema_record_noop(int32_t highest_id, const struct schema_highest *context, size_t n,
			struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_key(&j, "highestId");
	bus_json_put_int(&j, highest_id);
	if (n > 0) {
		bus_json_key(&j, "contexts");
		bus_json_object(&j);
		for (size_t i = 0; i < n; i++) {
			bus_json_key_str(&j, context[i].context);
			bus_json_put_int(&j, context[i].id);
		}
		bus_json_object_end(&j);
	}
	bus_json_object_end(&j);
}
