#include "bus/clock.h"
#include "deploy/ctl/commands.h"
#include "schemas/avro/mask.h"
#include "deploy/ctl/scan.h"

enum { BOOTSTRAP, COUNT, PERSONAL };

static const struct ctl_option tail_option[] = {
	[BOOTSTRAP] = CTL_OPTION_BOOTSTRAP,
	[COUNT] = { "-n", "N", NULL, "how many offsets back, in each partition (10)",
		    "berapa offset ke belakang, pada tiap partisi (10)" },
	[PERSONAL] = { "--personal", NULL, NULL, "show personal data too (classes U, S, A)",
		       "tampilkan juga data pribadi (golongan U, S, A)" },
	{ 0 },
};

struct tail {
	struct schema_reader *reader;
	struct bus_buf line, value;
	bool personal;
};

/* The datum as JSON in t->value; false: why. */
static bool decode(struct tail *t, const struct schema_plan *plan, struct bus_str avro, struct bus_error *err)
{
	struct bus_json_out j = { .buf = &t->value };
	struct schema_json_sink plain;
	struct schema_mask mask;

	bus_buf_reset(&t->value);
	if (t->personal)
		schema_json_sink_init(&plain, &j, SCHEMA_JSON_PLAIN);
	else
		schema_mask_init(&mask, &(struct schema_mask_rule){ .word = "***" }, &j);
	return schema_read(t->reader, plan, avro, t->personal ? &plain.sink : &mask.sink, err) == BUS_OK;
}

static bool print_record(void *ctx, const struct bus_record *r, int32_t schema_id,
			 const struct schema_plan *plan, struct bus_str avro, const char *why)
{
	struct tail *t = ctx;
	struct bus_json_out j = { .buf = &t->line };
	struct bus_error err = { 0 };
	char time[40];
	size_t i;

	bus_buf_reset(&t->line);
	bus_json_object(&j);
	bus_json_key(&j, "topic");
	bus_json_put_text(&j, r->topic);
	bus_json_key(&j, "partition");
	bus_json_put_int(&j, r->partition);
	bus_json_key(&j, "offset");
	bus_json_put_int(&j, r->offset);
	bus_json_key(&j, "time");
	bus_json_put_text(&j, bus_clock_iso_wib(r->timestamp_ms, time, sizeof(time)));
	bus_json_key(&j, "key");
	if (r->key.p)
		bus_json_put_str(&j, r->key);
	else
		bus_json_put_null(&j);
	bus_json_key(&j, "headers");
	bus_json_object(&j);
	for (i = 0; i < r->n_headers; i++) {
		bus_json_key_str(&j, r->header[i].name);
		bus_json_put_str(&j, r->header[i].value);
	}
	bus_json_object_end(&j);
	if (schema_id > 0) {
		bus_json_key(&j, "schema_id");
		bus_json_put_int(&j, schema_id);
	}
	if (plan && !decode(t, plan, avro, &err))
		why = err.text;
	bus_json_key(&j, why ? "unreadable" : "value");
	if (why)
		bus_json_put_text(&j, why);
	else if (plan)
		bus_json_put_raw(&j, bus_buf_str(&t->value));
	else
		bus_json_put_null(&j);
	bus_json_object_end(&j);
	bus_buf_putc(&t->line, '\n');
	return fwrite(t->line.p, 1, t->line.n, stdout) == t->line.n;
}

static enum ctl_exit record_tail(const struct ctl_args *args)
{
	struct tail t = { .personal = args->option[PERSONAL] != NULL };
	struct bus_kafka_conf kafka;
	struct bus_error err = { 0 };
	enum bus_err rc;
	long n;

	if (!ctl_kafka(args, BOOTSTRAP, &kafka) || !ctl_number("-n", args->option[COUNT], 1, 1000000, 10, &n))
		return CTL_USAGE;
	t.reader = schema_reader_new(NULL);
	rc = ctl_scan(&kafka, args->rest[0], n, print_record, &t, &err);
	schema_reader_free(&t.reader);
	bus_buf_release(&t.line);
	bus_buf_release(&t.value);
	return rc == BUS_OK ? CTL_OK : ctl_fail(&err, true);
}

const struct ctl_command ctl_record_tail = {
	.noun = "record",
	.verb = "tail",
	.operands = "TOPIC",
	.least = 1,
	.most = 1,
	.option = tail_option,
	.en = "the last records of a topic as JSON lines, personal data masked",
	.id = "rekaman terakhir sebuah topik sebagai baris JSON, data pribadi disamarkan",
	.example = "titian record tail pku.dinsos.bansos.v1 -n 3 --bootstrap 127.0.0.1:9092",
	.run = record_tail,
};
