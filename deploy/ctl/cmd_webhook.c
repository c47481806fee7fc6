/* titian webhook: a reader's webhooks, at a gateway. */
#include <stdlib.h>
#include <string.h>

#include "bus/json_out.h"
#include "bus/percent.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/registry.h"
#include "deploy/ctl/view.h"

enum { GATEWAY, KEY_FILE, CLIENT, JSON, FIRST };

#define OPTIONS                                                                                              \
	[GATEWAY] = CTL_OPTION_GATEWAY, [KEY_FILE] = CTL_OPTION_KEY_FILE,                                    \
	[CLIENT] = CTL_OPTION_GATEWAY_CLIENT,                                                                \
	[JSON] = { "--json", NULL, NULL, "the gateway's answer as it is", "jawaban gateway apa adanya" }

static const struct ctl_option plain_option[] = { OPTIONS, { 0 } };

/* What the answer says of a webhook, tab-separated. */
static void put_row(const struct bus_json *hook, struct bus_buf *out)
{
	static const char *const member[] = { "id",	"view",	     "format", "state",
					      "reason", "delivered", "behind", "url" };

	for (size_t i = 0; i < BUS_LEN(member); i++) {
		const struct bus_json *v = bus_json_get(hook, member[i]);
		char *text =
		    v && v->type != BUS_JSON_NULL ? bus_xstrndup(v->text.p, v->text.n) : bus_xstrdup("-");

		if (i > 0)
			bus_buf_putc(out, '\t');
		ctl_put_line(out, text);
		free(text);
	}
	bus_buf_putc(out, '\n');
}

/* Writes an answer for people; what it gives is the command's exit. */
typedef enum ctl_exit (*show_fn)(const struct bus_json *answer, struct bus_buf *out);

static enum ctl_exit ask(const struct ctl_args *args, const char *method, const char *tail,
			 struct bus_str body, show_fn show)
{
	struct bus_arena *arena = bus_arena_new(16 * 1024 * 1024);
	struct bus_buf path = { 0 }, out = { 0 };
	struct ctl_gateway *g = NULL;
	const struct bus_json *object;
	struct bus_json *tree = NULL;
	struct bus_str text = { 0 };
	enum ctl_exit rc =
	    ctl_gateway_open(args->option[GATEWAY], args->option[KEY_FILE], args->option[CLIENT], &g);

	bus_buf_puts(&path, "/v1/webhooks");
	if (args->n_rest > 0 && tail) {
		bus_buf_putc(&path, '/');
		bus_percent_put(&path, bus_str(args->rest[0]));
		bus_buf_puts(&path, tail);
	}
	if (rc == CTL_OK)
		rc = ctl_gateway_ask(g, method, bus_buf_cstr(&path), body, false, &object, &text);
	if (rc == CTL_OK && text.n > 0 && bus_json_parse(text, NULL, arena, &tree, NULL) == BUS_OK)
		rc = show(tree, &out);
	if (tree && args->option[JSON]) {
		bus_buf_reset(&out);
		bus_buf_printf(&out, "%.*s\n", (int)text.n, text.p);
	}
	fwrite(out.p, 1, out.n, stdout);
	ctl_gateway_close(&g);
	bus_arena_free(&arena);
	bus_buf_release(&path);
	bus_buf_release(&out);
	return rc;
}

static enum ctl_exit show_one(const struct bus_json *hook, struct bus_buf *out)
{
	const struct bus_json *keys = bus_json_get(hook, "keys");

	put_row(hook, out);
	for (const struct bus_json *k = keys ? keys->first : NULL; k; k = k->next)
		for (const struct bus_json *v = k->first; v; v = v->next)
			if (v->type == BUS_JSON_STRING)
				bus_buf_printf(out, "%.*s\t%.*s\n", (int)v->name.n, v->name.p, (int)v->text.n,
					       v->text.p);
	return CTL_OK;
}

static enum ctl_exit show_list(const struct bus_json *list, struct bus_buf *out)
{
	for (const struct bus_json *hook = list->first; hook; hook = hook->next)
		put_row(hook, out);
	return CTL_OK;
}

static enum ctl_exit show_test(const struct bus_json *answer, struct bus_buf *out)
{
	static const char *const member[] = { "status", "ms", "why", "message" };
	const struct bus_json *status = bus_json_get(answer, "status"), *why = bus_json_get(answer, "why");
	int64_t code = 0;

	for (size_t i = 0; i < BUS_LEN(member); i++) {
		const struct bus_json *v = bus_json_get(answer, member[i]);

		bus_buf_printf(out, "%s%.*s", i ? "\t" : "",
			       v && v->type != BUS_JSON_NULL ? (int)v->text.n : 1,
			       v && v->type != BUS_JSON_NULL ? v->text.p : "-");
	}
	bus_buf_putc(out, '\n');
	if (status && bus_json_int(status, &code) == BUS_OK && code / 100 == 2)
		return CTL_OK;
	if (code > 0) {
		ctl_complain(
		    ctl_say("not delivered: the receiver answers %d, only 2xx means that it has the message",
			    "tidak terkirim: penerima menjawab %d, hanya 2xx berarti pesannya diterima"),
		    (int)code);
		return CTL_FAILED;
	}
	ctl_complain(ctl_say("not delivered: %.*s", "tidak terkirim: %.*s"),
		     why && why->type == BUS_JSON_STRING ? (int)why->text.n : 0, why ? why->text.p : "");
	return CTL_UNREACHABLE;
}

