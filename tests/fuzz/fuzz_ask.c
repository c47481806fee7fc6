/* A question or an order to the desk: the first byte chooses which, and whether its path names a row. What is taken is within its
 * bounds, and what it lacks is known. */
#include <assert.h>
#include <string.h>

#include "adapters/office/ask.h"
#include "bus/http_route.h"
#include "bus/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const verb[] = { "list", "show", "history", "mend", "redrive", "discard" };

static enum bus_err read_query(struct adapter_ask *ask, struct bus_str raw, char *text, struct bus_error *why)
{
	static struct http_pair pair[HTTP_QUERY_MAX];
	enum bus_err rc = BUS_OK;
	size_t n = 0;

	if (!bus_http_query_parse(raw, text, pair, &n))
		return BUS_EINVAL;
	for (size_t i = 0; i < n && !rc; i++)
		rc = adapter_ask_parameter(ask, pair[i].name, pair[i].value, why);
	return rc;
}

/* A later page begins where this one says, to the letter. */
static void look_at_question(const struct adapter_ask *ask)
{
	const struct adapter_care_args *a = &ask->args;
	char next[ADAPTER_REFUSAL_ID + 24];
	struct adapter_ask again;

	assert(a->limit >= 1 && a->limit <= ADAPTER_ASK_LIMIT_MAX);
	assert(a->n_set == 0 && !a->all && !a->redrive && !a->dry_run && !a->why);
	assert(!a->personal || strcmp(a->verb, "show") == 0);
	if (!ask->after_id[0])
		return;
	adapter_ask_after(ask->after_ms, ask->after_id, next);
	adapter_ask_begin(&again, "list", "");
	assert(adapter_ask_parameter(&again, "after", next, NULL) == BUS_OK);
	assert(again.after_ms == ask->after_ms && strcmp(again.after_id, ask->after_id) == 0);
}

static void look_at_order(const struct adapter_ask *ask)
{
	const struct adapter_care_args *a = &ask->args;
	const char *lacks = adapter_ask_lack(ask);
	bool mend = strcmp(a->verb, "mend") == 0;

	assert(!a->state && !a->personal && !ask->after_id[0]);
	assert(a->n_operands <= ADAPTER_ARGS_MAX && a->n_set <= ADAPTER_ARGS_MAX);
	for (size_t i = 0; i < a->n_operands; i++)
		assert(a->operand[i][0]);
	assert(mend || (a->n_set == 0 && !a->redrive));
	assert(!mend || !a->all);
	assert(!a->why || (strlen(a->why) < 256 && !strpbrk(a->why, "\n\r\033\177")));
	if (!lacks)
		assert(mend ? a->n_operands == 1 && a->n_set > 0 : true);
}

/* What was sent may be anything, and does not come back. */
static void look_at_refusal(const char *why)
{
	size_t digits = 0;

	assert(why[0] && bus_utf8_ok(why, strlen(why)) == strlen(why));
	for (; *why; why++) {
		digits = *why >= '0' && *why <= '9' ? digits + 1 : 0;
		assert(digits < 16);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_arena *arena = bus_arena_new((size_t)256 * 1024);
	size_t which = size ? data[0] % BUS_LEN(verb) : 0, n = size ? size - 1 : 0;
	char *sent = bus_xmalloc(n + !n), *text = bus_xmalloc(2 * n + 2); /* exact: a byte too many shows */
	struct bus_error why = { .text = "a broken query" };
	struct adapter_ask ask;

	memcpy(sent, data + 1, n);
	adapter_ask_begin(&ask, verb[which], size && data[0] & 0x80 ? "0a1b2c3d4e5f6071:812" : "");
	if (which < 3 && read_query(&ask, (struct bus_str){ sent, n }, text, &why) == BUS_OK)
		look_at_question(&ask);
	else if (which >= 3 && adapter_ask_body(&ask, (struct bus_str){ sent, n }, arena, &why) == BUS_OK)
		look_at_order(&ask);
	else
		look_at_refusal(why.text);
	free(text);
	free(sent);
	bus_arena_free(&arena);
	return 0;
}
