/* A table of MariaDB as it is at one moment of the binary log, without a lock. */
#include <stdio.h>

#include "adapters/change/maria_impl.h"
#include "bus/crypto.h"

#define ROW_MS (INT64_C(600) * 1000)

struct reading {
	struct adapter_maria *m;
	struct change_described *d;
};

/* The server's spelling of a float is cut off, and of a double its own: both as the log's are spelled. */
static struct bus_str respelled(enum change_number number, struct bus_str text,
				char out[ADAPTER_BINLOG_NUMBER])
{
	if (number == CHANGE_AS_IT_IS)
		return text;
	if (number == CHANGE_FLOAT)
		adapter_binlog_put_float((float)strtod(text.p, NULL), out);
	else
		adapter_binlog_put_double(strtod(text.p, NULL), out);
	return bus_str(out);
}

static enum bus_err put_rows(struct adapter_change *c, void *reading, struct change_writing *w,
			     struct bus_error *err)
{
	const struct reading *r = reading;
	struct adapter_cell *cell = bus_xcalloc(c->n_columns + 1, sizeof(*cell));
	struct bus_str *value = bus_xcalloc(c->n_columns + 1, sizeof(*value));
	char(*number)[ADAPTER_BINLOG_NUMBER] = bus_xcalloc(c->n_columns + 1, sizeof(*number));
	enum bus_err rc = adapter_maria_begin(r->m, bus_buf_cstr(&r->d->select), ROW_MS, err);

	while (!rc && !(rc = adapter_maria_next(r->m, ROW_MS, value, c->n_columns, err))) {
		for (size_t i = 0; i < c->n_columns; i++)
			cell[i] = value[i].p ? (struct adapter_cell){ .kind = ADAPTER_TEXT,
								      .text = respelled(r->d->number[i],
											value[i], number[i]) }
					     : (struct adapter_cell){ .kind = ADAPTER_NULL };
		rc = adapter_change_put(c, w, cell, err);
	}
	free(number);
	free(value);
	free(cell);
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

/* Where the transaction that has just begun stands in the log. */
static enum bus_err find_place(struct adapter_maria *m, struct adapter_gtid_place *out, struct bus_error *err)
{
	char file[ADAPTER_GTID_FILE] = "";
	unsigned long long position = 0;
	struct bus_buf sql = { 0 };
	enum bus_err rc = adapter_change_maria_run(m, "SHOW STATUS LIKE 'binlog\\_snapshot\\_%'", err);

	for (size_t i = 0; !rc && i < adapter_maria_rows(m); i++) {
		const char *name = adapter_maria_text(m, i, 0), *value = adapter_maria_text(m, i, 1);

		if (name && value && strcasecmp(name, "Binlog_snapshot_file") == 0)
			snprintf(file, sizeof(file), "%s", value);
		else if (name && value && strcasecmp(name, "Binlog_snapshot_position") == 0)
			position = strtoull(value, NULL, 10);
	}
	if (!rc && (!file[0] || strchr(file, ' ')))
		rc =
		    bus_fail(err, BUS_EINVAL, "the server does not say where its snapshot stands in the log");
	if (rc)
		return rc;
	bus_buf_puts(&sql, "SELECT BINLOG_GTID_POS(");
	adapter_maria_quote(file, &sql);
	bus_buf_printf(&sql, ", %llu)", position);
	rc = adapter_change_maria_run(m, bus_buf_cstr(&sql), err);
	bus_buf_release(&sql);
	if (!rc && !adapter_maria_text(m, 0, 0))
		rc = bus_fail(err, BUS_ECONFLICT, "the binary log was begun anew meanwhile");
	if (!rc)
		rc = adapter_gtid_read(adapter_maria_text(m, 0, 0), out, err);
	if (rc)
		return rc;
	snprintf(out->file, sizeof(out->file), "%s", file);
	out->position = position;
	return BUS_OK;
}

static enum bus_err find_identity(struct adapter_change *c, struct adapter_maria *m, struct change_stream *s,
				  struct bus_error *err)
{
	struct bus_buf text = { 0 };
	uint8_t nonce[16];
	char hex[2 * sizeof(nonce) + 1];
	enum bus_err rc = adapter_change_maria_run(m, "SELECT @@global.server_id", err);

	if (rc)
		return rc;
	snprintf(s->system, sizeof(s->system), "%s", adapter_maria_text(m, 0, 0));
	/* Two snapshots of a table that nobody changes stand at one place. */
	bus_random(nonce, sizeof(nonce));
	bus_hex(nonce, sizeof(nonce), hex);
	bus_buf_printf(&text, "%s\n%s\n%s\n%s\n%s", s->system, c->conf.connection, c->feed, s->place, hex);
	adapter_change_name(c, s, bus_buf_str(&text));
	bus_buf_release(&text);
	return BUS_OK;
}

enum bus_err adapter_change_maria_snapshot(struct adapter_change *c, struct change_stream *out,
					   struct bus_error *err)
{
	struct adapter_gtid_place place;
	struct change_described d = { 0 };
	struct adapter_maria *m = NULL;
	struct bus_buf text = { 0 };
	enum bus_err rc = adapter_change_maria_open(c, &m, err);

	*out = (struct change_stream){ 0 };
	if (!rc)
		rc = adapter_change_maria_check(c, m, err);
	if (!rc)
		rc = adapter_change_maria_run(m, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
					      err);
	if (!rc)
		rc = adapter_change_maria_run(m, "START TRANSACTION WITH CONSISTENT SNAPSHOT", err);
	if (!rc)
		rc = find_place(m, &place, err);
	/* Once more: what is altered from here on stands in the log behind this place. */
	if (!rc)
		rc = adapter_change_maria_describe(c, m, &d, err);
	if (!rc) {
		adapter_gtid_place_put(&place, &text);
		if (text.n < sizeof(out->place))
			snprintf(out->place, sizeof(out->place), "%s", bus_buf_cstr(&text));
		else
			rc = bus_fail(err, BUS_ETOOBIG, "the place in the binary log is too long a text");
	}
	if (!rc)
		rc = find_identity(c, m, out, err);
	if (!rc)
		rc = adapter_change_keep(c, out, put_rows, &(struct reading){ m, &d }, err);
	bus_buf_release(&text);
	adapter_change_described_release(&d);
	adapter_maria_close(&m);
	return rc;
}
