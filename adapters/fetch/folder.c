/* The files of a folder on another machine, one a run. Options: docs/remote-folders.md.
 *
 * The mark says of each file of the folder, by its name, size and time, what became of it; of files that are gone it says
 * nothing any more. */
#include <fnmatch.h>
#include <stdio.h>
#include <time.h>

#include "adapters/fetch/after.h"
#include "adapters/fetch/far.h"
#include "adapters/fetch/kind.h"
#include "adapters/source.h"
#include "bus/clock.h"
#include "bus/conf.h"
#include "bus/crypto.h"
#include "bus/log.h"

#define PATTERNS_MAX 16
#define SETTLE_MS 5000
#define TRIES 4 /* of a transfer that brings no byte more */
#define WAIT_MS 1000
#define FP_LEN 16
#define LINE_LEN (FP_LEN + 2)

enum {
	WAITING = 'w',
	TAKEN = 't',
	ACCEPTED = 'a'
}; /* what became of a file: brought last; brought, or refused here; read */

struct known {
	char fp[FP_LEN + 1];
	char state;
};

struct folder {
	struct adapter_far_conf conf;
	const struct adapter_far_kind *kind;
	const char *pattern[PATTERNS_MAX], *done;
	size_t n_patterns;
	int64_t settle_ms, max_bytes;
	enum adapter_after after;
	const char *move_to;
	const atomic_bool *stop;
	/* of the run, and of the next ones until the queue is empty */
	void *far;
	struct adapter_far_list queue; /* files to bring, oldest first */
	size_t next;
	int64_t listed_ms; /* monotonic */
	struct known *known;
	size_t n_known;
	size_t skipped; /* of the last list: told when it changes */
	char *last;	/* the file brought last; NULL: not in this process */
	/* of a transfer */
	struct adapter_haul *out;
};

static void folder_close(void *fetch)
{
	struct folder *f = fetch;

	if (f->far)
		f->kind->close(f->far);
	adapter_far_release(&f->queue);
	free(f->known);
	free(f->last);
	free(f);
}

/* --- options ----------------------------------------------------------------------------------------- */

static enum bus_err read_patterns(struct folder *f, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				  struct bus_error *err)
{
	struct bus_yaml_node *node = bus_yaml_get(conf, "files"), *n;

	if (!node || (node->kind != BUS_YAML_SCALAR && !node->first))
		return bus_yaml_fail(yaml, node ? node : conf, err,
				     "files: which of the folder? Such as files: \"*.csv\"");
	n = node->kind == BUS_YAML_LIST ? node->first : node;
	for (; n; n = node->kind == BUS_YAML_LIST ? n->next : NULL) {
		if (n->kind != BUS_YAML_SCALAR || !n->text[0] || strchr(n->text, '/') ||
		    f->n_patterns == PATTERNS_MAX)
			return bus_yaml_fail(yaml, n, err,
					     "files: up to %d patterns of names, such as \"*.csv\"",
					     PATTERNS_MAX);
		f->pattern[f->n_patterns++] = n->text;
	}
	return BUS_OK;
}

static enum bus_err read_after(struct folder *f, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			       struct bus_error *err)
{
	enum bus_err rc = adapter_after_read(yaml, conf, "move", &f->after, &f->move_to, err);

	if (!rc && f->after == ADAPTER_AFTER_NAMED && (strpbrk(f->move_to, "/\\") || f->move_to[0] == '.'))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "after"), err,
				   "move: the name of a folder within this one");
	return rc;
}

static enum bus_err read_words(struct folder *f, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			       struct bus_error *err)
{
	struct bus_folder_conf *c = &f->conf.folder;
	const struct {
		const char *name;
		const char **at;
	} words[] = { { "url", &c->url },
		      { "user", &c->user },
		      { "password_file", &c->password_file },
		      { "key", &c->key },
		      { "host_key", &c->host_key },
		      { "known_hosts", &c->known_hosts },
		      { "ca", &c->ca },
		      { "token_file", &f->conf.token_file },
		      { "certificate", &f->conf.certificate },
		      { "done", &f->done } };
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; !rc && i < BUS_LEN(words); i++)
		rc = adapter_source_word(yaml, conf, words[i].name, i == 0, words[i].at, err);
	if (!rc)
		rc = bus_yaml_bool(yaml, conf, "insecure", false, &c->insecure, err);
	if (!rc && f->done && strchr(f->done, '/'))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "done"), err,
				   "done: the ending of the file that says it is complete, such as .ok");
	return rc;
}

