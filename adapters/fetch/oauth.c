#include "adapters/fetch/oauth.h"

#include "adapters/source.h"
#include "bus/clock.h"
#include "bus/json.h"
#include "bus/percent.h"
#include "bus/secret.h"

#define CALL_MS 30000
#define EARLY_S 30   /* before it expires; on the way it may grow older */
#define UNSAID_S 300 /* how long one lasts that does not say */
#define LASTS_MAX_S 86400
#define ANSWER_MAX ((size_t)256 * 1024)

enum bus_err adapter_oauth_read(struct adapter_oauth *o, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				struct bus_error *err)
{
	enum bus_err rc;

	if (conf->kind != BUS_YAML_MAP)
		return bus_yaml_fail(yaml, conf, err,
				     "write oauth2: {url: ..., client_id: ..., secret_file: ...}");
	if ((rc = adapter_source_word(yaml, conf, "url", true, &o->url, err)) == BUS_OK &&
	    (rc = adapter_source_word(yaml, conf, "client_id", true, &o->conf.user, err)) == BUS_OK &&
	    (rc = adapter_source_word(yaml, conf, "secret_file", true, &o->conf.password_file, err)) ==
		BUS_OK &&
	    (rc = adapter_source_word(yaml, conf, "scope", false, &o->scope, err)) == BUS_OK)
		rc = bus_yaml_no_more(yaml, conf, err);
	return rc;
}

static enum bus_err take(struct adapter_oauth *o, struct bus_str answer, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(4 * ANSWER_MAX);
	struct bus_json *root;
	const struct bus_json *token, *lasts;
	int64_t s = UNSAID_S;
	enum bus_err rc = BUS_EDATA;

	if (answer.n <= ANSWER_MAX && bus_json_parse(answer, NULL, arena, &root, NULL) == BUS_OK) {
		token = bus_json_get(root, "access_token");
		lasts = bus_json_get(root, "expires_in");
		if (lasts && (bus_json_int(lasts, &s) || s < 0))
			s = UNSAID_S;
		if (s > LASTS_MAX_S)
			s = LASTS_MAX_S;
		if (token && token->type == BUS_JSON_STRING && token->text.n > 0 &&
		    !memchr(token->text.p, '\n', token->text.n) &&
		    !memchr(token->text.p, '\r', token->text.n)) {
			bus_buf_put(&o->token, token->text.p, token->text.n);
			o->until_ms = bus_clock_mono_ms() + (s > 2 * EARLY_S ? s - EARLY_S : s / 2) * 1000;
			rc = BUS_OK;
		}
	}
	bus_arena_free(&arena);
	return rc ? bus_fail(err, rc, "oauth2: the answer holds no access_token") : BUS_OK;
}

static enum bus_err ask(struct adapter_oauth *o, bool (*go_on)(void *ctx), void *ctx, struct bus_error *err)
{
	struct bus_buf form = { 0 }, answer = { 0 };
	struct bus_client *c = NULL;
	struct bus_client_call call = { .method = "POST",
					.url = o->url,
					.type = "application/x-www-form-urlencoded",
					.timeout_ms = CALL_MS,
					.go_on = go_on,
					.ctx = ctx };
	int status = 0;
	enum bus_err rc = bus_client_open(&o->conf, &c, err);

	bus_buf_puts(&form, "grant_type=client_credentials");
	if (o->scope) {
		bus_buf_puts(&form, "&scope=");
		bus_percent_put(&form, bus_str(o->scope));
	}
	call.body = bus_buf_str(&form);
	if (!rc)
		rc = bus_client_call(c, &call, &status, &answer, err);
	if (!rc && status != 200)
		rc = bus_fail(
		    err, status == 400 || status == 401 || status == 403 ? BUS_EDENIED : BUS_EIO,
		    "oauth2: the token was refused with %d; look at client_id, secret_file and scope",
		    status);
	if (!rc)
		rc = take(o, bus_buf_str(&answer), err);
	bus_client_close(&c);
	bus_buf_release(&form);
	bus_secret_release(&answer);
	return rc;
}

enum bus_err adapter_oauth_token(struct adapter_oauth *o, bool (*go_on)(void *ctx), void *ctx,
				 struct bus_buf *out, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (o->token.n == 0 || bus_clock_mono_ms() >= o->until_ms) {
		adapter_oauth_forget(o);
		rc = ask(o, go_on, ctx, err);
	}
	if (!rc)
		bus_buf_put(out, o->token.p, o->token.n);
	return rc;
}

void adapter_oauth_forget(struct adapter_oauth *o)
{
	bus_secret_release(&o->token);
}

void adapter_oauth_release(struct adapter_oauth *o)
{
	bus_secret_release(&o->token);
}
