/* Container files: what is written is read back, by us and by avro-c (the codecs it has); hostile and broken
 * files. fastavro reads all codecs in tests/integration/test_avro.py. */
#include "tests/support/schemas.h"

#include <avro.h>
#include <unistd.h>

#include "schemas/avro/canon.h"
#include "schemas/avro/json.h"
#include "schemas/avro/write.h"
#include "schemas/avro/ocf.h"
#include "schemas/avro/ocf_codec.h"
#include "tests/support/alloc.h"

static const uint8_t sync_marker[SCHEMA_SYNC_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

struct source {
	struct bus_str left;
	size_t piece; /* handed out at once */
};

static enum bus_err give(void *ctx, void *p, size_t n, size_t *got, struct bus_error *err)
{
	struct source *s = ctx;

	(void)err;
	if (n > s->piece)
		n = s->piece;
	if (n > s->left.n)
		n = s->left.n;
	if (n > 0)
		memcpy(p, s->left.p, n);
	s->left.p += n;
	s->left.n -= n;
	*got = n;
	return BUS_OK;
}

static enum bus_err take(void *ctx, const void *p, size_t n, struct bus_error *err)
{
	(void)err;
	bus_buf_put(ctx, p, n);
	return BUS_OK;
}

/* A file of n records {"i":0,"s":"xxx 0"}, ... */
static void make(enum schema_codec codec, int n, struct bus_buf *file)
{
	const struct schema_ocf_meta meta = { BUS_STR("kota"), BUS_STR("Pekanbaru") };
	struct schema *s = schema_of_quoted("{'type':'record','name':'R','namespace':'a','fields':"
					    "[{'name':'i','type':'int'},{'name':'s','type':'string'}]}");
	struct schema_ocf_writer *w = NULL;
	struct bus_error err = { 0 };
	struct bus_buf datum = { 0 };

	assert_int_equal(schema_ocf_create(s, codec, &meta, 1, sync_marker, take, file, &w, &err), BUS_OK);
	for (int i = 0; i < n; i++) {
		char text[64];

		snprintf(text, sizeof(text), "nama nama nama %d", i);
		bus_buf_reset(&datum);
		schema_put_long(&datum, i);
		schema_put_text(&datum, bus_str(text));
		assert_int_equal(schema_ocf_append(w, bus_buf_str(&datum), &err), BUS_OK);
	}
	assert_int_equal(schema_ocf_finish(&w, &err), BUS_OK);
	assert_null(w);
	bus_buf_release(&datum);
	schema_unref(&s);
}

/* Reads it all as JSON lines; the records and blocks counted. */
static enum bus_err read_all(struct bus_str file, size_t piece, const struct schema_ocf_limits *limits,
			     struct bus_buf *json, uint64_t *records, uint64_t *blocks, struct bus_error *err)
{
	struct source source = { file, piece };
	struct schema_ocf_reader *r = NULL;
	struct schema_plan *plan = NULL;
	struct bus_json_out out = { .buf = json };
	struct schema_json_sink sink;
	enum bus_err rc = schema_ocf_open(give, &source, limits, &r, err);
	bool more = true;

	*records = 0;
	schema_json_sink_init(&sink, &out, SCHEMA_JSON_AVRO);
	if (rc == BUS_OK)
		rc = schema_plan(schema_ocf_schema(r), NULL, &plan, err);
	while (rc == BUS_OK && more) {
		rc = schema_ocf_next(r, plan, &sink.sink, &more, err);
		if (rc == BUS_OK && more) {
			bus_buf_putc(json, '\n');
			*records += 1;
		}
	}
	if (r) {
		*blocks = schema_ocf_blocks(r);
		if (rc != BUS_OK) /* and it stays so */
			assert_int_equal(schema_ocf_next(r, plan, &sink.sink, &more, NULL), rc);
	}
	schema_plan_free(&plan);
	schema_ocf_close(&r);
	return rc;
}

static void expect_lines(struct bus_buf *json, int n)
{
	struct bus_buf want = { 0 };

	for (int i = 0; i < n; i++)
		bus_buf_printf(&want, "{\"i\":%d,\"s\":\"nama nama nama %d\"}\n", i, i);
	assert_int_equal(json->n, want.n);
	assert_string_equal(bus_buf_cstr(json), bus_buf_cstr(&want));
	bus_buf_release(&want);
}

static void writes_what_it_reads_in_every_codec(void **state)
{
	static const size_t piece[] = { 1, 7, 1000000 };

	(void)state;
	for (int codec = 0; codec < SCHEMA_CODECS; codec++)
		for (size_t i = 0; i < BUS_LEN(piece); i++) {
			struct bus_buf file = { 0 };
			struct bus_buf json = { 0 };
			struct bus_error err = { 0 };
			uint64_t records;
			uint64_t blocks;

			make((enum schema_codec)codec, 9000, &file);
			assert_int_equal(
			    read_all(bus_buf_str(&file), piece[i], NULL, &json, &records, &blocks, &err),
			    BUS_OK);
			assert_int_equal(records, 9000);
			assert_int_equal(blocks, 4); /* 9000 records of about 24 bytes, 64,000 a block */
			expect_lines(&json, 9000);
			bus_buf_release(&file);
			bus_buf_release(&json);
		}
}

static void keeps_schema_codec_and_metadata(void **state)
{
	struct bus_buf file = { 0 };
	struct schema_ocf_reader *r = NULL;
	struct bus_error err = { 0 };
	struct bus_buf text = { 0 };
	const struct schema_ocf_meta *meta;
	struct source source;
	size_t n;

	(void)state;
	make(SCHEMA_CODEC_ZSTANDARD, 0, &file);
	source = (struct source){ bus_buf_str(&file), 10 };
	assert_int_equal(schema_ocf_open(give, &source, NULL, &r, &err), BUS_OK);
	assert_int_equal(schema_ocf_codec(r), SCHEMA_CODEC_ZSTANDARD);
	assert_memory_equal(schema_ocf_sync(r), sync_marker, SCHEMA_SYNC_LEN);
	meta = schema_ocf_metadata(r, &n);
	assert_int_equal(n, 3);
	assert_true(bus_str_is(meta[2].key, "kota") && bus_str_is(meta[2].value, "Pekanbaru"));
	schema_to_string(schema_ocf_schema(r), &text);
	assert_string_equal(bus_buf_cstr(&text),
			    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":"
			    "[{\"name\":\"i\",\"type\":\"int\"},"
			    "{\"name\":\"s\",\"type\":\"string\"}]}");
	schema_ocf_close(&r);
	bus_buf_release(&text);
	bus_buf_release(&file);
}

static void writes_the_types_of_references_into_the_file(void **state)
{
	struct schema *e = schema_of_quoted("{'type':'enum','name':'a.E','symbols':['X']}");
	const struct schema_reference ref = { "e", e };
	struct schema_ocf_writer *w = NULL;
	struct schema_ocf_reader *r = NULL;
	struct bus_buf file = { 0 };
	struct schema *s = NULL;
	struct source source;

	(void)state;
	assert_int_equal(
	    schema_parse(BUS_STR("{\"type\":\"array\",\"items\":\"a.E\"}"), SCHEMA_STRICT, &ref, 1, &s, NULL),
	    BUS_OK);
	assert_int_equal(schema_ocf_create(s, SCHEMA_CODEC_NULL, NULL, 0, NULL, take, &file, &w, NULL),
			 BUS_OK);
	assert_int_equal(schema_ocf_finish(&w, NULL), BUS_OK);
	source = (struct source){ bus_buf_str(&file), file.n };
	assert_int_equal(schema_ocf_open(give, &source, NULL, &r, NULL), BUS_OK);
	assert_string_equal(schema_root(schema_ocf_schema(r))->item->symbol[0], "X");
	schema_ocf_close(&r);
	schema_unref(&s);
	schema_unref(&e);
	bus_buf_release(&file);
}

static void keeps_avros_own_metadata_to_itself(void **state)
{
	const struct schema_ocf_meta meta = { BUS_STR("avro.codec"), BUS_STR("null") };
	struct schema *s = schema_of_quoted("'int'");
	struct schema_ocf_writer *w = NULL;
	struct bus_buf file = { 0 };

	(void)state;
	assert_int_equal(schema_ocf_create(s, SCHEMA_CODEC_NULL, &meta, 1, NULL, take, &file, &w, NULL),
			 BUS_EINVAL);
	assert_null(w);
	assert_int_equal(file.n, 0);
	schema_unref(&s);
}

/* A second opinion: avro-c has three of the codecs. */
static void avro_c_reads_what_it_writes(void **state)
{
	static const enum schema_codec codec[] = { SCHEMA_CODEC_NULL, SCHEMA_CODEC_DEFLATE,
						   SCHEMA_CODEC_SNAPPY };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(codec); i++) {
		char path[] = "/tmp/titian-ocf-XXXXXX";
		FILE *f = fdopen(mkstemp(path), "w+b");
		struct bus_buf file = { 0 };
		avro_file_reader_t reader;
		avro_value_iface_t *type;
		avro_schema_t schema;
		avro_value_t value;
		int n = 0;

		make(codec[i], 5000, &file);
		assert_int_equal(fwrite(file.p, 1, file.n, f), file.n);
		rewind(f);
		assert_int_equal(avro_file_reader_fp(f, path, 1, &reader), 0);
		schema = avro_file_reader_get_writer_schema(reader);
		type = avro_generic_class_from_schema(schema);
		assert_int_equal(avro_generic_value_new(type, &value), 0);
		for (; avro_file_reader_read_value(reader, &value) == 0; n++) {
			avro_value_t field;
			const char *text;
			char want[64];
			size_t len;
			int32_t number;

			assert_int_equal(avro_value_get_by_name(&value, "i", &field, NULL), 0);
			assert_int_equal(avro_value_get_int(&field, &number), 0);
			assert_int_equal(number, n);
			assert_int_equal(avro_value_get_by_name(&value, "s", &field, NULL), 0);
			assert_int_equal(avro_value_get_string(&field, &text, &len), 0);
			snprintf(want, sizeof(want), "nama nama nama %d", n);
			assert_string_equal(text, want);
		}
		assert_int_equal(n, 5000);
		avro_value_decref(&value);
		avro_value_iface_decref(type);
		avro_schema_decref(schema);
		avro_file_reader_close(reader);
		unlink(path);
		bus_buf_release(&file);
	}
}

