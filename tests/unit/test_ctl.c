#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "bus/buf.h"
#include "deploy/ctl/catalogue.h"
#include "deploy/ctl/ctl.h"
#include "schemas/avro/mask.h"

static char dir[] = "/tmp/titian-ctl-XXXXXX";

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *fp;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fp = fopen(path, "w");
	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
}

static int set_up(void **state)
{
	static const char *const folder[] = { "", "/bersama", "/dinsos", "/dinkes" };
	char path[256];
	size_t i;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (i = 1; i < BUS_LEN(folder); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, folder[i]);
		mkdir(path, 0700);
	}
	write_file(
	    "bersama/b.avsc",
	    "{\"type\":\"record\",\"name\":\"B\",\"x_topik\":\"pku.{opd}.b.v1\",\"x_jenis\":\"peristiwa\","
	    "\"x_produsen\":\"{opd}\",\"fields\":[{\"name\":\"x\",\"type\":\"int\",\"x_pdp\":\"N\"}]}");
	write_file(
	    "dinsos/a.avsc",
	    "{\"type\":\"record\",\"name\":\"A\",\"x_topik\":\"pku.dinsos.a.v1\",\"x_jenis\":\"register\","
	    "\"x_kunci\":\"x\","
	    "\"fields\":[{\"name\":\"x\",\"type\":\"int\",\"x_pdp\":\"N\"}]}");
	write_file("dinsos/readme.txt", "not a schema");
	return setenv("LANG", "C", 1);
}

static int tear_down(void **state)
{
	static const char *const name[] = { "bersama/b.avsc",
					    "dinsos/a.avsc",
					    "dinsos/readme.txt",
					    "bad.avsc",
					    "bersama",
					    "dinsos",
					    "dinkes",
					    "" };
	char path[256];
	size_t i;

	(void)state;
	for (i = 0; i < BUS_LEN(name); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, name[i]);
		remove(path);
	}
	return 0;
}

static void a_common_schema_stands_once_for_each_department(void **state)
{
	char *path[] = { dir };
	struct ctl_catalogue c;
	struct bus_error err = { 0 };

	(void)state;
	assert_int_equal(ctl_catalogue_load(path, 1, NULL, &c, &err), BUS_OK);
	assert_int_equal(c.n_files, 2);
	assert_int_equal(c.n, 3);
	assert_string_equal(c.entry[0].topic, "pku.dinkes.b.v1");
	assert_false(c.entry[0].is_register);
	assert_non_null(strstr(c.entry[0].text, "\"x_produsen\":\"dinkes\""));
	assert_string_equal(c.entry[1].topic, "pku.dinsos.a.v1");
	assert_true(c.entry[1].is_register);
	assert_string_equal(c.entry[2].topic, "pku.dinsos.b.v1");
	ctl_catalogue_release(&c);
	assert_int_equal(ctl_catalogue_load(path, 1, "bapenda,disdik", &c, &err), BUS_OK);
	assert_int_equal(c.n, 3);
	assert_string_equal(c.entry[0].topic, "pku.bapenda.b.v1");
	assert_string_equal(c.entry[1].topic, "pku.dinsos.a.v1");
	assert_string_equal(c.entry[2].topic, "pku.disdik.b.v1");
	ctl_catalogue_release(&c);
}

static enum bus_err load_bad(const char *text)
{
	char file[256], *path[] = { file };
	struct ctl_catalogue c;
	enum bus_err rc;

	snprintf(file, sizeof(file), "%s/bad.avsc", dir);
	write_file("bad.avsc", text);
	rc = ctl_catalogue_load(path, 1, NULL, &c, NULL);
	ctl_catalogue_release(&c);
	remove(file);
	return rc;
}

static void refuses_a_schema_without_topic_kind_or_class(void **state)
{
	(void)state;
	assert_int_equal(load_bad("{"), BUS_EPARSE);
	assert_int_equal(load_bad("{\"type\":\"record\",\"name\":\"A\",\"fields\":[]}"), BUS_ESCHEMA);
	assert_int_equal(load_bad("{\"type\":\"record\",\"name\":\"A\",\"x_topik\":\"t\",\"fields\":[]}"),
			 BUS_ESCHEMA);
	assert_int_equal(
	    load_bad(
		"{\"type\":\"record\",\"name\":\"A\",\"x_topik\":\"t\",\"x_jenis\":\"register\","
		"\"fields\":[{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
		"\"name\":\"I\",\"fields\":[{\"name\":\"nik\",\"type\":\"string\"}]}},\"x_pdp\":\"N\"}]}"),
	    BUS_ESCHEMA);
	assert_int_equal(
	    load_bad("{\"type\":\"record\",\"name\":\"A\",\"x_topik\":\"t\",\"x_jenis\":\"register\","
		     "\"fields\":[{\"name\":\"nik\",\"type\":\"string\",\"x_pdp\":\"u\"}]}"),
	    BUS_ESCHEMA);
}

