#include "gateway/national/signer.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "bus/base64url.h"
#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/national/replay.h"
#include "gateway/national/signature.h"

#define NONCE_MAX 256
#define PIECE_MAX ((size_t)1024 * 1024)
#define LABEL "titian"

struct gw_signer {
	struct gw_access *access;
	const char *base;
	bool named; /* base is what the operator says, not a guess */
	uint8_t key[BUS_KEY_LEN], public_key[BUS_ED25519_LEN];
	struct bus_buf keyid;
	int64_t started_s; /* nonces from before are not known any more */
	struct gw_replay *replay;
	gw_signer_refuse_fn refuse;
};

/* Each is covered if the answer has it. What the request was is covered too: an answer is good for its question only. */
static const char *const cover[] = { "\"@status\"",
				     "\"content-digest\"",
				     "\"repr-digest\"",
				     "\"content-type\"",
				     "\"content-encoding\"",
				     "\"content-range\"",
				     "\"etag\"",
				     "\"location\"",
				     "\"titian-cursor\"",
				     "\"titian-as-of\"",
				     "\"@method\";req",
				     "\"@path\";req",
				     "\"@query\";req",
				     NULL };

struct gw_signer *gw_signer_new(struct gw_access *access, const uint8_t key[BUS_KEY_LEN], const char *base,
				bool named, gw_signer_refuse_fn refuse)
{
	struct gw_signer *s = bus_xcalloc(1, sizeof(*s));

	s->access = access;
	s->base = base;
	s->named = named;
	s->refuse = refuse;
	memcpy(s->key, key, sizeof(s->key));
	bus_ed25519_public(key, s->public_key);
	gw_key_thumbprint(s->public_key, &s->keyid);
	bus_buf_cstr(&s->keyid);
	s->started_s = bus_clock_ms() / 1000;
	s->replay = gw_replay_new(GW_SIGNER_NONCES, GW_SIGNER_AGE_S + GW_SIGNER_AHEAD_S);
	return s;
}

void gw_signer_free(struct gw_signer **s)
{
	if (!*s)
		return;
	explicit_bzero((*s)->key, sizeof((*s)->key));
	bus_buf_release(&(*s)->keyid);
	gw_replay_free(&(*s)->replay);
	free(*s);
	*s = NULL;
}

const char *gw_signer_keyid(const struct gw_signer *s)
{
	return s->keyid.p;
}

/* --- what a message consists of ----------------------------------------------------------------------- */

struct exchange {
	const struct gw_signer *s;
	const struct bus_http_request *req;
	int status; /* 0: the request is the message */
};

static void put_scheme(const struct exchange *x, struct bus_buf *out)
{
	bus_buf_put(out, x->s->base, strcspn(x->s->base, ":"));
}

/* RFC 9421, 2.2.3: small letters, without the scheme's own port. */
static bool put_authority(const struct exchange *x, struct bus_buf *out)
{
	const char *host = bus_http_header(x->req, "Host");
	const char *port = strncmp(x->s->base, "https:", 6) == 0 ? ":443" : ":80";
	size_t n = host ? strlen(host) : 0, less = strlen(port);

	if (!host)
		return false;
	if (n > less && strcmp(host + n - less, port) == 0)
		n -= less;
	for (size_t i = 0; i < n; i++)
		bus_buf_putc(out, (char)tolower((unsigned char)host[i]));
	return true;
}

static void put_target(const struct exchange *x, struct bus_buf *out)
{
	const char *path = bus_http_path(x->req), *query = bus_http_raw_query(x->req);
	bool asked =
	    query == path + strlen(path) + 1; /* behind a '?', be it empty: it stands there in the request */

	bus_buf_printf(out, "%s%s%s", path, asked ? "?" : "", query);
}

static bool put_derived(const struct exchange *x, struct bus_str name, struct bus_buf *out)
{
	if (bus_str_is(name, "@method"))
		bus_buf_puts(out, bus_http_method(x->req));
	else if (bus_str_is(name, "@path"))
		bus_buf_puts(out, bus_http_path(x->req));
	else if (bus_str_is(name, "@query"))
		bus_buf_printf(out, "?%s", bus_http_raw_query(x->req));
	else if (bus_str_is(name, "@request-target"))
		put_target(x, out);
	else if (bus_str_is(name, "@scheme"))
		put_scheme(x, out);
	else if (bus_str_is(name, "@authority"))
		return put_authority(x, out);
	else if (bus_str_is(name, "@target-uri")) {
		put_scheme(x, out);
		bus_buf_puts(out, "://");
		if (!put_authority(x, out))
			return false;
		put_target(x, out);
	} else {
		return false;
	}
	return true;
}

