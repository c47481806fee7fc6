#include "deploy/ctl/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bus/clock.h"
#include "deploy/ctl/ctl.h"

#define BAR 24
#define TERMINAL_MS 200
#define LINE_MS 4000
#define WORTH_MS 1000

void ctl_progress_begin(struct ctl_progress *p, const char *what, const char *unit, int64_t from)
{
	*p = (struct ctl_progress){ .what = what,
				    .unit = unit,
				    .from = from,
				    .begun_ms = bus_clock_mono_ms(),
				    .terminal = isatty(STDERR_FILENO) == 1 };
	p->told_ms = p->terminal ? 0 : p->begun_ms;
	p->moved_ms = p->begun_ms;
}

static void put_amount(char *text, size_t n, double v, const char *unit)
{
	if (unit[0] == 'B')
		snprintf(text, n, "%.1f MB", v / 1e6);
	else
		snprintf(text, n, "%.0f %s", v, unit);
}

static double rate_of(const struct ctl_progress *p, int64_t now)
{
	int64_t ms = bus_clock_mono_ms() - p->begun_ms;

	return ms > 0 ? (double)(now - p->from) * 1000 / (double)ms : 0;
}

void ctl_progress_at(struct ctl_progress *p, int64_t now, int64_t of)
{
	const int64_t clock = bus_clock_mono_ms();
	const double rate = rate_of(p, now);
	char amount[40], speed[40], left[32] = "", bar[BAR + 3] = "";

	p->moved_ms = clock;
	if (clock - p->told_ms < (p->terminal ? TERMINAL_MS : LINE_MS))
		return;
	p->told_ms = clock;
	put_amount(amount, sizeof(amount), (double)now, p->unit);
	put_amount(speed, sizeof(speed), rate, p->unit);
	if (of > 0) {
		int full = (int)(now < of ? now * BAR / of : BAR);

		for (int i = 0; i < BAR; i++)
			bar[i + 1] = i < full ? '#' : '.';
		bar[0] = '[';
		bar[BAR + 1] = ']';
		if (rate > 0 && now < of)
			snprintf(left, sizeof(left), ", ~%.0f s", (double)(of - now) / rate + 1);
	}
	fprintf(stderr, "%s%s %s %s%s%s%s", p->terminal ? "\r\033[K" : "", p->what, bar, amount, ", ", speed,
		"/s");
	fprintf(stderr, "%s%s", left, p->terminal ? "" : "\n");
	fflush(stderr);
}

void ctl_progress_silent(struct ctl_progress *p)
{
	const int64_t clock = bus_clock_mono_ms();

	if (clock - p->moved_ms < LINE_MS || clock - p->told_ms < LINE_MS)
		return;
	p->told_ms = clock;
	fprintf(stderr, ctl_say("%s%s: no answer for %d s%s", "%s%s: tidak ada jawaban selama %d dtk%s"),
		p->terminal ? "\r\033[K" : "", p->what, (int)((clock - p->moved_ms) / 1000),
		p->terminal ? "" : "\n");
	fflush(stderr);
}

void ctl_progress_end(struct ctl_progress *p, int64_t now)
{
	char amount[40], speed[40];

	if (bus_clock_mono_ms() - p->begun_ms < WORTH_MS) { /* over before anybody wondered */
		fputs(p->terminal ? "\r\033[K" : "", stderr);
		return;
	}
	put_amount(amount, sizeof(amount), (double)now, p->unit);
	put_amount(speed, sizeof(speed), rate_of(p, now), p->unit);
	fprintf(stderr, "%s%s: %s, %s/s\n", p->terminal ? "\r\033[K" : "", p->what, amount, speed);
}
