/* Many readers of one SSE feed, on one thread: each must be told of every key once, whatever is cut or killed.
 *
 *   readers PORT PATH KEYFILE READERS SLOW KEYS SECONDS
 *
 * Follows http://127.0.0.1:PORT/PATH with the key in KEYFILE. Rows have keys k0, k1, ... of which KEYS will come.
 * SLOW of the readers take a few hundred bytes a second, until a line comes on standard input. A connection that
 * ends is made anew with the last event's cursor. Prints `ready` when every reader has been told once that it is up
 * to date, and at the end one line of figures. Exit: 0 all have all, each once; 1 not so within SECONDS. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024
#define CURSOR_MAX 200
#define SLOW_BYTES 256
#define SLOW_MS 1000
#define SLOW_BUFFER 4096

enum part { HEAD, SIZE, BODY };

struct reader {
	int fd; /* -1: to be connected at `again` */
	bool slow, ready;
	enum part part;
	size_t left; /* of the chunk */
	char line[LINE_MAX_BYTES];
	size_t n_line;
	char frame[64];
	size_t n_frame;
	char id[CURSOR_MAX], cursor[CURSOR_MAX], event[16], key[32];
	int64_t again;
	uint8_t *seen; /* bits */
	int n_seen;
};

static struct reader *reader;
static int n_readers, n_keys, n_ready, n_done, port, epoll_fd;
static long repeated, unknown, connects, refused, resets;
static const char *path;
static char key[200];
static bool drain;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void drop(struct reader *r, int wait)
{
	close(r->fd);
	r->fd = -1;
	r->again = now_ms() + wait + rand() % 200;
}

static void connect_reader(struct reader *r)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = r };
	int small = SLOW_BUFFER, n;
	char request[800];

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd < 0) {
		perror("socket");
		exit(1);
	}
	if (r->slow)
		setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (connect(r->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		drop(r, 300);
		return;
	}
	n = snprintf(
	    request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nAuthorization: Bearer "
	    "%s\r\n%s%s%s\r\n",
	    path, key, *r->cursor ? "Last-Event-ID: " : "", r->cursor, *r->cursor ? "\r\n" : "");
	fcntl(r->fd, F_SETFL, O_NONBLOCK);
	if (send(r->fd, request, (size_t)n, MSG_NOSIGNAL) != n) {
		drop(r, 300);
		return;
	}
	connects++;
	r->part = HEAD;
	r->n_line = r->n_frame = 0;
	r->event[0] = r->key[0] = r->id[0] = '\0';
	if (!r->slow || drain) /* slow ones are read by the clock */
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, r->fd, &ev);
}

static void take_key(struct reader *r)
{
	int i = r->key[0] == 'k' ? atoi(r->key + 1) : -1;

	if (i < 0 || i >= n_keys) {
		unknown++;
		return;
	}
	if (r->seen[i / 8] >> (i % 8) & 1) {
		repeated++;
		return;
	}
	r->seen[i / 8] |= (uint8_t)(1 << (i % 8));
	if (++r->n_seen == n_keys)
		n_done++;
}

static void dispatch(struct reader *r)
{
	if (!r->event[0])
		return;
	if (strcmp(r->event, "upsert") == 0)
		take_key(r);
	else if (strcmp(r->event, "reset") == 0)
		resets++;
	else if (strcmp(r->event, "up-to-date") != 0)
		unknown++;
	if (strcmp(r->event, "up-to-date") == 0 && !r->ready) {
		r->ready = true;
		if (++n_ready == n_readers)
			puts("ready"), fflush(stdout);
	}
	memcpy(r->cursor, r->id, sizeof(r->cursor));
	r->event[0] = r->key[0] = '\0';
}

static void take_line(struct reader *r)
{
	const char *at;

	if (r->n_line == 0)
		dispatch(r);
	else if (strncmp(r->line, "id: ", 4) == 0)
		snprintf(r->id, sizeof(r->id), "%s", r->line + 4);
	else if (strncmp(r->line, "event: ", 7) == 0)
		snprintf(r->event, sizeof(r->event), "%s", r->line + 7);
	else if (strncmp(r->line, "data: ", 6) == 0 && (at = strstr(r->line, "\"key\":\"")))
		sscanf(at + 7, "%31[^\"]", r->key);
}