static const struct bus_str nothing;

static enum ctl_exit run_list(const struct ctl_args *args)
{
	return ask(args, "GET", NULL, nothing, show_list);
}

static enum ctl_exit run_show(const struct ctl_args *args)
{
	return ask(args, "GET", "", nothing, show_one);
}

static enum ctl_exit run_rm(const struct ctl_args *args)
{
	return ask(args, "DELETE", "", nothing, show_one);
}

static enum ctl_exit run_test(const struct ctl_args *args)
{
	return ask(args, "POST", "/test", nothing, show_test);
}

static enum ctl_exit run_suspend(const struct ctl_args *args)
{
	return ask(args, "PATCH", "", BUS_STR("{\"suspended\":true}"), show_one);
}

static enum ctl_exit run_resume(const struct ctl_args *args)
{
	return ask(args, "PATCH", "", BUS_STR("{\"suspended\":false}"), show_one);
}

/* --- create ------------------------------------------------------------------------------------------- */

enum { FROM = FIRST, FORMAT, SIGNATURE, FILTER, SELECT, DAY, RATE, BATCH };

static const struct ctl_option create_option[] = {
	OPTIONS,
	[FROM] = { "--from", "PLACE", NULL, "0 (default), now, a time, a cursor",
		   "0 (bawaan), now, waktu, kursor" },
	[FORMAT] = { "--format", "FORMAT", NULL,
		     "standard (default), cloudevents-binary, cloudevents-structured, cloudevents-batch",
		     "standard (bawaan), cloudevents-binary, cloudevents-structured, cloudevents-batch" },
	[SIGNATURE] = { "--signature", "KIND", NULL, "ed25519 (default), hmac", "ed25519 (bawaan), hmac" },
	[FILTER] = { "--filter", "FILTERS", NULL, "scope columns: 'kode_kel=eq.1471011003'",
		     "kolom lingkup: 'kode_kel=eq.1471011003'" },
	[SELECT] = { "--select", "A,B", NULL, "columns (all)", "kolom (semua)" },
	[DAY] = { "--per-tanggal", "DATE", NULL, "the day, for dated views",
		  "hari, bagi tayangan bertanggal" },
	[RATE] = { "--rate", "N", NULL, "most requests a minute", "paling banyak permintaan per menit" },
	[BATCH] = { "--max-batch", "N", NULL, "most changes in a request",
		    "paling banyak perubahan per permintaan" },
	{ 0 },
};

/* 'a=eq.1&b=in.(2,3)' as an object. */
static void put_filters(struct bus_json_out *j, const char *text)
{
	bus_json_key(j, "filter");
	bus_json_object(j);
	while (*text) {
		size_t n = strcspn(text, "&"), name = strcspn(text, "=&");

		bus_json_key_str(j, (struct bus_str){ text, name });
		bus_json_put_str(j, (struct bus_str){ text + name + (name < n), n - name - (name < n) });
		text += n + (text[n] == '&');
	}
	bus_json_object_end(j);
}

static bool put_number(struct bus_json_out *j, const char *name, const char *option, const char *text)
{
	long n;

	if (!text)
		return true;
	if (!ctl_number(option, text, 0, 1000000, 0, &n))
		return false;
	bus_json_key(j, name);
	bus_json_put_int(j, n);
	return true;
}

static enum ctl_exit run_create(const struct ctl_args *args)
{
	struct ctl_args rest = *args;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	enum ctl_exit rc = CTL_USAGE;

	rest.n_rest = 0;
	bus_json_object(&j);
	bus_json_text_member(&j, "view", args->rest[0]);
	bus_json_text_member(&j, "url", args->rest[1]);
	bus_json_some_text_member(&j, "from", args->option[FROM]);
	bus_json_some_text_member(&j, "format", args->option[FORMAT]);
	bus_json_some_text_member(&j, "signature", args->option[SIGNATURE]);
	bus_json_some_text_member(&j, "select", args->option[SELECT]);
	bus_json_some_text_member(&j, "per_tanggal", args->option[DAY]);
	if (args->option[FILTER])
		put_filters(&j, args->option[FILTER]);
	if (put_number(&j, "rate", "--rate", args->option[RATE]) &&
	    put_number(&j, "max_batch", "--max-batch", args->option[BATCH])) {
		bus_json_object_end(&j);
		rc = ask(&rest, "POST", NULL, bus_buf_str(&body), show_one);
	}
	bus_buf_release(&body);
	return rc;
}

