#include "schemas/registry/side.h"

#include "bus/percent.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

/* --- uses ------------------------------------------------------------------------------------------- */

struct uses {
	struct bus_json_out *j;
	const struct bus_http_request *req;
};

static void put_use(void *ctx, const struct schema_use *u)
{
	const struct uses *uses = ctx;
	struct bus_json_out *j = uses->j;

	if (!schema_may(uses->req, SCHEMA_RIGHT_READ, u->subject))
		return;
	bus_json_object(j);
	bus_json_text_member(j, "program", u->program);
	bus_json_text_member(j, "owner", u->owner);
	bus_json_text_member(j, "kind", u->kind);
	bus_json_text_member(j, "name", u->name);
	bus_json_text_member(j, "subject", u->subject);
	if (u->n_fields > 0) {
		bus_json_key(j, "fields");
		bus_json_array(j);
		for (size_t i = 0; i < u->n_fields; i++)
			bus_json_put_text(j, u->field[i]);
		bus_json_array_end(j);
	}
	schema_use_put_columns(j, u);
	bus_json_text_member(j, "at", u->at);
	bus_json_object_end(j);
}

static void reply_uses(struct schema_registry *r, struct bus_http_request *req, const char *subject)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	struct uses uses = { &j, req };

	bus_json_object(&j);
	bus_json_key(&j, "uses");
	bus_json_array(&j);
	schema_side_uses(r->side, subject, put_use, &uses);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	schema_reply(req, &b);
}

void schema_side_get_uses(void *ctx, struct bus_http_request *req)
{
	reply_uses(ctx, req, NULL);
}

void schema_side_get_subject_uses(void *ctx, struct bus_http_request *req)
{
	reply_uses(ctx, req, schema_body_subject(ctx, req));
}

static void put_bytes(struct bus_buf *to, struct bus_str from)
{
	bus_buf_put(to, from.p, from.n);
}

