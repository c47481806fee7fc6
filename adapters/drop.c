#include "adapters/drop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "adapters/feed.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/mem.h"

#define LOCK_MS 2000
#define SCAN_MS 2000
#define SUFFIX_MAX 10000
#define NS INT64_C(1000000000)
/* Of a name in done/ or refused/: the rest is for ".1" and for the report's ".laporan.txt" beside it. A name
 * that leaves no room would be tried again for ever, and no file behind it would be read. */
#define PLACED_MAX (NAME_MAX - 20)

struct candidate {
	char *name;
	int64_t size, mtime_ns;
	ino_t ino;	    /* of the name: another one is another file */
	int64_t since;	    /* monotonic ms: unchanged since we look at it */
	int64_t not_before; /* monotonic ms */
	bool whole;	    /* complete */
	bool seen;	    /* in this scan */
	bool told;	    /* that it is left alone, and why */
};

struct adapter_drop {
	char *dir;
	char *folder[2]; /* by place */
	int64_t quiet_ms;
	bool follow;
	int fd; /* the folder, locked */
	int notify;
	int64_t scan_at; /* monotonic ms */
	struct candidate *file;
	size_t n, cap;
	char *path;	/* of the file handed out */
	bool lost_told; /* that the folder cannot be read */
};

static enum bus_err make_folder(const char *path, mode_t mode, struct bus_error *err)
{
	struct stat st;

	if (mkdir(path, mode) && errno != EEXIST)
		return bus_fail(err, BUS_EIO, "cannot make folder '%s': %m", path);
	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return bus_fail(err, BUS_EIO, "'%s' is not a folder", path);
	if (access(path, R_OK | W_OK | X_OK))
		return bus_fail(err, BUS_EDENIED, "no rights to read and write folder '%s'", path);
	return BUS_OK;
}

/* One that files are moved into. A link would lead them, by whoever may write into the folder, to where only we may. */
static int open_place(const struct adapter_drop *d, enum adapter_drop_place place)
{
	return open(d->folder[place], O_RDONLY | O_DIRECTORY | O_CLOEXEC | (d->follow ? 0 : O_NOFOLLOW));
}

static enum bus_err make_place(const struct adapter_drop *d, enum adapter_drop_place place,
			       struct bus_error *err)
{
	enum bus_err rc = make_folder(d->folder[place], 0770, err);
	int fd = rc ? -1 : open_place(d, place);

	if (!rc && fd < 0)
		return bus_fail(err, BUS_EIO,
				"'%s' is a symbolic link: make it a folder, or set drop.follow_symlinks",
				d->folder[place]);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* A predecessor that was killed holds the lock until the last of its threads is gone: wait a little. */
static enum bus_err lock_folder(struct adapter_drop *d, struct bus_error *err)
{
	d->fd = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0)
		return bus_fail(err, BUS_EIO, "cannot open folder '%s': %m", d->dir);
	for (int64_t until = bus_clock_mono_ms() + LOCK_MS; flock(d->fd, LOCK_EX | LOCK_NB);) {
		if (bus_clock_mono_ms() >= until)
			return bus_fail(err, BUS_ECONFLICT, "folder '%s' belongs to another running adapter",
					d->dir);
		nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
	}
	return BUS_OK;
}

enum bus_err adapter_drop_open(const struct adapter_drop_conf *conf, struct adapter_drop **out,
			       struct bus_error *err)
{
	struct adapter_drop *d = bus_xcalloc(1, sizeof(*d));
	enum bus_err rc;

