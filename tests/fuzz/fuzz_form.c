/* Any file as a clerk's CSV; and any text as its cell, which comes back as it was. */
#include "adapters/care/form.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bus/mem.h"
#include "bus/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum bus_err read_text(struct bus_str text, struct adapter_form *f)
{
	char path[] = "/dev/shm/titian-fuzz-XXXXXX";
	int fd = mkstemp(path);
	enum bus_err rc;

	if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n)
		abort();
	close(fd);
	rc = adapter_form_read(path, f, NULL);
	unlink(path);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_str text = { (const char *)data, size };
	struct bus_buf b = { 0 };
	struct adapter_form f;

	if (read_text(text, &f) == BUS_OK)
		for (size_t i = 0; i < f.n; i++)
			assert(f.line[i].why || adapter_form_find(&f, f.line[i].id) == &f.line[i]);
	adapter_form_release(&f);
	if (size == 0 || size > 4096 || bus_utf8_ok(text.p, size) != size || memchr(data, 0, size))
		return 0;
	bus_buf_puts(&b, "#id,");
	adapter_form_put_name(&b, text);
	bus_buf_puts(&b, "\r\n'a:1,");
	adapter_form_put(&b, text);
	assert(read_text(bus_buf_str(&b), &f) == BUS_OK && f.n == 1 && !f.line[0].why);
	assert(bus_str_eq(f.column[1], text) && bus_str_eq(f.line[0].cell[1], text));
	adapter_form_release(&f);
	bus_buf_release(&b);
	return 0;
}
