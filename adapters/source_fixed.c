/* Records of fixed width with a trailer that says what should have arrived. Options: adapters/README.md.
 * Places and lengths are bytes of the file, before decoding. */
#include <stdio.h>

#include "adapters/source.h"
#include "adapters/source_rules.h"

#define FIELDS_MAX 256
#define TITLES_MAX 1000
#define CONTROL_DIGITS_MAX 18 /* fits int64_t */

struct place {
	size_t from; /* 0-based */
	size_t n;
};

struct control {
	const char *name;
	struct place at; /* in the trailer */
	bool count;	 /* of data records; else a sum */
	struct place sum;
	int64_t counted;
};

struct fixed {
	struct adapter_input *in;
	struct adapter_text text;

	int64_t title_rows;
	struct bus_str header; /* record types; n 0: not declared */
	struct bus_str data;   /* n 0: every line that is not blank and no trailer is data */
	struct bus_str trailer;
	size_t length;
	bool shorter; /* a line whose last spaces were cut off is whole */
	struct adapter_rules rules;
	const char *defect;
	const char *field_name[FIELDS_MAX];
	struct place field[FIELDS_MAX];
	size_t n_fields;
	struct control control[ADAPTER_CONTROLS_MAX];
	size_t n_controls;

	bool trailer_seen;
	int64_t said[ADAPTER_CONTROLS_MAX]; /* in the trailer; -1: not a number */

	struct place *at; /* of each wanted name */
	struct adapter_cell *cell;
	size_t n_wanted;
	char detail[160];
};

static void fixed_close(void *source)
{
	struct fixed *s = source;

	adapter_text_release(&s->text);
	free(s->at);
	free(s->cell);
	free(s);
}

/* ---- options ---- */

/* [from, to] within a record of at most max bytes. */
static enum bus_err conf_place(struct bus_yaml *yaml, struct bus_yaml_node *node, size_t max,
			       struct place *out, struct bus_error *err)
{
	size_t bound[2] = { 0, 0 };
	size_t i = 0;

	if (node->kind != BUS_YAML_LIST || bus_yaml_count(node) != 2)
		return bus_yaml_fail(yaml, node, err, "a place is [from, to], bytes from 1, both included");
	for (struct bus_yaml_node *n = node->first; n; n = n->next, i++) {
		size_t len = n->kind == BUS_YAML_SCALAR ? n->text_len : 0;

		for (size_t k = 0; k < len && k < 8 && n->text[k] >= '0' && n->text[k] <= '9'; k++)
			bound[i] = bound[i] * 10 + (size_t)(n->text[k] - '0');
		if (len == 0 || len > 7 || strspn(n->text, "0123456789") != len)
			return bus_yaml_fail(yaml, n, err, "a place is [from, to], bytes from 1");
	}
	if (bound[0] < 1 || bound[1] < bound[0])
		return bus_yaml_fail(yaml, node, err,
				     "a place counts from 1 and does not end before it begins");
	if (bound[1] > max)
		return bus_yaml_fail(yaml, node, err, "byte %zu lies outside a record of %zu bytes", bound[1],
				     max);
	*out = (struct place){ bound[0] - 1, bound[1] - bound[0] + 1 };
	return BUS_OK;
}

static enum bus_err conf_record(struct bus_yaml *yaml, struct bus_yaml_node *map, struct bus_str *out,
				struct bus_error *err)
{
	const char *type = NULL;
	enum bus_err rc;

	if (map->kind != BUS_YAML_MAP)
		return bus_yaml_fail(yaml, map, err, "'%s' is a map with a key record", map->key);
	rc = adapter_source_word(yaml, map, "record", true, &type, err);
	if (rc == BUS_OK)
		*out = bus_str(type);
	return rc;
}

static enum bus_err conf_data(struct bus_yaml *yaml, struct bus_yaml_node *map, struct fixed *s,
			      struct bus_error *err)
{
	struct bus_yaml_node *fields = bus_yaml_get(map, "fields");
	int64_t length = 0;
	enum bus_err rc;

