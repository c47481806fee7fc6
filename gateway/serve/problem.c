#include <assert.h>
#include <strings.h>

#include "gateway/serve/api.h"
#include "gateway/serve/problem.h"

/* Every problem the gateway answers with (RFC 9457). Codes are for programs and never change. */
static const struct gw_problem_kind table[] = {
	/* what bus/http says no to itself */
	{ "http-400", 400, "Permintaan tidak menurut HTTP", "That is no HTTP request that can be read" },
	{ "http-408", 408, "Permintaan terlalu lambat", "The request took too long" },
	{ "http-413", 413, "Isi permintaan terlalu besar", "The body is too large" },
	{ "http-414", 414, "Alamat terlalu panjang: pakai POST .../lookup",
	  "The address is too long: use POST .../lookup" },
	{ "http-415", 415, "Jenis atau kemasan isi permintaan itu tidak diterima",
	  "That type or coding of the body is not taken" },
	{ "http-429", 429, "Terlalu banyak isi permintaan Anda sedang dikirim: ulangi sebentar lagi",
	  "Too much of yours is being sent at once: try again in a moment" },
	{ "http-500", 500, "Kesalahan di pihak kami", "A mistake of ours" },
	{ "http-501", 501, "Transfer-Encoding itu tidak diterima", "That Transfer-Encoding is not taken" },
	{ "http-503", 503, "Terlalu banyak sekaligus, atau sedang berhenti",
	  "Too much at once, or stopping" },
	{ "http-505", 505, "Versi HTTP itu tidak diterima", "That version of HTTP is not taken" },
	{ "path-unknown", 404, "Tidak ada apa-apa di alamat ini", "There is nothing at this address" },
	{ "method-refused", 405, "Alamat ini tidak menerima metode itu: baris hanya dibaca",
	  "This address does not take that method: rows are read only" },
	{ "key-missing", 401, "Kunci diperlukan", "A key is needed" },
	{ "key-unknown", 401, "Kunci tidak dikenal", "The key is not known" },
	{ "signature-invalid", 401, "Tanda tangan permintaan ini tidak diterima", "The signature of this request is not taken" },
	{ "signature-missing", 401, "Permintaan pembaca ini harus bertanda tangan", "Requests of this reader must be signed" },
	{ "not-granted", 403, "Tidak diizinkan", "Not granted" },
	{ "column-masked", 403, "Kolom ini disamarkan bagi Anda", "This column is masked for you" },
	{ "view-unknown", 404, "Tidak ada tayangan dengan nama itu bagi Anda",
	  "No view of that name for you" },
	{ "topic-unknown", 404, "Tidak ada topik dengan nama itu bagi Anda",
	  "No topic of that name for you" },
	{ "schema-unknown", 400, "Tidak ada versi skema itu", "No such version of the schema" },
	{ "indicator-unknown", 404, "Tidak ada indikator dengan nama itu", "No indicator of that name" },
	{ "figures-invalid", 422, "Angka ini tidak dapat disusun", "These figures cannot be made" },
	{ "row-unknown", 404, "Tidak ada baris dengan kunci itu", "No row with that key" },
	{ "history-none", 404, "Tayangan ini tidak menyimpan riwayat", "This view keeps no history" },
	{ "history-before", 409, "Riwayat tayangan ini belum ada pada saat itu",
	  "The history of this view does not reach back to that moment" },
	{ "date-missing", 400, "Tayangan ini memerlukan per_tanggal", "This view needs per_tanggal" },
	{ "parameter-invalid", 400, "Parameter tidak sah", "A parameter is not valid" },
	{ "column-unknown", 400, "Tidak ada kolom dengan nama itu", "No column of that name" },
	{ "cursor-invalid", 400, "Kursor tidak sah", "The cursor is not valid" },
	{ "cursor-unknown", 410, "Kursor dari gudang data lain: mulai lagi tanpa kursor",
	  "The cursor is of another store: start again without it" },
	{ "operator-unknown", 400, "Operator tidak dikenal", "The operator is not known" },
	{ "not-offered", 400, "Ini ada di PostgREST, tidak di sini", "PostgREST has this, we do not" },
	{ "range-too-large", 400, "Lebih banyak baris daripada sehalaman: ikuti Link atau unduh seluruhnya",
	  "More rows than a page holds: follow Link, or take the whole view" },
	{ "range-beyond", 416, "Tidak ada baris sejauh itu", "There are no rows that far" },
	{ "question-too-large", 400,
	  "Pertanyaan ini membaca terlalu banyak baris: persempit saringannya, unduh seluruhnya, atau minta "
	  "indeks",
	  "This question reads too many rows: narrow it, take the whole view, or ask for an index" },
	{ "rows-not-one", 406, "Jawabannya bukan tepat satu baris",
	  "Cannot coerce the result to a single JSON object" },
	{ "lookup-invalid", 400, "Isi permintaan bukan daftar nilai satu kolom",
	  "The body is not a list of values of one column" },
	{ "lookup-several", 409, "Satu nilai memiliki beberapa baris", "One value has several rows" },
	{ "definition-invalid", 422, "Definisi tayangan ini tidak dapat diterima",
	  "This definition of a view cannot be taken" },
	{ "definition-conflict", 409, "Tayangan lain membacanya, atau ia ditetapkan oleh berkas",
	  "Other views read it, or a file defines it" },
	{ "definition-other", 412, "Definisinya sudah lain", "Its definition is another one by now" },
	{ "definition-not-written", 503, "Definisi mungkin belum tercatat: periksa keadaannya",
	  "The definition may not have been written: look at its state" },
	{ "accept-unknown", 406, "Bentuk yang diminta tidak tersedia", "No such representation" },
	{ "quota-exceeded", 429, "Kuota permintaan habis: tunggu sampai Retry-After",
	  "The quota of requests is used up: wait for Retry-After" },
	{ "too-many-streams", 429, "Terlalu banyak aliran terbuka dengan kunci ini",
	  "Too many open streams for this key" },
	{ "export-unknown", 404,
	  "Tidak ada ekspor dengan nomor itu bagi Anda: dihapus, lewat waktunya, atau gateway dimulai ulang; "
	  "mulai lagi dari awal",
	  "No export of that number for you: removed, over its time, or the gateway was restarted; begin it "
	  "anew" },
	{ "export-running", 409, "Ekspor belum selesai", "The export is not finished" },
	{ "export-impossible", 422, "Berkas jenis ini tidak dapat memuat data itu",
	  "This kind of file cannot hold these data" },
	{ "range-invalid", 416, "Di luar berkas", "Outside the file" },
	{ "too-many-exports", 429, "Terlalu banyak ekspor sedang dikerjakan atau disimpan",
	  "Too many exports are being made or kept" },
	{ "check-unknown", 404, "Tidak ada pemeriksaan dengan nomor itu bagi Anda",
	  "No check of that number for you" },
	{ "too-many-checks", 429, "Terlalu banyak pemeriksaan menunggu", "Too many checks wait" },
	{ "definition-costly", 422, "Definisi ini terlalu berat untuk diperiksa",
	  "This definition is too costly to check" },
	{ "webhook-unknown", 404, "Tidak ada webhook dengan id itu bagi Anda",
	  "No webhook of that id for you" },
	{ "url-refused", 400, "Alamat itu tidak terbuka bagi webhook", "That URL is not open to webhooks" },
	{ "webhook-changed", 409, "Webhook ini baru saja diubah: baca lagi, lalu ulangi",
	  "This webhook has just been changed: read it again, then try again" },
	{ "too-many-webhooks", 409, "Terlalu banyak webhook", "Too many webhooks" },
	{ "body-invalid", 400, "Isi permintaan tidak dapat dibaca", "The body cannot be read" },
	{ "type-unknown", 415, "Jenis isi itu tidak diterima", "That media type is not taken" },
	{ "publish-refused", 422, "Tidak ada rekaman yang diterima", "No record was taken" },
	{ "publish-too-many", 413, "Terlalu banyak rekaman dalam satu permintaan", "Too many records in one request" },
	{ "publish-busy", 503, "Terlalu banyak rekaman sedang dikirim: ulangi sebentar lagi",
	  "Too many records are on their way: try again in a moment" },
	{ "publish-share", 429, "Terlalu banyak rekaman pembaca ini sedang dikirim: ulangi sebentar lagi",
	  "Too many records of this reader are on their way: try again in a moment" },
	{ "publish-unknown", 503, "Belum diketahui apakah rekaman ini sudah di Kafka: ulangi dengan Idempotency-Key yang sama",
	  "Whether this is in Kafka is not known: try again with the same Idempotency-Key" },
	{ "record-invalid", 422, "Rekaman ini tidak sesuai dengan skemanya", "This record does not fit its schema" },
	{ "record-key-missing", 422, "Rekaman ini tidak punya kunci", "This record has no key" },
	{ "record-key-other", 422, "Kunci rekaman ini lain dari isinya", "The key of this record is another one than in its value" },
	{ "record-key-personal", 422, "NIK tidak boleh ada di kunci atau header: pakai nama samaran",
	  "No NIK in a key or a header: use the pseudonym" },
	{ "record-too-large", 413, "Rekaman ini terlalu besar", "This record is too large" },
	{ "record-refused", 422, "Kafka tidak menerima rekaman ini", "Kafka does not take this record" },
	{ "partition-unknown", 422, "Topik ini tidak punya partisi itu", "The topic has no such partition" },
	{ "record-not-sent", 424, "Tidak dikirim: yang lain dalam permintaan ini ditolak (atomic)",
	  "Not sent: another one of this request was refused (atomic)" },
	{ "topic-unavailable", 503, "Kafka tidak membuka topik ini", "Kafka does not open this topic" },
	{ "idempotency-invalid", 400, "Idempotency-Key: 1 sampai 255 huruf ASCII tanpa spasi, bukan NIK",
	  "Idempotency-Key: 1 to 255 ASCII characters, no space, no NIK" },
	{ "idempotency-other", 422, "Idempotency-Key ini sudah dipakai untuk permintaan lain",
	  "This Idempotency-Key was used for another request" },
	{ "idempotency-running", 409, "Permintaan dengan Idempotency-Key ini sedang dikerjakan: ulangi sebentar lagi",
	  "A request with this Idempotency-Key is under way: try again in a moment" },
	{ "idempotency-share", 429, "Terlalu banyak Idempotency-Key pembaca ini diingat: ulangi nanti",
	  "Too many Idempotency-Keys of this reader are remembered: try again later" },
	{ "idempotency-full", 503, "Terlalu banyak Idempotency-Key diingat: ulangi nanti",
	  "Too many Idempotency-Keys are remembered: try again later" },
	{ "not-ready", 503, "Belum siap", "Not ready" },
	{ "unavailable", 503, "Sementara tidak dapat dijawab", "Cannot be answered at the moment" },
};

