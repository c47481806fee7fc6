/* The values of the side topic, read from JSON that anybody on the bus may have written. */
#include <stdio.h>
#include <time.h>

#include "bus/json.h"
#include "schemas/store/side.h"

#define FIELDS_MAX 1000
#define NAME_MAX_BYTES 512
#define NAMES_MAX_BYTES 8192 /* of the columns of one field */
#define VALID_MAX ((int64_t)3660 * 86400) /* seconds */

/* A member's text: "" when it is not there; NULL (and err) when it is no text that a name can be. */
static const char *member(const struct bus_json *o, const char *name, struct bus_arena *arena,
			  struct bus_error *err)
{
	const struct bus_json *v = bus_json_get(o, name);
	const char *text;

	if (!v || v->type == BUS_JSON_NULL)
		return "";
	if (v->type != BUS_JSON_STRING || v->text.n > NAME_MAX_BYTES ||
	    (v->text.n > 0 && memchr(v->text.p, 0, v->text.n))) {
		bus_fail(err, BUS_EDATA, "'%s' is not a text of at most %d bytes", name, NAME_MAX_BYTES);
		return NULL;
	}
	text = bus_arena_dup(arena, v->text.p, v->text.n);
	if (!text)
		bus_fail(err, BUS_ETOOBIG, "too large");
	return text;
}

static enum bus_err read_fields(const struct bus_json *o, struct bus_arena *arena, struct schema_use *u,
				struct bus_error *err)
{
	const struct bus_json *list = bus_json_get(o, "fields"), *f;
	const char **field;

	if (!list || list->type == BUS_JSON_NULL)
		return BUS_OK;
	if (list->type != BUS_JSON_ARRAY || list->n > FIELDS_MAX)
		return bus_fail(err, BUS_EDATA, "'fields' is not a list of at most %d names", FIELDS_MAX);
	field = bus_arena_zalloc(arena, (list->n + 1) * sizeof(*field));
	if (!field)
		return bus_fail(err, BUS_ETOOBIG, "too large");
	for (f = list->first; f; f = f->next) {
		if (f->type != BUS_JSON_STRING || f->text.n == 0 || f->text.n > NAME_MAX_BYTES)
			return bus_fail(err, BUS_EDATA, "'fields' holds what is no name");
		field[u->n_fields] = bus_arena_dup(arena, f->text.p, f->text.n);
		if (!field[u->n_fields++])
			return bus_fail(err, BUS_ETOOBIG, "too large");
	}
	u->field = field;
	return BUS_OK;
}

/* "columns": {field: [column, ...]}, for the fields that were read. */
static enum bus_err read_columns(const struct bus_json *o, struct bus_arena *arena, struct schema_use *u,
				 struct bus_error *err)
{
	const struct bus_json *map = bus_json_get(o, "columns"), *list;
	struct bus_buf names = { 0 };
	const char **columns;

	if (!map || map->type == BUS_JSON_NULL)
		return BUS_OK;
	if (map->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EDATA, "'columns' is not an object");
	columns = bus_arena_zalloc(arena, (u->n_fields + 1) * sizeof(*columns));
	for (size_t i = 0; columns && i < u->n_fields; i++) {
		list = bus_json_get(map, u->field[i]);
		bus_buf_reset(&names);
		for (const struct bus_json *c = list ? list->first : NULL; c && names.n < NAMES_MAX_BYTES;
		     c = c->next) {
			if (c->type != BUS_JSON_STRING || c->text.n > NAME_MAX_BYTES ||
			    memchr(c->text.p, ',', c->text.n))
				continue;
			if (names.n)
				bus_buf_putc(&names, ',');
			bus_buf_put(&names, c->text.p, c->text.n);
		}
		columns[i] = bus_arena_dup(arena, names.p ? names.p : "", names.n);
		if (!columns[i])
			columns = NULL;
	}
	bus_buf_release(&names);
	u->columns = columns;
	return columns ? BUS_OK : bus_fail(err, BUS_ETOOBIG, "too large");
}

static enum bus_err read_use(const struct bus_json *o, struct bus_arena *arena, struct schema_use *u,
			     struct bus_error *err)
{
	static const char *const kinds[] = { "view", "adapter", "subscription", "service" };

	if (o->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EDATA, "not an object");
	u->kind = member(o, "kind", arena, err);
	u->name = u->kind ? member(o, "name", arena, err) : NULL;
	u->subject = u->name ? member(o, "subject", arena, err) : NULL;
	if (!u->subject)
		return BUS_EDATA;
	if (u->name[0] == '\0' || u->subject[0] == '\0')
		return bus_fail(err, BUS_EDATA, "'name' or 'subject' is missing");
	for (size_t i = 0; i < BUS_LEN(kinds); i++)
		if (strcmp(u->kind, kinds[i]) == 0) {
			enum bus_err rc = read_fields(o, arena, u, err);

			return rc == BUS_OK ? read_columns(o, arena, u, err) : rc;
		}
	return bus_fail(err, BUS_EDATA, "'kind' is none of view, adapter, subscription, service");
}

static enum bus_err read_object(struct bus_str json, struct bus_arena *arena, struct bus_json **o,
				struct bus_error *err)
{
	enum bus_err rc;

	if (json.n > SCHEMA_SIDE_VALUE_MAX)
		return bus_fail(err, BUS_ETOOBIG, "larger than %zu bytes", SCHEMA_SIDE_VALUE_MAX);
	rc = bus_json_parse(json, NULL, arena, o, err);
	if (rc == BUS_OK && (*o)->type != BUS_JSON_OBJECT)
		rc = bus_fail(err, BUS_EDATA, "not a JSON object");
	return rc;
}