static enum bus_err read_numbers(struct folder *f, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				 struct bus_error *err)
{
	const char *settle = NULL;
	struct bus_error why;
	int64_t max_mb = 2048;
	enum bus_err rc = adapter_source_word(yaml, conf, "settle", false, &settle, err);

	f->settle_ms = SETTLE_MS;
	if (!rc && settle &&
	    (bus_conf_ms(settle, &f->settle_ms, &why) || f->settle_ms < 0 || f->settle_ms > 3600000))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "settle"), err,
				   "settle: up to 60m between two looks, such as 10s");
	if (!rc)
		rc = bus_yaml_int(yaml, conf, "max_mb", false, 1, 1024 * 1024, &max_mb, err);
	f->max_bytes = max_mb * 1024 * 1024;
	return rc;
}

/* What an address of this kind needs is said now, and not in the night. */
static enum bus_err check_url(struct folder *f, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			      struct bus_error *err)
{
	const struct bus_folder_conf *c = &f->conf.folder;
	struct bus_yaml_node *at = bus_yaml_get(conf, "url");
	bool sftp = strncmp(c->url, "sftp://", 7) == 0;
	bool dav = strncmp(c->url, "https://", 8) == 0 || strncmp(c->url, "http://", 7) == 0;

	f->kind = dav ? &adapter_far_dav : &adapter_far_ftp;
	if (!dav && !sftp && strncmp(c->url, "ftps://", 7) != 0 && strncmp(c->url, "ftp://", 6) != 0)
		return bus_yaml_fail(
		    yaml, at, err,
		    "url: sftp://, ftps://, ftp:// (with TLS) or https:// (WebDAV); a Windows share "
		    "is mounted (mount -t cifs) and named as drop.dir");
	if (memchr(strstr(c->url, "://") + 3, '@', strcspn(strstr(c->url, "://") + 3, "/")))
		return bus_yaml_fail(yaml, at, err,
				     "url: without user and password: they belong in user and password_file");
	if (!dav && !c->user)
		return bus_yaml_fail(yaml, conf, err, "user: who logs in there?");
	if (!sftp && (c->host_key || c->known_hosts))
		return bus_yaml_fail(yaml, conf, err, "host_key and known_hosts belong to sftp://");
	if (sftp && c->host_key && strncmp(c->host_key, "SHA256:", 7) != 0)
		return bus_yaml_fail(yaml, bus_yaml_get(conf, "host_key"), err,
				     "host_key: \"SHA256:...\", as ssh-keygen -l writes it");
	if (!dav && (f->conf.token_file || f->conf.certificate))
		return bus_yaml_fail(yaml, conf, err, "token_file and certificate belong to https://");
	if (!dav && !c->password_file && !(sftp && c->key))
		return bus_yaml_fail(yaml, conf, err, "%s is missing",
				     sftp ? "key or password_file" : "password_file");
	return BUS_OK;
}

static bool go_on(void *ctx)
{
	const struct folder *f = ctx;

	return !atomic_load(f->stop);
}

static enum bus_err folder_open(struct bus_yaml *yaml, struct bus_yaml_node *conf, bool complete,
				const atomic_bool *stop, void **fetch, struct bus_error *err)
{
	struct folder *f = bus_xcalloc(1, sizeof(*f));
	enum bus_err rc;

	(void)complete; /* a file that is a whole register is one whoever brought it */
	*fetch = NULL;
	f->stop = stop;
	f->conf.folder.go_on = go_on;
	f->conf.folder.ctx = f;
	if ((rc = read_words(f, yaml, conf, err)) == BUS_OK &&
	    (rc = read_numbers(f, yaml, conf, err)) == BUS_OK &&
	    (rc = read_patterns(f, yaml, conf, err)) == BUS_OK &&
	    (rc = read_after(f, yaml, conf, err)) == BUS_OK && (rc = check_url(f, yaml, conf, err)) == BUS_OK)
		rc = bus_yaml_no_more(yaml, conf, err);
	if (rc) {
		folder_close(f);
		return rc;
	}
	*fetch = f;
	return BUS_OK;
}

