/* adapters/init/shape.h - how a file is written, as far as looking at it tells: what becomes `source:` of a mapping.
 *
 * Each kind of file has its looker (look_*.c); they fill one struct. Guesses are told as notes, in Indonesian and English,
 * each with how sure it is. A note never holds a value of a data row. Thread: one.
 */
#ifndef ADAPTERS_INIT_SHAPE_H
#define ADAPTERS_INIT_SHAPE_H

#include "adapters/adapter.h"
#include "adapters/sheet_book.h"
#include "bus/buf.h"

#define ADAPTER_INIT_COLUMNS_MAX 100 /* of one mapping; it may use 128, and needs some for itself */
#define ADAPTER_INIT_NOTES_MAX 48

enum adapter_init_sure { ADAPTER_INIT_LOW, ADAPTER_INIT_MEDIUM, ADAPTER_INIT_HIGH };

struct adapter_init_note {
	enum adapter_init_sure sure;
	bool warning; /* something a person should look at */
	char *text;
};

struct adapter_init_shape {    /* zero-initialised: nothing is known */
	const char *kind;      /* of the source */
	struct bus_buf source; /* its options as YAML, a line each, `kind` first */
	char **column;	       /* names, or paths of members, as the source knows them */
	bool *list;	       /* the member is an array of single values */
	size_t n_columns;
	size_t left_out;   /* columns beyond the limit */
	uint64_t expected; /* data records, counted by looking at rows one by one; 0: not done */
	struct adapter_init_note note[ADAPTER_INIT_NOTES_MAX];
	size_t n_notes;
};

struct adapter_init_want { /* what the person said; NULL: nothing */
	const char *sheet, *rows;
	const char *table; /* its name; on a sheet, a cell in it (B8) or its place (B8:E19) */
};

void adapter_init_shape_release(struct adapter_init_shape *s);
void adapter_init_note(struct adapter_init_shape *s, enum adapter_init_sure sure, bool warning,
		       const char *fmt, ...) BUS_PRINTF(4, 5);
/* One column more; beyond the limit it is counted as left out. */
void adapter_init_column_add(struct adapter_init_shape *s, const char *name, bool list);
/* text as a YAML scalar that is a text whatever it looks like. */
void adapter_init_put_yaml(struct bus_buf *b, const char *text);

/* Finds out what kind of file it is and how it is written. BUS_EDATA: none that can be read, in plain words. */
enum bus_err adapter_init_look(const char *path, const struct adapter_init_want *want,
			       struct adapter_init_shape *out, struct bus_error *err) BUS_MUSTCHECK;

/* The lookers. path has been opened before; the shape is filled. */
enum bus_err adapter_init_look_text(const char *path, struct adapter_init_shape *out,
				    struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_init_look_sheets(const char *path, const struct adapter_sheet_book_kind *kind,
				      const struct adapter_init_want *want, struct adapter_init_shape *out,
				      struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_init_look_json(const char *path, bool lines, const struct adapter_init_want *want,
				    struct adapter_init_shape *out, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_init_look_xml(const char *path, const struct adapter_init_want *want,
				   struct adapter_init_shape *out, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_init_look_sql(const char *path, const struct adapter_init_want *want,
				   struct adapter_init_shape *out, struct bus_error *err) BUS_MUSTCHECK;

/* Reads the file through its real source, all columns of the shape; fn is called for each record. */
typedef void (*adapter_init_row_fn)(void *ctx, const struct adapter_row *row);
enum bus_err adapter_init_read(const char *path, const struct adapter_init_shape *shape,
			       adapter_init_row_fn fn, void *ctx, uint64_t *records,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
