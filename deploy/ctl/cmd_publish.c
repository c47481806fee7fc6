/* titian publish: JSON lines to a topic of a gateway, in batches, each sent until it is answered. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bus/client.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/json.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/progress.h"
#include "deploy/ctl/view.h"

#define BATCH_BYTES ((size_t)4 * 1024 * 1024)
#define PATIENCE_MS (10 * 60 * 1000) /* Kafka or the gateway may be away for so long */
#define ASK_MS 60000
#define PAUSE_MAX_MS 5000
#define ARENA ((size_t)64 * 1024 * 1024)

enum { GATEWAY, KEY_FILE, CLIENT, BATCH, RECORDS, SCHEMA, ATOMIC, ANEW };

static const struct ctl_option publish_option[] = {
	[GATEWAY] = CTL_OPTION_GATEWAY,
	[KEY_FILE] = { "--key-file", "FILE", "TITIAN_KEY_FILE", "file with the reader's key",
		       "berkas berisi kunci pembaca" },
	[CLIENT] = { "--client", "FILE", NULL, "CA, certificate, key (YAML), instead of --key-file",
		     "CA, sertifikat, kunci (YAML), pengganti --key-file" },
	[BATCH] = { "--batch", "N", NULL, "lines a request (500)", "baris per permintaan (500)" },
	[RECORDS] = { "--records", NULL, NULL, "lines are {\"key\":..., \"value\":...}; a null value removes",
		      "baris berupa {\"key\":..., \"value\":...}; nilai null menghapus" },
	[SCHEMA] = { "--schema", "VERSION", NULL, "version of the topic's schema (the latest)",
		     "versi skema topik (yang terbaru)" },
	[ATOMIC] = { "--atomic", NULL, NULL, "of a request all lines or none",
		     "dari satu permintaan: semua baris, atau tidak satu pun" },
	[ANEW] = { "--anew", NULL, NULL, "also what was sent within the last day already",
		   "juga yang sudah dikirim dalam sehari terakhir" },
	{ 0 },
};

struct publish {
	const struct ctl_args *args;
	struct bus_client *client;
	struct bus_arena *arena;
	struct bus_buf body, answer;
	char *url, salt[2 * 16 + 1];
	int64_t line, accepted, refused; /* line: of the body's first */
	struct ctl_progress progress;
};

static bool wait_on(void *ctx)
{
	struct publish *p = ctx;

	ctl_progress_silent(&p->progress);
	return true;
}

static int64_t number(const struct bus_json *j, const char *name)
{
	const struct bus_json *v = j ? bus_json_get(j, name) : NULL;
	int64_t n;

	return v && bus_json_int(v, &n) == BUS_OK ? n : 0;
}

static struct bus_str text(const struct bus_json *j, const char *name)
{
	const struct bus_json *v = bus_json_get(j, name);

	return v && v->type == BUS_JSON_STRING ? v->text : BUS_STR("");
}

/* The refused lines, on standard output: number, code, pointer, why. */
static void tell_refused(const struct publish *p, const struct bus_json *answer)
{
	const struct bus_json *list = bus_json_get(answer, "records");

	for (const struct bus_json *r = list ? list->first : NULL; r; r = r->next) {
		struct bus_str code = text(r, "code"), pointer = text(r, "pointer"),
			       detail = text(r, "detail");

		if (code.n > 0 && !bus_str_is(code, "record-not-sent"))
			printf("%" PRId64 "\t%.*s\t%.*s\t%.*s\n", p->line + number(r, "line") - 1,
			       (int)code.n, code.p, (int)pointer.n, pointer.p, (int)detail.n, detail.p);
	}
}

/* The same lines at the same place make the same key: a file that is sent once more is not there twice. */
static void make_key(const struct publish *p, char *out, size_t n)
{
	struct bus_sha256_stream *s = bus_sha256_new();
	uint8_t digest[BUS_SHA256_LEN];
	char hex[2 * BUS_SHA256_LEN + 1];

	bus_sha256_add(s, p->url, strlen(p->url) + 1);
	bus_sha256_add(s, p->salt, strlen(p->salt) + 1);
	bus_sha256_add(s, &p->line, sizeof(p->line));
	bus_sha256_add(s, p->body.p, p->body.n);
	bus_sha256_end(&s, digest);
	bus_hex(digest, 16, hex);
	snprintf(out, n, "Idempotency-Key: %s", hex);
}

static bool later(int status)
{
	return status == 409 || status == 429 || status == 502 || status == 503 || status == 504;
}

static enum ctl_exit send_batch(struct publish *p)
{
	char key[96];
	const char *const header[] = { key, ctl_indonesian() ? "Accept-Language: id" : "Accept-Language: en",
				       NULL };
	struct bus_client_header want = { .name = "Retry-After" };
	struct bus_client_call call = { .method = "POST",
					.url = p->url,
					.type = "application/x-ndjson",
					.body = bus_buf_str(&p->body),
					.header = header,
					.timeout_ms = ASK_MS,
					.go_on = wait_on,
					.ctx = p,
					.want = &want,
					.n_want = 1 };
	int64_t until = bus_clock_mono_ms() + PATIENCE_MS, pause = 200;
	struct bus_json *json = NULL;
	struct bus_error err = { 0 };
	enum bus_err rc;
	int status;

