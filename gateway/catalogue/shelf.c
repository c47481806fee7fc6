#include "gateway/catalogue/shelf.h"

#include <stdio.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "gateway/engine/live.h"
#include "gateway/engine/standing.h"

#define DAY_S 86400

static const struct gw_shelf_form view_forms[] = {
	{ "json", "", "application/json", "JSON", "Baris, halaman demi halaman, dengan saringan",
	  "Rows, page by page, with filters", "JSON", false },
	{ "csv", ".csv", "text/csv", "CSV", "Seluruhnya sebagai CSV", "All of it as CSV", "CSV", true },
	{ "xlsx", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX",
	  "Seluruhnya sebagai lembar kerja, dengan kamus datanya",
	  "All of it as a sheet, with its dictionary", "XLSX", true },
	{ "ndjson", ".ndjson", "application/x-ndjson", "NDJSON", "Seluruhnya, satu objek JSON sebaris",
	  "All of it, a JSON object a line", NULL, true },
	{ "avro", ".avro", "application/vnd.apache.avro", "Avro", "Seluruhnya sebagai berkas Avro",
	  "All of it as an Avro file", NULL, true },
	{ "parquet", ".parquet", "application/vnd.apache.parquet", "Parquet", "Seluruhnya sebagai Parquet",
	  "All of it as Parquet", NULL, true },
	{ "feed", "/changes", "text/event-stream", "SSE", "Umpan perubahan, dapat dilanjutkan kapan saja",
	  "The feed of changes, to be resumed at any time", NULL, false },
};

static int64_t modified(struct gw_api *api, const struct gw_view *v)
{
	struct gw_view_state state;
	struct gw_standing standing;
	int year, month, day;
	int32_t days;
	int64_t ms;

	gw_view_standing(api->engine, v, &standing);
	ms = standing.newest_ms;
	if (gw_view_state(api->engine, v->name, &state) == BUS_OK && state.when_ms > ms)
		ms = state.when_ms;
	if (v->card && v->card->issued && sscanf(v->card->issued, "%d-%d-%d", &year, &month, &day) == 3 &&
	    bus_clock_days(year, month, day, &days) && days * (int64_t)DAY_S * 1000 > ms)
		ms = days * (int64_t)DAY_S * 1000;
	return ms;
}

static const struct gw_shelf_form figures_forms[] = {
	{ "json", "", "application/json", "JSON", "Angka per bulan dan wilayah", "Figures by month and area",
	  "JSON", false },
	{ "csv", "?format=csv", "text/csv", "CSV", "Angka per bulan dan wilayah sebagai CSV",
	  "Figures by month and area as CSV", "CSV", true },
};

static const char *page_of(struct bus_arena *a, const struct gw_view *v)
{
	const char *path = v->figures ? "/v1/nasional/agregat/" : "/v1/views/";
	size_t n = strlen(path), m = strlen(v->name);
	char *page = bus_arena_zalloc(a, n + m + 1);

	memcpy(page, path, n);
	memcpy(page + n, v->name, m);
	return page;
}

void gw_shelf_of(struct gw_api *api, struct bus_http_request *req, const char *reader, struct gw_shelf *out)
{
	const struct gw_views *views = gw_api_views(api, req);

	*out = (struct gw_shelf){ .conf = api->catalogue, .english = gw_english(req) };
	out->item = bus_arena_zalloc(bus_http_arena(req), (views->n + 1) * sizeof(*out->item));
	for (size_t i = 0; i < views->n; i++) {
		const struct gw_view *v = views->view[i];
		struct gw_shelf_item *item = &out->item[out->n];

		if (v->internal && !v->figures) /* rows of an indicator are not served, its figures are */
			continue;
		item->grant = (struct gw_grant){ 0 };
		if (reader && v->figures && v->open == GW_SHARED)
			item->grant.allowed = true;
		else if (reader && !v->figures)
			item->grant = gw_access_grant(api->access, reader, v);
		if (!item->grant.allowed && v->open != GW_OPEN)
			continue;
		if (!item->grant
			 .allowed) /* a catalogue tells of all of what is open, which has no personal column */
			item->grant.shown = item->grant.clear = UINT64_MAX;
		item->view = v;
		item->page = page_of(bus_http_arena(req), v);
		item->form = v->figures ? figures_forms : view_forms;
		item->n_forms = v->figures ? BUS_LEN(figures_forms) : BUS_LEN(view_forms);
		item->modified_ms = modified(api, v);
		if (item->modified_ms > out->modified_ms)
			out->modified_ms = item->modified_ms;
		out->n++;
	}
}

bool gw_shelf_open(struct gw_api *api, struct bus_http_request *req, struct gw_shelf *out)
{
	char reader[GW_READER_NAME_MAX];
	bool keyed = gw_api_keyed(req);

	if (keyed ? !gw_api_reader(api, req, reader) : !gw_api_anybody(api, req))
		return false;
	gw_shelf_of(api, req, keyed ? reader : NULL, out);
	return true;
}

