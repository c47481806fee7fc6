#include "gateway/engine/group_wire.h"

#include <stdio.h>

static void put_number(struct bus_buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		bus_buf_putc(out, (char)(v | 0x80));
	bus_buf_putc(out, (char)v);
}

static void put_text(struct bus_buf *out, struct bus_str s)
{
	put_number(out, s.n);
	bus_buf_put(out, s.p, s.n);
}

static bool take_number(struct bus_str *in, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 64 && in->n > 0; shift += 7) {
		uint8_t b = (uint8_t)*in->p;

		in->p++;
		in->n--;
		*v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return true;
	}
	return false;
}

static bool take_signed(struct bus_str *in, int64_t *v)
{
	uint64_t u;

	if (!take_number(in, &u))
		return false;
	*v = (int64_t)u;
	return true;
}

static bool take_bytes(struct bus_str *in, size_t n, struct bus_str *out)
{
	if (n > in->n)
		return false;
	*out = (struct bus_str){ in->p, n };
	in->p += n;
	in->n -= n;
	return true;
}

static bool take_text(struct bus_str *in, struct bus_str *out)
{
	uint64_t n;

	return take_number(in, &n) && n <= in->n && take_bytes(in, (size_t)n, out);
}

static bool take_word(struct bus_str *in, char *out, size_t size)
{
	struct bus_str s;

	if (!take_text(in, &s) || s.n >= size || memchr(s.p, 0, s.n))
		return false;
	snprintf(out, size, "%.*s", (int)s.n, s.p);
	return true;
}

static void put_value(struct bus_buf *out, const struct gw_value *v)
{
	bus_buf_putc(out, (char)v->type);
	if (v->type == GW_INT || v->type == GW_BOOL)
		put_number(out, (uint64_t)v->i);
	else if (v->type == GW_REAL)
		bus_buf_put(out, &v->r, sizeof(v->r));
	else if (v->type != GW_NULL)
		put_text(out, v->s);
}

static bool take_value(struct bus_str *in, struct gw_value *v)
{
	struct bus_str bytes;

	*v = (struct gw_value){ 0 };
	if (in->n == 0)
		return false;
	v->type = (enum gw_type)(uint8_t)*in->p;
	in->p++;
	in->n--;
	switch (v->type) {
	case GW_NULL:
		return true;
	case GW_INT:
	case GW_BOOL:
		return take_signed(in, &v->i);
	case GW_REAL:
		if (!take_bytes(in, sizeof(v->r), &bytes))
			return false;
		memcpy(&v->r, bytes.p, sizeof(v->r));
		return true;
	case GW_TEXT:
	case GW_JSON:
		return take_text(in, &v->s);
	default:
		return false;
	}
}

void gw_group_put_record(struct bus_buf *out, const struct gw_group_record *r)
{
	bus_buf_putc(out, (char)r->kind);
	put_number(out, r->node);
	put_number(out, r->epoch);
	put_number(out, r->store);
	put_number(out, (uint64_t)r->n);
	if (r->kind == GW_GROUP_BATCH) {
		put_number(out, r->part);
		bus_buf_putc(out, (char)r->last);
	}
	if (r->kind != GW_GROUP_BEAT)
		return;
	bus_buf_putc(out, (char)r->role);
	put_number(out, (uint64_t)r->seq);
	put_number(out, (uint64_t)r->behind);
	bus_buf_putc(out, (char)r->ready);
	bus_buf_putc(out, (char)r->fault);
	put_text(out, bus_str(r->name));
	put_text(out, bus_str(r->url));
	put_number(out, (uint64_t)r->at_ms);
}

static bool take_flag(struct bus_str *in, uint8_t most, uint8_t *v)
{
	if (in->n == 0 || (uint8_t)*in->p > most)
		return false;
	*v = (uint8_t)*in->p;
	in->p++;
	in->n--;
	return true;
}

enum bus_err gw_group_read_record(struct bus_str in, struct gw_group_record *out)
{
	uint8_t flag = 0, role = 0, ready = 0, fault = 0;
	bool ok;

