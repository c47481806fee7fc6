#include "schemas/registry/access.h"

#include <pthread.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/log.h"
#include "bus/secret.h"
#include "schemas/registry/registry.h"
#include "schemas/registry/login.h"
#include "schemas/registry/rights.h"
#include "schemas/registry/vouch.h"
#include "schemas/store/subject.h"

/* What the files say, and what was learnt under it: replaced whole, kept by the requests that began with it.
 */
struct state {
	atomic_int refs;
	struct schema_policy *policy;
	struct schema_users *users; /* NULL: certificates only */
};

struct schema_access {
	char *policy_path, *users_path;
	bool has_node_key;
	uint8_t node_key[BUS_KEY_LEN];
	struct schema_memory *memory;
	struct schema_failures *failures;
	struct schema_verifier *verifier;
	pthread_mutex_t lock;
	struct state *state; /* lock */
};

struct who { /* attached to the request */
	struct state *state;
	const struct schema_principal *principal; /* NULL: not known yet */
	char name[SCHEMA_USER_MAX];
	const char *via;
	bool anonymous;
	enum { NOT_ASKED, ASKED, RIGHT, WRONG } verified;
	const uint8_t *hash;		/* RIGHT: that the password fits */
	struct bus_http_ticket *ticket; /* while ASKED */
};

/* --- open, close, reload ----------------------------------------------------------------------------- */

static void state_unref(struct state *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	schema_policy_free(&s->policy);
	schema_users_free(&s->users);
	free(s);
}

enum bus_err schema_access_reload(struct schema_access *a, struct bus_error *err)
{
	struct state *fresh = bus_xcalloc(1, sizeof(*fresh)), *old;
	enum bus_err rc;

	atomic_init(&fresh->refs, 1);
	rc = schema_policy_load(a->policy_path, &fresh->policy, err);
	if (rc == BUS_OK && a->users_path)
		rc = schema_users_load(a->users_path, &fresh->users, err);
	if (rc != BUS_OK) {
		state_unref(fresh);
		return rc;
	}
	pthread_mutex_lock(&a->lock);
	old = a->state;
	a->state = fresh;
	pthread_mutex_unlock(&a->lock);
	state_unref(old);
	return BUS_OK;
}

static bool given(const char *path)
{
	return path && *path;
}

enum bus_err schema_access_open(const struct schema_access_conf *conf, struct schema_access **out,
				struct bus_error *err)
{
	struct schema_access *a;
	enum bus_err rc = BUS_OK;

	*out = NULL;
	if (!given(conf->policy)) {
		if (given(conf->users) || given(conf->node_key))
			return bus_fail(
			    err, BUS_EINVAL,
			    "there are users or a node key, but no policy that says what they may do");
		return BUS_OK;
	}
	a = bus_xcalloc(1, sizeof(*a));
	pthread_mutex_init(&a->lock, NULL);
	a->policy_path = bus_xstrdup(conf->policy);
	a->users_path = given(conf->users) ? bus_xstrdup(conf->users) : NULL;
	a->memory = schema_memory_new();
	a->failures = schema_failures_new();
	a->has_node_key = given(conf->node_key);
	if (a->has_node_key)
		rc = bus_key_load(conf->node_key, a->node_key, err);
	if (rc == BUS_OK)
		rc = schema_access_reload(a, err);
	if (rc == BUS_OK)
		rc = schema_verifier_start(&a->verifier, err);
	if (rc != BUS_OK)
		schema_access_close(&a);
	*out = a;
	return rc;
}

void schema_access_close(struct schema_access **ap)
{
	struct schema_access *a = *ap;

	if (!a)
		return;
	*ap = NULL;
	schema_verifier_stop(&a->verifier);
	schema_failures_free(&a->failures);
	schema_memory_free(&a->memory);
	state_unref(a->state);
	pthread_mutex_destroy(&a->lock);
	explicit_bzero(a->node_key, sizeof(a->node_key));
	free(a->policy_path);
	free(a->users_path);
	free(a);
}

