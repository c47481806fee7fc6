/* What became of every row that a department offered: what its adapter counted, file by file, and what only
 * the reader of all feeds can settle (quality views). */
#include <stdio.h>

#include "bus/json.h"
#include "bus/json_out.h"
#include "gateway/engine/core.h"

#define FILES_SHOWN 20 /* newest, a feed */
#define CLASSES_MAX 128

struct tally {
	char name[64];
	int64_t n;
};

enum { PHYSICAL, DATA, ACCEPTED, REFUSED, LOOSE, PUBLISHED, COUNTS };

struct feed {
	char name[64];
	const char *opd;
	int64_t count[COUNTS];
	struct tally class_[CLASSES_MAX], seen[CLASSES_MAX];
	size_t n_classes, n_seen;
	char sha256[80], status[32];
	struct bus_buf files, control; /* JSON: members of an array; an array */
	int n_files;
	bool settled; /* the newest whole register has been taken: what is older than it no longer counts */
	bool counted; /* a file has been taken */
};

static void add(struct tally *t, size_t *n, struct bus_str name, int64_t count)
{
	for (size_t i = 0; i < *n; i++) {
		if (bus_str_is(name, t[i].name)) {
			t[i].n += count;
			return;
		}
	}
	if (*n == CLASSES_MAX || name.n >= sizeof(t->name))
		return;
	snprintf(t[*n].name, sizeof(t->name), "%.*s", (int)name.n, name.p);
	t[(*n)++].n = count;
}

static void add_map(struct tally *t, size_t *n, struct bus_str json)
{
	struct bus_arena *arena = bus_arena_new(256 * 1024);
	struct bus_json *map;
	int64_t count;

	if (bus_json_parse(json, NULL, arena, &map, NULL) == BUS_OK && map->type == BUS_JSON_OBJECT) {
		for (const struct bus_json *m = map->first; m; m = m->next) {
			if (bus_json_int(m, &count) == BUS_OK)
				add(t, n, m->name, count);
		}
	}
	bus_arena_free(&arena);
}

static void copy(char *to, size_t n, struct bus_str s)
{
	snprintf(to, n, "%.*s", (int)s.n, s.p ? s.p : "");
}

enum column {
	FEED,
	NAME,
	SHA256,
	SIZE,
	STATUS,
	REASON,
	WHOLE,
	ORDER,
	FIRST_COUNT,
	CLASSES = FIRST_COUNT + COUNTS,
	SEEN,
	CONTROL,
	DONE
};

static const char columns[] =
    "umpan, nama, sha256, ukuran, status, alasan, lengkap, urutan, baris_fisik, baris_data, "
    "diterima, ditolak, tak_tergabung, diterbitkan, kelas, pengamatan, kendali, selesai";

static void show_file(struct feed *f, struct gw_stmt *s)
{
	struct bus_json_out j = { .buf = &f->files };

	if (f->n_files++ >= FILES_SHOWN)
		return;
	if (f->files.n)
		bus_buf_putc(&f->files, ',');
	bus_json_object(&j);
	bus_json_key(&j, "nama");
	bus_json_put_str(&j, gw_stmt_text(s, NAME));
	bus_json_key(&j, "sha256");
	bus_json_put_str(&j, gw_stmt_text(s, SHA256));
	bus_json_key(&j, "ukuran");
	bus_json_put_int(&j, gw_stmt_int(s, SIZE));
	bus_json_key(&j, "status");
	bus_json_put_str(&j, gw_stmt_text(s, STATUS));
	bus_json_key(&j, "alasan");
	if (gw_stmt_is_null(s, REASON))
		bus_json_put_null(&j);
	else
		bus_json_put_str(&j, gw_stmt_text(s, REASON));
	bus_json_key(&j, "baris_data");
	bus_json_put_int(&j, gw_stmt_int(s, FIRST_COUNT + DATA));
	bus_json_key(&j, "diterima");
	bus_json_put_int(&j, gw_stmt_int(s, FIRST_COUNT + ACCEPTED));
	bus_json_key(&j, "ditolak");
	bus_json_put_int(&j, gw_stmt_int(s, FIRST_COUNT + REFUSED));
	bus_json_key(&j, "selesai");
	if (gw_stmt_is_null(s, DONE))
		bus_json_put_null(&j);
	else
		bus_json_put_str(&j, gw_stmt_text(s, DONE));
	bus_json_object_end(&j);
}

/* Files come newest first. */
static void take_file(struct feed *f, struct gw_stmt *s)
{
	struct bus_str status = gw_stmt_text(s, STATUS);

	if (f->status[0] == '\0')
		copy(f->status, sizeof(f->status), status);
	show_file(f, s);
	if (f->settled || bus_str_is(status, "DITOLAK"))
		return; /* of a refused one no row was read */
	if (gw_stmt_int(s, WHOLE)) {
		if (bus_str_is(status, "DIPROSES"))
			return;
		f->settled = true;
	}
	for (int i = 0; i < COUNTS; i++)
		f->count[i] += gw_stmt_int(s, FIRST_COUNT + i);
	add_map(f->class_, &f->n_classes, gw_stmt_text(s, CLASSES));
	add_map(f->seen, &f->n_seen, gw_stmt_text(s, SEEN));
	if (!f->counted) {
		copy(f->sha256, sizeof(f->sha256), gw_stmt_text(s, SHA256));
		bus_buf_put(&f->control, gw_stmt_text(s, CONTROL).p, gw_stmt_text(s, CONTROL).n);
	}
	f->counted = true;
}

