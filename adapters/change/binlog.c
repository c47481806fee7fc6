#include "adapters/change/binlog.h"

#include <zlib.h>

#include "adapters/change/binlog_value.h"

#define HEAD 19			      /* bytes of an event's header */
#define POST 8			      /* of TABLE_MAP and rows: id of the table, flags */
#define PLAIN_MAX ((uint64_t)1 << 30) /* max_allowed_packet can be no larger */
#define IGNORABLE 0x80		      /* LOG_EVENT_IGNORABLE_F */

/* enum Log_event_type of sql/log_event.h. */
enum {
	E_QUERY = 2,
	E_STOP = 3,
	E_ROTATE = 4,
	E_INTVAR = 5,
	E_APPEND_BLOCK = 9,
	E_DELETE_FILE = 11,
	E_RAND = 13,
	E_USER_VAR = 14,
	E_FORMAT = 15,
	E_XID = 16,
	E_BEGIN_LOAD = 17,
	E_EXECUTE_LOAD = 18,
	E_TABLE_MAP = 19,
	E_WRITE_V1 = 23,
	E_UPDATE_V1 = 24,
	E_DELETE_V1 = 25,
	E_INCIDENT = 26,
	E_HEARTBEAT = 27,
	E_IGNORABLE = 28,
	E_WRITE_V2 = 30,
	E_DELETE_V2 = 32,
	E_XA_PREPARE = 38,
	E_HEARTBEAT_V2 = 41,
	E_ANNOTATE = 160,
	E_CHECKPOINT = 161,
	E_GTID = 162,
	E_GTID_LIST = 163,
	E_START_ENCRYPTION = 164,
	E_QUERY_COMPRESSED = 165,
	E_WRITE_COMPRESSED_V1 = 166,
	E_DELETE_COMPRESSED_V1 = 168,
	E_WRITE_COMPRESSED = 169,
	E_DELETE_COMPRESSED = 171,
};

/* Fields of a TABLE_MAP's optional metadata that are read (enum Optional_metadata_field_type). */
enum { M_SIGNEDNESS = 1, M_NAMES = 4, M_SET_MEMBERS = 5, M_ENUM_MEMBERS = 6 };

struct member_list {
	struct bus_str *member;
	size_t n;
};

struct adapter_binlog {
	char *database, *table;
	struct adapter_binlog_column *column;
	size_t n_columns;
	bool checksum;

	/* our table, as the last TABLE_MAP says it */
	bool mapped;
	uint64_t table_id;
	char *map; /* its event; members point into it */
	size_t n_types;
	struct adapter_binlog_type *type;
	struct member_list *members; /* of types that are ENUM or SET */
	int *wanted;		     /* by type: which column it is, or -1 */
	bool *there;		     /* by column */

	/* the rows in hand */
	struct adapter_binlog_bytes rows;
	const unsigned char *present[2]; /* bitmaps: of the image before, or the only one; and after */
	enum adapter_binlog_op op;
	char *plain; /* what a compressed event held */
	struct adapter_binlog_value *value[2];
	size_t *at; /* where a text begins in its buffer: it may move until the row is whole */
	struct bus_buf text[2];
};

struct adapter_binlog *adapter_binlog_new(const char *database, const char *table,
					  const struct adapter_binlog_column *column, size_t n, bool checksum)
{
	struct adapter_binlog *b = bus_xcalloc(1, sizeof(*b));

	b->database = bus_xstrdup(database);
	b->table = bus_xstrdup(table);
	b->column = bus_xcalloc(n + 1, sizeof(*b->column));
	if (n > 0)
		memcpy(b->column, column, n * sizeof(*column));
	b->n_columns = n;
	b->checksum = checksum;
	b->there = bus_xcalloc(n + 1, sizeof(*b->there));
	b->at = bus_xcalloc(n + 1, sizeof(*b->at));
	for (size_t i = 0; i < 2; i++)
		b->value[i] = bus_xcalloc(n + 1, sizeof(*b->value[i]));
	return b;
}

static void forget_map(struct adapter_binlog *b)
{
	for (size_t i = 0; b->members && i < b->n_types; i++)
		free(b->members[i].member);
	free(b->members);
	free(b->type);
	free(b->wanted);
	free(b->map);
	b->members = NULL;
	b->type = NULL;
	b->wanted = NULL;
	b->map = NULL;
	b->n_types = 0;
	b->mapped = false;
}

