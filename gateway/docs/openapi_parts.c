/* The document's components: parameters, answers, schemas that the paths refer to. */
#include <stdio.h>

#include "gateway/docs/openapi_doc.h"

static const struct parameter {
	const char *key, *name, *in, *schema; /* schema: JSON */
	bool required;
	const char *id, *en;
} parameters[] = {
	{ "view", "view", "path", "{\"type\":\"string\"}", true, "Nama tayangan", "Name of the view" },
	{ "key", "key", "path", "{\"type\":\"string\"}", true, "Kunci baris", "Key of the row" },
	{ "code", "code", "path", "{\"type\":\"string\"}", true, "Kode masalah", "Code of the problem" },
	{ "indicator", "indicator", "path", "{\"type\":\"string\"}", true, "Nama indikator", "Name of the indicator" },
	{ "month", "month", "path", "{\"type\":\"string\",\"example\":\"2025-11\"}", true, "Bulan yang telah berakhir", "A month that is over" },
	{ "dari", "dari", "query", "{\"type\":\"string\",\"example\":\"2025-01\"}", false, "Mulai bulan ini", "From this month on" },
	{ "sampai", "sampai", "query", "{\"type\":\"string\",\"example\":\"2025-12\"}", false, "Sampai bulan ini", "Up to this month" },
	{ "figures_format", "format", "query", "{\"type\":\"string\",\"enum\":[\"json\",\"csv\"]}", false, "Bentuk jawaban", "The form of the answer" },
	{ "ack_view", "view", "query", "{\"type\":\"string\"}", false, "Hanya tayangan ini", "Of this view only" },
	{ "ack_reader", "reader", "query", "{\"type\":\"string\"}", false, "Hanya pembaca ini (hak `status`)", "Of this reader only (`status`)" },
	{ "ack_limit", "limit", "query", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":100}", false,
	  "Sebanyak ini", "So many" },
	{ "dataset", "dataset", "path", "{\"type\":\"string\"}", true, "Nama himpunan data", "Name of the data set" },
	{ "catalog_page", "page", "query", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000,\"default\":1}", false,
	  "Halaman, seratus himpunan data masing-masing", "The page, of a hundred data sets each" },
	{ "openapi_version", "version", "query", "{\"type\":\"string\",\"enum\":[\"3.0\",\"3.1\"],\"default\":\"3.0\"}", false,
	  "Versi OpenAPI", "The version of OpenAPI" },
	{ "modified_since", "modified_since", "query", "{\"type\":\"string\",\"example\":\"2026-11-01T00:00:00Z\"}", false,
	  "Hanya yang berubah sejak saat itu", "Only what was modified since" },
	{ "action", "action", "path",
	  "{\"type\":\"string\",\"enum\":[\"package_list\",\"package_show\",\"package_search\","
	  "\"current_package_list_with_resources\",\"resource_show\",\"organization_list\",\"organization_show\","
	  "\"group_list\",\"group_show\",\"tag_list\",\"status_show\",\"site_read\",\"help_show\"]}",
	  true, "Aksi CKAN", "CKAN's action" },
	{ "ckan_id", "id", "query", "{\"type\":\"string\"}", false, "Nama atau id (..._show)", "Name or id (..._show)" },
	{ "ckan_q", "q", "query", "{\"type\":\"string\"}", false, "Kata yang dicari (package_search)", "Words to look for (package_search)" },
	{ "ckan_fq", "fq", "query", "{\"type\":\"string\",\"example\":\"metadata_modified:[2026-11-01T00:00:00Z TO *]\"}", false,
	  "Saringan (package_search)", "A filter (package_search)" },
	{ "ckan_sort", "sort", "query", "{\"type\":\"string\",\"example\":\"name asc\"}", false, "Urutan (package_search)", "The order (package_search)" },
	{ "ckan_rows", "rows", "query", "{\"type\":\"string\",\"example\":\"10\"}", false,
	  "Sebanyak ini (package_search)", "So many (package_search)" },
	{ "ckan_start", "start", "query", "{\"type\":\"string\",\"example\":\"0\"}", false, "Mulai dari yang ke- (package_search)", "From the n-th on (package_search)" },
	{ "topic", "topic", "path", "{\"type\":\"string\"}", true, "Nama topik", "Name of the topic" },
	{ "rp_group", "group", "path", "{\"type\":\"string\",\"maxLength\":249}", true, "Nama grup konsumen", "Name of the consumer group" },
	{ "rp_instance", "instance", "path", "{\"type\":\"string\",\"maxLength\":249}", true, "Nama konsumen", "Name of the consumer" },
	{ "rp_timeout", "timeout", "query", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":300000}", false,
	  "Menunggu rekaman paling lama sekian milidetik", "Wait for records at most so many milliseconds" },
	{ "rp_max_bytes", "max_bytes", "query", "{\"type\":\"integer\",\"minimum\":1}", false,
	  "Kunci dan isi paling banyak sekian byte", "Keys and values of at most so many bytes" },
	{ "rp_partition", "partition", "path", "{\"type\":\"integer\",\"minimum\":0}", true, "Nomor partisi", "Number of the partition" },
	{ "partition", "partition", "query", "{\"type\":\"integer\",\"minimum\":0}", false,
	  "Satu partisi saja; tanpa ini: semuanya", "One partition only; without: all" },
	{ "offset_from", "offset", "query", "{\"type\":\"integer\",\"minimum\":0}", false,
	  "Mulai dari offset ini; perlu `partition`", "From this offset on; needs `partition`" },
	{ "time", "time", "query", "{\"type\":\"string\",\"example\":\"2025-12-31T08:00:00Z\"}", false,
	  "Mulai dari saat ini: milidetik, hari, atau saat dengan zonanya",
	  "From this moment on: milliseconds, a day, or a moment with its zone" },
	{ "schema", "schema", "query", "{\"type\":\"integer\",\"minimum\":1}", false,
	  "Versi skema tujuan setiap rekaman; tanpa ini: sebagaimana ditulis",
	  "The version of the schema that every record is resolved to; without: as written" },
	{ "atomic", "atomic", "query", "{\"type\":\"boolean\",\"default\":false}", false,
	  "`true`: semua rekaman, atau tidak satu pun", "`true`: all records, or none" },
	{ "publish_schema", "schema", "query", "{\"type\":\"string\",\"default\":\"latest\"}", false,
	  "Versi skema topik ini, atau `latest`", "A version of the topic's schema, or `latest`" },
	{ "schema_id", "schema_id", "query", "{\"type\":\"integer\",\"minimum\":1}", false,
	  "Id skema, pengganti versi", "The id of the schema, instead of a version" },
	{ "form", "form", "query", "{\"type\":\"string\",\"enum\":[\"value\",\"record\"]}", false,
	  "`record`: setiap baris `{\"key\":..., \"value\":...}`; `value`: nilainya saja",
	  "`record`: every row is `{\"key\":..., \"value\":...}`; `value`: the value alone" },
	{ "spelling", "spelling", "query", "{\"type\":\"string\",\"enum\":[\"plain\",\"avro\"]}", false,
	  "`avro`: JSON menurut Avro, dengan label union", "`avro`: JSON as Avro has it, unions labelled" },
	{ "idempotency_key", "Idempotency-Key", "header", "{\"type\":\"string\",\"maxLength\":255}", false,
	  "Pilihan pengirim; permintaan yang diulang dengan kunci ini tidak pernah menjadi dua",
	  "The sender's choice; a request repeated with it is never there twice" },
	{ "file", "file", "path", "{\"type\":\"string\"}", true, "Nama berkas", "Name of the file" },
	{ "limit", "limit", "query", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":10000,\"default\":100}",
	  false, "Baris per halaman. CSV dan NDJSON tanpa `limit`: seluruh tayangan",
	  "Rows a page. CSV and NDJSON without `limit`: the whole view" },
	{ "after", "after", "query", "{\"type\":\"string\"}", false, "Kursor dari `Link: rel=next`",
	  "The cursor of `Link: rel=next`" },
	{ "offset", "offset", "query", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":10000,\"default\":0}",
	  false, "Baris yang dilewati; lebih jauh lagi: ikuti `Link: rel=next`",
	  "Rows passed over; farther on: follow `Link: rel=next`" },
	{ "order", "order", "query", "{\"type\":\"string\"}", false,
	  "Urutan: `kolom.desc.nullslast,kolom2`; kunci menjadi penentu terakhir",
	  "The order: `column.desc.nullslast,column2`; the key decides last" },
	{ "select", "select", "query", "{\"type\":\"string\"}", false,
	  "Kolom yang diminta, dipisahkan koma; `nama:kolom` memberi nama lain",
	  "The columns wanted, parted by commas; `name:column` calls it otherwise" },
	{ "tree", "or", "query", "{\"type\":\"string\",\"example\":\"(a.eq.1,and(b.gt.2,c.is.null))\"}",
	  false, "Saringan bersusun; juga `and`, `not.or`, `not.and`",
	  "Filters as a tree; also `and`, `not.or`, `not.and`" },
	{ "per_tanggal", "per_tanggal", "query", "{\"type\":\"string\",\"format\":\"date\"}", false,
	  "Hari yang dilihat; wajib bagi tayangan bertanggal", "The day looked at; dated views need it" },
	{ "dated", "per_tanggal", "query", "{\"type\":\"string\",\"format\":\"date\"}", true,
	  "Hari yang dilihat", "The day looked at" },
	{ "as_of", "as_of", "query", "{\"type\":\"string\"}", false,
	  "Keadaan pada saat itu: hari (akhir hari, WIB) atau waktu RFC 3339; bagi tayangan yang menyimpan "
	  "riwayat",
	  "As it was then: a day (its end, WIB) or a time of RFC 3339; of views that keep their history" },
	{ "provenance", "provenance", "query", "{\"type\":\"string\",\"enum\":[\"true\",\"false\"]}", false,
	  "`true`: tiap baris dengan `_provenance`, rekaman asal setiap sel; paling banyak 100 baris",
	  "`true`: every row with `_provenance`, the records each cell was made of; at most 100 rows" },
	{ "excel", "excel", "query", "{\"type\":\"string\",\"enum\":[\"0\",\"1\"]}", false,
	  "1: CSV dengan titik koma dan BOM", "1: CSV with semicolons and a BOM" },
	{ "prefer", "Prefer", "header", "{\"type\":\"string\"}", false,
	  "`count=exact`, `count=estimated`: jumlah baris di Content-Range",
	  "`count=exact`, `count=estimated`: the number of rows in Content-Range" },
	{ "apply", "apply", "query", "{\"type\":\"boolean\"}", false,
	  "`true`: berlakukan; selain itu hanya diperiksa", "`true`: do it; else it is checked only" },
	{ "check_ms", "ms", "query",
	  "{\"type\":\"integer\",\"minimum\":0,\"maximum\":600000,\"default\":5000}", false,
	  "Waktu untuk membandingkan dengan yang berjalan, ms; 0: tidak dibandingkan",
	  "Time for comparing with the running one, ms; 0: not compared" },
	{ "respond_async", "Prefer", "header", "{\"type\":\"string\"}", false,
	  "`respond-async`: 202 dan tempat bertanya", "`respond-async`: 202, and where to ask" },
	{ "check_id", "id", "path", "{\"type\":\"string\"}", true, "Nomor pemeriksaan",
	  "Number of the check" },
	{ "if_match", "If-Match", "header", "{\"type\":\"string\"}", false,
	  "ETag definisi yang hendak diganti", "The ETag of the definition it is meant to replace" },
	{ "if_none_match", "If-None-Match", "header", "{\"type\":\"string\"}", false,
	  "ETag yang sudah dimiliki", "The ETag you have" },
	{ "views", "views", "query", "{\"type\":\"string\",\"example\":\"a,b\"}", true,
	  "Nama tayangan, dipisahkan koma; paling banyak 16",
	  "Names of views, parted by commas; at most 16" },
	{ "since", "after", "query", "{\"type\":\"string\"}", false,
	  "Kursor; tanpa kursor: seluruh isi, lalu perubahan; `now`: hanya yang akan datang",
	  "A cursor; without: everything, then changes; `now`: only what is to come" },
	{ "wait", "wait", "query", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":60,\"default\":0}", false,
	  "JSON: detik menunggu perubahan", "JSON: seconds to wait for a change" },
	{ "until", "until", "query", "{\"type\":\"string\",\"enum\":[\"now\"]}", false,
	  "NDJSON: berhenti di akhir yang sekarang", "NDJSON: stop at the present end" },
	{ "ticket", "ticket", "query", "{\"type\":\"string\"}", false, "Tiket, pengganti kunci",
	  "A ticket, instead of a key" },
	{ "last_event_id", "Last-Event-ID", "header", "{\"type\":\"string\"}", false,
	  "Kursor peristiwa terakhir", "The cursor of the last event" },
	{ "export_id", "id", "path", "{\"type\":\"string\"}", true, "Nomor ekspor", "Number of the export" },
	{ "format", "format", "query",
	  "{\"type\":\"string\",\"enum\":[\"csv\",\"ndjson\",\"avro\",\"xlsx\",\"parquet\"]}", false,
	  "Seluruh tayangan sebagai berkas; juga sebagai akhiran: `/v1/views/{view}.csv`",
	  "The whole view as a file; also as a suffix: `/v1/views/{view}.csv`" },
	{ "compression", "compression", "query",
	  "{\"type\":\"string\",\"enum\":[\"deflate\",\"snappy\",\"zstd\",\"none\"]}", false,
	  "Bagi Avro dan Parquet, bersama `format`", "For Avro and Parquet, with `format`" },
	{ "range", "Range", "header", "{\"type\":\"string\"}", false, "Bagian dari berkas: `bytes=1000-`",
	  "A part of the file: `bytes=1000-`" },
	{ "if_range", "If-Range", "header", "{\"type\":\"string\"}", false,
	  "ETag berkas yang sudah ada sebagian", "The ETag of the file of which you have a part" },
	{ "webhook_id", "id", "path", "{\"type\":\"string\"}", true, "Id webhook", "Id of the webhook" },
	{ "webhook_from", "from", "query", "{\"type\":\"string\"}", true, "Kursor; `0`: dari awal; `now`",
	  "A cursor; `0`: from the beginning; `now`" },
	{ "filter", "filter", "query",
	  "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/components/schemas/Filter\"}}", false,
	  "Saringan: `kolom=operator.nilai`", "Filters: `column=operator.value`" },
};

