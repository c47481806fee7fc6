#include "schemas/registry/dek_record.h"

#include "schemas/store/record.h"

static bool is_null(const struct bus_json *v)
{
	return !v || v->type == BUS_JSON_NULL;
}

/* --- members ------------------------------------------------------------------------------------------ */

enum bus_err schema_key_text(const struct bus_json *o, const char *name, struct bus_arena *arena,
			     const char **out, struct bus_error *err)
{
	const struct bus_json *v = bus_json_get(o, name);

	*out = NULL;
	if (is_null(v))
		return BUS_OK;
	if (v->type != BUS_JSON_STRING || (v->text.n > 0 && memchr(v->text.p, '\0', v->text.n)))
		return bus_fail(err, BUS_EDATA, "\"%s\" is not text", name);
	*out = bus_arena_dup(arena, v->text.p, v->text.n);
	return *out ? BUS_OK : bus_fail(err, BUS_ETOOBIG, "too large");
}

enum bus_err schema_key_flag(const struct bus_json *o, const char *name, bool *out, struct bus_error *err)
{
	const struct bus_json *v = bus_json_get(o, name);

	if (is_null(v))
		return BUS_OK;
	if (v->type != BUS_JSON_TRUE && v->type != BUS_JSON_FALSE)
		return bus_fail(err, BUS_EDATA, "\"%s\" is neither true nor false", name);
	*out = v->type == BUS_JSON_TRUE;
	return BUS_OK;
}