void adapter_binlog_free(struct adapter_binlog **bp)
{
	struct adapter_binlog *b = *bp;

	if (!b)
		return;
	forget_map(b);
	for (size_t i = 0; i < 2; i++) {
		free(b->value[i]);
		bus_buf_release(&b->text[i]);
	}
	free(b->plain);
	free(b->at);
	free(b->there);
	free(b->column);
	free(b->table);
	free(b->database);
	free(b);
	*bp = NULL;
}

static enum bus_err broken(unsigned type, struct bus_error *err)
{
	return bus_fail(err, BUS_EDATA, "MariaDB's binlog: an event of type %u is not what it should be",
			type);
}

/* --- compression: a byte that says the algorithm (zlib alone) and how long the length is, the length, the rest --- */

static enum bus_err uncompress_rest(struct adapter_binlog *b, struct adapter_binlog_bytes *in, unsigned type,
				    struct bus_error *err)
{
	unsigned head = (unsigned)adapter_binlog_number(in, 1);
	struct bus_str digits = adapter_binlog_take(in, head & 7);
	size_t left = (size_t)(in->end - in->p);
	uint64_t n = 0;
	uLongf got;

	for (size_t i = 0; i < digits.n; i++)
		n = n << 8 | (unsigned char)digits.p[i];
	/* deflate makes at most 1032 bytes of one: what says more would only take memory. */
	if (in->bad || (head & 0xf0) != 0x80 || (head & 7) < 1 || (head & 7) > 4 || n > PLAIN_MAX ||
	    n > ((uint64_t)left + 1) * 1032)
		return broken(type, err);
	free(b->plain);
	b->plain = bus_xmalloc((size_t)n + 1);
	got = (uLongf)n;
	if (uncompress((Bytef *)b->plain, &got, in->p, left) != Z_OK || got != n)
		return broken(type, err);
	*in = (struct adapter_binlog_bytes){ .p = (const unsigned char *)b->plain,
					     .end = (const unsigned char *)b->plain + n };
	return BUS_OK;
}

/* --- our table --- */

/* Whether it has a sign, or says that it has none: a YEAR does too. */
static bool is_number(uint8_t type)
{
	return (type >= 1 && type <= 5) || type == 8 || type == 9 || type == 13 || type == 246;
}

/* How many bytes of metadata each type has in a TABLE_MAP (Field::save_field_metadata). */
static size_t meta_size(uint8_t type)
{
	switch (type) {
	case 4: /* FLOAT, DOUBLE, times with parts of a second, blobs */
	case 5:
	case 17:
	case 18:
	case 19:
	case 140:
	case 249:
	case 250:
	case 251:
	case 252:
	case 255:
		return 1;
	case 15: /* VARCHAR, BIT, DECIMAL, ENUM, SET, CHAR */
	case 16:
	case 141:
	case 246:
	case 247:
	case 248:
	case 253:
	case 254:
		return 2;
	default:
		return 0;
	}
}

static void read_types(struct adapter_binlog *b, struct adapter_binlog_bytes *in)
{
	uint64_t n = adapter_binlog_packed(in);
	struct bus_str types = adapter_binlog_take(in, n <= ADAPTER_BINLOG_COLUMNS_MAX ? n : UINT64_MAX);
	struct bus_str raw = adapter_binlog_take(in, adapter_binlog_packed(in));
	struct adapter_binlog_bytes meta = { .p = (const unsigned char *)raw.p,
					     .end = (const unsigned char *)raw.p + raw.n };

	b->n_types = types.n;
	b->type = bus_xcalloc(types.n + 1, sizeof(*b->type));
	b->members = bus_xcalloc(types.n + 1, sizeof(*b->members));
	b->wanted = bus_xcalloc(types.n + 1, sizeof(*b->wanted));
	for (size_t i = 0; i < types.n; i++) {
		uint8_t type = (uint8_t)types.p[i];
		size_t size = meta_size(type);
		uint16_t v = (uint16_t)adapter_binlog_number(&meta, size);

		/* Of a decimal and a string the first byte is the upper one; of a VARCHAR and a BIT the second. */
		if (size == 2 && type != 15 && type != 141 && type != 16)
			v = (uint16_t)(v << 8 | v >> 8);
		b->type[i] = (struct adapter_binlog_type){ .type = type, .meta = v };
		b->wanted[i] = -1;
	}
	in->bad |= meta.bad;
	(void)adapter_binlog_take(in, (b->n_types + 7) / 8); /* which may be null */
}

