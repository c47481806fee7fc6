#include "schemas/registry/registry.h"

bool schema_body_true(struct bus_http_request *req, const char *name)
{
	const char *v = bus_http_query(req, name);

	return v && strcasecmp(v, "true") == 0;
}

/* A whole number as Java's Integer.parseInt takes it. */
static bool number(const char *s, size_t n, int32_t *out)
{
	int64_t v = 0;
	size_t i = n > 0 && (s[0] == '-' || s[0] == '+');

	if (i == n || n > 20)
		return false;
	for (; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (s[i] - '0');
		if (v > (int64_t)INT32_MAX + 1)
			return false;
	}
	if (s[0] == '-')
		v = -v;
	*out = (int32_t)v;
	return v >= INT32_MIN && v <= INT32_MAX;
}

bool schema_body_version(struct bus_http_request *req, int *version)
{
	const char *s = bus_http_part(req, "version"), *p = s;
	size_t n;
	int32_t v;

	while (*p == ' ' || *p == '\t')
		p++;
	n = strlen(p);
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	*version = SCHEMA_VERSION_LATEST;
	if (n == 6 && strncasecmp(p, "latest", 6) == 0)
		return true;
	if (number(p, n, &v)) {
		if (v > 0)
			*version = v;
		if (v > 0 || v == -1)
			return true;
	}
	schema_reply_error(req, 42202,
			   "The specified version '%s' is not a valid version id. Allowed values are between "
			   "[1, 2^31-1] and the string \"latest\"",
			   s);
	return false;
}

bool schema_body_id(struct bus_http_request *req, int32_t *id)
{
	const char *s = bus_http_part(req, "id");

	if (number(s, strlen(s), id))
		return true;
	schema_reply_error(req, 404, "HTTP 404 Not Found");
	return false;
}

bool schema_body_json(struct bus_http_request *req, const struct bus_json **out)
{
	struct bus_json *tree = NULL;
	struct bus_error err;
	enum bus_err rc = bus_json_parse(bus_http_body(req), NULL, bus_http_arena(req), &tree, &err);

	if (rc == BUS_OK && tree->type == BUS_JSON_OBJECT) {
		*out = tree;
		return true;
	}
	if (rc == BUS_ETOOBIG)
		schema_reply_error(req, 42209, "Schema too large: %s", err.text);
	else
		schema_reply_error(req, 400, "Request body is not a JSON object%s%s", rc ? ": " : "",
				   rc ? err.text : "");
	return false;
}

static int32_t int_query(struct bus_http_request *req, const char *name, int32_t fallback)
{
	const char *s = bus_http_query(req, name);
	int32_t v;

	return s && number(s, strlen(s), &v) ? v : fallback;
}

/* A limit that is not between 1 and `most` is `most`, as Confluent's normalizeLimit. */
struct schema_window schema_body_window(struct bus_http_request *req, size_t most)
{
	int32_t offset = int_query(req, "offset", 0), limit = int_query(req, "limit", -1);

	return (struct schema_window){ .skip = offset > 0 ? (size_t)offset : 0,
				       .left = limit > 0 && (size_t)limit <= most ? (size_t)limit : most };
}

bool schema_window_takes(struct schema_window *w)
{
	if (w->skip > 0) {
		w->skip--;
		return false;
	}
	if (w->left == 0)
		return false;
	w->left--;
	return true;
}

enum schema_deleted schema_body_deleted(struct bus_http_request *req)
{
	if (schema_body_true(req, "deletedOnly"))
		return SCHEMA_ONLY_DELETED;
	return schema_body_true(req, "deleted") ? SCHEMA_WITH_DELETED : SCHEMA_LIVE;
}
