#include "gateway/serve/kept.h"

#include <pthread.h>
#include <stdatomic.h>

#include "bus/clock.h"

#define SLOTS 4096
#define LOCKS 64
#define AGE_MS 1000
#define ANSWER_MAX ((size_t)256 * 1024)
#define BYTES_MAX (INT64_C(32) * 1024 * 1024)

struct slot {
	struct gw_asked asked;
	struct bus_http_answer *answer; /* NULL: empty */
	int64_t until_ms;
};

struct gw_kept {
	pthread_mutex_t lock[LOCKS]; /* of the slots whose number leaves this remainder */
	struct slot slot[SLOTS];
	_Atomic int64_t bytes;
};

struct gw_kept *gw_kept_new(void)
{
	struct gw_kept *k = bus_xcalloc(1, sizeof(*k));

	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&k->lock[i], NULL);
	return k;
}

/* With its lock. */
static void empty(struct gw_kept *k, struct slot *s)
{
	if (s->answer)
		atomic_fetch_sub(&k->bytes, (int64_t)bus_http_answer_size(s->answer));
	bus_http_answer_unref(&s->answer);
}

void gw_kept_free(struct gw_kept **kp)
{
	struct gw_kept *k = *kp;

	if (!k)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		empty(k, &k->slot[i]);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&k->lock[i]);
	free(k);
	*kp = NULL;
}

void gw_kept_tick(struct gw_kept *k)
{
	int64_t now = bus_clock_mono_ms();

	for (size_t i = 0; i < SLOTS; i++) {
		pthread_mutex_lock(&k->lock[i % LOCKS]);
		if (k->slot[i].until_ms <= now)
			empty(k, &k->slot[i]);
		pthread_mutex_unlock(&k->lock[i % LOCKS]);
	}
}

/* Everything of the request that decides the answer. Two hashes under two keys: 128 bits that nobody can aim at. */
static void hash_question(struct gw_api *api, struct bus_http_request *req, const struct gw_view *v,
			  const struct gw_grant *grant, uint64_t out[2])
{
	static const char *const header[] = { "Accept", "Accept-Encoding", "Prefer", "Range" };
	const uint64_t rights[] = { grant->shown, grant->clear, (uintptr_t)grant->rows, (uintptr_t)v };
	struct gw_hash_key key = api->cursors.tag_key;
	struct bus_buf *text = bus_http_scratch(req);

	bus_buf_puts(text, bus_http_path(req));
	bus_buf_putc(text, '?');
	bus_buf_puts(text, bus_http_raw_query(req));
	bus_buf_put(text, rights, sizeof(rights));
	for (size_t i = 0; i < BUS_LEN(header); i++) {
		const char *value = bus_http_header(req, header[i]);

		bus_buf_putc(text, '\n');
		bus_buf_puts(text, value ? value : "");
	}
	out[0] = gw_hash(key, text->p, text->n);
	key.k0 = ~key.k0;
	out[1] = gw_hash(key, text->p, text->n);
}

static bool same(const struct gw_asked *a, const struct gw_asked *b)
{
	return a->question[0] == b->question[0] && a->question[1] == b->question[1] && a->store == b->store &&
	       a->newest == b->newest && a->rights == b->rights;
}

bool gw_kept_answer(struct gw_api *api, struct bus_http_request *req, const struct gw_view *v,
		    const struct gw_grant *grant, int64_t newest, struct gw_asked *out)
{
	const char *control = bus_http_header(req, "Cache-Control");
	struct bus_http_answer *answer = NULL;
	struct slot *s;
	size_t i;

	*out = (struct gw_asked){ .store = gw_store_id(api->engine),
				  .newest = newest,
				  .rights = gw_access_generation(api->access),
				  .mark = bus_http_mark(req),
				  .age_ms = AGE_MS };
	out->keep =
	    api->kept && !(control && strstr(control, "no-cache")) && !bus_http_header(req, "If-None-Match");
	if (!out->keep)
		return false;
	hash_question(api, req, v, grant, out->question);
	i = out->question[0] % SLOTS;
	s = &api->kept->slot[i];
	pthread_mutex_lock(&api->kept->lock[i % LOCKS]);
	if (s->answer && same(&s->asked, out) && bus_clock_mono_ms() < s->until_ms)
		answer = bus_http_answer_ref(s->answer);
	pthread_mutex_unlock(&api->kept->lock[i % LOCKS]);
	if (!answer)
		return false;
	bus_http_reply_again(req, answer);
	bus_http_answer_unref(&answer);
	return true;
}

void gw_kept_reply(struct gw_api *api, struct bus_http_request *req, const struct gw_asked *asked, int status,
		   const char *type, struct bus_buf *body)
{
	struct gw_kept *k = api->kept;
	struct bus_http_answer *answer;
	struct slot *s;
	int64_t size;
	size_t i;

	if (!asked->keep || body->n > ANSWER_MAX) {
		bus_http_reply(req, status, type, body);
		return;
	}
	answer = bus_http_reply_kept(req, asked->mark, status, type, body);
	size = (int64_t)bus_http_answer_size(answer);
	i = asked->question[0] % SLOTS;
	s = &k->slot[i];
	pthread_mutex_lock(&k->lock[i % LOCKS]);
	empty(k, s);
	if (atomic_load(&k->bytes) + size <= BYTES_MAX) {
		atomic_fetch_add(&k->bytes, size);
		s->asked = *asked;
		s->until_ms = bus_clock_mono_ms() + asked->age_ms;
		s->answer = bus_http_answer_ref(answer);
	}
	pthread_mutex_unlock(&k->lock[i % LOCKS]);
	bus_http_answer_unref(&answer);
}
