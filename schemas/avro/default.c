/* Default values: do they fit their type, and what are their bytes.
 *
 * Rules: Avro Java's isValidDefault and ResolvingGrammarGenerator.encode, which do not agree with each other:
 * the default of a union may be of any branch (1.12), but the bytes are of the first that looks like it.
 * Hostile schemas make defaults that grow without end through the defaults of other records; depth and steps
 * are bounded, and over the bound a default does not fit. */
#include <math.h>

#include "bus/utf8.h"
#include "schemas/avro/write.h"
#include "schemas/avro/schema_impl.h"

#define DEPTH_MAX 100
#define STEPS_MAX 100000	 /* for one default */
#define SCHEMA_STEPS_MAX 1000000 /* for all of a schema */
#define BYTES_MAX ((size_t)1024 * 1024)

struct walk {
	int depth;
	int steps;
};

bool schema_whole(const struct bus_json *v, int64_t *out)
{
	if (v->type != BUS_JSON_NUMBER)
		return false;
	for (size_t i = 0; i < v->text.n; i++)
		if (v->text.p[i] == '.' || v->text.p[i] == 'e' || v->text.p[i] == 'E')
			return false;
	return bus_json_int(v, out) == BUS_OK;
}

/* A decimal of few digits without exponent: both parts of the quotient are exact, so it is rounded once. */
static bool short_real(struct bus_str s, double *out)
{
	static const double ten[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,	1e6,  1e7,
				      1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
	const bool negative = s.p[0] == '-';
	int64_t n = 0;
	size_t point = s.n;

	if (s.n - negative > 16)
		return false;
	for (size_t i = negative; i < s.n; i++) {
		if (s.p[i] == '.')
			point = i + 1;
		else if (s.p[i] >= '0' && s.p[i] <= '9')
			n = n * 10 + (s.p[i] - '0');
		else
			return false;
	}
	if (n > INT64_C(999999999999999))
		return false;
	*out = (double)n / ten[s.n - point];
	*out = negative ? -*out : *out;
	return true;
}

bool schema_real(const struct bus_json *v, double *out)
{
	char text[512];
	char *end;

	if (v->type == BUS_JSON_STRING) {
		if (bus_str_is(v->text, "NaN"))
			*out = (double)NAN;
		else if (bus_str_is(v->text, "Infinity"))
			*out = (double)INFINITY;
		else if (bus_str_is(v->text, "-Infinity"))
			*out = -(double)INFINITY;
		else
			return false;
		return true;
	}
	if (v->type != BUS_JSON_NUMBER || v->text.n >= sizeof(text))
		return false;
	if (short_real(v->text, out))
		return true;
	memcpy(text, v->text.p, v->text.n);
	text[v->text.n] = '\0';
	*out = strtod(text, &end);
	return *end == '\0';
}

bool schema_latin1(struct bus_str utf8, struct bus_buf *out)
{
	for (size_t i = 0; i < utf8.n; i++) {
		unsigned char c = (unsigned char)utf8.p[i];

		if (c >= 0x80) {
			/* Two bytes that begin with C2 or C3 are U+0080..U+00FF. */
			if (c > 0xc3 || i + 1 == utf8.n)
				return false;
			c = (unsigned char)((c & 3) << 6 | ((unsigned char)utf8.p[++i] & 0x3f));
		}
		bus_buf_putc(out, (char)c);
	}
	return true;
}

static enum schema_fit fits(struct walk *w, const struct schema_node *type, const struct bus_json *v);

static enum schema_fit fits_all(struct walk *w, const struct schema_node *item, const struct bus_json *v)
{
	for (const struct bus_json *child = v->first; child; child = child->next) {
		enum schema_fit fit = fits(w, item, child);

		if (fit != SCHEMA_FITS)
			return fit;
	}
	return SCHEMA_FITS;
}

/* NaN and the infinities, which JSON has no numbers for, are text in a field's own default, nowhere else. */
static bool is_special(const struct schema_node *type, const struct bus_json *v)
{
	double real;

	return type && (type->type == SCHEMA_FLOAT || type->type == SCHEMA_DOUBLE) &&
	       v->type == BUS_JSON_STRING && schema_real(v, &real);
}

static enum schema_fit fits_field(struct walk *w, const struct schema_field *field)
{
	return is_special(field->type, field->fallback) ? SCHEMA_FITS : fits(w, field->type, field->fallback);
}

static enum schema_fit fits_record(struct walk *w, const struct schema_node *type, const struct bus_json *v)
{
	if (v->type != BUS_JSON_OBJECT)
		return SCHEMA_MISFIT;
	/* A record without its table is still being read: its default cannot hold a value of itself, nor, as
	 * in Java, of another branch beside it. */
	if (!type->sorted) {
		w->steps = STEPS_MAX;
		return SCHEMA_MISFIT;
	}
	for (size_t i = 0; i < type->n; i++) {
		const struct bus_json *given = bus_json_get(v, type->field[i].name);
		enum schema_fit fit = SCHEMA_MISFIT;

		w->steps += (int)(v->n / 64); /* the look-up is a walk along the members */
		if (given)
			fit = fits(w, type->field[i].type, given);
		else if (type->field[i].fallback)
			fit = fits_field(w, &type->field[i]);
		if (fit != SCHEMA_FITS)
			return fit;
	}
	return SCHEMA_FITS;
}

static enum schema_fit fits_union(struct walk *w, const struct schema_node *type, const struct bus_json *v)
{
	for (size_t i = 0; i < type->n; i++) {
		enum schema_fit fit = fits(w, type->branch[i], v);

		if (fit != SCHEMA_MISFIT)
			return fit;
	}
	return SCHEMA_MISFIT;
}

static bool fits_scalar(const struct schema_node *type, const struct bus_json *v)
{
	int64_t whole;
	double real;

	switch (type->type) {
	case SCHEMA_NULL:
		return v->type == BUS_JSON_NULL;
	case SCHEMA_BOOLEAN:
		return v->type == BUS_JSON_TRUE || v->type == BUS_JSON_FALSE;
	case SCHEMA_INT:
		return schema_whole(v, &whole) && whole >= INT32_MIN && whole <= INT32_MAX;
	case SCHEMA_LONG:
		return schema_whole(v, &whole);
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return v->type == BUS_JSON_NUMBER && schema_real(v, &real);
	default: /* text in JSON; what it says is looked at when it is used, as Java does */
		return v->type == BUS_JSON_STRING;
	}
}

static enum schema_fit fits(struct walk *w, const struct schema_node *type, const struct bus_json *v)
{
	enum schema_fit fit;

	/* Until it is known, Java holds it for a record without fields: so the value is an object already. */
	if (!type)
		return v->type == BUS_JSON_OBJECT ? SCHEMA_FIT_OPEN : SCHEMA_MISFIT;
	if (w->depth == DEPTH_MAX || w->steps++ >= STEPS_MAX) {
		w->steps = STEPS_MAX; /* and every other way is closed too */
		return SCHEMA_MISFIT;
	}
	w->depth++;
	switch (type->type) {
	case SCHEMA_RECORD:
		fit = fits_record(w, type, v);
		break;
	case SCHEMA_ARRAY:
		fit = v->type == BUS_JSON_ARRAY ? fits_all(w, type->item, v) : SCHEMA_MISFIT;
		break;
	case SCHEMA_MAP:
		fit = v->type == BUS_JSON_OBJECT ? fits_all(w, type->item, v) : SCHEMA_MISFIT;
		break;
	case SCHEMA_UNION:
		fit = fits_union(w, type, v);
		break;
	default:
		fit = fits_scalar(type, v) ? SCHEMA_FITS : SCHEMA_MISFIT;
	}
	w->depth--;
	return fit;
}

enum schema_fit schema_default_fits(const struct schema_node *type, const struct bus_json *value, int *steps)
{
	struct walk w = { 0 };
	enum schema_fit fit = SCHEMA_MISFIT;

	if (is_special(type, value))
		return SCHEMA_FITS;
	if (*steps < SCHEMA_STEPS_MAX)
		fit = fits(&w, type, value);
	*steps += w.steps;
	return fit;
}

static enum bus_err encode(struct walk *w, const struct schema_node *type, const struct bus_json *v,
			   struct bus_buf *out);

/* A field's own default; NULL: it has none. */
static enum bus_err encode_own(struct walk *w, const struct schema_node *type, const struct bus_json *v,
			       struct bus_buf *out)
{
	double real;

	if (!v)
		return BUS_EDATA;
	if (!is_special(type, v))
		return encode(w, type, v, out);
	(void)schema_real(v, &real);
	if (type->type == SCHEMA_FLOAT)
		schema_put_float(out, (float)real);
	else
		schema_put_double(out, real);
	return BUS_OK;
}

static enum bus_err encode_record(struct walk *w, const struct schema_node *type, const struct bus_json *v,
				  struct bus_buf *out)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < type->n && rc == BUS_OK; i++) {
		const struct bus_json *given = bus_json_get(v, type->field[i].name);

		w->steps += (int)(v->n / 64);
		if (given)
			rc = encode(w, type->field[i].type, given, out);
		else
			rc = encode_own(w, type->field[i].type, type->field[i].fallback, out);
	}
	return rc;
}

