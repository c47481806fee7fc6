#include "adapters/change/pgoutput.h"
#include "bus/hex.h"

#include <stdio.h>

#define RELATIONS_MAX 4096
#define COLUMNS_MAX (1 << 19)		     /* of all of them */
#define NAME_BYTES 255			     /* bytes; PostgreSQL's are 63 */
#define EPOCH_MS (INT64_C(946684800) * 1000) /* 2000-01-01, PostgreSQL's, since 1970 */

struct adapter_pg_reader {
	struct adapter_pg_relation **relation; /* each stays where it is: a caller remembers it */
	size_t n, cap, n_columns;
	struct adapter_pg_value *old, *new; /* ADAPTER_PG_COLUMNS_MAX each */
	const struct adapter_pg_relation **truncated;
	const char *from, *p, *end; /* the message in hand */
	bool bad;
};

struct adapter_pg_reader *adapter_pg_reader_new(void)
{
	struct adapter_pg_reader *r = bus_xcalloc(1, sizeof(*r));

	r->old = bus_xcalloc(ADAPTER_PG_COLUMNS_MAX, sizeof(*r->old));
	r->new = bus_xcalloc(ADAPTER_PG_COLUMNS_MAX, sizeof(*r->new));
	r->truncated = bus_xcalloc(RELATIONS_MAX, sizeof(*r->truncated));
	return r;
}

static void forget(struct adapter_pg_relation *rel)
{
	for (size_t i = 0; i < rel->n; i++)
		free(rel->column[i].name);
	free(rel->column);
	free(rel->schema);
	free(rel->name);
	*rel = (struct adapter_pg_relation){ .id = rel->id };
}

void adapter_pg_reader_free(struct adapter_pg_reader **rp)
{
	struct adapter_pg_reader *r = *rp;

	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		forget(r->relation[i]);
		free(r->relation[i]);
	}
	free(r->relation);
	free(r->truncated);
	free(r->old);
	free(r->new);
	free(r);
	*rp = NULL;
}

/* --- bytes: a short read sets bad and gives zeroes, so that one look at the end of a message is enough --- */

static uint64_t number(struct adapter_pg_reader *r, size_t bytes)
{
	uint64_t v = 0;

	if ((size_t)(r->end - r->p) < bytes) {
		r->bad = true;
		r->p = r->end;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | (unsigned char)*r->p++;
	return v;
}

static struct bus_str word(struct adapter_pg_reader *r)
{
	const char *from = r->p, *nul = memchr(r->p, '\0', (size_t)(r->end - r->p));

	if (!nul) {
		r->bad = true;
		r->p = r->end;
		return bus_str("");
	}
	r->p = nul + 1;
	return (struct bus_str){ from, (size_t)(nul - from) };
}

static struct bus_str bytes(struct adapter_pg_reader *r, size_t n)
{
	struct bus_str s = { r->p, n };

	if ((size_t)(r->end - r->p) < n) {
		r->bad = true;
		n = (size_t)(r->end - r->p);
		s.n = 0;
	}
	r->p += n;
	return s;
}

static int64_t time_ms(struct adapter_pg_reader *r)
{
	return (int64_t)number(r, 8) / 1000 + EPOCH_MS;
}

/* --- relations --- */

static struct adapter_pg_relation *find(struct adapter_pg_reader *r, uint32_t id)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->relation[i]->id == id)
			return r->relation[i];
	return NULL;
}

static struct adapter_pg_relation *named(struct adapter_pg_reader *r)
{
	struct adapter_pg_relation *rel = find(r, (uint32_t)number(r, 4));

	r->bad |= rel == NULL;
	return rel;
}

static struct adapter_pg_relation *room_for(struct adapter_pg_reader *r, uint32_t id)
{
	struct adapter_pg_relation *rel = find(r, id);

	if (rel) {
		r->n_columns -= rel->n;
		forget(rel);
		return rel;
	}
	if (r->n == RELATIONS_MAX) {
		r->bad = true;
		return NULL;
	}
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 8;
		r->relation = bus_xrealloc(r->relation, r->cap * sizeof(*r->relation));
	}
	rel = r->relation[r->n++] = bus_xcalloc(1, sizeof(*rel));
	rel->id = id;
	return rel;
}

static char *name(struct adapter_pg_reader *r)
{
	struct bus_str s = word(r);

	r->bad |= s.n > NAME_BYTES;
	return bus_xstrndup(s.p, r->bad ? 0 : s.n);
}

static void read_relation(struct adapter_pg_reader *r, struct adapter_pg_change *out)
{
	struct adapter_pg_relation *rel = room_for(r, (uint32_t)number(r, 4));
	size_t n;

	if (!rel)
		return;
	rel->schema = name(r);
	rel->name = name(r);
	rel->identity = (char)number(r, 1);
	n = number(r, 2);
	if (n > ADAPTER_PG_COLUMNS_MAX || r->n_columns + n > COLUMNS_MAX) {
		r->bad = true;
		return;
	}
	rel->column = bus_xcalloc(n ? n : 1, sizeof(*rel->column));
	for (size_t i = 0; i < n && !r->bad; i++) {
		struct adapter_pg_column *c = &rel->column[rel->n++];

		c->key = number(r, 1) & 1;
		c->name = name(r);
		r->n_columns++;
		c->type = (uint32_t)number(r, 4);
		(void)number(r, 4); /* type modifier */
	}
	out->relation = rel;
}

