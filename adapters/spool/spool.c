#include "adapters/spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/file.h"
#include "bus/log.h"

#define NEW_NAME ".new.spool" /* a segment before its first post is on disk */
#define REPORT ".laporan.txt"

struct entry { /* a segment that waits */
	uint64_t number;
	int64_t bytes, made_ms, limit; /* limit as adapter_spool_limit */
};

struct writing { /* the segment that grows */
	int fd;	 /* -1: not on disk yet */
	bool open;
	struct adapter_segment_head head;
	struct adapter_segment_mark mark; /* as on disk */
	uint64_t rows, frames;		  /* pending ones too */
	uint64_t rows_kept;		  /* on disk */
	uint8_t seal[BUS_KEY_LEN];
};

struct adapter_spool {
	struct adapter_spool_conf conf;
	char *dir, *feed, *folder[2]; /* delivered, damaged */
	pthread_mutex_t writes;	      /* w, pending, next; before lock */
	struct writing w;
	struct bus_buf pending;
	uint64_t next, n_pending;
	pthread_mutex_t lock; /* the list, the counts */
	struct entry *entry;  /* by number */
	size_t n, cap;
	uint64_t commits, posts;
};

static enum bus_err trouble(const char *what, const char *path, struct bus_error *err)
{
	return bus_fail(err, errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? BUS_EFULL : BUS_EIO,
			"cannot %s '%s': %m", what, path);
}

static bool troubled(const struct adapter_spool *s, const char *what, size_t *n)
{
	int e = s->conf.trouble ? s->conf.trouble(s->conf.trouble_ctx, what, n) : 0;

	errno = e ? e : errno;
	return e != 0;
}

/* --- folders --- */

static enum bus_err sync_folder(const char *path, struct bus_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum bus_err rc = fd < 0 || fsync(fd) != 0 ? trouble("bring to disk", path, err) : BUS_OK;

	if (fd >= 0)
		close(fd);
	return rc;
}

static enum bus_err make_folder(const char *path, struct bus_error *err)
{
	char *above, *slash;
	enum bus_err rc = BUS_OK;

	if (mkdir(path, 0700) == 0) {
		above = bus_xstrdup(path);
		slash = strrchr(above, '/');
		if (slash && slash != above) {
			*slash = '\0';
			rc = sync_folder(above, err);
		}
		free(above);
		return rc;
	}
	if (errno == EEXIST)
		return BUS_OK;
	slash = strrchr(path, '/');
	if (errno != ENOENT || !slash || slash == path)
		return trouble("make folder", path, err);
	above = bus_xstrndup(path, (size_t)(slash - path));
	rc = make_folder(above, err);
	free(above);
	if (!rc && mkdir(path, 0700) && errno != EEXIST)
		rc = trouble("make folder", path, err);
	return rc;
}

/* "0000000000000012.spool" */
static bool read_name(const char *name, uint64_t *number)
{
	int used = 0;

	return strlen(name) == 22 && strspn(name, "0123456789") == 16 &&
	       sscanf(name, "%16" SCNu64 "%n", number, &used) == 1 && strcmp(name + 16, ".spool") == 0;
}

static char *path_in(const char *folder, uint64_t number)
{
	return bus_xasprintf("%s/%016" PRIu64 ".spool", folder, number);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct entry *)a)->number, y = ((const struct entry *)b)->number;

	return x < y ? -1 : x > y;
}

/* The segments of a folder in order; the caller frees. limit is -1, made_ms their last change. */
static enum bus_err list_folder(const char *path, struct entry **out, size_t *n, struct bus_error *err)
{
	DIR *dir = opendir(path);
	size_t cap = 0;
	struct dirent *e;

