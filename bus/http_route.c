#include "bus/http_route.h"

#include <stdio.h>

#include "bus/hex.h"
#include "bus/utf8.h"

/* Splits path ("/a/b") into at most HTTP_PARTS_MAX segments; false when there are more, or no leading '/'. */
static bool split(struct bus_str path, struct bus_str *segment, size_t *n)
{
	size_t i = 1;

	*n = 0;
	if (path.n == 0 || path.p[0] != '/')
		return false;
	for (;;) {
		const char *slash = memchr(path.p + i, '/', path.n - i);
		size_t end = slash ? (size_t)(slash - path.p) : path.n;

		if (*n == HTTP_PARTS_MAX)
			return false;
		segment[(*n)++] = (struct bus_str){ path.p + i, end - i };
		if (!slash)
			return true;
		i = end + 1;
	}
}

static enum bus_err parse_pattern(const char *pattern, struct http_resource *r, struct bus_error *err)
{
	struct bus_str segment[HTTP_PARTS_MAX];

	if (!split(bus_str(pattern), segment, &r->n_parts))
		return bus_fail(err, BUS_EINVAL, "route '%s': want '/' first and at most %d parts", pattern,
				HTTP_PARTS_MAX);
	r->pattern = pattern;
	for (size_t i = 0; i < r->n_parts; i++) {
		struct http_part *p = &r->part[i];
		struct bus_str s = segment[i];

		p->named = s.n > 2 && s.p[0] == '{' && s.p[s.n - 1] == '}';
		p->text = p->named ? s.p + 1 : s.p;
		p->n = p->named ? s.n - 2 : s.n;
	}
	return BUS_OK;
}

static bool same_shape(const struct http_resource *a, const struct http_resource *b)
{
	if (a->n_parts != b->n_parts)
		return false;
	for (size_t i = 0; i < a->n_parts; i++) {
		const struct http_part *x = &a->part[i], *y = &b->part[i];

		if (x->named != y->named)
			return false;
		if (!x->named &&
		    !bus_str_eq((struct bus_str){ x->text, x->n }, (struct bus_str){ y->text, y->n }))
			return false;
	}
	return true;
}

/* Literals before named parts, so that the first resource that fits is the most exact one. */
static int by_exactness(const void *a, const void *b)
{
	const struct http_resource *x = a, *y = b;

	if (x->n_parts != y->n_parts)
		return x->n_parts < y->n_parts ? -1 : 1;
	for (size_t i = 0; i < x->n_parts; i++)
		if (x->part[i].named != y->part[i].named)
			return x->part[i].named ? 1 : -1;
	return strcmp(x->pattern, y->pattern);
}

static void name_methods(struct http_resource *r)
{
	char *p = r->allow;
	char *end = p + sizeof(r->allow);
	bool options = false;

	for (size_t i = 0; i < r->n_methods; i++) {
		const char *m = r->method[i].name;

		p += snprintf(p, (size_t)(end - p), "%s%s", m, strcmp(m, "GET") == 0 ? ", HEAD, " : ", ");
		options |= strcmp(m, "OPTIONS") == 0;
	}
	if (options)
		p[-2] = '\0';
	else
		snprintf(p, (size_t)(end - p), "OPTIONS");
}

static enum bus_err add_route(struct http_table *t, const struct bus_http_route *route, struct bus_error *err)
{
	struct http_resource fresh = { 0 };
	struct http_resource *r = NULL;
	enum bus_err rc = parse_pattern(route->pattern, &fresh, err);

	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < t->n && !r; i++)
		if (strcmp(t->resource[i].pattern, route->pattern) == 0)
			r = &t->resource[i];
		else if (same_shape(&t->resource[i], &fresh))
			return bus_fail(err, BUS_EINVAL, "routes '%s' and '%s' are the same path",
					t->resource[i].pattern, route->pattern);
	if (!r) {
		r = &t->resource[t->n++];
		*r = fresh;
	}
	for (size_t i = 0; i < r->n_methods; i++)
		if (strcmp(r->method[i].name, route->method) == 0)
			return bus_fail(err, BUS_EINVAL, "route '%s %s' stands twice", route->method,
					route->pattern);
	if (r->n_methods == HTTP_METHODS_MAX || strlen(route->method) > 10)
		return bus_fail(err, BUS_EINVAL, "route '%s': cannot take the method '%s'", route->pattern,
				route->method);
	r->method[r->n_methods++] = (struct http_method){ route->method, route->handler };
	return BUS_OK;
}

