#include "adapters/office/ask.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/care/order.h"
#include "bus/clock.h"
#include "bus/json.h"
#include "bus/plain.h"

#define BODY_DEPTH 4
#define LIMIT 50

enum kind { TEXT, LINE, TIME, SWITCH, STATE, NUMBER, AFTER, IDS, SET };

/* How it is written, for who wrote it otherwise. */
static const char *const form[] = {
	[TEXT] = "teks, tidak kosong / a text, not empty",
	[LINE] = "satu baris, 255 bita / one line of 255 bytes",
	[TIME] = "2026-11-23, 2026-11-23T08:30 (WIB), 2h, 3d (lalu / ago)",
	[SWITCH] = "true, false",
	[STATE] = "TERBUKA, TERBIT, DIBUANG, all",
	[NUMBER] = "1-1000",
	[AFTER] = "dari / from `next`",
	[IDS] = "1-64 teks; tidak bersama id pada alamat / 1-64 texts; not with an id in the address",
	[SET] = "1-64 kolom, isinya teks / 1-64 columns, their values texts",
};
_Static_assert(ADAPTER_ASK_LIMIT_MAX == 1000 && ADAPTER_ARGS_MAX == 64, "form says so");

struct word {
	const char *name, *verbs; /* of which questions it is a parameter, of which orders a member */
	enum kind kind;
	size_t at; /* in the args */
};

#define ARG(member) offsetof(struct adapter_care_args, member)
#define ORDERS "mend redrive discard"

static const struct word word[] = {
	{ "ids", ORDERS, IDS, 0 },
	{ "feed", "list " ORDERS, TEXT, ARG(feed) },
	{ "file", "list " ORDERS, TEXT, ARG(file) },
	{ "class", "list " ORDERS, TEXT, ARG(class) },
	{ "since", "list " ORDERS, TIME, ARG(since_ms) },
	{ "until", "list " ORDERS, TIME, ARG(until_ms) },
	{ "state", "list", STATE, ARG(state) },
	{ "limit", "list", NUMBER, ARG(limit) },
	{ "after", "list", AFTER, 0 },
	{ "show_personal", "show", SWITCH, ARG(personal) },
	{ "all", "redrive discard", SWITCH, ARG(all) },
	{ "set", "mend", SET, 0 },
	{ "redrive", "mend", SWITCH, ARG(redrive) },
	{ "why", ORDERS, LINE, ARG(why) },
	{ "dry_run", ORDERS, SWITCH, ARG(dry_run) },
};
_Static_assert(BUS_LEN(word) <= 32, "struct adapter_ask.given has a bit for each");

static bool is_verb(const struct adapter_ask *ask, const char *verb)
{
	return strcmp(ask->args.verb, verb) == 0;
}

/* No verb is a part of another one. */
static bool knows(const struct adapter_ask *ask, const struct word *w)
{
	return strstr(w->verbs, ask->args.verb) != NULL;
}

void adapter_ask_begin(struct adapter_ask *ask, const char *verb, const char *id)
{
	*ask = (struct adapter_ask){ .args = { .verb = verb,
					       .since_ms = INT64_MIN,
					       .until_ms = INT64_MAX,
					       .to_ms = INT64_MIN,
					       .limit = LIMIT } };
	if (id[0])
		ask->args.operand[ask->args.n_operands++] = id;
	if (is_verb(ask, "show") || is_verb(ask, "history"))
		ask->args.state = "all"; /* else open rows alone */
}

/* The names that there are; the one that was sent may be anything, a NIK too. */
static enum bus_err unknown(const struct adapter_ask *ask, struct bus_error *err)
{
	char names[200] = "";

	for (size_t i = 0; i < BUS_LEN(word); i++)
		if (knows(ask, &word[i])) {
			size_t n = strlen(names);

			snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "", word[i].name);
		}
	return bus_fail(err, BUS_EINVAL, "tidak dikenal, yang ada / unknown, there are: %s", names);
}

/* Each once: which of two was meant is not for us to say. */
static enum bus_err find(struct adapter_ask *ask, struct bus_str name, const struct word **out,
			 struct bus_error *err)
{
	for (size_t i = 0; i < BUS_LEN(word); i++) {
		if (!bus_str_is(name, word[i].name) || !knows(ask, &word[i]))
			continue;
		if (ask->given & UINT32_C(1) << i)
			return bus_fail(err, BUS_EINVAL, "%s: dua kali / twice", word[i].name);
		ask->given |= UINT32_C(1) << i;
		*out = &word[i];
		return BUS_OK;
	}
	return unknown(ask, err);
}

/* ---- values ---- */

static bool is_state(const char *s)
{
	bool known = strcmp(s, "all") == 0;

	for (int i = ADAPTER_ROW_OPEN; i <= ADAPTER_ROW_DISCARDED; i++)
		known |= strcmp(s, adapter_row_state_name((enum adapter_row_state)i)) == 0;
	return known;
}

/* It is printed as a line of the report, and on terminals. */
static bool is_line(const char *s)
{
	char plain[sizeof(((struct adapter_order *)NULL)->why)];
	size_t n = strlen(s);

	if (n >= sizeof(plain))
		return false;
	memcpy(plain, s, n + 1);
	bus_plain(plain, n, false);
	return strcmp(plain, s) == 0;
}

