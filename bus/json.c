/* The puller: a token may be split anywhere between two feeds, even inside an escape or a character.
 *
 * A token that lies in one piece is handed out as a range of it; of one that does not, or that has escapes,
 * what is known so far is kept in `held`, which never grows beyond the limit.
 */
#include "bus/json_impl.h"

struct bus_json_puller *bus_json_puller_new(const struct bus_json_limits *limits)
{
	struct bus_json_puller *j = bus_xcalloc(1, sizeof(*j));

	j->depth_max = bus_json_depth_max(limits);
	j->text_max = bus_json_text_max(limits);
	bus_json_puller_reset(j);
	return j;
}

void bus_json_puller_free(struct bus_json_puller **j)
{
	if (!*j)
		return;
	bus_buf_release(&(*j)->held);
	free(*j);
	*j = NULL;
}

void bus_json_puller_reset(struct bus_json_puller *j)
{
	*j = (struct bus_json_puller){
		.depth_max = j->depth_max,
		.text_max = j->text_max,
		.held = j->held,
		.token = TOKEN_BOM,
		.line = 1,
		.token_line = 1,
	};
	bus_buf_reset(&j->held);
}

void bus_json_feed(struct bus_json_puller *j, const char *p, size_t n, bool last)
{
	assert(j->p == j->end && !j->last);
	j->before += (uint64_t)(j->end - j->piece);
	p = n ? p : ""; /* NULL may come with nothing */
	j->piece = p;
	j->p = p;
	j->end = p + n;
	j->from = p;
	j->last = last;
}

uint64_t bus_json_line(const struct bus_json_puller *j)
{
	return j->token_line;
}

uint64_t bus_json_offset(const struct bus_json_puller *j)
{
	return j->before + (uint64_t)(j->p - j->piece);
}

int bus_json_depth(const struct bus_json_puller *j)
{
	return j->depth;
}

static bool in_object(const struct bus_json_puller *j)
{
	int d = j->depth - 1;

	return d >= 0 && (j->is_object[d / 64] >> (d % 64) & 1);
}

/* Every place where the bytes run out comes here. */
static enum bus_err need_more(struct bus_json_puller *j, enum bus_json_type *type)
{
	if (j->last)
		return bus_json_fail(j, BUS_EPARSE, "the text ends too early");
	*type = BUS_JSON_MORE;
	return BUS_OK;
}

static void begin_token(struct bus_json_puller *j, enum token token)
{
	j->token = token;
	j->holding = false;
	bus_buf_reset(&j->held);
	j->from = j->p;
	j->count = 0;
}

/* The token's text ends before p. */
static enum bus_err end_text(struct bus_json_puller *j, struct bus_str *text)
{
	size_t n = (size_t)(j->p - j->from);

	j->token = TOKEN_NONE;
	if (j->holding) {
		enum bus_err rc = bus_json_hold_rest(j);

		*text = bus_buf_str(&j->held);
		return rc;
	}
	*text = (struct bus_str){ j->from, n };
	return n > j->text_max ? bus_json_fail(j, BUS_ETOOBIG, "a string or number is longer than allowed")
			       : BUS_OK;
}

static void value_done(struct bus_json_puller *j)
{
	j->expect = j->depth == 0 ? EXPECT_NOTHING : EXPECT_COMMA_OR_END;
}

/* --- strings --- */

/* Goes on with a string; *done: it is complete, and text is it. */
static enum bus_err pull_string(struct bus_json_puller *j, bool *done, struct bus_str *text)
{
	enum bus_err rc = BUS_OK;

	*done = false;
	while (rc == BUS_OK && j->p < j->end) {
		if (j->in_string != PLAIN) {
			rc = bus_json_special_byte(j);
			continue;
		}
		j->p = bus_json_plain_end(j->p, j->end);
		if (j->p == j->end)
			break;
		if (*j->p == '"') {
			*done = true;
			rc = end_text(j, text);
			j->p++;
			return rc;
		}
		if (*j->p == '\\') {
			rc = bus_json_hold_rest(j);
			j->p++;
			j->in_string = ESCAPE;
		} else if ((unsigned char)*j->p < 0x20) {
			rc = bus_json_fail(j, BUS_EPARSE, "a control character in a string must be escaped");
		} else {
			rc = bus_json_wide_character(j);
		}
	}
	if (rc == BUS_OK && j->in_string == PLAIN)
		rc = bus_json_hold_rest(j);
	return rc;
}

/* --- numbers and words --- */

