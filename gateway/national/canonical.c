#include "gateway/national/canonical.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/export/file.h"

void gw_canonical_begin(struct gw_canonical *c, const struct gw_view *v, struct gw_grant grant)
{
	size_t at;

	*c = (struct gw_canonical){ .view = v, .grant = grant, .possible = true };
	for (size_t i = 0; i < v->n_columns; i++) {
		if (!(grant.shown >> i & 1))
			continue;
		if (v->column[i].type == GW_JSON)
			c->possible = false;
		for (at = c->n++; at > 0 && strcmp(v->column[c->column[at - 1]].name, v->column[i].name) > 0;
		     at--)
			c->column[at] = c->column[at - 1];
		c->column[at] = i;
	}
}

/* ECMA-262, Number::toString: the fewest digits that read back, as d.ddd * 10^e. */
void gw_canonical_number(double v, struct bus_buf *out)
{
	char text[40], digits[20];
	int n = 0, e;

	if (v == 0) {
		bus_buf_putc(out, '0');
		return;
	}
	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, fabs(v));
		if (strtod(text, NULL) == fabs(v))
			break;
	}
	for (const char *p = text; *p != 'e'; p++)
		if (*p != '.')
			digits[n++] = *p;
	e = atoi(strchr(text, 'e') + 1);
	if (v < 0)
		bus_buf_putc(out, '-');
	if (e >= 21 || e < -6) {
		bus_buf_putc(out, digits[0]);
		if (n > 1)
			bus_buf_printf(out, ".%.*s", n - 1, digits + 1);
		bus_buf_printf(out, "e%c%d", e < 0 ? '-' : '+', abs(e));
	} else if (e < 0) {
		bus_buf_printf(out, "0.%.*s%.*s", -e - 1, "00000", n, digits);
	} else if (n <= e + 1) {
		bus_buf_put(out, digits, (size_t)n);
		for (int i = n; i < e + 1; i++)
			bus_buf_putc(out, '0');
	} else {
		bus_buf_printf(out, "%.*s.%.*s", e + 1, digits, n - e - 1, digits + e + 1);
	}
}

static void put_text(struct bus_str s, struct bus_buf *out)
{
	static const char letter[] = "btn.fr"; /* U+0008 to U+000D */
	struct bus_buf made = { 0 };

	s = gw_cell_text(s, false, &made);
	bus_buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			bus_buf_printf(out, "\\%c", c);
		else if (c >= 8 && c <= 13 && c != 11)
			bus_buf_printf(out, "\\%c", letter[c - 8]);
		else if (c < 0x20)
			bus_buf_printf(out, "\\u%04x", c);
		else
			bus_buf_putc(out, (char)c);
	}
	bus_buf_putc(out, '"');
	bus_buf_release(&made);
}

static void put_value(const struct gw_value *v, struct bus_buf *out)
{
	switch (v->type) {
	case GW_NULL:
		bus_buf_puts(out, "null");
		break;
	case GW_INT:
		bus_buf_printf(out, "%" PRId64, v->i);
		break;
	case GW_BOOL:
		bus_buf_puts(out, v->i ? "true" : "false");
		break;
	case GW_REAL: /* what is no number is a text, as in pages */
		if (isfinite(v->r))
			gw_canonical_number(v->r, out);
		else
			bus_buf_puts(out, isnan(v->r) ? "\"NaN\""
					  : v->r > 0  ? "\"Infinity\""
						      : "\"-Infinity\"");
		break;
	case GW_TEXT:
	case GW_JSON:
		put_text(v->s, out);
		break;
	}
}

void gw_canonical_row(const struct gw_canonical *c, const struct gw_value *value, struct bus_buf *out)
{
	bus_buf_putc(out, '{');
	for (size_t i = 0; i < c->n; i++) {
		const struct gw_value *v = &value[c->column[i]];

		if (i)
			bus_buf_putc(out, ',');
		put_text(bus_str(c->view->column[c->column[i]].name), out);
		bus_buf_putc(out, ':');
		if (!(c->grant.clear >> c->column[i] & 1) && v->type != GW_NULL)
			v = v->type == GW_TEXT ? &gw_cell_masked : &gw_cell_null;
		put_value(v, out);
	}
	bus_buf_putc(out, '}');
}
