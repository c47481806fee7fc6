#include "adapters/office/problem.h"

#include <assert.h>

static const struct {
	const char *code;
	int status;
	const char *title, *hint;
} problems[] = {
	{ "unauthorized", 401, "Token tidak ada atau tidak dikenal / no token, or an unknown one",
	  "Authorization: Bearer TOKEN; berkas desk.tokens / the file desk.tokens says who may ask" },
	{ "row-unknown", 404, "Tidak ada baris seperti itu dalam karantina / no such row in quarantine",
	  "GET /v1/quarantine menunjukkan yang ada bagi token ini / shows those that this token may see; "
	  "orders "
	  "take open rows only" },
	{ "order-unknown", 404, "Tidak ada perintah bernama itu / no order has that name",
	  "nama dari jawaban 202 / the name that the answer 202 gave" },
	{ "question-invalid", 400, "Parameter tidak sah / a parameter is not valid",
	  "feed, file, class, since, until, state, limit, after" },
	{ "body-invalid", 400, "Isi tidak sah / the body is not valid",
	  "objek JSON / a JSON object: ids, feed, file, class, since, until, all, set, redrive, why, "
	  "dry_run" },
	{ "rows-missing", 400, "Baris yang mana? / Which rows?",
	  "ids, atau pilih dengan / or choose by class, file, feed, since, until; \"all\": true = semua / "
	  "all" },
	{ "why-missing", 400, "Alasan diperlukan / a reason is needed", "\"why\": \"...\"" },
	{ "set-missing", 400, "Kolom mana yang diperbaiki? / Which columns are mended?",
	  "\"set\": {\"KOLOM/COLUMN\": \"isi/value\"}" },
	{ "rows-many", 400, "Terlalu banyak baris / too many rows",
	  "pilih lebih sedikit dengan / choose fewer by file, since" },
	{ "key-missing", 409, "Adapter ini tidak dapat membuka baris / this adapter cannot open rows",
	  "key.opd: kunci yang menyegel baris itu / the key that the row was sealed with" },
	{ "idempotency-invalid", 400, "Idempotency-Key tidak sah / is not valid",
	  "1 sampai 255 huruf ASCII tanpa spasi, bukan NIK / 1 to 255 characters of ASCII without spaces, no "
	  "NIK" },
	{ "idempotency-other", 422,
	  "Idempotency-Key ini sudah dipakai untuk perintah lain / was used for another order",
	  "pakai kunci baru untuk perintah baru / a new key for a new order" },
	{ "kafka-away", 503, "Karantina tidak dapat dibaca sekarang / quarantine cannot be read now",
	  "Kafka tidak menjawab; ulangi nanti, tidak ada yang hilang / Kafka does not answer; try again "
	  "later, "
	  "nothing is lost" },
	{ "disk-full", 503, "Perintah tidak dapat ditulis / the order could not be written",
	  "periksa ruang dan hak folder / look at the space and rights of the drop folder" },
	{ "busy", 503, "Terlalu banyak permintaan menunggu / too many requests are waiting",
	  "ulangi sebentar lagi / try again in a moment" },
};

void adapter_office_problem(struct bus_http_request *req, const char *code, const char *detail)
{
	size_t i = 0;

	while (i < BUS_LEN(problems) && strcmp(problems[i].code, code) != 0)
		i++;
	assert(i < BUS_LEN(problems));
	if (problems[i].status == 401)
		bus_http_set(req, "WWW-Authenticate", "Bearer realm=\"titian-adapter\"");
	if (problems[i].status == 503)
		bus_http_set(req, "Retry-After", "5");
	bus_http_set(req, "Cache-Control", "no-store");
	bus_http_problem(req, problems[i].status, code, NULL, problems[i].title, detail, problems[i].hint);
}
