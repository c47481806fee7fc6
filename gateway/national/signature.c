#include "gateway/national/signature.h"

#include <assert.h>

#include "bus/base64url.h"

#define ARENA_MAX ((size_t)64 * 1024)

static bool request_param(const struct gw_field_value *item)
{
	const struct gw_field_value *v = gw_field_find(item->param, "req");

	return v && v->type == GW_FIELD_BOOL && v->number;
}

static bool same(const struct gw_field_value *a, const struct gw_field_value *b)
{
	return bus_str_eq(a->text, b->text) && request_param(a) == request_param(b);
}

static enum bus_err put_component(const struct gw_field_value *input, const struct gw_field_value *item,
				  const struct gw_message *m, struct bus_buf *out, struct bus_error *err)
{
	const int n = item->text.n > 80 ? 80 : (int)item->text.n;
	size_t at;

	if (item->type != GW_FIELD_STRING)
		return bus_fail(err, BUS_EDATA, "a component is a string");
	for (const struct gw_field_member *p = item->param; p; p = p->next)
		if (!bus_str_eq(p->key, bus_str("req")))
			return bus_fail(err, BUS_EDATA, "'%.*s': parameter '%.*s' is not taken", n,
					item->text.p, p->key.n > 40 ? 40 : (int)p->key.n, p->key.p);
	for (const struct gw_field_value *i = input->item; i != item; i = i->next)
		if (same(i, item))
			return bus_fail(err, BUS_EDATA, "'%.*s' stands twice", n, item->text.p);
	gw_field_put(item, out);
	bus_buf_puts(out, ": ");
	at = out->n;
	if (!m->component(m->ctx, item->text, request_param(item), out))
		return bus_fail(err, BUS_EDATA, "'%.*s' is not in the message, or not known", n,
				item->text.p);
	if (memchr(out->p + at, '\n', out->n - at))
		return bus_fail(err, BUS_EDATA, "'%.*s' has a line end", n, item->text.p);
	bus_buf_putc(out, '\n');
	return BUS_OK;
}

enum bus_err gw_signature_base(const struct gw_field_value *input, const struct gw_message *m,
			       struct bus_buf *out, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (input->type != GW_FIELD_LIST)
		return bus_fail(err, BUS_EDATA, "Signature-Input is a list of components");
	for (const struct gw_field_value *i = input->item; i && rc == BUS_OK; i = i->next)
		rc = put_component(input, i, m, out, err);
	bus_buf_puts(out, "\"@signature-params\": ");
	gw_field_put(input, out);
	return rc;
}

enum bus_err gw_signature_verify(const struct gw_field_value *input, struct bus_str signature,
				 const uint8_t public_key[BUS_ED25519_LEN], const struct gw_message *m,
				 struct bus_error *err)
{
	struct bus_buf base = { 0 };
	enum bus_err rc = gw_signature_base(input, m, &base, err);

	if (rc == BUS_OK && (signature.n != BUS_ED25519_SIGNATURE_LEN ||
			     !bus_ed25519_verify(public_key, base.p, base.n, (const uint8_t *)signature.p)))
		rc = bus_fail(err, BUS_EDENIED, "the signature is not of this message by that key");
	bus_buf_release(&base);
	return rc;
}

/* `"@path";req` */
static bool present(const char *item, const struct gw_message *m, struct bus_buf *space)
{
	const char *end = strchr(item + 1, '"');

	bus_buf_reset(space);
	return m->component(m->ctx, (struct bus_str){ item + 1, (size_t)(end - item - 1) }, end[1] == ';',
			    space);
}

void gw_signature_make(const char *const *cover, const char *params, const uint8_t key[BUS_ED25519_LEN],
		       const struct gw_message *m, struct bus_buf *input, struct bus_buf *signature)
{
	struct bus_arena *arena = bus_arena_new(ARENA_MAX);
	struct bus_buf text = { 0 }, base = { 0 };
	struct gw_field_member *member;
	uint8_t bytes[BUS_ED25519_SIGNATURE_LEN];
	struct bus_error err;
	enum bus_err rc;

	bus_buf_puts(&text, "s=(");
	for (size_t n = 0; *cover; cover++)
		if (present(*cover, m, &base))
			bus_buf_printf(&text, "%s%s", n++ ? " " : "", *cover);
	bus_buf_printf(&text, ")%s", params);
	rc = gw_field_dictionary(bus_buf_str(&text), arena, &member, &err);
	assert(rc == BUS_OK && member);
	bus_buf_reset(&base);
	rc = gw_signature_base(&member->value, m, &base, &err);
	assert(rc == BUS_OK);
	bus_ed25519_sign(key, base.p, base.n, bytes);
	bus_buf_put(input, text.p + 2, text.n - 2);
	gw_field_put_bytes((struct bus_str){ (const char *)bytes, sizeof(bytes) }, signature);
	bus_buf_release(&text);
	bus_buf_release(&base);
	bus_arena_free(&arena);
}

bool gw_signature_covers(const struct gw_field_value *input, const char *name, bool request)
{
	for (const struct gw_field_value *i = input->item; i; i = i->next)
		if (i->type == GW_FIELD_STRING && bus_str_eq(i->text, bus_str(name)) &&
		    request_param(i) == request)
			return true;
	return false;
}

void gw_digest_put(const void *p, size_t n, struct bus_buf *out)
{
	uint8_t digest[BUS_SHA256_LEN];

	bus_sha256(p, n, digest);
	bus_buf_puts(out, "sha-256=");
	gw_field_put_bytes((struct bus_str){ (const char *)digest, sizeof(digest) }, out);
}

bool gw_digest_fits(const char *field, struct bus_str content, struct bus_arena *arena)
{
	const struct gw_field_value *v;
	struct gw_field_member *all;
	uint8_t digest[BUS_SHA256_LEN];
	struct bus_error err;

	if (!field || gw_field_dictionary(bus_str(field), arena, &all, &err) != BUS_OK)
		return false;
	v = gw_field_find(all, "sha-256");
	bus_sha256(content.p, content.n, digest);
	return v && v->type == GW_FIELD_BYTES && v->text.n == sizeof(digest) &&
	       memcmp(v->text.p, digest, sizeof(digest)) == 0;
}

void gw_key_thumbprint(const uint8_t public_key[BUS_ED25519_LEN], struct bus_buf *out)
{
	uint8_t digest[BUS_SHA256_LEN];
	struct bus_buf jwk = { 0 };

	bus_buf_puts(&jwk, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"");
	bus_base64url_put(&jwk, public_key, BUS_ED25519_LEN);
	bus_buf_puts(&jwk, "\"}");
	bus_sha256(jwk.p, jwk.n, digest);
	bus_base64url_put(out, digest, sizeof(digest));
	bus_buf_release(&jwk);
}