static void read_signs(struct adapter_binlog *b, struct adapter_binlog_bytes *in)
{
	unsigned bits = 0, left = 0;

	for (size_t i = 0; i < b->n_types; i++) {
		if (!is_number(b->type[i].type))
			continue;
		if (left == 0) {
			bits = (unsigned)adapter_binlog_number(in, 1);
			left = 8;
		}
		b->type[i].is_unsigned = bits >> --left & 1;
	}
}

static void read_names(struct adapter_binlog *b, struct adapter_binlog_bytes *in)
{
	for (size_t i = 0; i < b->n_types && !in->bad; i++) {
		struct bus_str name = adapter_binlog_take(in, adapter_binlog_packed(in));

		for (size_t k = 0; k < b->n_columns; k++)
			if (bus_str_is(name, b->column[k].name)) {
				b->wanted[i] = (int)k;
				b->there[k] = true;
			}
	}
}

/* real: which of the two these are the members of; each column's in turn. */
static void read_members(struct adapter_binlog *b, unsigned real, struct adapter_binlog_bytes *in)
{
	for (size_t i = 0; i < b->n_types && !in->bad; i++) {
		struct member_list *list = &b->members[i];
		uint64_t n;

		if (b->type[i].type != 254 || b->type[i].meta >> 8 != real || list->member)
			continue;
		n = adapter_binlog_packed(in);
		if (n > (uint64_t)(in->end - in->p)) {
			in->bad = true;
			return;
		}
		list->member = bus_xcalloc((size_t)n + 1, sizeof(*list->member));
		for (; list->n < n && !in->bad; list->n++)
			list->member[list->n] = adapter_binlog_take(in, adapter_binlog_packed(in));
		b->type[i].member = list->member;
		b->type[i].n_members = list->n;
	}
}

static void read_more(struct adapter_binlog *b, struct adapter_binlog_bytes *in, bool *named)
{
	while (in->p < in->end && !in->bad) {
		unsigned what = (unsigned)adapter_binlog_number(in, 1);
		struct bus_str s = adapter_binlog_take(in, adapter_binlog_packed(in));
		struct adapter_binlog_bytes field = { .p = (const unsigned char *)s.p,
						      .end = (const unsigned char *)s.p + s.n };

		if (in->bad)
			return;
		switch (what) {
		case M_SIGNEDNESS:
			read_signs(b, &field);
			break;
		case M_NAMES:
			read_names(b, &field);
			*named = true;
			break;
		case M_SET_MEMBERS:
			read_members(b, 248, &field);
			break;
		case M_ENUM_MEMBERS:
			read_members(b, 247, &field);
			break;
		}
		in->bad |= field.bad;
	}
}

/* A name with its length before it and a 0 behind it. */
static struct bus_str read_name(struct adapter_binlog_bytes *in)
{
	struct bus_str s = adapter_binlog_take(in, adapter_binlog_number(in, 1));

	(void)adapter_binlog_number(in, 1);
	return s;
}

static enum bus_err read_map(struct adapter_binlog *b, struct bus_str body, struct adapter_binlog_event *out,
			     struct bus_error *err)
{
	struct adapter_binlog_bytes in = { .p = (const unsigned char *)body.p,
					   .end = (const unsigned char *)body.p + body.n };
	uint64_t id = adapter_binlog_number(&in, 6);
	struct bus_str database, table;
	bool named = false;

	(void)adapter_binlog_number(&in, 2);
	database = read_name(&in);
	table = read_name(&in);
	if (in.bad)
		return broken(E_TABLE_MAP, err);
	if (!bus_str_is(database, b->database) || !bus_str_is(table, b->table)) {
		if (b->mapped && id == b->table_id) /* the number is another table's now */
			forget_map(b);
		return BUS_OK;
	}
	forget_map(b);
	b->map = bus_xmalloc(body.n + 1);
	memcpy(b->map, body.p, body.n);
	in.p = (const unsigned char *)b->map + (in.p - (const unsigned char *)body.p);
	in.end = (const unsigned char *)b->map + body.n;
	memset(b->there, 0, b->n_columns * sizeof(*b->there));
	b->table_id = id;
	read_types(b, &in);
	if (!in.bad)
		read_more(b, &in, &named);
	if (in.bad)
		return broken(E_TABLE_MAP, err);
	if (!named)
		return bus_fail(err, BUS_EINVAL,
				"the binlog does not say the columns' names; remedy: SET GLOBAL "
				"binlog_row_metadata = FULL;");
	b->mapped = true;
	out->kind = ADAPTER_BINLOG_TABLE;
	return BUS_OK;
}

