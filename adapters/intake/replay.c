#include "adapters/intake/replay.h"

#include <dirent.h>

#include "adapters/care/args.h"

enum bus_err adapter_replay_time(const char *text, int64_t now_ms, int64_t *ms, struct bus_error *err)
{
	if (adapter_care_time(text, now_ms, ms))
		return BUS_OK;
	return bus_fail(
	    err, BUS_EINVAL,
	    "--since: a time back such as 72h, or 2026-11-20, or 2026-11-20T08:30 (WIB); not '%.40s'", text);
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
