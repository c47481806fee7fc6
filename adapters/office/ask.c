#include "adapters/office/ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/care/order.h"
#include "bus/clock.h"
#include "bus/json.h"

#define BODY_DEPTH 4

static bool is_verb(const struct adapter_ask *ask, const char *verb)
{
	return strcmp(ask->args.verb, verb) == 0;
}

void adapter_ask_begin(struct adapter_ask *ask, const char *verb, const char *id)
{
	*ask = (struct adapter_ask){ .args = { .verb = verb,
					       .since_ms = INT64_MIN,
					       .until_ms = INT64_MAX,
					       .to_ms = INT64_MIN,
					       .limit = 50 } };
	if (id[0])
		ask->args.operand[ask->args.n_operands++] = id;
	if (is_verb(ask, "show") || is_verb(ask, "history"))
		ask->args.state = "all"; /* else open rows alone */
}

/* What questions and orders have in common; *known: it is one of these. */
static enum bus_err take_filter(struct adapter_care_args *a, const char *name, const char *value, bool *known,
				struct bus_error *err)
{
	const struct {
		const char *name;
		const char **text;
		int64_t *time;
	} filter[] = { { "feed", &a->feed, NULL },
		       { "file", &a->file, NULL },
		       { "class", &a->class, NULL },
		       { "since", NULL, &a->since_ms },
		       { "until", NULL, &a->until_ms } };

	*known = false;
	for (size_t i = 0; i < BUS_LEN(filter); i++) {
		if (strcmp(filter[i].name, name) != 0)
			continue;
		*known = true;
		if (filter[i].text)
			*filter[i].text = value;
		else if (!adapter_care_time(value, bus_clock_ms(), filter[i].time))
			return bus_fail(err, BUS_EINVAL,
					"%s: 2026-11-23, 2026-11-23T08:30 (WIB), 2h, 3d (lalu / ago)", name);
	}
	return BUS_OK;
}

static bool is_state(const char *s)
{
	bool known = strcmp(s, "all") == 0;

	for (int i = ADAPTER_ROW_OPEN; i <= ADAPTER_ROW_DISCARDED; i++)
		known |= strcmp(s, adapter_row_state_name((enum adapter_row_state)i)) == 0;
	return known;
}

void adapter_ask_after(int64_t time_ms, const char *id, char *out)
{
	snprintf(out, ADAPTER_REFUSAL_ID + 24, "%" PRId64 ".%s", time_ms, id);
}

static bool take_after(struct adapter_ask *ask, const char *value)
{
	char *end;

	ask->after_ms = strtoll(value, &end, 10);
	if (end == value || *end != '.' || end[1] == '\0' || strlen(end + 1) > ADAPTER_REFUSAL_ID)
		return false;
	snprintf(ask->after_id, sizeof(ask->after_id), "%s", end + 1);
	return true;
}

static enum bus_err take_of_list(struct adapter_ask *ask, const char *name, const char *value,
				 struct bus_error *err)
{
	bool known;
	char *end;
	enum bus_err rc = take_filter(&ask->args, name, value, &known, err);

	if (rc || known)
		return rc;
	if (strcmp(name, "state") == 0) {
		ask->args.state = value;
		return is_state(value) ? BUS_OK
				       : bus_fail(err, BUS_EINVAL, "state: TERBUKA, TERBIT, DIBUANG, all");
	}
	if (strcmp(name, "after") == 0)
		return take_after(ask, value) ? BUS_OK
					      : bus_fail(err, BUS_EINVAL, "after: dari / from `next`");
	if (strcmp(name, "limit") == 0) {
		ask->args.limit = strtol(value, &end, 10);
		return end != value && *end == '\0' && ask->args.limit >= 1 &&
			       ask->args.limit <= ADAPTER_ASK_LIMIT_MAX
			   ? BUS_OK
			   : bus_fail(err, BUS_EINVAL, "limit: 1-%d", ADAPTER_ASK_LIMIT_MAX);
	}
	return bus_fail(err, BUS_EINVAL, "parameter tidak dikenal / unknown parameter");
}

enum bus_err adapter_ask_parameter(struct adapter_ask *ask, const char *name, const char *value,
				   struct bus_error *err)
{
	bool show = is_verb(ask, "show");

	if (is_verb(ask, "list"))
		return take_of_list(ask, name, value, err);
	if (show && strcmp(name, "show_personal") == 0 &&
	    (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)) {
		ask->args.personal = value[0] == 't';
		return BUS_OK;
	}
	return bus_fail(err, BUS_EINVAL, "%s",
			show ? "hanya / only show_personal=true|false"
			     : "tidak ada parameter di sini / no parameters here");
}

/* ---- bodies ---- */

/* NUL-ended, in the arena; NULL: no text. */
static const char *text_of(struct bus_arena *arena, const struct bus_json *v)
{
	if (v->type != BUS_JSON_STRING || memchr(v->text.p, '\0', v->text.n))
		return NULL;
	return bus_arena_dup(arena, v->text.p, v->text.n);
}

