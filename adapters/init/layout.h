/* adapters/init/layout.h - which rows of a grid are a table's header, which its records, which neither.
 *
 * Decided as a person would: a header is words above columns of numbers; a total says JUMLAH and has no number of its own;
 * a note fills one cell. For what is no record a rule is found that the source can apply to next year's file too, and
 * that holds for no record of this one. Thread: one.
 */
#ifndef ADAPTERS_INIT_LAYOUT_H
#define ADAPTERS_INIT_LAYOUT_H

#include "adapters/init/grid.h"
#include "bus/buf.h"

#define ADAPTER_INIT_RULES_MAX 48

enum adapter_init_test { ADAPTER_INIT_PREFIX, ADAPTER_INIT_EQUALS, ADAPTER_INIT_EMPTY, ADAPTER_INIT_FILLED };

struct adapter_init_rule {
	enum adapter_init_test test;
	uint32_t column;     /* but FILLED */
	struct bus_str text; /* the grid's */
	uint32_t filled;
};

struct adapter_init_layout {
	size_t first, end;	    /* rows of the grid looked at: [first, end) */
	uint32_t column, n_columns; /* its columns */
	size_t header, n_header;    /* n_header 0: there is none */
	bool numbered;		    /* a row below the header numbers the columns */
	bool header_sure;
	size_t data; /* the first row that may be a record */
	size_t last; /* the last record */
	uint64_t records;
	size_t totals, notes, repeats; /* rows passed over, by reason */
	size_t uncovered;	       /* of them, for which no rule was found */
	struct adapter_init_rule rule[ADAPTER_INIT_RULES_MAX];
	size_t n_rules;
	char **name;	 /* of each column; "" where it has none */
	bool names_good; /* every column that holds something has a name of its own */
};

/* Looks at these rows and columns. false: there is no record among them. */
bool adapter_init_layout(const struct adapter_init_grid *g, size_t first, size_t end, uint32_t column,
			 uint32_t n_columns, struct adapter_init_layout *out);
void adapter_init_layout_release(struct adapter_init_layout *l);

/* The tables on a sheet: split where rows or columns are empty and a new header begins. At most max; returns how many. */
size_t adapter_init_tables(const struct adapter_init_grid *g, struct adapter_init_layout *out, size_t max);

/* Column i holds something in a record. */
bool adapter_init_layout_uses(const struct adapter_init_grid *g, const struct adapter_init_layout *l,
			      uint32_t i);

/* `skip_rows` as YAML; name: of each column as the source knows it. */
void adapter_init_put_rules(const struct adapter_init_layout *l, const char *const *name,
			    struct bus_buf *out);

struct adapter_init_shape;
/* What was found, as notes. */
void adapter_init_note_layout(const struct adapter_init_layout *l, const struct adapter_init_grid *g,
			      struct adapter_init_shape *out);

#endif
