/* Headers, "name: value" a line: what is taken as an event is one in JSON, each attribute once, and what was sent is not in what is
 * said of one that is none. */
#include <assert.h>
#include <string.h>

#include "bus/cloudevent.h"
#include "bus/arena.h"
#include "bus/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_event(struct bus_str members)
{
	static const char *const must[] = { "id", "source", "type", "specversion" };
	struct bus_arena *arena = bus_arena_new((size_t)1 << 22);
	struct bus_buf object = { 0 };
	struct bus_json *tree;

	bus_buf_putc(&object, '{');
	bus_buf_put(&object, members.p, members.n);
	bus_buf_putc(&object, '}');
	assert(bus_json_parse(bus_buf_str(&object), NULL, arena, &tree, NULL) == BUS_OK); /* no name twice */
	assert(tree->n >= BUS_LEN(must) && tree->n <= BUS_CLOUDEVENT_MOST);
	for (size_t i = 0; i < BUS_LEN(must); i++) {
		const struct bus_json *m = bus_json_get(tree, must[i]);

		assert(m && m->type == BUS_JSON_STRING && m->text.n > 0);
	}
	assert(bus_str_is(bus_json_get(tree, "specversion")->text, "1.0"));
	for (const struct bus_json *m = tree->first; m; m = m->next)
		assert(m->type == BUS_JSON_STRING && m->name.n > 0 && !memchr(m->text.p, 0, m->text.n));
	bus_buf_release(&object);
	bus_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = bus_xstrndup((const char *)data, size), *rest = text, *line;
	struct bus_cloudevent event;
	struct bus_str members;
	struct bus_error why = { 0 };

	bus_cloudevent_begin(&event);
	while ((line = strsep(&rest, "\n"))) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		/* of their own: reading beyond them shows */
		line = bus_xstrdup(line);
		colon = bus_xstrdup(colon + 1 + strspn(colon + 1, " "));
		bus_cloudevent_header(&event, line, colon);
		free(line);
		free(colon);
	}
	if (bus_cloudevent_end(&event, &members, &why) == BUS_OK)
		look_at_event(members);
	else
		assert(strncmp(why.text, "CloudEvents 1.0: ", 17) == 0 && strlen(why.text) < 80);
	bus_cloudevent_release(&event);
	free(text);
	return 0;
}