	d->dir = bus_xstrdup(conf->dir);
	d->folder[ADAPTER_DROP_DONE] = bus_xasprintf("%s/done", conf->dir);
	d->folder[ADAPTER_DROP_REFUSED] = bus_xasprintf("%s/refused", conf->dir);
	d->quiet_ms = conf->quiet_ms;
	d->follow = conf->follow_symlinks;
	d->fd = -1;
	d->notify = -1;
	/* Sticky: who may put files here does not replace done/, or what another has put here. */
	rc = make_folder(d->dir, 01770, err);
	if (!rc)
		rc = make_place(d, ADAPTER_DROP_DONE, err);
	if (!rc)
		rc = make_place(d, ADAPTER_DROP_REFUSED, err);
	if (!rc)
		rc = lock_folder(d, err);
	if (!rc) {
		/* Without inotify (too many watches on this machine) the scan alone still finds every file.
		 */
		d->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		if (d->notify < 0 || inotify_add_watch(d->notify, d->dir,
						       IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO |
							   IN_MOVED_FROM | IN_DELETE | IN_ATTRIB) < 0)
			bus_log(BUS_LOG_WARN, "adapter.no_inotify", LOG_STR("dir", d->dir),
				LOG_STR("effect", "new files are found within two seconds"));
	} else {
		adapter_drop_close(&d);
	}
	*out = d;
	return rc;
}

void adapter_drop_close(struct adapter_drop **dp)
{
	struct adapter_drop *d = *dp;

	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++)
		free(d->file[i].name);
	free(d->file);
	if (d->notify >= 0)
		close(d->notify);
	if (d->fd >= 0)
		close(d->fd);
	free(d->path);
	free(d->folder[0]);
	free(d->folder[1]);
	free(d->dir);
	free(d);
	*dp = NULL;
}

static bool ends(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

bool adapter_drop_ignores(const char *name)
{
	return name[0] == '.' || ends(name, ".tmp") || ends(name, ".part") || ends(name, "~") ||
	       strcmp(name, "done") == 0 || strcmp(name, "refused") == 0;
}

static struct candidate *find(struct adapter_drop *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->file[i].name, name) == 0)
			return &d->file[i];
	return NULL;
}

static struct candidate *add(struct adapter_drop *d, const char *name)
{
	struct candidate *c;

	if (d->n == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 16;
		d->file = bus_xrealloc(d->file, d->cap * sizeof(*d->file));
	}
	c = &d->file[d->n++];
	*c = (struct candidate){ .name = bus_xstrdup(name), .since = bus_clock_mono_ms(), .size = -1 };
	return c;
}

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

static void tell_left(struct candidate *c, const char *why)
{
	char text[256], *label = text;

	adapter_file_label(c->name, text, sizeof(text));
	if (!c->told)
		bus_log(BUS_LOG_WARN, "adapter.not_taken", LOG_STR("name", label), LOG_STR("reason", why));
	c->told = true;
	c->whole = false;
}

/* Looks at one name again. */
static void look(struct adapter_drop *d, struct candidate *c)
{
	int64_t now = bus_clock_mono_ms(), last;
	struct timespec wall;
	struct stat st;

	if (fstatat(d->fd, c->name, &st, AT_SYMLINK_NOFOLLOW))
		return; /* gone: the scan drops it */
	if (st.st_ino != c->ino) {
		c->ino = st.st_ino;
		c->size = -1;
		c->whole = c->told = false;
		c->not_before = 0;
	}
	if (S_ISLNK(st.st_mode) && !d->follow) {
		tell_left(c, "a symbolic link; set drop.follow_symlinks to take it");
		return;
	}
	if (S_ISLNK(st.st_mode) && fstatat(d->fd, c->name, &st, 0)) {
		tell_left(c, "a symbolic link to nothing");
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		tell_left(c, S_ISDIR(st.st_mode) ? "a folder" : "not a regular file");
		return;
	}
	if (st.st_size != c->size || ns_of(st.st_mtim) != c->mtime_ns) {
		if (c->size >= 0)
			c->whole = false; /* somebody writes into it after all */
		c->size = st.st_size;
		c->mtime_ns = ns_of(st.st_mtim);
		c->since = now;
	}
	/* ctime cannot be set back: a change that is long ago is long ago. */
	clock_gettime(CLOCK_REALTIME, &wall);
	last = (ns_of(wall) - ns_of(st.st_ctim)) / 1000000;
	if (now - c->since >= d->quiet_ms || last >= d->quiet_ms)
		c->whole = true;
}

