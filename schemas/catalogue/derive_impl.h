/* schemas/catalogue/derive_impl.h - what was seen of a sample; for derive*.c alone. */
#ifndef SCHEMAS_CATALOGUE_DERIVE_IMPL_H
#define SCHEMAS_CATALOGUE_DERIVE_IMPL_H

#include <stdint.h>

#include "bus/arena.h"
#include "bus/json.h"
#include "schemas/catalogue/derive.h"

#define DERIVE_SYMBOLS_MAX 12
#define DERIVE_DEPTH_MAX 8

/* What every text of a column could be read as; a bit is taken away by the first text that could not. */
enum {
	DERIVE_WHOLE = 1,	  /* a number without a leading zero, of at most 18 digits */
	DERIVE_REAL = 1 << 1,	  /* 12.5 */
	DERIVE_DATE = 1 << 2,	  /* 2026-11-23 */
	DERIVE_DATE_DMY = 1 << 3, /* 23/11/2026, 23-11-2026 */
	DERIVE_TIME = 1 << 4,	  /* 2026-11-23T10:15:00Z, also with a blank and without a zone */
	DERIVE_BOOL = 1 << 5,	  /* true, false, ya, tidak */
	DERIVE_UUID = 1 << 6,
	DERIVE_NIK = 1 << 7, /* 16 digits */
	DERIVE_EMAIL = 1 << 8,
	DERIVE_PHONE = 1 << 9,
	DERIVE_YEAR = 1 << 10, /* 1900 to 2100 */
	DERIVE_SYMBOL = 1 << 11,
	DERIVE_ALL = (1 << 12) - 1,
};

struct derive_member;

struct derive_shape {
	size_t seen, nulls;
	size_t texts, numbers, bools, objects, arrays;
	unsigned could_be;
	int scale;     /* most digits after the point */
	char **symbol; /* distinct texts, owned; NULL once there are too many */
	size_t n_symbols;
	bool many;	/* more than DERIVE_SYMBOLS_MAX */
	uint64_t *hash; /* of every value, to know whether they are unique */
	size_t n_hashes;
	struct derive_member *member; /* of objects */
	size_t n_members;
	bool map;		   /* objects whose names are data */
	struct derive_shape *item; /* of arrays, and of objects that are maps */
};

struct derive_member {
	char *from; /* its name in the sample */
	char *name; /* snake_case, unique in its record */
	struct derive_shape shape;
};

struct schema_derive {
	struct derive_shape row;
	size_t rows;
	bool typed;		   /* JSON: a number is no text */
	struct bus_buf type_names; /* given already: ",Alamat,Status," */
};

void schema_derive_text(struct derive_shape *s, struct bus_str text); /* a cell of CSV, a string of JSON */
enum bus_err schema_derive_value(struct derive_shape *s, const struct bus_json *v, int depth,
				 struct bus_error *err) BUS_MUSTCHECK;
/* The member of that name, made if it is not there; NULL: too many. */
struct derive_shape *schema_derive_member(struct derive_shape *s, struct bus_str name);
void schema_derive_release(struct derive_shape *s);
bool schema_derive_unique(struct derive_shape *s); /* every row has it, and no value twice */

#endif
