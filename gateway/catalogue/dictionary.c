/* GET /catalog/dictionary.xlsx, /v1/views/{view}/dictionary.xlsx: what there is, and what every column means and is made of. */
#include <stdio.h>

#include "gateway/catalogue/shelf.h"
#include "gateway/export/file.h"
#include "gateway/export/xlsx_book.h"
#include "gateway/serve/kept.h"

#define LINES_MAX 20000 /* of columns: a handler's work is short */
#define KEEP_MS 60000	/* everybody's, which anybody may ask for */

static const char *const access_word[] = { "tertutup / closed", "terbatas / shared", "terbuka / open" };

static void put_view(struct gw_book *b, const struct gw_shelf *s, const struct gw_view *v)
{
	static const struct gw_card nothing;
	const struct gw_card *c = v->card ? v->card : &nothing;
	const struct gw_theme *theme = gw_shelf_theme(v);
	const char *const line[] = { v->name,
				     v->title_id,
				     v->title_en,
				     v->about_id,
				     v->about_en,
				     gw_shelf_department(s, gw_shelf_owner(s, v)),
				     access_word[v->open],
				     theme ? theme->id : NULL,
				     c->concept_id,
				     c->class_id,
				     c->measure_id,
				     c->unit,
				     c->area,
				     gw_shelf_rhythm(v)->id,
				     v->purpose_id,
				     v->basis,
				     c->since,
				     c->issued };

	gw_book_line(b, line, BUS_LEN(line));
}

static void put_columns(struct gw_book *b, const struct gw_shelf_item *item)
{
	const struct gw_view *v = item->view;
	struct bus_buf from = { 0 };

	for (size_t i = 0; i < v->n_columns; i++) {
		const struct gw_column *c = &v->column[i];
		const char pdp[2] = { c->pdp, 0 };
		const char *line[] = {
			v->name, c->name, c->title_id, c->title_en, gw_column_type_name(c->type),   c->unit,
			pdp,	 NULL,	  c->about_id, c->about_en, i == v->key ? "ya / yes" : NULL
		};

		if (!(item->grant.shown >> i & 1))
			continue;
		bus_buf_reset(&from);
		for (size_t k = 0; k < c->n_from; k++)
			bus_buf_printf(&from, "%s%s", k ? ", " : "", c->from[k]);
		line[7] = bus_buf_cstr(&from);
		gw_book_line(b, line, BUS_LEN(line));
	}
	bus_buf_release(&from);
}

static void put_book(struct gw_book *b, const struct gw_shelf *s, const struct gw_shelf_item *item, size_t n)
{
	static const char *const views[] = { "tayangan / view",
					     "judul",
					     "title",
					     "definisi",
					     "definition",
					     "produsen / owner",
					     "sifat / access",
					     "tema / theme",
					     "konsep / concept",
					     "klasifikasi / classification",
					     "ukuran / measure",
					     "satuan / unit",
					     "penyajian / area",
					     "pemutakhiran / rhythm",
					     "tujuan / purpose",
					     "dasar hukum / basis",
					     "awal data / since",
					     "terbit / issued" };
	static const char *const columns[] = {
		"tayangan / view",   "kolom / column", "judul",	     "title", "jenis / type", "satuan / unit",
		"kelas PDP / class", "asal / lineage", "keterangan", "about", "kunci / key"
	};

	gw_book_sheet(b, "Tayangan", views, BUS_LEN(views));
	for (size_t i = 0; i < n; i++)
		put_view(b, s, item[i].view);
	gw_book_sheet(b, "Kolom", columns, BUS_LEN(columns));
	for (size_t i = 0; i < n; i++)
		put_columns(b, &item[i]);
}

void gw_catalogue_dictionary(void *ctx, struct bus_http_request *req)
{
	static const struct gw_grant nothing;
	const char *name = bus_http_part(req, "view");
	const struct gw_shelf_item *item;
	struct gw_asked asked = { 0 };
	struct bus_buf body = { 0 };
	struct bus_error err;
	struct gw_shelf shelf;
	struct gw_book *b;
	size_t n, lines = 0;
	char as[160];

	if (!gw_shelf_open(ctx, req, &shelf))
		return;
	item = *name ? gw_shelf_find(&shelf, name) : shelf.item;
	n = *name ? 1 : shelf.n;
	if (!item) {
		gw_problem(req, "view-unknown", NULL, "/catalog");
		return;
	}
	if (!gw_api_keyed(req) && gw_kept_answer(ctx, req, NULL, &nothing, 0, &asked))
		return;
	asked.age_ms = KEEP_MS;
	for (size_t i = 0; i < n; i++)
		lines += item[i].view->n_columns;
	if (lines > LINES_MAX) {
		gw_problem(req, "unavailable", NULL, "/v1/views/{view}/dictionary.xlsx");
		return;
	}
	b = gw_book_new();
	put_book(b, &shelf, item, n);
	if (gw_book_end(&b, &body, &err)) {
		bus_buf_release(&body);
		gw_problem(req, "unavailable", NULL, NULL);
		return;
	}
	snprintf(as, sizeof(as), "attachment; filename=\"kamus%s%s.xlsx\"", *name ? "-" : "",
		 *name ? item->view->name : "");
	bus_http_set(req, "Content-Disposition", as);
	bus_http_set(req, "Vary", "Authorization, X-Api-Key");
	gw_kept_reply(ctx, req, &asked, 200,
		      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &body);
}
