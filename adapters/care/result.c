#include "adapters/care/result.h"

#include <inttypes.h>

#include "bus/clock.h"

static const char *const label[] = {
	[ADAPTER_OF_PUBLISHED] = "diterbitkan / published",
	[ADAPTER_OF_SAME] = "sudah ada, sama / there already",
	[ADAPTER_OF_REFUSED] = "ditolak lagi / refused again",
	[ADAPTER_OF_MENDED] = "diperbaiki / mended",
	[ADAPTER_OF_DISCARDED] = "dibuang / discarded",
	[ADAPTER_OF_SETTLED] = "sudah selesai / settled before",
	[ADAPTER_OF_LOCKED] = "tidak terbuka / not opened",
	[ADAPTER_OF_UNKNOWN] = "tidak ada / not there",
};

void adapter_result_note(struct adapter_order_result *r, enum adapter_result_of_row of, struct bus_str id,
			 const char *class, const char *why)
{
	struct adapter_result_sample *s;

	r->n[of]++;
	if (!why || r->n_samples == ADAPTER_RESULT_SAMPLES)
		return;
	s = &r->sample[r->n_samples++];
	snprintf(s->id, sizeof(s->id), "%.*s", (int)id.n, id.p);
	snprintf(s->class, sizeof(s->class), "%s", class);
	snprintf(s->why, sizeof(s->why), "%s", why);
}

void adapter_result_text(const struct adapter_order_result *r, const char *name, const char *refused,
			 struct bus_buf *out)
{
	char time[32];

	bus_buf_printf(out, "Laporan perintah / order report: %s\n\n", name);
	if (refused) {
		bus_buf_printf(out, "DITOLAK / REFUSED: %s\n", refused);
		return;
	}
	bus_buf_printf(out, "%-34s %s\n", "perintah / order", adapter_order_word(r->order->what));
	bus_buf_printf(out, "%-34s %s\n", "oleh / by", r->order->who);
	if (r->order->why[0])
		bus_buf_printf(out, "%-34s %s\n", "alasan / why", r->order->why);
	bus_buf_printf(out, "%-34s %s\n", "waktu / time",
		       bus_clock_iso_wib(r->order->time_ms, time, sizeof(time)));
	for (int i = 0; i < ADAPTER_OF_N; i++)
		if (r->n[i] > 0)
			bus_buf_printf(out, "%-34s %" PRIu64 "\n", label[i], r->n[i]);
	if (r->n_samples > 0)
		bus_buf_printf(out, "\nBaris yang tidak jadi / rows that were not done%s\n",
			       r->n_samples == ADAPTER_RESULT_SAMPLES ? " (yang pertama / the first)" : "");
	for (size_t i = 0; i < r->n_samples; i++) {
		const struct adapter_result_sample *s = &r->sample[i];

		bus_buf_printf(out, "  %s: %s%s%s\n", s->id, s->class, s->class[0] ? ": " : "", s->why);
	}
}
