/* bus/json_impl.h - the puller's inside, for json.c and json_escape.c. */
#ifndef BUS_JSON_IMPL_H
#define BUS_JSON_IMPL_H

#include "bus/json_lex.h"

enum expect {
	EXPECT_VALUE,
	EXPECT_VALUE_OR_END, /* after '[' */
	EXPECT_NAME,	     /* after ',' in an object */
	EXPECT_NAME_OR_END,  /* after '{' */
	EXPECT_COLON,
	EXPECT_COMMA_OR_END,
	EXPECT_NOTHING, /* the top-level value is complete */
};

enum token { /* the one that has begun and is not complete */
	     TOKEN_NONE,
	     TOKEN_BOM,
	     TOKEN_STRING,
	     TOKEN_NUMBER,
	     TOKEN_LITERAL,
};

enum in_string { PLAIN, ESCAPE, HEX, LOW_SLASH, LOW_U, LOW_HEX, UTF8 };

enum in_number { SIGN, ZERO, WHOLE, POINT, FRACTION, E, E_SIGN, POWER };

struct bus_json_puller {
	const char *p;
	const char *end;
	const char *piece;
	bool last;

	enum expect expect;
	int depth;
	uint64_t is_object[BUS_JSON_DEPTH_MAX / 64]; /* a bit per depth */
	int depth_max;
	size_t text_max;

	enum token token;
	bool is_name;
	const char *from; /* first byte of the token in this piece that is not in held */
	struct bus_buf held;
	bool holding; /* the token's text is (also) in held */
	enum in_string in_string;
	enum in_number in_number;
	int count; /* of hex digits, bytes of a character, or letters of a literal */
	uint32_t hex;
	uint32_t high; /* surrogate that waits for its other half */
	char character[4];
	const char *literal;
	enum bus_json_type literal_type;

	uint64_t before; /* bytes before this piece */
	uint64_t line;
	uint64_t line_begin; /* offset */
	uint64_t token_line;
	struct bus_error failed; /* code is BUS_OK while all is well */
};

/* It has failed, for good, at p. */
enum bus_err bus_json_fail(struct bus_json_puller *j, enum bus_err code, const char *what);
/* Keeps what this piece has of the token. */
enum bus_err bus_json_hold_rest(struct bus_json_puller *j);
/* A character of several bytes begins at p. */
enum bus_err bus_json_wide_character(struct bus_json_puller *j);
/* One byte inside an escape or a cut character. */
enum bus_err bus_json_special_byte(struct bus_json_puller *j);

#endif