static void take_views(struct gw_engine *e, struct feed *f)
{
	struct gw_views *set = gw_views_hold(e);

	for (size_t i = 0; i < set->n; i++) {
		const struct gw_def *d = gw_view_def(set->view[i]);
		int64_t n;

		if (!d->quality || strcmp(d->opd, f->opd) != 0 || strcmp(d->feed, f->name) != 0)
			continue;
		n = atomic_load(&d->rows);
		add(f->class_, &f->n_classes, bus_str(d->class_name), n);
		if (d->fate == GW_FATE_REFUSE) {
			f->count[ACCEPTED] -= n;
			f->count[REFUSED] += n;
		} else if (d->fate == GW_FATE_LOOSE) {
			f->count[LOOSE] += n;
		}
	}
	gw_views_release(&set);
}

static void put_tally(struct bus_json_out *j, const char *key, const struct tally *t, size_t n)
{
	bus_json_key(j, key);
	bus_json_object(j);
	for (size_t i = 0; i < n; i++) {
		if (t[i].n == 0)
			continue;
		bus_json_key(j, t[i].name);
		bus_json_put_int(j, t[i].n);
	}
	bus_json_object_end(j);
}

static void put_feed(struct bus_json_out *j, struct feed *f)
{
	static const char *const name[COUNTS] = { "baris_fisik", "baris_data",	  "diterima",
						  "ditolak",	 "tak_tergabung", "diterbitkan" };
	struct bus_buf files = { 0 };

	bus_json_object(j);
	bus_json_key(j, "opd");
	bus_json_put_text(j, f->opd);
	bus_json_key(j, "umpan");
	bus_json_put_text(j, f->name);
	for (int i = 0; i < COUNTS; i++) {
		bus_json_key(j, name[i]);
		bus_json_put_int(j, f->count[i]);
	}
	put_tally(j, "kelas", f->class_, f->n_classes);
	put_tally(j, "pengamatan", f->seen, f->n_seen);
	bus_json_key(j, "kendali");
	bus_json_put_raw(j, f->control.n ? bus_buf_str(&f->control) : BUS_STR("[]"));
	bus_json_key(j, "sha256");
	bus_json_put_text(j, f->sha256);
	bus_json_key(j, "status");
	bus_json_put_text(j, f->status);
	bus_json_key(j, "berkas");
	bus_buf_putc(&files, '[');
	bus_buf_put(&files, f->files.p, f->files.n);
	bus_buf_putc(&files, ']');
	bus_json_put_raw(j, bus_buf_str(&files));
	bus_json_object_end(j);
	bus_buf_release(&files);
}

static void end_feed(struct gw_engine *e, struct bus_json_out *j, struct feed **f)
{
	if (!*f)
		return;
	take_views(e, *f);
	put_feed(j, *f);
	bus_buf_release(&(*f)->files);
	bus_buf_release(&(*f)->control);
	free(*f);
	*f = NULL;
}

static enum bus_err put_opd(struct gw_reader *r, const struct gw_topic *t, struct bus_json_out *j,
			    struct bus_error *err)
{
	struct gw_stmt *s;
	struct feed *f = NULL;
	char sql[512];
	enum bus_err rc;
	bool row;

	snprintf(sql, sizeof(sql), "SELECT %s FROM \"%s\" ORDER BY umpan, urutan DESC, mulai DESC", columns,
		 t->count.table);
	rc = gw_reader_stmt(r, sql, &s, err);
	if (rc != BUS_OK)
		return rc;
	while ((rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		if (f && !bus_str_is(gw_stmt_text(s, FEED), f->name))
			end_feed(gw_reader_engine(r), j, &f);
		if (!f) {
			f = bus_xcalloc(1, sizeof(*f));
			f->opd = t->count.opd;
			copy(f->name, sizeof(f->name), gw_stmt_text(s, FEED));
		}
		take_file(f, s);
	}
	gw_stmt_reset(s);
	end_feed(gw_reader_engine(r), j, &f);
	return rc;
}

enum bus_err gw_quality_json(struct gw_reader *r, struct bus_buf *out, struct bus_error *err)
{
	struct gw_engine *e = gw_reader_engine(r);
	struct bus_json_out j = { .buf = out };
	enum bus_err rc = BUS_OK;

	bus_json_array(&j);
	for (size_t i = 0; i < e->n_topics && rc == BUS_OK; i++) {
		if (strcmp(e->topic[i].count.entity, "berkas") == 0)
			rc = put_opd(r, &e->topic[i], &j, err);
	}
	bus_json_array_end(&j);
	return rc;
}