/* False: c does not belong to the number. */
static bool number_byte(struct bus_json_puller *j, char c)
{
	bool digit = c >= '0' && c <= '9';
	bool e = c == 'e' || c == 'E';

	switch (j->in_number) {
	case SIGN:
		j->in_number = c == '0' ? ZERO : WHOLE;
		return digit;
	case WHOLE:
		if (digit)
			return true;
		/* fall through */
	case ZERO:
		if (c == '.')
			j->in_number = POINT;
		else if (e)
			j->in_number = E;
		return c == '.' || e;
	case POINT:
		j->in_number = FRACTION;
		return digit;
	case FRACTION:
		if (e)
			j->in_number = E;
		return digit || e;
	case E:
		if (!digit && c != '+' && c != '-')
			return false;
		j->in_number = digit ? POWER : E_SIGN;
		return true;
	case E_SIGN:
		j->in_number = POWER;
		return digit;
	case POWER:
	default:
		return digit;
	}
}

static bool number_may_end(enum in_number s)
{
	return s == ZERO || s == WHOLE || s == FRACTION || s == POWER;
}

static enum bus_err pull_number(struct bus_json_puller *j, bool *done, struct bus_str *text)
{
	*done = false;
	while (j->p < j->end) {
		enum in_number before = j->in_number;

		if (number_byte(j, *j->p)) {
			j->p++;
			continue;
		}
		if (!number_may_end(before))
			return bus_json_fail(j, BUS_EPARSE, "a digit must follow");
		*done = true;
		return end_text(j, text);
	}
	if (j->last && number_may_end(j->in_number)) {
		*done = true;
		return end_text(j, text);
	}
	return bus_json_hold_rest(j);
}

static enum bus_err pull_literal(struct bus_json_puller *j, bool *done)
{
	*done = false;
	while (j->p < j->end && j->literal[j->count]) {
		if (*j->p != j->literal[j->count])
			return bus_json_fail(j, BUS_EPARSE, "neither true, false nor null");
		j->p++;
		j->count++;
	}
	*done = !j->literal[j->count];
	if (*done)
		j->token = TOKEN_NONE;
	return BUS_OK;
}

static enum bus_err pull_bom(struct bus_json_puller *j, bool *done)
{
	*done = false;
	while (j->p < j->end && j->count < 3) {
		if (*j->p != BUS_JSON_BOM[j->count]) {
			*done = true;
			j->token = TOKEN_NONE;
			return j->count == 0 ? BUS_OK
					     : bus_json_fail(j, BUS_EPARSE, "a value must stand here");
		}
		j->p++;
		j->count++;
	}
	*done = j->count == 3 || (j->last && j->count == 0);
	if (*done)
		j->token = TOKEN_NONE;
	return BUS_OK;
}

/* Goes on with the token that has begun. */
static enum bus_err pull_token(struct bus_json_puller *j, bool *done, enum bus_json_type *type,
			       struct bus_str *text)
{
	enum bus_err rc;

	switch (j->token) {
	case TOKEN_STRING:
		rc = pull_string(j, done, text);
		*type = j->is_name ? BUS_JSON_NAME : BUS_JSON_STRING;
		break;
	case TOKEN_NUMBER:
		rc = pull_number(j, done, text);
		*type = BUS_JSON_NUMBER;
		break;
	default:
		assert(j->token == TOKEN_LITERAL);
		rc = pull_literal(j, done);
		*type = j->literal_type;
		break;
	}
	if (rc != BUS_OK)
		return rc;
	if (!*done)
		return need_more(j, type);
	if (*type == BUS_JSON_NAME)
		j->expect = EXPECT_COLON;
	else
		value_done(j);
	return BUS_OK;
}

/* --- structure --- */

static void begin_string(struct bus_json_puller *j, bool is_name)
{
	j->p++;
	begin_token(j, TOKEN_STRING);
	j->in_string = PLAIN;
	j->is_name = is_name;
}

static void begin_literal(struct bus_json_puller *j, const char *word, enum bus_json_type type)
{
	begin_token(j, TOKEN_LITERAL);
	j->literal = word;
	j->literal_type = type;
}

static enum bus_err begin_container(struct bus_json_puller *j, bool object, enum bus_json_type *type)
{
	uint64_t bit = UINT64_C(1) << (j->depth % 64);
	uint64_t *bits = &j->is_object[j->depth / 64];

	if (j->depth == j->depth_max)
		return bus_json_fail(j, BUS_ETOOBIG, "nested deeper than allowed");
	*bits = object ? *bits | bit : *bits & ~bit;
	j->depth++;
	j->p++;
	j->expect = object ? EXPECT_NAME_OR_END : EXPECT_VALUE_OR_END;
	*type = object ? BUS_JSON_OBJECT : BUS_JSON_ARRAY;
	return BUS_OK;
}

