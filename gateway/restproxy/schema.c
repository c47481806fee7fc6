/* What keys and values are written with: as the request says it, among what is registered for the topic. */
#include <pthread.h>
#include <stdio.h>

#include "bus/crypto.h"
#include "gateway/publish/impl.h"
#include "gateway/restproxy/body.h"
#include "schemas/avro/canon.h"

#define VERSIONS_LOOKED_AT 100 /* for an inline schema, the newest first */
#define MEMO_MAX 64

/* --- inline schemas that were seen --------------------------------------------------------------------------- */

struct gw_rp_memo {
	pthread_mutex_t lock;
	struct {
		uint8_t digest[BUS_SHA256_LEN]; /* of subject and text */
		int32_t id;
	} seen[MEMO_MAX];
	size_t n, next;
};

struct gw_rp_memo *gw_rp_memo_new(void)
{
	struct gw_rp_memo *m = bus_xcalloc(1, sizeof(*m));

	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void gw_rp_memo_free(struct gw_rp_memo **m)
{
	if (*m)
		pthread_mutex_destroy(&(*m)->lock);
	free(*m);
	*m = NULL;
}

static int32_t remembered(struct gw_rp_memo *m, const uint8_t digest[BUS_SHA256_LEN])
{
	int32_t id = 0;

	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n && id == 0; i++)
		if (memcmp(m->seen[i].digest, digest, BUS_SHA256_LEN) == 0)
			id = m->seen[i].id;
	pthread_mutex_unlock(&m->lock);
	return id;
}

static void remember(struct gw_rp_memo *m, const uint8_t digest[BUS_SHA256_LEN], int32_t id)
{
	size_t at = 0;

	pthread_mutex_lock(&m->lock);
	while (at < m->n && memcmp(m->seen[at].digest, digest, BUS_SHA256_LEN) != 0)
		at++;
	if (at == m->n) {
		at = m->next;
		m->next = (m->next + 1) % MEMO_MAX;
		if (m->n < MEMO_MAX)
			m->n++;
	}
	memcpy(m->seen[at].digest, digest, BUS_SHA256_LEN);
	m->seen[at].id = id;
	pthread_mutex_unlock(&m->lock);
}

/* --- a version of a subject ---------------------------------------------------------------------------------- */

/* The live version of the subject that has this id; 0: none. */
static int version_of(struct schema_store *store, const char *subject, int32_t id)
{
	struct schema_version_list list = { 0 };
	int version = 0;

	schema_store_versions(store, subject, SCHEMA_LIVE, &list);
	for (size_t i = 0; i < list.n; i++)
		if (list.item[i].id == id)
			version = list.item[i].version;
	schema_version_list_release(&list);
	return version;
}

/* The newest live version whose data are written just as this schema's (the same canonical form). */
static bool find_inline(struct schema_store *store, const char *subject, struct bus_str text, int32_t *id,
			struct bus_error *err)
{
	struct schema_version_list list = { 0 };
	struct schema *asked = NULL;

	*id = 0;
	if (schema_parse(text, SCHEMA_LENIENT, NULL, 0, &asked, err))
		return false;
	schema_store_versions(store, subject, SCHEMA_LIVE, &list);
	for (size_t i = list.n; i > 0 && list.n - i < VERSIONS_LOOKED_AT && *id == 0; i--) {
		struct schema_version v;

		if (schema_store_version(store, subject, list.item[i - 1].version, &v, NULL))
			continue;
		if (v.schema && schema_fingerprint(v.schema) == schema_fingerprint(asked))
			*id = v.id;
		schema_version_release(&v);
	}
	schema_version_list_release(&list);
	schema_unref(&asked);
	return true;
}

/* The id of the version of the subject that the request names; not yet whether it is there still. */
static bool read_id(struct gw_rp_body *b, const char *subject, struct bus_str schema, struct bus_str number,
		    int32_t *id)
{
	struct schema_store *store = b->base.batch->all->conf.schemas;
	uint8_t digest[BUS_SHA256_LEN];
	struct bus_sha256_stream *s;
	struct bus_error err = { 0 };
	struct bus_str text;
	int64_t n;

	if (number.p) {
		if (!gw_rp_body_number(number, 1, &n))
			return gw_rp_body_fail(b, 422, "%s: not the id of a schema", subject);
		*id = (int32_t)n;
		return true;
	}
	if (!gw_body_text(&b->base, schema, SCHEMA_TEXT_MAX, &text))
		return gw_rp_body_fail(b, GW_RP_SCHEMA_INVALID, "not a text of at most %zu bytes",
				       SCHEMA_TEXT_MAX);
	s = bus_sha256_new();
	bus_sha256_add(s, subject, strlen(subject) + 1);
	bus_sha256_add(s, text.p, text.n);
	bus_sha256_end(&s, digest);
	*id = b->memo ? remembered(b->memo, digest) : 0;
	if (*id > 0 && store && version_of(store, subject, *id) > 0)
		return true;
	if (!store || !find_inline(store, subject, text, id, &err))
		return gw_rp_body_fail(b, GW_RP_SCHEMA_INVALID, "%s", store ? err.text : "none is known");
	if (*id == 0)
		return gw_rp_body_fail(
		    b, GW_RP_SCHEMA_INVALID,
		    "it is no version of %s; register it first: POST /subjects/%s/versions of the "
		    "registry",
		    subject, subject);
	if (b->memo)
		remember(b->memo, digest, *id);
	return true;
}