/* What an operator sees of a datum of the schema. */
static char *masked(const char *schema_text, const char *json)
{
	struct bus_buf datum = { 0 }, out = { 0 };
	struct bus_json_out j = { .buf = &out };
	struct schema_reader *reader = schema_reader_new(NULL);
	struct schema_plan *plan = NULL;
	struct schema *s = NULL;
	struct bus_error err = { 0 };
	struct schema_mask m;

	if (schema_parse(bus_str(schema_text), SCHEMA_STRICT, NULL, 0, &s, &err) != BUS_OK ||
	    schema_encode_json(s, bus_str(json), SCHEMA_JSON_PLAIN, &datum, &err) != BUS_OK ||
	    schema_plan(s, NULL, &plan, &err) != BUS_OK)
		fail_msg("%s", err.text);
	schema_mask_init(&m, &(struct schema_mask_rule){ .word = "***" }, &j);
	assert_int_equal(schema_read(reader, plan, bus_buf_str(&datum), &m.sink, &err), BUS_OK);
	assert_false(m.hiding);
	bus_buf_putc(&out, '\0');
	bus_buf_release(&datum);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	schema_unref(&s);
	return bus_buf_take(&out, NULL);
}

static void a_type_that_others_use_is_read_before_them(void **state)
{
	char *path[] = { dir };
	struct ctl_catalogue c;
	struct bus_error err = { 0 };

	(void)state;
	/* The file that uses it comes first by name. */
	write_file("bad.avsc", "{\"type\":\"record\",\"name\":\"C\",\"namespace\":\"n\",\"x_topik\":\"pku."
			       "dinsos.c.v1\",\"x_jenis\":"
			       "\"peristiwa\",\"fields\":[{\"name\":\"x\",\"type\":\"T\",\"x_pdp\":\"N\"}]}");
	write_file("dinsos/t.avsc",
		   "{\"type\":\"enum\",\"name\":\"T\",\"namespace\":\"n\",\"x_jenis\":\"tipe\","
		   "\"symbols\":[\"A\"]}");
	assert_int_equal(ctl_catalogue_load(path, 1, "disdik", &c, &err), BUS_OK);
	assert_int_equal(c.n, 4);
	assert_string_equal(c.entry[0].subject, "n.T");
	assert_null(c.entry[0].topic);
	assert_string_equal(c.entry[2].subject, "pku.dinsos.c.v1-value");
	assert_int_equal(c.entry[2].n_needs, 1);
	assert_int_equal(c.entry[2].needs[0], 0);
	ctl_catalogue_release(&c);
	/* Without it, the fault says what is missing. */
	write_file("dinsos/t.avsc", "{}");
	assert_int_equal(ctl_catalogue_read(path, 1, "disdik", &c, &err), BUS_OK);
	assert_int_equal(c.n_faults, 2);
	ctl_catalogue_release(&c);
	remove(strcat(strcpy((char[300]){ 0 }, dir), "/bad.avsc"));
	remove(strcat(strcpy((char[300]){ 0 }, dir), "/dinsos/t.avsc"));
}

static void personal_fields_are_masked_whatever_they_hold(void **state)
{
	char *text = masked(
	    "{\"type\":\"record\",\"name\":\"A\",\"fields\":["
	    "{\"name\":\"id\",\"type\":\"string\",\"x_pdp\":\"P\"},"
	    "{\"name\":\"nik\",\"type\":[\"null\",\"string\"],\"x_pdp\":\"U\"},"
	    "{\"name\":\"sakit\",\"type\":[\"null\",\"string\"],\"x_pdp\":\"S\"},"
	    "{\"name\":\"anak\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"C\","
	    "\"fields\":["
	    "{\"name\":\"n\",\"type\":\"string\",\"x_pdp\":\"N\"}]}},\"x_pdp\":\"A\"},"
	    "{\"name\":\"peta\",\"type\":{\"type\":\"map\",\"values\":\"int\"},\"x_pdp\":\"S\"},"
	    "{\"name\":\"pelaku\",\"type\":{\"type\":\"record\",\"name\":\"D\",\"fields\":["
	    "{\"name\":\"nama\",\"type\":\"string\",\"x_pdp\":\"U\"},{\"name\":\"peran\",\"type\":\"string\","
	    "\"x_pdp\":\"N\"}]},\"x_pdp\":\"N\"},"
	    "{\"name\":\"lain\",\"type\":\"string\",\"x_pdp\":\"Z\"},"
	    "{\"name\":\"umur\",\"type\":\"int\",\"x_pdp\":\"N\"}]}",
	    "{\"id\":\"h\",\"nik\":\"rahasia\",\"sakit\":null,\"anak\":[{\"n\":\"rahasia\"},{\"n\":"
	    "\"rahasia\"}],"
	    "\"peta\":{},\"pelaku\":{\"nama\":\"rahasia\",\"peran\":\"ayah\"},\"lain\":\"rahasia\",\"umur\":"
	    "7}");

	(void)state;
	assert_string_equal(
	    text, "{\"id\":\"h\",\"nik\":\"***\",\"sakit\":\"***\",\"anak\":\"***\",\"peta\":\"***\","
		  "\"pelaku\":{\"nama\":\"***\",\"peran\":\"ayah\"},\"lain\":\"***\",\"umur\":7}");
	free(text);
}

