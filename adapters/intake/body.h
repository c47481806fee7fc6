/* adapters/intake/body.h - the body of a post as rows: JSON objects, one a line, as the source `jsonl` reads them.
 *
 *   application/json               an object, or an array of objects; line breaks between tokens become spaces
 *   application/x-ndjson           (also application/jsonl) an object a line
 *   text/csv                       a header, then rows of as many fields; each field a text. Separator , ; or tab, as
 *                                  the header has it
 *   application/cloudevents+json   CloudEvents 1.0, structured; ...-batch+json: an array of them; binary: the attributes
 *                                  in ce-* headers, the data a JSON object. The row is `data`, with the attributes under `_ce`
 * Syntax is checked here, before anybody is told that the rows are taken; what they mean is for the mapping, later.
 * Untrusted bytes (tests/fuzz/fuzz_intake_body.c). Thread: any.
 */
#ifndef ADAPTERS_INTAKE_BODY_H
#define ADAPTERS_INTAKE_BODY_H

#include "bus/buf.h"
#include "bus/error.h"

#define ADAPTER_BODY_ROWS 100000
#define ADAPTER_BODY_OUT ((size_t)24 * 1024 * 1024) /* bytes of rows; below ADAPTER_FRAME_MAX */

enum adapter_body_kind {
	ADAPTER_BODY_JSON,
	ADAPTER_BODY_LINES,
	ADAPTER_BODY_CSV,
	ADAPTER_BODY_EVENT,
	ADAPTER_BODY_EVENTS,
	ADAPTER_BODY_BINARY, /* a JSON object, and attributes */
};

/* By the Content-Type, without its parameters' meaning; false: no such. binary: there is a ce-specversion. */
bool adapter_body_kind(const char *type, bool binary, enum adapter_body_kind *out);
/* Appends the rows, each ending in LF. attributes: of BINARY, "\"id\":\"1\",..."; else empty.
 * BUS_EPARSE: what is wrong and in which line, without any of the data. BUS_ETOOBIG: more than is taken at once. */
enum bus_err adapter_body_rows(enum adapter_body_kind kind, struct bus_str text, struct bus_str attributes,
			       struct bus_buf *rows, uint32_t *n, struct bus_error *err) BUS_MUSTCHECK;

#endif
