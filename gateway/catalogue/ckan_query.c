#include "gateway/catalogue/ckan_query.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "bus/clock.h"
#include "gateway/catalogue/ckan.h"

struct query {
	const struct gw_shelf *s;
	const struct gw_shelf_item *item;
	const char *at;
	char *why;
	size_t why_n;
	bool bad;
};

static bool fail(struct query *q, const char *why)
{
	if (!q->bad)
		snprintf(q->why, q->why_n, "%s", why);
	q->bad = true;
	return false;
}

/* --- what a data set says in a field ------------------------------------------------------------------ */

/* * is any run of characters; letters are the same in either case. */
static bool like(const char *text, const char *pattern)
{
	const char *star = NULL, *mark = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			mark = text;
		} else if (tolower((unsigned char)*pattern) == tolower((unsigned char)*text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool holds(const char *text, const char *value)
{
	return text && (strcasestr(text, value) || (strchr(value, '*') && like(text, value)));
}

static bool has_tag(const struct gw_view *v, const char *value)
{
	for (size_t i = 0; v->card && i < v->card->n_keywords; i++) {
		if (like(v->card->keyword[i], value))
			return true;
	}
	return false;
}

static bool has_format(const struct gw_shelf_item *item, const char *value)
{
	for (size_t i = 0; i < item->n_forms; i++) {
		if (like(item->form[i].format, value))
			return true;
	}
	return false;
}

static bool anywhere(const struct query *q, const char *value)
{
	const struct gw_view *v = q->item->view;

	return strcmp(value, "*") == 0 || holds(v->name, value) || holds(v->title_id, value) ||
	       holds(v->title_en, value) || holds(v->about_id, value) || holds(v->about_en, value) ||
	       holds(gw_shelf_department(q->s, gw_shelf_owner(q->s, v)), value) || has_tag(v, value);
}

static bool is_named(const char *kind, const char *name, const char *value)
{
	char id[37];

	gw_shelf_uuid(kind, name, "", id);
	return like(name, value) || strcmp(id, value) == 0;
}

static bool one_of(const struct query *q, const char *field, const char *value)
{
	const struct gw_view *v = q->item->view;
	const struct gw_theme *t = gw_shelf_theme(v);
	static const struct {
		const char *field, *value;
	} fixed[] = { /* the same for every data set here */
		      { "state", "active" },  { "type", "dataset" },	{ "dataset_type", "dataset" },
		      { "private", "false" }, { "capacity", "public" }, { "entity_type", "package" },
		      { "site_id", "titian" }
	};

	if (strcmp(field, "name") == 0 || strcmp(field, "id") == 0)
		return is_named("dataset", v->name, value);
	if (strcmp(field, "organization") == 0 || strcmp(field, "owner_org") == 0)
		return is_named("organization", gw_shelf_owner(q->s, v), value);
	if (strcmp(field, "groups") == 0)
		return t && is_named("group", t->code, value);
	if (strcmp(field, "tags") == 0)
		return has_tag(v, value);
	if (strcmp(field, "res_format") == 0)
		return has_format(q->item, value);
	if (strcmp(field, "license_id") == 0)
		return like(gw_ckan_licence(v), value);
	if (strcmp(field, "isopen") == 0)
		return like(v->open == GW_OPEN ? "true" : "false", value);
	if (strcmp(field, "title") == 0)
		return holds(v->title_id, value) || holds(v->title_en, value);
	if (strcmp(field, "notes") == 0)
		return holds(v->about_id, value) || holds(v->about_en, value);
	for (size_t i = 0; i < BUS_LEN(fixed); i++) {
		if (strcmp(field, fixed[i].field) == 0)
			return like(fixed[i].value, value);
	}
	return anywhere(q, value); /* text */
}

static bool is_field(const char *field)
{
	static const char *const known[] = { "name",
					     "id",
					     "organization",
					     "owner_org",
					     "groups",
					     "tags",
					     "res_format",
					     "license_id",
					     "isopen",
					     "title",
					     "notes",
					     "state",
					     "type",
					     "dataset_type",
					     "private",
					     "capacity",
					     "entity_type",
					     "site_id",
					     "text",
					     "metadata_modified",
					     "metadata_created" };

	for (size_t i = 0; i < BUS_LEN(known); i++) {
		if (strcmp(field, known[i]) == 0)
			return true;
	}
	return false;
}

/* --- moments ------------------------------------------------------------------------------------------ */

/* Solr's date arithmetic as far as days: NOW, NOW-7DAYS, NOW/DAY. */
static bool moment_now(const char *text, int64_t *ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} unit[] = { { "SECOND", 1000 }, { "MINUTE", 60000 }, { "HOUR", 3600000 }, { "DAY", 86400000 } };

	*ms = bus_clock_ms();
	while (*text) {
		char sign = *text++;
		long long n = 1;
		size_t i, len;
		char *end;

		if (sign == '+' || sign == '-') {
			n = strtoll(text, &end, 10);
			if (end == text || n < 0 || n > 1000000)
				return false;
			text = end;
		} else if (sign != '/') {
			return false;
		}
		for (i = 0; i < BUS_LEN(unit) && strncmp(text, unit[i].unit, strlen(unit[i].unit)) != 0; i++)
			;
		if (i == BUS_LEN(unit))
			return false;
		len = strlen(unit[i].unit);
		text += len + (sign != '/' && text[len] == 'S');
		*ms = sign == '/' ? *ms - *ms % unit[i].ms : *ms + (sign == '-' ? -n : n) * unit[i].ms;
	}
	return true;
}

static bool moment(const char *text, int64_t open_end, int64_t *ms)
{
	if (strcmp(text, "*") == 0) {
		*ms = open_end;
		return true;
	}
	return strncmp(text, "NOW", 3) == 0 ? moment_now(text + 3, ms) : gw_shelf_moment(text, ms);
}

/* --- reading ------------------------------------------------------------------------------------------ */

static void skip(struct query *q)
{
	q->at += strspn(q->at, " \t\r\n");
}

/* A word or a phrase in quotes. */
static bool word(struct query *q, const char *stop, char *out, size_t max)
{
	bool quoted = *q->at == '"';
	size_t n = 0;

	if (quoted)
		q->at++;
	while (*q->at && (quoted ? *q->at != '"' : !strchr(stop, *q->at))) {
		if (*q->at == '\\' && q->at[1])
			q->at++;
		if (n == max - 1)
			return fail(q, "a word is too long");
		out[n++] = *q->at++;
	}
	out[n] = '\0';
	if (quoted) {
		if (*q->at != '"')
			return fail(q, "a quotation mark is not closed");
		q->at++;
	}
	if (n == 0 && !quoted)
		return fail(q, "a value is missing");
	if (!quoted && (strchr(out, '~') || strchr(out, '^')))
		return fail(q, "fuzzy words and boosts are not offered");
	return true;
}

static bool range(struct query *q, const char *field)
{
	bool from_in = *q->at++ == '[', to_in, created = strcmp(field, "metadata_created") == 0;
	char from[80], to[80], between[8];
	int64_t lo = 0, hi = 0, ms;

	if (strncmp(field, "metadata_", 9) != 0)
		return fail(q, "a range is taken of metadata_modified and metadata_created");
	skip(q);
	if (!word(q, " ]}", from, sizeof(from)))
		return false;
	skip(q);
	if (!word(q, " ]}", between, sizeof(between)) || strcmp(between, "TO") != 0)
		return fail(q, "a range is [A TO B]");
	skip(q);
	if (!word(q, " ]}", to, sizeof(to)))
		return false;
	skip(q);
	if (*q->at != ']' && *q->at != '}')
		return fail(q, "a range is not closed");
	to_in = *q->at++ == ']';
	if (!moment(from, INT64_MIN, &lo) || !moment(to, INT64_MAX, &hi))
		return fail(q, "Invalid Date String");
	ms = created ? gw_ckan_created(q->item) : q->item->modified_ms;
	return (ms > lo || (from_in && ms == lo)) && (ms < hi || (to_in && ms == hi));
}

static bool value(struct query *q, const char *field)
{
	char text[300];
	bool any = false;

	if (*q->at == '[' || *q->at == '{')
		return range(q, field);
	if (*q->at != '(')
		return word(q, " \t\r\n()", text, sizeof(text)) && one_of(q, field, text);
	q->at++;
	for (bool first = true;; first = false) {
		skip(q);
		if (*q->at == ')')
			break;
		if (!first && strncmp(q->at, "OR", 2) == 0 && isspace((unsigned char)q->at[2])) {
			q->at += 2;
			skip(q);
		}
		if (!*q->at || !word(q, " \t\r\n()", text, sizeof(text)))
			return fail(q, "a parenthesis is not closed");
		any |= one_of(q, field, text);
	}
	q->at++;
	return any;
}

static bool keyword(struct query *q, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(q->at, name, n) != 0 || (q->at[n] && !isspace((unsigned char)q->at[n])))
		return false;
	q->at += n;
	skip(q);
	return true;
}