	*out = NULL;
	*n = 0;
	if (!dir)
		return trouble("read folder", path, err);
	while ((e = readdir(dir))) {
		uint64_t number;
		struct stat st;

		if (!read_name(e->d_name, &number) ||
		    fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		if (*n == cap) {
			cap = cap ? 2 * cap : 64;
			*out = bus_xrealloc(*out, cap * sizeof(**out));
		}
		(*out)[(*n)++] = (struct entry){ .number = number,
						 .bytes = st.st_size,
						 .made_ms = (int64_t)st.st_mtim.tv_sec * 1000 +
							    st.st_mtim.tv_nsec / 1000000,
						 .limit = -1 };
	}
	closedir(dir);
	if (*n)
		qsort(*out, *n, sizeof(**out), by_number);
	return BUS_OK;
}

static enum bus_err find_next(struct adapter_spool *s, const char *folder, struct bus_error *err)
{
	struct entry *all;
	size_t n;
	enum bus_err rc = list_folder(folder, &all, &n, err);

	if (!rc && n > 0 && all[n - 1].number >= s->next)
		s->next = all[n - 1].number + 1;
	free(all);
	return rc;
}

enum bus_err adapter_spool_open(const struct adapter_spool_conf *conf, struct adapter_spool **out,
				struct bus_error *err)
{
	struct adapter_spool *s = bus_xcalloc(1, sizeof(*s));
	char *left;
	enum bus_err rc;

	s->conf = *conf;
	s->dir = bus_xstrdup(conf->dir);
	s->feed = bus_xstrdup(conf->feed);
	s->folder[0] = bus_xasprintf("%s/delivered", conf->dir);
	s->folder[1] = bus_xasprintf("%s/damaged", conf->dir);
	s->w.fd = -1;
	s->next = 1;
	pthread_mutex_init(&s->writes, NULL);
	pthread_mutex_init(&s->lock, NULL);
	rc = make_folder(s->folder[0], err);
	if (!rc)
		rc = make_folder(s->folder[1], err);
	if (!rc)
		rc = find_next(s, s->folder[0], err);
	if (!rc)
		rc = find_next(s, s->folder[1], err);
	if (!rc)
		rc = find_next(s, s->dir, err);
	if (!rc)
		rc = list_folder(s->dir, &s->entry, &s->n, err);
	s->cap = s->n;
	left = bus_xasprintf("%s/" NEW_NAME, conf->dir);
	if (!rc && unlink(left) && errno != ENOENT)
		rc = trouble("remove", left, err);
	free(left);
	if (rc)
		adapter_spool_close(&s);
	*out = s;
	return rc;
}

static void leave(struct adapter_spool *s)
{
	if (s->w.fd >= 0)
		close(s->w.fd);
	explicit_bzero(s->w.seal, sizeof(s->w.seal));
	s->w = (struct writing){ .fd = -1 };
}

void adapter_spool_close(struct adapter_spool **sp)
{
	struct adapter_spool *s = *sp;

	if (!s)
		return;
	leave(s);
	bus_buf_release(&s->pending);
	pthread_mutex_destroy(&s->writes);
	pthread_mutex_destroy(&s->lock);
	free(s->entry);
	free(s->folder[0]);
	free(s->folder[1]);
	free(s->feed);
	free(s->dir);
	free(s);
	*sp = NULL;
}

/* --- the list --- */

static struct entry *find(struct adapter_spool *s, uint64_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->entry[i].number == number)
			return &s->entry[i];
	return NULL;
}

/* The segment that grows, as it is on disk; closed: it grows no more. */
static void list_writing(struct adapter_spool *s, bool closed)
{
	struct entry *e;

	pthread_mutex_lock(&s->lock);
	e = find(s, s->w.head.number);
	if (!e) {
		if (s->n == s->cap) {
			s->cap = s->cap ? 2 * s->cap : 16;
			s->entry = bus_xrealloc(s->entry, s->cap * sizeof(*s->entry));
		}
		e = &s->entry[s->n++];
		*e = (struct entry){ .number = s->w.head.number, .made_ms = s->w.head.made_ms };
	}
	e->bytes = (int64_t)s->w.mark.bytes;
	e->limit = closed ? -1 : e->bytes;
	pthread_mutex_unlock(&s->lock);
}

/* --- writing --- */