	make_key(p, key, sizeof(key));
	for (;;) {
		struct timespec t;

		bus_buf_reset(&p->answer);
		rc = bus_client_call(p->client, &call, &status, &p->answer, &err);
		if (rc == BUS_OK && !later(status))
			break;
		if (rc == BUS_EDENIED || bus_clock_mono_ms() > until)
			return rc == BUS_OK ? ctl_gateway_refused(status, NULL) : ctl_fail(&err, true);
		if (rc == BUS_OK && atoi(want.value) > 0)
			pause = 1000 * atoi(want.value);
		ctl_progress_silent(&p->progress);
		t = (struct timespec){ pause / 1000, pause % 1000 * 1000000 };
		nanosleep(&t, NULL);
		pause = 2 * pause > PAUSE_MAX_MS ? PAUSE_MAX_MS : 2 * pause;
	}
	bus_arena_reset(p->arena);
	if (bus_json_parse(bus_buf_str(&p->answer), NULL, p->arena, &json, NULL) != BUS_OK)
		json = NULL;
	if (!json || json->type != BUS_JSON_OBJECT || !bus_json_get(json, "records"))
		return ctl_gateway_refused(status, json);
	p->accepted += number(json, "accepted");
	p->refused += number(json, "refused");
	tell_refused(p, json);
	return CTL_OK;
}

static enum ctl_exit send_all(struct publish *p, FILE *in, long batch)
{
	enum ctl_exit rc = CTL_OK;
	char *line = NULL;
	size_t cap = 0;
	int64_t read = 0;
	long lines = 0;
	ssize_t n;

	p->line = 1;
	while (rc == CTL_OK && (n = getline(&line, &cap, in)) > 0) {
		if ((size_t)n > BATCH_BYTES) {
			ctl_complain("%" PRId64 ": %s", read + 1,
				     ctl_say("the line is too long", "baris terlalu panjang"));
			rc = CTL_FAILED;
			break;
		}
		if (lines == batch || p->body.n + (size_t)n > BATCH_BYTES) {
			rc = send_batch(p);
			bus_buf_reset(&p->body);
			p->line = read + 1;
			lines = 0;
			ctl_progress_at(&p->progress, read, -1);
		}
		bus_buf_put(&p->body, line, (size_t)n);
		read++;
		lines++;
	}
	if (rc == CTL_OK && ferror(in)) {
		ctl_complain("%s", strerror(errno));
		rc = CTL_FAILED;
	}
	if (rc == CTL_OK && strspn(bus_buf_cstr(&p->body), " \t\r\n") < p->body.n)
		rc = send_batch(p);
	ctl_progress_end(&p->progress, read);
	free(line);
	return rc;
}

static enum ctl_exit publish(const struct ctl_args *args)
{
	const char *const *option = args->option;
	const struct bus_client_conf conf = { .token_file = option[KEY_FILE] };
	struct publish p = { .args = args };
	struct bus_error err = { 0 };
	uint8_t salt[16];
	long batch, version;
	enum ctl_exit rc;
	size_t n;

	if (!option[GATEWAY] || (!option[KEY_FILE] && !option[CLIENT])) {
		ctl_complain(
		    "%s",
		    ctl_say(
			"--gateway URL and --key-file FILE are needed (or TITIAN_URL, TITIAN_KEY_FILE)",
			"--gateway URL dan --key-file FILE diperlukan (atau TITIAN_URL, TITIAN_KEY_FILE)"));
		return CTL_USAGE;
	}
	if (!ctl_number("--batch", option[BATCH], 1, 10000, 500, &batch) ||
	    !ctl_number("--schema", option[SCHEMA], 1, INT32_MAX, 0, &version))
		return CTL_USAGE;
	if ((option[CLIENT] ? bus_client_open_file(option[CLIENT], &p.client, &err)
			    : bus_client_open(&conf, &p.client, &err)))
		return ctl_fail(&err, false);
	if (option[ANEW]) {
		bus_random(salt, sizeof(salt));
		bus_hex(salt, sizeof(salt), p.salt);
	}
	n = strlen(option[GATEWAY]);
	p.url = bus_xasprintf("%.*s/v1/topics/%s/records?form=%s%s",
			      (int)(n > 0 && option[GATEWAY][n - 1] == '/' ? n - 1 : n), option[GATEWAY],
			      args->rest[0], option[RECORDS] ? "record" : "value",
			      option[ATOMIC] ? "&atomic=true" : "");
	if (version > 0) {
		char *with = bus_xasprintf("%s&schema=%ld", p.url, version);

		free(p.url);
		p.url = with;
	}
	p.arena = bus_arena_new(ARENA);
	ctl_progress_begin(&p.progress, ctl_say("sending", "mengirim"), ctl_say("lines", "baris"), 0);
	rc = send_all(&p, stdin, batch);
	fprintf(stderr,
		ctl_say("%" PRId64 " accepted, %" PRId64 " refused\n",
			"%" PRId64 " diterima, %" PRId64 " ditolak\n"),
		p.accepted, p.refused);
	if (rc == CTL_OK && p.refused > 0)
		rc = CTL_FAILED;
	bus_arena_free(&p.arena);
	bus_buf_release(&p.body);
	bus_buf_release(&p.answer);
	bus_client_close(&p.client);
	free(p.url);
	return rc;
}

const struct ctl_command ctl_publish = {
	.noun = "publish",
	.verb = "",
	.operands = "TOPIC < ROWS.ndjson",
	.least = 1,
	.most = 1,
	.option = publish_option,
	.en = "send JSON lines to a topic of a gateway; again until it is answered, never twice",
	.id = "kirim baris JSON ke topik di gateway; diulang sampai terjawab, tidak pernah ganda",
	.example = "titian publish --gateway http://127.0.0.1:18080 --key-file kunci pku.dinsos.bansos.v1 < "
		   "baris.ndjson",
	.run = publish,
};
