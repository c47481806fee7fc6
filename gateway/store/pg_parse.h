/* The inside of gateway/store/pg_sql.h, for its own files only: gw_pgsql_lex.c, gw_pgsql_expr.c, gw_pgsql_one.c, gw_pgsql_call.c, gw_pgsql_select.c, pg_write.c, pg_define.c, pg_sql.c. */
#ifndef GATEWAY_STORE_PG_PARSE_H
#define GATEWAY_STORE_PG_PARSE_H

#include "gateway/store/pg_sql.h"

#define TOKENS_MAX 100000
#define DEPTH_MAX 200

enum pg_token_type { PG_END, PG_WORD, PG_NAME /* quoted */, PG_INT, PG_REAL, PG_STRING, PG_PARAM, PG_SIGN };
struct pg_token {
	enum pg_token_type type;
	const char *p;
	size_t n;
};

/* What an expression is, as far as it matters. */
enum gw_pgsql_is {
	PG_VALUE,
	PG_TRUTH /* a boolean of PostgreSQL */,
	PG_JSON /* text that JSON takes as it is */
};

struct pg_parse {
	struct pg_token *t;
	size_t n, at;
	const struct gw_pg_world *world;
	struct gw_pg_text *out;
	struct bus_error *err;
	enum bus_err rc;
	int depth, subqueries;
	struct pg_sum { /* outputs of the SELECT in hand that HAVING calls by name: our own alone, _d_... */
		const struct pg_token *name;
		char *text;
	} sum[200];
	size_t n_sums;
	bool having;
	const char *target; /* of DO UPDATE: a name alone is a column of it */
	bool lists;	    /* an aggregate of the SELECT in hand lists its rows in their order */
};

enum bus_err gw_pgsql_lex(const char *sql, struct pg_parse *p, const char **rest);
enum bus_err gw_pgsql_fail(struct pg_parse *p, const char *fmt, ...) BUS_PRINTF(2, 3);

/* Tokens. A word is compared without case. */
const struct pg_token *gw_pgsql_peek(const struct pg_parse *p, size_t ahead);
bool gw_pgsql_is(const struct pg_parse *p, size_t ahead, const char *word);
bool gw_pgsql_take(struct pg_parse *p, const char *word); /* takes it if it stands there */
void gw_pgsql_want(struct pg_parse *p, const char *word);
bool gw_pgsql_is_name(const struct pg_parse *p, size_t ahead); /* a name, quoted or no word of the language */
void gw_pgsql_put_name(struct pg_parse *p, struct bus_buf *out);  /* takes a name */
char *gw_pgsql_take_name(struct pg_parse *p);			  /* the caller owns it */
void gw_pgsql_put_table(struct pg_parse *p, struct bus_buf *out); /* [main.|temp.]name */

/* gw_pgsql_expr.c */
enum gw_pgsql_is gw_pgsql_expr(struct pg_parse *p, struct bus_buf *out);
void gw_pgsql_value(struct pg_parse *p, struct bus_buf *out); /* an expression as a value */
void gw_pgsql_truth(struct pg_parse *p, struct bus_buf *out);
void gw_pgsql_values(struct pg_parse *p, struct bus_buf *out); /* some, parted by commas */
enum gw_pgsql_is gw_pgsql_operand(struct pg_parse *p,
				  struct bus_buf *out); /* nothing but signs before one binds stronger */
void gw_pgsql_as_value(struct bus_buf *b, enum gw_pgsql_is is, struct bus_buf *out);
/* gw_pgsql_one.c: one operand, without its signs behind. */
enum gw_pgsql_is gw_pgsql_one(struct pg_parse *p, struct bus_buf *out);
/* gw_pgsql_call.c: name and "(" were seen; p stands behind "(". */
enum gw_pgsql_is gw_pgsql_call(struct pg_parse *p, const char *name, struct bus_buf *out);
/* gw_pgsql_select.c: *ordered (may be NULL): it has an ORDER BY of its own. */
void gw_pgsql_select(struct pg_parse *p, struct bus_buf *out, bool *ordered);
bool gw_pgsql_starts_select(const struct pg_parse *p, size_t ahead);
/* pg_write.c, pg_define.c: statements, into p->out. */
void gw_pgsql_insert(struct pg_parse *p);
void gw_pgsql_update(struct pg_parse *p);
void gw_pgsql_delete(struct pg_parse *p);
void gw_pgsql_create(struct pg_parse *p);
void gw_pgsql_drop(struct pg_parse *p);
void gw_pgsql_alter(struct pg_parse *p);

#endif