/* --- what is known ----------------------------------------------------------------------------------- */

static void fingerprint(const struct adapter_far_file *file, char *hex)
{
	uint8_t digest[BUS_SHA256_LEN];
	char *text = bus_xasprintf("%s/%lld/%lld", file->name, (long long)file->size, (long long)file->mtime);

	bus_sha256(text, strlen(text), digest);
	bus_hex(digest, FP_LEN / 2, hex);
	free(text);
}

static struct known *find_known(const struct folder *f, const char *fp)
{
	for (size_t i = 0; i < f->n_known; i++)
		if (memcmp(f->known[i].fp, fp, FP_LEN) == 0)
			return &f->known[i];
	return NULL;
}

static void add_known(struct folder *f, const char *fp, char state)
{
	f->known = bus_xrealloc(f->known, (f->n_known + 1) * sizeof(*f->known));
	f->known[f->n_known].state = state;
	memcpy(f->known[f->n_known].fp, fp, FP_LEN);
	f->known[f->n_known++].fp[FP_LEN] = '\0';
}

/* accepted: what became of the file that was brought last. A mark that is none of ours: everything is brought again. */
static void read_mark(struct folder *f, struct bus_str mark, bool accepted)
{
	f->n_known = 0;
	for (size_t at = 0; at + LINE_LEN <= mark.n; at += LINE_LEN) {
		char state = mark.p[at];

		if (!strchr("wta", state) || mark.p[at + LINE_LEN - 1] != '\n')
			break;
		if (state == WAITING)
			state = accepted ? ACCEPTED : TAKEN;
		add_known(f, mark.p + at + 1, state);
	}
}

static void write_mark(const struct folder *f, struct adapter_haul *out)
{
	struct bus_buf b = { 0 };

	for (size_t i = 0; i < f->n_known; i++)
		bus_buf_printf(&b, "%c%s\n", f->known[i].state, f->known[i].fp);
	if (f->n_known == 0)
		bus_buf_putc(&b, '\n'); /* an empty mark would leave the one before */
	adapter_haul_mark(out, bus_buf_str(&b));
	bus_buf_release(&b);
}

/* --- after a file was read --------------------------------------------------------------------------- */

static enum bus_err move_away(struct folder *f, const struct adapter_far_file *file, struct bus_error *err)
{
	char *other;
	enum bus_err rc;

	if (f->after == ADAPTER_AFTER_DELETE)
		return f->kind->remove(f->far, file->name, err);
	rc = f->kind->move(f->far, file->name, f->move_to, file->name, err);
	if (rc != BUS_EEXIST)
		return rc;
	other = bus_xasprintf("%lld-%s", (long long)bus_clock_ms(), file->name);
	rc = f->kind->move(f->far, file->name, f->move_to, other, err);
	free(other);
	return rc;
}

/* A file that was read, if it is still the same one. What cannot be done is told and tried again with the next list: it is
 * no reason to bring no more files. */
static void tidy(struct folder *f, struct adapter_far_file *file)
{
	char fp[FP_LEN + 1], *marker;
	struct bus_error why = { 0 };
	enum bus_err rc;

	if (f->after == ADAPTER_AFTER_KEEP || f->kind->look(f->far, file, &why))
		return;
	fingerprint(file, fp);
	if (!find_known(f, fp) || find_known(f, fp)->state != ACCEPTED)
		return;
	rc = move_away(f, file, &why);
	if (rc && rc != BUS_ESTOPPED)
		bus_log(BUS_LOG_WARN, "adapter.fetch_left", LOG_STR("folder", f->conf.folder.url),
			LOG_ERR(&why),
			LOG_STR("effect", "the file was read and stays there; it is not read again"));
	if (rc || !f->done)
		return;
	marker = bus_xasprintf("%s%s", file->name, f->done);
	if (f->kind->remove(f->far, marker, &why))
		bus_log(BUS_LOG_WARN, "adapter.fetch_left", LOG_STR("folder", f->conf.folder.url),
			LOG_ERR(&why), LOG_STR("effect", "the marker of a file that was read stays there"));
	free(marker);
}

