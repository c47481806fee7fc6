#include "adapters/office/problem.h"

#include "adapters/problem.h"

static const struct adapter_problem problems[] = {
	{ "unauthorized", 401, 0, "Token tidak ada atau tidak dikenal / no token, or an unknown one",
	  "Authorization: Bearer TOKEN; berkas desk.tokens / the file desk.tokens says who may ask" },
	{ "row-unknown", 404, 0, "Tidak ada baris seperti itu dalam karantina / no such row in quarantine",
	  "GET /v1/quarantine menunjukkan yang ada bagi token ini / shows those that this token may see; "
	  "orders "
	  "take open rows only" },
	{ "order-unknown", 404, 0, "Tidak ada perintah bernama itu / no order has that name",
	  "nama dari jawaban 202 / the name that the answer 202 gave" },
	{ "question-invalid", 400, 0, "Parameter tidak sah / a parameter is not valid",
	  "GET: feed, file, class, since, until, state, limit, after; {id}: show_personal; POST: isi JSON / "
	  "a "
	  "JSON body" },
	{ "body-invalid", 400, 0, "Isi tidak sah / the body is not valid",
	  "objek JSON / a JSON object: ids, feed, file, class, since, until, all, set, redrive, why, "
	  "dry_run" },
	{ "rows-missing", 400, 0, "Baris yang mana? / Which rows?",
	  "ids, atau pilih dengan / or choose by class, file, feed, since, until; \"all\": true = semua / "
	  "all" },
	{ "why-missing", 400, 0, "Alasan diperlukan / a reason is needed", "\"why\": \"...\"" },
	{ "set-missing", 400, 0, "Kolom mana yang diperbaiki? / Which columns are mended?",
	  "\"set\": {\"KOLOM/COLUMN\": \"isi/value\"}" },
	{ "rows-many", 400, 0, "Terlalu banyak baris / too many rows",
	  "pilih lebih sedikit dengan / choose fewer by file, since" },
	{ "key-missing", 409, 0, "Adapter ini tidak dapat membuka baris / this adapter cannot open rows",
	  "key.opd: kunci yang menyegel baris itu / the key that the row was sealed with" },
	{ "idempotency-invalid", 400, 0, "Idempotency-Key tidak sah / is not valid",
	  "1 sampai 255 huruf ASCII tanpa spasi, bukan NIK / 1 to 255 characters of ASCII without spaces, no "
	  "NIK" },
	{ "idempotency-other", 422, 0,
	  "Idempotency-Key ini sudah dipakai untuk perintah lain / was used for another order",
	  "pakai kunci baru untuk perintah baru / a new key for a new order" },
	{ "kafka-away", 503, 5, "Karantina tidak dapat dibaca sekarang / quarantine cannot be read now",
	  "Kafka tidak menjawab; ulangi nanti, tidak ada yang hilang / Kafka does not answer; try again "
	  "later, "
	  "nothing is lost" },
	{ "disk-full", 503, 5, "Perintah tidak dapat ditulis / the order could not be written",
	  "periksa ruang dan hak folder / look at the space and rights of the drop folder" },
	{ "busy", 503, 5, "Terlalu banyak permintaan menunggu / too many requests are waiting",
	  "ulangi sebentar lagi / try again in a moment" },
};

void adapter_office_problem(struct bus_http_request *req, const char *code, const char *detail)
{
	bus_http_set(req, "Cache-Control", "no-store");
	adapter_problem(req, problems, BUS_LEN(problems), code, detail);
}