static void who_free(void *p)
{
	struct who *w = p;

	state_unref(w->state);
	free(w);
}

static struct who *who_new(struct schema_access *a, struct bus_http_request *req)
{
	struct who *w = bus_xcalloc(1, sizeof(*w));

	pthread_mutex_lock(&a->lock);
	w->state = a->state;
	atomic_fetch_add(&w->state->refs, 1);
	pthread_mutex_unlock(&a->lock);
	bus_http_attach(req, w, who_free);
	return w;
}

/* --- no ---------------------------------------------------------------------------------------------- */

static const char *peer(const struct bus_http_request *req, char address[BUS_HTTP_PEER_LEN])
{
	bus_http_peer(req, address);
	return address;
}

static void log_denied(struct bus_http_request *req, int status, const char *why)
{
	char address[BUS_HTTP_PEER_LEN];

	bus_log(BUS_LOG_WARN, "registry.denied", LOG_STR("user", schema_user(req)),
		LOG_STR("address", peer(req, address)), LOG_STR("method", bus_http_method(req)),
		LOG_STR("route", bus_http_pattern(req)), LOG_INT("status", status), LOG_STR("reason", why),
		LOG_STR("request", bus_http_id(req)));
}

static bool unknown(struct bus_http_request *req, const char *why)
{
	log_denied(req, 401, why);
	bus_http_set(req, "WWW-Authenticate", "Basic realm=\"registry\", charset=\"UTF-8\"");
	bus_http_set(req, "WWW-Authenticate", "Bearer realm=\"registry\"");
	schema_reply_error(req, 401, "Unauthorized");
	return false;
}

static bool later(struct bus_http_request *req, int status, const char *seconds, const char *why)
{
	log_denied(req, status, why);
	bus_http_set(req, "Retry-After", seconds);
	schema_reply_error(req, status, "%s", why);
	return false;
}

/* --- who --------------------------------------------------------------------------------------------- */

static bool is(struct who *w, const struct schema_principal *principal, const char *name, const char *via)
{
	w->principal = principal;
	w->via = via;
	snprintf(w->name, sizeof(w->name), "%s", name);
	return true;
}

static bool wrong(struct schema_access *a, struct bus_http_request *req, const char *name)
{
	char address[BUS_HTTP_PEER_LEN];

	schema_failures_add(a->failures, peer(req, address), name);
	return unknown(req, "wrong password or token");
}

static struct schema_vouched vouched(const struct bus_http_request *req)
{
	return (struct schema_vouched){ .method = bus_http_method(req),
					.path = bus_http_path(req),
					.query = bus_http_raw_query(req),
					.body = bus_http_body(req) };
}

static bool as_anonymous(struct bus_http_request *req, struct who *w, const char *via)
{
	const struct schema_principal *nobody = schema_policy_anonymous(w->state->policy);

	if (!nobody)
		return unknown(req, "nobody is named");
	w->anonymous = true;
	return is(w, nobody, "", via);
}

static bool by_node(struct schema_access *a, struct bus_http_request *req, struct who *w, const char *value)
{
	const struct schema_vouched of = vouched(req);
	char name[SCHEMA_USER_MAX];

	if (!a->has_node_key || !schema_vouch_check(a->node_key, bus_clock_ms(), value, &of, name))
		return unknown(req, "a " SCHEMA_NODE_HEADER " that no node of ours has made");
	if (!*name)
		return as_anonymous(req, w, "node");
	return is(w, schema_policy_user(w->state->policy, name), name, "node");
}

static void on_verified(void *ctx, const uint8_t *hash)
{
	struct who *w = ctx;

	w->verified = hash ? RIGHT : WRONG;
	w->hash = hash;
	bus_http_ticket_again(w->ticket);
}

