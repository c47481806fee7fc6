/* A parsed tree written out again. */
#include "bus/json.h"
#include "bus/json_out.h"

void bus_json_put_tree(struct bus_json_out *j, const struct bus_json *v)
{
	switch (v->type) {
	case BUS_JSON_OBJECT:
		bus_json_object(j);
		for (const struct bus_json *c = v->first; c; c = c->next) {
			bus_json_key_str(j, c->name);
			bus_json_put_tree(j, c);
		}
		bus_json_object_end(j);
		break;
	case BUS_JSON_ARRAY:
		bus_json_array(j);
		for (const struct bus_json *c = v->first; c; c = c->next)
			bus_json_put_tree(j, c);
		bus_json_array_end(j);
		break;
	case BUS_JSON_STRING:
		bus_json_put_str(j, v->text);
		break;
	case BUS_JSON_NUMBER:
		bus_json_put_raw(j, v->text);
		break;
	case BUS_JSON_TRUE:
	case BUS_JSON_FALSE:
		bus_json_put_bool(j, v->type == BUS_JSON_TRUE);
		break;
	default:
		bus_json_put_null(j);
		break;
	}
}