	if ((bus_yaml_get(map, "record") && (rc = conf_record(yaml, map, &s->data, err)) != BUS_OK) ||
	    (rc = bus_yaml_int(yaml, map, "length", true, 1, 1000000, &length, err)) != BUS_OK ||
	    (rc = bus_yaml_bool(yaml, map, "shorter", false, &s->shorter, err)) != BUS_OK ||
	    (rc = adapter_source_word(yaml, map, "defect", false, &s->defect, err)) != BUS_OK ||
	    (rc = bus_yaml_no_more(yaml, map, err)) != BUS_OK)
		return rc;
	s->length = (size_t)length;
	if (!fields || fields->kind != BUS_YAML_MAP || bus_yaml_count(fields) > FIELDS_MAX)
		return bus_yaml_fail(yaml, fields ? fields : map, err,
				     "data needs fields: {NAME: [from, to], ...}, at most %d", FIELDS_MAX);
	for (struct bus_yaml_node *n = fields->first; n; n = n->next) {
		rc = conf_place(yaml, n, s->length, &s->field[s->n_fields], err);
		if (rc != BUS_OK)
			return rc;
		s->field_name[s->n_fields++] = n->key;
	}
	return BUS_OK;
}

static bool find_field(const struct fixed *s, const char *name, struct place *out)
{
	for (size_t i = 0; i < s->n_fields; i++) {
		if (strcmp(s->field_name[i], name) == 0) {
			*out = s->field[i];
			return true;
		}
	}
	return false;
}

