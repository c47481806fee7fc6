#include "adapters/intake/replay.h"

#include <dirent.h>

#include "bus/clock.h"
#include "bus/conf.h"

#define WIB_MS (INT64_C(7) * 3600 * 1000)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

enum bus_err adapter_replay_time(const char *text, int64_t now_ms, int64_t *ms, struct bus_error *err)
{
	int year, month, day, hour = 0, minute = 0, used = 0;
	int32_t days;

	if (bus_conf_ms(text, ms, NULL) == BUS_OK) {
		*ms = now_ms - *ms;
		return BUS_OK;
	}
	if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3 && text[used] == 'T' &&
	    sscanf(text + used, "T%2d:%2d%n", &hour, &minute, &used) == 2)
		used += 10;
	if (used > 0 && text[used] == '\0' && hour < 24 && minute < 60 &&
	    bus_clock_days(year, month, day, &days)) {
		*ms = days * DAY_MS + (hour * 60 + minute) * INT64_C(60000) - WIB_MS;
		return BUS_OK;
	}
	return bus_fail(
	    err, BUS_EINVAL,
	    "--since: a time back such as 72h, or 2026-11-20, or 2026-11-20T08:30 (WIB); not '%s'", text);
}

static enum bus_err feed_again(const char *dir, const char *feed, int64_t since_ms, FILE *out,
			       struct bus_error *err)
{
	char *path = bus_xasprintf("%s/%s", dir, feed);
	size_t n = 0;
	enum bus_err rc = adapter_spool_again(path, since_ms, &n, err);

	if (!rc)
		fprintf(out, "%s: %zu segmen menunggu lagi / segments wait again\n", feed, n);
	free(path);
	return rc;
}

enum bus_err adapter_replay(const struct adapter_intake_conf *conf, const struct adapter_drop_conf *drop,
			    const char *feed, int64_t since_ms, FILE *out, struct bus_error *err)
{
	struct adapter_drop *lock = NULL;
	DIR *dir = NULL;
	struct dirent *e;
	enum bus_err rc;

	if (!conf)
		return bus_fail(err, BUS_EINVAL, "no intake is configured: nothing was posted");
	rc = adapter_drop_open(drop, &lock, err);
	if (rc == BUS_ECONFLICT)
		return bus_fail(
		    err, rc,
		    "the adapter is running: stop it first; at its start it learns what the centre has");
	if (rc)
		return rc;
	if (feed) {
		rc = feed_again(conf->spool_dir, feed, since_ms, out, err);
	} else if (!(dir = opendir(conf->spool_dir))) {
		rc = bus_fail(err, BUS_EIO, "cannot read folder '%s': %m", conf->spool_dir);
	} else {
		while (!rc && (e = readdir(dir)))
			if (e->d_name[0] != '.')
				rc = feed_again(conf->spool_dir, e->d_name, since_ms, out, err);
		closedir(dir);
	}
	adapter_drop_close(&lock);
	return rc;
}
