/* adapters/text_repair.h - a row's bytes as valid UTF-8.
 *
 * Departments send UTF-8 with single bytes of Windows-1252 in it (so guessing by file is wrong), or whole
 * files of Windows-1252 or Latin-1. Most rows are ASCII and need nothing: their cells are left where they
 * stand. The five bytes Windows-1252 leaves undefined are read as the control characters of the same
 * number, as browsers do (WHATWG Encoding, windows-1252). Thread: one at a time.
 */
#ifndef ADAPTERS_TEXT_REPAIR_H
#define ADAPTERS_TEXT_REPAIR_H

#include "bus/arena.h"

enum adapter_encoding {
	ADAPTER_UTF8, /* a byte that is not UTF-8 is read as Windows-1252 */
	ADAPTER_WINDOWS_1252,
	ADAPTER_LATIN_1,
};

struct adapter_text {
	enum adapter_encoding encoding;
	struct bus_arena *arena; /* changed cells of one row */
	bool plain;		 /* the row's bytes are UTF-8 as they stand */
};

void adapter_text_init(struct adapter_text *t, enum adapter_encoding encoding);
void adapter_text_release(struct adapter_text *t);

/* Begins a row: what the last one's cells were is gone. True: it was meant to be UTF-8 and is not. */
bool adapter_text_row(struct adapter_text *t, struct bus_str row);
/* A part of that row in UTF-8. Borrowed until the next row, like the row. */
struct bus_str adapter_text_decode(struct adapter_text *t, struct bus_str part);
/* A part in which every pair of quotes stands for one (ASCII), in UTF-8. */
struct bus_str adapter_text_unquote(struct adapter_text *t, struct bus_str part, char quote);

#endif
