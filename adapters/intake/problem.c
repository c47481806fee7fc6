#include "adapters/intake/problem.h"

#include "adapters/problem.h"

static const struct adapter_problem problems[] = {
	{ "unauthorized", 401, 0, "Token tidak ada atau tidak dikenal / no token, or an unknown one",
	  "Authorization: Bearer TOKEN; berkas intake.tokens / the file intake.tokens says who may post" },
	{ "forbidden", 403, 0, "Token ini tidak untuk umpan itu / this token is not for that feed",
	  "tambahkan umpannya pada baris token itu / add the feed to the token's line" },
	{ "feed-unknown", 404, 0, "Umpan tidak ada / no such feed",
	  "nama `feed` dari pemetaan yang `source`-nya kind: jsonl / the name of a mapping with source kind: "
	  "jsonl" },
	{ "type-unknown", 415, 0, "Jenis isi tidak diterima / this type of body is not taken",
	  "application/json, application/x-ndjson, text/csv, application/cloudevents+json, "
	  "application/cloudevents-batch+json" },
	{ "body-invalid", 400, 0, "Isi tidak dapat dibaca / the body cannot be read",
	  "perbaiki lalu kirim lagi: tidak ada barisnya yang diambil / mend it and send it again: none of "
	  "its rows was taken" },
	{ "body-large", 413, 0, "Isi terlalu besar / the body is too large",
	  "kirim dalam beberapa bagian / send it in several parts" },
	{ "idempotency-invalid", 400, 0, "Idempotency-Key tidak sah / is not valid",
	  "1 sampai 255 huruf ASCII tanpa spasi, bukan NIK / 1 to 255 characters of ASCII without spaces, no "
	  "NIK" },
	{ "idempotency-other", 422, 0,
	  "Idempotency-Key ini sudah dipakai untuk kiriman lain / was used for another post",
	  "pakai kunci baru untuk kiriman baru / a new key for a new post" },
	{ "idempotency-running", 409, 1, "Kiriman dengan Idempotency-Key ini sedang disimpan / is being kept",
	  "ulangi sebentar lagi / try again in a moment" },
	{ "spool-full", 503, 30,
	  "Penampung penuh: tidak ada yang dibuang, yang baru ditolak / the spool is full: nothing is "
	  "dropped, "
	  "what is new is refused",
	  "ulangi kiriman yang sama nanti, dengan Idempotency-Key yang sama / send the same again later, "
	  "with the same "
	  "Idempotency-Key" },
	{ "disk-full", 503, 30, "Kiriman tidak dapat disimpan / the post could not be kept",
	  "ulangi kiriman yang sama nanti, dengan Idempotency-Key yang sama / send the same again later, "
	  "with the same "
	  "Idempotency-Key" },
	{ "busy", 503, 1, "Terlalu banyak kiriman menunggu / too many posts are waiting",
	  "ulangi sebentar lagi / try again in a moment" },
};

void adapter_intake_problem(struct bus_http_request *req, const char *code, const char *detail)
{
	adapter_problem(req, problems, BUS_LEN(problems), code, detail);
}
