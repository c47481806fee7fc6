#include "gateway/hook/ask.h"

#include <stdio.h>

#include "bus/yaml.h"

#define TEXT_MAX 4096

void gw_ask_refuse(struct gw_ask *a, const char *code, const char *detail, const char *hint)
{
	if (!a->refused)
		gw_problem(a->req, code, detail, hint);
	a->refused = true;
}

static void refuse_member(struct gw_ask *a, const char *name, const char *what)
{
	char detail[200];

	snprintf(detail, sizeof(detail), "%.60s: %s", name, what);
	gw_ask_refuse(a, "parameter-invalid", detail, NULL);
}

static void refuse_unknown(struct gw_ask *a, struct bus_str name, const char *const *member, size_t n)
{
	const char *copy = bus_arena_dup(bus_http_arena(a->req), name.p, name.n < 60 ? name.n : 60);
	char detail[100];

	snprintf(detail, sizeof(detail), "'%s'", copy ? copy : "");
	gw_ask_refuse(a, "parameter-invalid", detail, copy ? bus_nearest(copy, member, n) : NULL);
}

bool gw_ask_begin(struct gw_ask *a, struct bus_http_request *req, const char *const *member, size_t n)
{
	static struct bus_json empty = { .type = BUS_JSON_OBJECT };
	struct bus_str text = bus_http_body(req);
	struct bus_error err;

	*a = (struct gw_ask){ .req = req, .body = &empty };
	if (text.n > 0 && bus_json_parse(text, NULL, bus_http_arena(req), &a->body, &err)) {
		gw_ask_refuse(a, "parameter-invalid", err.text, NULL);
		return false;
	}
	if (a->body->type != BUS_JSON_OBJECT) {
		gw_ask_refuse(a, "parameter-invalid", "a JSON object is needed", NULL);
		return false;
	}
	for (const struct bus_json *v = a->body->first; v && !a->refused; v = v->next) {
		bool known = false;

		for (size_t i = 0; i < n && !known; i++)
			known = bus_str_is(v->name, member[i]);
		if (!known)
			refuse_unknown(a, v->name, member, n);
	}
	return !a->refused;
}

static const struct bus_json *given(const struct gw_ask *a, const char *name)
{
	const struct bus_json *v = a->refused ? NULL : bus_json_get(a->body, name);

	return v && v->type != BUS_JSON_NULL ? v : NULL;
}

bool gw_ask_has(const struct gw_ask *a, const char *name)
{
	return given(a, name) != NULL;
}

const char *gw_ask_text(struct gw_ask *a, const char *name)
{
	const struct bus_json *v = given(a, name);
	const char *text = NULL;

	if (v && v->type == BUS_JSON_STRING && v->text.n <= TEXT_MAX && !memchr(v->text.p, '\0', v->text.n))
		text = bus_arena_dup(bus_http_arena(a->req), v->text.p, v->text.n);
	if (v && !text)
		refuse_member(a, name, "text of at most 4096 bytes is needed");
	return text;
}

int64_t gw_ask_number(struct gw_ask *a, const char *name, int64_t min, int64_t max, int64_t fallback)
{
	const struct bus_json *v = given(a, name);
	int64_t n = fallback;
	char range[80];

	if (!v)
		return fallback;
	if (bus_json_int(v, &n) == BUS_OK && n >= min && n <= max)
		return n;
	snprintf(range, sizeof(range), "%lld..%lld", (long long)min, (long long)max);
	refuse_member(a, name, range);
	return fallback;
}

bool gw_ask_flag(struct gw_ask *a, const char *name, bool fallback)
{
	const struct bus_json *v = given(a, name);

	if (v && v->type != BUS_JSON_TRUE && v->type != BUS_JSON_FALSE)
		refuse_member(a, name, "true, false");
	return v ? v->type == BUS_JSON_TRUE : fallback;
}

int gw_ask_word(struct gw_ask *a, const char *name, const char *const *word, size_t n, int fallback)
{
	const char *text = gw_ask_text(a, name);
	char all[160] = "";

	if (!text)
		return fallback;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, word[i]) == 0)
			return (int)i;
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", word[i]);
	}
	refuse_member(a, name, all);
	return fallback;
}
