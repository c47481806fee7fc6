#include "gateway/store/value.h"

void gw_value_pack(struct bus_buf *b, const struct gw_value *v)
{
	int64_t n = (int64_t)v->s.n;

	bus_buf_putc(b, (char)v->type);
	if (v->type == GW_INT) {
		bus_buf_put(b, &v->i, sizeof(v->i));
	} else if (v->type == GW_REAL) {
		bus_buf_put(b, &v->r, sizeof(v->r));
	} else if (v->type == GW_TEXT) {
		bus_buf_put(b, &n, sizeof(n));
		bus_buf_put(b, v->s.p, v->s.n);
	}
}

size_t gw_value_unpack(const char *p, struct gw_value *v)
{
	int64_t n;

	*v = (struct gw_value){ .type = (enum gw_type)p[0] };
	if (v->type == GW_INT) {
		memcpy(&v->i, p + 1, sizeof(v->i));
	} else if (v->type == GW_REAL) {
		memcpy(&v->r, p + 1, sizeof(v->r));
	} else if (v->type == GW_TEXT) {
		memcpy(&n, p + 1, sizeof(n));
		v->s = (struct bus_str){ p + 1 + sizeof(n), (size_t)n };
		return 1 + sizeof(n) + (size_t)n;
	} else {
		return 1;
	}
	return 1 + sizeof(int64_t);
}
