#include "gateway/export/package.h"

#include "bus/base64.h"
#include "bus/json_out.h"

static void put_field(struct bus_json_out *j, const struct gw_params *p, size_t i)
{
	static const char *const type[] = { "any", "integer", "number", "string", "boolean", "any" };
	const size_t k = p->column[i];
	const struct gw_column *c = &p->view->column[k];
	const char pdp[2] = { c->pdp, 0 };

	bus_json_object(j);
	bus_json_text_member(j, "name", p->name[i]);
	bus_json_text_member(j, "type", type[c->type]);
	bus_json_some_text_member(j, "title", c->title_id);
	bus_json_some_text_member(j, "description", c->about_id);
	if (c->type == GW_REAL && p->excel)
		bus_json_text_member(j, "decimalChar", ",");
	bus_json_some_text_member(j, "titian:title_en", c->title_en);
	bus_json_some_text_member(j, "titian:about_en", c->about_en);
	bus_json_some_text_member(j, "titian:unit", c->unit);
	bus_json_text_member(j, "titian:pdp", pdp);
	bus_json_key(j, "titian:masked");
	bus_json_put_bool(j, !(p->grant.clear >> k & 1));
	bus_json_object_end(j);
}

static void put_schema(struct bus_json_out *j, const struct gw_params *p)
{
	const char *key = NULL;

	bus_json_key(j, "schema");
	bus_json_object(j);
	bus_json_key(j, "fields");
	bus_json_array(j);
	for (size_t i = 0; i < p->n_columns; i++) {
		put_field(j, p, i);
		if (p->column[i] == p->view->key)
			key = p->name[i];
	}
	bus_json_array_end(j);
	if (key && p->grant.clear >> p->view->key & 1)
		bus_json_text_member(j, "primaryKey", key);
	bus_json_object_end(j);
}

static void put_resource(struct bus_json_out *j, struct gw_export *x, const struct gw_part *part)
{
	struct bus_buf text = { 0 };

	bus_json_object(j);
	/* A name holds lower case, digits, and - _ . */
	for (const char *p = strchr(part->name, '/') + 1; *p; p++)
		bus_buf_putc(&text, *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p);
	bus_json_text_member(j, "name", bus_buf_cstr(&text));
	bus_json_text_member(j, "path", part->name);
	bus_json_text_member(j, "format", x->kind->name);
	bus_json_text_member(j, "mediatype", x->kind == &gw_file_csv ? "text/csv" : x->kind->type);
	bus_json_text_member(j, "encoding", "utf-8");
	bus_json_key(j, "bytes");
	bus_json_put_int(j, part->bytes);
	bus_buf_reset(&text);
	bus_buf_printf(&text, "sha256:%s", part->sha256);
	bus_json_text_member(j, "hash", bus_buf_cstr(&text));
	bus_json_key(j, "titian:rows");
	bus_json_put_int(j, part->rows);
	bus_json_some_text_member(j, "titian:value", part->value);
	if (x->kind == &gw_file_csv) {
		bus_json_key(j, "dialect");
		bus_json_object(j);
		bus_json_text_member(j, "delimiter", x->params.excel ? ";" : ",");
		bus_json_object_end(j);
	}
	put_schema(j, &x->params);
	bus_json_object_end(j);
	bus_buf_release(&text);
}

void gw_package_json(struct gw_export *x, const struct gw_part *part, size_t n, struct bus_buf *out)
{
	const struct gw_view *v = x->view;
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_text_member(&j, "name", v->name);
	bus_json_text_member(&j, "title", v->title_id ? v->title_id : v->name);
	bus_json_some_text_member(&j, "description", v->about_id);
	bus_json_text_member(&j, "created", x->as_of);
	if (v->owner) {
		bus_json_key(&j, "sources");
		bus_json_array(&j);
		bus_json_object(&j);
		bus_json_text_member(&j, "title", v->owner);
		bus_json_object_end(&j);
		bus_json_array_end(&j);
	}
	bus_json_key(&j, "titian");
	bus_json_object(&j);
	bus_json_text_member(&j, "view", v->name);
	bus_json_some_text_member(&j, "title_en", v->title_en);
	bus_json_text_member(&j, "as_of", x->as_of);
	bus_json_key(&j, "seq");
	bus_json_put_int(&j, x->seq);
	bus_json_key(&j, "cursor");
	bus_json_put_text(&j, x->cursor);
	bus_json_some_text_member(&j, "per_tanggal", x->params.query.date);
	bus_json_some_text_member(&j, "split", x->split >= 0 ? v->column[x->split].name : NULL);
	bus_json_some_text_member(&j, "purpose", v->purpose_id);
	bus_json_some_text_member(&j, "basis", v->basis);
	bus_json_object_end(&j);
	bus_json_key(&j, "resources");
	bus_json_array(&j);
	for (size_t i = 0; i < n; i++)
		put_resource(&j, x, &part[i]);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	bus_buf_putc(out, '\n');
}

void gw_package_readme(struct gw_export *x, struct bus_buf *out)
{
	bus_buf_printf(
	    out,
	    "%s\r\n\r\n"
	    "Isi: datapackage.json (kolom, satuan, kelas data pribadi, waktu, kursor) dan berkas di "
	    "data/.\r\n"
	    "Periksa: sha256sum -c SHA256SUMS; lalu tanda tangannya, dengan kunci dari "
	    "/.well-known/titian-exports.pem:\r\n"
	    "  openssl pkeyutl -verify -pubin -inkey titian-exports.pem -rawin -in SHA256SUMS -sigfile "
	    "SHA256SUMS.sig\r\n"
	    "Lanjutkan: GET /v1/views/%s/changes?after=KURSOR memberi tepat apa yang berubah "
	    "sesudahnya.\r\n\r\n"
	    "Contents: datapackage.json (columns, units, classes of personal data, time, cursor) and the "
	    "files in data/.\r\n"
	    "Verify: sha256sum -c SHA256SUMS; then its signature, with the key of "
	    "/.well-known/titian-exports.pem, as above.\r\n"
	    "Go on: GET /v1/views/%s/changes?after=CURSOR gives exactly what has changed since.\r\n",
	    x->view->title_id ? x->view->title_id : x->view->name, x->view->name, x->view->name);
}

void gw_package_sum(const char *sha256, const char *name, struct bus_buf *out)
{
	bus_buf_printf(out, "%s  %s\n", sha256, name);
}

void gw_package_key(const struct gw_exports *all, struct bus_buf *out)
{
	static const char head[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
	struct bus_buf der = { 0 };

	bus_buf_put(&der, head, sizeof(head));
	bus_buf_put(&der, all->public_key, sizeof(all->public_key));
	bus_buf_puts(out, "-----BEGIN PUBLIC KEY-----\n");
	bus_base64_put(bus_buf_str(&der), out);
	bus_buf_puts(out, "\n-----END PUBLIC KEY-----\n");
	bus_buf_release(&der);
}