static bool component(void *ctx, struct bus_str name, bool request, struct bus_buf *out)
{
	const struct exchange *x = ctx;
	char field[64];
	const char *value;
	size_t n;

	if (name.n == 0 || name.n >= sizeof(field))
		return false;
	if (x->status && !request && bus_str_is(name, "@status")) {
		bus_buf_printf(out, "%d", x->status);
		return true;
	}
	if (name.p[0] == '@')
		return (request || !x->status) && put_derived(x, name, out);
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] >= 'A' && name.p[i] <= 'Z')
			return false; /* names are written small */
	snprintf(field, sizeof(field), "%.*s", (int)name.n, name.p);
	value = x->status && !request ? bus_http_given(x->req, field) : bus_http_header(x->req, field);
	if (!value)
		return false;
	value += strspn(value, " \t");
	for (n = strlen(value); n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--)
		;
	bus_buf_put(out, value, n);
	return true;
}

/* --- requests ----------------------------------------------------------------------------------------- */

/* What was signed for another gateway is not for this one: its nonces are not known here. */
static bool is_for_us(const struct gw_signer *s, const struct bus_http_request *req)
{
	struct exchange x = { s, req, 0 };
	const char *own = strstr(s->base, "://");
	struct bus_buf host = { 0 };
	bool yes;

	if (!s->named || !own)
		return true;
	own += 3;
	yes = put_authority(&x, &host) && host.n == strcspn(own, "/") && strncasecmp(host.p, own, host.n) == 0;
	bus_buf_release(&host);
	return yes;
}

/* NULL, or what speaks against it. Before its bytes are looked at. */
static const char *look(const struct gw_signer *s, const struct bus_http_request *req,
			const struct gw_field_value *input, int64_t now)
{
	const struct gw_field_value *created = gw_field_find(input->param, "created"),
				    *expires = gw_field_find(input->param, "expires"),
				    *alg = gw_field_find(input->param, "alg");
	struct bus_str nonce = gw_field_text(input->param, "nonce");

	if (alg && !bus_str_is(gw_field_text(input->param, "alg"), "ed25519"))
		return "alg: ed25519";
	if (!created || created->type != GW_FIELD_INT)
		return "created";
	if (created->number < now - GW_SIGNER_AGE_S || created->number < s->started_s)
		return "created: terlalu lama / too long ago";
	if (created->number > now + GW_SIGNER_AHEAD_S)
		return "created: di masa depan / in the future";
	if (expires && (expires->type != GW_FIELD_INT || expires->number < now))
		return "expires";
	if (nonce.n == 0 || nonce.n > NONCE_MAX)
		return "nonce";
	if (!gw_signature_covers(input, "@method", false))
		return "\"@method\"";
	if (!gw_signature_covers(input, "@target-uri", false) &&
	    !(gw_signature_covers(input, "@authority", false) && gw_signature_covers(input, "@path", false) &&
	      gw_signature_covers(input, "@query", false)))
		return "\"@target-uri\", atau / or \"@authority\" \"@path\" \"@query\"";
	if (!is_for_us(s, req))
		return "Host: gateway lain / another gateway";
	if (bus_http_body(req).n > 0 && !gw_signature_covers(input, "content-digest", false))
		return "\"content-digest\"";
	return NULL;
}

static bool is_signed(const struct gw_signer *s, const struct bus_http_request *req,
		      const struct gw_field_value *input, struct bus_str bytes, const struct gw_signing *who,
		      struct bus_error *err)
{
	struct exchange x = { s, req, 0 };
	const struct gw_message m = { component, &x };

	for (size_t i = 0; i < who->n; i++)
		if (gw_signature_verify(input, bytes, who->key[i], &m, err) == BUS_OK)
			return true;
	return false;
}

