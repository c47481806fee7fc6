#include "schemas/registry/login.h"

#include <errno.h>
#include <pthread.h>

#include "bus/base64.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/secret.h"

#define HEADER_MAX 2048
#define MEMORY_SLOTS 4096 /* power of two */
#define FAILURE_SLOTS 4096
#define FAILURE_MS 60000
#define FAILURES_ADDRESS 10
#define FAILURES_NAME 30
#define WAITING_MAX 64

/* --- the header ------------------------------------------------------------------------------------- */

static const char *after_scheme(const char *header, const char *scheme)
{
	size_t n = strlen(scheme);

	if (strncasecmp(header, scheme, n) != 0 || header[n] != ' ')
		return NULL;
	return header + n + strspn(header + n, " ");
}

void schema_credentials_read(const char *header, struct bus_buf *buf, struct schema_credentials *out)
{
	const char *text, *colon;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (!header)
		return;
	out->kind = SCHEMA_LOGIN_MALFORMED;
	if (strlen(header) > HEADER_MAX)
		return;
	text = after_scheme(header, "Bearer");
	if (text && *text) {
		out->kind = SCHEMA_LOGIN_BEARER;
		out->secret = bus_str(text);
		return;
	}
	text = after_scheme(header, "Basic");
	if (!text || !bus_base64_parse(bus_str(text), buf) || buf->n == 0 || memchr(buf->p, '\0', buf->n))
		return;
	colon = memchr(buf->p, ':', buf->n);
	n = colon ? (size_t)(colon - buf->p) : 0;
	if (n == 0 || n >= sizeof(out->name) || buf->n - n - 1 > SCHEMA_PASSWORD_MAX)
		return;
	memcpy(out->name, buf->p, n);
	if (!schema_user_name_ok(out->name))
		return;
	out->kind = SCHEMA_LOGIN_BASIC;
	out->secret = (struct bus_str){ colon + 1, buf->n - n - 1 };
}

/* --- what is remembered ------------------------------------------------------------------------------ */

struct schema_memory {
	uint8_t key[BUS_KEY_LEN];
	pthread_mutex_t lock;
	uint8_t mark[MEMORY_SLOTS][BUS_SHA256_LEN]; /* lock; zeros: free */
};

struct schema_memory *schema_memory_new(void)
{
	struct schema_memory *m = bus_xcalloc(1, sizeof(*m));

	bus_random(m->key, sizeof(m->key));
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void schema_memory_free(struct schema_memory **m)
{
	if (!*m)
		return;
	explicit_bzero((*m)->key, sizeof((*m)->key));
	pthread_mutex_destroy(&(*m)->lock);
	free(*m);
	*m = NULL;
}

static uint8_t *mark_of(struct schema_memory *m, const uint8_t *hash, struct bus_str password,
			uint8_t mark[BUS_SHA256_LEN])
{
	char text[BUS_KEY_LEN + BUS_SHA256_LEN + SCHEMA_PASSWORD_MAX];
	size_t n = 0;

	/* Nobody sees a mark, so the key may simply stand in front. With an HMAC, whose algorithm OpenSSL 3.0
	 * looks up under a lock, half as many requests a second were answered. */
	memcpy(text, m->key, BUS_KEY_LEN);
	n += BUS_KEY_LEN;
	memcpy(text + n, hash, BUS_SHA256_LEN);
	n += BUS_SHA256_LEN;
	memcpy(text + n, password.p, password.n);
	bus_sha256(text, n + password.n, mark);
	explicit_bzero(text, sizeof(text));
	return m->mark[(mark[0] | (size_t)mark[1] << 8) & (MEMORY_SLOTS - 1)];
}

bool schema_memory_knows(struct schema_memory *m, const uint8_t *hash, struct bus_str password)
{
	uint8_t mark[BUS_SHA256_LEN];
	const uint8_t *slot = mark_of(m, hash, password, mark);
	bool same;

	pthread_mutex_lock(&m->lock);
	same = bus_equal_secret(slot, mark, sizeof(mark));
	pthread_mutex_unlock(&m->lock);
	return same;
}

void schema_memory_keep(struct schema_memory *m, const uint8_t *hash, struct bus_str password)
{
	uint8_t mark[BUS_SHA256_LEN];
	uint8_t *slot = mark_of(m, hash, password, mark);

	pthread_mutex_lock(&m->lock);
	memcpy(slot, mark, sizeof(mark));
	pthread_mutex_unlock(&m->lock);
}

/* --- what is counted --------------------------------------------------------------------------------- */

struct schema_failures {
	uint8_t key[BUS_KEY_LEN]; /* so that nobody can choose whose place they share */
	pthread_mutex_t lock;
	struct {
		int64_t since_ms; /* lock; monotonic */
		int n;
	} slot[FAILURE_SLOTS];
};

struct schema_failures *schema_failures_new(void)
{
	struct schema_failures *f = bus_xcalloc(1, sizeof(*f));

