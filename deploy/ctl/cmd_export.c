/* titian export: a view of a gateway as a file or a bundle, resumed and verified. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bus/json_out.h"
#include "deploy/ctl/export.h"
#include "deploy/ctl/view.h"

#define ANSWER_ARENA ((size_t)1024 * 1024)
#define LOOK_MS 300

enum { FORMAT, OUTPUT, GATEWAY, KEY_FILE, CLIENT, FILTER, SELECT, DAY, COMPRESSION, BUNDLE, SPLIT, RESUME };

static const struct ctl_option export_option[] = {
	[FORMAT] = { "--format", "FORMAT", NULL, "csv, ndjson, avro, xlsx, parquet (csv)",
		     "csv, ndjson, avro, xlsx, parquet (csv)" },
	[OUTPUT] = { "-o", "FILE", NULL, "the file to make (VIEW.FORMAT)", "berkas hasil (VIEW.FORMAT)" },
	[GATEWAY] = { "--gateway", "URL", "TITIAN_URL", "the gateway", "gateway" },
	[KEY_FILE] = { "--key-file", "FILE", "TITIAN_KEY_FILE", "file with the reader's key",
		       "berkas berisi kunci pembaca" },
	[CLIENT] = { "--client", "FILE", NULL, "CA, certificate, key (YAML), instead of --key-file",
		     "CA, sertifikat, kunci (YAML), pengganti --key-file" },
	[FILTER] = { "--filter", "FILTERS", NULL,
		     "as in a page's URL: 'kode_kel=eq.1471011003&domisili_kota=is.true'",
		     "seperti di alamat halaman: 'kode_kel=eq.1471011003&domisili_kota=is.true'" },
	[SELECT] = { "--select", "A,B", NULL, "columns (all)", "kolom (semua)" },
	[DAY] = { "--per-tanggal", "DATE", NULL, "the day, for dated views",
		  "hari, bagi tayangan bertanggal" },
	[COMPRESSION] = { "--compression", "NAME", NULL, "of Avro and Parquet: deflate, snappy, zstd, none",
			  "bagi Avro dan Parquet: deflate, snappy, zstd, none" },
	[BUNDLE] = { "--bundle", NULL, NULL, "a ZIP with dictionary, digests and signature",
		     "ZIP berisi kamus, sidik berkas dan tanda tangan" },
	[SPLIT] = { "--split", "COLUMN", NULL, "in a bundle: a file for each of its values",
		    "dalam bundel: satu berkas bagi tiap nilainya" },
	[RESUME] = { "--resume", NULL, NULL, "go on with a download that broke off",
		     "lanjutkan unduhan yang terputus" },
	{ 0 },
};

/* --- asking ------------------------------------------------------------------------------------------- */

/* *json NULL: no JSON. */
static enum bus_err ask(struct ctl_export_file *x, const char *method, const char *path, struct bus_str body,
			int *status, const struct bus_json **json, struct bus_error *err)
{
	const char *const header[] = { ctl_indonesian() ? "Accept-Language: id" : "Accept-Language: en",
				       NULL };
	char *url = bus_xasprintf("%s%s", x->base, path);
	const struct bus_client_call call = { .method = method,
					      .url = url,
					      .type = body.n ? "application/json" : NULL,
					      .body = body,
					      .header = header,
					      .timeout_ms = CTL_TIMEOUT_MS,
					      .go_on = ctl_export_go_on,
					      .ctx = x };
	struct bus_json *tree;
	enum bus_err rc;

	*json = NULL;
	bus_buf_reset(&x->answer);
	bus_arena_reset(x->arena);
	rc = bus_client_call(x->client, &call, status, &x->answer, err);
	if (rc == BUS_OK && bus_json_parse(bus_buf_str(&x->answer), NULL, x->arena, &tree, NULL) == BUS_OK &&
	    tree->type == BUS_JSON_OBJECT)
		*json = tree;
	free(url);
	return rc;
}

static void member(struct bus_json_out *j, const char *name, const char *value)
{
	if (value)
		bus_json_text_member(j, name, value);
}

static void put_filters(struct bus_json_out *j, const char *query)
{
	bus_json_key(j, "filters");
	bus_json_object(j);
	while (*query) {
		size_t n = strcspn(query, "&"), name = strcspn(query, "=");

		if (name < n) {
			bus_json_key_str(j, (struct bus_str){ query, name });
			bus_json_put_str(j, (struct bus_str){ query + name + 1, n - name - 1 });
		}
		query += n + (query[n] == '&');
	}
	bus_json_object_end(j);
}