static void says_where_a_file_is_cut(void **state)
{
	struct bus_buf file = { 0 };
	size_t header;
	struct bus_error err = { 0 };
	struct bus_buf json = { 0 };
	uint64_t records;
	uint64_t blocks;

	(void)state;
	make(SCHEMA_CODEC_DEFLATE, 0, &file);
	header = file.n;
	bus_buf_reset(&file);
	make(SCHEMA_CODEC_DEFLATE, 3, &file);
	for (size_t n = 0; n < file.n; n++) {
		char at[40];

		bus_buf_reset(&json);
		err.text[0] = '\0';
		if (n == header) { /* no block yet: a whole file */
			assert_int_equal(
			    read_all((struct bus_str){ file.p, n }, 3, NULL, &json, &records, &blocks, &err),
			    BUS_OK);
			continue;
		}
		assert_int_equal(
		    read_all((struct bus_str){ file.p, n }, 3, NULL, &json, &records, &blocks, &err),
		    BUS_EDATA);
		assert_int_equal(records, 0);
		snprintf(at, sizeof(at), "byte %zu:", n);
		assert_non_null(strstr(err.text, at));
	}
	bus_buf_release(&file);
	bus_buf_release(&json);
}

/* Zeroes, packed: 64 MiB in a few thousand bytes. */
static void put_bomb(enum schema_codec codec, struct bus_buf *file)
{
	struct schema *s = schema_of_quoted("'bytes'");
	struct schema_ocf_writer *w = NULL;
	struct bus_buf plain = { 0 };
	struct bus_buf packed = { 0 };

	assert_int_equal(schema_ocf_create(s, codec, NULL, 0, sync_marker, take, file, &w, NULL), BUS_OK);
	assert_int_equal(schema_ocf_finish(&w, NULL), BUS_OK);
	bus_buf_reserve(&plain, (size_t)64 << 20);
	memset(plain.p, 0, (size_t)64 << 20);
	plain.n = (size_t)64 << 20;
	assert_int_equal(schema_codec_pack(codec, bus_buf_str(&plain), &packed, NULL), BUS_OK);
	schema_put_long(file, 1);
	schema_put_long(file, (int64_t)packed.n);
	bus_buf_put(file, packed.p, packed.n);
	bus_buf_put(file, sync_marker, SCHEMA_SYNC_LEN);
	bus_buf_release(&plain);
	bus_buf_release(&packed);
	schema_unref(&s);
}

