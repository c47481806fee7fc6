/* adapters/input.h - the bytes of one file, in pieces, counted and hashed as they pass.
 *
 * Streamed with read(2) into one buffer that grows only to ADAPTER_ROW_MAX. Testable from memory.
 * Thread: one.
 */
#ifndef ADAPTERS_INPUT_H
#define ADAPTERS_INPUT_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/mem.h"

struct adapter_input;

enum bus_err adapter_input_open(const char *path, struct adapter_input **out, struct bus_error *err)
	BUS_MUSTCHECK;
struct adapter_input *adapter_input_memory(const void *p, size_t n); /* p is borrowed */
void adapter_input_close(struct adapter_input **in);

/* The next physical line without its LF or CRLF. *long_line: it was over ADAPTER_ROW_MAX; line is its first
 * 4 KiB, the rest has been skipped. BUS_ENOENT at the end. Borrowed until the next call. A last line
 * without LF counts. */
enum bus_err adapter_input_line(struct adapter_input *in, struct bus_str *line, bool *long_line,
				struct bus_error *err) BUS_MUSTCHECK;
/* The next piece of bytes, whatever is in it; BUS_ENOENT at the end. Not to be mixed with lines. */
enum bus_err adapter_input_piece(struct adapter_input *in, struct bus_str *piece, struct bus_error *err)
	BUS_MUSTCHECK;
/* Up to n first bytes without consuming them (magic numbers, BOM). */
enum bus_err adapter_input_peek(struct adapter_input *in, size_t n, struct bus_str *out,
				struct bus_error *err) BUS_MUSTCHECK;

uint64_t adapter_input_line_number(const struct adapter_input *in); /* of the last line given; 1-based */
uint64_t adapter_input_lines(const struct adapter_input *in); /* physical lines so far */
uint64_t adapter_input_bytes(const struct adapter_input *in); /* consumed so far */
int64_t adapter_input_size(const struct adapter_input *in);   /* of the file; -1 unknown */
/* SHA-256 of the whole file in hex (65 bytes): reads on to the end if the end was not reached. */
enum bus_err adapter_input_sha256(struct adapter_input *in, char *hex, struct bus_error *err) BUS_MUSTCHECK;

#endif