static enum bus_err no_field(struct bus_yaml *yaml, struct bus_yaml_node *at, const struct fixed *s,
			     const char *name, struct bus_error *err)
{
	const char *near = bus_nearest(name, s->field_name, s->n_fields);

	return bus_yaml_fail(yaml, at, err, "data has no field '%s'%s%s%s", name,
			     near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

static enum bus_err conf_control(struct bus_yaml *yaml, struct bus_yaml_node *map, struct fixed *s,
				 struct bus_error *err)
{
	struct control *c = &s->control[s->n_controls];
	struct bus_yaml_node *at = bus_yaml_get(map, "at");
	const char *sum = NULL;
	enum bus_err rc;

	*c = (struct control){ .name = map->key };
	if (strlen(map->key) >= sizeof(((struct adapter_control *)0)->name))
		return bus_yaml_fail(yaml, map, err, "a control's name is at most 31 bytes");
	if (!at)
		return bus_yaml_fail(yaml, map, err,
				     "a control is {at: [from, to], count: true} or sum: FIELD");
	if ((rc = conf_place(yaml, at, ADAPTER_ROW_MAX, &c->at, err)) != BUS_OK ||
	    (rc = bus_yaml_bool(yaml, map, "count", false, &c->count, err)) != BUS_OK ||
	    (rc = adapter_source_word(yaml, map, "sum", false, &sum, err)) != BUS_OK ||
	    (rc = bus_yaml_no_more(yaml, map, err)) != BUS_OK)
		return rc;
	if (c->at.n > CONTROL_DIGITS_MAX)
		return bus_yaml_fail(yaml, at, err, "a control has at most %d digits", CONTROL_DIGITS_MAX);
	if ((sum != NULL) + c->count != 1)
		return bus_yaml_fail(yaml, map, err, "a control needs one of count: true, sum: FIELD");
	if (sum && !find_field(s, sum, &c->sum))
		return no_field(yaml, bus_yaml_get(map, "sum"), s, sum, err);
	if (sum && c->sum.n > CONTROL_DIGITS_MAX)
		return bus_yaml_fail(yaml, bus_yaml_get(map, "sum"), err,
				     "a summed field has at most %d digits", CONTROL_DIGITS_MAX);
	s->n_controls++;
	return BUS_OK;
}

static enum bus_err conf_trailer(struct bus_yaml *yaml, struct bus_yaml_node *map, struct fixed *s,
				 struct bus_error *err)
{
	struct bus_yaml_node *controls = bus_yaml_get(map, "controls");
	enum bus_err rc;

	if ((rc = conf_record(yaml, map, &s->trailer, err)) != BUS_OK ||
	    (rc = bus_yaml_no_more(yaml, map, err)) != BUS_OK)
		return rc;
	if (!controls)
		return BUS_OK;
	if (controls->kind != BUS_YAML_MAP || bus_yaml_count(controls) > ADAPTER_CONTROLS_MAX)
		return bus_yaml_fail(yaml, controls, err, "controls is a map of at most %d controls",
				     ADAPTER_CONTROLS_MAX);
	for (struct bus_yaml_node *n = controls->first; n; n = n->next)
		if ((rc = conf_control(yaml, n, s, err)) != BUS_OK)
			return rc;
	return BUS_OK;
}

static enum bus_err find_rule(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct fixed *s,
			      struct adapter_rule *rule, struct bus_error *err)
{
	for (rule->at = 0; rule->at < s->n_fields; rule->at++)
		if (strcmp(s->field_name[rule->at], rule->column) == 0)
			return BUS_OK;
	return no_field(yaml, conf, s, rule->column, err);
}

static enum bus_err find_rules(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct fixed *s,
			       struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < s->rules.n && rc == BUS_OK; i++)
		rc = find_rule(yaml, conf, s, &s->rules.rule[i], err);
	if (rc == BUS_OK && s->rules.has_end_row)
		rc = find_rule(yaml, conf, s, &s->rules.end_row, err);
	return rc;
}

static enum bus_err configure(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct fixed *s,
			      const char *const *wanted, size_t n_wanted, struct bus_error *err)
{
	struct bus_yaml_node *header = bus_yaml_get(conf, "header");
	struct bus_yaml_node *data = bus_yaml_get(conf, "data");
	struct bus_yaml_node *trailer = bus_yaml_get(conf, "trailer");
	enum adapter_encoding encoding = ADAPTER_UTF8;
	enum bus_err rc;

	s->defect = "panjang_salah";
	if ((rc = adapter_source_encoding(yaml, conf, &encoding, err)) != BUS_OK ||
	    (rc = bus_yaml_int(yaml, conf, "title_rows", false, 0, TITLES_MAX, &s->title_rows, err)) != BUS_OK ||
	    (rc = adapter_rules_conf(yaml, conf, &s->rules, err)) != BUS_OK ||
	    (rc = bus_yaml_no_more(yaml, conf, err)) != BUS_OK)
		return rc;
	if (!data || data->kind != BUS_YAML_MAP)
		return bus_yaml_fail(yaml, data ? data : conf, err,
				     "fixed needs data: {record: ..., length: ...}");
	if (header && ((rc = conf_record(yaml, header, &s->header, err)) != BUS_OK ||
		       (rc = bus_yaml_no_more(yaml, header, err)) != BUS_OK))
		return rc;
	if ((rc = conf_data(yaml, data, s, err)) != BUS_OK)
		return rc;
	if (trailer && (rc = conf_trailer(yaml, trailer, s, err)) != BUS_OK)
		return rc;
	s->at = bus_xcalloc(n_wanted + 1, sizeof(*s->at));
	s->cell = bus_xcalloc(n_wanted + 1, sizeof(*s->cell));
	s->n_wanted = n_wanted;
	for (size_t i = 0; i < n_wanted; i++)
		if (!find_field(s, wanted[i], &s->at[i]))
			return no_field(yaml, bus_yaml_get(data, "fields"), s, wanted[i], err);
	adapter_text_init(&s->text, encoding);
	return find_rules(yaml, conf, s, err);
}

/* ---- rows ---- */

/* What of a field is there in a line that may be shorter. */
static struct bus_str part(struct fixed *s, struct bus_str line, struct place at)
{
	size_t from = at.from < line.n ? at.from : line.n;

	return adapter_text_decode(
	    &s->text, (struct bus_str){ line.p + from, line.n - from < at.n ? line.n - from : at.n });
}

static bool matches(struct fixed *s, struct bus_str line, const struct adapter_rule *rule)
{
	return adapter_rule_holds(rule, part(s, line, s->field[rule->at]));
}

/* A line the options declare to be no data. */
static bool is_passed_over(struct fixed *s, struct bus_str line)
{
	size_t filled = 0;
	bool passed = false;

	adapter_text_row(&s->text, line);
	if (s->rules.has_end_row && matches(s, line, &s->rules.end_row)) {
		s->rules.end_seen = true;
		return true;
	}
	for (size_t i = 0; i < s->rules.n && !passed; i++)
		passed = matches(s, line, &s->rules.rule[i]);
	for (size_t i = 0; i < s->n_fields && s->rules.filled > 0; i++)
		filled += adapter_source_trim(part(s, line, s->field[i])).n > 0;
	return passed || (s->rules.filled > 0 && filled <= s->rules.filled);
}

static bool begins(struct bus_str line, struct bus_str type)
{
	return type.n > 0 && line.n >= type.n && memcmp(line.p, type.p, type.n) == 0;
}

static enum bus_err check_header(struct fixed *s, struct bus_error *err)
{
	struct bus_str line;
	enum bus_err rc;
	bool too_long;

	for (int64_t i = 0; i < s->title_rows; i++) {
		rc = adapter_input_line(s->in, &line, &too_long, err);
		if (rc != BUS_OK)
			return rc == BUS_ENOENT
				   ? bus_fail(err, BUS_EDATA,
					      "berkas berakhir sebelum data / the file ends before its data")
				   : rc;
	}
	if (s->header.n == 0)
		return BUS_OK;
	rc = adapter_input_line(s->in, &line, &too_long, err);
	if (rc == BUS_ENOENT || (rc == BUS_OK && !begins(line, s->header)))
		return bus_fail(
		    err, BUS_EDATA,
		    "baris pertama bukan rekaman kepala '%s' / the first line is no header record '%s'",
		    s->header.p, s->header.p);
	if (rc == BUS_OK && too_long)
		return bus_fail(err, BUS_EDATA, "kepala berkas / the header: %s", ADAPTER_DETAIL_LONG);
	return rc;
}

static enum bus_err fixed_open(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_input *in,
			       const char *const *wanted, size_t n_wanted, void **source,
			       struct bus_error *err)
{
	struct fixed *s = bus_xcalloc(1, sizeof(*s));
	enum bus_err rc;

	*source = NULL;
	s->in = in;
	rc = configure(yaml, conf, s, wanted, n_wanted, err);
	if (rc == BUS_OK && in && (rc = adapter_source_sniff(in, err)) == BUS_OK)
		rc = check_header(s, err);
	if (rc != BUS_OK || !in) {
		fixed_close(s);
		return rc;
	}
	*source = s;
	return BUS_OK;
}

/* A number in digits, blanks around it allowed; blank is 0. False: it is none. */
static bool number(struct bus_str line, struct place at, int64_t *out)
{
	const char *p = line.p + at.from, *end = p + at.n;

	*out = 0;
	while (p < end && *p == ' ')
		p++;
	while (end > p && end[-1] == ' ')
		end--;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		*out = *out * 10 + (*p - '0');
	}
	return true;
}