const struct gw_shelf_item *gw_shelf_find(const struct gw_shelf *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->item[i].view->name, name) == 0)
			return &s->item[i];
	}
	return NULL;
}

void gw_shelf_newer(struct gw_shelf *s, int64_t since_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->item[i].modified_ms >= since_ms)
			s->item[n++] = s->item[i];
	}
	s->n = n;
}

bool gw_shelf_moment(const char *text, int64_t *ms)
{
	int year, month, day, hour = 0, minute = 0, second = 0, zone_h = 0, zone_m = 0, n = 0, more = 0;
	int32_t days;
	char sign = '+';

	if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &n) != 3 ||
	    !bus_clock_days(year, month, day, &days))
		return false;
	text += n;
	if (*text == 'T' || *text == ' ') {
		if (sscanf(++text, "%2d:%2d:%2d%n", &hour, &minute, &second, &more) != 3 || hour > 23 ||
		    minute > 59 || second > 60 || hour < 0 || minute < 0 || second < 0)
			return false;
		text += more;
		if (*text == '.')
			text += 1 + strspn(text + 1, "0123456789");
	}
	if (*text == 'Z') {
		text++;
	} else if (*text == '+' || *text == '-') {
		sign = *text;
		n = 0;
		if (sscanf(text + 1, "%2d:%2d%n", &zone_h, &zone_m, &n) != 2 || zone_h > 14 || zone_m > 59)
			return false;
		text += 1 + n;
	}
	if (*text != '\0')
		return false;
	*ms = days * (int64_t)DAY_S * 1000 + ((hour * 60 + minute) * 60 + second) * INT64_C(1000) -
	      (sign == '-' ? -1 : 1) * (zone_h * 60 + zone_m) * INT64_C(60000);
	return true;
}

const char *gw_shelf_department(const struct gw_shelf *s, const char *owner)
{
	for (size_t i = 0; i < s->conf->names.n; i++) {
		if (strcmp(s->conf->names.key[i], owner) == 0)
			return s->conf->names.value[i];
	}
	return owner;
}

const char *gw_shelf_title(const struct gw_shelf *s, const struct gw_view *v)
{
	return !v->title_id ? v->name : s->english ? v->title_en : v->title_id;
}

const char *gw_shelf_about(const struct gw_shelf *s, const struct gw_view *v)
{
	return !v->about_id ? gw_shelf_title(s, v) : s->english ? v->about_en : v->about_id;
}

const char *gw_shelf_owner(const struct gw_shelf *s, const struct gw_view *v)
{
	return v->owner ? v->owner : s->conf->walidata;
}

const struct gw_theme *gw_shelf_theme(const struct gw_view *v)
{
	for (size_t i = 0; v->card && i < GW_THEMES; i++) {
		if (strcmp(gw_card_themes[i].code, v->card->theme) == 0)
			return &gw_card_themes[i];
	}
	return NULL;
}

const struct gw_rhythm *gw_shelf_rhythm(const struct gw_view *v)
{
	static const struct {
		int64_t s;
		struct gw_rhythm is;
	} rhythm[] = {
		{ 0, { "UNKNOWN", "irregular", "Tidak dijanjikan", "Not promised" } },
		{ 600, { "UPDATE_CONT", "R/PT1S", "Terus-menerus", "Continuously" } },
		{ 3600, { "HOURLY", "R/PT1H", "Setiap jam", "Hourly" } },
		{ DAY_S, { "DAILY", "R/P1D", "Harian", "Daily" } },
		{ 7 * DAY_S, { "WEEKLY", "R/P1W", "Mingguan", "Weekly" } },
		{ 31 * DAY_S, { "MONTHLY", "R/P1M", "Bulanan", "Monthly" } },
		{ 92 * DAY_S, { "QUARTERLY", "R/P3M", "Triwulanan", "Quarterly" } },
		{ INT64_MAX, { "ANNUAL", "R/P1Y", "Tahunan", "Yearly" } },
	};
	size_t i = 0;

	while (v->max_age_s > rhythm[i].s)
		i++;
	return &rhythm[i].is;
}

void gw_shelf_uuid(const char *kind, const char *name, const char *part, char out[37])
{
	struct bus_buf text = { 0 };
	uint8_t d[BUS_SHA256_LEN];

	bus_buf_printf(&text, "titian/%s/%s/%s", kind, name, part);
	bus_sha256(text.p, text.n, d);
	bus_buf_release(&text);
	d[6] = (uint8_t)((d[6] & 0x0f) | 0x80); /* RFC 9562: version 8, of one's own making */
	d[8] = (uint8_t)((d[8] & 0x3f) | 0x80);
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1],
		 d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}