static bool values(struct gw_rp_body *b, const char *subject, struct bus_str schema, struct bus_str number)
{
	if (b->value_said && !read_id(b, subject, schema, number, &b->base.schema_id))
		return false;
	if (gw_body_schema(&b->base))
		return true;
	return gw_rp_body_fail(b, GW_RP_SCHEMA_INVALID, "%s: %s", subject, b->base.detail);
}

/* --- keys ---------------------------------------------------------------------------------------------------- */

static bool is_text(const struct schema_node *node)
{
	bool text = node->type == SCHEMA_STRING;

	if (node->type != SCHEMA_UNION)
		return text;
	for (size_t i = 0; i < node->n; i++)
		text |= node->branch[i]->type == SCHEMA_STRING;
	return text && node->n <= 2;
}

/* Keys are text: a schema that says so may be named, for programs that cannot do without. */
static bool text_keys(struct gw_rp_body *b, const char *subject, struct bus_str schema, struct bus_str number)
{
	struct schema_store *store = b->base.batch->all->conf.schemas;
	struct schema *asked = NULL;
	struct bus_error err = { 0 };
	struct bus_str text;
	int64_t n = 0;
	bool good;

	if (number.p) {
		if (!gw_rp_body_number(number, 1, &n) || !store ||
		    schema_store_by_id(store, (int32_t)n, 0, &asked, &err))
			return gw_rp_body_fail(b, GW_RP_SCHEMA_INVALID, "no key_schema_id of that number");
	} else if (!gw_body_text(&b->base, schema, SCHEMA_TEXT_MAX, &text) ||
		   schema_parse(text, SCHEMA_LENIENT, NULL, 0, &asked, &err)) {
		return gw_rp_body_fail(b, GW_RP_SCHEMA_INVALID, "key_schema: %s", err.text);
	}
	good = is_text(schema_root(asked));
	schema_unref(&asked);
	b->key_schema_id = (int32_t)n;
	return good ||
	       gw_rp_body_fail(b, GW_RP_SCHEMA_INVALID,
			       "keys of this topic are text: \"string\"; %s is not registered, or the value "
			       "holds the key",
			       subject);
}

static bool avro_keys(struct gw_rp_body *b, const char *subject, struct bus_str schema, struct bus_str number)
{
	struct schema_store *store = b->base.batch->all->conf.schemas;
	struct schema_version v = { 0 };
	struct bus_error err = { 0 };
	int version;

	if (!read_id(b, subject, schema, number, &b->key_schema_id))
		return false;
	version = version_of(store, subject, b->key_schema_id);
	if (version > 0 && schema_store_version(store, subject, version, &v, &err) == BUS_OK && v.schema)
		b->key_schema = schema_ref(v.schema);
	schema_version_release(&v);
	if (!b->key_schema || schema_plan(b->key_schema, NULL, &b->key_plan, &err))
		return gw_rp_body_fail(b, GW_RP_SCHEMA_INVALID, "no version of %s has this id", subject);
	b->key_reader = schema_reader_new(NULL);
	return true;
}

static bool keys(struct gw_rp_body *b, const char *subject, struct bus_str schema, struct bus_str number)
{
	const struct gw_publish_schema *value = &b->base.schema;
	struct schema_store *store = b->base.batch->all->conf.schemas;
	const bool text =
	    value->key || value->register_topic || !store || !schema_store_has(store, subject, false);

	b->keys = text || !b->key_said ? GW_RP_KEYS_TEXT : GW_RP_KEYS_AVRO;
	if (!b->key_said)
		return true;
	return text ? text_keys(b, subject, schema, number) : avro_keys(b, subject, schema, number);
}

/* --- */

bool gw_rp_body_schemas(struct gw_rp_body *b, const struct gw_rp_schemas *s)
{
	const struct gw_publish_batch *batch = b->base.batch;
	struct schema_store *store = batch->all->conf.schemas;
	char subject[GW_PUBLISH_TOPIC_MAX + 8];
	struct gw_rp_schemas said = *s;
	struct bus_str *part[] = { &said.key, &said.key_id, &said.value, &said.value_id };

	for (size_t i = 0; i < BUS_LEN(part); i++)
		if (part[i]->p && bus_str_is(*part[i], "null"))
			*part[i] = (struct bus_str){ 0 };
	if (b->format == GW_RP_AVRO) { /* other formats have none */
		b->key_said = said.key.p || said.key_id.p;
		b->value_said = said.value.p || said.value_id.p;
	}
	snprintf(subject, sizeof(subject), "%s-value", batch->topic);
	if (!b->base.encoder && !(store && schema_store_has(store, subject, false))) {
		if (b->format == GW_RP_AVRO)
			return gw_rp_body_fail(
			    b, GW_RP_SCHEMA_INVALID,
			    "%s has no version; register it first: POST /subjects/%s/versions of the "
			    "registry",
			    subject, subject);
		if (!b->bytes)
			return gw_rp_body_fail(
			    b, GW_RP_FORBIDDEN,
			    "this topic has no schema: the policy must say publish: {%s: {bytes: true}}",
			    batch->topic);
		b->keys = GW_RP_KEYS_BYTES;
		return true;
	}
	if (b->format == GW_RP_BINARY)
		return gw_rp_body_fail(b, GW_RP_SCHEMA_INVALID,
				       "this topic takes values of %s only: send %s, or %s", subject,
				       gw_rp_type_of(GW_RP_AVRO), gw_rp_type_of(GW_RP_JSON));
	if (!values(b, subject, said.value, said.value_id))
		return false;
	snprintf(subject, sizeof(subject), "%s-key", batch->topic);
	return keys(b, subject, said.key, said.key_id);
}
