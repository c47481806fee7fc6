/* adapters/init/text.h - lines of a text file: how they are encoded, what separates their fields. Thread: one. */
#ifndef ADAPTERS_INIT_TEXT_H
#define ADAPTERS_INIT_TEXT_H

#include "adapters/init/shape.h"

#define ADAPTER_INIT_SAMPLE 2000 /* lines looked at for separators and places */

struct adapter_init_text {
	const char *encoding;		  /* as the mapping says it */
	bool bom, utf16, repaired, other; /* other: bytes that are not UTF-8 are there */
	uint64_t lines;
};

/* Reads the file to its end. BUS_EDATA: it is no text (the message says what it is, and the remedy). */
enum bus_err adapter_init_text_scan(const char *path, struct adapter_init_text *out,
				    struct bus_error *err) BUS_MUSTCHECK;

struct adapter_init_separator {
	char c; /* 0: nothing separates fields */
	size_t fields;
	double share; /* of the records that have so many */
};
enum bus_err adapter_init_separator_find(const char *path, struct adapter_init_separator *out,
					 struct bus_error *err) BUS_MUSTCHECK;

/* Fields at fixed places. *fixed false: the lines are not so. */
struct adapter_init_places {
	size_t from[256], n[256]; /* bytes from 0 */
	size_t fields;
	size_t length;		    /* of a record */
	bool shorter;		    /* lines whose last spaces were cut off are among them */
	char type, header, trailer; /* the letter a record begins with; 0: none */
	uint64_t records;	    /* lines of that type */
};
enum bus_err adapter_init_places_find(const char *path, bool *fixed, struct adapter_init_places *out,
				      struct bus_error *err) BUS_MUSTCHECK;

#endif