/* A line of the answer's head, or of a chunk's size. False: not what we want. */
static bool take_frame(struct reader *r)
{
	bool good = true;

	r->frame[r->n_frame] = '\0';
	if (r->part == HEAD && r->n_frame == 0) {
		r->part = SIZE;
	} else if (r->part == HEAD) {
		good = strncmp(r->frame, "HTTP/", 5) != 0 || strncmp(r->frame + 9, "200", 3) == 0;
	} else if (r->n_frame > 0) { /* an empty one ends the chunk before */
		r->left = strtoul(r->frame, NULL, 16);
		r->part = BODY;
		good = r->left > 0;
	}
	r->n_frame = 0;
	return good;
}

static bool take_byte(struct reader *r, char c)
{
	if (r->part != BODY) {
		if (c == '\n')
			return take_frame(r);
		if (c != '\r' && r->n_frame < sizeof(r->frame) - 1)
			r->frame[r->n_frame++] = c;
		return true;
	}
	if (--r->left == 0)
		r->part = SIZE;
	if (c != '\n') {
		if (r->n_line < sizeof(r->line) - 1)
			r->line[r->n_line++] = c;
		return true;
	}
	r->line[r->n_line] = '\0';
	take_line(r);
	r->n_line = 0;
	return true;
}

static void read_some(struct reader *r, size_t most)
{
	static char buf[64 * 1024];
	ssize_t n = recv(r->fd, buf, most < sizeof(buf) ? most : sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	for (ssize_t i = 0; i < n; i++) {
		if (!take_byte(r, buf[i])) {
			refused++;
			n = 0;
		}
	}
	if (n <= 0)
		drop(r, 50);
}

/* Slow readers, connections to be made, standard input. */
static void by_the_clock(int64_t now)
{
	static int64_t slow_at;
	bool slow = now >= slow_at;

	if (slow)
		slow_at = now + SLOW_MS;
	for (int i = 0; i < n_readers; i++) {
		struct reader *r = &reader[i];

		if (r->fd < 0 && now >= r->again)
			connect_reader(r);
		else if (r->fd >= 0 && r->slow && !drain && slow)
			read_some(r, SLOW_BYTES);
	}
}

static void drain_slow(void)
{
	struct epoll_event ev = { .events = EPOLLIN };

	drain = true;
	for (int i = 0; i < n_readers; i++) {
		ev.data.ptr = &reader[i];
		if (reader[i].slow && reader[i].fd >= 0)
			epoll_ctl(epoll_fd, EPOLL_CTL_ADD, reader[i].fd, &ev);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { 20000, 20000 };
	struct epoll_event ev[512], in = { .events = EPOLLIN, .data.ptr = NULL };
	int64_t end, next = 0, now;
	char word[16];
	FILE *fp;

	if (argc != 8 || !(fp = fopen(argv[3], "r")) || fscanf(fp, "%199s", key) != 1) {
		fputs("readers PORT PATH KEYFILE READERS SLOW KEYS SECONDS\n", stderr);
		return 2;
	}
	fclose(fp);
	port = atoi(argv[1]);
	path = argv[2];
	n_readers = atoi(argv[4]);
	n_keys = atoi(argv[6]);
	end = now_ms() + 1000 * atoll(argv[7]);
	setrlimit(RLIMIT_NOFILE, &files);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &in);
	reader = calloc((size_t)n_readers, sizeof(*reader));
	for (int i = 0; i < n_readers; i++) {
		reader[i].fd = -1;
		reader[i].slow = i < atoi(argv[5]);
		reader[i].seen = calloc(1, (size_t)n_keys / 8 + 1);
	}
	while (n_done < n_readers && (now = now_ms()) < end) {
		int n = epoll_wait(epoll_fd, ev, 512, 20);

		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr)
				read_some(ev[i].data.ptr, SIZE_MAX);
			else if (read(0, word, sizeof(word)) <= 0)
				epoll_ctl(epoll_fd, EPOLL_CTL_DEL, 0, NULL);
			else
				drain_slow();
		}
		if (now >= next) {
			by_the_clock(now);
			next = now + 20;
		}
	}
	if (n_done == n_readers) { /* nothing may come twice, late either */
		end = now_ms() + 500;
		while (now_ms() < end) {
			int n = epoll_wait(epoll_fd, ev, 512, 50);

			for (int i = 0; i < n; i++)
				if (ev[i].data.ptr)
					read_some(ev[i].data.ptr, SIZE_MAX);
		}
	}
	printf("readers %d complete %d repeated %ld unknown %ld resets %ld connects %ld refused %ld\n",
	       n_readers, n_done, repeated, unknown, resets, connects, refused);
	return n_done == n_readers && repeated == 0 && unknown == 0 && resets == 0 ? 0 : 1;
}
