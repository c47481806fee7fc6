#include "adapters/fetch/outbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "adapters/source.h"
#include "bus/conf.h"

#define WAIT_MS 60000
#define WAIT_MAX_MS (INT64_C(24) * 3600 * 1000)

/* Put into SQL as it stands: nothing that would need quotes. */
static enum bus_err must_be_plain(struct bus_yaml *yaml, struct bus_yaml_node *map, const char *key,
				  const char *name, struct bus_error *err)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

	if (n > 0 && n <= 200 && name[n] == '\0' && !(*name >= '0' && *name <= '9'))
		return BUS_OK;
	return bus_yaml_fail(yaml, bus_yaml_get(map, key), err, "%s: a name of letters, digits, _ and points",
			     key);
}

static enum bus_err read_name(struct bus_yaml *yaml, struct bus_yaml_node *conf, const char *key,
			      const char **out, struct bus_error *err)
{
	enum bus_err rc = adapter_source_word(yaml, conf, key, true, out, err);

	return rc ? rc : must_be_plain(yaml, conf, key, *out, err);
}

static enum bus_err read_after(struct adapter_outbox *o, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			       struct bus_error *err)
{
	enum bus_err rc = adapter_after_read(yaml, conf, "mark", &o->after, &o->column, err);

	if (!rc && o->after == ADAPTER_AFTER_NAMED)
		rc = must_be_plain(yaml, bus_yaml_get(conf, "after"), "mark", o->column, err);
	return rc;
}

enum bus_err adapter_outbox_read(struct adapter_outbox *o, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				 struct bus_error *err)
{
	const char *wait = NULL;
	struct bus_error why;
	enum bus_err rc;

	o->wait_ms = WAIT_MS;
	if (conf->kind != BUS_YAML_MAP)
		return bus_yaml_fail(yaml, conf, err,
				     "write outbox: {table: NAME, id: COLUMN, after: delete}");
	if ((rc = read_name(yaml, conf, "table", &o->table, err)) == BUS_OK &&
	    (rc = read_name(yaml, conf, "id", &o->id, err)) == BUS_OK &&
	    (rc = read_after(o, yaml, conf, err)) == BUS_OK)
		rc = adapter_source_word(yaml, conf, "wait", false, &wait, err);
	if (!rc && wait && (bus_conf_ms(wait, &o->wait_ms, &why) || o->wait_ms > WAIT_MAX_MS))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "wait"), err,
				   "wait: a time up to 24h, longer than any transaction takes, such as 1m");
	return rc ? rc : bus_yaml_no_more(yaml, conf, err);
}

void adapter_outbox_release(struct adapter_outbox *o)
{
	free(o->range);
	bus_buf_release(&o->mark);
}

static bool number(struct bus_str *s, char end, int64_t *out)
{
	char text[24], *stop;
	size_t n = 0;

	while (n < s->n && s->p[n] != end && n < sizeof(text) - 1) {
		text[n] = s->p[n];
		n++;
	}
	text[n] = '\0';
	errno = 0;
	*out = strtoll(text, &stop, 10);
	if (n == 0 || *stop || errno || n == s->n || s->p[n] != end)
		return false;
	s->p += n + 1;
	s->n -= n + 1;
	return true;
}

static void add_range(struct adapter_outbox *o, int64_t from, int64_t to)
{
	if (!o->range)
		o->range = bus_xcalloc(ADAPTER_OUTBOX_BATCH, sizeof(*o->range));
	o->range[o->n_ranges++] = (struct adapter_outbox_range){ from, to };
}

enum bus_err adapter_outbox_begin(struct adapter_outbox *o, struct bus_str mark, struct bus_error *err)
{
	int64_t from, to;

	o->n_ranges = 0;
	o->begun = mark.n > 0 && mark.p[0] != '-';
	if (!o->begun)
		return BUS_OK;
	if (!number(&mark, '\n', &o->last))
		goto none;
	while (mark.n > 0) {
		if (o->n_ranges == ADAPTER_OUTBOX_BATCH || !number(&mark, ' ', &from) ||
		    !number(&mark, '\n', &to) || from > to)
			goto none;
		add_range(o, from, to);
	}
	return BUS_OK;
none:
	o->n_ranges = 0;
	return bus_fail(err, BUS_EDATA,
			"the mark kept is none of an outbox: remove it, and all that is in the "
			"table is fetched again");
}

