/* gateway/define/world.h - the tables there are, and what their columns are: what a definition is checked
 * against. Immutable while it is used; borrowed. Thread: any. */
#ifndef GATEWAY_DEFINE_WORLD_H
#define GATEWAY_DEFINE_WORLD_H

#include "gateway/define/shape.h"

struct gw_world_column {
	const char *name;
	enum gw_type type; /* as SQLite holds it: TEXT, INT, REAL; BOOL and JSON only of views */
	char pdp;	   /* as in struct gw_column; 'N' where nothing is said */
};

struct gw_def;

struct gw_world_table {
	const char *name;
	const char *topic;	  /* NULL: a view that is kept as a table */
	const struct gw_def *def; /* then that view's definition; else NULL */
	const char *key;	  /* its unique column */
	const char *twin;	  /* a field that has the same value as the key; NULL: none */
	const struct gw_world_column *column;
	size_t n_columns;
};

struct gw_world {
	const struct gw_world_table *table;
	size_t n;
};

const struct gw_world_table *gw_world_find(const struct gw_world *w, const char *table); /* NULL; any case */
int gw_world_column(const struct gw_world_table *t, const char *column);		 /* -1; any case */
/* Whether a value of class a says more of a person than one of class b: N, P, U, S and A. */
bool gw_world_graver(char a, char b);

#endif