enum bus_err bus_http_table_build(const struct bus_http_route *routes, struct http_table *out,
				  struct bus_error *err)
{
	size_t n = 0;

	*out = (struct http_table){ .other = { .pattern = "none" } };
	while (routes[n].method)
		n++;
	out->resource = bus_xcalloc(n + 1, sizeof(*out->resource));
	for (size_t i = 0; i < n; i++) {
		enum bus_err rc = add_route(out, &routes[i], err);

		if (rc != BUS_OK) {
			bus_http_table_release(out);
			return rc;
		}
	}
	qsort(out->resource, out->n, sizeof(*out->resource), by_exactness);
	for (size_t i = 0; i < out->n; i++)
		name_methods(&out->resource[i]);
	return BUS_OK;
}

void bus_http_table_release(struct http_table *t)
{
	free(t->resource);
	*t = (struct http_table){ 0 };
}

static bool fits(const struct http_resource *r, const struct bus_str *segment, struct bus_str *part)
{
	size_t named = 0;

	for (size_t i = 0; i < r->n_parts; i++) {
		const struct http_part *p = &r->part[i];

		if (p->named) {
			if (segment[i].n == 0)
				return false;
			part[named++] = segment[i];
		} else if (p->n != segment[i].n || memcmp(p->text, segment[i].p, p->n) != 0) {
			return false;
		}
	}
	return true;
}

void bus_http_table_match(struct http_table *t, const char *method, struct bus_str path,
			  struct http_match *out)
{
	struct bus_str segment[HTTP_PARTS_MAX];
	size_t n;

	out->resource = NULL;
	out->method = NULL;
	if (!split(path, segment, &n))
		return;
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (size_t i = 0; i < t->n; i++) {
		struct http_resource *r = &t->resource[i];

		if (r->n_parts != n || !fits(r, segment, out->part))
			continue;
		if (!out->resource)
			out->resource = r;
		for (size_t m = 0; m < r->n_methods; m++)
			if (strcmp(r->method[m].name, method) == 0) {
				out->resource = r;
				out->method = &r->method[m];
				return;
			}
	}
}

bool bus_http_decode(struct bus_str in, bool plus, char *out, size_t *n)
{
	size_t o = 0;

	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%') {
			if (in.n - i < 3 || !bus_unhex(in.p + i + 1, 1, &c))
				return false;
			i += 2;
		}
		if (c == '\0')
			return false;
		out[o++] = c;
	}
	out[o] = '\0';
	*n = o;
	return bus_utf8_ok(out, o) == o;
}

bool bus_http_query_parse(struct bus_str raw, char *text, struct http_pair *pair, size_t *n)
{
	const char *p = raw.p;
	const char *end = raw.p + raw.n;

	*n = 0;
	while (p < end) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		const char *stop = amp ? amp : end;
		const char *eq = memchr(p, '=', (size_t)(stop - p));
		const char *name_end = eq ? eq : stop;
		struct bus_str value = { stop, 0 };
		size_t len;

		if (eq)
			value = (struct bus_str){ eq + 1, (size_t)(stop - eq - 1) };
		if (stop > p) {
			if (*n == HTTP_QUERY_MAX)
				return false;
			pair[*n].name = text;
			if (!bus_http_decode((struct bus_str){ p, (size_t)(name_end - p) }, true, text, &len))
				return false;
			text += len + 1;
			pair[*n].value = text;
			if (!bus_http_decode(value, true, text, &len))
				return false;
			text += len + 1;
			(*n)++;
		}
		p = stop + 1;
	}
	return true;
}