static bool take_limit(const char *value, long *out)
{
	char *end;

	*out = strtol(value, &end, 10);
	return isdigit((unsigned char)value[0]) && *end == '\0' && *out >= 1 && *out <= ADAPTER_ASK_LIMIT_MAX;
}

void adapter_ask_after(int64_t time_ms, const char *id, char *out)
{
	snprintf(out, ADAPTER_REFUSAL_ID + 24, "%" PRId64 ".%s", time_ms, id);
}

/* To the letter as adapter_ask_after writes it. */
static bool take_after(struct adapter_ask *ask, const char *value)
{
	const char *dot = strchr(value, '.');
	char written[ADAPTER_REFUSAL_ID + 24];

	if (!dot || dot[1] == '\0' || strlen(dot + 1) > ADAPTER_REFUSAL_ID)
		return false;
	ask->after_ms = strtoll(value, NULL, 10);
	snprintf(ask->after_id, sizeof(ask->after_id), "%s", dot + 1);
	adapter_ask_after(ask->after_ms, ask->after_id, written);
	return strcmp(value, written) == 0;
}

static bool take_text(struct adapter_ask *ask, const struct word *w, const char *value)
{
	char *at = (char *)&ask->args + w->at;

	switch (w->kind) {
	case TIME:
		return adapter_care_time(value, bus_clock_ms(), (int64_t *)(void *)at);
	case SWITCH:
		*(bool *)(void *)at = strcmp(value, "true") == 0;
		return *(bool *)(void *)at || strcmp(value, "false") == 0;
	case NUMBER:
		return take_limit(value, (long *)(void *)at);
	case AFTER:
		return take_after(ask, value);
	case TEXT:
	case LINE:
	case STATE:
		*(const char **)(void *)at = value;
		return w->kind == TEXT	 ? value[0] != '\0'
		       : w->kind == LINE ? is_line(value)
					 : is_state(value);
	case IDS:
	case SET:
		break;
	}
	return false;
}

static enum bus_err wrong(const struct word *w, struct bus_error *err)
{
	return bus_fail(err, BUS_EINVAL, "%s: %s", w->name, form[w->kind]);
}

/* ---- questions ---- */

enum bus_err adapter_ask_parameter(struct adapter_ask *ask, const char *name, const char *value,
				   struct bus_error *err)
{
	const struct word *w;
	enum bus_err rc;

	if (!is_verb(ask, "list") && !is_verb(ask, "show"))
		return bus_fail(err, BUS_EINVAL, "tidak ada parameter di sini / no parameters here");
	rc = find(ask, bus_str(name), &w, err);
	if (rc)
		return rc;
	return take_text(ask, w, value) ? BUS_OK : wrong(w, err);
}

/* ---- orders ---- */

/* NUL-ended, in the arena; NULL: no text. */
static const char *text_of(struct bus_arena *arena, const struct bus_json *v)
{
	if (v->type != BUS_JSON_STRING || memchr(v->text.p, '\0', v->text.n))
		return NULL;
	return bus_arena_dup(arena, v->text.p, v->text.n);
}

static bool take_ids(struct bus_arena *arena, struct adapter_care_args *a, const struct bus_json *v)
{
	if (a->n_operands > 0 || v->type != BUS_JSON_ARRAY || v->n < 1 || v->n > ADAPTER_ARGS_MAX)
		return false;
	for (const struct bus_json *id = v->first; id; id = id->next) {
		const char *text = text_of(arena, id);

		if (!text || !text[0])
			return false;
		a->operand[a->n_operands++] = text;
	}
	return true;
}

static bool take_set(struct adapter_care_args *a, const struct bus_json *v)
{
	if (v->type != BUS_JSON_OBJECT || v->n > ADAPTER_ARGS_MAX)
		return false;
	for (const struct bus_json *c = v->first; c; c = c->next) {
		if (c->type != BUS_JSON_STRING || memchr(c->text.p, '\0', c->text.n) || c->name.n == 0)
			return false;
		a->set[a->n_set++] = (struct adapter_cell_change){ c->name, c->text };
	}
	return true;
}

static bool take_json(struct adapter_ask *ask, const struct word *w, const struct bus_json *v,
		      struct bus_arena *arena)
{
	const char *text;

	if (w->kind == IDS)
		return take_ids(arena, &ask->args, v);
	if (w->kind == SET)
		return take_set(&ask->args, v);
	if (w->kind == SWITCH)
		return (v->type == BUS_JSON_TRUE || v->type == BUS_JSON_FALSE) &&
		       take_text(ask, w, v->type == BUS_JSON_TRUE ? "true" : "false");
	text = text_of(arena, v);
	return text && take_text(ask, w, text);
}

enum bus_err adapter_ask_body(struct adapter_ask *ask, struct bus_str body, struct bus_arena *arena,
			      struct bus_error *err)
{
	const struct bus_json_limits limits = { .depth = BODY_DEPTH };
	struct bus_json *tree = NULL;

	if (body.n == 0)
		return BUS_OK;
	if (bus_json_parse(body, &limits, arena, &tree, NULL) != BUS_OK || tree->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EINVAL, "bukan objek JSON / no JSON object");
	for (const struct bus_json *v = tree->first; v; v = v->next) {
		const struct word *w;
		enum bus_err rc = find(ask, v->name, &w, err);

		if (rc)
			return rc;
		if (!take_json(ask, w, v, arena))
			return wrong(w, err);
	}
	return BUS_OK;
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