	bus_random(f->key, sizeof(f->key));
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void schema_failures_free(struct schema_failures **f)
{
	if (!*f)
		return;
	pthread_mutex_destroy(&(*f)->lock);
	free(*f);
	*f = NULL;
}

/* Strangers may share a place, and are then counted together: better than not at all. */
static size_t place(struct schema_failures *f, char kind, const char *text)
{
	uint8_t h[BUS_SHA256_LEN];
	char line[128];
	size_t n = strnlen(text, sizeof(line) - 1);

	line[0] = kind;
	memcpy(line + 1, text, n);
	bus_hmac_sha256(f->key, line, n + 1, h);
	return (h[0] | (size_t)h[1] << 8) & (FAILURE_SLOTS - 1);
}

static void count(struct schema_failures *f, size_t at)
{
	int64_t now = bus_clock_mono_ms();

	if (f->slot[at].n == 0 || now - f->slot[at].since_ms >= FAILURE_MS) {
		f->slot[at].since_ms = now;
		f->slot[at].n = 0;
	}
	if (f->slot[at].n < FAILURES_NAME)
		f->slot[at].n++;
}

static bool many(const struct schema_failures *f, size_t at, int most)
{
	return f->slot[at].n >= most && bus_clock_mono_ms() - f->slot[at].since_ms < FAILURE_MS;
}

void schema_failures_add(struct schema_failures *f, const char *address, const char *name)
{
	size_t a = place(f, 'a', address), n = place(f, 'n', name);

	pthread_mutex_lock(&f->lock);
	count(f, a);
	if (*name)
		count(f, n);
	pthread_mutex_unlock(&f->lock);
}

bool schema_failures_many(struct schema_failures *f, const char *address, const char *name)
{
	size_t a = place(f, 'a', address), n = place(f, 'n', name);
	bool yes;

	pthread_mutex_lock(&f->lock);
	yes = many(f, a, FAILURES_ADDRESS) || (*name && many(f, n, FAILURES_NAME));
	pthread_mutex_unlock(&f->lock);
	return yes;
}

/* --- the thread -------------------------------------------------------------------------------------- */

struct job {
	struct job *next;
	const struct schema_users *users;
	char name[SCHEMA_USER_MAX];
	char password[SCHEMA_PASSWORD_MAX];
	size_t n;
	schema_verified_fn done;
	void *ctx;
};

struct schema_verifier {
	pthread_t thread;
	pthread_mutex_t lock; /* the rest */
	pthread_cond_t more;
	struct job *first, **last;
	int waiting;
	bool stop;
};

static struct job *take(struct schema_verifier *v, bool *stopping)
{
	struct job *job;

	pthread_mutex_lock(&v->lock);
	while (!v->first && !v->stop)
		pthread_cond_wait(&v->more, &v->lock);
	job = v->first;
	if (job) {
		v->first = job->next;
		if (!v->first)
			v->last = &v->first;
		v->waiting--;
	}
	*stopping = v->stop;
	pthread_mutex_unlock(&v->lock);
	return job;
}

static void *work(void *ctx)
{
	struct schema_verifier *v = ctx;
	bool stopping;
	struct job *job;

	while ((job = take(v, &stopping))) {
		const struct bus_str password = { job->password, job->n };

		job->done(job->ctx, stopping ? NULL : schema_users_password(job->users, job->name, password));
		explicit_bzero(job, sizeof(*job));
		free(job);
	}
	return NULL;
}

enum bus_err schema_verifier_start(struct schema_verifier **out, struct bus_error *err)
{
	struct schema_verifier *v = bus_xcalloc(1, sizeof(*v));

	*out = NULL;
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->more, NULL);
	v->last = &v->first;
	errno = pthread_create(&v->thread, NULL, work, v);
	if (errno != 0) {
		free(v);
		return bus_fail(err, BUS_EIO, "cannot start the thread that checks passwords: %m");
	}
	*out = v;
	return BUS_OK;
}

void schema_verifier_stop(struct schema_verifier **vp)
{
	struct schema_verifier *v = *vp;

	if (!v)
		return;
	*vp = NULL;
	pthread_mutex_lock(&v->lock);
	v->stop = true;
	pthread_cond_signal(&v->more);
	pthread_mutex_unlock(&v->lock);
	pthread_join(v->thread, NULL);
	pthread_cond_destroy(&v->more);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

bool schema_verifier_ask(struct schema_verifier *v, const struct schema_users *users, const char *name,
			 struct bus_str password, schema_verified_fn done, void *ctx)
{
	struct job *job;
	bool room;

	pthread_mutex_lock(&v->lock);
	room = v->waiting < WAITING_MAX && !v->stop;
	if (room) {
		job = bus_xcalloc(1, sizeof(*job));
		job->users = users;
		memcpy(job->name, name, strlen(name));
		memcpy(job->password, password.p, password.n);
		job->n = password.n;
		job->done = done;
		job->ctx = ctx;
		*v->last = job;
		v->last = &job->next;
		v->waiting++;
		pthread_cond_signal(&v->more);
	}
	pthread_mutex_unlock(&v->lock);
	return room;
}