static void scan(struct adapter_drop *d)
{
	DIR *dir = opendir(d->dir);
	struct dirent *e;
	size_t kept = 0;

	d->scan_at = bus_clock_mono_ms() + SCAN_MS;
	if (!dir) {
		if (!d->lost_told)
			bus_log(BUS_LOG_ERROR, "adapter.drop_unreadable", LOG_STR("dir", d->dir),
				LOG_STR("remedy", "give the adapter's user rights on the folder"));
		d->lost_told = true;
		return;
	}
	d->lost_told = false;
	for (size_t i = 0; i < d->n; i++)
		d->file[i].seen = false;
	while ((e = readdir(dir))) {
		struct candidate *c;

		if (adapter_drop_ignores(e->d_name))
			continue;
		c = find(d, e->d_name);
		if (!c)
			c = add(d, e->d_name);
		c->seen = true;
		look(d, c);
	}
	closedir(dir);
	for (size_t i = 0; i < d->n; i++) {
		if (d->file[i].seen)
			d->file[kept++] = d->file[i];
		else
			free(d->file[i].name);
	}
	d->n = kept;
}

static void on_event(struct adapter_drop *d, const struct inotify_event *e)
{
	struct candidate *c;

	if (e->mask & IN_Q_OVERFLOW)
		d->scan_at = 0;
	if (e->len == 0 || adapter_drop_ignores(e->name))
		return;
	c = find(d, e->name);
	if (e->mask & (IN_MOVED_FROM | IN_DELETE)) {
		if (c)
			d->scan_at = 0;
		return;
	}
	if (!c)
		c = add(d, e->name);
	if (e->mask & IN_ATTRIB)
		c->not_before = 0; /* rights may have been given */
	look(d, c);
	if ((e->mask & IN_MOVED_TO) && c->size >= 0 && !c->told)
		c->whole = true;
}