static void bounds_what_a_block_unpacks_to(void **state)
{
	const struct schema_ocf_limits limits = { .block = (size_t)4 << 20 };

	(void)state;
	for (int codec = SCHEMA_CODEC_DEFLATE; codec < SCHEMA_CODECS; codec++) {
		struct bus_buf file = { 0 };
		struct bus_buf json = { 0 };
		struct bus_error err = { 0 };
		uint64_t records;
		uint64_t blocks;

		put_bomb((enum schema_codec)codec, &file);
		alloc_mark();
		assert_int_equal(read_all(bus_buf_str(&file), 65536, &limits, &json, &records, &blocks, &err),
				 BUS_ETOOBIG);
		/* The block, twice while its buffer grows. The codecs' own memory comes from libc too, but is
		 * not counted here: it is theirs, and bounded by them. */
		assert_true(alloc_peak() < (size_t)12 << 20);
		bus_buf_release(&file);
		bus_buf_release(&json);
	}
}

static void takes_no_memory_for_what_does_not_come(void **state)
{
	struct schema *s = schema_of_quoted("'bytes'");
	struct schema_ocf_writer *w = NULL;
	struct bus_buf file = { 0 };
	struct bus_buf json = { 0 };
	uint64_t records;
	uint64_t blocks;

	(void)state;
	assert_int_equal(schema_ocf_create(s, SCHEMA_CODEC_NULL, NULL, 0, NULL, take, &file, &w, NULL),
			 BUS_OK);
	assert_int_equal(schema_ocf_finish(&w, NULL), BUS_OK);
	schema_put_long(&file, 1);
	schema_put_long(&file, 60 << 20);
	bus_buf_puts(&file, "and no more");
	alloc_mark();
	assert_int_equal(read_all(bus_buf_str(&file), 65536, NULL, &json, &records, &blocks, NULL),
			 BUS_EDATA);
	assert_true(alloc_peak() < (size_t)1 << 20);
	bus_buf_release(&file);
	bus_buf_release(&json);
	schema_unref(&s);
}

