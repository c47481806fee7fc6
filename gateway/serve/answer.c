#include "gateway/serve/answer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/serve/access_rows.h"

/* --- headers ---------------------------------------------------------------------------------------- */

static void tag_of(uint64_t hash, char tag[24])
{
	snprintf(tag, 24, "W/\"%016" PRIx64 "\"", hash);
}

void gw_answer_put_tag(struct bus_http_request *req, uint64_t hash)
{
	char tag[24];

	tag_of(hash, tag);
	bus_http_set(req, "ETag", tag);
	bus_http_set(req, "Cache-Control", "private, no-cache");
	bus_http_set(req, "Vary", "Authorization, X-Api-Key, Accept, Accept-Encoding, Prefer, Range");
}

bool gw_answer_unchanged(struct bus_http_request *req, uint64_t hash)
{
	const char *have = bus_http_header(req, "If-None-Match");
	char tag[24];

	if (!have)
		return false;
	tag_of(hash, tag);
	/* Compared weakly (RFC 9110, 13.1.2): with or without W/. */
	if (strcmp(have, "*") != 0 && !strstr(have, tag + 2))
		return false;
	gw_answer_put_tag(req, hash);
	bus_http_reply(req, 304, NULL, NULL);
	return true;
}

uint64_t gw_answer_hash(struct gw_api *api, struct bus_http_request *req, const struct gw_params *p,
			uint64_t rows)
{
	const struct {
		uint64_t rows, shown, clear, part, no_nulls;
	} what = { rows, p->grant.shown, p->grant.clear, gw_grant_rows_id(p->grant.rows), p->no_nulls };
	const char *query = bus_http_raw_query(req);
	struct gw_hash_key key = api->cursors.tag_key;

	/* The question (which columns, under which names) and what the reader may see are part of the answer. */
	key.k1 ^= gw_hash(key, query, strlen(query));
	return gw_hash(key, &what, sizeof(what));
}

/* Midnight in the city at the beginning of a day, in seconds since 1970. */
static int64_t midnight(const char *day)
{
	int y = 0, m = 0, d = 0;
	int32_t days = 0;
	bool good = sscanf(day, "%4d-%2d-%2d", &y, &m, &d) == 3 && bus_clock_days(y, m, d, &days);

	assert(good); /* the definition was read with it */
	return ((int64_t)days * 24 - 7) * 3600;
}

/* RFC 9745 and RFC 8594. */
static void put_end(struct bus_http_request *req, const struct gw_view *v)
{
	char text[48];

	if (v->deprecated) {
		snprintf(text, sizeof(text), "@%lld", (long long)midnight(v->deprecated));
		bus_http_set(req, "Deprecation", text);
	}
	if (v->sunset)
		bus_http_set(req, "Sunset", bus_clock_http(midnight(v->sunset) * 1000, text, sizeof(text)));
}

void gw_answer_links(struct bus_http_request *req, const struct gw_view *v, const char *next)
{
	struct bus_buf *link = bus_http_scratch(req);

	put_end(req, v);
	if (next) {
		bus_buf_putc(link, '<');
		bus_buf_puts(link, next);
		bus_buf_puts(link, ">; rel=\"next\", ");
	}
	bus_buf_puts(link, "</v1/views>; rel=\"describedby\", </v1/openapi.json>; rel=\"service-desc\"");
	bus_http_set(req, "Link", bus_buf_cstr(link));
}

/* --- the next page ---------------------------------------------------------------------------------- */

void gw_answer_next(struct gw_api *api, struct bus_http_request *req, const struct gw_params *p,
		    struct bus_str place, struct bus_buf *out)
{
	const struct gw_cursors cursors = gw_api_cursors(api);
	const char *query = bus_http_raw_query(req);

	bus_buf_puts(out, bus_http_path(req));
	bus_buf_putc(out, '?');
	while (*query) {
		size_t n = strcspn(query, "&");

		if (n > 0 && strncmp(query, "after=", 6) != 0 && strncmp(query, "offset=", 7) != 0) {
			bus_buf_put(out, query, n);
			bus_buf_putc(out, '&');
		}
		query += n + (query[n] == '&');
	}
	bus_buf_puts(out, "after=");
	gw_cursor_put_page(&cursors, p->view, place, out);
}

/* --- places: how the order was, the values in it, the key ------------------------------------------- */

static void put_how(const struct gw_params *p, struct bus_buf *out)
{
	bus_buf_putc(out, (char)p->query.n_order);
	for (size_t i = 0; i < p->query.n_order; i++) {
		bus_buf_putc(out, (char)p->order[i].column);
		bus_buf_putc(out, (char)(p->order[i].descending * 2 + p->order[i].nulls_first));
	}
}

void gw_place_put(const struct gw_params *p, const struct gw_value *row, struct bus_buf *out)
{
	struct bus_str key = row[p->view->key].s;

	put_how(p, out);
	for (size_t i = 0; i < p->query.n_order; i++) {
		const struct gw_value *v = &row[p->order[i].column];
		uint32_t n = (uint32_t)v->s.n;

		bus_buf_putc(out, (char)v->type);
		switch (v->type) {
		case GW_NULL:
			break;
		case GW_INT:
		case GW_BOOL:
			bus_buf_put(out, &v->i, sizeof(v->i));
			break;
		case GW_REAL:
			bus_buf_put(out, &v->r, sizeof(v->r));
			break;
		case GW_TEXT:
		case GW_JSON:
			bus_buf_put(out, &n, sizeof(n));
			bus_buf_put(out, v->s.p, n);
			break;
		}
	}
	bus_buf_put(out, key.p, key.n);
}

static bool take_bytes(struct bus_str *from, void *to, size_t n)
{
	if (from->n < n)
		return false;
	memcpy(to, from->p, n);
	from->p += n;
	from->n -= n;
	return true;
}

/* We have sealed these bytes ourselves; they are checked for a row of another definition of the view. */
static bool take_value(struct bus_str *from, struct gw_value *v)
{
	uint32_t n;
	char type;

	if (!take_bytes(from, &type, 1))
		return false;
	v->type = (enum gw_type)type;
	switch (v->type) {
	case GW_NULL:
		return true;
	case GW_INT:
	case GW_BOOL:
		return take_bytes(from, &v->i, sizeof(v->i));
	case GW_REAL:
		return take_bytes(from, &v->r, sizeof(v->r));
	case GW_TEXT:
	case GW_JSON:
		if (!take_bytes(from, &n, sizeof(n)) || from->n < n)
			return false;
		v->s = (struct bus_str){ from->p, n };
		from->p += n;
		from->n -= n;
		return true;
	}
	return false;
}

bool gw_place_take(struct gw_params *p, struct bus_str place)
{
	char *copy = bus_arena_dup(p->arena, place.p, place.n);
	struct gw_value *value = bus_arena_zalloc(p->arena, GW_ORDER_MAX * sizeof(*value));
	struct bus_str left = { copy, place.n };
	struct bus_buf how = { 0 };
	bool good;

	put_how(p, &how);
	good = copy && value && left.n > how.n && memcmp(left.p, how.p, how.n) == 0;
	left.p += how.n;
	left.n -= good ? how.n : 0;
	bus_buf_release(&how);
	for (size_t i = 0; i < p->query.n_order && good; i++)
		good = take_value(&left, &value[i]);
	if (!good || left.n == 0)
		return false;
	p->query.after = left;
	p->query.place = value;
	return true;
}
