#include "adapters/care/word.h"

#include <stdio.h>
#include <stdlib.h>

#include "bus/proc.h"
#include "schemas/avro/write.h"

#define LINE_MAX_BYTES 512

enum {
	OPD,
	STATE,
	VERSION,
	BEGAN,
	SAID,
	EVERY,
	LAST,
	RATE,
	ROWS,
	PUBLISHED,
	REFUSED,
	REASONS,
	FILES,
	BYTES,
	SPOOL,
	SPOOL_MAX,
	FETCHES,
	N_FIELDS
};

static const struct adapter_shape_field field[N_FIELDS] = {
	[OPD] = { "opd", SCHEMA_STRING, false },
	[STATE] = { "keadaan", SCHEMA_ENUM, false },
	[VERSION] = { "versi", SCHEMA_STRING, false },
	[BEGAN] = { "mulai", SCHEMA_LONG, false },
	[SAID] = { "waktu", SCHEMA_LONG, false },
	[EVERY] = { "jeda", SCHEMA_LONG, false },
	[LAST] = { "rekaman_terakhir", SCHEMA_LONG, true },
	[RATE] = { "laju", SCHEMA_DOUBLE, false },
	[ROWS] = { "dibaca", SCHEMA_LONG, false },
	[PUBLISHED] = { "diterbitkan", SCHEMA_LONG, false },
	[REFUSED] = { "ditolak", SCHEMA_LONG, false },
	[REASONS] = { "kelas_ditolak", SCHEMA_MAP, false },
	[FILES] = { "berkas_menunggu", SCHEMA_LONG, false },
	[BYTES] = { "byte_menunggu", SCHEMA_LONG, false },
	[SPOOL] = { "spul_byte", SCHEMA_LONG, false },
	[SPOOL_MAX] = { "spul_batas", SCHEMA_LONG, false },
	[FETCHES] = { "ambil_gagal", SCHEMA_LONG, false },
};

/* ---- from the figures ---- */

/* Its place; of a new one the next, which may be n_reasons. */
static size_t place_of(const struct adapter_word *w, struct bus_str name)
{
	size_t i = 0;

	while (i < w->n_reasons && !bus_str_is(name, w->reason[i].name))
		i++;
	return i;
}

static void add_reason(struct adapter_word *w, struct bus_str name, int64_t count)
{
	size_t i = place_of(w, name);

	if (count <= 0)
		return;
	if (name.n >= sizeof(w->reason[0].name) || (i == w->n_reasons && i >= ADAPTER_WORD_REASONS - 1)) {
		name = BUS_STR(ADAPTER_WORD_REST);
		i = place_of(w, name);
	}
	if (i == w->n_reasons)
		snprintf(w->reason[w->n_reasons++].name, sizeof(w->reason[0].name), "%.*s", (int)name.n,
			 name.p);
	w->reason[i].n += count;
}

/* line: `name 1` or `name{labels} 1`. */
static void take_line(struct adapter_word *w, const char *line)
{
	const struct {
		const char *name;
		int64_t *sum;
	} sum[] = {
		{ "titian_adapter_rows_total", &w->rows },
		{ "titian_adapter_published_total", &w->published },
		{ "titian_adapter_refused_total", &w->refused },
		{ "titian_adapter_fetch_failed", &w->fetches_failed },
		{ "titian_spool_bytes", &w->spool_bytes },
	};
	static const char reason[] = "titian_adapter_refused_class_total{class=\"";
	const char *value = strrchr(line, ' '), *end;
	size_t n = strcspn(line, "{ ");
	double v;

	if (!value)
		return;
	v = strtod(value, NULL);
	for (size_t i = 0; i < BUS_LEN(sum); i++)
		if (strlen(sum[i].name) == n && memcmp(line, sum[i].name, n) == 0)
			*sum[i].sum += (int64_t)v;
	if (strncmp(line, "titian_adapter_last_record_seconds{", n + 1) == 0 &&
	    (int64_t)(v * 1000) > w->last_record_ms)
		w->last_record_ms = (int64_t)(v * 1000);
	if (strncmp(line, reason, sizeof(reason) - 1) == 0 && (end = strchr(line + sizeof(reason) - 1, '"')))
		add_reason(w,
			   (struct bus_str){ line + sizeof(reason) - 1,
					     (size_t)(end - line) - (sizeof(reason) - 1) },
			   (int64_t)v);
}

void adapter_word_sum(struct bus_str figures, struct adapter_word *w)
{
	char line[LINE_MAX_BYTES];

	for (const char *at = figures.p, *end = figures.p + figures.n; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop ? stop : end) - at);

		if (n < sizeof(line) && *at != '#') {
			memcpy(line, at, n);
			line[n] = '\0';
			take_line(w, line);
		}
		at += n + 1;
	}
}

/* ---- to Avro ---- */

enum bus_err adapter_word_bind(struct adapter_shape *shape, struct schema_store *store, const char *subject,
			       struct bus_error *err)
{
	return adapter_shape_bind(shape, store, subject, field, N_FIELDS, err);
}

enum bus_err adapter_word_fit(struct adapter_shape *shape, struct schema *schema, int32_t id,
			      struct bus_error *err)
{
	return adapter_shape_fit(shape, schema, id, field, N_FIELDS, err);
}

static void put_reasons(const struct adapter_word *w, struct bus_buf *out)
{
	if (w->n_reasons > 0)
		schema_put_long(out, (int64_t)w->n_reasons);
	for (size_t i = 0; i < w->n_reasons; i++) {
		schema_put_text(out, bus_str(w->reason[i].name));
		schema_put_long(out, w->reason[i].n);
	}
	schema_put_long(out, 0);
}

static int64_t number_of(const struct adapter_word *w, int known)
{
	const int64_t number[N_FIELDS] = {
		[BEGAN] = w->began_ms,	    [SAID] = w->said_ms,	  [EVERY] = w->every_ms,
		[ROWS] = w->rows,	    [PUBLISHED] = w->published,	  [REFUSED] = w->refused,
		[FILES] = w->waiting_files, [BYTES] = w->waiting_bytes,	  [SPOOL] = w->spool_bytes,
		[SPOOL_MAX] = w->spool_max, [FETCHES] = w->fetches_failed
	};

	return number[known];
}

static void put_field(const struct adapter_word *w, const struct adapter_shape *shape, int known,
		      struct bus_buf *out)
{
	switch (known) {
	case OPD:
		schema_put_text(out, bus_str(w->opd));
		break;
	case STATE:
		adapter_shape_symbol(shape, STATE, w->stopped ? "BERHENTI" : "BERJALAN", out);
		break;
	case VERSION:
		schema_put_text(out, BUS_STR(TITIAN_VERSION));
		break;
	case LAST:
		if (w->last_record_ms == 0) {
			adapter_shape_null(shape, LAST, out);
			break;
		}
		adapter_shape_some(shape, LAST, out);
		schema_put_long(out, w->last_record_ms);
		break;
	case RATE:
		schema_put_double(out, w->rate);
		break;
	case REASONS:
		put_reasons(w, out);
		break;
	default:
		schema_put_long(out, number_of(w, known));
		break;
	}
}

void adapter_word_encode(const struct adapter_word *w, const struct adapter_shape *shape, struct bus_buf *out)
{
	for (size_t i = 0; i < shape->n; i++)
		put_field(w, shape, shape->known[i], out);
}