/* One term: whether it holds. */
static bool term(struct query *q)
{
	char field[32] = "text";
	bool negated = keyword(q, "NOT"), holds_;
	size_t n;

	if (*q->at == '-' || *q->at == '+' || *q->at == '!')
		negated = *q->at++ != '+';
	if (strncmp(q->at, "*:*", 3) == 0) {
		q->at += 3;
		return !negated;
	}
	n = strspn(q->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	if (n > 0 && q->at[n] == ':') {
		snprintf(field, sizeof(field), "%.*s", n < sizeof(field) ? (int)n : 0, q->at);
		if (!is_field(field))
			return fail(q, "undefined field");
		q->at += n + 1;
	}
	holds_ = value(q, field);
	if (*q->at && !isspace((unsigned char)*q->at))
		return fail(q, "a term is not ended by a space");
	return holds_ != negated;
}

bool gw_ckan_query(const struct gw_shelf *s, const struct gw_shelf_item *item, const char *query, bool *out,
		   char *why, size_t n)
{
	struct query q = { .s = s, .item = item, .at = query, .why = why, .why_n = n };

	*out = true;
	if (strlen(query) > GW_CKAN_QUERY_MAX)
		return fail(&q, "the query is too long");
	for (skip(&q); *q.at && !q.bad; skip(&q)) {
		if (keyword(&q, "AND"))
			continue;
		if (keyword(&q, "OR"))
			return fail(&q, "OR is taken within parentheses: field:(a OR b)");
		*out &= term(&q);
	}
	return !q.bad;
}