static bool remembered(struct schema_access *a, const struct who *w, const struct schema_credentials *c)
{
	const uint8_t *hash[SCHEMA_PASSWORDS_MAX];
	size_t n = schema_users_hashes(w->state->users, c->name, hash);

	for (size_t i = 0; i < n; i++)
		if (schema_memory_knows(a->memory, hash[i], c->secret))
			return true;
	return false;
}

static bool by_password(struct schema_access *a, struct bus_http_request *req, struct who *w,
			const struct schema_credentials *c)
{
	struct state *s = w->state;
	char address[BUS_HTTP_PEER_LEN];
	const char *token;

	token = s->users ? schema_users_token(s->users, c->secret) : NULL;
	if (token && strcmp(token, c->name) == 0)
		return is(w, schema_policy_user(s->policy, c->name), c->name, "token");
	if (!s->users || schema_users_is_token(c->secret) || w->verified == WRONG)
		return wrong(a, req, c->name);
	if (w->verified == RIGHT)
		schema_memory_keep(a->memory, w->hash, c->secret);
	if (w->verified == RIGHT || remembered(a, w, c))
		return is(w, schema_policy_user(s->policy, c->name), c->name, "password");
	if (schema_failures_many(a->failures, peer(req, address), c->name))
		return later(req, 429, "60", "Too many failed logins; wait a minute");
	w->verified = ASKED;
	w->ticket = bus_http_defer(req);
	if (schema_verifier_ask(a->verifier, s->users, c->name, c->secret, on_verified, w))
		return false;
	/* The ticket comes back with the answer, as from any other thread. */
	later(req, 503, "1", "Too many logins at once; try again");
	bus_http_ticket_done(w->ticket);
	return false;
}

static bool by_token(struct schema_access *a, struct bus_http_request *req, struct who *w,
		     struct bus_str token)
{
	const char *name = w->state->users ? schema_users_token(w->state->users, token) : NULL;

	if (!name)
		return wrong(a, req, "");
	return is(w, schema_policy_user(w->state->policy, name), name, "token");
}

static bool by_certificate(struct bus_http_request *req, struct who *w)
{
	const struct bus_http_certificate *c = bus_http_certificate(req);
	const struct schema_principal *p = c ? schema_policy_certificate(w->state->policy, c) : NULL;

	return p && is(w, p, schema_principal_name(p), "certificate");
}

/* True: w says who. False: answered, or deferred. */
static bool identify(struct schema_access *a, struct bus_http_request *req, struct who *w)
{
	const char *node = bus_http_header(req, SCHEMA_NODE_HEADER);
	struct schema_credentials c;
	struct bus_buf buf = { 0 };
	bool known;

	if (node)
		return by_node(a, req, w, node);
	schema_credentials_read(bus_http_header(req, "Authorization"), &buf, &c);
	if (c.kind == SCHEMA_LOGIN_MALFORMED)
		known = unknown(req, "a malformed Authorization");
	else if (c.kind == SCHEMA_LOGIN_BASIC)
		known = by_password(a, req, w, &c);
	else if (c.kind == SCHEMA_LOGIN_BEARER)
		known = by_token(a, req, w, c.secret);
	else
		known = by_certificate(req, w) || as_anonymous(req, w, "nothing");
	bus_secret_release(&buf);
	return known;
}

/* --- may they? --------------------------------------------------------------------------------------- */

static bool forbidden(struct bus_http_request *req, const struct who *w, enum schema_right right,
		      const char *on)
{
	if (w->anonymous)
		return unknown(req, "not for anonymous");
	log_denied(req, 403, schema_right_name(right));
	schema_reply_error(req, 40301, "User is denied operation %s on %s", schema_right_name(right), on);
	return false;
}

static bool forbidden_subject(struct bus_http_request *req, const struct who *w, enum schema_right right,
			      const char *subject)
{
	char *on = bus_xasprintf("Subject: %s", subject);

	forbidden(req, w, right, on);
	free(on);
	return false;
}