/* --- rotate, redrive ---------------------------------------------------------------------------------- */

enum { OVERLAP = FIRST };

static const struct ctl_option rotate_option[] = {
	OPTIONS,
	[OVERLAP] = { "--overlap", "SECONDS", NULL, "how long the old one signs too (86400)",
		      "berapa lama yang lama ikut menandatangani (86400)" },
	{ 0 },
};

static enum ctl_exit run_rotate(const struct ctl_args *args)
{
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	enum ctl_exit rc = CTL_USAGE;

	bus_json_object(&j);
	bus_json_key(&j, "rotate");
	bus_json_put_bool(&j, true);
	if (put_number(&j, "overlap", "--overlap", args->option[OVERLAP])) {
		bus_json_object_end(&j);
		rc = ask(args, "PATCH", "", bus_buf_str(&body), show_one);
	}
	bus_buf_release(&body);
	return rc;
}

static const struct ctl_option redrive_option[] = {
	OPTIONS,
	[FROM] = { "--from", "PLACE", NULL, "0 (default), a time, a cursor", "0 (bawaan), waktu, kursor" },
	{ 0 },
};

static enum ctl_exit run_redrive(const struct ctl_args *args)
{
	struct bus_buf tail = { 0 };
	enum ctl_exit rc;

	bus_buf_puts(&tail, "/redrive?from=");
	bus_percent_put(&tail, bus_str(args->option[FROM] ? args->option[FROM] : "0"));
	rc = ask(args, "POST", bus_buf_cstr(&tail), nothing, show_one);
	bus_buf_release(&tail);
	return rc;
}

/* --- the commands ------------------------------------------------------------------------------------- */

const struct ctl_command ctl_webhook_create = {
	"webhook",
	"create",
	"VIEW URL",
	2,
	2,
	create_option,
	"sends a view's changes to a URL; prints the key its signatures are verified with",
	"mengirim perubahan tayangan ke URL; mencetak kunci pemeriksa tanda tangannya",
	"titian webhook create penduduk https://kait.dinsos.go.id/penduduk --from now",
	run_create,
};
const struct ctl_command ctl_webhook_list = {
	"webhook",
	"list",
	"",
	0,
	0,
	plain_option,
	"your webhooks: id, view, format, state, reason, delivered, at most how many wait, URL",
	"webhook Anda: id, tayangan, bentuk, keadaan, sebab, terkirim, paling banyak berapa yang menunggu, "
	"URL",
	"titian webhook list",
	run_list,
};
const struct ctl_command ctl_webhook_show = {
	"webhook",
	"show",
	"ID",
	1,
	1,
	plain_option,
	"one webhook, and its public keys",
	"satu webhook dan kunci publiknya",
	"titian webhook show wh_0123456789abcdef --json",
	run_show,
};
const struct ctl_command ctl_webhook_test = {
	"webhook",
	"test",
	"ID",
	1,
	1,
	plain_option,
	"sends a test message: status, milliseconds, why there was no answer, id; fails if it was not "
	"delivered",
	"mengirim pesan percobaan: status, milidetik, sebab tanpa jawaban, id; gagal bila tidak terkirim",
	"titian webhook test wh_0123456789abcdef",
	run_test,
};
const struct ctl_command ctl_webhook_rotate = {
	"webhook",
	"rotate",
	"ID",
	1,
	1,
	rotate_option,
	"a new key; the old one signs too for a while",
	"kunci baru; yang lama masih ikut menandatangani",
	"titian webhook rotate wh_0123456789abcdef --overlap 3600",
	run_rotate,
};
const struct ctl_command ctl_webhook_suspend = {
	"webhook",
	"suspend",
	"ID",
	1,
	1,
	plain_option,
	"sends nothing until it is resumed; its position is kept",
	"berhenti mengirim sampai dilanjutkan; kedudukannya tetap",
	"titian webhook suspend wh_0123456789abcdef",
	run_suspend,
};
const struct ctl_command ctl_webhook_resume = {
	"webhook",
	"resume",
	"ID",
	1,
	1,
	plain_option,
	"goes on where it stood, whatever suspended it",
	"melanjutkan dari kedudukannya, apa pun yang menghentikannya",
	"titian webhook resume wh_0123456789abcdef",
	run_resume,
};
const struct ctl_command ctl_webhook_redrive = {
	"webhook",
	"redrive",
	"ID",
	1,
	1,
	redrive_option,
	"sends again from a cursor, a time, or the beginning",
	"mengirim lagi dari kursor, waktu, atau awal",
	"titian webhook redrive wh_0123456789abcdef --from 2026-11-23T08:00:00+07:00",
	run_redrive,
};
const struct ctl_command ctl_webhook_rm = {
	"webhook",
	"rm",
	"ID",
	1,
	1,
	plain_option,
	"removes a webhook",
	"menghapus webhook",
	"titian webhook rm wh_0123456789abcdef",
	run_rm,
};
