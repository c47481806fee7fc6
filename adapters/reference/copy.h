/* adapters/reference/copy.h - a reference topic as a file beside the adapter, for when the bus is away.
 *
 * The first line is `#titian-reference 1 <SHA-256 of all that follows>`, the rest is CSV: a header with the names of the
 * schema's fields, every cell quoted. It is replaced whole, under another name first; one that was cut or changed is
 * refused and made anew from the bus. Thread: any.
 */
#ifndef ADAPTERS_REFERENCE_COPY_H
#define ADAPTERS_REFERENCE_COPY_H

#include "bus/crypto.h"

#define ADAPTER_REFERENCE_MAX ((size_t)64 * 1024 * 1024) /* bytes of one table */

/* <dir>/<topic>.csv; the caller's. */
char *adapter_reference_copy_path(const char *dir, const char *topic);
/* *begin: where the CSV begins. BUS_EDATA: it is not what was written. */
enum bus_err adapter_reference_copy_check(const char *path, const char *text, size_t n,
					  uint8_t digest[BUS_SHA256_LEN], size_t *begin,
					  struct bus_error *err) BUS_MUSTCHECK;
/* Whether a whole copy is there. */
bool adapter_reference_copy_whole(const char *path);
/* Leaves a copy of the same content alone: then *changed is false. */
enum bus_err adapter_reference_copy_write(const char *path, struct bus_str csv, bool *changed,
					  struct bus_error *err) BUS_MUSTCHECK;

#endif
