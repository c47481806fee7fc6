#include "bus/client_find.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "bus/mem.h"

struct bus_find {
	struct gaicb query;
	struct addrinfo hints;
	char *host;
};

bool bus_find_literal(const char *host, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
		memcpy(out, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
		memcpy(out, &v6, sizeof(v6));
	else
		return false;
	return true;
}

struct bus_find *bus_find_start(const char *host)
{
	struct bus_find *f = bus_xcalloc(1, sizeof(*f));
	struct gaicb *list[] = { &f->query };

	f->host = bus_xstrdup(host);
	f->hints = (struct addrinfo){ .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	f->query = (struct gaicb){ .ar_name = f->host, .ar_request = &f->hints };
	/* A failure here shows as an error of the query. */
	(void)getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
	return f;
}

bool bus_find_done(struct bus_find *f, struct sockaddr_storage *out, size_t max, size_t *n)
{
	int rc = gai_error(&f->query);

	*n = 0;
	if (rc == EAI_INPROGRESS)
		return false;
	for (struct addrinfo *a = rc == 0 ? f->query.ar_result : NULL; a; a = a->ai_next) {
		if (*n == max) {
			*n = 0;
			break;
		}
		memset(&out[*n], 0, sizeof(out[*n]));
		memcpy(&out[(*n)++], a->ai_addr, a->ai_addrlen);
	}
	return true;
}

void bus_find_free(struct bus_find **fp)
{
	struct bus_find *f = *fp;

	*fp = NULL;
	if (!f || (gai_error(&f->query) == EAI_INPROGRESS && gai_cancel(&f->query) == EAI_NOTCANCELED))
		return;
	if (f->query.ar_result)
		freeaddrinfo(f->query.ar_result);
	free(f->host);
	free(f);
}
