#include "gateway/serve/moment.h"

#include <inttypes.h>
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/engine/past.h"
#include "gateway/serve/promise.h"

#define WIB_MIN (7 * 60)

static bool read_number(const char **p, size_t digits, int most, int *out)
{
	*out = 0;
	for (size_t i = 0; i < digits; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*out = *out * 10 + (**p - '0');
	}
	return *out <= most;
}

static bool skip(const char **p, const char *any)
{
	bool found = **p && strchr(any, **p);

	*p += found;
	return found;
}

/* `.123`; digits beyond milliseconds are passed over. */
static void read_fraction(const char **p, int *ms)
{
	int scale = 100;

	*ms = 0;
	if (**p != '.' || (*p)[1] < '0' || (*p)[1] > '9')
		return;
	for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
		*ms += (**p - '0') * scale;
}

/* `Z` or `+07:00`, in minutes. */
static bool read_zone(const char **p, int *minutes)
{
	bool behind = **p == '-';
	int h, m;

	*minutes = 0;
	if (skip(p, "Zz"))
		return true;
	if (!skip(p, "+- ") || !read_number(p, 2, 23, &h) || !skip(p, ":") || !read_number(p, 2, 59, &m))
		return false;
	*minutes = behind ? -(h * 60 + m) : h * 60 + m;
	return true;
}

bool gw_moment_read(const char *text, int64_t *ms)
{
	int y, mon, d, h = 23, min = 59, s = 59, part = 999, zone = WIB_MIN;
	const char *p = text;
	int32_t days;

	if (!read_number(&p, 4, 9999, &y) || !skip(&p, "-") || !read_number(&p, 2, 12, &mon) || !skip(&p, "-") ||
	    !read_number(&p, 2, 31, &d) || y < 1970 || !bus_clock_days(y, mon, d, &days))
		return false;
	if (skip(&p, "Tt")) {
		if (!read_number(&p, 2, 23, &h) || !skip(&p, ":") || !read_number(&p, 2, 59, &min) || !skip(&p, ":") ||
		    !read_number(&p, 2, 59, &s))
			return false;
		read_fraction(&p, &part);
		if (!read_zone(&p, &zone))
			return false;
	}
	*ms = (((int64_t)days * 24 + h) * 60 + min - zone) * 60000 + s * 1000 + part;
	return *p == '\0';
}

struct gw_reader *gw_moment_reader(struct gw_api *api, struct bus_http_request *req, const struct gw_params *p)
{
	struct gw_reader *r = gw_reader_of(api->engine), *past;
	struct bus_error err;
	int64_t known;
	char when[40], detail[64];
	enum bus_err rc;

	if (!p->as_of)
		return r;
	rc = gw_reader_past(r, p->view, p->moment_ms, &past, &known, &err);
	if (rc == BUS_OK)
		return past;
	snprintf(detail, sizeof(detail), "as_of >= %s", known ? bus_clock_iso_wib(known, when, sizeof(when)) : "?");
	if (rc == BUS_ENOENT)
		gw_problem(req, "history-none", p->view->name, "history: true");
	else if (rc == BUS_ECONFLICT)
		gw_problem(req, "history-before", p->view->name, known ? detail : NULL);
	else
		gw_api_fail(req, rc, &err);
	return NULL;
}

void gw_moment_headers(struct gw_api *api, struct bus_http_request *req, const struct gw_params *p, int64_t seq)
{
	char when[40], text[80];

	if (!p->as_of) {
		gw_promise_headers(api, req, p->view, seq);
		return;
	}
	bus_clock_iso_wib(p->moment_ms, when, sizeof(when));
	snprintf(text, sizeof(text), "\"%s\";past", when);
	bus_http_set(req, "Titian-As-Of", text);
	bus_http_set(req, "Cache-Control", "private, no-store");
}