static void put_question(const struct ctl_export_file *x, struct bus_buf *out)
{
	const char *const *option = x->args->option;
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	member(&j, "view", x->view);
	member(&j, "format", option[FORMAT] ? option[FORMAT] : "csv");
	member(&j, "compression", option[COMPRESSION]);
	member(&j, "select", option[SELECT]);
	member(&j, "per_tanggal", option[DAY]);
	member(&j, "split", option[SPLIT]);
	if (option[BUNDLE] || option[SPLIT]) {
		bus_json_key(&j, "bundle");
		bus_json_put_bool(&j, true);
	}
	if (option[FILTER])
		put_filters(&j, option[FILTER]);
	bus_json_object_end(&j);
}

/* --- the export at the gateway ------------------------------------------------------------------------- */

/* Only what begins as paths of exports do is followed, or kept in a file. */
static bool is_export(const char *path)
{
	return path && strncmp(path, "/v1/exports/", 12) == 0 && !strpbrk(path, " \t\r\n?#") &&
	       strlen(path) < 300;
}

static enum ctl_exit keep_note(const struct ctl_export_file *x)
{
	FILE *f = fopen(x->note, "we");

	if (f && fprintf(f, "%s\n", x->self) > 0 && fclose(f) == 0)
		return CTL_OK;
	ctl_complain("%s: %s", x->note, strerror(errno));
	return CTL_FAILED;
}

/* The export that FILE.part came from, if it is known and still there. */
static bool find_begun(struct ctl_export_file *x)
{
	FILE *f = fopen(x->note, "re");
	const struct bus_json *json;
	char line[320] = "";
	int status = 0;

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	if (!is_export(line) || ask(x, "GET", line, (struct bus_str){ 0 }, &status, &json, NULL) != BUS_OK ||
	    status != 200) {
		ctl_complain("%s", ctl_say("that export is gone at the gateway; beginning anew",
					   "ekspor itu sudah tidak ada di gateway; mulai dari awal"));
		return false;
	}
	x->self = bus_xstrdup(line);
	return true;
}

static enum ctl_exit begin(struct ctl_export_file *x)
{
	struct bus_buf question = { 0 };
	struct bus_error err = { 0 };
	const struct bus_json *json;
	enum bus_err rc;
	int status = 0;

	if (x->args->option[RESUME] && find_begun(x))
		return CTL_OK;
	unlink(x->part);
	put_question(x, &question);
	rc = ask(x, "POST", "/v1/exports", bus_buf_str(&question), &status, &json, &err);
	bus_buf_release(&question);
	if (rc != BUS_OK)
		return ctl_fail(&err, true);
	if (status == 202 && json)
		x->self = ctl_json_copy(json, "self");
	if (!is_export(x->self))
		return ctl_gateway_refused(status, json);
	return keep_note(x);
}

static void take_result(struct ctl_export_file *x, const struct bus_json *json)
{
	char *id = ctl_json_copy(json, "id"), *sha256 = ctl_json_copy(json, "sha256");

	snprintf(x->id, sizeof(x->id), "%s", id ? id : "");
	snprintf(x->sha256, sizeof(x->sha256), "%s", sha256 ? sha256 : "");
	x->file = ctl_json_copy(json, "file");
	x->cursor = ctl_json_copy(json, "cursor");
	x->rows = ctl_json_int(json, "rows", -1);
	x->bytes = ctl_json_int(json, "bytes", -1);
	free(id);
	free(sha256);
}

static const char *doing(const struct bus_json *json)
{
	char *waits_for = ctl_json_copy(json, "waits_for");
	const char *what = !waits_for ? ctl_say("making", "membuat")
			   : strcmp(waits_for, "turn") == 0
			       ? ctl_say("waiting for its turn: others are being made",
					 "menunggu giliran: ekspor lain sedang dibuat")
			       : ctl_say("waiting: the view is being brought up to date",
					 "menunggu: tayangan sedang dimutakhirkan");

	free(waits_for);
	return what;
}

/* Until it is made there. */
static enum ctl_exit await(struct ctl_export_file *x)
{
	static const struct timespec look = { .tv_nsec = LOOK_MS * 1000000 };

	for (;;) {
		struct bus_error err = { 0 };
		const struct bus_json *json;
		int64_t rows, percent;
		char *state;
		int status;

		if (ask(x, "GET", x->self, (struct bus_str){ 0 }, &status, &json, &err) != BUS_OK)
			return ctl_fail(&err, true);
		if (status != 200 || !json)
			return ctl_gateway_refused(status, json);
		state = ctl_json_copy(json, "state");
		rows = ctl_json_int(json, "rows", -1);
		percent = ctl_json_int(json, "percent", -1);
		if (state && strcmp(state, "done") == 0) {
			free(state);
			take_result(x, json);
			x->progress.what = ctl_say("made", "dibuat");
			ctl_progress_end(&x->progress, rows);
			return is_export(x->file) ? CTL_OK : ctl_gateway_refused(status, NULL);
		}
		if (!state || (strcmp(state, "queued") != 0 && strcmp(state, "running") != 0)) {
			free(state);
			return ctl_gateway_refused(status, bus_json_get(json, "problem"));
		}
		free(state);
		x->progress.what = doing(json);
		ctl_progress_at(&x->progress, rows, percent > 0 ? rows * 100 / percent : -1);
		nanosleep(&look, NULL);
	}
}