/* Under IMPORT ids are given by who registers, under FORWARD by another registry: not for one subject's
 * owner. */
static bool is_special_mode(struct bus_http_request *req)
{
	struct bus_json *tree = NULL;
	const struct bus_json *mode;

	if (strcmp(bus_http_method(req), "PUT") != 0 || !strstr(bus_http_pattern(req), "/mode"))
		return false;
	if (bus_json_parse(bus_http_body(req), NULL, bus_http_arena(req), &tree, NULL) != BUS_OK ||
	    tree->type != BUS_JSON_OBJECT)
		return false; /* the handler says what is wrong with it */
	mode = bus_json_get(tree, "mode");
	return mode && mode->type == BUS_JSON_STRING &&
	       (strncasecmp(mode->text.p, "READ", mode->text.n < 4 ? mode->text.n : 4) != 0 ||
		mode->text.n < 4);
}

/* Settings by any spelling: `/config`, `/config/:.ctx:`, `/contexts/.ctx/config`, `/config/:.:` ... */
static bool decide_setting(struct bus_http_request *req, const struct who *w, enum schema_right right)
{
	const char *scope = schema_body_scope(req); /* NULL: the top level */
	bool all = !scope || bus_str_is(schema_subject_split(scope).context, SCHEMA_CONTEXT_GLOBAL);

	if (all && right == SCHEMA_RIGHT_READ)
		return true;
	if (all || is_special_mode(req))
		return forbidden(req, w, SCHEMA_RIGHT_ADMIN, "the registry");
	return schema_principal_may(w->principal, right, scope) || forbidden_subject(req, w, right, scope);
}

static bool decide_subject(struct schema_registry *r, struct bus_http_request *req, const struct who *w,
			   enum schema_right right)
{
	const char *named = schema_body_scope(req);

	if (!named)
		named = "";
	if (schema_principal_may(w->principal, right, named) &&
	    schema_principal_may(w->principal, right, schema_body_meant(r, req)))
		return true;
	return forbidden_subject(req, w, right, named); /* what an alias means is not told */
}

static bool decide(struct schema_registry *r, struct bus_http_request *req, const struct who *w,
		   struct schema_wanted wanted)
{
	if (schema_principal_admin(w->principal))
		return true;
	switch (wanted.scope) {
	case SCHEMA_SCOPE_OPEN:
	case SCHEMA_SCOPE_KNOWN:
	case SCHEMA_SCOPE_BODY:
		return true;
	case SCHEMA_SCOPE_SUBJECT:
		return decide_subject(r, req, w, wanted.right);
	case SCHEMA_SCOPE_SETTING:
		return decide_setting(req, w, wanted.right);
	case SCHEMA_SCOPE_SELF:
		if (!w->anonymous && strcmp(w->name, bus_http_part(req, "program")) == 0)
			return true;
		return forbidden(req, w, wanted.right, "the uses of another program");
	case SCHEMA_SCOPE_ADMIN:
		break;
	}
	return forbidden(req, w, SCHEMA_RIGHT_ADMIN, "the registry");
}

bool schema_access_admit(void *ctx, struct bus_http_request *req)
{
	struct schema_wanted wanted = schema_rights_of(bus_http_method(req), bus_http_pattern(req));
	struct schema_access *a = ((struct schema_registry *)ctx)->access;
	struct who *w = bus_http_attached(req);

	schema_reply_choose(req);
	if (!a || wanted.scope == SCHEMA_SCOPE_OPEN)
		return true;
	if (!w)
		w = who_new(a, req);
	return identify(a, req, w) && decide(ctx, req, w, wanted);
}