static void end_container(struct bus_json_puller *j, enum bus_json_type *type)
{
	*type = in_object(j) ? BUS_JSON_OBJECT_END : BUS_JSON_ARRAY_END;
	j->depth--;
	j->p++;
	value_done(j);
}

/* A value begins at p; *whole: it is a token by itself. */
static enum bus_err begin_value(struct bus_json_puller *j, bool *whole, enum bus_json_type *type)
{
	char c = *j->p;

	if (c == '{' || c == '[') {
		*whole = true;
		return begin_container(j, c == '{', type);
	}
	if (c == '"') {
		begin_string(j, false);
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		begin_token(j, TOKEN_NUMBER);
		j->in_number = c == '-' ? SIGN : c == '0' ? ZERO : WHOLE;
		j->p++;
	} else if (c == 't') {
		begin_literal(j, "true", BUS_JSON_TRUE);
	} else if (c == 'f') {
		begin_literal(j, "false", BUS_JSON_FALSE);
	} else if (c == 'n') {
		begin_literal(j, "null", BUS_JSON_NULL);
	} else {
		return bus_json_fail(j, BUS_EPARSE, "a value must stand here");
	}
	return BUS_OK;
}

static void skip_space(struct bus_json_puller *j)
{
	const char *p = j->p;

	for (; p < j->end; p++) {
		if (*p == '\n') {
			j->line++;
			j->line_begin = j->before + (uint64_t)(p - j->piece) + 1;
		} else if (*p != ' ' && *p != '\t' && *p != '\r') {
			break;
		}
	}
	j->p = p;
}

/* Between two tokens, at a byte that is no space. *whole: a token is complete; else one has begun, or
 * punctuation was passed. */
static enum bus_err structure(struct bus_json_puller *j, bool *whole, enum bus_json_type *type)
{
	char c = *j->p;

	*whole = false;
	switch (j->expect) {
	case EXPECT_COLON:
		if (c != ':')
			return bus_json_fail(j, BUS_EPARSE, "a ':' must follow the name");
		j->p++;
		j->expect = EXPECT_VALUE;
		return BUS_OK;
	case EXPECT_COMMA_OR_END:
		if (c == ',') {
			j->p++;
			j->expect = in_object(j) ? EXPECT_NAME : EXPECT_VALUE;
			return BUS_OK;
		}
		if (c != (in_object(j) ? '}' : ']'))
			return bus_json_fail(j, BUS_EPARSE,
					     "',' or the end of the object or array must stand here");
		*whole = true;
		end_container(j, type);
		return BUS_OK;
	case EXPECT_NAME_OR_END:
	case EXPECT_NAME:
		if (c == '}' && j->expect == EXPECT_NAME_OR_END) {
			*whole = true;
			end_container(j, type);
			return BUS_OK;
		}
		if (c != '"')
			return bus_json_fail(j, BUS_EPARSE, "a name in quotes must stand here");
		begin_string(j, true);
		return BUS_OK;
	case EXPECT_NOTHING:
		return bus_json_fail(j, BUS_EPARSE, "nothing may follow the value");
	case EXPECT_VALUE_OR_END:
		if (c == ']') {
			*whole = true;
			end_container(j, type);
			return BUS_OK;
		}
		return begin_value(j, whole, type);
	case EXPECT_VALUE:
	default:
		return begin_value(j, whole, type);
	}
}

static enum bus_err pull(struct bus_json_puller *j, enum bus_json_type *type, struct bus_str *text)
{
	bool done;
	enum bus_err rc;

	if (j->token == TOKEN_BOM) {
		rc = pull_bom(j, &done);
		if (rc != BUS_OK)
			return rc;
		if (!done)
			return need_more(j, type);
	}
	while (j->token == TOKEN_NONE) {
		skip_space(j);
		if (j->p == j->end && j->last && j->expect == EXPECT_NOTHING) {
			*type = BUS_JSON_END;
			return BUS_OK;
		}
		if (j->p == j->end)
			return need_more(j, type);
		j->token_line = j->line;
		rc = structure(j, &done, type);
		if (rc != BUS_OK || done)
			return rc;
	}
	return pull_token(j, &done, type, text);
}

enum bus_err bus_json_next(struct bus_json_puller *j, enum bus_json_type *type, struct bus_str *text,
			   struct bus_error *err)
{
	*text = (struct bus_str){ NULL, 0 };
	*type = BUS_JSON_MORE;
	if (j->failed.code == BUS_OK)
		(void)!pull(j, type, text);
	if (j->failed.code != BUS_OK && err)
		*err = j->failed;
	return j->failed.code;
}