static bool again(struct gw_signer *s, const char *name, struct bus_str nonce, int64_t now, bool *full)
{
	uint8_t digest[BUS_SHA256_LEN], owner[BUS_SHA256_LEN];
	struct bus_buf text = { 0 };
	enum gw_replay_verdict v;

	bus_buf_put(&text, name, strlen(name) + 1);
	bus_buf_put(&text, nonce.p, nonce.n);
	bus_sha256(text.p, text.n, digest);
	bus_buf_release(&text);
	bus_sha256(name, strlen(name), owner);
	v = gw_replay_take(s->replay, digest, owner, now);
	*full = v == GW_REPLAY_FULL;
	return v == GW_REPLAY_SEEN;
}

/* The first signature by a key of one of our readers: another's (of a proxy) is none of our business. */
static const struct gw_field_member *ours(struct gw_signer *s, const struct gw_field_member *input,
					  char name[GW_READER_NAME_MAX], struct gw_signing *who)
{
	for (; input; input = input->next) {
		struct bus_str keyid = gw_field_text(input->value.param, "keyid");

		if (input->value.type != GW_FIELD_LIST || keyid.n == 0 || keyid.n >= GW_READER_NAME_MAX)
			continue;
		memcpy(name, keyid.p, keyid.n);
		name[keyid.n] = '\0';
		if (gw_access_signing(s->access, name, who) && who->n > 0)
			return input;
	}
	return NULL;
}

static enum gw_signed refuse(const struct gw_signer *s, struct bus_http_request *req, const char *why)
{
	s->refuse(req, "signature-invalid", why);
	return GW_SIGNED_REFUSED;
}

/* With what is there of the body. nonce: the request's. */
static enum gw_signed check(struct gw_signer *s, struct bus_http_request *req, char *name, struct bus_str *nonce)
{
	const char *input_text = bus_http_header(req, "Signature-Input"),
		   *text = bus_http_header(req, "Signature");
	struct gw_field_member *inputs, *signatures;
	const struct gw_field_member *input;
	const struct gw_field_value *bytes;
	struct gw_signing who;
	struct bus_error err;
	const char *why;

	if (!s || !input_text || !text)
		return GW_SIGNED_NOT;
	if (gw_field_dictionary(bus_str(input_text), bus_http_arena(req), &inputs, &err) != BUS_OK)
		return refuse(s, req, "Signature-Input");
	input = ours(s, inputs, name, &who);
	if (!input)
		return GW_SIGNED_NOT;
	if (gw_field_dictionary(bus_str(text), bus_http_arena(req), &signatures, &err) != BUS_OK)
		return refuse(s, req, "Signature");
	for (; signatures && !bus_str_eq(signatures->key, input->key); signatures = signatures->next)
		;
	bytes = signatures ? &signatures->value : NULL;
	if (!bytes || bytes->type != GW_FIELD_BYTES)
		return refuse(s, req, "Signature");
	why = look(s, req, &input->value, bus_clock_ms() / 1000);
	if (why)
		return refuse(s, req, why);
	if (bus_http_body(req).n > 0 &&
	    !gw_digest_fits(bus_http_header(req, "Content-Digest"), bus_http_body(req), bus_http_arena(req)))
		return refuse(s, req, "Content-Digest");
	if (!is_signed(s, req, &input->value, bytes->text, &who, &err))
		return refuse(s, req, err.text);
	*nonce = gw_field_text(input->value.param, "nonce");
	return GW_SIGNED;
}

enum gw_signed gw_signer_look(struct gw_api *api, struct bus_http_request *req, char *name)
{
	struct bus_str nonce;

	return check(api->signer, req, name, &nonce);
}

bool gw_signer_admit(void *ctx, struct bus_http_request *req)
{
	const struct gw_api *api = ctx;
	struct gw_signer *s = api->signer;
	char name[GW_READER_NAME_MAX];
	struct bus_str nonce;
	enum gw_signed is;
	bool full;

	if (*bus_http_who(req)) /* it has waited, and is here again */
		return true;
	is = check(s, req, name, &nonce);
	if (is != GW_SIGNED)
		return is == GW_SIGNED_NOT;
	if (again(s, name, nonce, bus_clock_mono_ms() / 1000, &full)) {
		refuse(s, req, "nonce: sudah dipakai / used before");
		return false;
	}
	if (full) {
		s->refuse(req, "unavailable", NULL);
		return false;
	}
	bus_http_set_who(req, name);
	return true;
}