/* Can only be told once the body is there, or its password was looked at. */
static bool not_yet(struct schema_access *a, struct bus_http_request *req, const struct who *w)
{
	struct schema_credentials c;
	struct bus_buf buf = { 0 };
	bool yes;

	if (bus_http_header(req, SCHEMA_NODE_HEADER))
		return true;
	schema_credentials_read(bus_http_header(req, "Authorization"), &buf, &c);
	yes = c.kind == SCHEMA_LOGIN_BASIC && w->state->users && !schema_users_is_token(c.secret) && !remembered(a, w, &c);
	bus_secret_release(&buf);
	return yes;
}

bool schema_access_knows(void *ctx, struct bus_http_request *req, char payer[BUS_HTTP_WHO_MAX])
{
	struct schema_access *a = ((struct schema_registry *)ctx)->access;
	struct who *w;

	_Static_assert(SCHEMA_USER_MAX <= BUS_HTTP_WHO_MAX, "a payer is a user");
	if (!a) {
		bus_http_peer(req, payer);
		return true;
	}
	schema_reply_choose(req);
	if (schema_rights_of(bus_http_method(req), bus_http_pattern(req)).scope == SCHEMA_SCOPE_OPEN)
		return true;
	w = who_new(a, req);
	if (not_yet(a, req, w))
		return true;
	if (!identify(a, req, w))
		return false;
	memcpy(payer, w->name, sizeof(w->name));
	return true;
}

void schema_access_answered(void *ctx, const struct bus_http_request *req, int status)
{
	struct schema_wanted wanted = schema_rights_of(bus_http_method(req), bus_http_pattern(req));
	const struct who *w = bus_http_attached(req);
	char address[BUS_HTTP_PEER_LEN];

	(void)ctx;
	if (wanted.right == SCHEMA_RIGHT_READ || status >= 300 || strcmp(bus_http_method(req), "GET") == 0)
		return;
	bus_log(BUS_LOG_AUDIT, "registry.change", LOG_STR("user", schema_user(req)),
		LOG_STR("via", w && w->via ? w->via : "nothing"), LOG_STR("address", peer(req, address)),
		LOG_STR("method", bus_http_method(req)), LOG_STR("route", bus_http_pattern(req)),
		LOG_STR("subject", bus_http_part(req, "subject")),
		LOG_STR("version", bus_http_part(req, "version")), LOG_INT("status", status),
		LOG_STR("request", bus_http_id(req)), LOG_STR("kek", bus_http_part(req, "name")));
}

/* --- for handlers ------------------------------------------------------------------------------------ */

bool schema_may(const struct bus_http_request *req, enum schema_right right, const char *subject)
{
	const struct who *w = bus_http_attached(req);

	return !w || schema_principal_may(w->principal, right, subject);
}

bool schema_may_follow(const struct bus_http_request *req, const char *target)
{
	return schema_may(req, schema_rights_of(bus_http_method(req), bus_http_pattern(req)).right, target);
}

bool schema_may_context(const struct bus_http_request *req, const char *context)
{
	const struct who *w = bus_http_attached(req);

	return !w || schema_principal_sees(w->principal, context);
}

void schema_may_names(const struct bus_http_request *req, struct schema_name_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (schema_may(req, SCHEMA_RIGHT_READ, l->item[i]))
			l->item[n++] = l->item[i];
		else
			free(l->item[i]);
	l->n = n;
}

const char *schema_user(const struct bus_http_request *req)
{
	const struct who *w = bus_http_attached(req);

	return w ? w->name : "";
}

bool schema_access_vouch(struct schema_access *a, struct bus_http_request *req, struct bus_buf *value)
{
	const struct who *w = bus_http_attached(req);
	const struct schema_vouched of = vouched(req);

	if (!a || !a->has_node_key || !w)
		return false;
	schema_vouch_make(a->node_key, bus_clock_ms(), w->name, &of, value);
	return true;
}

const uint8_t *schema_access_node_key(const struct schema_access *a)
{
	return a && a->has_node_key ? a->node_key : NULL;
}
