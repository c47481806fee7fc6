/* LD_PRELOAD: while the file TITIAN_CUT is there, the program does not reach TCP port TITIAN_CUT_PORT, and the connections
 * to it that it had break at their next byte. */
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int connect(int fd, const struct sockaddr *to, socklen_t n);
ssize_t sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t recvmsg(int fd, struct msghdr *m, int flags);
ssize_t send(int fd, const void *p, size_t n, int flags);
ssize_t recv(int fd, void *p, size_t n, int flags);

static bool is_cut(const struct sockaddr *to)
{
	const char *file = getenv("TITIAN_CUT"), *port = getenv("TITIAN_CUT_PORT");
	struct sockaddr_in in = { 0 };

	if (!file || !port || to->sa_family != AF_INET)
		return false;
	__builtin_memcpy(&in, to, sizeof(in));
	return ntohs(in.sin_port) == atoi(port) && access(file, F_OK) == 0;
}

static bool peer_is_cut(int fd)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &n) == 0 && is_cut((struct sockaddr *)&peer);
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define BREAK(cut, why)                                                                                      \
	do {                                                                                                 \
		if (cut) {                                                                                   \
			errno = why;                                                                         \
			return -1;                                                                           \
		}                                                                                            \
	} while (0)

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
	NEXT(connect);
	BREAK(is_cut(to), ECONNREFUSED);
	return next(fd, to, n);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	NEXT(sendmsg);
	BREAK(peer_is_cut(fd), ECONNRESET);
	return next(fd, m, flags);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	NEXT(recvmsg);
	BREAK(peer_is_cut(fd), ECONNRESET);
	return next(fd, m, flags);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	NEXT(send);
	BREAK(peer_is_cut(fd), ECONNRESET);
	return next(fd, p, n, flags);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	NEXT(recv);
	BREAK(peer_is_cut(fd), ECONNRESET);
	return next(fd, p, n, flags);
}