static void counts_records_that_take_no_bytes(void **state)
{
	static const struct {
		int64_t count;
		enum bus_err rc;
	} all[] = { { 0, BUS_OK },
		    { 5, BUS_OK },
		    { 1000000, BUS_OK },
		    { 1000001, BUS_ETOOBIG },
		    { INT64_MAX, BUS_ETOOBIG } };
	struct schema *s = schema_of_quoted("'null'");

	(void)state;
	for (size_t i = 0; i < BUS_LEN(all); i++) {
		struct schema_ocf_writer *w = NULL;
		struct bus_buf file = { 0 };
		struct bus_buf json = { 0 };
		uint64_t records;
		uint64_t blocks;

		assert_int_equal(
		    schema_ocf_create(s, SCHEMA_CODEC_NULL, NULL, 0, sync_marker, take, &file, &w, NULL),
		    BUS_OK);
		assert_int_equal(schema_ocf_finish(&w, NULL), BUS_OK);
		schema_put_long(&file, all[i].count);
		schema_put_long(&file, 0);
		bus_buf_put(&file, sync_marker, SCHEMA_SYNC_LEN);
		assert_int_equal(read_all(bus_buf_str(&file), 65536, NULL, &json, &records, &blocks, NULL),
				 all[i].rc);
		assert_int_equal(records, all[i].rc == BUS_OK ? all[i].count : 0);
		bus_buf_release(&file);
		bus_buf_release(&json);
	}
	schema_unref(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_it_reads_in_every_codec),
		cmocka_unit_test(keeps_schema_codec_and_metadata),
		cmocka_unit_test(writes_the_types_of_references_into_the_file),
		cmocka_unit_test(keeps_avros_own_metadata_to_itself),
		cmocka_unit_test(avro_c_reads_what_it_writes),
		cmocka_unit_test(says_where_a_file_is_cut),
		cmocka_unit_test(bounds_what_a_block_unpacks_to),
		cmocka_unit_test(takes_no_memory_for_what_does_not_come),
		cmocka_unit_test(counts_records_that_take_no_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
