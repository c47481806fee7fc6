/* The front matter's `freshness` and `complete`: what a view promises, to be measured. */
#include <errno.h>
#include <stdlib.h>

#include "gateway/define/front.h"

#define AGE_MAX_S (400 * 86400LL)
#define INPUTS_MAX 32

/* "15m", "2h", "7d", "30s". */
static bool read_duration(const char *text, int64_t *seconds)
{
	static const struct {
		const char *unit;
		int64_t s;
	} unit[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno || n < 1)
		return false;
	for (size_t i = 0; i < BUS_LEN(unit); i++) {
		if (strcmp(end, unit[i].unit) == 0 && n <= AGE_MAX_S / unit[i].s) {
			*seconds = n * unit[i].s;
			return true;
		}
	}
	return false;
}

static enum bus_err read_age(struct gw_front *f, struct bus_yaml_node *map, const char *key, int64_t *seconds)
{
	const char *age = NULL;
	enum bus_err rc = bus_yaml_str(f->y, map, key, true, &age, f->err);

	if (rc == BUS_OK && !read_duration(age, seconds))
		rc = bus_yaml_fail(f->y, bus_yaml_get(map, key), f->err,
				   "%s '%.40s': a number with s, m, h or d, at most 400d: 15m", key, age);
	return rc;
}

/* freshness: {max_age: 15m, inputs: {disdukcapil_penduduk: 366d}} */
static enum bus_err read_freshness(struct gw_front *f, struct bus_yaml_node *root)
{
	struct bus_yaml_node *n = bus_yaml_get(root, "freshness"), *inputs;
	struct gw_input_age *input;
	enum bus_err rc;

	if (!n)
		return BUS_OK;
	if (n->kind != BUS_YAML_MAP)
		return bus_yaml_fail(f->y, n, f->err, "'freshness' wants {max_age: 15m}");
	rc = read_age(f, n, "max_age", &f->d->pub.max_age_s);
	inputs = bus_yaml_get(n, "inputs");
	if (rc != BUS_OK || !inputs)
		return rc == BUS_OK ? bus_yaml_no_more(f->y, n, f->err) : rc;
	if (inputs->kind != BUS_YAML_MAP || bus_yaml_count(inputs) > INPUTS_MAX)
		return bus_yaml_fail(f->y, inputs, f->err, "'inputs' wants {table: age}, at most %d",
				     INPUTS_MAX);
	input = bus_arena_zalloc(f->d->arena, (bus_yaml_count(inputs) + 1) * sizeof(*input));
	f->d->pub.input_age = input;
	for (struct bus_yaml_node *i = inputs->first; i && rc == BUS_OK; i = i->next, input++) {
		input->table = gw_front_keep(f, i->key);
		rc = read_age(f, inputs, i->key, &input->max_age_s);
		f->d->pub.n_input_ages++;
	}
	return rc == BUS_OK ? bus_yaml_no_more(f->y, n, f->err) : rc;
}

/* complete: {rows: 100000, nik: 0.98} */
static enum bus_err read_complete(struct gw_front *f, struct bus_yaml_node *root)
{
	struct bus_yaml_node *n = bus_yaml_get(root, "complete");
	const char *text = NULL;
	enum bus_err rc = BUS_OK;
	double share;
	size_t at;
	char *end;

	if (!n)
		return BUS_OK;
	if (n->kind != BUS_YAML_MAP || !n->first)
		return bus_yaml_fail(f->y, n, f->err, "'complete' wants {rows: 1000, column: 0.98}");
	if (f->d->pub.dated)
		return bus_yaml_fail(f->y, n, f->err,
				     "'complete': a view that depends on the day has no one number of rows");
	if (bus_yaml_get(n, "rows"))
		rc = bus_yaml_int(f->y, n, "rows", true, 1, INT64_MAX, &f->d->pub.least_rows, f->err);
	for (struct bus_yaml_node *c = n->first; c && rc == BUS_OK; c = c->next) {
		if (strcmp(c->key, "rows") == 0)
			continue;
		rc = gw_front_column(f, c, "complete", c->key, &at);
		if (rc == BUS_OK)
			rc = bus_yaml_str(f->y, n, c->key, true, &text, f->err);
		if (rc != BUS_OK)
			break;
		share = strtod(text, &end);
		if (end == text || *end != '\0' || !(share > 0 && share <= 1))
			return bus_yaml_fail(
			    f->y, c, f->err,
			    "%s '%.40s': the share of rows that have it, above 0 and at most 1", c->key,
			    text);
		f->column[at].least_share = share;
	}
	return rc == BUS_OK ? bus_yaml_no_more(f->y, n, f->err) : rc;
}

enum bus_err gw_front_promises(struct gw_front *f, struct bus_yaml_node *root)
{
	enum bus_err rc = read_freshness(f, root);

	return rc == BUS_OK ? read_complete(f, root) : rc;
}
