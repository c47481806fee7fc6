/* adapters/quarantine.h - refused rows: their record, and which ones are in the log already.
 *
 * The id of a refused row is "<first 16 hex of the file's SHA-256>:<line>", and ":<n>" for the n-th row
 * (n > 1) that begins on that line: the same in every reading of the file, so that a row is never
 * quarantined twice. The row itself is sealed for the OPD (AES-256-GCM, id as additional data), and so are the
 * columns that the mapping reads (care/cells.h; "<id>/isian" as additional data): from these it can be mapped
 * anew without its file. Without a key both are left out.
 *
 * What is done with a refused row afterwards (care/) is a record too: under the same Kafka key, so that a row's
 * records stand in one order, with "<id>/<order>" as its id.
 * Thread: one.
 */
#ifndef ADAPTERS_QUARANTINE_H
#define ADAPTERS_QUARANTINE_H

#include "adapters/seen.h"
#include "adapters/shape.h"

#define ADAPTER_SEALED_MAX ((size_t)64 * 1024) /* bytes of a row that are kept */

struct adapter_quarantine; /* the ids in the log */

enum adapter_row_state { ADAPTER_ROW_OPEN, ADAPTER_ROW_PUBLISHED, ADAPTER_ROW_DISCARDED };
const char *adapter_row_state_name(enum adapter_row_state s); /* TERBUKA TERBIT DIBUANG */

struct adapter_act {		      /* what was done with a refused row */
	enum adapter_row_state state; /* from now on */
	const char *what;	      /* "perbaiki", "terbitkan", "buang" */
	const char *who, *why;	      /* why "": none was given */
	const char *order;	      /* 16 hex digits */
	int64_t time_ms;
};

struct adapter_refusal {
	const char *feed;
	const char *file;   /* name */
	const char *sha256; /* 64 hex digits */
	uint64_t line;
	uint64_t nth;	   /* 1: first row that begins on that line */
	const char *field; /* NULL: the row */
	const char *class;
	const char *detail;
	struct bus_str raw;	       /* p NULL: not at hand */
	struct bus_str cells;	       /* as care/cells.h writes them; p NULL: not at hand */
	struct bus_str sealed_cells;   /* cells p NULL: these, sealed before; p NULL: none */
	int64_t time_ms;	       /* when it was refused */
	const struct adapter_act *act; /* NULL: refused as its file was read */
};

enum bus_err adapter_quarantine_new(const char *dir, struct adapter_quarantine **out,
				    struct bus_error *err) BUS_MUSTCHECK;
void adapter_quarantine_free(struct adapter_quarantine **q);
/* *fresh: the id was not there, and is now. */
enum bus_err adapter_quarantine_put(struct adapter_quarantine *q, struct bus_str id, bool *fresh,
				    struct bus_error *err) BUS_MUSTCHECK;

#define ADAPTER_REFUSAL_ID 64
/* The row's id: its length; out holds ADAPTER_REFUSAL_ID bytes. */
size_t adapter_refusal_id(const struct adapter_refusal *r, char *out);
/* The additional data under which a row's columns are sealed; out holds ADAPTER_REFUSAL_ID + 8 bytes. */
struct bus_str adapter_refusal_cells_aad(struct bus_str id, char *out);

enum bus_err adapter_quarantine_bind(struct adapter_shape *shape, struct schema_store *store,
				     const char *subject, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_quarantine_fit(struct adapter_shape *shape, struct schema *schema, int32_t id,
				    struct bus_error *err) BUS_MUSTCHECK;
/* The version at hand has fields for acts. */
bool adapter_quarantine_keeps_acts(const struct adapter_shape *shape);
/* The record in Avro, appended to out. key: BUS_KEY_LEN bytes or NULL. */
enum bus_err adapter_refusal_encode(const struct adapter_refusal *r, const struct adapter_shape *shape,
				    const uint8_t *key, struct bus_buf *out,
				    struct bus_error *err) BUS_MUSTCHECK;

#endif
