/* adapters/care/order.h - what an officer orders, as a file of the drop folder.
 *
 * Only the running adapter may number records, so an order is not carried out by who gives it: it is dropped into the folder
 * as any file, and taken in its turn. So it waits while the adapter is away, is carried out once, and a kill in the middle
 * loses nothing (carry.h, undo.h).
 *
 * JSON lines. The first says who orders what, and how many rows follow:
 *   {"titian_order":1,"what":"terbitkan","who":"sari","why":"","time":1767225600000,"rows":2}
 *   {"id":"0123456789abcdef:812"}
 *   {"id":"0123456789abcdef:813","cells":"<base64>"}     the columns as mended, sealed under the department's key
 *   {"seal":"<32 hex>"}     of all lines above, by the city's key
 * An undo has no rows, and "to", "feed", "again", "keys" in its first line. Who may only put files into the folder, or into one
 * that is fetched from, has no key, and so gives no orders. Thread: one.
 */
#ifndef ADAPTERS_CARE_ORDER_H
#define ADAPTERS_CARE_ORDER_H

#include <stdio.h>

#include "bus/buf.h"
#include "bus/crypto.h"
#include "bus/error.h"

#define ADAPTER_ORDER_ENDING ".perintah"
#define ADAPTER_ORDER_ROWS_MAX 1000000

enum adapter_order_what { ADAPTER_MEND, ADAPTER_REDRIVE, ADAPTER_DISCARD, ADAPTER_UNDO };
const char *adapter_order_word(enum adapter_order_what what); /* perbaiki terbitkan buang batalkan */

struct adapter_order {
	enum adapter_order_what what;
	char who[64], why[256];
	int64_t time_ms;
	int64_t rows;
	int64_t to_ms;	/* UNDO */
	char feed[128]; /* UNDO; "": all */
	bool again;	/* UNDO: files read since may come again */
	int64_t keys;	/* UNDO: at most so many are changed: what the officer was shown */
	char mark[40];	/* writing: the end of its name, to be found again by; "": by chance */
};

struct adapter_order_row { /* borrowed until the next one is read */
	struct bus_str id;
	struct bus_str sealed_cells; /* n 0: none */
};

bool adapter_order_is(const char *file_name);

/* --- writing: hidden until it is whole, then named; BUS_EIO, BUS_EFULL, BUS_EDENIED --- */
struct adapter_order_writer;
enum bus_err adapter_order_begin(const char *drop_dir, const uint8_t *city_key, const struct adapter_order *o,
				 struct adapter_order_writer **out, struct bus_error *err) BUS_MUSTCHECK;
void adapter_order_put(struct adapter_order_writer *w, const struct adapter_order_row *row);
/* name (256 bytes): what it is called in the drop folder. Frees the writer, whatever comes. */
enum bus_err adapter_order_send(struct adapter_order_writer **w, char *name,
				struct bus_error *err) BUS_MUSTCHECK;
void adapter_order_drop(struct adapter_order_writer **w); /* not sent after all */

/* --- reading --- */
struct adapter_order_reader;
/* BUS_EDATA: it is no order, not a whole one, or not sealed with the key that `seal` has. */
enum bus_err adapter_order_open(const char *path, struct bus_pseudonym *seal,
				struct adapter_order_reader **out, struct adapter_order *o,
				struct bus_error *err) BUS_MUSTCHECK;
void adapter_order_close(struct adapter_order_reader **r);
/* *at: where this row is, for adapter_order_at. BUS_ENOENT: no more; BUS_EDATA: broken, or fewer rows than were said. */
enum bus_err adapter_order_next(struct adapter_order_reader *r, struct adapter_order_row *row, int64_t *at,
				struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_order_at(struct adapter_order_reader *r, int64_t at, struct adapter_order_row *row,
			      struct bus_error *err) BUS_MUSTCHECK;

#endif