static void count(struct fixed *s, struct bus_str line, bool whole)
{
	for (size_t i = 0; i < s->n_controls; i++) {
		struct control *c = &s->control[i];
		int64_t value = 1;

		if (c->count || (whole && number(line, c->sum, &value)))
			if (__builtin_add_overflow(c->counted, value, &c->counted))
				c->counted = INT64_MAX;
	}
}

static void read_trailer(struct fixed *s, struct bus_str line)
{
	s->trailer_seen = true;
	for (size_t i = 0; i < s->n_controls; i++) {
		struct place at = s->control[i].at;

		if (at.from + at.n > line.n || !number(line, at, &s->said[i]))
			s->said[i] = -1;
	}
}

static void defect(struct fixed *s, struct adapter_row *row, const char *class, const char *detail)
{
	row->defect = class;
	row->detail = s->detail;
	snprintf(s->detail, sizeof(s->detail), "%s", detail);
}

static bool is_blank(struct bus_str line)
{
	size_t i = 0;

	while (i < line.n && line.p[i] == ' ')
		i++;
	return i == line.n;
}

/* One line. False: it is no data. */
static bool take(struct fixed *s, struct bus_str line, bool too_long, struct adapter_row *row)
{
	bool data = s->data.n > 0 ? begins(line, s->data) : !is_blank(line) && !begins(line, s->trailer);

	if (s->trailer_seen) {
		if (is_blank(line))
			return false;
		defect(s, row, "baris_rusak", "baris setelah rekaman penutup / a line after the trailer");
		return true;
	}
	if (data && !too_long && (s->rules.n > 0 || s->rules.filled > 0 || s->rules.has_end_row) &&
	    is_passed_over(s, line))
		return false;
	if (data)
		count(s, line, !too_long && line.n == s->length);
	if (too_long) {
		defect(s, row, ADAPTER_DEFECT_LONG, ADAPTER_DETAIL_LONG);
		return true;
	}
	if (!data) {
		if (is_blank(line))
			return false;
		if (begins(line, s->trailer)) {
			read_trailer(s, line);
			return false;
		}
		defect(s, row, "baris_rusak", "jenis rekaman tidak dikenal / a record of an unknown type");
		return true;
	}
	if (line.n != s->length && !(s->shorter && line.n < s->length)) {
		row->defect = s->defect;
		row->detail = s->detail;
		snprintf(s->detail, sizeof(s->detail), "%zu byte, seharusnya %zu / %zu bytes, expected %zu",
			 line.n, s->length, line.n, s->length);
		return true;
	}
	if (adapter_has_nul(line)) {
		defect(s, row, "baris_rusak", ADAPTER_DETAIL_NUL);
		return true;
	}
	row->repaired = adapter_text_row(&s->text, line);
	for (size_t i = 0; i < s->n_wanted; i++) {
		s->cell[i].kind = ADAPTER_TEXT;
		s->cell[i].text = part(s, line, s->at[i]);
	}
	row->n_cells = s->n_wanted;
	return true;
}

