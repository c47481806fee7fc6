/* Members of answers. */
#include "bus/json.h"
#include "deploy/ctl/ctl.h"

static const struct bus_json *member(const struct bus_json *object, const char *name)
{
	return object && object->type == BUS_JSON_OBJECT ? bus_json_get(object, name) : NULL;
}

struct bus_str ctl_json_text(const struct bus_json *object, const char *name)
{
	const struct bus_json *v = member(object, name);

	return v && v->type == BUS_JSON_STRING ? v->text : (struct bus_str){ "", 0 };
}

char *ctl_json_copy(const struct bus_json *object, const char *name)
{
	const struct bus_json *v = member(object, name);

	return v && v->type == BUS_JSON_STRING ? bus_xstrndup(v->text.p, v->text.n) : NULL;
}

int64_t ctl_json_int(const struct bus_json *object, const char *name, int64_t otherwise)
{
	const struct bus_json *v = member(object, name);
	int64_t n;

	return v && bus_json_int(v, &n) == BUS_OK ? n : otherwise;
}

bool ctl_json_is(const struct bus_json *object, const char *name, const char *text)
{
	const struct bus_json *v = member(object, name);

	return v && v->type == BUS_JSON_STRING && bus_str_is(v->text, text);
}