static void begin_segment(struct adapter_spool *s)
{
	struct writing *w = &s->w;

	leave(s);
	w->open = true;
	w->head.number = s->next++;
	w->head.made_ms = bus_clock_ms();
	bus_random(w->head.id, sizeof(w->head.id));
	memcpy(w->head.key_id, s->conf.keys->id[0], sizeof(w->head.key_id));
	adapter_feed_print(s->feed, w->head.feed);
	adapter_segment_key(s->conf.keys->key[0], w->head.id, w->seal);
	w->mark = (struct adapter_segment_mark){ ADAPTER_SEGMENT_HEAD, 0 };
}

static bool had_its_time(const struct adapter_spool *s)
{
	int64_t age = bus_clock_ms() - s->w.head.made_ms;

	return age >= s->conf.segment_ms || age < 0;
}

static void close_writing(struct adapter_spool *s)
{
	if (s->w.fd >= 0)
		list_writing(s, true);
	leave(s);
}

enum bus_err adapter_spool_put(struct adapter_spool *s, struct adapter_post *post, struct bus_error *err)
{
	struct writing *w = &s->w;
	enum bus_err rc;

	pthread_mutex_lock(&s->writes);
	if (s->pending.n == 0 && w->open &&
	    ((int64_t)w->mark.bytes >= s->conf.segment_bytes || had_its_time(s)))
		close_writing(s);
	if (!w->open)
		begin_segment(s);
	post->before = w->rows;
	rc = adapter_frame_put(post, w->frames, w->seal, w->head.id, &s->pending, err);
	if (!rc) {
		w->rows += post->n;
		w->frames++;
		s->n_pending++;
	}
	pthread_mutex_unlock(&s->writes);
	return rc;
}

static enum bus_err write_at(const struct adapter_spool *s, const void *p, size_t n, uint64_t at,
			     struct bus_error *err)
{
	const char *from = p;

	while (n > 0) {
		size_t most = n;
		ssize_t r;

		if (troubled(s, "write", &most))
			return trouble("write to the spool", s->dir, err);
		r = pwrite(s->w.fd, from, most, (off_t)at);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return trouble("write to the spool", s->dir, err);
		from += r;
		at += (uint64_t)r;
		n -= (size_t)r;
	}
	return BUS_OK;
}

static enum bus_err sync_file(const struct adapter_spool *s, struct bus_error *err)
{
	if (troubled(s, "sync", NULL) || fdatasync(s->w.fd) != 0)
		return trouble("bring to disk what is in", s->dir, err);
	return BUS_OK;
}

static enum bus_err write_marks(const struct adapter_spool *s, const struct adapter_segment_mark *m,
				struct bus_error *err)
{
	uint8_t mark[ADAPTER_MARK_LEN];
	enum bus_err rc = BUS_OK;

	adapter_segment_put_mark(m, s->w.head.id, s->conf.keys->key[0], mark);
	for (int i = 0; i < 2 && !rc; i++)
		rc = write_at(s, mark, sizeof(mark), (uint64_t)ADAPTER_MARK_AT[i], err);
	return rc;
}

static enum bus_err grow(struct adapter_spool *s, const struct adapter_segment_mark *m, struct bus_error *err)
{
	enum bus_err rc = write_at(s, s->pending.p, s->pending.n, s->w.mark.bytes, err);

	if (!rc)
		rc = write_marks(s, m, err);
	return rc ? rc : sync_file(s, err);
}

/* Head and first posts under another name, on disk, and only then under its own. */
static enum bus_err create(struct adapter_spool *s, const struct adapter_segment_mark *m,
			   struct bus_error *err)
{
	char *path = bus_xasprintf("%s/" NEW_NAME, s->dir), *to = path_in(s->dir, s->w.head.number);
	uint8_t head[ADAPTER_SEGMENT_HEAD];
	enum bus_err rc = BUS_OK;
	bool renamed = false;

