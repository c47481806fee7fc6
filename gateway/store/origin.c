#include "gateway/store/origin.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/store/keys.h"

#define ROWS_DISTINCT_MAX                                                                                    \
	200000 /* beyond, a row met twice is counted twice: the number is said to be no less */

/* T<table>:<part>:<off>:<ts>:<sid>:<column>;   V<length of key>:<view>:<key>:<column>;   N<number>;
 * Names are lower case, digits and _, so that : and ; part them. */

static int64_t number(const char **p)
{
	char *end;
	int64_t n = strtoll(*p, &end, 10);

	*p = *end ? end + 1 : end;
	return n;
}

static struct bus_str until(const char **p, const char *end, char stop)
{
	const char *from = *p;
	struct bus_str s;

	while (*p < end && **p != stop)
		(*p)++;
	s = (struct bus_str){ from, (size_t)(*p - from) };
	*p += *p < end;
	return s;
}

bool gw_origin_next(struct bus_str *rest, struct gw_origin *out)
{
	const char *p = rest->p, *end;
	size_t n;

	if (rest->n == 0)
		return false;
	end = p + rest->n;
	memset(out, 0, sizeof(*out));
	switch (*p++) {
	case 'T':
		out->kind = GW_ORIGIN_ROW;
		out->table = until(&p, end, ':');
		out->partition = number(&p);
		out->offset = number(&p);
		out->same = (struct bus_str){ rest->p, (size_t)(p - rest->p) };
		out->ts_ms = number(&p);
		out->schema_id = number(&p);
		out->column = until(&p, end, ';');
		break;
	case 'V':
		out->kind = GW_ORIGIN_VIEW;
		n = (size_t)number(&p);
		out->table = until(&p, end, ':');
		out->key = (struct bus_str){ p, n };
		p += n + 1;
		out->same = (struct bus_str){ rest->p, (size_t)(p - rest->p) };
		out->column = until(&p, end, ';');
		break;
	default:
		out->kind = GW_ORIGIN_NUMBER;
		out->number = number(&p);
		break;
	}
	*rest = (struct bus_str){ p, (size_t)(end - p) };
	return true;
}

static void asal(struct gw_call *c)
{
	struct bus_str table = gw_call_text(c, 0), column = gw_call_text(c, 5);
	struct bus_buf b = { 0 };

	if (gw_call_null(c, 2))
		return; /* an outer join that found nothing */
	bus_buf_printf(&b, "T%.*s:%lld:%lld:%lld:%lld:%.*s;", (int)table.n, table.p,
		       (long long)gw_call_int(c, 1), (long long)gw_call_int(c, 2),
		       (long long)gw_call_int(c, 3), (long long)gw_call_int(c, 4), (int)column.n, column.p);
	gw_call_return_text(c, bus_buf_str(&b));
	bus_buf_release(&b);
}

static void asal_v(struct gw_call *c)
{
	struct bus_str view = gw_call_text(c, 0), key, column = gw_call_text(c, 2);
	struct bus_buf b = { 0 };

	if (gw_call_null(c, 1))
		return;
	key = gw_call_text(c, 1);
	bus_buf_printf(&b, "V%zu:%.*s:", key.n, (int)view.n, view.p);
	bus_buf_put(&b, key.p, key.n);
	bus_buf_printf(&b, ":%.*s;", (int)column.n, column.p);
	gw_call_return_text(c, bus_buf_str(&b));
	bus_buf_release(&b);
}

static void asal_plus(struct gw_call *c)
{
	struct bus_buf b = { 0 };
	struct bus_str s;

	for (int i = 0; i < gw_call_args(c); i++) {
		s = gw_call_null(c, i) ? (struct bus_str){ 0 } : gw_call_text(c, i);
		bus_buf_put(&b, s.p, s.n);
	}
	if (b.n > 0)
		gw_call_return_text(c, bus_buf_str(&b));
	bus_buf_release(&b);
}

struct all {
	struct gw_keys *seen;	/* rows; NULL: none yet */
	struct gw_keys *listed; /* texts, rows with their columns */
	int64_t rows;
	bool number;
};

static void all_step(struct gw_call *c)
{
	struct all *a = gw_call_state(c, sizeof(*a));
	struct bus_str rest, whole;
	struct gw_origin o;
	bool fresh;

	if (!a || gw_call_null(c, 0))
		return;
	if (!a->seen) {
		a->seen = bus_xcalloc(1, sizeof(*a->seen));
		a->listed = bus_xcalloc(1, sizeof(*a->listed));
	}
	rest = whole = gw_call_text(c, 0);
	for (; gw_origin_next(&rest, &o); whole = rest) {
		if (o.kind == GW_ORIGIN_NUMBER) { /* of an aggregate within: its rows beyond those listed */
			a->rows += o.number - GW_ORIGINS_LISTED;
			a->number = true;
			continue;
		}
		fresh = a->seen->n >= ROWS_DISTINCT_MAX || gw_keys_add(a->seen, o.same);
		a->rows += fresh;
		if (a->rows <= GW_ORIGINS_LISTED)
			gw_keys_add(a->listed, (struct bus_str){ whole.p, (size_t)(rest.p - whole.p) });
	}
}

static void all_end(struct gw_call *c)
{
	struct all *a = gw_call_state(c, sizeof(*a));
	struct bus_buf b = { 0 };

	if (!a || !a->seen)
		return;
	for (size_t i = 0; i < a->listed->n; i++) {
		struct bus_str s = gw_keys_at(a->listed, i);

		bus_buf_put(&b, s.p, s.n);
	}
	if (a->number || a->rows > GW_ORIGINS_LISTED)
		bus_buf_printf(&b, "N%lld;", (long long)a->rows);
	gw_call_return_text(c, bus_buf_str(&b));
	bus_buf_release(&b);
	gw_keys_release(a->seen);
	gw_keys_release(a->listed);
	free(a->seen);
	free(a->listed);
	memset(a, 0, sizeof(*a));
}

void gw_origin_register(struct gw_db *db)
{
	gw_db_function(db, "_asal", 6, asal);
	gw_db_function(db, "_asal_v", 3, asal_v);
	gw_db_function(db, "_asal_plus", -1, asal_plus);
	gw_db_aggregate(db, "_asal_all", 1, all_step, all_end);
}