static const struct problem {
	int status;
	const char *id, *en;
} problems[] = {
	{ 400, "Permintaan tidak sah", "Bad request" },
	{ 401, "Kunci tidak ada atau tidak dikenal", "No key, or not a known one" },
	{ 403, "Tidak diizinkan", "Not granted" },
	{ 404, "Tidak ada (bagi Anda)", "Not there (for you)" },
	{ 406, "Bentuk tidak tersedia", "No such representation" },
	{ 409,
	  "Bertentangan dengan keadaan sekarang: satu nilai dengan beberapa baris, ekspor yang belum "
	  "selesai, "
	  "webhook yang baru diubah, tayangan yang dibaca tayangan lain",
	  "In conflict with the present state: one value with several rows, an export not finished, a "
	  "webhook just "
	  "changed, a view that others read" },
	{ 412, "Definisinya sudah lain", "Its definition is another one by now" },
	{ 413, "Isi permintaan terlalu besar", "The body is too large" },
	{ 415, "Jenis isi itu tidak diterima", "That media type is not taken" },
	{ 416, "Tidak ada baris atau bita sejauh itu", "There are no rows, or bytes, that far" },
	{ 422, "Berkas jenis ini tidak dapat memuat data itu; definisi tidak dapat diterima; tidak ada rekaman yang "
	       "diterima",
	  "This kind of file cannot hold these data; the definition cannot be taken; no record was taken" },
	{ 410, "Kursor dari gudang data lain", "Cursor of another store" },
	{ 429, "Kuota habis, atau terlalu banyak aliran atau ekspor",
	  "The quota is used up, or too many streams or exports" },
	{ 503, "Sementara tidak dapat dijawab", "Cannot be answered at the moment" },
};