	if (troubled(s, "create", NULL) ||
	    (s->w.fd = bus_file_make(path, 0600)) < 0)
		rc = trouble("create", path, err);
	adapter_segment_put_head(&s->w.head, m, s->conf.keys->key[0], head);
	if (!rc)
		rc = write_at(s, head, sizeof(head), 0, err);
	if (!rc)
		rc = write_at(s, s->pending.p, s->pending.n, sizeof(head), err);
	if (!rc)
		rc = sync_file(s, err);
	if (!rc &&
	    (troubled(s, "rename", NULL) || renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE) != 0))
		rc = trouble("rename", path, err);
	renamed = !rc;
	if (!rc)
		rc = troubled(s, "sync folder", NULL) ? trouble("bring to disk", s->dir, err)
						      : sync_folder(s->dir, err);
	/* Its posts are refused now and sent again: they must not be in the spool as well. */
	if (rc && s->w.fd >= 0)
		(void)unlink(renamed ? to : path);
	free(path);
	free(to);
	return rc;
}

/* What could not be written is not there: the next posts come where it would have been. */
static void take_back(struct adapter_spool *s, bool created)
{
	struct writing *w = &s->w;

	if (created) {
		leave(s);
	} else if (ftruncate(w->fd, (off_t)w->mark.bytes) != 0 || write_marks(s, &w->mark, NULL)) {
		bus_log(BUS_LOG_WARN, "spool.segment_left", LOG_STR("feed", s->feed),
			LOG_INT("number", w->head.number),
			LOG_STR("effect", "the disk takes no change of it: the next posts begin another"));
		close_writing(s);
	} else {
		w->frames = w->mark.frames;
		w->rows = w->rows_kept;
	}
}

enum bus_err adapter_spool_commit(struct adapter_spool *s, struct bus_error *err)
{
	struct adapter_segment_mark mark;
	enum bus_err rc = BUS_OK;
	bool fresh;

	pthread_mutex_lock(&s->writes);
	if (s->pending.n == 0)
		goto out;
	fresh = s->w.fd < 0;
	mark = (struct adapter_segment_mark){ s->w.mark.bytes + s->pending.n, s->w.frames };
	rc = fresh ? create(s, &mark, err) : grow(s, &mark, err);
	if (rc) {
		take_back(s, fresh);
	} else {
		s->w.mark = mark;
		s->w.rows_kept = s->w.rows;
		list_writing(s, false);
		pthread_mutex_lock(&s->lock);
		s->commits++;
		s->posts += s->n_pending;
		pthread_mutex_unlock(&s->lock);
	}
	s->n_pending = 0;
	if (s->pending.cap > (size_t)4 * 1024 * 1024)
		bus_buf_release(&s->pending);
	bus_buf_reset(&s->pending);
out:
	pthread_mutex_unlock(&s->writes);
	return rc;
}

/* --- reading --- */

bool adapter_spool_first(struct adapter_spool *s, uint64_t *number)
{
	bool some;

	pthread_mutex_lock(&s->lock);
	some = s->n > 0;
	if (some)
		*number = s->entry[0].number;
	pthread_mutex_unlock(&s->lock);
	return some;
}

char *adapter_spool_path(const struct adapter_spool *s, uint64_t number)
{
	return path_in(s->dir, number);
}

int64_t adapter_spool_limit(struct adapter_spool *s, uint64_t number)
{
	struct entry *e;
	int64_t limit;

	pthread_mutex_lock(&s->lock);
	e = find(s, number);
	limit = e ? e->limit : -1;
	pthread_mutex_unlock(&s->lock);
	return limit;
}

bool adapter_spool_turn(struct adapter_spool *s, uint64_t number, bool only_old)
{
	bool done = true;

	pthread_mutex_lock(&s->writes);
	if (s->w.open && s->w.head.number == number) {
		done = s->pending.n == 0 && (!only_old || had_its_time(s));
		if (done)
			close_writing(s);
	}
	pthread_mutex_unlock(&s->writes);
	return done;
}

const char *adapter_spool_folder(const struct adapter_spool *s, bool damaged)
{
	return s->folder[damaged];
}

