/* adapters/xml.h - XML read as a stream, element by element, within limits. The only includer of <expat.h>.
 *
 * A document that declares a DOCTYPE is refused: no entities, so no bombs of them and no other files. So is one
 * nested deeper than 64, and one with a tag over 1 MiB. Memory does not grow with the document.
 * Names come without their namespace's prefix; or, from adapter_xml_new_full, as "URI name" when they have a namespace.
 * Thread: one.
 */
#ifndef ADAPTERS_XML_H
#define ADAPTERS_XML_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/mem.h"

struct adapter_xml;

/* The next n bytes at most into p; *got 0: the end. */
typedef enum bus_err adapter_xml_read_fn(void *ctx, char *p, size_t n, size_t *got, struct bus_error *err);

struct adapter_xml_handler { /* any may be NULL; name, atts and text are borrowed for the call */
	void (*start)(void *ctx, const char *name, const char **atts);
	void (*end)(void *ctx, const char *name);
	void (*text)(void *ctx, const char *p, int n); /* in any number of pieces; UTF-8 */
};

/* read and handler stay until close; each is called with its own ctx. */
struct adapter_xml *adapter_xml_new(adapter_xml_read_fn *read, void *read_ctx,
				    const struct adapter_xml_handler *handler, void *ctx);
struct adapter_xml *adapter_xml_new_full(adapter_xml_read_fn *read, void *read_ctx,
					 const struct adapter_xml_handler *handler, void *ctx);
void adapter_xml_free(struct adapter_xml **x);

/* Reads on until a handler pauses. BUS_ENOENT: the document is at its end. BUS_EDATA: it is no XML, or over a limit,
 * or a handler failed; then it cannot be read on. */
enum bus_err adapter_xml_next(struct adapter_xml *x, struct bus_error *err) BUS_MUSTCHECK;
/* Without pauses, to the end. */
enum bus_err adapter_xml_all(struct adapter_xml *x, struct bus_error *err) BUS_MUSTCHECK;

/* For handlers: the line, 1-based, of what it is called for; which bytes of the document that is. */
uint64_t adapter_xml_line(const struct adapter_xml *x);
uint64_t adapter_xml_at(const struct adapter_xml *x, size_t *n);
/* For the read: all bytes before this one are parsed. */
uint64_t adapter_xml_parsed(const struct adapter_xml *x);
/* After BUS_EDATA: it was well-formed as far as it goes. */
bool adapter_xml_cut(const struct adapter_xml *x);

/* For handlers: adapter_xml_next returns after this one; it fails with this message. */
void adapter_xml_pause(struct adapter_xml *x);
void adapter_xml_fail(struct adapter_xml *x, const char *fmt, ...) BUS_PRINTF(2, 3);

/* The value of an attribute, whatever its prefix; NULL: it is not there. */
const char *adapter_xml_att(const char **atts, const char *name);

#endif