/* --- the list ---------------------------------------------------------------------------------------- */

static bool wanted(const struct folder *f, const struct adapter_far_list *l,
		   const struct adapter_far_file *file)
{
	static const char *const unfinished[] = { ".tmp", ".part", ".filepart", "~" };
	size_t n = strlen(file->name);
	bool any = false;

	for (size_t i = 0; i < BUS_LEN(unfinished); i++)
		if (n >= strlen(unfinished[i]) &&
		    strcmp(file->name + n - strlen(unfinished[i]), unfinished[i]) == 0)
			return false;
	for (size_t i = 0; i < f->n_patterns && !any; i++)
		any = fnmatch(f->pattern[i], file->name, FNM_PERIOD) == 0;
	if (any && f->done) {
		char *marker = bus_xasprintf("%s%s", file->name, f->done);

		any = adapter_far_find(l, marker) != NULL;
		free(marker);
	}
	return any;
}

static int by_age(const void *a, const void *b)
{
	const struct adapter_far_file *x = a, *y = b;

	return x->mtime != y->mtime ? (x->mtime < y->mtime ? -1 : 1) : strcmp(x->name, y->name);
}

static void tell_skipped(struct folder *f, size_t names, size_t large)
{
	if (names + large > 0 && names + large != f->skipped)
		bus_log(BUS_LOG_WARN, "adapter.fetch_skipped", LOG_STR("folder", f->conf.folder.url),
			LOG_INT("bad_names", (int64_t)names), LOG_INT("too_large", (int64_t)large),
			LOG_STR("effect", "they stay there: give them plain names, or a larger max_mb"));
	f->skipped = names + large;
}

/* Of what is there: what is new into the queue; what was read is tidied up; what is gone is forgotten. */
static enum bus_err sort_out(struct folder *f, struct adapter_far_list *all, struct bus_error *err)
{
	struct known *kept = bus_xcalloc(all->n + 1, sizeof(*kept));
	size_t n_kept = 0, large = 0;
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < all->n && !rc; i++) {
		struct adapter_far_file *file = &all->file[i];
		struct bus_error why = { 0 };
		struct known *k;
		char fp[FP_LEN + 1];

		if (!wanted(f, all, file))
			continue;
		if (file->size < 0) {
			rc = f->kind->look(f->far, file, &why);
			if (rc == BUS_ENOENT || rc == BUS_EDENIED) { /* a folder, or gone, or not for us */
				rc = BUS_OK;
				continue;
			}
			if (rc) {
				if (err)
					*err = why;
				break;
			}
		}
		fingerprint(file, fp);
		k = find_known(f, fp);
		if (k) {
			kept[n_kept++] = *k;
			if (k->state == ACCEPTED)
				tidy(f, file);
		} else if (file->size > f->max_bytes) {
			large++;
		} else {
			rc = adapter_far_add(&f->queue, bus_str(file->name), file->size, file->mtime, err);
		}
	}
	if (rc) {
		free(kept);
		return rc;
	}
	free(f->known);
	f->known = kept;
	f->n_known = n_kept;
	if (f->queue.n > 0)
		qsort(f->queue.file, f->queue.n, sizeof(*f->queue.file), by_age);
	tell_skipped(f, all->refused, large);
	return BUS_OK;
}

static enum bus_err look_around(struct folder *f, struct bus_error *err)
{
	struct adapter_far_list all = { 0 };
	enum bus_err rc;

	adapter_far_release(&f->queue);
	f->next = 0;
	rc = f->kind->list(f->far, &all, err);
	if (!rc)
		rc = sort_out(f, &all, err);
	if (rc)
		adapter_far_release(&f->queue);
	f->listed_ms = bus_clock_mono_ms();
	adapter_far_release(&all);
	return rc;
}

/* --- a file ------------------------------------------------------------------------------------------ */

static enum bus_err rest(const struct folder *f, int64_t until_ms, struct bus_error *err)
{
	while (bus_clock_mono_ms() < until_ms) {
		if (atomic_load(f->stop))
			return bus_fail(err, BUS_ESTOPPED, "stopped");
		nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
	}
	return BUS_OK;
}

