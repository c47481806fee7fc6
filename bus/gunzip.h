/* bus/gunzip.h - gzip (RFC 1952) unpacked, within a limit. Thread: any. */
#ifndef BUS_GUNZIP_H
#define BUS_GUNZIP_H

#include "bus/buf.h"
#include "bus/error.h"

/* Appends to out; several members one after the other are one text. BUS_ETOOBIG: more than `most` bytes come out;
 * memory grows with what has come out, never with what a header says. BUS_EDATA: no gzip, damaged, or cut off. */
enum bus_err bus_gunzip(struct bus_str packed, size_t most, struct bus_buf *out,
			struct bus_error *err) BUS_MUSTCHECK;

#endif