static void read_events(struct adapter_drop *d)
{
	char buf[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while (d->notify >= 0 && (n = read(d->notify, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			struct inotify_event e;

			memcpy(&e, p, sizeof(e));
			on_event(d, (const struct inotify_event *)(void *)p);
			p += sizeof(e) + e.len;
		}
	}
}

/* When a file that is being written may be complete. */
static int64_t next_look(const struct adapter_drop *d)
{
	int64_t at = d->scan_at;

	for (size_t i = 0; i < d->n; i++) {
		const struct candidate *c = &d->file[i];
		int64_t t = c->whole ? c->not_before : c->since + d->quiet_ms;

		if (!c->told && t < at)
			at = t;
	}
	return at;
}

void adapter_drop_wait(struct adapter_drop *d, int stop_fd, int wake_fd, int timeout_ms)
{
	struct pollfd fd[3] = { { .fd = d->notify, .events = POLLIN },
				{ .fd = stop_fd, .events = POLLIN },
				{ .fd = wake_fd, .events = POLLIN } };
	int64_t now = bus_clock_mono_ms(), left = next_look(d) - now;

	if (left > timeout_ms)
		left = timeout_ms;
	if (left < 1)
		left = 1; /* what is due may have to be refused again and again: never a busy loop */
	poll(fd, BUS_LEN(fd), (int)left);
	read_events(d);
	now = bus_clock_mono_ms();
	if (now >= d->scan_at) {
		scan(d);
		return;
	}
	for (size_t i = 0; i < d->n; i++)
		if (!d->file[i].whole && now - d->file[i].since >= d->quiet_ms)
			look(d, &d->file[i]);
}

static bool before(const struct candidate *a, const struct candidate *b)
{
	if (a->mtime_ns != b->mtime_ns)
		return a->mtime_ns < b->mtime_ns;
	return strcmp(a->name, b->name) < 0;
}

static struct candidate *first(struct adapter_drop *d)
{
	int64_t now = bus_clock_mono_ms();
	struct candidate *best = NULL;

	for (size_t i = 0; i < d->n; i++) {
		struct candidate *c = &d->file[i];

		if (c->whole && c->not_before <= now && (!best || before(c, best)))
			best = c;
	}
	return best;
}

bool adapter_drop_next(struct adapter_drop *d, struct adapter_drop_file *out)
{
	struct candidate *best;
	struct stat st;

	if (d->scan_at == 0)
		scan(d);
	/* While another file was read it may have become a link, or be written into again. */
	while ((best = first(d))) {
		look(d, best);
		if (best->whole)
			break;
	}
	if (!best || fstatat(d->fd, best->name, &st, AT_SYMLINK_NOFOLLOW) ||
	    (S_ISLNK(st.st_mode) && !d->follow))
		return false;
	*out = (struct adapter_drop_file){ .size = best->size,
					   .mtime_ns = best->mtime_ns,
					   .dev = st.st_dev,
					   .ino = st.st_ino,
					   .link = S_ISLNK(st.st_mode) };
	snprintf(out->name, sizeof(out->name), "%s", best->name);
	free(d->path);
	d->path = bus_xasprintf("%s/%s", d->dir, best->name);
	out->path = d->path;
	return true;
}

void adapter_drop_later(struct adapter_drop *d, const char *name, int64_t ms)
{
	struct candidate *c = find(d, name);

	if (c)
		c->not_before = bus_clock_mono_ms() + ms;
}

const char *adapter_drop_folder(const struct adapter_drop *d, enum adapter_drop_place place)
{
	return d->folder[place];
}

/* RENAME_NOREPLACE where the file system knows it; elsewhere (some network ones) look first. */
static int rename_new(int fd, const char *from, int to_fd, const char *to)
{
	struct stat st;

	if (renameat2(fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (fstatat(to_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(fd, from, to_fd, to);
}

static void forget(struct adapter_drop *d, const char *name)
{
	struct candidate *c = find(d, name);

	if (!c)
		return;
	free(c->name);
	*c = d->file[--d->n];
}

/* How much of a name stands before its ending of so many bytes; what is too long is cut, between characters.
 */
static int stem_length(const char *name, size_t ending)
{
	size_t n = strlen(name) - ending;

	if (n + ending <= PLACED_MAX)
		return (int)n;
	n = PLACED_MAX - ending;
	while (n > 1 && (name[n] & 0xc0) == 0x80)
		n--;
	return (int)n;
}

/* Under the first name that is free there; errno says why not. */
static bool move_into(struct adapter_drop *d, const char *name, enum adapter_drop_place place, char *moved,
		      size_t n)
{
	const char *dot = strrchr(name, '.'), *ending = dot && dot != name ? dot : "";
	int fd = open_place(d, place), stem, why = EEXIST;
	size_t folder = strlen(d->folder[place]) + 1;
	char suffix[12] = "";

	if (fd < 0) {
		snprintf(moved, n, "%s", d->folder[place]);
		return false;
	}
	if (strlen(ending) > PLACED_MAX / 2)
		ending = "";
	stem = stem_length(name, strlen(ending));
	for (int i = 0; i < SUFFIX_MAX && why == EEXIST; i++) {
		if (i > 0)
			snprintf(suffix, sizeof(suffix), ".%d", i);
		snprintf(moved, n, "%s/%.*s%s%s", d->folder[place], stem, name, suffix, ending);
		why = rename_new(d->fd, name, fd, moved + folder) == 0 ? 0 : errno;
	}
	close(fd);
	errno = why;
	return why == 0;
}

enum bus_err adapter_drop_move(struct adapter_drop *d, const struct adapter_drop_file *f,
			       enum adapter_drop_place place, char *moved, size_t n, struct bus_error *err)
{
	struct stat st;

	if (fstatat(d->fd, f->name, &st, AT_SYMLINK_NOFOLLOW) || st.st_dev != f->dev || st.st_ino != f->ino)
		return bus_fail(err, BUS_ECONFLICT, "'%s' is another file now", f->name);
	if (move_into(d, f->name, place, moved, n)) {
		forget(d, f->name);
		return BUS_OK;
	}
	if (errno == EEXIST)
		return bus_fail(err, BUS_EFULL, "'%s' holds too many files of this name", d->folder[place]);
	return bus_fail(err, errno == ENOSPC || errno == EDQUOT ? BUS_EFULL : BUS_EIO,
			"cannot move '%s' to '%s': %m", f->name, moved);
}
