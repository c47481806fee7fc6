/* adapters/package.h - the parts of a ZIP package (XLSX, ODS), read as streams within limits.
 *
 * A part that unpacks to more than its limit, or to more than 250 times its packed size past 64 MiB, is refused: ZIP
 * bombs. A package of more than 65,534 parts is none. Thread: one.
 */
#ifndef ADAPTERS_PACKAGE_H
#define ADAPTERS_PACKAGE_H

#include "adapters/input.h"

struct adapter_package;
struct adapter_part;

/* BUS_EDATA: no ZIP, damaged, cut off, or encrypted; BUS_EIO: the file cannot be read. in stays until close. */
enum bus_err adapter_package_open(struct adapter_input *in, struct adapter_package **out,
				  struct bus_error *err) BUS_MUSTCHECK;
void adapter_package_close(struct adapter_package **p);

const char *adapter_package_tmp(const struct adapter_package *p); /* adapter_input_tmp of its input */

/* Names are compared without regard to case, as OPC says (ECMA-376-2, 6.2.2.3). */
bool adapter_package_has(const struct adapter_package *p, const char *name);

/* One part; any number may be open. BUS_ENOENT: there is none of this name. */
enum bus_err adapter_part_open(struct adapter_package *p, const char *name, uint64_t limit,
			       struct adapter_part **out, struct bus_error *err) BUS_MUSTCHECK;
/* An adapter_xml_read_fn: ctx is a struct adapter_part. BUS_EDATA: damaged, or over a limit. */
enum bus_err adapter_part_read(void *part, char *p, size_t n, size_t *got,
			       struct bus_error *err) BUS_MUSTCHECK;
void adapter_part_close(struct adapter_part **part);

#endif
