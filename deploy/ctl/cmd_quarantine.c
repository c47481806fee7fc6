#include <string.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/json_out.h"
#include "bus/mem.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/scan.h"

enum { BOOTSTRAP, KEY, TOPIC, FILE_SHA, LINE };

static const struct ctl_option open_option[] = {
	[BOOTSTRAP] = CTL_OPTION_BOOTSTRAP,
	[KEY] = { "--key", "FILE", NULL, "the department's secret key", "kunci rahasia OPD" },
	[TOPIC] = { "--topic", "TOPIC", NULL, "the quarantine topic", "topik karantina" },
	[FILE_SHA] = { "--file", "SHA", NULL, "rows of this file only: the first digits of its SHA-256",
		       "hanya baris berkas ini: angka-angka pertama SHA-256-nya" },
	[LINE] = { "--line", "N", NULL, "this physical line only", "hanya baris fisik ini" },
	{ 0 },
};

/* The members of a quarantine record (schemas/avsc/bersama/karantina.avsc) that are shown. */
enum { ID, FEED, FILE_NAME, SHA256, FIELD, CLASS, DETAIL, SEALED, ACT, N_TEXTS };
static const char *const text_name[N_TEXTS] = { "id",	 "umpan", "berkas",	"sha256",
						"kolom", "kelas", "keterangan", "baris_tersegel", "tindakan" };

struct row {
	const struct schema_node *root;
	int at;			      /* text being read, N_TEXTS: the line, -1: neither */
	struct bus_str text[N_TEXTS]; /* p NULL: null or not there; borrowed from the record */
	int64_t line;
};

struct opening {
	uint8_t key[BUS_KEY_LEN];
	const char *sha;
	int64_t line; /* 0: any */
	struct schema_reader *reader;
	struct bus_buf out, plain;
	size_t shown, closed, unreadable;
};

static enum bus_err on_field(void *ctx, const struct schema_node *node, size_t index)
{
	struct row *row = ctx;
	int i;

	row->at = -1;
	if (node != row->root)
		return BUS_OK;
	for (i = 0; i < N_TEXTS; i++)
		if (strcmp(node->field[index].name, text_name[i]) == 0)
			row->at = i;
	if (strcmp(node->field[index].name, "baris") == 0)
		row->at = N_TEXTS;
	return BUS_OK;
}

static enum bus_err on_text(void *ctx, const struct schema_node *node, struct bus_str v)
{
	struct row *row = ctx;

	(void)node;
	if (row->at >= 0 && row->at < N_TEXTS)
		row->text[row->at] = v;
	return BUS_OK;
}

static enum bus_err on_integer(void *ctx, const struct schema_node *node, int64_t v)
{
	struct row *row = ctx;

	(void)node;
	if (row->at == N_TEXTS)
		row->line = v;
	return BUS_OK;
}

static void put_row(struct opening *o, const struct row *row, bool opened, const char *why)
{
	struct bus_json_out j = { .buf = &o->out };
	int i;

	bus_buf_reset(&o->out);
	bus_json_object(&j);
	for (i = 0; i < SEALED; i++) {
		bus_json_key(&j, text_name[i]);
		if (row->text[i].p)
			bus_json_put_str(&j, row->text[i]);
		else
			bus_json_put_null(&j);
		if (i == SHA256) {
			bus_json_key(&j, "baris");
			bus_json_put_int(&j, row->line);
		}
	}
	bus_json_key(&j, opened ? "baris_asli" : "tetap_tersegel");
	if (opened)
		bus_json_put_str(&j, bus_buf_str(&o->plain));
	else
		bus_json_put_text(&j, why);
	bus_json_object_end(&j);
	bus_buf_putc(&o->out, '\n');
}

static bool open_record(void *ctx, const struct bus_record *r, int32_t schema_id,
			const struct schema_plan *plan, struct bus_str avro, const char *why)
{
	struct opening *o = ctx;
	struct row row = { .at = -1 };
	const struct schema_sink sink = {
		.ctx = &row, .field = on_field, .text = on_text, .bytes = on_text, .integer = on_integer
	};
	struct bus_error err = { 0 };
	bool opened = false;

	(void)r, (void)schema_id;
	if (!plan) {
		o->unreadable += why != NULL;
		return true;
	}
	row.root = schema_root(schema_plan_reader(plan));
	if (schema_read(o->reader, plan, avro, &sink, &err) != BUS_OK || !row.text[ID].p) {
		o->unreadable++;
		return true;
	}
	if (row.text[ACT].p)
		return true; /* what was done with a row later holds no row */
	if (o->sha && (!row.text[SHA256].p || row.text[SHA256].n < strlen(o->sha) ||
		       strncmp(row.text[SHA256].p, o->sha, strlen(o->sha)) != 0))
		return true;
	if (o->line > 0 && row.line != o->line)
		return true;
	bus_buf_reset(&o->plain);
	why = ctl_say("the row was not kept", "baris tidak disimpan");
	if (row.text[SEALED].p) {
		opened = bus_open(o->key, row.text[ID], row.text[SEALED], &o->plain, &err) == BUS_OK;
		why = ctl_say("this key does not open it", "kunci ini tidak membukanya");
	}
	o->shown++;
	o->closed += !opened && row.text[SEALED].p;
	put_row(o, &row, opened, why);
	return fwrite(o->out.p, 1, o->out.n, stdout) == o->out.n;
}

static enum ctl_exit quarantine_open(const struct ctl_args *args)
{
	struct opening o = { .sha = args->option[FILE_SHA] };
	struct bus_kafka_conf kafka;
	struct bus_error err = { 0 };
	enum bus_err rc;
	long line;

	if (!ctl_kafka(args, BOOTSTRAP, &kafka) ||
	    !ctl_number("--line", args->option[LINE], 1, 2000000000, 0, &line))
		return CTL_USAGE;
	if (!args->option[KEY] || !args->option[TOPIC]) {
		ctl_complain("%s", ctl_say("wants --key FILE and --topic TOPIC",
					   "meminta --key FILE dan --topic TOPIC"));
		return CTL_USAGE;
	}
	o.line = line;
	if (bus_key_load(args->option[KEY], o.key, &err) != BUS_OK)
		return ctl_fail(&err, false);
	o.reader = schema_reader_new(NULL);
	rc = ctl_scan(&kafka, args->option[TOPIC], 0, open_record, &o, &err);
	schema_reader_free(&o.reader);
	bus_buf_release(&o.out);
	if (o.plain.p)
		explicit_bzero(o.plain.p, o.plain.cap);
	bus_buf_release(&o.plain);
	explicit_bzero(o.key, sizeof(o.key));
	if (rc != BUS_OK)
		return ctl_fail(&err, true);
	if (o.unreadable > 0)
		ctl_complain(ctl_say("%zu records cannot be read", "%zu rekaman tidak dapat dibaca"),
			     o.unreadable);
	if (o.shown == 0) {
		ctl_complain("%s", ctl_say("no such row in quarantine", "tidak ada baris itu di karantina"));
		return CTL_NOT_FOUND;
	}
	return o.closed > 0 ? CTL_DENIED : CTL_OK;
}

const struct ctl_command ctl_quarantine_open = {
	.noun = "quarantine",
	.verb = "open",
	.operands = "",
	.option = open_option,
	.en = "refused rows in clear, for the department that holds the key; personal data on stdout",
	.id = "baris yang ditolak, terbuka, bagi OPD pemegang kunci; data pribadi pada stdout",
	.example = "titian quarantine open --key dinsos.key --topic pku.dinsos.karantina.v1 --line 812",
	.run = quarantine_open,
};