void adapter_outbox_settle_sql(const struct adapter_outbox *o, const struct adapter_outbox_range *r,
			       struct bus_buf *sql)
{
	if (o->after == ADAPTER_AFTER_DELETE)
		bus_buf_printf(sql, "DELETE FROM %s", o->table);
	else
		bus_buf_printf(sql, "UPDATE %s SET %s = CURRENT_TIMESTAMP", o->table, o->column);
	bus_buf_printf(sql, " WHERE %s BETWEEN %" PRId64 " AND %" PRId64, o->id, r->from, r->to);
}

void adapter_outbox_settled(struct adapter_outbox *o)
{
	o->n_ranges = 0;
}

void adapter_outbox_max_sql(const struct adapter_outbox *o, struct bus_buf *sql)
{
	bus_buf_printf(sql, "SELECT MAX(%s) FROM %s", o->id, o->table);
}

/* Only a look that saw more than the one before says anything new. Of too many the older half goes but for the oldest: ids are
 * then waited for a little longer. */
void adapter_outbox_look(struct adapter_outbox *o, int64_t max, int64_t now_ms)
{
	size_t n = o->n_looks;

	while (n > 1 && now_ms - o->look[1].at_ms >= o->wait_ms) {
		memmove(&o->look[0], &o->look[1], (n - 1) * sizeof(o->look[0]));
		n--;
	}
	if (n > 0 && o->look[n - 1].max >= max) {
		o->n_looks = n;
		return;
	}
	if (n == ADAPTER_OUTBOX_LOOKS)
		n--; /* the last is replaced: its ids count from now */
	o->look[n].max = max;
	o->look[n].at_ms = now_ms;
	o->n_looks = n + 1;
}

void adapter_outbox_rows_sql(const struct adapter_outbox *o, struct bus_buf *sql)
{
	bus_buf_printf(sql, "SELECT * FROM %s", o->table);
	if (o->after == ADAPTER_AFTER_NAMED)
		bus_buf_printf(sql, " WHERE %s IS NULL", o->column);
	else if (o->after == ADAPTER_AFTER_KEEP && o->begun)
		bus_buf_printf(sql, " WHERE %s > %" PRId64, o->id, o->last);
	bus_buf_printf(sql, " ORDER BY %s", o->id);
}

bool adapter_outbox_may(const struct adapter_outbox *o, int64_t id, int64_t now_ms)
{
	if (!o->begun || id <= o->last || id - 1 == o->last)
		return true;
	/* Every id between was missing when one greater than all of them was seen, so long ago. */
	for (size_t i = 0; i < o->n_looks; i++)
		if (now_ms - o->look[i].at_ms >= o->wait_ms && o->look[i].max >= id)
			return true;
	return false;
}

void adapter_outbox_take(struct adapter_outbox *o, int64_t id)
{
	struct adapter_outbox_range *r = o->n_ranges ? &o->range[o->n_ranges - 1] : NULL;

	if (!o->begun || id > o->last)
		o->last = id;
	o->begun = true;
	if (r && id > r->to && id - 1 == r->to)
		r->to = id;
	else
		add_range(o, id, id);
}

struct bus_str adapter_outbox_mark(struct adapter_outbox *o)
{
	bus_buf_reset(&o->mark);
	if (o->begun)
		bus_buf_printf(&o->mark, "%" PRId64 "\n", o->last);
	else
		bus_buf_puts(&o->mark, "-");
	for (size_t i = 0; i < o->n_ranges && o->after != ADAPTER_AFTER_KEEP; i++)
		bus_buf_printf(&o->mark, "%" PRId64 " %" PRId64 "\n", o->range[i].from, o->range[i].to);
	return bus_buf_str(&o->mark);
}