/* What was made, for a program; how to go on, for people. */
static void tell(struct ctl_export_file *x)
{
	const struct bus_json *json;
	int status;

	fprintf(stderr, "%s\n", ctl_say("file, rows, bytes, SHA-256, cursor:", "berkas, baris, byte, SHA-256, kursor:"));
	printf("%s\t%" PRId64 "\t%" PRId64 "\t%s\t%s\n", x->out, x->rows, x->bytes, x->sha256, x->cursor);
	fprintf(
	    stderr,
	    "%s\n  curl -H \"Authorization: Bearer $TITIAN_KEY\" -H 'Accept: application/x-ndjson' \\\n    "
	    "'%s/v1/views/%s/changes?after=%s&until=now'\n",
	    ctl_say("What has changed since, exactly:", "Apa yang berubah sesudahnya, tepat:"), x->base,
	    x->view, x->cursor);
	/* It has been taken: no copy is left there. */
	if (ask(x, "DELETE", x->self, (struct bus_str){ 0 }, &status, &json, NULL) != BUS_OK)
		return;
}

static enum ctl_exit open_client(struct ctl_export_file *x)
{
	const char *const *option = x->args->option;
	const struct bus_client_conf conf = { .token_file = option[KEY_FILE] };
	struct bus_error err = { 0 };
	enum bus_err rc;

	if (!option[GATEWAY] || (!option[KEY_FILE] && !option[CLIENT])) {
		ctl_complain(
		    "%s",
		    ctl_say(
			"--gateway URL and --key-file FILE are needed (or TITIAN_URL, TITIAN_KEY_FILE)",
			"--gateway URL dan --key-file FILE diperlukan (atau TITIAN_URL, TITIAN_KEY_FILE)"));
		return CTL_USAGE;
	}
	rc = option[CLIENT] ? bus_client_open_file(option[CLIENT], &x->client, &err)
			    : bus_client_open(&conf, &x->client, &err);
	return rc == BUS_OK ? CTL_OK : ctl_fail(&err, false);
}

static enum ctl_exit export(const struct ctl_args *args) {
	const char *format = args->option[FORMAT] ? args->option[FORMAT] : "csv";
	const bool zip = args->option[BUNDLE] || args->option[SPLIT];
	struct ctl_export_file x = { .args = args, .view = args->rest[0], .fd = -1 };
	enum ctl_exit rc = open_client(&x);
	char * base;

	if (rc != CTL_OK) return rc;
	base = bus_xstrdup(args->option[GATEWAY]);
	while (*base && base[strlen(base) - 1] == '/') base[strlen(base) - 1] = '\0';
	x.base = base;
	x.arena = bus_arena_new(ANSWER_ARENA);
	x.out = args->option[OUTPUT] ? bus_xstrdup(args->option[OUTPUT])
				     : bus_xasprintf("%s.%s", x.view, zip ? "zip" : format);
	x.part = bus_xasprintf("%s.part", x.out);
	x.note = bus_xasprintf("%s.part.export", x.out);
	ctl_progress_begin(&x.progress, ctl_say("making", "membuat"), ctl_say("rows", "baris"), 0);
	rc = begin(&x);
	if (rc == CTL_OK) rc = await(&x);
	if (rc == CTL_OK) rc = ctl_export_fetch(&x);
	if (rc == CTL_OK) rc = ctl_export_verify(&x);
	if (rc == CTL_OK) tell(&x);
	if (x.fd >= 0) close(x.fd);
	bus_client_close(&x.client);
	bus_arena_free(&x.arena);
	bus_buf_release(&x.answer);
	free(base);
	free(x.out);
	free(x.part);
	free(x.note);
	free(x.self);
	free(x.file);
	free(x.cursor);
	return rc;
}

const struct ctl_command ctl_export = {
	.noun = "export",
	.verb = "",
	.operands = "VIEW",
	.least = 1,
	.most = 1,
	.option = export_option,
	.en = "a whole view as a file or a signed bundle: resumed, verified, with the cursor to go on",
	.id = "seluruh tayangan sebagai berkas atau bundel bertanda tangan: dapat dilanjutkan, diperiksa, "
	      "dengan kursor",
	.example =
	    "titian export penduduk --format parquet --gateway http://127.0.0.1:18080 --key-file my.key",
	.run = export,
};
