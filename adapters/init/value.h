/* adapters/init/value.h - what a single text looks like: a number, a year, nothing, a total's word. Thread: any. */
#ifndef ADAPTERS_INIT_VALUE_H
#define ADAPTERS_INIT_VALUE_H

#include "bus/mem.h"

/* "-", "NA", "null" ...: a word for nothing. */
bool adapter_init_is_null(struct bus_str s);
/* A number, an amount, a percentage, a date or a time of day, in any of the ways offices write them. */
bool adapter_init_is_number(struct bus_str s);
/* A whole number of four digits from 1900 to 2099: it may head a column. */
bool adapter_init_is_year(struct bus_str s);
/* From a number of at most 3 digits to a greater one, such as 20 - 25: it may head a column too. */
bool adapter_init_is_span(struct bus_str s);
/* A whole number of at most 3 digits, perhaps in brackets; -1: none. */
int adapter_init_small(struct bus_str s);
/* The number it says, points and commas told apart by their places; false: none. */
bool adapter_init_amount(struct bus_str s, double *out);

enum adapter_init_word {
	ADAPTER_INIT_NO_WORD,
	ADAPTER_INIT_TOTAL,    /* JUMLAH, Total, Grand Total: and nothing that makes it mean one thing only */
	ADAPTER_INIT_TOTAL_OF, /* JUMLAH KECAMATAN TAMPAN: a sub-total, or a row's own name */
	ADAPTER_INIT_NOTE_WORD, /* Sumber, Catatan, Keterangan, Mengetahui ... */
};
/* *n: bytes of the word itself. */
enum adapter_init_word adapter_init_word_of(struct bus_str s, size_t *n);

#endif
