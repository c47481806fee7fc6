/* tests/fuzz/avro_schemas.h - the schemas that the Avro fuzzers choose from by the input's first byte. */
#ifndef TESTS_FUZZ_AVRO_SCHEMAS_H
#define TESTS_FUZZ_AVRO_SCHEMAS_H

#include "schemas/avro/cells.h"
#include "schemas/avro/json.h"

static const char *const fuzz_schema[] = {
	/* 0: scalars, and logical types that share no JSON type within a union */
	"{\"type\":\"record\",\"name\":\"R\",\"fields\":["
	"{\"name\":\"a\",\"type\":\"string\"},{\"name\":\"b\",\"type\":[\"null\",\"long\"]},"
	"{\"name\":\"c\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"X\",\"Y\",\"Z\"]}},"
	"{\"name\":\"d\",\"type\":\"int\"},{\"name\":\"e\",\"type\":\"double\"},{\"name\":\"f\",\"type\":"
	"\"float\"},"
	"{\"name\":\"g\",\"type\":\"boolean\"},{\"name\":\"h\",\"type\":{\"type\":\"array\",\"items\":"
	"\"bytes\"}},"
	"{\"name\":\"i\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}}]}",
	/* 1: recursion, zero-byte items */
	"{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"T\"]},"
	"{\"name\":\"kids\",\"type\":{\"type\":\"array\",\"items\":\"T\"}},"
	"{\"name\":\"nothing\",\"type\":{\"type\":\"array\",\"items\":\"null\"}}]}",
	/* 2: a map, where keys can come twice */
	"{\"type\":\"map\",\"values\":[\"null\",\"int\",{\"type\":\"array\",\"items\":\"string\"}]}",
	/* 3: logical types */
	"{\"type\":\"record\",\"name\":\"L\",\"fields\":["
	"{\"name\":\"d\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}},"
	"{\"name\":\"t\",\"type\":{\"type\":\"long\",\"logicalType\":\"time-micros\"}},"
	"{\"name\":\"s\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"
	"{\"name\":\"u\",\"type\":{\"type\":\"long\",\"logicalType\":\"local-timestamp-nanos\"}},"
	"{\"name\":\"m\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":30,\"scale\":"
	"3}},"
	"{\"name\":\"i\",\"type\":{\"type\":\"fixed\",\"name\":\"U\",\"size\":16,\"logicalType\":\"uuid\"}}]"
	"}",
	/* 4: reads 0 with renamed, promoted, reordered and added fields */
	"{\"type\":\"record\",\"name\":\"R\",\"fields\":["
	"{\"name\":\"i\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}},"
	"{\"name\":\"aa\",\"type\":\"bytes\",\"aliases\":[\"a\"]},{\"name\":\"b\",\"type\":[\"double\","
	"\"null\"]},"
	"{\"name\":\"c\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"Z\",\"W\",\"X\"],"
	"\"default\":\"W\"}},"
	"{\"name\":\"d\",\"type\":[\"string\",\"float\"]},{\"name\":\"h\",\"type\":{\"type\":\"array\","
	"\"items\":\"string\"}},"
	"{\"name\":\"n\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"int\"}},"
	"\"default\":{\"k\":[1,2],\"l\":[]}}]}",
	/* 5: reads 1, skipping */
	"{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"T\"]},"
	"{\"name\":\"v\",\"type\":[\"null\",\"T\"],\"default\":null}]}",
};

#define FUZZ_SCHEMAS (sizeof(fuzz_schema) / sizeof(fuzz_schema[0]))

/* Parsed at the first call, kept for the process. */
static inline struct schema *fuzz_schema_at(size_t i)
{
	static struct schema *parsed[FUZZ_SCHEMAS];

	if (!parsed[i] &&
	    schema_parse(bus_str(fuzz_schema[i]), SCHEMA_LENIENT, NULL, 0, &parsed[i], NULL) != BUS_OK)
		abort();
	return parsed[i];
}

static inline const struct schema_plan *fuzz_plan(size_t writer, size_t reader)
{
	static struct schema_plan *plan[FUZZ_SCHEMAS][FUZZ_SCHEMAS];
	struct schema_plan **p = &plan[writer][reader];

	if (!*p && schema_plan(fuzz_schema_at(writer), fuzz_schema_at(reader), p, NULL) != BUS_OK)
		abort();
	return *p;
}

static inline struct schema_reader *fuzz_machine(void)
{
	static struct schema_reader *machine;

	if (!machine)
		machine =
		    schema_reader_new(&(struct schema_limits){ .depth = 40, .items = 1000, .bytes = 1000 });
	return machine;
}

static inline enum bus_err fuzz_decode(size_t writer, size_t reader, struct bus_str datum,
				       enum schema_json spelling, struct bus_buf *json)
{
	struct bus_json_out out = { .buf = json };
	struct schema_json_sink sink;
	struct bus_error err;

	schema_json_sink_init(&sink, &out, spelling);
	return schema_read(fuzz_machine(), fuzz_plan(writer, reader), datum, &sink.sink, &err);
}

/* The datum as one of the reader's schema. */
static inline enum bus_err fuzz_rewrite(size_t writer, size_t reader, struct bus_str datum,
					struct bus_buf *out)
{
	const struct schema_cell *root;
	struct bus_error err;
	enum bus_err rc = schema_read_cells(fuzz_machine(), fuzz_plan(writer, reader), datum, &root, &err);

	if (rc == BUS_OK)
		schema_write_cells(schema_root(fuzz_schema_at(reader)), root, root, out);
	return rc;
}

#endif