static const struct schema {
	const char *name, *members;
	const char *example; /* JSON; NULL: none */
} schemas[] = {
	{ "Problem", "type:s title:s status:i detail:s code:s message:s details:s? hint:s? instance:s",
	  NULL },
	{ "View",
	  "name:s title:l about:l dated:b key:s columns:a owner:s? purpose:l basis:s? dpia:s? "
	  "max_age_s:i? scope:A history:b sources:A tables:A as_of:t? lag:w freshness:o complete:o? rows:i? "
	  "newest:i state:s",
	  NULL },
	{ "Topic",
	  "topic:s opd:s entity:s table:s applied:i behind:w rows:i gaps:i repeated:i undecodable:i "
	  "schema:i schema_held:s? newest:t?",
	  NULL },
	{ "Conflict", "view:s column:s authority:s? authority_opd:s? other:s other_opd:s? rows:i records:i",
	  NULL },
	{ "Freshness", "views:a late:i", NULL },
	{ "Topics", "idle:b caught_up:b topics:a", NULL },
	{ "Feed",
	  "opd:s umpan:s baris_fisik:i baris_data:i diterima:i ditolak:i tak_tergabung:i "
	  "diterbitkan:i kelas:m pengamatan:m "
	  "kendali:a sha256:s status:s berkas:a",
	  NULL },
	{ "Adapter",
	  "opd:s state:s heard:t? heard_seconds_ago:i? silent_since:t? version:s? began:t? last_record:t? "
	  "last_record_seconds_ago:i? rows:i published:i refused:i waiting_files:i waiting_bytes:i "
	  "spool_bytes:i spool_limit:i fetches_failed:i rows_per_second:n refused_by:m",
	  NULL },
	{ "Reader", "reader:s keys:i views:a", NULL },
	{ "Whoami", "reader:s status:b define:b", NULL },
	{ "Gateways", "batch:i gateways:a", NULL },
	{ "Defined", "view:s dry_run:b outcome:s detail:s? check:o", NULL },
	{ "Check",
	  "view:s? good:b problems:a inputs:a columns:a routes:a plan:a steps_per_key:i upkeep:o diff:o",
	  NULL },
	{ "CheckBegun", "id:s state:s", NULL },
	{ "CheckJob", "id:s kind:s view:s state:s permille:i rows:i ms:i fault:s?", NULL },
	{ "State", "view:s state:s percent:i runs:b origin:s dropping:b by:s? at:t? fault:s?", NULL },
	{ "Ticket", "ticket:s expires_in:i", NULL },
	{ "Change", "event:s cursor:s key:s row:o", NULL },
	{ "Changes", "changes:a cursor:s up_to_date:b", NULL },
	{ "Export",
	  "id:s view:s format:s bundle:b state:s created:t waits_for:s? rows:i bytes:i percent:i? "
	  "rows_per_s:i "
	  "eta_s:i? as_of:t? cursor:s?",
	  NULL },
	{ "ExportQuestion", "view:s format:s", "{\"view\":\"penduduk\",\"format\":\"parquet\"}" },
	{ "Records", "records:a cursor:s up_to_date:b", NULL },
	{ "Publish", "records:a schema:i? schema_id:i?",
	  "{\"records\":[{\"key\":\"a1\",\"value\":{\"id\":\"a1\"}},{\"key\":\"a2\",\"value\":null}]}" },
	{ "Published", "topic:s schema_id:i accepted:i refused:i records:a",
	  "{\"topic\":\"pku.dinsos.bansos.v1\",\"schema_id\":7,\"accepted\":1,\"refused\":0,"
	  "\"records\":[{\"partition\":0,\"offset\":41}]}" },
	{ "RpError", "error_code:i message:s", "{\"error_code\":40401,\"message\":\"Topic not found.\"}" },
	{ "RpProduce", "records:a value_schema_id:i? value_schema:s? key_schema_id:i? key_schema:s?",
	  "{\"value_schema_id\":7,\"records\":[{\"value\":{\"id\":\"a1\"}}]}" },
	{ "RpProduced", "offsets:a key_schema_id:i? value_schema_id:i?",
	  "{\"offsets\":[{\"partition\":0,\"offset\":41,\"error_code\":null,\"error\":null}],"
	  "\"key_schema_id\":null,\"value_schema_id\":7}" },
	{ "RpTopic", "name:s configs:o partitions:a", NULL },
	{ "RpPartition", "partition:i leader:i replicas:a",
	  "{\"partition\":0,\"leader\":1,\"replicas\":[{\"broker\":1,\"leader\":true,\"in_sync\":true}]}" },
	{ "RpOffsets", "beginning_offset:i end_offset:i", "{\"beginning_offset\":0,\"end_offset\":41}" },
	{ "RpConsumerNew",
	  "name:s? format:s? auto.offset.reset:s? auto.commit.enable:v? fetch.min.bytes:v? consumer.request.timeout.ms:v?",
	  "{\"format\":\"avro\",\"auto.offset.reset\":\"earliest\"}" },
	{ "RpConsumer", "instance_id:s base_uri:s",
	  "{\"instance_id\":\"k1\",\"base_uri\":\"https://bus.example/consumers/g/instances/k1\"}" },
	{ "RpSubscription", "topics:A? topic_pattern:s?", "{\"topics\":[\"pku.dinsos.bansos.v1\"]}" },
	{ "RpSubscribed", "topics:A", NULL },
	{ "RpPlaces", "partitions:a", "{\"partitions\":[{\"topic\":\"pku.dinsos.bansos.v1\",\"partition\":0}]}" },
	{ "RpPositions", "offsets:a? timestamps:a?",
	  "{\"offsets\":[{\"topic\":\"pku.dinsos.bansos.v1\",\"partition\":0,\"offset\":20}]}" },
	{ "RpOffsetsDone", "offsets:a?",
	  "{\"offsets\":[{\"topic\":\"pku.dinsos.bansos.v1\",\"partition\":0,\"offset\":20}]}" },
	{ "RpOffsetsKept", "offsets:a", NULL },
	{ "Page", "data:a next:s? cursor:s as_of:i", NULL },
	{ "Webhook",
	  "id:s view:s url:s select:s? per_tanggal:s? filter:o format:s signature:s rate:i max_batch:i "
	  "created:t state:s reason:s? cursor:s? delivered:i failures:i failing_since:t? next_try:t? "
	  "last:o behind:w? keys:a",
	  NULL },
	{ "WebhookNew",
	  "view:s url:s filter:o? select:s? per_tanggal:s? from:s? format:s? signature:s? rate:i? "
	  "max_batch:i?",
	  "{\"view\":\"penduduk\",\"url\":\"https://penerima.example.go.id/titian\"}" },
	{ "WebhookChange", "url:s? suspended:b? rotate:b? overlap:i? rate:i? max_batch:i?",
	  "{\"suspended\":true}" },
	{ "WebhookTest", "message:s status:i why:s? ms:i", NULL },
	{ "WebhookAttempt", "at:t kind:s message:s? status:i why:s? ms:i", NULL },
	{ "National", "reader:s signatures:o acknowledge:s figures:s datasets:a", NULL },
	{ "Acknowledgement", "view:s cursor:s rows:i? digest:s? as_of:s? status:s? detail:s?",
	  "{\"view\":\"penduduk\",\"cursor\":\"Titian-Cursor\",\"rows\":1}" },
	{ "AckRecord",
	  "reader:s view:s status:s detail:s? cursor:s seq:i store:s as_of:s? rows:i? digest:s? compared:s why:s? "
	  "rows_here:i? digest_here:s? recorded:t ms:i",
	  NULL },
	{ "Ckan", "help:s success:b", NULL },
	{ "CkanQuestion", "", "{\"id\":\"penduduk\"}" },
	{ "Ok", "status:s", NULL },
};

