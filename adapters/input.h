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

#define ADAPTER_PEEK_MAX ((size_t)64 * 1024)

struct adapter_input;

/* BUS_ENOENT: no such file; BUS_EDENIED: no rights; BUS_EIO: a directory, a pipe, or it cannot be read. */
enum bus_err adapter_input_open(const char *path, struct adapter_input **out,
				struct bus_error *err) BUS_MUSTCHECK;
/* As adapter_input_open; a symbolic link is BUS_EIO. */
enum bus_err adapter_input_open_itself(const char *path, struct adapter_input **out,
				       struct bus_error *err) BUS_MUSTCHECK;
struct adapter_input *adapter_input_memory(const void *p, size_t n); /* p is borrowed */
/* Bytes that are made as they are asked for: up to n of them (at least 64 KiB), *got 0 at the end. BUS_ETIMEOUT: none for
 * now; it comes back from whatever asked, which may be called again as if it had not been. */
typedef enum bus_err (*adapter_input_fn)(void *ctx, void *p, size_t n, size_t *got, struct bus_error *err);
struct adapter_input *adapter_input_stream(adapter_input_fn fn, void *ctx);
void adapter_input_close(struct adapter_input **in);

/* The next physical line without its LF or CRLF. *long_line: it was over ADAPTER_ROW_MAX; line is its first
 * 4 KiB, the rest has been skipped. BUS_ENOENT at the end. Borrowed until the next call. A last line
 * without LF counts. */
enum bus_err adapter_input_line(struct adapter_input *in, struct bus_str *line, bool *long_line,
				struct bus_error *err) BUS_MUSTCHECK;
/* A record that goes on after a line break: the last line again, its line end, and the next physical line,
 * in one. The line number stays that of the first. BUS_ENOENT: there is no next; BUS_ETOOBIG: it would be
 * over ADAPTER_ROW_MAX; in both cases nothing has been consumed. Not after a long line. */
enum bus_err adapter_input_line_more(struct adapter_input *in, struct bus_str *line,
				     struct bus_error *err) BUS_MUSTCHECK;
/* Gives back what line_more added, so that the next line is the one after the first; *line is the first. */
void adapter_input_line_back(struct adapter_input *in, struct bus_str *line);
/* The next piece of bytes, whatever is in it; BUS_ENOENT at the end. Not to be mixed with lines. */
enum bus_err adapter_input_piece(struct adapter_input *in, struct bus_str *piece,
				 struct bus_error *err) BUS_MUSTCHECK;
/* Up to n first bytes without consuming them (magic numbers, BOM). */
enum bus_err adapter_input_peek(struct adapter_input *in, size_t n, struct bus_str *out,
				struct bus_error *err) BUS_MUSTCHECK;
/* Consumes n bytes of what the last peek showed (n <= its length). */
void adapter_input_skip(struct adapter_input *in, size_t n);

/* The file is UTF-16, in this byte order: what has not been given out yet, and all that follows, is given as UTF-8. A lone
 * surrogate becomes U+FFFD. The digest stays that of the bytes in the file. After a peek, before the first line or piece. */
void adapter_input_utf16(struct adapter_input *in, bool big_endian);
bool adapter_input_is_utf16(const struct adapter_input *in);

/* Up to n bytes from offset on, for formats that are read by place; *got 0: there is nothing. The stream of lines or
 * pieces, and its digest, do not notice. */
enum bus_err adapter_input_read_at(struct adapter_input *in, uint64_t offset, void *p, size_t n, size_t *got,
				   struct bus_error *err) BUS_MUSTCHECK;
/* Where a source may put a temporary file; borrowed. NULL (as it begins): TMPDIR or /var/tmp. */
void adapter_input_set_tmp(struct adapter_input *in, const char *dir);
const char *adapter_input_tmp(const struct adapter_input *in);
/* A file whose lines are not those of its bytes: the source says how far it is. */
void adapter_input_note_line(struct adapter_input *in, uint64_t line);

/* The last line given was the file's last and had no line end. */
bool adapter_input_unended(const struct adapter_input *in);
uint64_t adapter_input_line_number(const struct adapter_input *in); /* of the last line given; 1-based */
uint64_t adapter_input_lines(const struct adapter_input *in);	    /* physical lines so far */
uint64_t adapter_input_bytes(const struct adapter_input *in);	    /* consumed so far */
int64_t adapter_input_size(const struct adapter_input *in);	    /* of the file; -1 unknown */
/* SHA-256 of the whole file in hex (65 bytes): reads on to the end if the end was not reached, so that
 * nothing is left to read, and lines and bytes are those of the whole file. */
enum bus_err adapter_input_sha256(struct adapter_input *in, char *hex, struct bus_error *err) BUS_MUSTCHECK;

#endif
