/* adapters/source.h - what the kinds of sources share: refusing other kinds of files, options, columns. */
#ifndef ADAPTERS_SOURCE_H
#define ADAPTERS_SOURCE_H

#include "adapters/adapter.h"
#include "adapters/input.h"
#include "adapters/text_repair.h"

#define ADAPTER_DEFECT_LONG "baris_terlalu_panjang"
#define ADAPTER_DEFECT_JSON "json_rusak"
#define ADAPTER_DETAIL_LONG "lebih dari 1 MiB / longer than 1 MiB"
#define ADAPTER_DETAIL_NUL "ada byte NUL / holds a NUL byte"

/* Looks at the first bytes, refuses what is no text (BUS_EDATA, with the remedy) and passes over a UTF-8
 * byte order mark. */
enum bus_err adapter_source_sniff(struct adapter_input *in, struct bus_error *err) BUS_MUSTCHECK;

/* The option `encoding` of conf; *out untouched when it is not there. */
enum bus_err adapter_source_encoding(struct bus_yaml *yaml, struct bus_yaml_node *conf,
				     enum adapter_encoding *out, struct bus_error *err) BUS_MUSTCHECK;

/* A scalar that must be text of at least one byte. */
enum bus_err adapter_source_word(struct bus_yaml *yaml, struct bus_yaml_node *conf, const char *key,
				 bool must, const char **out, struct bus_error *err) BUS_MUSTCHECK;

/* Refuses the file for a column it does not have; the message names the nearest of the n it has. */
enum bus_err adapter_source_no_column(const char *wanted, const char *const *names, size_t n,
				      struct bus_error *err);

static inline bool adapter_has_nul(struct bus_str s)
{
	return s.n > 0 && memchr(s.p, '\0', s.n) != NULL;
}

#endif