static enum bus_err encode_items(struct walk *w, const struct schema_node *type, const struct bus_json *v,
				 struct bus_buf *out)
{
	if (v->n > 0)
		schema_put_long(out, (int64_t)v->n);
	for (const struct bus_json *child = v->first; child; child = child->next) {
		enum bus_err rc;

		if (type->type == SCHEMA_MAP) {
			if (v->type != BUS_JSON_OBJECT)
				return BUS_EDATA;
			schema_put_text(out, child->name);
		}
		rc = encode(w, type->item, child, out);
		if (rc != BUS_OK)
			return rc;
	}
	schema_put_long(out, 0);
	return BUS_OK;
}

/* What Java takes for a branch of a default: it looks at the kind of the JSON only, and not even at that
 * where the branch is a record, enum, array or map. So null for ["array of int", "null"] is an empty array.
 */
static bool is_taken(const struct schema_node *branch, const struct bus_json *v)
{
	switch (branch->type) {
	case SCHEMA_NULL:
		return v->type == BUS_JSON_NULL;
	case SCHEMA_BOOLEAN:
		return v->type == BUS_JSON_TRUE || v->type == BUS_JSON_FALSE;
	case SCHEMA_INT:
	case SCHEMA_LONG:
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return v->type == BUS_JSON_NUMBER;
	case SCHEMA_BYTES:
	case SCHEMA_STRING:
	case SCHEMA_FIXED:
		return v->type == BUS_JSON_STRING;
	default:
		return true;
	}
}

