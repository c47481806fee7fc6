#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/restproxy/rp.h"

#define KAFKA "application/vnd.kafka"

static const char *const names[] = { "", "binary", "json", "avro" };
static const char *const types[] = { GW_RP_TYPE, KAFKA ".binary.v2+json", KAFKA ".json.v2+json",
				     KAFKA ".avro.v2+json" };

static bool is(struct bus_str s, const char *text)
{
	return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

/* Over a word at its beginning. */
static bool over(struct bus_str *s, const char *word)
{
	const size_t n = strlen(word);

	if (s->n < n || strncasecmp(s->p, word, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

static bool kafka_type(struct bus_str s, enum gw_rp_format *out)
{
	*out = GW_RP_UNSAID;
	if (!over(&s, KAFKA))
		return false;
	for (enum gw_rp_format f = GW_RP_BINARY; f <= GW_RP_AVRO; f++) {
		struct bus_str rest = { s.p + 1, s.n - 1 };

		if (s.n > 0 && s.p[0] == '.' && over(&rest, names[f]) && rest.n > 0 &&
		    (rest.p[0] == '.' || rest.p[0] == '+')) {
			*out = f;
			s = rest;
			break;
		}
	}
	(void)(over(&s, ".v2") || over(&s, ".v1"));
	return is(s, "+json");
}

/* A media type without its parameters. */
static struct bus_str bare(const char *p, size_t n)
{
	struct bus_str s = { p, n };
	const char *semicolon = memchr(p, ';', n);

	if (semicolon)
		s.n = (size_t)(semicolon - p);
	for (; s.n > 0 && (*s.p == ' ' || *s.p == '\t'); s.p++)
		s.n--;
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool gw_rp_format_of(const char *type, enum gw_rp_format *out)
{
	struct bus_str s = type ? bare(type, strlen(type)) : (struct bus_str){ 0 };

	*out = GW_RP_UNSAID;
	return !type || is(s, "application/json") || is(s, "application/octet-stream") || kafka_type(s, out);
}

const char *gw_rp_type_of(enum gw_rp_format f)
{
	return types[f];
}

const char *gw_rp_format_name(enum gw_rp_format f)
{
	return names[f];
}

/* --- Accept -------------------------------------------------------------------------------------------------- */

/* q of one range, in thousandths (RFC 9110, 12.4.2). */
static int weight(const char *p, size_t n)
{
	const char *end = p + n, *semicolon;
	int q = 0, unit = 1000;

	while ((semicolon = memchr(p, ';', (size_t)(end - p)))) {
		p = semicolon + 1;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (end - p < 3 || (*p != 'q' && *p != 'Q') || p[1] != '=')
			continue;
		for (p += 2; p < end && ((*p >= '0' && *p <= '9') || *p == '.') && unit > 0; p++) {
			if (*p == '.')
				continue;
			q += (*p - '0') * unit;
			unit /= 10;
		}
		return q > 1000 ? 1000 : q;
	}
	return 1000;
}

/* How exactly a range means a type: 0: not at all. */
static int exactness(struct bus_str range, const char *type)
{
	const char *slash = memchr(range.p, '/', range.n), *cut = strchr(type, '/');
	struct bus_str first, second;

	if (!slash)
		return 0;
	first = (struct bus_str){ range.p, (size_t)(slash - range.p) };
	second = (struct bus_str){ slash + 1, (size_t)(range.p + range.n - slash - 1) };
	if (is(range, type))
		return 3;
	if (is(second, "*") && first.n == (size_t)(cut - type) && strncasecmp(first.p, type, first.n) == 0)
		return 2;
	/* Of anything / json: not HTTP's, but sent. */
	if (is(first, "*") && (is(second, "*") || is(second, cut + 1)))
		return 1;
	return 0;
}

int gw_rp_quality(const char *accept, const char *type)
{
	int q = 0, best = 0;

	if (!accept)
		return 1000;
	while (*accept) {
		const size_t n = strcspn(accept, ",");
		const int exact = exactness(bare(accept, n), type);

		if (exact > best) {
			best = exact;
			q = weight(accept, n);
		}
		accept += n + (accept[n] == ',');
	}
	return q;
}

/* Types of other versions, or of a format where none is: the same answer. */
static bool other_kafka_type(const char *accept)
{
	enum gw_rp_format f;

	while (*accept) {
		const size_t n = strcspn(accept, ",");

		if (kafka_type(bare(accept, n), &f) && weight(accept, n) > 0)
			return true;
		accept += n + (accept[n] == ',');
	}
	return false;
}

bool gw_rp_accept(struct bus_http_request *req)
{
	const char *accept = bus_http_header(req, "Accept");
	const int kafka = gw_rp_quality(accept, GW_RP_TYPE), json = gw_rp_quality(accept, "application/json");

	if (kafka == 0 && json == 0 && !other_kafka_type(accept)) {
		gw_rp_fail(req, 406, "HTTP 406 Not Acceptable: " GW_RP_TYPE ", application/json");
		return false;
	}
	bus_http_set_type(req, json > kafka ? "application/json" : GW_RP_TYPE);
	return true;
}

bool gw_rp_content(struct bus_http_request *req, enum gw_rp_format *out)
{
	if (gw_rp_format_of(bus_http_header(req, "Content-Type"), out))
		return true;
	gw_rp_fail(req, 415,
		   "HTTP 415 Unsupported Media Type: application/vnd.kafka.avro.v2+json, "
		   "application/vnd.kafka.json.v2+json, application/vnd.kafka.binary.v2+json");
	return false;
}

void gw_rp_reply(struct bus_http_request *req, int status, struct bus_buf *body)
{
	const char *type = bus_http_type(req);

	bus_http_reply(req, status, type ? type : GW_RP_TYPE, body);
}
