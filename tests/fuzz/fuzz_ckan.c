/* A query of CKAN's search from outside, and a moment: taken or refused with a reason, whatever it is. */
#include <assert.h>

#include "bus/mem.h"
#include "gateway/catalogue/ckan_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keyword[] = { "bansos", "lansia" };
	static const struct gw_card card = {
		.issued = "2026-11-01", .theme = "SOCI", .keyword = keyword, .n_keywords = 2
	};
	static const struct gw_view view = {
		.name = "penduduk", .title_id = "Penduduk", .title_en = "Residents", .card = &card
	};
	static const struct gw_shelf_form form = { .name = "csv", .format = "CSV" };
	static const struct gw_shelf_conf conf = { .walidata = "diskominfo" };
	static const struct gw_shelf shelf = { .conf = &conf };
	const struct gw_shelf_item item = {
		.view = &view, .form = &form, .n_forms = 1, .modified_ms = 1764547200000
	};
	char *text = bus_xstrndup((const char *)data, size), why[200] = "";
	bool holds;
	int64_t ms;

	if (!gw_ckan_query(&shelf, &item, text, &holds, why, sizeof(why)))
		assert(*why);
	(void)gw_shelf_moment(text, &ms);
	free(text);
	return 0;
}