static enum bus_err encode_union(struct walk *w, const struct schema_node *type, const struct bus_json *v,
				 struct bus_buf *out)
{
	for (size_t i = 0; i < type->n; i++) {
		if (!is_taken(type->branch[i], v))
			continue;
		schema_put_long(out, (int64_t)i);
		return encode(w, type->branch[i], v, out);
	}
	return BUS_EDATA;
}

/* Bytes and fixed. Java cuts or fills a fixed of another length and writes '?' for what is no byte. */
static enum bus_err encode_bytes(const struct schema_node *type, const struct bus_json *v,
				 struct bus_buf *out)
{
	struct bus_buf raw = { 0 };
	size_t i = 0;

	while (i < v->text.n) {
		size_t len = bus_utf8_len(v->text.p + i, v->text.n - i);
		size_t n = len > 0 ? len : 1;

		if (!schema_latin1((struct bus_str){ v->text.p + i, n }, &raw))
			bus_buf_putc(&raw, '?');
		i += n;
	}
	if (type->type == SCHEMA_BYTES) {
		schema_put_text(out, bus_buf_str(&raw));
	} else {
		size_t n = raw.n < type->size ? raw.n : type->size;

		if (type->size > BYTES_MAX) {
			bus_buf_release(&raw);
			return BUS_ETOOBIG;
		}
		bus_buf_put(out, raw.p, n);
		while (n++ < type->size)
			bus_buf_putc(out, '\0');
	}
	bus_buf_release(&raw);
	return BUS_OK;
}

