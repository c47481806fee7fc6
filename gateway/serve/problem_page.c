/* GET /problems/{code}: what the `type` of a problem document leads to, for people. */
#include <stdio.h>

#include "gateway/serve/api.h"
#include "gateway/serve/problem.h"

static const struct gw_problem_words words[] = {
	{ "path-unknown", "Alamat yang ada tercantum di /v1/openapi.json dan /reference.",
	  "The addresses there are stand in /v1/openapi.json and /reference." },
	{ "method-refused",
	  "Tayangan hanya dibaca: data diubah di OPD pemiliknya. Metode yang diterima ada di tajuk Allow.",
	  "Views are read only: data is changed at the department that owns it. The header Allow names the "
	  "methods taken." },
	{ "http-429",
	  "Isi permintaan satu pembaca yang sedang dikirim, seluruhnya, paling banyak seperempat dari yang dapat ditampung: kirim lebih "
	  "sedikit sekaligus.",
	  "What one reader is sending, in all, is at most a fourth of what there is room for: send fewer bodies at a time." },
	{ "key-missing",
	  "Kirim kunci pembaca: <code>Authorization: Bearer tk_...</code>. Kunci diberikan oleh Diskominfo.",
	  "Send a reader's key: <code>Authorization: Bearer tk_...</code>. Diskominfo hands keys out." },
	{ "key-unknown", "Kunci salah tulis, atau telah dicabut. Tiket berlaku 60 detik dan hanya sekali.",
	  "The key is misspelt, or has been revoked. A ticket is good for 60 seconds, and once." },
	{ "signature-invalid",
	  "<code>detail</code> menyebut bagian yang salah. RFC 9421, Ed25519: <code>keyid</code> nama pembaca, <code>created</code> kurang "
	  "dari 5 menit lalu dan sesudah gateway dimulai, <code>nonce</code> baru untuk setiap permintaan; tercakup "
	  "<code>\"@method\"</code>, <code>\"@target-uri\"</code> atau <code>\"@path\" \"@query\"</code>, dan "
	  "<code>\"content-digest\"</code> (sha-256) bila ada isi. Tanda tangani lagi dan kirim ulang.",
	  "<code>detail</code> names the part that is wrong. RFC 9421, Ed25519: <code>keyid</code> is the reader's name, "
	  "<code>created</code> less than 5 minutes ago and after the gateway's start, a new <code>nonce</code> for every request; covered are "
	  "<code>\"@method\"</code>, <code>\"@target-uri\"</code> or <code>\"@path\" \"@query\"</code>, and "
	  "<code>\"content-digest\"</code> (sha-256) where there is a body. Sign anew and send again." },
	{ "signature-missing",
	  "Untuk pembaca ini kunci saja tidak cukup (<code>must_sign</code>): permintaan ditandatangani menurut RFC 9421.",
	  "For this reader a key is not enough (<code>must_sign</code>): requests are signed by RFC 9421." },
	{ "not-granted", "Kunci ini tidak berhak atas hal ini. Minta perluasan hak kepada Diskominfo.",
	  "This key has no right to this. Ask Diskominfo for it." },
	{ "column-masked",
	  "Nilai kolom ini disamarkan bagi Anda; menyaring atau mengurutkan menurut kolom itu akan "
	  "membocorkannya. Minta hak atas kolom itu, atau pakai kolom lain.",
	  "This column's values are masked for you; filtering or ordering by them would give them away. Ask "
	  "for the column, or use another." },
	{ "publish-unknown",
	  "Sambungan ke Kafka terputus di tengah jalan. Ulangi dengan <code>Idempotency-Key</code> yang sama: rekaman tidak akan ganda. Tanpa "
	  "kunci itu, rekaman mungkin sudah ada.",
	  "The way to Kafka broke off. Try again with the same <code>Idempotency-Key</code>: nothing will be there twice. Without one, "
	  "the records may be there." },
	{ "idempotency-running", "Permintaan yang sama sedang dikerjakan, mungkin di gerbang lain. Ulangi setelah <code>Retry-After</code>.",
	  "The same request is under way, perhaps at another gateway. Try again after <code>Retry-After</code>." },
	{ "idempotency-other", "Setiap permintaan baru memerlukan <code>Idempotency-Key</code> baru; hanya pengulangan memakai yang lama.",
	  "Every new request needs a new <code>Idempotency-Key</code>; only a repetition uses the old one." },
	{ "record-invalid", "<code>pointer</code> menunjuk tempatnya di isi permintaan, <code>line</code> barisnya. Skema topik ada di registri.",
	  "<code>pointer</code> is the place in the body, <code>line</code> its line. The topic's schema is in the registry." },
	{ "record-key-personal",
	  "Kunci rekaman adalah nama samaran (<code>id_subjek</code>), bukan NIK: kunci dan header dapat dibaca siapa pun yang membaca topik.",
	  "A record's key is the pseudonym (<code>id_subjek</code>), not the NIK: whoever reads the topic reads keys and headers." },
	{ "record-key-missing", "Isi bidang kunci skema (<code>x_kunci</code>), atau kirim <code>{\"key\": ..., \"value\": ...}</code> dengan <code>form=record</code>.",
	  "Fill the key field of the schema (<code>x_kunci</code>), or send <code>{\"key\": ..., \"value\": ...}</code> with <code>form=record</code>." },
	{ "view-unknown",
	  "Daftar tayangan Anda: <code>GET /v1/views</code>. Tayangan yang tidak diberikan kepada Anda "
	  "dijawab sama seperti yang tidak ada.",
	  "Your views: <code>GET /v1/views</code>. One that is not granted to you gets the same answer as "
	  "one that does not exist." },
	{ "definition-invalid",
	  "<code>detail</code> menyebut baris dan sebabnya. Bentuk sebuah definisi diterangkan dalam "
	  "gateway/views/README.md.",
	  "<code>detail</code> has the line and the reason. What a definition looks like is in "
	  "gateway/views/README.md." },
	{ "definition-conflict",
	  "<code>detail</code> menyebut tayangan yang membacanya: ubah atau hapus yang itu dahulu. Tayangan "
	  "dari "
	  "berkas dihapus bersama berkasnya.",
	  "<code>detail</code> names the view that reads it: change or drop that one first. A view of a file "
	  "goes with "
	  "its file." },
	{ "definition-other",
	  "If-Match menyebut definisi lain daripada yang berlaku. Ambil lagi: "
	  "<code>GET /v1/views/{view}/definition</code>.",
	  "If-Match names another definition than the one that runs. Fetch it again: "
	  "<code>GET /v1/views/{view}/definition</code>." },
	{ "definition-not-written",
	  "Topik definisi tidak dapat ditulis atau dibaca sekarang. Lihat <code>GET "
	  "/v1/views/{view}/state</code>, "
	  "lalu ulangi: mengulang tidak mengubah apa-apa.",
	  "The topic of definitions cannot be written or read now. Look at "
	  "<code>GET /v1/views/{view}/state</code>, then repeat: repeating does no harm." },
	{ "indicator-unknown", "Indikator yang ada: <code>GET /v1/nasional/agregat</code>.",
	  "The indicators there are: <code>GET /v1/nasional/agregat</code>." },
	{ "figures-invalid",
	  "<code>detail</code> menyebut apa yang kurang: daftar wilayahnya (<code>areas</code> dalam definisi), atau terlalu "
	  "banyak barisnya.",
	  "<code>detail</code> says what is missing: the view of its areas (<code>areas</code> in the definition), or that "
	  "there are too many rows." },
	{ "row-unknown", "Tidak ada baris dengan kunci itu sekarang, atau baris itu di luar bagian Anda.",
	  "There is no row with that key now, or it is outside your part." },
	{ "date-missing",
	  "Jawaban tayangan ini bergantung pada harinya: <code>?per_tanggal=2025-12-31</code>.",
	  "What this view says depends on the day: <code>?per_tanggal=2025-12-31</code>." },
	{ "parameter-invalid",
	  "<code>detail</code> menyebut parameternya, <code>hint</code> bentuk yang benar.",
	  "<code>detail</code> names the parameter, <code>hint</code> how it is written." },
	{ "column-unknown",
	  "<code>hint</code> menyebut nama terdekat. Kolom setiap tayangan: <code>GET /v1/views</code>.",
	  "<code>hint</code> has the nearest name. The columns of every view: <code>GET /v1/views</code>." },
	{ "operator-unknown",
	  "Operator: eq neq lt lte gt gte like ilike in is, dengan <code>not.</code> di depannya; "
	  "<code>or=(...)</code>, <code>and=(...)</code>.",
	  "Operators: eq neq lt lte gt gte like ilike in is, with <code>not.</code> before them; "
	  "<code>or=(...)</code>, <code>and=(...)</code>." },
	{ "not-offered",
	  "Alamat ini memakai sebagian tata bahasa PostgREST: tanpa penulisan, penyisipan tabel lain, "
	  "penjumlahan, dan pencarian teks.",
	  "These addresses speak part of PostgREST's grammar: no writing, no embedding, no sums, no text "
	  "search." },
	{ "range-too-large",
	  "Sehalaman paling banyak 10.000 baris, dan offset paling jauh 10.000. Ikuti <code>Link: "
	  "rel=\"next\"</code>, atau unduh seluruh tayangan sebagai CSV atau NDJSON.",
	  "A page holds 10,000 rows at most, and an offset reaches 10,000. Follow <code>Link: "
	  "rel=\"next\"</code>, or take the whole view as CSV or NDJSON." },
	{ "range-beyond", "Jumlah baris yang ada tertulis di Content-Range.",
	  "Content-Range has the number of rows there are." },
	{ "question-too-large",
	  "Tanpa indeks, saringan atau urutan ini membaca seluruh tayangan. Persempit dengan kolom "
	  "berindeks, unduh seluruhnya (CSV, NDJSON), atau minta pemilik tayangan menambahkan "
	  "<code>indexes</code> atau <code>store: full</code>.",
	  "Without an index this filter or order reads the whole view. Narrow it by a column with an index, "
	  "take all of it (CSV, NDJSON), or ask the view's owner for <code>indexes</code> or <code>store: "
	  "full</code>." },
	{ "rows-not-one", "Diminta satu objek, padahal jawabannya bukan tepat satu baris.",
	  "One object was asked for, and the answer is not exactly one row." },
	{ "lookup-invalid",
	  "Bentuknya: <code>{\"nik\": [\"...\", \"...\"]}</code>, satu kolom, paling banyak 1.000 nilai.",
	  "It looks like this: <code>{\"nik\": [\"...\", \"...\"]}</code>, one column, 1,000 values at "
	  "most." },
	{ "lookup-several",
	  "Kolom itu tidak membedakan baris. Pakai halaman dengan saringan, atau kolom kunci.",
	  "That column does not tell rows apart. Use a page with a filter, or the key." },
	{ "cursor-invalid", "Kursor dipakai utuh seperti diterima, pada tayangan dan urutan yang sama.",
	  "A cursor is used whole, as it came, on the same view and in the same order." },
	{ "cursor-unknown",
	  "Gudang data telah dibangun ulang. Mulai lagi tanpa kursor: seluruh isi, lalu perubahan.",
	  "The store has been built anew. Start again without a cursor: everything, then changes." },
	{ "accept-unknown",
	  "Bentuk yang ada: application/json, application/vnd.titian.page+json, application/x-ndjson, "
	  "text/csv.",
	  "There are: application/json, application/vnd.titian.page+json, application/x-ndjson, text/csv." },
	{ "quota-exceeded",
	  "Tajuk RateLimit menyebut sisa dan detiknya. Umpan perubahan dan unduhan memerlukan jauh lebih "
	  "sedikit permintaan.",
	  "The header RateLimit has what is left, and the seconds. Change feeds and downloads need far fewer "
	  "requests." },
	{ "export-unknown",
	  "Ekspor tinggal di satu gateway, selama <code>exports.keep</code>, dan hilang bila gateway itu "
	  "dimulai ulang. "
	  "Mulai lagi dengan <code>POST /v1/exports</code>; unduhan yang terputus tidak dapat dilanjutkan "
	  "dengan "
	  "<code>Range</code>, karena berkas yang baru berisi keadaan yang baru.",
	  "An export lives at one gateway, for <code>exports.keep</code>, and is gone when that gateway is "
	  "restarted. Begin "
	  "anew with <code>POST /v1/exports</code>; a download that broke off cannot be gone on with by "
	  "<code>Range</code>, "
	  "since the new file is of a new moment." },
	{ "too-many-exports",
	  "Terlalu banyak ekspor, milik Anda atau orang lain. Sebagai pekerjaan (<code>POST "
	  "/v1/exports</code>) ia menunggu "
	  "gilirannya dan mengatakan kemajuannya; hapus yang tidak dipakai.",
	  "Too many exports, yours or others'. As a job (<code>POST /v1/exports</code>) it waits for its "
	  "turn and says how "
	  "far it is; remove those you do not need." },
	{ "too-many-streams", "Tutup aliran yang tidak dipakai; satu aliran cukup untuk satu tayangan.",
	  "Close streams that are not used; one is enough for a view." },
	{ "not-ready",
	  "Gateway masih membaca log, atau tayangan ini sedang dimutakhirkan. Coba lagi sebentar; berkas "
	  "yang diminta "
	  "sebagai pekerjaan (<code>POST /v1/exports</code>) menunggu lebih lama.",
	  "The gateway is still reading the log, or this view is being brought up to date. Try again in a "
	  "moment; a file "
	  "asked for as a job (<code>POST /v1/exports</code>) waits longer." },
	{ "unavailable",
	  "Coba lagi sebentar. Bila tetap demikian, sebutkan <code>instance</code> kepada Diskominfo.",
	  "Try again in a moment. If it stays so, tell Diskominfo the <code>instance</code>." },
};

