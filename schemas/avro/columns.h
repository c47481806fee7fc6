/* schemas/avro/columns.h - a record as a row: a typed column for each of its fields, for tables and CSV.
 *
 * boolean, int, long: INTEGER; float, double: REAL; bytes, fixed: BLOB; string and enum: TEXT. Everything
 * with a logical type (dates, times, decimals, UUIDs) is TEXT as the plain JSON has it (avro/json.h), or an
 * INTEGER where that has a number (a time past midnight); records, arrays and maps are plain JSON. Thread:
 * one.
 */
#ifndef SCHEMAS_AVRO_COLUMNS_H
#define SCHEMAS_AVRO_COLUMNS_H

#include "schemas/avro/read.h"

enum schema_column_kind {
	SCHEMA_COLUMN_NULL,
	SCHEMA_COLUMN_BOOLEAN,
	SCHEMA_COLUMN_INTEGER,
	SCHEMA_COLUMN_REAL,
	SCHEMA_COLUMN_TEXT,
	SCHEMA_COLUMN_BLOB,
};

struct schema_column {
	enum schema_column_kind kind;
	int64_t i; /* BOOLEAN, INTEGER */
	double r;
	struct bus_str s; /* TEXT, BLOB */
};

struct schema_columns;

struct schema_columns *
schema_columns_new(const struct schema_limits *limits); /* of a datum; NULL: defaults */
void schema_columns_free(struct schema_columns **c);
/* Reads a datum through a plan whose reader is a record (else BUS_EINVAL). *column: one for each field of the
 * reader, in its order; borrowed from c, the datum and the plan until the next call. Errors: schema_read's.
 */
enum bus_err schema_columns_read(struct schema_columns *c, const struct schema_plan *p, struct bus_str datum,
				 const struct schema_column **column, struct bus_error *err) BUS_MUSTCHECK;

/* CSV (RFC 4180; cells by bus_csv_put), a line each: the fields' names; the columns, null empty, booleans
 * true and false, BLOBs base64. Appends to out. */
void schema_csv_head(const struct schema_node *record, char separator, struct bus_buf *out);
void schema_csv_row(const struct schema_column *column, size_t n, char separator, struct bus_buf *out);

#endif
