#include "schemas/registry/dek_body.h"

#include <ctype.h>

#define NAME_MAX_LEN 256 /* Confluent's NAME_MAX_LENGTH */

void schema_key_unknown(struct bus_http_request *req, const char *name)
{
	schema_reply_error(req, 40470, "Key '%s' not found", name);
}

void schema_key_invalid(struct bus_http_request *req, const char *field)
{
	schema_reply_error(req, 42271, "Invalid or missing value for field '%s' of key", field);
}

void schema_key_no_kms(struct bus_http_request *req, const char *made, const char *subject)
{
	schema_reply_error(req, 50070,
			   "Could not generate %s dek for %s: this registry has no KMS, which a KEK with "
			   "shared=true needs; let clients call the KMS (shared=false)",
			   made, subject);
}

/* Confluent's checkName, of ASCII. */
bool schema_key_name(struct bus_http_request *req, const char *name)
{
	bool good =
	    name && (isalpha((unsigned char)name[0]) || name[0] == '_') && strlen(name) <= NAME_MAX_LEN;

	for (size_t i = 0; good && name[i]; i++)
		good = isalnum((unsigned char)name[i]) || name[i] == '_' || name[i] == '-';
	if (!good)
		schema_key_invalid(req, "name");
	return good;
}

/* As CharMatcher.javaIsoControl: C0, and C1, which is C2 80..9F in UTF-8. */
static bool has_control(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f))
			return true;
	return false;
}

bool schema_key_subject(struct bus_http_request *req, const char *subject)
{
	bool good = subject && subject[0] && !has_control(subject);

	if (!good)
		schema_key_invalid(req, "subject");
	return good;
}

bool schema_key_algorithm(struct bus_http_request *req, int *algorithm)
{
	const char *name = bus_http_query(req, "algorithm");

	*algorithm = SCHEMA_AES256_GCM;
	if (!name || schema_algorithm_parse(bus_str(name), algorithm))
		return true;
	schema_reply_error(req, 404, "HTTP 404 Not Found");
	return false;
}

bool schema_key_path(struct schema_registry *r, struct bus_http_request *req, int fallback,
		     struct schema_dek *id)
{
	*id = (struct schema_dek){ .kek = bus_http_part(req, "name"),
				   .subject = schema_body_subject(r, req),
				   .version = fallback };
	if (!schema_key_name(req, id->kek) || !schema_key_subject(req, id->subject))
		return false;
	if (bus_http_part(req, "version")[0] && !schema_body_version(req, &id->version))
		return false;
	return schema_key_algorithm(req, &id->algorithm);
}

/* --- answers ------------------------------------------------------------------------------------------ */

static void put_end(struct bus_json_out *j, int64_t at_ms, bool deleted)
{
	bus_json_key(j, "ts");
	bus_json_put_int(j, at_ms);
	if (deleted) {
		bus_json_key(j, "deleted");
		bus_json_put_bool(j, true);
	}
	bus_json_object_end(j);
}

struct bus_buf schema_kek_json(const struct schema_kek *k)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	bus_json_some_text_member(&j, "name", k->name);
	bus_json_some_text_member(&j, "kmsType", k->kms_type);
	bus_json_some_text_member(&j, "kmsKeyId", k->kms_key_id);
	bus_json_key(&j, "kmsProps");
	bus_json_put_raw(&j, bus_str(k->props));
	bus_json_some_text_member(&j, "doc", k->doc);
	bus_json_key(&j, "shared");
	bus_json_put_bool(&j, k->shared);
	put_end(&j, k->at_ms, k->deleted);
	return b;
}

struct bus_buf schema_dek_json(const struct schema_dek *d)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	bus_json_some_text_member(&j, "kekName", d->kek);
	bus_json_some_text_member(&j, "subject", d->subject);
	bus_json_key(&j, "version");
	bus_json_put_int(&j, d->version);
	bus_json_some_text_member(&j, "algorithm", schema_algorithm_name(d->algorithm));
	bus_json_some_text_member(&j, "encryptedKeyMaterial", d->material);
	put_end(&j, d->at_ms, d->deleted);
	return b;
}
