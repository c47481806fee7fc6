/* gateway/define/shape.h - what readers see of a view: its name, words, columns. The whole definition is
 * gateway/define/view.h. Thread: any. */
#ifndef GATEWAY_DEFINE_SHAPE_H
#define GATEWAY_DEFINE_SHAPE_H

#include "gateway/store/value.h"

#define GW_AUTHORITIES_MAX 32
#define GW_COLUMNS_MAX 64 /* of a view: a set of columns is one word */

struct gw_column {
	const char *name;
	const char *title_id, *title_en; /* NULL: none */
	const char *about_id, *about_en; /* NULL: none */
	const char *unit;		 /* of its numbers: "Rp"; NULL: none */
	enum gw_type type;		 /* as declared: TEXT, INT, REAL, BOOL, JSON */
	char
	    pdp; /* 'N' none, 'P' pseudonym, 'U' general, 'S' specific, 'A' of a child; U, S, A are personal */
	const char *const *from; /* "table.column" of what a computed value is made of, as declared */
	size_t n_from;
	const char *const *authority; /* "table.column" in order of authority, as declared */
	size_t n_authority;
	bool exact; /* values of authorities are compared as they are, not as names in plain form */
	const char *conflict_of,
	    *conflict_table; /* in a view of conflicts: the column it is about, whose records it counts */
	double least_share;  /* promised: of all rows, those in which it says something; 0: no promise */
	int line;	     /* in the definition */
};

struct gw_input_age { /* a promise for one of the tables behind a view */
	const char *table;
	int64_t max_age_s;
};

struct gw_view { /* immutable, and counted: it lives as long as somebody holds it */
	const char *name;
	const char *title_id, *title_en, *about_id, *about_en;
	const char *
	    conflicts_of; /* of a view of conflicts (define/conflict.h): the view it stands beside; else NULL */
	const char *owner;		     /* OPD that answers for it; NULL: not said */
	const char *purpose_id, *purpose_en; /* what it may be used for; NULL: not said */
	const char *basis;		     /* the law it rests on; NULL: not said */
	const char *dpia;		     /* name of the file with its impact assessment; NULL: none */
	const char *deprecated,
	    *sunset;	   /* days like "2027-06-30": not for new use from, not there after; or NULL */
	int64_t max_age_s; /* promised freshness; 0: no promise */
	const struct gw_input_age *input_age; /* tables with another promise than max_age_s; n_input_ages */
	size_t n_input_ages;
	int64_t least_rows;  /* promised: rows it has at least; 0: no promise */
	const size_t *scope; /* columns that a grant or a follower may be limited to; n_scope */
	size_t n_scope;
	const char *const *source; /* tables and views it reads; n_sources */
	size_t n_sources;
	const struct gw_column *column; /* in output order; the key columns are among them */
	size_t n_columns;
	size_t key;    /* index of the key column (one text column) */
	bool dated;    /* needs `per_tanggal` */
	bool history;  /* its state on a past day can be asked for */
	bool internal; /* not served to readers: a step for other views, or a quality rule */
};

/* A view may be replaced or dropped while it is read. Who keeps one beyond a call takes a reference. */
const struct gw_view *gw_view_ref(const struct gw_view *v);
void gw_view_unref(const struct gw_view **v);
enum gw_gone { GW_HERE, GW_REPLACED, GW_DROPPED };
enum gw_gone gw_view_gone(const struct gw_view *v); /* not the definition that runs any more */

#endif