static int run(const char *a, const char *b, const char *c, const char *d)
{
	const char *given[] = { "titian", a, b, c, d };
	char *own[BUS_LEN(given)] = { NULL },
	     *argv[BUS_LEN(given) + 1] = { NULL }; /* argv is put in another order */
	int argc, rc, i;

	for (argc = 0; argc < (int)BUS_LEN(given) && given[argc]; argc++)
		argv[argc] = own[argc] = bus_xstrdup(given[argc]);
	rc = ctl_main(argc, argv);
	for (i = 0; i < argc; i++)
		free(own[i]);
	return rc;
}

static void the_catalogue_keeps_its_rules(void **state)
{
	(void)state;
	assert_int_equal(run("schema", "lint", "schemas/avsc", NULL), CTL_OK);
	assert_int_equal(run("schema", "check", "--against=schemas/avsc", "schemas/avsc"), CTL_OK);
}

static void exit_codes_say_what_happened(void **state)
{
	unsetenv("TITIAN_BOOTSTRAP");
	unsetenv("TITIAN_REGISTRY_URL");
	(void)state;
	assert_int_equal(run("--version", NULL, NULL, NULL), CTL_OK);
	assert_int_equal(run("help", "topic", "apply", NULL), CTL_OK);
	assert_int_equal(run(NULL, NULL, NULL, NULL), CTL_USAGE);
	assert_int_equal(run("topik", "list", NULL, NULL), CTL_USAGE);
	assert_int_equal(run("topic", "lst", NULL, NULL), CTL_USAGE);
	assert_int_equal(run("topic", "list", NULL, NULL), CTL_USAGE); /* no broker named */
	assert_int_equal(run("topic", "list", "--bootstrap", NULL), CTL_USAGE);
	assert_int_equal(run("topic", "list", "--bootstrap=127.0.0.1:1", "extra"), CTL_USAGE);
	assert_int_equal(run("schema", "check", "/does/not/exist.avsc", NULL), CTL_NOT_FOUND);
	assert_int_equal(run("schema", "check", dir, NULL), CTL_OK);
	assert_int_equal(run("schema", "register", "--registry=http://127.0.0.1:1", dir), CTL_UNREACHABLE);
	assert_int_equal(run("schema", "diff", "schemas/avsc/dinsos/bansos.avsc", "no:1"), CTL_USAGE);
	assert_int_equal(
	    run("schema", "diff", "schemas/avsc/dinsos/bansos.avsc", "schemas/avsc/dinsos/bansos.avsc"),
	    CTL_OK);
	assert_int_equal(
	    run("schema", "diff", "schemas/avsc/dinsos/bansos.avsc", "schemas/avsc/disdik/siswa.avsc"),
	    CTL_INCOMPATIBLE);
	assert_int_equal(run("schema", "search", "--field=nik", "schemas/avsc"), CTL_OK);
	assert_int_equal(run("schema", "search", "--field=nothing", "schemas/avsc"), CTL_NOT_FOUND);
	assert_int_equal(run("schema", "search", "schemas/avsc", NULL), CTL_USAGE);
	assert_int_equal(run("schema", "lint", "--disable=no-such-rule", dir), CTL_USAGE);
	assert_int_equal(run("schema", "lint", "--json", dir), CTL_FAILED);
	assert_int_equal(run("schema", "derive", "/does/not/exist.csv", NULL), CTL_NOT_FOUND);
	/* Kafka's properties only where Kafka is asked */
	assert_int_equal(run("webhook", "list", "--kafka=a=b", "--gateway=http://127.0.0.1:1"), CTL_USAGE);
	setenv("TITIAN_BOOTSTRAP", "127.0.0.1:1", 1);
	assert_int_equal(run("record", "tail", "-n=0", "t"), CTL_USAGE);
	unsetenv("TITIAN_BOOTSTRAP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_common_schema_stands_once_for_each_department),
		cmocka_unit_test(refuses_a_schema_without_topic_kind_or_class),
		cmocka_unit_test(a_type_that_others_use_is_read_before_them),
		cmocka_unit_test(personal_fields_are_masked_whatever_they_hold),
		cmocka_unit_test(the_catalogue_keeps_its_rules),
		cmocka_unit_test(exit_codes_say_what_happened),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