enum bus_err schema_uses_read(struct bus_str json, const char *program, struct bus_arena *arena,
			      struct schema_use **out, size_t *n, int64_t *valid_s, struct bus_error *err)
{
	const struct bus_json *list, *u, *valid;
	const char *owner, *at, *name;
	struct bus_json *o;
	enum bus_err rc = read_object(json, arena, &o, err);

	*n = 0;
	*out = NULL;
	*valid_s = 0;
	if (rc != BUS_OK)
		return rc;
	valid = bus_json_get(o, "valid_s");
	if (valid && (bus_json_int(valid, valid_s) != BUS_OK || *valid_s < 1 || *valid_s > VALID_MAX))
		return bus_fail(err, BUS_EDATA, "'valid_s' is no number of seconds up to ten years");
	owner = member(o, "owner", arena, err);
	at = owner ? member(o, "at", arena, err) : NULL;
	if (!at)
		return BUS_EDATA;
	list = bus_json_get(o, "uses");
	if (!list || list->type != BUS_JSON_ARRAY || list->n > SCHEMA_SIDE_USES_MAX)
		return bus_fail(err, BUS_EDATA, "'uses' is not a list of at most %d", SCHEMA_SIDE_USES_MAX);
	name = bus_arena_dup(arena, program, strlen(program));
	*out = bus_arena_zalloc(arena, (list->n + 1) * sizeof(**out));
	if (!name || !*out)
		return bus_fail(err, BUS_ETOOBIG, "too large");
	for (u = list->first; u; u = u->next) {
		struct schema_use *use = &(*out)[*n];

		use->program = name;
		use->owner = owner;
		use->at = at;
		rc = read_use(u, arena, use, err);
		if (rc != BUS_OK)
			return bus_fail_prefix(err, rc, "uses[%zu]", *n);
		(*n)++;
	}
	return BUS_OK;
}

/* A day of the calendar: 2027-02-31 is none. */
static bool is_day(const char *s)
{
	struct tm day = { 0 }, same;
	int end = 0;

	if (strlen(s) != 10 || strspn(s, "0123456789-") != 10 ||
	    sscanf(s, "%4d-%2d-%2d%n", &day.tm_year, &day.tm_mon, &day.tm_mday, &end) != 3 || end != 10)
		return false;
	day.tm_year -= 1900;
	day.tm_mon--;
	same = day;
	timegm(&same);
	return same.tm_year == day.tm_year && same.tm_mon == day.tm_mon && same.tm_mday == day.tm_mday;
}

static enum bus_err read_successor(const struct bus_json *o, struct bus_arena *arena,
				   struct schema_state *out, struct bus_error *err)
{
	const struct bus_json *s = bus_json_get(o, "successor"), *v;
	int64_t version = 0;

	out->successor_subject = "";
	if (!s || s->type == BUS_JSON_NULL)
		return BUS_OK;
	if (s->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EDATA, "'successor' is not {\"subject\":..,\"version\":..}");
	out->successor_subject = member(s, "subject", arena, err);
	if (!out->successor_subject)
		return BUS_EDATA;
	v = bus_json_get(s, "version");
	if (out->successor_subject[0] == '\0' ||
	    (v && (bus_json_int(v, &version) != BUS_OK || version < 1 || version > INT32_MAX)))
		return bus_fail(err, BUS_EDATA, "'successor' is not {\"subject\":..,\"version\":..}");
	out->successor_version = (int)version;
	return BUS_OK;
}

enum bus_err schema_state_read(struct bus_str json, struct bus_arena *arena, struct schema_state *out,
			       bool *deprecated, struct bus_error *err)
{
	struct bus_json *o;
	const char *state;
	enum bus_err rc = read_object(json, arena, &o, err);

	memset(out, 0, sizeof(*out));
	*deprecated = false;
	if (rc != BUS_OK)
		return rc;
	state = member(o, "state", arena, err);
	out->sunset = state ? member(o, "sunset", arena, err) : NULL;
	out->note = out->sunset ? member(o, "note", arena, err) : NULL;
	if (!out->note)
		return BUS_EDATA;
	*deprecated = strcmp(state, "deprecated") == 0;
	if (!*deprecated && strcmp(state, "active") != 0)
		return bus_fail(err, BUS_EDATA, "'state' is neither active nor deprecated");
	if (out->sunset[0] != '\0' && !is_day(out->sunset))
		return bus_fail(err, BUS_EDATA, "'sunset' is not a day such as 2027-01-31");
	return read_successor(o, arena, out, err);
}

void schema_state_put(struct bus_json_out *j, const struct schema_state *s)
{
	bus_json_object(j);
	bus_json_key(j, "state");
	bus_json_put_text(j, "deprecated");
	if (s->sunset[0] != '\0') {
		bus_json_key(j, "sunset");
		bus_json_put_text(j, s->sunset);
	}
	if (s->successor_subject[0] != '\0') {
		bus_json_key(j, "successor");
		bus_json_object(j);
		bus_json_key(j, "subject");
		bus_json_put_text(j, s->successor_subject);
		if (s->successor_version > 0) {
			bus_json_key(j, "version");
			bus_json_put_int(j, s->successor_version);
		}
		bus_json_object_end(j);
	}
	if (s->note[0] != '\0') {
		bus_json_key(j, "note");
		bus_json_put_text(j, s->note);
	}
	bus_json_object_end(j);
}
