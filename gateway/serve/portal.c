#include "gateway/serve/portal.h"

#include "gateway/serve/api.h"

/* The page carries no data: its script asks the API with the reader's own key. Nothing from other hosts,
 * nothing inline, in no frame. */
static const char policy[] = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
			     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void gw_portal(void *ctx, struct bus_http_request *req)
{
	const char *path = bus_http_path(req);
	const char *name = strcmp(path, "/") == 0	     ? "index.html"
			   : strcmp(path, "/reference") == 0 ? "reference.html"
							     : bus_http_part(req, "file");
	struct bus_buf body = { 0 };

	(void)ctx;
	for (size_t i = 0; i < gw_portal_files; i++) {
		const struct bus_file *f = &gw_portal_file[i];

		if (strcmp(f->name, name) != 0)
			continue;
		bus_http_set(req, "Content-Security-Policy", policy);
		bus_http_set(req, "Referrer-Policy", "no-referrer");
		bus_http_set(req, "Cache-Control", "no-cache");
		bus_buf_put(&body, f->bytes, f->n);
		bus_http_reply(req, 200, f->type, &body);
		return;
	}
	gw_problem(req, "row-unknown", NULL, "/");
}