bool adapter_binlog_has(const struct adapter_binlog *b, size_t i)
{
	return b->there[i];
}

/* --- rows --- */

static enum bus_err read_rows(struct adapter_binlog *b, unsigned type, struct bus_str body,
			      struct adapter_binlog_event *out, struct bus_error *err)
{
	static const enum adapter_binlog_op op[] = { ADAPTER_BINLOG_INSERT, ADAPTER_BINLOG_UPDATE,
						     ADAPTER_BINLOG_DELETE };
	struct adapter_binlog_bytes in = { .p = (const unsigned char *)body.p,
					   .end = (const unsigned char *)body.p + body.n };
	uint64_t id = adapter_binlog_number(&in, 6);
	bool second = (type >= E_WRITE_V2 && type <= E_DELETE_V2) || type >= E_WRITE_COMPRESSED;
	bool compressed = type >= E_WRITE_COMPRESSED_V1;
	unsigned first = second ? (compressed ? E_WRITE_COMPRESSED : E_WRITE_V2)
				: (compressed ? E_WRITE_COMPRESSED_V1 : E_WRITE_V1);
	size_t bitmap;

	(void)adapter_binlog_number(&in, 2);
	if (in.bad)
		return broken(type, err);
	if (!b->mapped || id != b->table_id)
		return BUS_OK;
	if (second) {
		uint64_t more = adapter_binlog_number(&in, 2);

		(void)adapter_binlog_take(&in, more < 2 ? UINT64_MAX : more - 2);
	}
	if (adapter_binlog_packed(&in) != b->n_types)
		return broken(type, err);
	bitmap = (b->n_types + 7) / 8;
	b->op = op[type - first];
	b->present[0] = b->present[1] = (const unsigned char *)adapter_binlog_take(&in, bitmap).p;
	if (b->op == ADAPTER_BINLOG_UPDATE)
		b->present[1] = (const unsigned char *)adapter_binlog_take(&in, bitmap).p;
	if (in.bad)
		return broken(type, err);
	/* The bitmaps lie in the caller's bytes, which stay until the next read; only the rows are another place's. */
	if (compressed) {
		enum bus_err rc = uncompress_rest(b, &in, type, err);

		if (rc)
			return rc;
	}
	b->rows = in;
	out->kind = ADAPTER_BINLOG_ROWS;
	out->op = b->op;
	return BUS_OK;
}

