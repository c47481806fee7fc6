#include <stdio.h>
#include <time.h>

#include "gateway/catalogue/ckan.h"

const char *gw_ckan_moment(int64_t ms, char out[40])
{
	time_t s = (time_t)(ms / 1000);
	struct tm t;
	size_t n;

	gmtime_r(&s, &t);
	n = strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &t);
	snprintf(out + n, 40 - n, ".%03d000", (int)(ms % 1000));
	return out;
}

int64_t gw_ckan_created(const struct gw_shelf_item *item)
{
	const struct gw_card *c = item->view->card;
	int64_t ms = 0;

	if (c && c->issued && gw_shelf_moment(c->issued, &ms))
		return ms;
	return item->modified_ms;
}

const char *gw_ckan_licence(const struct gw_view *v)
{
	return v->open == GW_OPEN ? "cc-by" : "other-closed";
}

static void put_uuid(struct bus_json_out *j, const char *key, const char *kind, const char *name,
		     const char *part)
{
	char id[37];

	gw_shelf_uuid(kind, name, part, id);
	bus_json_text_member(j, key, id);
}

static void put_url(struct bus_json_out *j, const char *key, const char *base, const char *path,
		    const char *tail)
{
	struct bus_buf url = { 0 };

	bus_buf_printf(&url, "%s%s%s", base, path, tail);
	bus_json_text_member(j, key, bus_buf_cstr(&url));
	bus_buf_release(&url);
}

static void put_flag(struct bus_json_out *j, const char *key, bool value)
{
	bus_json_key(j, key);
	bus_json_put_bool(j, value);
}

static void put_number(struct bus_json_out *j, const char *key, int64_t value)
{
	bus_json_key(j, key);
	bus_json_put_int(j, value);
}

static void put_moment(struct bus_json_out *j, const char *key, int64_t ms)
{
	char text[40];

	bus_json_text_member(j, key, gw_ckan_moment(ms, text));
}

void gw_ckan_put_tag(struct bus_json_out *j, const char *name)
{
	bus_json_object(j);
	bus_json_text_member(j, "display_name", name);
	put_uuid(j, "id", "tag", name, "");
	bus_json_text_member(j, "name", name);
	bus_json_text_member(j, "state", "active");
	bus_json_text_member(j, "vocabulary_id", NULL);
	bus_json_object_end(j);
}

void gw_ckan_put_resource(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_shelf_item *item,
			  size_t form)
{
	const struct gw_shelf_form *f = &item->form[form];
	const char *name = item->view->name;

	bus_json_object(j);
	bus_json_text_member(j, "cache_last_updated", NULL);
	bus_json_text_member(j, "cache_url", NULL);
	put_moment(j, "created", gw_ckan_created(item));
	bus_json_text_member(j, "description", s->english ? f->en : f->id);
	bus_json_text_member(j, "format", f->format);
	bus_json_text_member(j, "hash", "");
	put_uuid(j, "id", "resource", name, f->name);
	put_moment(j, "last_modified", item->modified_ms);
	put_moment(j, "metadata_modified", item->modified_ms);
	bus_json_text_member(j, "mimetype", f->media);
	bus_json_text_member(j, "mimetype_inner", NULL);
	put_url(j, "name", name, f->file ? "." : " ", f->name);
	put_uuid(j, "package_id", "dataset", name, "");
	put_number(j, "position", (int64_t)form);
	bus_json_text_member(j, "resource_type", f->file ? "file" : "api");
	bus_json_text_member(j, "size", NULL);
	bus_json_text_member(j, "state", "active");
	put_url(j, "url", s->conf->base, item->page, f->tail);
	bus_json_text_member(j, "url_type", NULL);
	bus_json_object_end(j);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool gw_ckan_group(const struct gw_shelf *s, bool organization, size_t i, struct gw_ckan_group *out)
{
	const char *name[64]; /* departments of a city, or themes; what is beyond is not listed as a group */
	size_t n = 0;

	*out = (struct gw_ckan_group){ .organization = organization, .about = "" };
	for (size_t k = 0; k < s->n && n < BUS_LEN(name); k++) {
		const struct gw_theme *t = gw_shelf_theme(s->item[k].view);
		const char *here = organization ? gw_shelf_owner(s, s->item[k].view) : t ? t->code : NULL;
		size_t m = 0;

		while (here && m < n && strcmp(name[m], here) != 0)
			m++;
		if (here && m == n)
			name[n++] = here;
	}
	qsort(name, n, sizeof(*name), by_name);
	if (i >= n)
		return false;
	out->name = out->title = name[i];
	if (organization)
		out->title = gw_shelf_department(s, name[i]);
	for (size_t t = 0; !organization && t < GW_THEMES; t++) {
		if (strcmp(gw_card_themes[t].code, name[i]) == 0)
			out->title = s->english ? gw_card_themes[t].en : gw_card_themes[t].id;
	}
	for (size_t k = 0; k < s->n; k++)
		out->packages += gw_ckan_in_group(s, &s->item[k], out);
	return true;
}

bool gw_ckan_in_group(const struct gw_shelf *s, const struct gw_shelf_item *item,
		      const struct gw_ckan_group *g)
{
	const struct gw_theme *t = gw_shelf_theme(item->view);
	const char *here = g->organization ? gw_shelf_owner(s, item->view) : t ? t->code : "";

	return strcmp(here, g->name) == 0;
}

/* CKAN's names are lower case. */
static void put_name(struct bus_json_out *j, const char *key, const char *name)
{
	char lower[80];
	size_t n = 0;

	for (; name[n] && n < sizeof(lower) - 1; n++)
		lower[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] + 32 : name[n]);
	lower[n] = '\0';
	bus_json_text_member(j, key, lower);
}