static enum bus_err fixed_next(void *source, struct adapter_row *row, struct bus_error *err)
{
	struct fixed *s = source;
	struct bus_str line;
	bool too_long;

	do {
		enum bus_err rc = adapter_input_line(s->in, &line, &too_long, err);

		if (rc != BUS_OK)
			return rc;
		*row = (struct adapter_row){ .line = adapter_input_line_number(s->in),
					     .raw = line,
					     .cell = s->cell };
	} while (!take(s, line, too_long, row));
	return BUS_OK;
}

static void fixed_end(void *source, struct adapter_end *out)
{
	struct fixed *s = source;

	*out = (struct adapter_end){ .cut = s->rules.has_end_row && !s->rules.end_seen };
	if (out->cut) {
		adapter_rules_why(&s->rules, out->why, sizeof(out->why));
		return;
	}
	out->cut = s->trailer.n > 0 && !s->trailer_seen;
	if (out->cut) {
		snprintf(out->why, sizeof(out->why),
			 "rekaman penutup '%s' tidak ada / there is no trailer record '%s'", s->trailer.p,
			 s->trailer.p);
		return;
	}
	for (size_t i = 0; i < s->n_controls; i++) {
		struct adapter_control *c = &out->control[out->n_controls];

		if (s->said[i] < 0) {
			out->cut = true;
			snprintf(out->why, sizeof(out->why),
				 "rekaman penutup tidak terbaca / the trailer has no number for '%s'",
				 s->control[i].name);
			continue;
		}
		snprintf(c->name, sizeof(c->name), "%s", s->control[i].name);
		c->said = s->said[i];
		c->counted = s->control[i].counted;
		out->n_controls++;
	}
}

const struct adapter_source_kind adapter_source_fixed = {
	.name = "fixed",
	.open = fixed_open,
	.next = fixed_next,
	.end = fixed_end,
	.close = fixed_close,
};
