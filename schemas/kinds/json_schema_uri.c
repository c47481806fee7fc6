#include "schemas/kinds/json_schema.h"

#include "bus/hex.h"

struct parts { /* p NULL: not there */
	struct bus_str scheme, authority, path, query;
};

static size_t find(struct bus_str s, const char *stop)
{
	size_t i = 0;

	while (i < s.n && !strchr(stop, s.p[i]))
		i++;
	return i;
}

static struct bus_str rest(struct bus_str s, size_t from)
{
	return (struct bus_str){ s.p + from, s.n - from };
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct parts split(struct bus_str s)
{
	struct parts u = { 0 };
	size_t n = find(s, ":/?#");

	s.n = find(s, "#");
	if (n > 0 && n < s.n && s.p[n] == ':' && letter(s.p[0])) {
		u.scheme = (struct bus_str){ s.p, n };
		s = rest(s, n + 1);
	}
	if (s.n >= 2 && s.p[0] == '/' && s.p[1] == '/') {
		n = 2 + find(rest(s, 2), "/?");
		u.authority = (struct bus_str){ s.p + 2, n - 2 };
		s = rest(s, n);
	}
	n = find(s, "?");
	u.path = (struct bus_str){ s.p, n };
	if (n < s.n)
		u.query = rest(s, n + 1);
	return u;
}

/* RFC 3986 5.2.4, on out from the byte `from` on. */
static void remove_dots(struct bus_buf *out, size_t from)
{
	size_t r = from;
	size_t w = from;

	while (r < out->n) {
		struct bus_str in = { out->p + r, out->n - r };
		size_t n = in.p[0] == '/' ? 1 + find(rest(in, 1), "/") : find(in, "/");
		struct bus_str name =
		    in.p[0] == '/' ? (struct bus_str){ in.p + 1, n - 1 } : (struct bus_str){ in.p, n };
		bool last = r + n == out->n;

		if (bus_str_is(name, ".") || bus_str_is(name, "..")) {
			if (name.n == 2 && w > from)
				do
					w--;
				while (w > from && out->p[w] != '/');
			if (last)
				out->p[w++] = '/';
		} else {
			memmove(out->p + w, in.p, n);
			w += n;
		}
		r += n;
	}
	out->n = w;
}

void schema_json_uri_resolve(struct bus_str base, struct bus_str reference, struct bus_buf *out)
{
	struct parts r = split(reference);
	struct parts b = split(base);
	bool same_path = !r.scheme.p && !r.authority.p && r.path.n == 0;
	struct bus_str scheme = r.scheme.p ? r.scheme : b.scheme;
	struct bus_str authority = r.scheme.p || r.authority.p ? r.authority : b.authority;
	struct bus_str query = same_path && !r.query.p ? b.query : r.query;
	size_t from;

	if (scheme.p) {
		bus_buf_put(out, scheme.p, scheme.n);
		bus_buf_putc(out, ':');
	}
	if (authority.p) {
		bus_buf_puts(out, "//");
		bus_buf_put(out, authority.p, authority.n);
	}
	from = out->n;
	if (same_path) {
		bus_buf_put(out, b.path.p, b.path.n);
	} else {
		if (!r.scheme.p && !r.authority.p && r.path.p[0] != '/') {
			const char *slash = b.path.n ? memrchr(b.path.p, '/', b.path.n) : NULL;

			if (slash)
				bus_buf_put(out, b.path.p, (size_t)(slash - b.path.p) + 1);
			else if (b.authority.p)
				bus_buf_putc(out, '/');
		}
		bus_buf_put(out, r.path.p, r.path.n);
		remove_dots(out, from);
	}
	if (query.p) {
		bus_buf_putc(out, '?');
		bus_buf_put(out, query.p, query.n);
	}
}

struct bus_str schema_json_uri_fragment(struct bus_str uri)
{
	size_t n = find(uri, "#");

	return n < uri.n ? rest(uri, n + 1) : (struct bus_str){ uri.p, 0 };
}

bool schema_json_uri_decode(struct bus_str text, struct bus_buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%') {
			if (text.n - i < 3 || !bus_unhex(text.p + i + 1, 1, &c))
				return false;
			i += 2;
		}
		bus_buf_putc(out, c);
	}
	return true;
}
