#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/producer.h"
#include "schemas/store/impl.h"
#include "schemas/store/store.h"
#include "schemas/store/table.h"
#include "tests/support/mock.h"

#define TOPIC "_schemas"
#define RECORD_A "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}"
#define RECORD_A2                                                                                            \
	"{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"},"                 \
	"{\"name\":\"y\",\"type\":\"int\",\"default\":0}]}"

struct fixture {
	struct mock m;
	struct bus_producer *p;
	uint64_t token;
};

static struct fixture start(void)
{
	struct fixture f = { .m = mock_start(1) };
	struct bus_producer_conf conf = { .kafka = f.m.kafka };
	struct bus_error err;

	assert_int_equal(rd_kafka_mock_topic_create(f.m.cluster, TOPIC, 1, 1), 0);
	assert_int_equal(bus_producer_open(&conf, &f.p, &err), BUS_OK);
	return f;
}

static void stop(struct fixture *f)
{
	bus_producer_close(&f->p);
	mock_stop(&f->m);
}

/* value NULL: tombstone. Returns the record's offset. */
static int64_t put(struct fixture *f, const char *key, const char *value)
{
	struct bus_str v = value ? bus_str(value) : (struct bus_str){ NULL, 0 };
	struct bus_error err;

	assert_int_equal(
	    bus_producer_send(f->p, TOPIC, 0, bus_str(key), &v, NULL, 0, 1000, ++f->token, 5000, &err),
	    BUS_OK);
	assert_int_equal(bus_producer_flush(f->p, 5000, &err), BUS_OK);
	return bus_producer_offset(f->p);
}

static int64_t put_referring(struct fixture *f, const char *subject, int version, int32_t id,
			     const char *text, bool deleted, struct schema_store_reference *ref, size_t n)
{
	struct schema_version v = { .subject = (char *)(uintptr_t)subject,
				    .version = version,
				    .id = id,
				    .text = (char *)(uintptr_t)text,
				    .deleted = deleted,
				    .reference = ref,
				    .n_references = n };
	struct bus_buf key = { 0 }, value = { 0 };
	int64_t offset;

	schema_record_key(SCHEMA_RECORD_SCHEMA, subject, version, &key);
	schema_record_schema(&v, &value);
	offset = put(f, bus_buf_cstr(&key), bus_buf_cstr(&value));
	bus_buf_release(&key);
	bus_buf_release(&value);
	return offset;
}

static int64_t put_schema(struct fixture *f, const char *subject, int version, int32_t id, const char *text,
			  bool deleted, struct schema_store_reference *ref)
{
	return put_referring(f, subject, version, id, text, deleted, ref, ref ? 1 : 0);
}

static struct schema_store *open_store(struct fixture *f)
{
	struct schema_store *s = NULL;
	struct bus_error err = { 0 };

	if (schema_store_open(&f->m.kafka, TOPIC, 10000, &s, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return s;
}

static void wait_for(struct schema_store *s, int64_t offset)
{
	struct bus_error err = { 0 };

	if (schema_store_wait(s, offset, 5000, &err) != BUS_OK)
		fail_msg("%s", err.text);
}

static size_t count_names(struct schema_store *s, const char *prefix, enum schema_deleted which)
{
	struct schema_name_list l;
	size_t n;

	schema_store_subjects(s, prefix, which, &l);
	n = l.n;
	schema_name_list_release(&l);
	return n;
}

static size_t count_versions(struct schema_store *s, const char *subject, enum schema_deleted which)
{
	struct schema_version_list l;
	size_t n;

	schema_store_versions(s, subject, which, &l);
	n = l.n;
	schema_version_list_release(&l);
	return n;
}

static void an_empty_log_is_read_at_once(void **state)
{
	struct fixture f = start();
	struct schema_store *s = open_store(&f);
	struct schema_version v;
	struct schema *schema;
	struct bus_error err;

	(void)state;
	assert_int_equal(schema_store_count(s), 0);
	assert_int_equal(schema_store_highest_id(s), 0);
	assert_int_equal(schema_store_next_offset(s), 0);
	assert_int_equal(schema_store_version(s, "s", 0, &v, &err), BUS_ENOENT);
	assert_int_equal(schema_store_by_id(s, 1, 0, &schema, &err), BUS_ENOENT);
	assert_int_equal(schema_store_level(s, "s"), SCHEMA_COMPAT_BACKWARD);
	assert_int_equal(schema_store_catch_up(s, 3000, &err), BUS_OK);
	assert_true(schema_store_healthy(s));
	schema_store_close(&s);
	assert_null(s);
	stop(&f);
}

static void holds_what_was_in_the_log_and_follows_what_comes(void **state)
{
	struct fixture f = start();
	struct schema_store *s;
	struct schema_version v;
	struct schema *schema;
	struct bus_error err;

	(void)state;
	put_schema(&f, "a-value", 1, 1, RECORD_A, false, NULL);
	put_schema(&f, "b-value", 1, 2, "\"string\"", false, NULL);
	s = open_store(&f);
	assert_int_equal(schema_store_count(s), 2);
	assert_int_equal(schema_store_next_offset(s), 2);
	assert_int_equal(schema_store_by_id(s, 1, 0, &schema, &err), BUS_OK);
	assert_string_equal(schema_root(schema)->name, "A");
	schema_unref(&schema);
	wait_for(s, put_schema(&f, "a-value", 2, 3, RECORD_A2, false, NULL));
	assert_int_equal(schema_store_version(s, "a-value", 0, &v, &err), BUS_OK);
	assert_int_equal(v.version, 2);
	assert_int_equal(v.id, 3);
	assert_string_equal(v.text, RECORD_A2);
	assert_string_equal(v.type, "AVRO");
	schema_version_release(&v);
	assert_int_equal(schema_store_version(s, "a-value", 1, &v, &err), BUS_OK);
	assert_int_equal(v.id, 1);
	schema_version_release(&v);
	assert_int_equal(schema_store_version(s, "a-value", 3, &v, &err), BUS_ENOENT);
	assert_int_equal(count_names(s, "", SCHEMA_LIVE), 2);
	assert_int_equal(count_names(s, "b", SCHEMA_LIVE), 1);
	assert_int_equal(schema_store_highest_id(s), 3);
	schema_store_close(&s);
	stop(&f);
}

static void deleted_softly_is_hidden_and_hard_is_gone_but_the_id_stays(void **state)
{
	struct fixture f = start();
	struct schema_store *s = open_store(&f);
	struct schema_version v;
	struct bus_error err;
	struct schema *schema;

	(void)state;
	put_schema(&f, "a-value", 1, 1, RECORD_A, false, NULL);
	put_schema(&f, "a-value", 2, 2, RECORD_A2, false, NULL);
	wait_for(s, put(&f, "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"a-value\",\"magic\":0}",
			"{\"subject\":\"a-value\",\"version\":1}"));
	assert_int_equal(count_versions(s, "a-value", SCHEMA_LIVE), 1);
	assert_int_equal(count_versions(s, "a-value", SCHEMA_ONLY_DELETED), 1);
	assert_int_equal(count_names(s, "", SCHEMA_LIVE), 1);
	wait_for(s, put_schema(&f, "a-value", 2, 2, RECORD_A2, true, NULL));
	assert_int_equal(count_names(s, "", SCHEMA_LIVE), 0);
	assert_int_equal(count_names(s, "", SCHEMA_ONLY_DELETED), 1);
	assert_int_equal(count_names(s, "", SCHEMA_WITH_DELETED), 1);
	assert_int_equal(schema_store_version(s, "a-value", 0, &v, &err), BUS_ENOENT);
	assert_int_equal(schema_store_version(s, "a-value", 2, &v, &err), BUS_OK);
	assert_true(v.deleted);
	schema_version_release(&v);
	put(&f, "{\"keytype\":\"SCHEMA\",\"subject\":\"a-value\",\"version\":1,\"magic\":1}", NULL);
	wait_for(s,
		 put(&f, "{\"keytype\":\"SCHEMA\",\"subject\":\"a-value\",\"version\":2,\"magic\":1}", NULL));
	assert_int_equal(count_names(s, "", SCHEMA_WITH_DELETED), 0);
	assert_false(schema_store_has(s, "a-value", true));
	assert_int_equal(schema_store_highest_id(s), 2);
	/* data that were written with it stay readable */
	assert_int_equal(schema_store_by_id(s, 1, 0, &schema, &err), BUS_OK);
	schema_unref(&schema);
	wait_for(s, put(&f, "{\"keytype\":\"NOOP\",\"magic\":0}", "{\"highestId\":40}"));
	assert_int_equal(schema_store_highest_id(s), 40);
	schema_store_close(&s);
	stop(&f);
}

static void an_id_never_changes_its_meaning(void **state)
{
	struct fixture f = start();
	struct schema_store *s = open_store(&f);
	struct schema_version v;
	struct bus_error err;

	(void)state;
	put_schema(&f, "a-value", 1, 1, RECORD_A, false, NULL);
	put_schema(&f, "b-value", 1, 1, "\"string\"", false, NULL); /* contradicts: passed over */
	/* the same schema in another spelling: kept as written */
	wait_for(s, put_schema(&f, "c-value", 1, 1, " " RECORD_A, false, NULL));
	assert_int_equal(schema_store_version(s, "b-value", 1, &v, &err), BUS_ENOENT);
	assert_int_equal(schema_store_version(s, "c-value", 1, &v, &err), BUS_OK);
	assert_string_equal(v.text, " " RECORD_A);
	schema_version_release(&v);
	/* nobody uses it any more: an import may give it another meaning, as a compacted log would show it */
	put(&f, "{\"keytype\":\"SCHEMA\",\"subject\":\"a-value\",\"version\":1,\"magic\":1}", NULL);
	put(&f, "{\"keytype\":\"SCHEMA\",\"subject\":\"c-value\",\"version\":1,\"magic\":1}", NULL);
	wait_for(s, put_schema(&f, "b-value", 1, 1, "\"string\"", false, NULL));
	assert_int_equal(schema_store_version(s, "b-value", 1, &v, &err), BUS_OK);
	assert_string_equal(v.text, "\"string\"");
	schema_version_release(&v);
	schema_store_close(&s);
	stop(&f);
}

static void count_referrer(void *ctx, const struct schema_content *c)
{
	assert_string_equal(c->use[0].subject->name, "user-value");
	++*(int *)ctx;
}

static void resolves_references_even_when_they_come_late(void **state)
{
	struct fixture f = start();
	struct schema_store_reference ref = { (char[]){ "A" }, (char[]){ "a-value" }, 1 };
	struct schema_store *s;
	struct schema *schema = NULL;
	int n = 0;
	struct bus_error err;

	(void)state;
	put_schema(&f, "user-value", 1, 5, "{\"type\":\"array\",\"items\":\"A\"}", false, &ref);
	s = open_store(&f);
	assert_int_equal(schema_store_by_id(s, 5, 0, &schema, &err), BUS_ESCHEMA);
	wait_for(s, put_schema(&f, "a-value", 1, 4, RECORD_A, false, NULL));
	assert_int_equal(schema_store_by_id(s, 5, 0, &schema, &err), BUS_OK);
	assert_string_equal(schema_root(schema)->item->name, "A");
	schema_unref(&schema);
	schema_table_referrers(schema_store_read(s), "a-value", 1, count_referrer, &n);
	schema_store_done(s);
	assert_int_equal(n, 1);
	schema_table_referrers(schema_store_read(s), "a-value", 2, count_referrer, &n);
	schema_store_done(s);
	assert_int_equal(n, 1);
	schema_store_close(&s);
	stop(&f);
}

/* A version to be looked for, as the registry makes one of a request. */
static struct schema_version asked_for(const char *subject, const char *text, const char *extra)
{
	struct schema_version v = { .subject = (char *)(uintptr_t)subject,
				    .text = (char *)(uintptr_t)text,
				    .type = (char *)(uintptr_t) "AVRO",
				    .extra = (char *)(uintptr_t)extra };
	const struct schema_rule_set *rules;
	const struct schema_metadata *m;
	struct bus_arena *arena = bus_arena_new(0);
	struct bus_error err;

	assert_int_equal(schema_parse(bus_str(text), SCHEMA_STRICT, NULL, 0, &v.schema, &err), BUS_OK);
	schema_meta_parse(extra, arena, &m, &rules);
	schema_record_guid(bus_str(text), NULL, 0, m, rules, v.guid);
	bus_arena_free(&arena);
	return v;
}

static void finds_the_same_schema_whatever_its_spelling(void **state)
{
	struct fixture f = start();
	struct schema_store *s = open_store(&f);
	struct schema_version sought = asked_for("a-value",
						 "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,"
						 "\"b\":1,\"a\":2}",
						 ""),
			      found;
	struct bus_error err;
	int32_t id = 0;
	bool exact;

	(void)state;
	wait_for(s,
		 put_schema(&f, "a-value", 1, 6,
			    "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"a\":2,\"b\":1}", false, NULL));
	for (int i = 0; i < 2; i++) { /* the second time it is known what the version means */
		assert_int_equal(schema_store_find(s, &sought, SCHEMA_LIVE, false, &found, &exact, &err),
				 BUS_OK);
		assert_int_equal(found.id, 6);
		assert_false(exact);
		schema_version_release(&found);
	}
	assert_int_equal(schema_store_find_id(s, &sought, &id, &err), BUS_ENOENT);
	schema_unref(&sought.schema);
	sought = asked_for("a-value", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"a\":2,\"b\":1}", "");
	assert_int_equal(schema_store_find(s, &sought, SCHEMA_LIVE, false, &found, &exact, &err), BUS_OK);
	assert_true(exact);
	schema_version_release(&found);
	assert_int_equal(schema_store_find_id(s, &sought, &id, &err), BUS_OK);
	assert_int_equal(id, 6);
	sought.subject = (char *)(uintptr_t) "b-value";
	assert_int_equal(schema_store_find(s, &sought, SCHEMA_LIVE, false, &found, &exact, &err), BUS_ENOENT);
	sought.subject = (char *)(uintptr_t) ":.other:a-value"; /* ids are a context's own */
	assert_int_equal(schema_store_find_id(s, &sought, &id, &err), BUS_ENOENT);
	schema_unref(&sought.schema);
	sought = asked_for("a-value", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"a\":2,\"b\":1}",
			   "\"metadata\":{\"properties\":{\"owner\":\"x\"}}");
	assert_int_equal(schema_store_find_id(s, &sought, &id, &err), BUS_ENOENT);
	assert_int_equal(schema_store_find(s, &sought, SCHEMA_LIVE, false, &found, &exact, &err), BUS_ENOENT);
	schema_unref(&sought.schema);
	schema_store_close(&s);
	stop(&f);
}

#define WIDE 64 /* SCHEMA_STORE_REFERENCES_MAX */

/* Record R<layer>_<i> with a doc of that length; ids count from layer * WIDE + 1. It names the one below and
 * refers to n of the layer below. */
static int64_t put_layered(struct fixture *f, int layer, int i, size_t doc, int from, size_t n)
{
	struct schema_store_reference ref[WIDE];
	char subject[32], name[WIDE][32];
	struct bus_buf text = { 0 };
	int64_t offset;

	for (size_t k = 0; k < n; k++) {
		snprintf(name[k], sizeof(name[k]), "R%d_%d", layer - 1, from + (int)k);
		ref[k] = (struct schema_store_reference){ name[k], name[k], 1 };
	}
	snprintf(subject, sizeof(subject), "R%d_%d", layer, i);
	bus_buf_printf(&text, "{\"type\":\"record\",\"name\":\"%s\",\"doc\":\"%*s\",\"fields\":[", subject,
		       (int)doc, "");
	if (n > 0)
		bus_buf_printf(&text, "{\"name\":\"a\",\"type\":\"%s\"}", name[n - 1]);
	bus_buf_printf(&text, "]}");
	offset = put_referring(f, subject, 1, layer * WIDE + i + 1, bus_buf_cstr(&text), false, ref, n);
	bus_buf_release(&text);
	return offset;
}

static enum bus_err asked(struct schema_store *s, int32_t id)
{
	struct schema *schema;
	struct bus_error err;
	enum bus_err rc = schema_store_by_id(s, id, 0, &schema, &err);

	schema_unref(&schema);
	return rc;
}

static void references_may_be_many_but_not_endless(void **state)
{
	struct fixture f = start();
	int64_t from, last = 0;
	struct schema_store *s;
	struct schema_version v;
	struct bus_error err;

	(void)state;
	/* Layers of which each schema refers to all of the layer below: the fourth leads to 192, the fifth to 256. */
	for (int layer = 0; layer < 4; layer++)
		for (int i = 0; i < WIDE; i++)
			put_layered(&f, layer, i, 10, 0, layer > 0 ? WIDE : 0);
	put_layered(&f, 4, 0, 10, 0, WIDE);
	/* A chain. */
	for (int layer = 10; layer < 80; layer++)
		put_layered(&f, layer, 0, 10, 0, layer > 10 ? 1 : 0);
	/* 64 of 20 kB are too long for one schema; half of them are not. */
	for (int i = 0; i < WIDE; i++)
		put_layered(&f, 100, i, 20000, 0, 0);
	put_layered(&f, 101, 0, 10, 0, WIDE / 2);
	last = put_layered(&f, 101, 1, 10, 0, WIDE);
	s = open_store(&f);
	wait_for(s, last);
	from = bus_clock_mono_ms();
	assert_int_equal(asked(s, WIDE + 1), BUS_OK);
	assert_int_equal(asked(s, 3 * WIDE + 1), BUS_OK);
	assert_int_equal(asked(s, 4 * WIDE + 1), BUS_ESCHEMA);
	assert_int_equal(asked(s, (10 + 50) * WIDE + 1), BUS_OK);
	assert_int_equal(asked(s, 79 * WIDE + 1), BUS_ESCHEMA);
	assert_int_equal(asked(s, 101 * WIDE + 1), BUS_OK);
	assert_int_equal(asked(s, 101 * WIDE + 2), BUS_ESCHEMA);
	assert_in_range(bus_clock_mono_ms() - from, 0, 2000);
	assert_in_range(s->parsed_bytes, 1, 8 << 20);
	/* Served as text, and it is said why. */
	assert_int_equal(schema_store_version(s, "R101_1", 1, &v, &err), BUS_OK);
	assert_null(v.schema);
	assert_int_equal(schema_store_parse(s, &v, &err), BUS_ETOOBIG);
	assert_non_null(strstr(err.text, "together longer than"));
	schema_version_release(&v);
	assert_int_equal(schema_store_version(s, "R4_0", 1, &v, &err), BUS_OK);
	assert_int_equal(schema_store_parse(s, &v, &err), BUS_ETOOBIG);
	assert_non_null(strstr(err.text, "more than 200 schemas"));
	schema_version_release(&v);
	schema_store_close(&s);
	stop(&f);
}

static void what_is_parsed_is_kept_within_bounds(void **state)
{
	enum { MANY = 16, FIELDS = 6000 };
	struct fixture f = start();
	struct schema *one, *again;
	struct bus_buf text = { 0 };
	struct schema_store *s;
	struct schema_version v;
	struct bus_error err;
	size_t sum = 0;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		char subject[16];

		bus_buf_reset(&text);
		bus_buf_printf(&text, "{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[", i);
		for (int k = 0; k < FIELDS; k++)
			bus_buf_printf(&text, "%s{\"name\":\"f%d\",\"type\":[\"null\",\"int\"]}",
				       k ? "," : "", k);
		bus_buf_printf(&text, "]}");
		snprintf(subject, sizeof(subject), "s%d", i);
		put_schema(&f, subject, 1, i + 1, bus_buf_cstr(&text), false, NULL);
	}
	s = open_store(&f);
	assert_int_equal(schema_store_version_once(s, "s0", 0, &v, &err), BUS_OK);
	assert_non_null(v.schema);
	schema_version_release(&v);
	assert_int_equal(s->parsed_bytes, 0);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(schema_store_by_id(s, i + 1, 0, &one, &err), BUS_OK);
		sum += schema_memory(one);
		assert_int_equal(schema_store_by_id(s, i + 1, 0, &again, &err), BUS_OK);
		assert_ptr_equal(one, again);
		schema_unref(&one);
		schema_unref(&again);
		assert_in_range(s->parsed_bytes, 1, SCHEMA_PARSED_BYTES);
	}
	assert_true(sum > SCHEMA_PARSED_BYTES); /* else nothing had to go */
	assert_true(s->parsed_bytes > SCHEMA_PARSED_BYTES / 2);
	bus_buf_release(&text);
	schema_store_close(&s);
	stop(&f);
}

static int mode_for(struct schema_store *s, const char *subject)
{
	int mode = schema_table_mode_for(schema_store_read(s), subject);

	schema_store_done(s);
	return mode;
}

/* Confluent's InMemoryCache.config() and mode(): the subject's own, its context's (the top level's for the
 * default context), `:.__GLOBAL:`'s, the default. */
static void settings_fall_back_and_rubbish_is_passed_over(void **state)
{
	struct fixture f = start();
	struct schema_store *s = open_store(&f);
	struct schema_config c;

	(void)state;
	put(&f, "rubbish", "rubbish");
	put(&f, "{\"keytype\":\"CONFIG\",\"subject\":null,\"magic\":0}", "{\"compatibilityLevel\":\"FULL\"}");
	put(&f, "{\"keytype\":\"CONFIG\",\"subject\":\":.__GLOBAL:\",\"magic\":0}",
	    "{\"compatibilityLevel\":\"NONE\"}");
	put(&f, "{\"keytype\":\"MODE\",\"subject\":null,\"magic\":0}", "{\"mode\":\"READONLY\"}");
	put(&f, "{\"keytype\":\"MODE\",\"subject\":\":.c:\",\"magic\":0}",
	    "{\"subject\":\":.c:\",\"mode\":\"IMPORT\"}");
	put(&f, "{\"keytype\":\"CONFIG\",\"subject\":\"n\",\"magic\":0}", "{\"normalize\":true}");
	wait_for(
	    s, put(&f, "{\"keytype\":\"CONFIG\",\"subject\":\"a\",\"magic\":0}",
		   "{ \"compatibilityLevel\":\"NONE\",\"normalize\":true,\"compatibilityGroup\":\"major\"}"));
	assert_int_equal(schema_store_level(s, "a"), SCHEMA_COMPAT_NONE);
	assert_int_equal(schema_store_level(s, "b"), SCHEMA_COMPAT_FULL);
	assert_int_equal(schema_store_level(s, "n"), SCHEMA_COMPAT_BACKWARD);
	assert_int_equal(schema_store_level(s, ":.c:a"), SCHEMA_COMPAT_NONE);
	assert_int_equal(mode_for(s, "a"), SCHEMA_MODE_READONLY);
	assert_int_equal(mode_for(s, ":.c:a"), SCHEMA_MODE_IMPORT);
	assert_int_equal(mode_for(s, ":.d:a"), SCHEMA_MODE_READWRITE);
	assert_false(schema_table_config(schema_store_read(s), "b", &c));
	schema_config_release(&c);
	assert_true(schema_table_config(schema_store_read(s), "a", &c));
	schema_store_done(s);
	schema_store_done(s);
	assert_string_equal(c.group, "major");
	assert_int_equal(c.normalize, 1);
	schema_config_release(&c);
	wait_for(s, put(&f, "{\"keytype\":\"CONFIG\",\"subject\":\"a\",\"magic\":0}", NULL));
	assert_int_equal(schema_store_level(s, "a"), SCHEMA_COMPAT_FULL);
	schema_store_close(&s);
	stop(&f);
}

/* Confluent's CLEAR_SUBJECT has no version; contexts have ids of their own. */
static void contexts_keep_apart_and_clearing_takes_what_is_deleted(void **state)
{
	struct fixture f = start();
	struct schema_store *s = open_store(&f);
	struct schema_context *const *list;

	(void)state;
	put_schema(&f, "a", 1, 1, RECORD_A, true, NULL);
	put_schema(&f, ":.c:a", 1, 1, RECORD_A2, true, NULL);
	put_schema(&f, ":.c:b", 1, 2, RECORD_A, false, NULL);
	put(&f, "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".c\",\"magic\":0}",
	    "{\"tenant\":\"default\",\"context\":\".c\"}");
	wait_for(s, put(&f, "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\":.c:\",\"magic\":0}",
			"{\"subject\":\":.c:\"}"));
	assert_true(schema_store_has(s, "a", true));
	assert_false(schema_store_has(s, ":.c:a", true));
	assert_true(schema_store_has(s, ":.c:b", false));
	assert_int_equal(schema_store_highest_id(s), 1);
	assert_int_equal(schema_table_contexts(schema_store_read(s), &list), 2);
	assert_string_equal(list[1]->name, ".c");
	assert_true(list[1]->listed);
	assert_int_equal(list[1]->highest_id, 2);
	schema_store_done(s);
	wait_for(s, put(&f, "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":null,\"magic\":0}", "{}"));
	assert_false(schema_store_has(s, "a", true));
	schema_store_close(&s);
	stop(&f);
}

static void count_call(void *ctx)
{
	atomic_fetch_add((atomic_int *)ctx, 1);
}

static void tells_its_listener_and_waits_for_unknown_ids(void **state)
{
	struct fixture f = start();
	struct schema_store *s = open_store(&f);
	struct schema *schema;
	struct bus_error err;
	atomic_int calls = 0;
	int64_t from = bus_clock_mono_ms();
	int told;

	(void)state;
	schema_store_on_change(s, count_call, &calls);
	put_schema(&f, "a-value", 1, 1, RECORD_A, false, NULL);
	while (atomic_load(&calls) == 0 && bus_clock_mono_ms() - from < 5000)
		usleep(1000);
	schema_store_on_change(s, NULL, NULL);
	told = atomic_load(&calls);
	assert_in_range(told, 1, 2);
	wait_for(s, put_schema(&f, "a-value", 2, 2, RECORD_A2, false, NULL));
	assert_int_equal(atomic_load(&calls), told);
	from = bus_clock_mono_ms();
	assert_int_equal(schema_store_by_id(s, 99, 200, &schema, &err), BUS_ENOENT);
	assert_in_range(bus_clock_mono_ms() - from, 190, 2000);
	assert_int_equal(schema_store_wait(s, 50, 50, &err), BUS_ETIMEOUT);
	schema_store_close(&s);
	stop(&f);
}

static void opening_tells_why_it_cannot(void **state)
{
	struct bus_kafka_conf nobody = { .bootstrap = "127.0.0.1:1" };
	struct mock m = mock_start(1);
	struct schema_store *s = NULL;
	struct bus_error err;

	(void)state;
	assert_int_equal(schema_store_open(&nobody, TOPIC, 300, &s, &err), BUS_ETIMEOUT);
	assert_null(s);
	assert_int_equal(rd_kafka_mock_topic_create(m.cluster, "many", 2, 1), 0);
	assert_int_equal(schema_store_open(&m.kafka, "many", 5000, &s, &err), BUS_EINVAL);
	assert_non_null(strstr(err.text, "2 partitions"));
	mock_stop(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_log_is_read_at_once),
		cmocka_unit_test(holds_what_was_in_the_log_and_follows_what_comes),
		cmocka_unit_test(deleted_softly_is_hidden_and_hard_is_gone_but_the_id_stays),
		cmocka_unit_test(an_id_never_changes_its_meaning),
		cmocka_unit_test(resolves_references_even_when_they_come_late),
		cmocka_unit_test(finds_the_same_schema_whatever_its_spelling),
		cmocka_unit_test(references_may_be_many_but_not_endless),
		cmocka_unit_test(what_is_parsed_is_kept_within_bounds),
		cmocka_unit_test(settings_fall_back_and_rubbish_is_passed_over),
		cmocka_unit_test(contexts_keep_apart_and_clearing_takes_what_is_deleted),
		cmocka_unit_test(tells_its_listener_and_waits_for_unknown_ids),
		cmocka_unit_test(opening_tells_why_it_cannot),
	};

	bus_log_setup(BUS_LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