static enum bus_err wrong(const struct bus_json *v, const char *wanted, struct bus_error *err)
{
	return bus_fail(err, BUS_EINVAL, "\"%.*s\": %s", (int)(v->name.n < 40 ? v->name.n : 40), v->name.p,
			wanted);
}

/* It is printed as a line of the report. */
static bool is_line(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return strlen(s) < sizeof(((struct adapter_order *)NULL)->why);
}

static enum bus_err take_ids(struct bus_arena *arena, struct adapter_care_args *a, const struct bus_json *v,
			     struct bus_error *err)
{
	if (a->n_operands > 0 || v->type != BUS_JSON_ARRAY || !v->first)
		return wrong(
		    v, "daftar id; tidak bersama id pada alamat / a list of ids; not with one in the address",
		    err);
	for (const struct bus_json *id = v->first; id; id = id->next) {
		const char *text = text_of(arena, id);

		if (!text || a->n_operands == ADAPTER_ARGS_MAX)
			return bus_fail(err, BUS_EINVAL, "\"ids\": 1-%d teks / texts", ADAPTER_ARGS_MAX);
		a->operand[a->n_operands++] = text;
	}
	return BUS_OK;
}

static enum bus_err take_set(struct bus_arena *arena, struct adapter_care_args *a, const struct bus_json *v,
			     struct bus_error *err)
{
	if (v->type != BUS_JSON_OBJECT || strcmp(a->verb, "mend") != 0)
		return wrong(v, "objek kolom, pada mend / an object of columns, of mend", err);
	for (const struct bus_json *c = v->first; c; c = c->next) {
		if (!text_of(arena, c) || c->name.n == 0 || a->n_set == ADAPTER_ARGS_MAX)
			return bus_fail(err, BUS_EINVAL,
					"\"set\": 1-%d kolom, isinya teks / columns, their values texts",
					ADAPTER_ARGS_MAX);
		a->set[a->n_set++] = (struct adapter_cell_change){ c->name, c->text };
	}
	return BUS_OK;
}

static enum bus_err take_member(struct bus_arena *arena, struct adapter_care_args *a,
				const struct bus_json *v, struct bus_error *err)
{
	const struct {
		const char *name;
		bool *value;
	} switches[] = { { "all", &a->all }, { "redrive", &a->redrive }, { "dry_run", &a->dry_run } };
	const char *text = text_of(arena, v), *name = bus_arena_dup(arena, v->name.p, v->name.n);
	bool known;
	enum bus_err rc;

	if (!name)
		return bus_fail(err, BUS_EINVAL, "isi terlalu besar / the body is too large");
	if (strcmp(name, "ids") == 0)
		return take_ids(arena, a, v, err);
	if (strcmp(name, "set") == 0)
		return take_set(arena, a, v, err);
	for (size_t i = 0; i < BUS_LEN(switches); i++) {
		if (strcmp(name, switches[i].name) != 0)
			continue;
		*switches[i].value = v->type == BUS_JSON_TRUE;
		return v->type == BUS_JSON_TRUE || v->type == BUS_JSON_FALSE ? BUS_OK
									     : wrong(v, "true, false", err);
	}
	if (!text)
		return wrong(v, "teks, atau tidak dikenal / a text, or unknown", err);
	if (strcmp(name, "why") == 0) {
		a->why = text;
		return is_line(text) ? BUS_OK : wrong(v, "satu baris, 255 bita / one line of 255 bytes", err);
	}
	rc = take_filter(a, name, text, &known, err);
	return rc || known ? rc : wrong(v, "tidak dikenal / unknown", err);
}

enum bus_err adapter_ask_body(struct adapter_ask *ask, struct bus_str body, struct bus_arena *arena,
			      struct bus_error *err)
{
	const struct bus_json_limits limits = { .depth = BODY_DEPTH };
	struct bus_json *tree = NULL;
	enum bus_err rc = BUS_OK;

	if (body.n == 0)
		return BUS_OK;
	if (bus_json_parse(body, &limits, arena, &tree, NULL) != BUS_OK || tree->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EINVAL, "bukan objek JSON / no JSON object");
	for (const struct bus_json *v = tree->first; v && !rc; v = v->next)
		rc = take_member(arena, &ask->args, v, err);
	return rc;
}

const char *adapter_ask_lack(const struct adapter_ask *ask)
{
	const struct adapter_care_args *a = &ask->args;
	bool mend = is_verb(ask, "mend");

	if (mend ? a->n_operands != 1
		 : a->n_operands == 0 && !a->feed && !a->file && !a->class && !a->all &&
		       a->since_ms == INT64_MIN && a->until_ms == INT64_MAX)
		return "rows-missing";
	if (mend && a->n_set == 0)
		return "set-missing";
	return is_verb(ask, "discard") && (!a->why || !a->why[0]) ? "why-missing" : NULL;
}