bool gw_english(const struct bus_http_request *req)
{
	const char *language = bus_http_header(req, "Accept-Language");

	/* The first language named decides; that is how every browser writes its list. */
	return language && strncasecmp(language, "en", 2) == 0;
}

/* PostgREST's own codes, where programs look for them. */
static const char *wire_code(const char *code)
{
	return strcmp(code, "rows-not-one") == 0   ? "PGRST116"
	       : strcmp(code, "range-beyond") == 0 ? "PGRST103"
						   : code;
}

const struct gw_problem_kind *gw_problem_find(const char *code)
{
	for (size_t i = 0; i < BUS_LEN(table); i++)
		if (strcmp(table[i].code, code) == 0)
			return &table[i];
	return NULL;
}

const struct gw_problem_kind *gw_problem_at(unsigned i)
{
	return i < BUS_LEN(table) ? &table[i] : NULL;
}

const char *gw_problem_title(const char *code, bool english)
{
	const struct gw_problem_kind *k = gw_problem_find(code);

	assert(k);
	return english ? k->en : k->id;
}

/* The first sentence of what /problems says of it, without its markup. */
static void advise(const char *code, bool english, struct bus_buf *out)
{
	const struct gw_problem_words *w = gw_problem_words(code);
	const char *text = !w ? "" : english ? w->en : w->id;
	bool markup = false;

	for (const char *p = text; *p; p++) {
		if (*p == '<' || *p == '>')
			markup = *p == '<';
		else if (!markup)
			bus_buf_putc(out, *p);
		if (!markup && *p == '.' && p[1] == ' ')
			return;
	}
}

void gw_problem_in(struct bus_http_request *req, bool english, const char *code, const char *detail, const char *hint)
{
	const struct gw_problem_kind *k = gw_problem_find(code);
	struct bus_buf advice = { 0 };

	assert(k);
	if (!hint || !hint[0])
		advise(code, english, &advice);
	if (advice.n > 0)
		hint = bus_buf_cstr(&advice);
	if (k->status == 401)
		bus_http_set(req, "WWW-Authenticate", "Bearer");
	bus_http_set(req, "Content-Language", english ? "en" : "id");
	bus_http_set(req, "Vary", "Accept-Language");
	bus_http_problem(req, k->status, code, wire_code(code), english ? k->en : k->id, detail, hint);
	bus_buf_release(&advice);
}

void gw_problem(struct bus_http_request *req, const char *code, const char *detail, const char *hint)
{
	gw_problem_in(req, gw_english(req), code, detail, hint);
}