static int by_name(const void *a, const void *b)
{
	const struct bus_json *x = *(const struct bus_json *const *)a,
			      *y = *(const struct bus_json *const *)b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = n > 0 ? memcmp(x->name.p, y->name.p, n) : 0;

	return c != 0 ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static enum bus_err sorted(const struct bus_json *props, struct bus_arena *arena,
			   const struct bus_json ***out, struct bus_error *err)
{
	const struct bus_json **list;
	size_t n = 0;

	if (props->type != BUS_JSON_OBJECT || props->n > SCHEMA_KEY_PROPS_MAX)
		return bus_fail(err, BUS_EDATA, "\"kmsProps\" is not an object of at most %d texts",
				SCHEMA_KEY_PROPS_MAX);
	list = bus_arena_zalloc(arena, (props->n + 1) * sizeof(*list));
	if (!list)
		return bus_fail(err, BUS_ETOOBIG, "too large");
	for (const struct bus_json *v = props->first; v; v = v->next) {
		if (v->type != BUS_JSON_STRING || (v->text.n > 0 && memchr(v->text.p, '\0', v->text.n)))
			return bus_fail(err, BUS_EDATA, "\"kmsProps\" holds what is not text");
		list[n++] = v;
	}
	qsort(list, n, sizeof(*list), by_name);
	*out = list;
	return BUS_OK;
}

enum bus_err schema_key_props(const struct bus_json *props, struct bus_arena *arena, const char **out,
			      struct bus_error *err)
{
	const struct bus_json **list = NULL;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	enum bus_err rc;

	*out = "{}";
	if (is_null(props))
		return BUS_OK;
	rc = sorted(props, arena, &list, err);
	if (rc != BUS_OK)
		return rc;
	bus_json_object(&j);
	for (size_t i = 0; i < props->n; i++) {
		bus_json_key_str(&j, list[i]->name);
		bus_json_put_str(&j, list[i]->text);
	}
	bus_json_object_end(&j);
	*out = bus_arena_dup(arena, b.p, b.n);
	bus_buf_release(&b);
	return *out ? BUS_OK : bus_fail(err, BUS_ETOOBIG, "too large");
}

/* --- reading ------------------------------------------------------------------------------------------ */

static enum bus_err parse(struct bus_str text, struct bus_arena *arena, struct bus_json **out,
			  struct bus_error *err)
{
	enum bus_err rc = bus_json_parse(text, NULL, arena, out, err);

	if (rc == BUS_EPARSE) /* its message may quote */
		return bus_fail(err, rc, "not JSON");
	if (rc == BUS_OK && (*out)->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EDATA, "not an object");
	return rc;
}

static enum bus_err read_dek_id(const struct bus_json *o, struct bus_arena *arena, struct schema_dek *id,
				struct bus_error *err)
{
	const struct bus_json *algorithm = bus_json_get(o, "algorithm");
	int64_t version;
	enum bus_err rc = schema_key_text(o, "kekName", arena, &id->kek, err);

	if (rc == BUS_OK)
		rc = schema_key_text(o, "subject", arena, &id->subject, err);
	if (rc != BUS_OK)
		return rc;
	if (!id->kek || !id->subject || !algorithm || algorithm->type != BUS_JSON_STRING ||
	    !schema_algorithm_parse(algorithm->text, &id->algorithm) || is_null(bus_json_get(o, "version")) ||
	    bus_json_int(bus_json_get(o, "version"), &version) != BUS_OK || version < 1 ||
	    version > INT32_MAX)
		return bus_fail(err, BUS_EDATA, "not a DEK's kekName, subject, algorithm and version");
	id->version = (int)version;
	return BUS_OK;
}

/* *dek: it is a DEK's; else k->name is set. */
static enum bus_err read_key(const struct bus_json *o, struct bus_arena *arena, struct schema_kek *k,
			     struct schema_dek *d, bool *dek, struct bus_error *err)
{
	const struct bus_json *type = bus_json_get(o, "type"), *tenant = bus_json_get(o, "tenant");
	enum bus_err rc;

	if (!tenant || tenant->type != BUS_JSON_STRING || !bus_str_is(tenant->text, "default"))
		return bus_fail(err, BUS_EDATA, "of another tenant");
	if (!type || type->type != BUS_JSON_STRING)
		return bus_fail(err, BUS_EDATA, "without a type");
	*dek = bus_str_is(type->text, "DEK");
	if (*dek)
		return read_dek_id(o, arena, d, err);
	if (!bus_str_is(type->text, "KEK"))
		return bus_fail(err, BUS_EDATA, "neither KEK nor DEK");
	rc = schema_key_text(o, "name", arena, &k->name, err);
	if (rc == BUS_OK && !k->name)
		rc = bus_fail(err, BUS_EDATA, "a KEK without a name");
	return rc;
}

static enum bus_err read_kek(const struct bus_json *o, struct bus_arena *arena, struct schema_kek *k,
			     struct bus_error *err)
{
	enum bus_err rc = schema_key_text(o, "kmsType", arena, &k->kms_type, err);

	if (rc == BUS_OK)
		rc = schema_key_text(o, "kmsKeyId", arena, &k->kms_key_id, err);
	if (rc == BUS_OK)
		rc = schema_key_props(bus_json_get(o, "kmsProps"), arena, &k->props, err);
	if (rc == BUS_OK)
		rc = schema_key_text(o, "doc", arena, &k->doc, err);
	if (rc == BUS_OK)
		rc = schema_key_flag(o, "shared", &k->shared, err);
	return rc == BUS_OK ? schema_key_flag(o, "deleted", &k->deleted, err) : rc;
}

static enum bus_err read_dek(const struct bus_json *o, struct bus_arena *arena, struct schema_dek *d,
			     struct bus_error *err)
{
	enum bus_err rc = schema_key_text(o, "encryptedKeyMaterial", arena, &d->material, err);

	return rc == BUS_OK ? schema_key_flag(o, "deleted", &d->deleted, err) : rc;
}

enum bus_err schema_keys_apply(struct schema_keys_table *t, struct bus_str key, struct bus_str value,
			       bool tombstone, int64_t at_ms, struct bus_arena *arena, struct bus_error *err)
{
	struct schema_kek k = { .at_ms = at_ms };
	struct schema_dek d = { .at_ms = at_ms };
	struct bus_json *o;
	bool dek = false;
	enum bus_err rc = parse(key, arena, &o, err);

	if (rc == BUS_OK)
		rc = read_key(o, arena, &k, &d, &dek, err);
	if (rc == BUS_OK && !tombstone)
		rc = parse(value, arena, &o, err);
	if (rc == BUS_OK && !tombstone)
		rc = dek ? read_dek(o, arena, &d, err) : read_kek(o, arena, &k, err);
	if (rc != BUS_OK)
		return rc;
	if (dek && tombstone)
		schema_keys_remove_dek(t, &d);
	else if (dek)
		schema_keys_put_dek(t, &d);
	else if (tombstone)
		schema_keys_remove_kek(t, k.name);
	else
		schema_keys_put_kek(t, &k);
	return BUS_OK;
}

/* --- writing ------------------------------------------------------------------------------------------ */

void schema_kek_key(const char *name, struct bus_buf *out)
{
	bus_buf_puts(out, "{\"tenant\":\"default\",\"name\":");
	schema_record_key_text(name, out);
	bus_buf_puts(out, ",\"type\":\"KEK\"}");
}

void schema_dek_key(const struct schema_dek *id, struct bus_buf *out)
{
	bus_buf_puts(out, "{\"tenant\":\"default\",\"kekName\":");
	schema_record_key_text(id->kek, out);
	bus_buf_puts(out, ",\"subject\":");
	schema_record_key_text(id->subject, out);
	bus_buf_printf(out, ",\"algorithm\":\"%s\",\"version\":%d,\"type\":\"DEK\"}",
		       schema_algorithm_name(id->algorithm), id->version);
}

static void put_flag(struct bus_json_out *j, const char *name, bool flag)
{
	bus_json_key(j, name);
	bus_json_put_bool(j, flag);
}

void schema_kek_value(const struct schema_kek *k, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_some_text_member(&j, "name", k->name);
	bus_json_some_text_member(&j, "kmsType", k->kms_type);
	bus_json_some_text_member(&j, "kmsKeyId", k->kms_key_id);
	bus_json_key(&j, "kmsProps");
	bus_json_put_raw(&j, bus_str(k->props));
	bus_json_some_text_member(&j, "doc", k->doc);
	put_flag(&j, "shared", k->shared);
	put_flag(&j, "deleted", k->deleted);
	bus_json_some_text_member(&j, "type", "KEK");
	bus_json_object_end(&j);
}

void schema_dek_value(const struct schema_dek *d, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_some_text_member(&j, "kekName", d->kek);
	bus_json_some_text_member(&j, "subject", d->subject);
	bus_json_some_text_member(&j, "algorithm", schema_algorithm_name(d->algorithm));
	bus_json_key(&j, "version");
	bus_json_put_int(&j, d->version);
	bus_json_some_text_member(&j, "encryptedKeyMaterial", d->material);
	put_flag(&j, "deleted", d->deleted);
	bus_json_some_text_member(&j, "type", "DEK");
	bus_json_object_end(&j);
}