static void put_group_members(struct bus_json_out *j, const struct gw_ckan_group *g)
{
	bus_json_text_member(j, "description", g->about);
	put_uuid(j, "id", g->organization ? "organization" : "group", g->name, "");
	put_name(j, "name", g->name);
	bus_json_text_member(j, "title", g->title);
}

static void put_organization(struct bus_json_out *j, const struct gw_ckan_group *g)
{
	put_group_members(j, g);
	bus_json_text_member(j, "approval_status", "approved");
	bus_json_text_member(j, "image_url", "");
	put_flag(j, "is_organization", g->organization);
	bus_json_text_member(j, "state", "active");
	bus_json_text_member(j, "type", g->organization ? "organization" : "group");
}

void gw_ckan_put_group(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_ckan_group *g,
		       bool packages)
{
	static const char *const empty[] = { "extras", "groups", "tags", "users" };

	bus_json_object(j);
	put_organization(j, g);
	bus_json_text_member(j, "display_name", g->title);
	bus_json_text_member(j, "image_display_url", "");
	put_number(j, "num_followers", 0);
	put_number(j, "package_count", (int64_t)g->packages);
	for (size_t i = 0; i < BUS_LEN(empty); i++) {
		bus_json_key(j, empty[i]);
		bus_json_array(j);
		bus_json_array_end(j);
	}
	if (packages) {
		bus_json_key(j, "packages");
		bus_json_array(j);
		for (size_t i = 0; i < s->n; i++) {
			if (gw_ckan_in_group(s, &s->item[i], g))
				gw_ckan_put_package(j, s, &s->item[i]);
		}
		bus_json_array_end(j);
	}
	bus_json_object_end(j);
}

static void put_extra(struct bus_json_out *j, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	bus_json_object(j);
	bus_json_text_member(j, "key", key);
	bus_json_text_member(j, "value", value);
	bus_json_object_end(j);
}

/* Satu Data Indonesia's metadata, under the names that Indonesian portals use. */
static void put_extras(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_view *v)
{
	const struct gw_card *c = v->card;

	bus_json_key(j, "extras");
	bus_json_array(j);
	put_extra(j, "produsen_data", gw_shelf_department(s, gw_shelf_owner(s, v)));
	put_extra(j, "walidata", gw_shelf_department(s, s->conf->walidata));
	put_extra(j, "tujuan", s->english ? v->purpose_en : v->purpose_id);
	put_extra(j, "dasar_hukum", v->basis);
	put_extra(j, "frekuensi_pemutakhiran", s->english ? gw_shelf_rhythm(v)->en : gw_shelf_rhythm(v)->id);
	put_extra(j, "cakupan", s->conf->place);
	put_extra(j, "kode_wilayah", s->conf->place_code);
	if (c) {
		put_extra(j, "konsep", s->english ? c->concept_en : c->concept_id);
		put_extra(j, "definisi", gw_shelf_about(s, v));
		put_extra(j, "klasifikasi", s->english ? c->class_en : c->class_id);
		put_extra(j, "ukuran", s->english ? c->measure_en : c->measure_id);
		put_extra(j, "satuan", c->unit);
		put_extra(j, "tingkat_penyajian", c->area);
		put_extra(j, "awal_data", c->since);
	}
	bus_json_array_end(j);
}

