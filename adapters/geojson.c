#include "adapters/geojson.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct place {
	double at[2];
	double area;			   /* of a ring; else 0 */
	const struct bus_json *as_written; /* a point of the file */
};

static const struct bus_json *nth(const struct bus_json *list, size_t n)
{
	const struct bus_json *v = list && list->type == BUS_JSON_ARRAY ? list->first : NULL;

	for (; v && n > 0; n--)
		v = v->next;
	return v;
}

static bool number(const struct bus_json *v, double *out)
{
	char text[64];

	if (!v || v->type != BUS_JSON_NUMBER || v->text.n >= sizeof(text))
		return false;
	memcpy(text, v->text.p, v->text.n);
	text[v->text.n] = '\0';
	*out = strtod(text, NULL);
	return isfinite(*out);
}

static bool point(const struct bus_json *v, struct place *p)
{
	*p = (struct place){ .as_written = v };
	return number(nth(v, 0), &p->at[0]) && number(nth(v, 1), &p->at[1]);
}

/* By the shoelace formula, from the first point on, so that digits are not lost far from the origin. */
static bool ring(const struct bus_json *v, struct place *out)
{
	struct place first, a, b;
	double area = 0, x = 0, y = 0;

	if (!point(nth(v, 0), &first))
		return false;
	a = first;
	for (const struct bus_json *next = nth(v, 1); next; next = next->next, a = b) {
		double ax, ay, bx, by, cross;

		if (!point(next, &b))
			return false;
		ax = a.at[0] - first.at[0], ay = a.at[1] - first.at[1];
		bx = b.at[0] - first.at[0], by = b.at[1] - first.at[1];
		cross = ax * by - bx * ay;
		area += cross;
		x += (ax + bx) * cross;
		y += (ay + by) * cross;
	}
	*out = first;
	if (area == 0)
		return true;
	*out = (struct place){ .at = { first.at[0] + x / (3 * area), first.at[1] + y / (3 * area) },
			       .area = fabs(area) };
	return true;
}

static bool largest(const struct bus_json *parts, struct place *out)
{
	bool any = false;

	for (const struct bus_json *v = nth(parts, 0); v; v = v->next) {
		struct place p;

		if (!ring(nth(v, 0), &p))
			return false;
		if (!any || p.area > out->area)
			*out = p;
		any = true;
	}
	return any;
}

static bool find(const struct bus_json *geometry, struct place *out)
{
	const struct bus_json *type =
	    geometry->type == BUS_JSON_OBJECT ? bus_json_get(geometry, "type") : NULL;
	const struct bus_json *at = type ? bus_json_get(geometry, "coordinates") : NULL;

	if (!at || type->type != BUS_JSON_STRING || at->type != BUS_JSON_ARRAY)
		return false;
	if (bus_str_eq(type->text, BUS_STR("Point")))
		return point(at, out);
	if (bus_str_eq(type->text, BUS_STR("Polygon")))
		return ring(nth(at, 0), out);
	if (bus_str_eq(type->text, BUS_STR("MultiPolygon")))
		return largest(at, out);
	if (bus_str_eq(type->text, BUS_STR("MultiPoint")))
		return point(nth(at, 0), out);
	if (bus_str_eq(type->text, BUS_STR("MultiLineString")))
		at = nth(at, 0);
	else if (!bus_str_eq(type->text, BUS_STR("LineString")))
		return false;
	return at && at->type == BUS_JSON_ARRAY && point(nth(at, at->n / 2), out);
}

bool adapter_geojson_place(const struct bus_json *geometry, int axis, char room[ADAPTER_GEO_TEXT],
			   struct bus_str *out)
{
	struct place p;

	if (!find(geometry, &p) || fabs(p.at[axis]) > 1000)
		return false;
	if (p.as_written) {
		const struct bus_json *v = nth(p.as_written, (size_t)axis);

		*out = v ? v->text : (struct bus_str){ 0 };
		return v != NULL;
	}
	out->n = (size_t)snprintf(room, ADAPTER_GEO_TEXT, "%.7f", p.at[axis]);
	out->p = room;
	return true;
}
