/* Deadlines that are absolute, and peers that have hung up.
 *
 * MHD's own timeout starts anew with every byte, so a client that sends one header every two seconds stays
 * for ever; and on a suspended connection MHD looks at nothing at all. So one thread looks every HTTP_TICK_MS
 * at the deadline of each connection and shuts the socket down (MHD then finds it closed and cleans up), and
 * an epoll set of its own tells it of hang-ups: a parked stream is resumed to find out that it is over. */
#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/http_impl.h"

#define EVENTS 256

void bus_http_release(struct bus_http *h)
{
	if (atomic_fetch_sub(&h->refs, 1) > 1)
		return;
	bus_http_table_release(&h->table);
	bus_http_tls_close(&h->tls);
	bus_shares_free(&h->payers);
	pthread_mutex_destroy(&h->payers_lock);
	pthread_mutex_destroy(&h->list_lock);
	free(h->by_fd);
	free(h->program);
	free(h);
}

struct http_conn *bus_http_conn_open(struct bus_http *h, int fd)
{
	struct http_conn *c = bus_xcalloc(1, sizeof(*c));
	struct epoll_event ev = { .events = EPOLLRDHUP | EPOLLET };

	c->h = h;
	c->fd = fd;
	c->req = bus_http_request_new(h, c);
	atomic_init(&c->deadline_ms, bus_clock_mono_ms() + h->header_ms);
	pthread_mutex_lock(&h->list_lock);
	if ((size_t)fd >= h->n_by_fd) {
		size_t n = ((size_t)fd + 1) * 2;

		h->by_fd = bus_xrealloc(h->by_fd, n * sizeof(struct http_conn *));
		memset(h->by_fd + h->n_by_fd, 0, (n - h->n_by_fd) * sizeof(struct http_conn *));
		h->n_by_fd = n;
	}
	c->generation = ++h->generation;
	h->by_fd[fd] = c;
	c->next = h->conns;
	if (c->next)
		c->next->prev = c;
	h->conns = c;
	/* Without it (out of memory in the kernel) hang-ups are found at the next write. */
	ev.data.u64 = (uint64_t)c->generation << 32 | (uint32_t)fd;
	(void)epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
	bus_metric_set(h->connections, atomic_fetch_add(&h->n_connections, 1) + 1);
	pthread_mutex_unlock(&h->list_lock);
	return c;
}

void bus_http_conn_close(struct http_conn *c)
{
	struct bus_http *h = c->h;

	pthread_mutex_lock(&h->list_lock);
	h->by_fd[c->fd] = NULL;
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		h->conns = c->next;
	bus_metric_set(h->connections, atomic_fetch_sub(&h->n_connections, 1) - 1);
	pthread_mutex_unlock(&h->list_lock);
	bus_http_request_free(&c->req);
	bus_http_peer_free(&c->peer);
	free(c);
}

void bus_http_conn_each(struct bus_http *h, void (*fn)(struct http_conn *c))
{
	pthread_mutex_lock(&h->list_lock);
	for (struct http_conn *c = h->conns; c; c = c->next)
		fn(c);
	pthread_mutex_unlock(&h->list_lock);
}

static void peer_gone(struct bus_http *h, uint64_t which)
{
	size_t fd = (uint32_t)which;
	struct http_conn *c;

	pthread_mutex_lock(&h->list_lock);
	c = fd < h->n_by_fd ? h->by_fd[fd] : NULL;
	if (c && c->generation == which >> 32 && c->req) {
		struct bus_http_request *req = c->req;

		pthread_mutex_lock(&req->lock);
		req->gone = true;
		/* A deferred request waits for its ticket all the same. */
		if (req->streaming)
			bus_http_wake_locked(req);
		pthread_mutex_unlock(&req->lock);
	}
	pthread_mutex_unlock(&h->list_lock);
}

static void check_deadlines(struct bus_http *h)
{
	int64_t now = bus_clock_mono_ms();

	pthread_mutex_lock(&h->list_lock);
	for (struct http_conn *c = h->conns; c; c = c->next) {
		int64_t deadline = atomic_load_explicit(&c->deadline_ms, memory_order_relaxed);

		/* The socket is ours until bus_http_conn_close(), which MHD calls before it closes it. */
		if (deadline != 0 && now >= deadline) {
			shutdown(c->fd, SHUT_RDWR);
			atomic_store_explicit(&c->deadline_ms, 0, memory_order_relaxed);
		}
	}
	pthread_mutex_unlock(&h->list_lock);
}

static void *watch(void *ctx)
{
	struct bus_http *h = ctx;
	struct epoll_event ev[EVENTS];
	int64_t next = bus_clock_mono_ms() + HTTP_TICK_MS;

	while (!atomic_load(&h->watchdog_stop)) {
		int64_t left = next - bus_clock_mono_ms();
		int n = left > 0 ? epoll_wait(h->epoll_fd, ev, EVENTS, (int)left) : 0;

		for (int i = 0; i < n; i++)
			peer_gone(h, ev[i].data.u64);
		if (bus_clock_mono_ms() >= next) {
			check_deadlines(h);
			next = bus_clock_mono_ms() + HTTP_TICK_MS;
		}
	}
	return NULL;
}

enum bus_err bus_http_watch_start(struct bus_http *h, struct bus_error *err)
{
	h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll_fd < 0)
		return bus_fail(err, BUS_EIO, "cannot make an epoll set: %m");
	errno = pthread_create(&h->watchdog, NULL, watch, h);
	if (errno != 0) {
		close(h->epoll_fd);
		return bus_fail(err, BUS_EIO, "cannot start the HTTP watchdog thread: %m");
	}
	return BUS_OK;
}

void bus_http_watch_stop(struct bus_http *h)
{
	atomic_store(&h->watchdog_stop, true);
	pthread_join(h->watchdog, NULL);
	close(h->epoll_fd);
}
