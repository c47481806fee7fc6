/* gateway/hook/ask.h - a JSON body, member by member. The first that is wrong is answered with a problem, and all after
 * it read as not given. Text lives as long as the request. Thread: the handler's. */
#ifndef GATEWAY_HOOK_ASK_H
#define GATEWAY_HOOK_ASK_H

#include "bus/json.h"
#include "gateway/serve/api.h"

struct gw_ask {
	struct bus_http_request *req;
	struct bus_json *body;
	bool refused; /* and answered */
};

/* The body as an object with these members only; an empty body is an empty object. False: answered. */
bool gw_ask_begin(struct gw_ask *a, struct bus_http_request *req, const char *const *member, size_t n);
bool gw_ask_has(const struct gw_ask *a, const char *name);
const char *gw_ask_text(struct gw_ask *a, const char *name); /* NULL: not given, or null */
int64_t gw_ask_number(struct gw_ask *a, const char *name, int64_t min, int64_t max, int64_t fallback);
bool gw_ask_flag(struct gw_ask *a, const char *name, bool fallback);
/* One of these; its place. */
int gw_ask_word(struct gw_ask *a, const char *name, const char *const *word, size_t n, int fallback);
void gw_ask_refuse(struct gw_ask *a, const char *code, const char *detail, const char *hint);

#endif