/* --- changes --- */

static void read_row(struct adapter_pg_reader *r, const struct adapter_pg_relation *rel,
		     struct adapter_pg_value *value, struct adapter_pg_row *out)
{
	size_t n = number(r, 2);

	if (!rel || n != rel->n) {
		r->bad = true;
		return;
	}
	for (size_t i = 0; i < n && !r->bad; i++) {
		char kind = (char)number(r, 1);

		value[i] = (struct adapter_pg_value){ .kind = ADAPTER_PG_NULL };
		if (kind == 'u') {
			value[i].kind = ADAPTER_PG_UNCHANGED;
		} else if (kind == 't') {
			value[i].kind = ADAPTER_PG_TEXT;
			value[i].text = bytes(r, number(r, 4));
		} else if (kind != 'n') {
			r->bad = true; /* 'b', binary, was not asked for */
		}
	}
	out->value = value;
}

static void read_change(struct adapter_pg_reader *r, struct adapter_pg_change *out)
{
	const struct adapter_pg_relation *rel = named(r);
	char part = (char)number(r, 1);

	out->relation = rel;
	if (part == 'K' || part == 'O') {
		r->bad |= out->kind == ADAPTER_PG_INSERT;
		out->old.key_only = part == 'K';
		read_row(r, rel, r->old, &out->old);
		if (out->kind == ADAPTER_PG_DELETE)
			return;
		part = (char)number(r, 1);
	}
	r->bad |= part != 'N' || out->kind == ADAPTER_PG_DELETE;
	if (!r->bad)
		read_row(r, rel, r->new, &out->new);
}

static void read_truncate(struct adapter_pg_reader *r, struct adapter_pg_change *out)
{
	size_t n = number(r, 4);

	(void)number(r, 1); /* CASCADE, RESTART IDENTITY: all that falls is named */
	if (n > RELATIONS_MAX) {
		r->bad = true;
		return;
	}
	for (size_t i = 0; i < n && !r->bad; i++)
		r->truncated[out->n_truncated++] = named(r);
	out->truncated = r->truncated;
}

static void read_message(struct adapter_pg_reader *r, struct adapter_pg_change *out)
{
	(void)number(r, 1); /* transactional */
	out->lsn = number(r, 8);
	out->prefix = word(r);
	(void)bytes(r, number(r, 4));
}

static void read_kind(struct adapter_pg_reader *r, char kind, struct adapter_pg_change *out)
{
	switch (kind) {
	case 'B':
		out->kind = ADAPTER_PG_BEGIN;
		out->lsn = number(r, 8);
		out->time_ms = time_ms(r);
		out->xid = (uint32_t)number(r, 4);
		return;
	case 'C':
		out->kind = ADAPTER_PG_COMMIT;
		(void)number(r, 1); /* flags: none yet */
		out->lsn = number(r, 8);
		out->end = number(r, 8);
		out->time_ms = time_ms(r);
		return;
	case 'R':
		out->kind = ADAPTER_PG_RELATION;
		read_relation(r, out);
		return;
	case 'I':
	case 'U':
	case 'D':
		out->kind = kind == 'I'	  ? ADAPTER_PG_INSERT
			    : kind == 'U' ? ADAPTER_PG_UPDATE
					  : ADAPTER_PG_DELETE;
		read_change(r, out);
		return;
	case 'T':
		out->kind = ADAPTER_PG_TRUNCATE;
		read_truncate(r, out);
		return;
	case 'M':
		out->kind = ADAPTER_PG_MESSAGE;
		read_message(r, out);
		return;
	case 'O':
	case 'Y':
		out->kind = ADAPTER_PG_OTHER;
		r->p = r->end;
		return;
	default:
		r->bad = true;
	}
}

enum bus_err adapter_pg_read(struct adapter_pg_reader *r, struct bus_str message,
			     struct adapter_pg_change *out, struct bus_error *err)
{
	char kind;

	*out = (struct adapter_pg_change){ .kind = ADAPTER_PG_OTHER };
	if (message.n == 0)
		return bus_fail(err, BUS_EDATA, "pgoutput: an empty message");
	r->from = r->p = message.p;
	r->end = message.p + message.n;
	r->bad = false;
	kind = (char)number(r, 1);
	read_kind(r, kind, out);
	if (!r->bad && r->p == r->end)
		return BUS_OK;
	return bus_fail(err, BUS_EDATA, "pgoutput: a message of kind 0x%02x is broken at byte %zu of %zu",
			(unsigned char)kind, (size_t)(r->p - r->from), message.n);
}

char *adapter_pg_lsn(uint64_t lsn, char *out)
{
	snprintf(out, ADAPTER_PG_LSN, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
	return out;
}

bool adapter_pg_lsn_read(struct bus_str text, uint64_t *out)
{
	uint64_t half[2] = { 0, 0 };
	size_t digits = 0;
	int at = 0;

	for (size_t i = 0; i < text.n; i++) {
		int d = bus_hex_digit(text.p[i]);

		if (text.p[i] == '/' && at == 0 && digits > 0) {
			at = 1;
			digits = 0;
			continue;
		}
		if (d < 0 || ++digits > 8)
			return false;
		half[at] = half[at] << 4 | (uint64_t)d;
	}
	*out = half[0] << 32 | half[1];
	return at == 1 && digits > 0;
}
