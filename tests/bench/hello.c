/* The named reference of the gateway: libmicrohttpd saying hello, and nothing else. hello PORT */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct MHD_Response *hello;

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *data, size_t *n, void **state)
{
	(void)cls, (void)url, (void)method, (void)version, (void)data, (void)n, (void)state;
	return MHD_queue_response(connection, 200, hello);
}

int main(int argc, char **argv)
{
	static char text[] = "{\"hello\":\"world\"}\n";
	struct MHD_Daemon *daemon;

	if (argc != 2)
		return 2;
	hello = MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)atoi(argv[1]), NULL, NULL, answer, NULL,
				  MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_END);
	if (!daemon) {
		perror("hello");
		return 1;
	}
	for (;;)
		pause();
}
