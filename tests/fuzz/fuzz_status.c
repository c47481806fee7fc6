/* Any text as the adapter's figures, which lie where others may put files too: what is said of them is JSON, and its figures numbers. */
#include <assert.h>
#include <stdlib.h>

#include "adapters/care/figures.h"
#include "adapters/care/status.h"
#include "bus/json.h"
#include "tests/support/map_try.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/dev/shm/titian-fuzz-XXXXXX", path[64];
static struct map_try map;

static void clean(void)
{
	char done[64];

	snprintf(done, sizeof(done), "%s/done", dir);
	unlink(path);
	rmdir(done);
	rmdir(dir);
	adapter_map_free(&map.map);
}

static void begin(void)
{
	static const char yaml[] =
	    "feed: uji\nfiles: uji*.csv\ntopic: pku.uji.v1\nkind: register\n"
	    "source: {kind: delimited}\nvalues: {id: {from: A}}\nkey: id\nfields: {a: {from: A}}\n";

	if (!mkdtemp(dir) || map_try_load(&map, yaml) != BUS_OK)
		abort();
	snprintf(path, sizeof(path), "%s/done", dir);
	if (mkdir(path, 0700) != 0)
		abort();
	snprintf(path, sizeof(path), "%s/" ADAPTER_FIGURES_FILE, dir);
	atexit(clean);
}

/* Those of the page and of each feed; what is text or truth is ours. */
static void look(const struct bus_json *object)
{
	for (const struct bus_json *m = object->first; m; m = m->next)
		if (m->type == BUS_JSON_ARRAY)
			look(m->first);
		else
			assert(m->type == BUS_JSON_NUMBER || bus_str_is(m->name, "opd") ||
			       bus_str_is(m->name, "running") || bus_str_is(m->name, "feed"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct adapter_run_conf conf = { .opd = "uji", .drop = { .dir = dir } };
	struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
	struct bus_buf out = { 0 };
	struct bus_json *tree;
	int fd;

	if (!map.map)
		begin();
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	adapter_status_json(&conf, (const struct adapter_map *const[]){ map.map }, 1, &out);
	assert(bus_json_parse(bus_buf_str(&out), NULL, arena, &tree, NULL) == BUS_OK);
	look(tree);
	bus_buf_release(&out);
	bus_arena_free(&arena);
	return 0;
}