enum bus_err adapter_spool_place(struct adapter_spool *s, uint64_t number, bool damaged, char **moved,
				 struct bus_error *err)
{
	char *from = path_in(s->dir, number), *to = path_in(s->folder[damaged], number);
	enum bus_err rc = BUS_OK;
	struct entry *e;

	*moved = NULL;
	if (troubled(s, "place", NULL) || (rename(from, to) != 0 && errno != ENOENT))
		rc = trouble("move", from, err);
	free(from);
	if (rc) {
		free(to);
		return rc;
	}
	pthread_mutex_lock(&s->lock);
	e = find(s, number);
	if (e) {
		memmove(e, e + 1, (size_t)(s->entry + s->n - (e + 1)) * sizeof(*e));
		s->n--;
	}
	pthread_mutex_unlock(&s->lock);
	*moved = to;
	return BUS_OK;
}

void adapter_spool_state(struct adapter_spool *s, struct adapter_spool_state *out)
{
	pthread_mutex_lock(&s->lock);
	*out = (struct adapter_spool_state){ .segments = s->n, .commits = s->commits, .posts = s->posts };
	for (size_t i = 0; i < s->n; i++)
		out->bytes += s->entry[i].bytes;
	if (s->n > 0)
		out->oldest_ms = s->entry[0].made_ms;
	pthread_mutex_unlock(&s->lock);
}

size_t adapter_spool_clean(struct adapter_spool *s, int64_t keep_ms, int64_t keep_bytes)
{
	int64_t now = bus_clock_ms(), bytes = 0;
	struct entry *all;
	size_t n, gone = 0;

	if (list_folder(s->folder[0], &all, &n, NULL))
		n = 0;
	for (size_t i = 0; i < n; i++)
		bytes += all[i].bytes;
	for (size_t i = 0; i < n && (bytes > keep_bytes || now - all[i].made_ms > keep_ms); i++) {
		char *path = path_in(s->folder[0], all[i].number), *report = bus_xasprintf("%s" REPORT, path);

		if (unlink(path) == 0)
			gone++;
		(void)unlink(report);
		bytes -= all[i].bytes;
		free(report);
		free(path);
	}
	free(all);
	return gone;
}

static void posts_of(struct adapter_spool *s, const char *path, adapter_spool_fn fn, void *ctx)
{
	struct adapter_segment *segment;
	struct adapter_post post;

	if (adapter_segment_open(path, s->feed, s->conf.keys, &segment, NULL))
		return;
	while (adapter_segment_next(segment, -1, &post, NULL) == BUS_OK)
		fn(ctx, &post);
	adapter_segment_close(&segment);
}

void adapter_spool_posts(struct adapter_spool *s, int64_t since_ms, adapter_spool_fn fn, void *ctx)
{
	const char *folder[] = { s->folder[0], s->folder[1], s->dir };

	for (size_t k = 0; k < BUS_LEN(folder); k++) {
		struct entry *all;
		size_t n;

		if (list_folder(folder[k], &all, &n, NULL))
			n = 0;
		for (size_t i = 0; i < n; i++) {
			char *path = path_in(folder[k], all[i].number);

			if (all[i].made_ms >= since_ms)
				posts_of(s, path, fn, ctx);
			free(path);
		}
		free(all);
	}
}

enum bus_err adapter_spool_again(const char *dir, int64_t since_ms, size_t *n, struct bus_error *err)
{
	char *delivered = bus_xasprintf("%s/delivered", dir);
	struct entry *all = NULL;
	size_t found = 0;
	enum bus_err rc = list_folder(delivered, &all, &found, err);

	*n = 0;
	for (size_t i = 0; !rc && i < found; i++) {
		char *from = path_in(delivered, all[i].number), *to = path_in(dir, all[i].number);

		if (all[i].made_ms >= since_ms) {
			if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0)
				rc = trouble("move", from, err);
			else
				++*n;
		}
		free(from);
		free(to);
	}
	if (!rc && *n > 0)
		rc = sync_folder(dir, err);
	free(all);
	free(delivered);
	return rc;
}
