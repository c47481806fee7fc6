/* A server's answer to PROPFIND, whatever it is: names that can be taken, or an error. */
#include <assert.h>

#include "adapters/fetch/webdav.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct adapter_far_list l = { 0 };
	struct bus_error err;

	if (adapter_webdav_read((struct bus_str){ (const char *)data, n }, &l, &err) == BUS_OK)
		for (size_t i = 0; i < l.n; i++)
			assert(l.file[i].name[0] && !strpbrk(l.file[i].name, "/\\\n") &&
			       strcmp(l.file[i].name, "..") != 0);
	adapter_far_release(&l);
	return 0;
}