const struct gw_problem_words *gw_problem_words(const char *code)
{
	for (size_t i = 0; i < BUS_LEN(words); i++)
		if (strcmp(words[i].code, code) == 0)
			return &words[i];
	return NULL;
}

/* Texts are ours: they hold no character that HTML would take for its own but where it is meant. */
static void put_problem(struct bus_buf *b, const struct gw_problem_kind *k, bool english)
{
	const struct gw_problem_words *w = gw_problem_words(k->code);

	bus_buf_printf(b, "<h2 id=\"%s\"><code>%s</code></h2><p><b>%s</b> (HTTP %d)</p>", k->code, k->code,
		       english ? k->en : k->id, k->status);
	if (w)
		bus_buf_printf(b, "<p>%s</p>", english ? w->en : w->id);
}

static void answer(struct bus_http_request *req, const struct gw_problem_kind *one)
{
	bool english = gw_english(req);
	struct bus_buf b = { 0 };

	bus_buf_printf(&b,
		       "<!doctype html><html lang=\"%s\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
		       "content=\"width=device-width\"><title>%s</title><body><h1>%s</h1>",
		       english ? "en" : "id", one ? one->code : "Titian",
		       english ? "When Titian says no" : "Bila Titian menolak");
	for (unsigned i = 0; gw_problem_at(i); i++)
		if (!one || gw_problem_at(i) == one)
			put_problem(&b, gw_problem_at(i), english);
	if (one)
		bus_buf_printf(&b, "<p><a href=\"/problems\">%s</a></p>",
			       english ? "All of them" : "Semuanya");
	bus_buf_puts(&b, "</body></html>\n");
	bus_http_set(req, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
	bus_http_set(req, "Content-Language", english ? "en" : "id");
	bus_http_set(req, "Vary", "Accept-Language");
	bus_http_reply(req, 200, "text/html; charset=utf-8", &b);
}

void gw_problem_page(void *ctx, struct bus_http_request *req)
{
	const struct gw_problem_kind *k = gw_problem_find(bus_http_part(req, "code"));

	(void)ctx;
	if (k)
		answer(req, k);
	else
		gw_problem(req, "path-unknown", NULL, "/problems");
}

void gw_problem_list(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	answer(req, NULL);
}