	*out = (struct gw_group_record){ 0 };
	if (in.n == 0)
		return BUS_EDATA;
	out->kind = (enum gw_group_kind)(uint8_t)*in.p;
	in.p++;
	in.n--;
	ok = take_number(&in, &out->node) && take_number(&in, &out->epoch) && take_number(&in, &out->store) &&
	     take_signed(&in, &out->n);
	switch (out->kind) {
	case GW_GROUP_CLAIM:
	case GW_GROUP_VOID:
		return ok && in.n == 0 ? BUS_OK : BUS_EDATA;
	case GW_GROUP_BATCH:
		ok = ok && take_number(&in, &out->part) && take_flag(&in, 1, &flag);
		out->last = flag != 0;
		out->items = in;
		return ok ? BUS_OK : BUS_EDATA;
	case GW_GROUP_BEAT:
		ok = ok && take_flag(&in, GW_GROUP_LEAVES, &role) && take_signed(&in, &out->seq) &&
		     take_signed(&in, &out->behind) && take_flag(&in, 1, &ready) &&
		     take_flag(&in, 1, &fault) && take_word(&in, out->name, sizeof(out->name)) &&
		     take_word(&in, out->url, sizeof(out->url)) &&
		     (in.n == 0 || take_signed(&in, &out->at_ms));
		out->role = (enum gw_group_role)role;
		out->ready = ready != 0;
		out->fault = fault != 0;
		return ok && in.n == 0 ? BUS_OK : BUS_EDATA;
	default:
		return BUS_EDATA;
	}
}

/* What an item of that kind has: N name, I n, P part, T text, H hash and scope. NULL: there is no such kind. */
static const char *fields(enum gw_group_what what)
{
	switch (what) {
	case GW_ITEM_INPUT:
		return "NPI";
	case GW_ITEM_DEFINE:
	case GW_ITEM_WORDS:
		return "NIT";
	case GW_ITEM_REFILL:
		return "NP";
	case GW_ITEM_DROP:
	case GW_ITEM_SUM:
	case GW_ITEM_VIEW:
	case GW_ITEM_WAITS:
	case GW_ITEM_WAITS_ALL:
		return "N";
	case GW_ITEM_PRESENT:
		return "ITH";
	case GW_ITEM_GONE:
		return "IT";
	case GW_ITEM_END:
		return "IP";
	default:
		return NULL;
	}
}

void gw_group_put_item(struct bus_buf *out, const struct gw_group_item *i)
{
	bus_buf_putc(out, (char)i->what);
	for (const char *f = fields(i->what); *f; f++) {
		if (*f == 'N')
			put_text(out, i->name);
		else if (*f == 'T')
			put_text(out, i->text);
		else if (*f == 'I')
			put_number(out, (uint64_t)i->n);
		else if (*f == 'P')
			put_number(out, (uint64_t)i->part);
		else {
			bus_buf_put(out, &i->hash, sizeof(i->hash));
			put_number(out, i->n_scope);
			for (size_t k = 0; k < i->n_scope; k++)
				put_value(out, &i->scope[k]);
		}
	}
}

static bool take_hash(struct bus_str *in, struct gw_group_item *out)
{
	struct bus_str bytes;
	uint64_t n;

	if (!take_bytes(in, sizeof(out->hash), &bytes))
		return false;
	memcpy(&out->hash, bytes.p, sizeof(out->hash));
	if (!take_number(in, &n) || n > GW_GROUP_SCOPE_MAX)
		return false;
	for (out->n_scope = 0; out->n_scope < n; out->n_scope++)
		if (!take_value(in, &out->scope[out->n_scope]))
			return false;
	return true;
}

enum bus_err gw_group_read_item(struct bus_str *in, struct gw_group_item *out)
{
	const char *f;
	bool ok = true;

	memset(out, 0, offsetof(struct gw_group_item, scope));
	out->n_scope = 0;
	out->what = (enum gw_group_what)(uint8_t)*in->p;
	in->p++;
	in->n--;
	f = fields(out->what);
	if (!f)
		return BUS_EDATA;
	for (; *f && ok; f++) {
		if (*f == 'N')
			ok = take_text(in, &out->name);
		else if (*f == 'T')
			ok = take_text(in, &out->text);
		else if (*f == 'I')
			ok = take_signed(in, &out->n);
		else if (*f == 'P')
			ok = take_signed(in, &out->part);
		else
			ok = take_hash(in, out);
	}
	return ok ? BUS_OK : BUS_EDATA;
}