static bool bit(const unsigned char *bits, size_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

static enum bus_err unknown_type(const struct adapter_binlog *b, size_t i, struct bus_error *err)
{
	return bus_fail(err, BUS_EINVAL,
			"the binlog has column %zu of %s in a form that is not read (type %u)", i + 1,
			b->table, b->type[i].type);
}

static enum bus_err unlike(const struct adapter_binlog *b, struct bus_error *err)
{
	return bus_fail(err, BUS_EINVAL, "a row of %s in the binlog is not as the table is described there",
			b->table);
}

static enum bus_err read_image(struct adapter_binlog *b, size_t which, struct bus_error *err)
{
	struct adapter_binlog_bytes *in = &b->rows;
	const unsigned char *present = b->present[which], *nulls;
	struct adapter_binlog_value *value = b->value[which];
	struct bus_buf *text = &b->text[which];
	size_t n = 0, nth = 0;

	for (size_t i = 0; i < b->n_types; i++)
		n += bit(present, i);
	nulls = (const unsigned char *)adapter_binlog_take(in, (n + 7) / 8).p;
	if (in->bad)
		return unlike(b, err);
	bus_buf_reset(text);
	for (size_t k = 0; k < b->n_columns; k++)
		value[k] = (struct adapter_binlog_value){ .missing = true };
	for (size_t i = 0; i < b->n_types; i++) {
		int k = b->wanted[i];
		bool null;

		if (!bit(present, i)) {
			if (k >= 0)
				return bus_fail(err, BUS_EINVAL,
						"a session logs parts of rows only; remedy: SET GLOBAL "
						"binlog_row_image = FULL, and in every session");
			continue;
		}
		null = bit(nulls, nth++);
		if (k >= 0) {
			value[k] = (struct adapter_binlog_value){ .null = null };
			b->at[k] = text->n;
		}
		if (!null &&
		    !adapter_binlog_value(in, &b->type[i], k >= 0 ? b->column[k].spell : ADAPTER_BINLOG_UTF8,
					  k >= 0 ? text : NULL))
			return unknown_type(b, i, err);
		if (in->bad)
			return unlike(b, err);
		if (k >= 0)
			value[k].text.n = text->n - b->at[k];
	}
	for (size_t k = 0; k < b->n_columns; k++)
		if (!value[k].missing && !value[k].null)
			value[k].text.p = text->n ? text->p + b->at[k] : "";
	return BUS_OK;
}

enum bus_err adapter_binlog_next(struct adapter_binlog *b, const struct adapter_binlog_value **old,
				 const struct adapter_binlog_value **new, struct bus_error *err)
{
	const unsigned char *from = b->rows.p;
	enum bus_err rc;

	*old = *new = NULL;
	if (b->rows.p >= b->rows.end)
		return BUS_ENOENT;
	if (b->op != ADAPTER_BINLOG_INSERT) {
		rc = read_image(b, 0, err);
		if (rc)
			return rc;
		*old = b->value[0];
	}
	if (b->op != ADAPTER_BINLOG_DELETE) {
		rc = read_image(b, 1, err);
		if (rc)
			return rc;
		*new = b->value[1];
	}
	return b->rows.p > from ? BUS_OK : unlike(b, err); /* rows of nothing would never end */
}

/* --- the other events --- */

static enum bus_err read_query(struct adapter_binlog *b, unsigned type, struct bus_str body,
			       struct adapter_binlog_event *out, struct bus_error *err)
{
	struct adapter_binlog_bytes in = { .p = (const unsigned char *)body.p,
					   .end = (const unsigned char *)body.p + body.n };
	uint64_t database, variables;

	(void)adapter_binlog_number(&in, 8); /* thread, time it took */
	database = adapter_binlog_number(&in, 1);
	(void)adapter_binlog_number(&in, 2); /* its error */
	variables = adapter_binlog_number(&in, 2);
	(void)adapter_binlog_take(&in, variables);
	out->database = adapter_binlog_take(&in, database);
	(void)adapter_binlog_number(&in, 1);
	if (in.bad)
		return broken(type, err);
	if (type == E_QUERY_COMPRESSED) {
		enum bus_err rc = uncompress_rest(b, &in, type, err);

		if (rc)
			return rc;
	}
	out->text = (struct bus_str){ (const char *)in.p, (size_t)(in.end - in.p) };
	out->kind = ADAPTER_BINLOG_QUERY;
	return BUS_OK;
}

static void read_gtid(struct adapter_binlog_bytes *in, struct adapter_binlog_event *out)
{
	out->kind = ADAPTER_BINLOG_GTID;
	out->seq = adapter_binlog_number(in, 8);
	out->domain = (uint32_t)adapter_binlog_number(in, 4);
	out->flags = (uint8_t)adapter_binlog_number(in, 1);
	if (out->flags & 2) /* it was committed together with others */
		(void)adapter_binlog_number(in, 8);
	if (out->flags & (ADAPTER_BINLOG_PREPARED | ADAPTER_BINLOG_COMPLETED)) {
		const unsigned char *from = in->p;
		uint64_t n;

		(void)adapter_binlog_number(in, 4);
		n = adapter_binlog_number(in, 1);
		n += adapter_binlog_number(in, 1);
		(void)adapter_binlog_take(in, n);
		out->xid = (struct bus_str){ (const char *)from, (size_t)(in->p - from) };
	}
}

/* Version 4, headers of 19 bytes, TABLE_MAP and rows with an id of six bytes; at the end whether there are checksums. */
static bool read_format(struct adapter_binlog *b, struct bus_str body)
{
	const unsigned char *p = (const unsigned char *)body.p;
	size_t fixed = 2 + 50 + 4 + 1;

	/* The checksum's kind and, whatever that is, room for a checksum. */
	if (body.n < fixed + E_DELETE_COMPRESSED_V1 + 5 || p[0] != 4 || p[1] != 0 || p[56] != HEAD ||
	    p[fixed + E_TABLE_MAP - 1] != POST || p[fixed + E_WRITE_V1 - 1] != POST)
		return false;
	b->checksum = p[body.n - 5] == 1;
	return p[body.n - 5] <= 1;
}

static bool harmless(unsigned type, unsigned flags)
{
	switch (type) {
	case E_STOP:
	case E_INTVAR:
	case E_APPEND_BLOCK:
	case E_DELETE_FILE:
	case E_RAND:
	case E_USER_VAR:
	case E_BEGIN_LOAD:
	case E_IGNORABLE:
	case E_ANNOTATE:
	case E_CHECKPOINT:
	case E_GTID_LIST:
	case E_START_ENCRYPTION:
		return true;
	default:
		return flags & IGNORABLE;
	}
}

static enum bus_err read_body(struct adapter_binlog *b, unsigned type, unsigned flags, struct bus_str body,
			      struct adapter_binlog_event *out, struct bus_error *err)
{
	struct adapter_binlog_bytes in = { .p = (const unsigned char *)body.p,
					   .end = (const unsigned char *)body.p + body.n };

	switch (type) {
	case E_ROTATE:
		out->kind = ADAPTER_BINLOG_ROTATE;
		out->position = adapter_binlog_number(&in, 8);
		out->file = (struct bus_str){ (const char *)in.p, (size_t)(in.end - in.p) };
		break;
	case E_GTID:
		read_gtid(&in, out);
		break;
	case E_XID:
		out->kind = ADAPTER_BINLOG_COMMIT;
		break;
	case E_XA_PREPARE:
		/* One phase: it is committed. */
		out->kind = adapter_binlog_number(&in, 1) ? ADAPTER_BINLOG_COMMIT : ADAPTER_BINLOG_PREPARE;
		break;
	case E_HEARTBEAT:
	case E_HEARTBEAT_V2:
		out->kind = ADAPTER_BINLOG_HEARTBEAT;
		break;
	case E_INCIDENT:
		out->kind = ADAPTER_BINLOG_INCIDENT;
		break;
	case E_EXECUTE_LOAD:
		out->kind = ADAPTER_BINLOG_STATEMENT;
		out->text = body;
		break;
	case E_TABLE_MAP:
		return read_map(b, body, out, err);
	case E_QUERY:
	case E_QUERY_COMPRESSED:
		return read_query(b, type, body, out, err);
	default:
		if ((type >= E_WRITE_V1 && type <= E_DELETE_V1) ||
		    (type >= E_WRITE_V2 && type <= E_DELETE_V2) ||
		    (type >= E_WRITE_COMPRESSED_V1 && type <= E_DELETE_COMPRESSED))
			return read_rows(b, type, body, out, err);
		if (!harmless(type, flags))
			return bus_fail(err, BUS_EINVAL,
					"MariaDB's binlog: an event of a type that is not known (%u)", type);
	}
	return in.bad ? broken(type, err) : BUS_OK;
}

enum bus_err adapter_binlog_read(struct adapter_binlog *b, struct bus_str bytes,
				 struct adapter_binlog_event *out, struct bus_error *err)
{
	struct adapter_binlog_bytes in = { .p = (const unsigned char *)bytes.p,
					   .end = (const unsigned char *)bytes.p + bytes.n };
	unsigned type, flags;
	struct bus_str body;

	*out = (struct adapter_binlog_event){ .kind = ADAPTER_BINLOG_OTHER };
	b->rows = (struct adapter_binlog_bytes){ 0 };
	out->time_s = (uint32_t)adapter_binlog_number(&in, 4);
	type = (unsigned)adapter_binlog_number(&in, 1);
	out->server_id = (uint32_t)adapter_binlog_number(&in, 4);
	if (adapter_binlog_number(&in, 4) != bytes.n)
		return broken(type, err);
	out->end = (uint32_t)adapter_binlog_number(&in, 4);
	flags = (unsigned)adapter_binlog_number(&in, 2);
	body = (struct bus_str){ (const char *)in.p, (size_t)(in.end - in.p) };
	if (in.bad)
		return broken(type, err);
	if (type == E_FORMAT) { /* its own checksum is there or room for it */
		out->kind = ADAPTER_BINLOG_FORMAT;
		return read_format(b, body) ? BUS_OK : broken(type, err);
	}
	if (b->checksum) {
		struct adapter_binlog_bytes tail = { .p = in.end - 4, .end = in.end };

		if (body.n < 4 ||
		    adapter_binlog_number(&tail, 4) != crc32(0, (const Bytef *)bytes.p, (uInt)(bytes.n - 4)))
			return bus_fail(err, BUS_EDATA, "MariaDB's binlog: an event's checksum does not fit");
		body.n -= 4;
	}
	return read_body(b, type, flags, body, out, err);
}