/* --- answers ------------------------------------------------------------------------------------------ */

/* What Accept-Signature asks for that we follow: its label, a nonce, a tag. */
static void put_wishes(struct bus_http_request *req, const char *accept, struct bus_buf *label,
		       struct bus_buf *params)
{
	static const char *const name[] = { "nonce", "tag" };
	struct gw_field_member *m = NULL;
	struct bus_error err;

	if (!accept || gw_field_dictionary(bus_str(accept), bus_http_arena(req), &m, &err) != BUS_OK || !m)
		return;
	if (m->key.n <= 64) {
		bus_buf_reset(label);
		bus_buf_put(label, m->key.p, m->key.n);
	}
	for (size_t i = 0; i < BUS_LEN(name); i++) {
		struct bus_str value = gw_field_text(m->value.param, name[i]);

		if (value.n == 0 || value.n > NONCE_MAX)
			continue;
		bus_buf_printf(params, ";%s=", name[i]);
		gw_field_put_string(value, params);
	}
}

/* Of a piece of a file too, if it is small: whoever fetches it over a bad line sees at once which piece is wrong. */
static void put_digest(struct bus_http_request *req, int status, const struct bus_str *content)
{
	struct bus_buf bytes = { 0 }, text = { 0 };
	struct bus_str piece;

	if (status == 204 || status == 304 || bus_http_given(req, "Content-Digest") ||
	    strcmp(bus_http_method(req), "HEAD") == 0)
		return;
	if (!content && bus_http_file_bytes(req, PIECE_MAX, &bytes)) {
		piece = bus_buf_str(&bytes);
		content = &piece;
	}
	if (content) {
		gw_digest_put(content->p, content->n, &text);
		bus_http_add(req, "Content-Digest", bus_buf_cstr(&text));
	}
	bus_buf_release(&bytes);
	bus_buf_release(&text);
}

void gw_signer_finish(void *ctx, struct bus_http_request *req, int status, const struct bus_str *content)
{
	struct gw_api *api = ctx;
	const struct gw_signer *s = api->signer;
	struct exchange x = { s, req, status };
	const struct gw_message m = { component, &x };
	struct bus_buf label = { 0 }, params = { 0 }, input = { 0 }, signature = { 0 };

	if (!*bus_http_pattern(req) || !gw_api_signs(api, req))
		return;
	put_digest(req, status, content);
	bus_buf_puts(&label, LABEL);
	bus_buf_printf(&params, ";created=%" PRId64 ";keyid=\"%s\";alg=\"ed25519\"", bus_clock_ms() / 1000,
		       gw_signer_keyid(s));
	put_wishes(req, bus_http_header(req, "Accept-Signature"), &label, &params);
	bus_buf_reset(&input);
	bus_buf_put(&input, label.p, label.n);
	bus_buf_putc(&input, '=');
	bus_buf_put(&signature, input.p, input.n);
	gw_signature_make(cover, bus_buf_cstr(&params), s->key, &m, &input, &signature);
	bus_http_add(req, "Signature-Input", bus_buf_cstr(&input));
	bus_http_add(req, "Signature", bus_buf_cstr(&signature));
	bus_buf_release(&label);
	bus_buf_release(&params);
	bus_buf_release(&input);
	bus_buf_release(&signature);
}

void gw_signer_directory(void *ctx, struct bus_http_request *req)
{
	const struct gw_api *api = ctx;
	const struct gw_signer *s = api->signer;
	struct bus_buf x = { 0 }, body = { 0 };
	struct bus_json_out j = { .buf = &body };

	bus_base64url_put(&x, s->public_key, sizeof(s->public_key));
	bus_json_object(&j);
	bus_json_key(&j, "keys");
	bus_json_array(&j);
	bus_json_object(&j);
	bus_json_text_member(&j, "kty", "OKP");
	bus_json_text_member(&j, "crv", "Ed25519");
	bus_json_text_member(&j, "kid", gw_signer_keyid(s));
	bus_json_text_member(&j, "x", bus_buf_cstr(&x));
	bus_json_text_member(&j, "use", "sig");
	bus_json_text_member(&j, "alg", "EdDSA");
	bus_json_object_end(&j);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	bus_buf_release(&x);
	bus_http_reply(req, 200, "application/http-message-signatures-directory+json", &body);
}