/* Any number as a whole one, as Java narrows it: a fraction is cut, a whole number keeps its low bits. */
static int64_t narrowed(const struct schema_node *type, const struct bus_json *v)
{
	int64_t whole = 0;
	double real = 0;

	if (schema_whole(v, &whole))
		return type->type == SCHEMA_INT ? (int32_t)(uint32_t)(uint64_t)whole : whole;
	(void)schema_real(v, &real);
	if (type->type == SCHEMA_INT)
		return real >= INT32_MAX ? INT32_MAX : real <= INT32_MIN ? INT32_MIN : (int64_t)real;
	return real >= 0x1p63 ? INT64_MAX : real <= -0x1p63 ? INT64_MIN : (int64_t)real;
}

static void encode_number(const struct schema_node *type, const struct bus_json *v, struct bus_buf *out)
{
	double real = 0;

	switch (type->type) {
	case SCHEMA_INT:
	case SCHEMA_LONG:
		schema_put_long(out, narrowed(type, v));
		return;
	case SCHEMA_FLOAT:
		if (schema_real(v, &real))
			schema_put_float(out, (float)real);
		return;
	default:
		if (schema_real(v, &real))
			schema_put_double(out, real);
	}
}

static enum bus_err encode_taken(struct walk *w, const struct schema_node *type, const struct bus_json *v,
				 struct bus_buf *out)
{
	int32_t i;

	switch (type->type) {
	case SCHEMA_NULL:
		return BUS_OK;
	case SCHEMA_BOOLEAN:
		schema_put_boolean(out, v->type == BUS_JSON_TRUE);
		return BUS_OK;
	case SCHEMA_STRING:
		schema_put_text(out, v->text);
		return BUS_OK;
	case SCHEMA_BYTES:
	case SCHEMA_FIXED:
		return encode_bytes(type, v, out);
	case SCHEMA_ENUM:
		i = v->type == BUS_JSON_STRING ? schema_position(type, v->text) : -1;
		if (i < 0)
			return BUS_EDATA;
		schema_put_long(out, i);
		return BUS_OK;
	case SCHEMA_RECORD:
		return encode_record(w, type, v, out);
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		return encode_items(w, type, v, out);
	case SCHEMA_UNION:
		return encode_union(w, type, v, out);
	default:
		encode_number(type, v, out);
		return BUS_OK;
	}
}

static enum bus_err encode(struct walk *w, const struct schema_node *type, const struct bus_json *v,
			   struct bus_buf *out)
{
	enum bus_err rc;

	if (w->depth == DEPTH_MAX || w->steps++ >= STEPS_MAX || out->n > BYTES_MAX)
		return BUS_ETOOBIG;
	if (!is_taken(type, v))
		return BUS_EDATA;
	w->depth++;
	rc = encode_taken(w, type, v, out);
	w->depth--;
	return rc;
}

enum bus_err schema_default_encode(const struct schema_node *type, const struct bus_json *value,
				   struct bus_buf *out)
{
	struct walk w = { 0 };
	struct bus_buf b = { 0 };
	enum bus_err rc = encode_own(&w, type, value, &b);

	if (rc == BUS_OK)
		bus_buf_put(out, b.p, b.n);
	bus_buf_release(&b);
	return rc;
}