void schema_side_put_uses(void *ctx, struct bus_http_request *req)
{
	const char *program = bus_http_part(req, "program");
	struct bus_buf key = { 0 }, value = { 0 }, reply = { 0 };
	struct schema_registry *r = ctx;
	struct schema_use *use;
	struct bus_error err;
	int64_t valid_s;
	size_t n;

	if (schema_uses_read(bus_http_body(req), program, bus_http_arena(req), &use, &n, &valid_s, &err) !=
	    BUS_OK) {
		schema_reply_error(
		    req, 422,
		    "%s; the body is {\"owner\":..,\"uses\":[{\"kind\":\"service\",\"name\":..,"
		    "\"subject\":..,\"fields\":[..]}]}",
		    err.text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!schema_may(req, SCHEMA_RIGHT_READ, use[i].subject)) {
			schema_reply_error(req, 40301, "User is denied operation %s on Subject: %s",
					   schema_right_name(SCHEMA_RIGHT_READ), use[i].subject);
			return;
		}
	schema_side_use_key(program, &key);
	put_bytes(&value, bus_http_body(req));
	put_bytes(&reply, bus_http_body(req));
	schema_side_queue(r, req, &key, &value, &reply);
}

void schema_side_delete_uses(void *ctx, struct bus_http_request *req)
{
	const char *program = bus_http_part(req, "program");
	struct bus_buf key = { 0 }, reply = { 0 };
	struct schema_registry *r = ctx;

	if (!schema_side_program(r->side, program)) {
		schema_reply_error(req, 404, "Nobody of that name has said what it uses");
		return;
	}
	schema_side_use_key(program, &key);
	bus_buf_puts(&reply, "{}");
	schema_side_queue(r, req, &key, NULL, &reply);
}

/* --- states ----------------------------------------------------------------------------------------- */

void schema_side_headers(struct schema_registry *r, struct bus_http_request *req,
			 const struct schema_version *v)
{
	struct schema_state state;
	struct bus_buf b = { 0 };
	struct tm day = { 0 };
	char date[64];

	if (!r->side || !schema_side_state(r->side, v->subject, v->version, bus_http_arena(req), &state))
		return;
	bus_buf_printf(&b, "@%lld", (long long)(state.since_ms / 1000));
	bus_http_set(req, "Deprecation", bus_buf_cstr(&b));
	if (sscanf(state.sunset, "%d-%d-%d", &day.tm_year, &day.tm_mon, &day.tm_mday) == 3) {
		day.tm_year -= 1900;
		day.tm_mon--;
		timegm(&day); /* knows the day of the week */
		strftime(date, sizeof(date), "%a, %d %b %Y 00:00:00 GMT", &day);
		bus_http_set(req, "Sunset", date);
	}
	if (state.successor_subject[0] != '\0') {
		bus_buf_reset(&b);
		bus_buf_puts(&b, "</subjects/");
		bus_percent_put(&b, bus_str(state.successor_subject));
		bus_buf_puts(&b, "/versions/");
		if (state.successor_version > 0)
			bus_buf_printf(&b, "%d", state.successor_version);
		else
			bus_buf_puts(&b, "latest");
		bus_buf_puts(&b, ">; rel=\"successor-version\"");
		bus_http_set(req, "Link", bus_buf_cstr(&b));
	}
	bus_buf_release(&b);
}

/* The version that the path names, or the error has been answered. */
static bool the_version(struct schema_registry *r, struct bus_http_request *req, struct schema_version *out)
{
	const char *subject = schema_body_subject(r, req);
	int version;

	if (!schema_body_version(req, &version))
		return false;
	if (schema_store_version(r->store, subject, version, out, NULL) == BUS_OK)
		return true;
	if (!schema_store_has(r->store, subject, true))
		schema_reply_subject_unknown(req, subject);
	else
		schema_reply_version_unknown(req, version);
	return false;
}

static void put_state(struct bus_buf *out, const struct schema_state *state)
{
	struct bus_json_out j = { .buf = out };

	if (state)
		schema_state_put(&j, state);
	else
		bus_buf_puts(out, "{\"state\":\"active\"}");
}

void schema_side_get_state(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	struct schema_state state;
	struct schema_version v;
	struct bus_buf b = { 0 };
	bool deprecated;

	if (!the_version(r, req, &v))
		return;
	deprecated = schema_side_state(r->side, v.subject, v.version, bus_http_arena(req), &state);
	put_state(&b, deprecated ? &state : NULL);
	schema_version_release(&v);
	schema_reply(req, &b);
}

/* Taken: the state of the version in the path; the successor must be there. */
static bool state_fits(struct schema_registry *r, struct bus_http_request *req,
		       const struct schema_state *state, const struct schema_version *of)
{
	struct schema_version next;
	bool same;

	if (state->successor_subject[0] == '\0')
		return true;
	if (!schema_may(req, SCHEMA_RIGHT_READ, state->successor_subject) ||
	    schema_store_version(r->store, state->successor_subject, state->successor_version, &next, NULL) !=
		BUS_OK ||
	    next.deleted) {
		schema_reply_error(req, 422, "The successor, %s version %d, is not registered",
				   state->successor_subject, state->successor_version);
		return false;
	}
	same = strcmp(next.subject, of->subject) == 0 && next.version == of->version;
	schema_version_release(&next);
	if (same)
		schema_reply_error(req, 422, "A version cannot be its own successor");
	return !same;
}

void schema_side_put_state(void *ctx, struct bus_http_request *req)
{
	struct bus_buf key = { 0 }, value = { 0 }, reply = { 0 };
	struct schema_registry *r = ctx;
	struct schema_state state;
	struct schema_version v;
	struct bus_error err;
	bool deprecated;

	if (!the_version(r, req, &v))
		return;
	if (schema_state_read(bus_http_body(req), bus_http_arena(req), &state, &deprecated, &err) != BUS_OK) {
		schema_reply_error(req, 422,
				   "%s; the body is {\"state\":\"deprecated\",\"sunset\":\"2027-01-31\","
				   "\"successor\":{\"subject\":..,\"version\":..},\"note\":..}",
				   err.text);
	} else if (state_fits(r, req, &state, &v)) {
		schema_side_state_key(v.subject, v.version, &key);
		put_state(&value, deprecated ? &state : NULL);
		put_state(&reply, deprecated ? &state : NULL);
		schema_side_queue(r, req, &key, &value, &reply);
	}
	schema_version_release(&v);
}

void schema_side_delete_state(void *ctx, struct bus_http_request *req)
{
	struct bus_buf key = { 0 }, reply = { 0 };
	struct schema_registry *r = ctx;
	struct schema_version v;

	if (!the_version(r, req, &v))
		return;
	schema_side_state_key(v.subject, v.version, &key);
	put_state(&reply, NULL);
	schema_side_queue(r, req, &key, NULL, &reply);
	schema_version_release(&v);
}
