/* gateway/define/shape.h - what readers see of a view: its name, words, columns. The whole definition is
 * gateway/define/view.h. Immutable. Thread: any. */
#ifndef GATEWAY_DEFINE_SHAPE_H
#define GATEWAY_DEFINE_SHAPE_H

#include "gateway/store/value.h"

struct gw_column {
	const char *name;
	const char *title_id, *title_en; /* NULL: none */
	enum gw_type type;		 /* as declared: TEXT, INT, REAL, BOOL, JSON */
	char
	    pdp; /* 'N' none, 'P' pseudonym, 'U' general, 'S' specific, 'A' of a child; U, S, A are personal */
};

struct gw_view { /* immutable while the gateway runs; borrowed */
	const char *name;
	const char *title_id, *title_en, *about_id, *about_en;
	const char *const *source; /* tables and views it reads; n_sources */
	size_t n_sources;
	const struct gw_column *column; /* in output order; the key columns are among them */
	size_t n_columns;
	size_t key;    /* index of the key column (one text column) */
	bool dated;    /* needs `per_tanggal` */
	bool internal; /* not served to readers: a step for other views, or a quality rule */
};

#endif
