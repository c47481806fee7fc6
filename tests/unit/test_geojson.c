#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "adapters/geojson.h"

static bool place(const char *text, const char *lon, const char *lat)
{
	struct bus_arena *arena = bus_arena_new(65536);
	char room[2][ADAPTER_GEO_TEXT];
	const char *const want[] = { lon, lat };
	struct bus_json *tree;
	struct bus_str got[2];
	bool found = true;

	assert_int_equal(bus_json_parse(bus_str(text), NULL, arena, &tree, NULL), BUS_OK);
	for (int i = 0; i < 2; i++) {
		found = adapter_geojson_place(tree, i, room[i], &got[i]);
		if (found)
			assert_true(bus_str_eq(got[i], bus_str(want[i])));
	}
	bus_arena_free(&arena);
	return found;
}

#define G(type, at) "{\"type\":\"" type "\",\"coordinates\":" at "}"

static void every_shape_has_a_place(void **state)
{
	(void)state;
	assert_true(place(G("Point", "[101.446779000001,0.5]"), "101.446779000001", "0.5"));
	assert_true(place(G("LineString", "[[0,0],[1,2],[5,5]]"), "1", "2"));
	assert_true(place(G("MultiPoint", "[[3,4],[1,2]]"), "3", "4"));
	assert_true(place(G("MultiLineString", "[[[0,0],[1,2]],[[7,7]]]"), "1", "2"));
	/* A square with a hole; an L of three unit squares, whose centroid is (5/6, 5/6). */
	assert_true(place(
	    G("Polygon", "[[[100,0],[102,0],[102,2],[100,2],[100,0]],[[100,0],[101,0],[101,1],[100,0]]]"),
	    "101.0000000", "1.0000000"));
	assert_true(
	    place(G("Polygon", "[[[0,0],[2,0],[2,1],[1,1],[1,2],[0,2],[0,0]]]"), "0.8333333", "0.8333333"));
	assert_true(
	    place(G("MultiPolygon",
		    "[[[[0,0],[1,0],[1,1],[0,1],[0,0]]],[[[-10,-10],[-8,-10],[-8,-8],[-10,-8],[-10,-10]]]]"),
		  "-9.0000000", "-9.0000000"));
	assert_true(place(G("Polygon", "[[[5,6],[5,6],[5,6]]]"), "5", "6")); /* no area */
}

static void what_is_no_geometry_has_none(void **state)
{
	static const char *const none[] = { "1",
					    "{}",
					    "[]",
					    G("Point", "[]"),
					    G("Point", "[1]"),
					    G("Point", "\"1,2\""),
					    G("Point", "[\"1\",2]"),
					    G("Polygon", "[]"),
					    G("Polygon", "[[1,2]]"),
					    G("MultiPolygon", "[]"),
					    G("LineString", "[]"),
					    G("Circle", "[1,2]"),
					    G("Point", "[1e400,2]"),
					    "{\"type\":1,\"coordinates\":[1,2]}",
					    "{\"type\":\"GeometryCollection\",\"geometries\":[]}" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(none); i++)
		assert_false(place(none[i], "", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_has_a_place),
		cmocka_unit_test(what_is_no_geometry_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
