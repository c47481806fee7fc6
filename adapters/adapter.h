/* adapters/adapter.h - the words the adapter's parts share: a cell, a row, a source.
 *
 * A source turns the bytes of one file into rows; it knows shapes (separators, columns, records), not
 * meanings. The mapper (map.h) knows meanings. The runner (run.h) knows files and Kafka. Sources are
 * streamed: what a source holds does not grow with the file. One thread.
 */
#ifndef ADAPTERS_ADAPTER_H
#define ADAPTERS_ADAPTER_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/json.h"
#include "bus/mem.h"
#include "bus/yaml.h"

#define ADAPTER_ROW_MAX ((size_t)1024 * 1024) /* bytes of one row (or one JSON record) */

enum adapter_cell_kind {
	ADAPTER_MISSING, /* no such column or member in this row */
	ADAPTER_NULL,	 /* JSON null, \N of COPY */
	ADAPTER_TEXT,
	ADAPTER_NUMBER, /* JSON number, text as written; a spreadsheet's, as a plain decimal */
	ADAPTER_TREE,	/* JSON object, array, true, false */
	ADAPTER_BROKEN, /* a cell of a spreadsheet that shows no value */
};

enum adapter_broken {
	ADAPTER_CELL_ERROR,	/* #N/A, #REF! ... */
	ADAPTER_CELL_NO_RESULT, /* a formula whose result is not stored */
	ADAPTER_CELL_NO_DAY,	/* shown as a date, and no date */
	ADAPTER_CELL_UNREADABLE,
};

struct adapter_cell {
	enum adapter_cell_kind kind;
	bool rounded;		    /* NUMBER: a spreadsheet has rounded it to 15 digits */
	enum adapter_broken broken; /* BROKEN */
	struct bus_str text;	    /* TEXT, NUMBER: valid UTF-8 */
	const struct bus_json *tree;
};

struct adapter_row { /* all of it borrowed until the next call of next() */
	uint64_t line;	     /* physical line of the row's first byte in the file, 1-based */
	struct bus_str raw;  /* the row as it stands in the file, without its line end; for quarantine */
	const char *defect;  /* class when the row has no readable shape: "baris_rusak" ...; else NULL */
	const char *detail;  /* why, without any of the row's data; NULL if defect is */
	bool repaired;	     /* bytes that are not UTF-8 were read as Windows-1252 */
	struct adapter_cell *cell; /* one per wanted name, in the order given to open() */
	size_t n_cells;
};

/* What a file says about itself (a trailer, a terminator), compared at its end. */
struct adapter_control {
	char name[32];	 /* "baris", "terutang" */
	int64_t said;	 /* in the trailer */
	int64_t counted; /* by us */
};
#define ADAPTER_CONTROLS_MAX 8

struct adapter_end {
	struct adapter_control control[ADAPTER_CONTROLS_MAX];
	size_t n_controls;
	bool cut;	  /* the file ends before its own end (no trailer, terminator, closing bracket) */
	char why[200];	  /* what is missing, when cut */
};

struct adapter_input; /* adapters/input.h: the bytes of a file */

struct adapter_source_kind {
	const char *name; /* `source.kind` in the mapping */
	/* conf: the mapping's `source` node (kind already taken). wanted: column names (delimited, fixed,
	 * pgdump) or member paths ("pelaku.nik"; JSON) that the mapping uses. in NULL: check conf only.
	 * BUS_EPARSE: bad conf (file:line). BUS_EDATA: the file is not of this kind (BIFF .xls, binary,
	 * wanted column missing in the header: named, with the nearest); the file is refused.
	 * yaml, conf and in stay until close(); wanted need not. */
	enum bus_err (*open)(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_input *in,
			     const char *const *wanted, size_t n_wanted, void **source,
			     struct bus_error *err);
	/* The next data row (or unreadable row, with defect). BUS_ENOENT: the end. Rows that the conf
	 * declares to be no data (titles, sub-totals, signatures) are passed over. Another error: the file
	 * cannot be read on. */
	enum bus_err (*next)(void *source, struct adapter_row *row, struct bus_error *err);
	void (*end)(void *source, struct adapter_end *out); /* after BUS_ENOENT */
	void (*close)(void *source);
};

extern const struct adapter_source_kind adapter_source_delimited;
extern const struct adapter_source_kind adapter_source_fixed;
extern const struct adapter_source_kind adapter_source_jsonl;
extern const struct adapter_source_kind adapter_source_json;
extern const struct adapter_source_kind adapter_source_pgdump;
extern const struct adapter_source_kind adapter_source_xlsx;
extern const struct adapter_source_kind adapter_source_ods;
extern const struct adapter_source_kind adapter_source_sqldump;
extern const struct adapter_source_kind adapter_source_xml;

const struct adapter_source_kind *adapter_source_find(const char *name); /* NULL: none */
size_t adapter_source_names(const char **names, size_t max);		 /* how many; borrowed for ever */

#endif