static void put_groups(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_view *v)
{
	const struct gw_theme *t = gw_shelf_theme(v);

	bus_json_key(j, "groups");
	bus_json_array(j);
	if (t) {
		const struct gw_ckan_group g = { .name = t->code,
						 .title = s->english ? t->en : t->id,
						 .about = "" };

		bus_json_object(j);
		put_group_members(j, &g);
		bus_json_text_member(j, "display_name", g.title);
		bus_json_text_member(j, "image_display_url", "");
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

static void put_words(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_shelf_item *item)
{
	const struct gw_view *v = item->view;
	const struct gw_ckan_group owner = { .organization = true,
					     .name = gw_shelf_owner(s, v),
					     .title = gw_shelf_department(s, gw_shelf_owner(s, v)),
					     .about = "" };

	bus_json_text_member(j, "author", owner.title);
	bus_json_text_member(j, "author_email", *s->conf->contact ? s->conf->contact : NULL);
	bus_json_text_member(j, "creator_user_id", NULL);
	put_uuid(j, "id", "dataset", v->name, "");
	put_flag(j, "isopen", v->open == GW_OPEN);
	bus_json_text_member(j, "license_id", gw_ckan_licence(v));
	bus_json_text_member(j, "license_title",
			     v->open == GW_OPEN ? "Creative Commons Attribution" : "Other (Not Open)");
	if (v->open == GW_OPEN)
		bus_json_text_member(j, "license_url", s->conf->licence);
	bus_json_text_member(j, "maintainer", gw_shelf_department(s, s->conf->walidata));
	bus_json_text_member(j, "maintainer_email", *s->conf->contact ? s->conf->contact : NULL);
	put_moment(j, "metadata_created", gw_ckan_created(item));
	put_moment(j, "metadata_modified", item->modified_ms);
	bus_json_text_member(j, "name", v->name);
	bus_json_text_member(j, "notes", gw_shelf_about(s, v));
	put_number(j, "num_resources", (int64_t)item->n_forms);
	put_number(j, "num_tags", v->card ? (int64_t)v->card->n_keywords : 0);
	bus_json_key(j, "organization");
	bus_json_object(j);
	put_organization(j, &owner);
	bus_json_object_end(j);
	put_uuid(j, "owner_org", "organization", owner.name, "");
	put_flag(j, "private", false);
	bus_json_text_member(j, "state", "active");
	bus_json_text_member(j, "title", gw_shelf_title(s, v));
	bus_json_text_member(j, "type", "dataset");
	put_url(j, "url", s->conf->base, "/catalog/datasets/", v->name);
	bus_json_text_member(j, "version", NULL);
}

void gw_ckan_put_package(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_shelf_item *item)
{
	const struct gw_view *v = item->view;
	static const char *const none[] = { "relationships_as_subject", "relationships_as_object" };

	bus_json_object(j);
	put_words(j, s, item);
	put_extras(j, s, v);
	put_groups(j, s, v);
	bus_json_key(j, "resources");
	bus_json_array(j);
	for (size_t i = 0; i < item->n_forms; i++)
		gw_ckan_put_resource(j, s, item, i);
	bus_json_array_end(j);
	bus_json_key(j, "tags");
	bus_json_array(j);
	for (size_t i = 0; v->card && i < v->card->n_keywords; i++)
		gw_ckan_put_tag(j, v->card->keyword[i]);
	bus_json_array_end(j);
	for (size_t i = 0; i < BUS_LEN(none); i++) {
		bus_json_key(j, none[i]);
		bus_json_array(j);
		bus_json_array_end(j);
	}
	bus_json_object_end(j);
}
