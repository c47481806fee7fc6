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

/* Who may know that a view is there: its readers; they, by a card that has no holes; everybody. */
enum gw_open { GW_CLOSED, GW_SHARED, GW_OPEN };

/* What a catalogue says of a view beyond its words: Satu Data Indonesia's standard (Perpres 39/2019: concept, definition,
 * classification, measure, unit) and DCAT's place in time and space. The definition is the view's `about`. */
struct gw_card {
	const char *issued; /* day it was first published: "2026-11-01" */
	const char *since;  /* day its data begin */
	const char *theme;  /* one of gw_card_themes */
	const char *area;   /* finest area its rows tell of: one of gw_card_areas */
	const char *concept_id, *concept_en, *class_id, *class_en, *measure_id, *measure_en;
	const char *unit; /* what is counted or measured: "orang" */
	const char *const *keyword;
	size_t n_keywords;
};

/* A view of counts that are published a month at a time, small ones left out (gateway/figures/figures.h). */
struct gw_figures {
	size_t area, month, count; /* its columns: text, text "2025-11", int */
	const char *areas;	   /* the view whose keys are the areas that each month has */
};

struct gw_theme {
	const char *code; /* of the EU's list of data themes, which DCAT-AP asks for */
	const char *id, *en;
};
#define GW_THEMES 13
#define GW_AREAS 5
extern const struct gw_theme gw_card_themes[GW_THEMES];
extern const char *const gw_card_areas[GW_AREAS]; /* "kota", "kecamatan", "kelurahan", "alamat", "orang" */

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
	enum gw_open open;
	const struct gw_card *card; /* NULL: none */
	const struct gw_figures *figures; /* NULL: none */
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
/* It has had all its rows once. Before that nothing may be answered from it: it would say that there are none. */
bool gw_view_whole(const struct gw_view *v);

#endif