static enum bus_err take(void *ctx, const void *p, size_t n, struct bus_error *err)
{
	struct folder *f = ctx;

	if (adapter_haul_bytes(f->out) + n > (uint64_t)f->max_bytes)
		return bus_fail(err, BUS_EDATA, "a file is longer than its list says, and than max_mb");
	return adapter_haul_put(f->out, (struct bus_str){ p, n }, err);
}

static enum bus_err unchanged(struct folder *f, const struct adapter_far_file *file, bool *same,
			      struct bus_error *err)
{
	struct adapter_far_file now = *file;
	enum bus_err rc = f->kind->look(f->far, &now, err);

	*same = !rc && now.size == file->size && now.mtime == file->mtime;
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

/* All of it, going on after a cut where it was cut, as long as it is the same file. */
static enum bus_err bring(struct folder *f, const struct adapter_far_file *file, struct bus_error *err)
{
	bool same = true;

	for (int left = TRIES;;) {
		uint64_t had = adapter_haul_bytes(f->out);
		enum bus_err rc = BUS_OK;

		if (had < (uint64_t)file->size)
			rc = f->kind->get(f->far, file->name, (int64_t)had, take, f, err);
		if (!rc && adapter_haul_bytes(f->out) < (uint64_t)file->size)
			rc = bus_fail(err, BUS_EIO, "a file's transfer ended early");
		if (!rc)
			rc = unchanged(f, file, &same, err);
		if (!rc && (!same || adapter_haul_bytes(f->out) != (uint64_t)file->size))
			return bus_fail(err, BUS_ECONFLICT,
					"a file was changed while it was fetched: it is fetched anew");
		if (rc != BUS_EIO && rc != BUS_ETIMEOUT)
			return rc;
		if (adapter_haul_bytes(f->out) > had)
			left = TRIES;
		else if (--left == 0)
			return rc;
		if (rest(f, bus_clock_mono_ms() + WAIT_MS, err))
			return BUS_ESTOPPED;
	}
}

/* The next of the queue that has stood still. */
static enum bus_err bring_next(struct folder *f, struct adapter_haul *out, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (f->next < f->queue.n && !f->done)
		rc = rest(f, f->listed_ms + f->settle_ms, err);
	while (!rc && f->next < f->queue.n) {
		const struct adapter_far_file *file = &f->queue.file[f->next++];
		char fp[FP_LEN + 1];
		bool same;

		rc = unchanged(f, file, &same, err);
		if (rc || !same)
			continue;
		f->out = out;
		rc = bring(f, file, err);
		if (rc)
			break;
		fingerprint(file, fp);
		add_known(f, fp, WAITING);
		free(f->last);
		f->last = bus_xstrdup(file->name);
		adapter_haul_file(out, file->name);
		return BUS_OK;
	}
	return rc;
}

static enum bus_err folder_run(void *fetch, struct bus_str mark, struct adapter_haul *out,
			       struct bus_error *err)
{
	struct folder *f = fetch;
	enum bus_err rc = BUS_OK;

	read_mark(f, mark, adapter_haul_accepted(out));
	if (!f->far)
		rc = f->kind->open(&f->conf, &f->far, err);
	if (!rc && f->last && adapter_haul_accepted(out) && f->next < f->queue.n)
		tidy(f, &(struct adapter_far_file){ .name = f->last }); /* a fresh list tidies up by itself */
	if (!rc && f->next == f->queue.n)
		rc = look_around(f, err);
	if (!rc)
		rc = bring_next(f, out, err);
	if (!rc)
		write_mark(f, out);
	if (rc || !adapter_haul_file_name(out)) { /* until the next look nobody is kept waiting */
		adapter_far_release(&f->queue);
		f->next = 0;
		if (f->far)
			f->kind->close(f->far);
		f->far = NULL;
	}
	return rc;
}

const struct adapter_fetch_kind adapter_fetch_folder = {
	.name = "folder",
	.ending = "",
	.open = folder_open,
	.run = folder_run,
	.close = folder_close,
};
