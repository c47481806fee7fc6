#include "adapters/report.h"

#include <errno.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/file.h"
#include "bus/plain.h"

bool adapter_report_needed(const struct adapter_tally *t)
{
	return t->status == ADAPTER_CUT || t->status == ADAPTER_REFUSED || t->refused > 0 ||
	       t->reason[0] != '\0' || adapter_tally_control_wrong(t);
}

struct counts {
	const struct adapter_tally *t;
	struct bus_buf *out;
};

/* And what became of its rows; nothing of what is no class of the mapping's. */
static void put_class(void *ctx, const char *name, uint64_t n)
{
	const struct counts *c = ctx;
	const char *fate = "";

	for (size_t i = 0; i < c->t->n_classes; i++)
		if (strcmp(c->t->class[i].name, name) == 0)
			fate = adapter_map_fate_text(c->t->class[i].fate);
	bus_buf_printf(c->out, fate[0] ? "  %10llu  %-24s %s\n" : "  %10llu  %s\n", (unsigned long long)n,
		       name, fate);
}

/* What can be done with the rows of each class. */
static void put_advice(const struct adapter_tally *t, struct bus_buf *out)
{
	for (int a = 0; a < ADAPTER_ADVICE_N; a++) {
		const char *before = "  "; /* after the first: ", " */

		for (size_t i = 0; i < t->n_classes; i++) {
			if (!(t->advice[i] & 1u << a))
				continue;
			bus_buf_printf(out, "%s%s", before, t->class[i].name);
			before = ", ";
		}
		if (a == ADAPTER_ADVICE_SIZE && t->too_big > 0) {
			bus_buf_printf(out, "%s%s", before, ADAPTER_CLASS_TOO_BIG);
			before = ", ";
		}
		if (before[0] == ' ')
			continue;
		bus_buf_puts(out, ":\n");
		adapter_advice_text((enum adapter_advice)a, t->complete, "    ", out);
	}
}

static void put_remedy(const struct adapter_tally *t, struct bus_buf *out)
{
	bus_buf_puts(out, "\nApa yang harus dilakukan / what to do\n");
	switch (t->status) {
	case ADAPTER_REFUSED:
		bus_buf_puts(
		    out,
		    "  Tidak ada isi berkas ini yang diterbitkan. Perbaiki sebabnya di atas, lalu letakkan "
		    "berkas itu lagi.\n"
		    "  Nothing of this file was published. Mend the reason above, then drop the file "
		    "again.\n");
		break;
	case ADAPTER_CUT:
		bus_buf_puts(
		    out,
		    "  Baris sebelum bagian yang hilang sudah diterbitkan; tidak ada yang dihapus. Ambil "
		    "berkas yang utuh dan letakkan lagi: yang sama tidak diterbitkan dua kali.\n"
		    "  The rows before the missing part have been published; nothing was removed. Get "
		    "the whole file and drop it: what is the same is not published twice.\n");
		break;
	default:
		if (t->refused > 0) {
			bus_buf_printf(
			    out,
			    "  Baris yang ditolak ada di karantina / refused rows are in quarantine: "
			    "titian quarantine list --config adapter.yaml --file %.16s\n",
			    t->sha256);
			put_advice(t, out);
		}
		if (adapter_tally_control_wrong(t))
			bus_buf_puts(out,
				     "  Jumlah kendali berkas tidak cocok: periksa ekspor di sistem asal.\n"
				     "  The file's own totals do not match: check the export in the source "
				     "system.\n");
		break;
	}
}

void adapter_report_text(const struct adapter_tally *t, struct bus_buf *out)
{
	struct counts counts = { t, out };
	const size_t start = out->n;
	char time[32];

	bus_buf_printf(out, "Laporan berkas / file report: %s\n\n", t->name);
	if (t->feed)
		bus_buf_printf(out, "umpan / feed           %s\nSHA-256                %s\n", t->feed,
			       t->sha256);
	bus_buf_printf(out, "waktu / time           %s\n",
		       bus_clock_iso_wib(t->ended ? t->ended : t->started, time, sizeof(time)));
	bus_buf_printf(out, "status                 %s\n", adapter_status_name(t->status));
	if (t->reason[0])
		bus_buf_printf(out, "sebab / reason         %s\n", t->reason);
	if (t->status != ADAPTER_REFUSED) {
		bus_buf_printf(out, "baris data / rows      %llu\n", (unsigned long long)t->rows);
		bus_buf_printf(out, "diterima / accepted    %llu\n", (unsigned long long)t->accepted);
		bus_buf_printf(out, "ditolak / refused      %llu\n", (unsigned long long)t->refused);
		bus_buf_puts(out, "\nHitungan per kelas / counts per class\n");
		adapter_tally_each(t, false, put_class, &counts);
	}
	for (size_t i = 0; i < t->end.n_controls; i++) {
		const struct adapter_control *c = &t->end.control[i];

		if (c->said != c->counted)
			bus_buf_printf(
			    out,
			    "\nJumlah kendali '%s': tertulis %lld, terhitung %lld / control total: the file "
			    "says %lld, counted %lld\n",
			    c->name, (long long)c->said, (long long)c->counted, (long long)c->said,
			    (long long)c->counted);
	}
	if (t->n_samples > 0)
		bus_buf_printf(out, "\nBaris yang ditolak / refused rows (%zu%s)\n", t->n_samples,
			       t->refused > t->n_samples ? " pertama / first" : "");
	for (size_t i = 0; i < t->n_samples; i++) {
		const struct adapter_sample *s = &t->sample[i];

		bus_buf_printf(out, "  baris / line %llu", (unsigned long long)s->line);
		if (s->field[0])
			bus_buf_printf(out, ", kolom / column %s", s->field);
		bus_buf_printf(out, ": %s%s%s\n", s->class, s->detail[0] ? ": " : "", s->detail);
	}
	put_remedy(t, out);
	bus_plain(out->p + start, out->n - start, true);
}

static char *prepared_path(const char *feed, const char *sha256, const char *folder)
{
	return bus_xasprintf("%s/.%s.%.16s.laporan", folder, feed ? feed : "berkas", sha256);
}

enum bus_err adapter_report_write(const char *feed, const char *sha256, struct bus_str text,
				  const char *folder, struct bus_error *err)
{
	char *path = prepared_path(feed, sha256, folder);
	enum bus_err rc = bus_file_put(path, text, 0640, BUS_FILE_DURABLE, err);

	free(path);
	return rc;
}

enum bus_err adapter_report_prepare(const struct adapter_tally *t, const char *folder, struct bus_error *err)
{
	struct bus_buf text = { 0 };
	enum bus_err rc;

	adapter_report_text(t, &text);
	rc = adapter_report_write(t->feed, t->sha256, bus_buf_str(&text), folder, err);
	bus_buf_release(&text);
	return rc;
}

enum bus_err adapter_report_place(const char *feed, const char *sha256, const char *folder, const char *moved,
				  struct bus_error *err)
{
	char *from = prepared_path(feed, sha256, folder), *to = bus_xasprintf("%s.laporan.txt", moved);
	enum bus_err rc = BUS_OK;

	if (rename(from, to) && errno != ENOENT)
		rc = bus_fail(err, errno == ENOSPC || errno == EDQUOT ? BUS_EFULL : BUS_EIO,
			      "cannot rename '%s' to '%s': %m", from, to);
	free(from);
	free(to);
	return rc;
}
