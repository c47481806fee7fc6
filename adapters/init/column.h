/* adapters/init/column.h - what a column holds, by all of its values: type, how often it is empty, whose it may be.
 *
 * Bounded by column: up to ADAPTER_INIT_DISTINCT different values are told apart by a fingerprint. Thread: one.
 */
#ifndef ADAPTERS_INIT_COLUMN_H
#define ADAPTERS_INIT_COLUMN_H

#include "adapters/init/shape.h"

#define ADAPTER_INIT_DISTINCT 100000
#define ADAPTER_INIT_WORDS 12 /* a column of no more words is a list of choices, perhaps */
#define ADAPTER_INIT_NULLS 8

enum adapter_init_type {
	ADAPTER_INIT_TEXT,
	ADAPTER_INIT_CODE, /* digits that are no number: a text */
	ADAPTER_INIT_ID,   /* an identifier that the mapping language knows */
	ADAPTER_INIT_WHOLE,
	ADAPTER_INIT_RUPIAH,
	ADAPTER_INIT_DECIMAL,
	ADAPTER_INIT_DATE,
	ADAPTER_INIT_TIME,
	ADAPTER_INIT_LIST,
};

struct adapter_init_column;

struct adapter_init_guess {
	const char *from; /* the column's name in the file */
	char field[64];	  /* in the schema */
	enum adapter_init_type type;
	char as[96]; /* the mapping's conversion, as YAML; "": none */
	enum adapter_init_sure sure;
	char why[400]; /* Indonesian / English */
	char class;    /* x_pdp: N, U, S, A */
	uint64_t filled, empty;
	uint64_t distinct;		   /* of at most ADAPTER_INIT_DISTINCT */
	bool unique;			   /* no value came twice */
	char null[ADAPTER_INIT_NULLS][16]; /* words for nothing that it holds */
	size_t n_nulls;
	char example[64];  /* masked when personal; "": none */
	char choices[200]; /* the few words it has, when they are few and nobody's; else "" */
};

/* n columns; name: of the file. */
struct adapter_init_column *adapter_init_columns_new(size_t n);
void adapter_init_columns_free(struct adapter_init_column **c, size_t n);
void adapter_init_columns_take(struct adapter_init_column *c, size_t n, const struct adapter_row *row);
/* Of column i, called name in the file. */
void adapter_init_column_guess(const struct adapter_init_column *columns, size_t i, const char *name,
			       bool list, struct adapter_init_guess *out);
/* "Nama Satuan (km2)" -> "nama_satuan_km2"; at most 60 bytes, a letter first. */
void adapter_init_field_name(const char *name, char out[64]);

/* A person's value shows its shape alone: letters as x, digits as 9. */
void adapter_init_hide(char *example);

#endif