/* type: schema; `[Name]`: an array of them; "": any object; NULL: text */
static const struct answer {
	const char *name, *id, *en;
	struct {
		const char *type, *schema;
	} content[8];
	const char *headers;
} answers[] = {
	{ "Views", "Daftar tayangan", "The list of views", { { "application/json", "[View]" } }, "" },
	{ "Rows",
	  "Baris dalam urutan kunci",
	  "Rows in the order of their key",
	  { { "application/json", "[]" },
	    { "application/vnd.titian.page+json", "Page" },
	    { "application/vnd.pgrst.object+json", "" },
	    { "application/x-ndjson", NULL },
	    { "text/csv", NULL },
	    { "application/vnd.apache.avro", NULL },
	    { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", NULL },
	    { "application/vnd.apache.parquet", NULL } },
	  "Link ETag Last-Modified Titian-Cursor Titian-As-Of Titian-Freshness Titian-Complete "
	  "Content-Range" },
	{ "Found",
	  "Baris setiap nilai, null bila tidak ada",
	  "The row of each value, null where there is none",
	  { { "application/json", "[?]" } },
	  "ETag Link Titian-As-Of" },
	{ "Row",
	  "Barisnya",
	  "The row",
	  { { "application/json", "" } },
	  "ETag Last-Modified Titian-As-Of Titian-Freshness Titian-Complete" },
	{ "Changes",
	  "Perubahan: aliran, atau yang ada sampai kini",
	  "Changes: a stream, or what there is by now",
	  { { "application/json", "Changes" },
	    { "text/event-stream", NULL },
	    { "application/x-ndjson", NULL } },
	  "" },
	{ "Export",
	  "Ekspor dan kemajuannya",
	  "The export and how far it is",
	  { { "application/json", "Export" } },
	  "Location" },
	{ "Exports", "Ekspor Anda", "Your exports", { { "application/json", "[Export]" } }, "" },
	{ "Removed", "Sudah dihapus", "Removed", { { NULL, NULL } }, "" },
	{ "ExportFile",
	  "Berkasnya, atau bagian yang diminta",
	  "The file, or the part asked for",
	  { { "text/csv", NULL },
	    { "application/x-ndjson", NULL },
	    { "application/vnd.apache.avro", NULL },
	    { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", NULL },
	    { "application/vnd.apache.parquet", NULL },
	    { "application/zip", NULL } },
	  "ETag Content-Digest Repr-Digest Content-Range Titian-Cursor Titian-As-Of" },
	{ "SignatureKeys", "Kunci publik", "The public key",
	  { { "application/http-message-signatures-directory+json", "" } }, "" },
	{ "Pem", "Kunci publik", "The public key", { { "application/x-pem-file", NULL } }, "" },
	{ "Records",
	  "Rekaman: aliran, atau yang ada sampai kini",
	  "Records: a stream, or what there is by now",
	  { { "application/json", "Records" },
	    { "text/event-stream", NULL },
	    { "application/x-ndjson", NULL } },
	  "" },
	{ "Published",
	  "Di mana setiap rekaman berada, atau mengapa ditolak; 207: sebagian ditolak",
	  "Where each record is, or why it was refused; 207: some were refused",
	  { { "application/json", "Published" } },
	  "" },
	{ "Unchanged", "Tidak berubah", "Not changed", { { NULL, NULL } }, "ETag" },
	{ "Conflicts", "Pasangan OPD", "Pairs of departments", { { "application/json", "[Conflict]" } }, "" },
	{ "Freshness",
	  "Janji dan kenyataannya",
	  "Promises, and how they are kept",
	  { { "application/json", "Freshness" } },
	  "" },
	{ "Topics", "Topik", "Topics", { { "application/json", "Topics" } }, "" },
	{ "Adapters", "Adapter OPD", "Departments' adapters", { { "application/json", "[Adapter]" } }, "" },
	{ "Quality", "Umpan", "Feeds", { { "application/json", "[Feed]" } }, "" },
	{ "Readers", "Pembaca", "Readers", { { "application/json", "[Reader]" } }, "" },
	{ "Gateways", "Gateway sekelompok", "Gateways of the group", { { "application/json", "Gateways" } }, "" },
	{ "Whoami", "Pemilik kunci", "The key's owner", { { "application/json", "Whoami" } }, "" },
	{ "Checked", "Apa yang ditemukan", "What was found", { { "application/json", "Check" } }, "" },
	{ "CheckBegun",
	  "Dikerjakan di belakang",
	  "Done in the background",
	  { { "application/json", "CheckBegun" } },
	  "Location" },
	{ "CheckJob",
	  "Sejauh mana, dan hasilnya",
	  "How far, and the result",
	  { { "application/json", "CheckJob" } },
	  "" },
	{ "Defined",
	  "Apa yang akan terjadi, atau sedang dikerjakan; dengan `apply=true` juga keadaannya",
	  "What would be done, or is being done; with `apply=true` its state, too",
	  { { "application/json", "Defined" } },
	  "Location" },
	{ "Definition", "Definisinya", "The definition", { { "application/sql", NULL } }, "ETag" },
	{ "State", "Keadaannya", "Its state", { { "application/json", "State" } }, "" },
	{ "Ticket",
	  "Tiket, berlaku 60 detik",
	  "A ticket, good for 60 seconds",
	  { { "application/json", "Ticket" } },
	  "" },
	{ "Webhooks", "Webhook", "Webhooks", { { "application/json", "[Webhook]" } }, "" },
	{ "Webhook", "Webhook", "The webhook", { { "application/json", "Webhook" } }, "Location" },
	{ "WebhookMade",
	  "Webhook, dengan kunci untuk memeriksa tanda tangannya",
	  "The webhook, with the key that its signatures are verified with",
	  { { "application/json", "Webhook" } },
	  "Location" },
	{ "WebhookTest",
	  "Jawaban penerima",
	  "What the receiver answered",
	  { { "application/json", "WebhookTest" } },
	  "" },
	{ "WebhookAttempts", "Percobaan", "Attempts", { { "application/json", "[WebhookAttempt]" } }, "" },
	{ "Gone", "Sudah dihapus", "Removed", { { NULL, NULL } }, "" },
	{ "National", "Yang ditawarkan", "What is offered", { { "application/json", "National" } }, "" },
	{ "Acknowledged", "Tercatat", "Recorded", { { "application/json", "AckRecord" } }, "" },
	{ "Acknowledgements", "Pengakuan, terbaru dahulu", "Acknowledgements, newest first",
	  { { "application/json", "[AckRecord]" } }, "" },
	{ "Figures", "Indikator", "Indicators", { { "application/json", "[]" } }, "" },
	{ "FiguresOne", "Angka per wilayah dan bulan", "Figures by area and month", { { "application/json", "" }, { "text/csv", NULL } }, "" },
	{ "FiguresMonth", "Angka bulan itu", "The figures of that month", { { "application/json", "" } }, "" },
	{ "Catalogue", "Katalog menurut DCAT", "The catalogue as DCAT",
	  { { "application/ld+json", "" }, { "text/turtle", NULL } }, "" },
	{ "CatalogueJson", "Katalog menurut DCAT", "The catalogue as DCAT", { { "application/ld+json", "" } }, "" },
	{ "CatalogueTurtle", "Katalog menurut DCAT", "The catalogue as DCAT", { { "text/turtle", NULL } }, "" },
	{ "Asyncapi", "Dokumen AsyncAPI", "An AsyncAPI document", { { "application/json", "" }, { "application/yaml", NULL } }, "" },
	{ "Dictionary", "Kamus data", "The data dictionary",
	  { { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", NULL } }, "Content-Disposition" },
	{ "DataJson", "Katalog menurut Project Open Data", "The catalogue as Project Open Data has it", { { "application/json", "" } }, "" },
	{ "Ckan", "Jawaban sebagaimana CKAN", "An answer as CKAN gives it", { { "application/json", "Ckan" } }, "" },
	{ "CkanRefused", "Ditolak sebagaimana CKAN", "Refused as CKAN does", { { "application/json", "*" }, { "application/problem+json", "Problem" } }, "" },
	{ "RpError", "Ditolak sebagaimana REST Proxy", "Refused as REST Proxy does", { { "application/vnd.kafka.v2+json", "RpError" }, { "application/json", "RpError" } }, "" },
	{ "RpProduced", "Di mana setiap rekaman berada", "Where each record is", { { "application/vnd.kafka.v2+json", "RpProduced" }, { "application/json", "RpProduced" } }, "" },
	{ "RpTopics", "Nama topik", "Names of topics", { { "application/vnd.kafka.v2+json", "*" }, { "application/json", "*" } }, "" },
	{ "RpTopic", "Topiknya", "The topic", { { "application/vnd.kafka.v2+json", "RpTopic" }, { "application/json", "RpTopic" } }, "" },
	{ "RpPartitions", "Partisinya", "Its partitions", { { "application/vnd.kafka.v2+json", "[RpPartition]" }, { "application/json", "[RpPartition]" } }, "" },
	{ "RpPartition", "Partisinya", "The partition", { { "application/vnd.kafka.v2+json", "RpPartition" }, { "application/json", "RpPartition" } }, "" },
	{ "RpOffsets", "Offsetnya", "Its offsets", { { "application/vnd.kafka.v2+json", "RpOffsets" }, { "application/json", "RpOffsets" } }, "" },
	{ "RpConsumer", "Konsumennya", "The consumer", { { "application/vnd.kafka.v2+json", "RpConsumer" }, { "application/json", "RpConsumer" } }, "" },
	{ "RpSubscribed", "Topiknya", "Its topics", { { "application/vnd.kafka.v2+json", "RpSubscribed" }, { "application/json", "RpSubscribed" } }, "" },
	{ "RpPlaces", "Partisinya", "Its partitions", { { "application/vnd.kafka.v2+json", "RpPlaces" }, { "application/json", "RpPlaces" } }, "" },
	{ "RpOffsetsKept", "Offsetnya", "Its offsets", { { "application/vnd.kafka.v2+json", "RpOffsetsKept" }, { "application/json", "RpOffsetsKept" } }, "" },
	{ "RpCommitted", "Tercatat", "Committed", { { NULL, NULL } }, "" },
	{ "RpRecords", "Rekamannya", "The records", { { "application/vnd.kafka.avro.v2+json", "" }, { "application/vnd.kafka.json.v2+json", "" }, { "application/vnd.kafka.binary.v2+json", "" }, { "application/json", "" } }, "" },
	{ "RpBrokers", "Nomor broker", "Ids of brokers", { { "application/vnd.kafka.v2+json", "" }, { "application/json", "" } }, "" },
	{ "Openapi", "Dokumen OpenAPI", "An OpenAPI document", { { "application/json", "" } }, "" },
	{ "Ok", "Baik", "Good", { { "application/json", "Ok" } }, "" },
	{ "Page", "Halaman", "The page", { { "text/html", NULL } }, "Content-Security-Policy" },
	{ "File",
	  "Berkas",
	  "The file",
	  { { "text/css", NULL },
	    { "text/javascript", NULL },
	    { "image/svg+xml", NULL },
	    { "text/html", NULL } },
	  "Content-Security-Policy" },
};

static void put_parameters(struct gw_pen *p)
{
	gw_pen_object(p, "parameters");
	for (size_t i = 0; i < BUS_LEN(parameters); i++) {
		const struct parameter *a = &parameters[i];

		gw_pen_object(p, a->key);
		gw_pen_str(p, "name", a->name);
		gw_pen_str(p, "in", a->in);
		gw_pen_flag(p, "required", a->required);
		gw_pen_text(p, "description", a->id, a->en);
		if (strcmp(a->key, "filter") == 0) {
			gw_pen_str(p, "style", "form");
			gw_pen_flag(p, "explode", true);
		}
		bus_json_key(&p->j, "schema");
		bus_json_put_raw(&p->j, bus_str(a->schema));
		bus_json_object_end(&p->j);
	}
	bus_json_object_end(&p->j);
}

void gw_pen_content_schema(struct gw_pen *p, const char *schema)
{
	char name[32];

	bus_json_key(&p->j, "schema");
	if (schema && strcmp(schema, "*") == 0) {
		bus_json_object(&p->j);
		bus_json_object_end(&p->j);
		return;
	}
	if (schema && schema[0] && schema[0] != '[') {
		gw_pen_ref(p, "schemas", schema);
		return;
	}
	bus_json_object(&p->j);
	gw_pen_str(p, "type", !schema ? "string" : schema[0] ? "array" : "object");
	if (schema && schema[0]) {
		snprintf(name, sizeof(name), "%.*s", (int)strlen(schema) - 2, schema + 1);
		bus_json_key(&p->j, "items");
		if (name[0] == '?') {
			bus_json_object(&p->j);
			gw_pen_type(p, "object", NULL, true);
			bus_json_object_end(&p->j);
		} else if (name[0]) {
			gw_pen_ref(p, "schemas", name);
		} else {
			bus_json_object(&p->j);
			gw_pen_str(p, "type", "object");
			bus_json_object_end(&p->j);
		}
	}
	bus_json_object_end(&p->j);
}

static void put_headers(struct gw_pen *p, const char *names)
{
	char name[64];

	gw_pen_object(p, "headers");
	for (size_t n; (n = strcspn(names, " ")) > 0; names += n + strspn(names + n, " ")) {
		snprintf(name, sizeof(name), "%.*s", (int)n, names);
		gw_pen_object(p, name);
		gw_pen_object(p, "schema");
		gw_pen_str(p, "type", "string");
		bus_json_object_end(&p->j);
		bus_json_object_end(&p->j);
	}
	bus_json_object_end(&p->j);
}

static void put_answers(struct gw_pen *p)
{
	char name[8];

	gw_pen_object(p, "responses");
	for (size_t i = 0; i < BUS_LEN(answers); i++) {
		const struct answer *a = &answers[i];

		gw_pen_object(p, a->name);
		gw_pen_text(p, "description", a->id, a->en);
		if (a->headers[0])
			put_headers(p, a->headers);
		if (a->content[0].type) {
			gw_pen_object(p, "content");
			for (size_t k = 0; k < BUS_LEN(a->content) && a->content[k].type; k++) {
				gw_pen_object(p, a->content[k].type);
				gw_pen_content_schema(p, a->content[k].schema);
				bus_json_object_end(&p->j);
			}
			bus_json_object_end(&p->j);
		}
		bus_json_object_end(&p->j);
	}
	for (size_t i = 0; i < BUS_LEN(problems); i++) {
		snprintf(name, sizeof(name), "P%d", problems[i].status);
		gw_pen_object(p, name);
		gw_pen_text(p, "description", problems[i].id, problems[i].en);
		gw_pen_object(p, "content");
		gw_pen_object(p, "application/problem+json");
		gw_pen_content_schema(p, "Problem");
		bus_json_object_end(&p->j);
		bus_json_object_end(&p->j);
		bus_json_object_end(&p->j);
	}
	bus_json_object_end(&p->j);
}

static void put_security(struct gw_pen *p)
{
	gw_pen_object(p, "securitySchemes");
	gw_pen_object(p, "bearer");
	gw_pen_str(p, "type", "http");
	gw_pen_str(p, "scheme", "bearer");
	gw_pen_text(p, "description", "Kunci pembaca: tk_...", "A reader's key: tk_...");
	bus_json_object_end(&p->j);
	gw_pen_object(p, "api_key");
	gw_pen_str(p, "type", "apiKey");
	gw_pen_str(p, "in", "header");
	gw_pen_str(p, "name", "X-Api-Key");
	bus_json_object_end(&p->j);
	if (!p->one) {
		gw_pen_object(p, "basic");
		gw_pen_str(p, "type", "http");
		gw_pen_str(p, "scheme", "basic");
		gw_pen_text(p, "description", "Nama apa saja; sandinya kunci pembaca. Hanya di alamat REST Proxy.",
			    "Any user name; the password is a reader's key. On REST Proxy's paths alone.");
		bus_json_object_end(&p->j);
	}
	bus_json_object_end(&p->j);
}

void gw_openapi_components(struct gw_pen *p, const struct gw_openapi_view *view, size_t n)
{
	gw_pen_object(p, "components");
	put_security(p);
	put_parameters(p);
	put_answers(p);
	gw_pen_object(p, "schemas");
	gw_pen_object(p, "Filter");
	gw_pen_str(p, "type", "string");
	gw_pen_str(p, "pattern",
		   "^(not\\.)?((eq|neq|lt|lte|gt|gte|like|ilike)\\..*|in\\.\\(.*\\)|is\\.(null|not_null|true|"
		   "false))$");
	gw_pen_text(p, "description", "`eq.NILAI`, `in.(a,b)`, `like.A*`, `is.null` dan sebagainya",
		    "`eq.VALUE`, `in.(a,b)`, `like.A*`, `is.null` and so on");
	bus_json_object_end(&p->j);
	bus_json_key(&p->j, "Lookup");
	bus_json_put_raw(
	    &p->j, BUS_STR("{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1,"
			   "\"additionalProperties\":{\"type\":\"array\",\"maxItems\":1000,"
			   "\"items\":{\"type\":\"string\"}},\"example\":{\"nik\":[\"...\",\"...\"]}}"));
	for (size_t i = 0; i < BUS_LEN(schemas); i++) {
		bus_json_key(&p->j, schemas[i].name);
		gw_pen_schema(p, schemas[i].members, schemas[i].example);
	}
	for (size_t i = 0; i < n; i++)
		gw_openapi_view_schema(p, &view[i]);
	bus_json_object_end(&p->j);
	bus_json_object_end(&p->j);
}
