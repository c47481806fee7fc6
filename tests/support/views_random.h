/* tests/support/views_random.h - views made by chance over a small city of six topics, and streams of changes to it.
 *
 * Every class of view that the engine keeps is among them; which columns, filters and expressions, how deep they
 * stand on each other, and in which order what changes, chance decides, from a seed. */
#ifndef TESTS_SUPPORT_VIEWS_RANDOM_H
#define TESTS_SUPPORT_VIEWS_RANDOM_H

#include <stdio.h>

#include "bus/buf.h"

enum { PERSON, TAX, PLACE, SCHOOL, EVENT, AID, TOPICS };

#define V_MAYBE(name, type) "{\"name\":\"" name "\",\"type\":[\"null\"," type "],\"default\":null}"
#define V_TEXT(name) V_MAYBE(name, "\"string\"")
#define V_LONG(name) V_MAYBE(name, "\"long\"")
#define V_RECORD(name, kind, fields)                                                                         \
	"{\"type\":\"record\",\"name\":\"" name "\",\"x_jenis\":\"" kind                                     \
	"\",\"x_kunci\":\"id\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"}," fields "]}"

static const struct {
	const char *topic, *table, *schema, *columns; /* of the table, in SQL, after _key */
	unsigned keys;
	char letter;
} v_topic[TOPICS] = {
	{ "pku.uji.orang.v1", "uji_orang",
	  V_RECORD("Orang", "register",
		   V_TEXT("kel") "," V_TEXT("kerja") "," V_LONG("gaji") "," V_MAYBE(
		       "lahir", "{\"type\":\"int\",\"logicalType\":\"date\"}")),
	  "id TEXT, kel TEXT, kerja TEXT, gaji INTEGER, lahir TEXT", 24, 'o' },
	{ "pku.uji.pajak.v1", "uji_pajak",
	  V_RECORD("Pajak", "register",
		   V_TEXT("orang") "," V_TEXT("kel") "," V_LONG("besar") "," V_LONG("lunas")),
	  "id TEXT, orang TEXT, kel TEXT, besar INTEGER, lunas INTEGER", 40, 'p' },
	{ "pku.uji.tempat.v1", "uji_tempat", V_RECORD("Tempat", "register", V_TEXT("nama") "," V_TEXT("kec")),
	  "id TEXT, nama TEXT, kec TEXT", 6, 't' },
	{ "pku.uji.siswa.v1", "uji_siswa",
	  V_RECORD("Siswa", "register", V_TEXT("sekolah") "," V_LONG("tingkat")),
	  "id TEXT, sekolah TEXT, tingkat INTEGER", 24, 'o' },
	{ "pku.uji.kejadian.v1", "uji_kejadian",
	  V_RECORD("Kejadian", "peristiwa",
		   V_TEXT("orang") "," V_TEXT("waktu") "," V_TEXT("jenis") "," V_LONG("nilai")),
	  "id TEXT, orang TEXT, waktu TEXT, jenis TEXT, nilai INTEGER", 200, 'e' },
	{ "pku.uji.bansos.v1", "uji_bansos",
	  V_RECORD("Bansos", "register", V_TEXT("orang") "," V_TEXT("program")),
	  "id TEXT, orang TEXT, program TEXT", 30, 'b' },
};

struct v_chance {
	uint64_t seed;
	unsigned scale; /* so many times the keys; 0 is 1 */
};

static inline unsigned v_keys(const struct v_chance *c, int topic)
{
	return v_topic[topic].keys * (c->scale ? c->scale : 1);
}

static inline unsigned v_pick(struct v_chance *c, unsigned n)
{
	c->seed = c->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(c->seed >> 33) % n;
}

#define V_ONE(c, ...)                                                                                        \
	(((const char *const[]){ __VA_ARGS__ })[v_pick(                                                      \
	    (c), (unsigned)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)))])

/* --- definitions ------------------------------------------------------------------------------------- */

struct v_route {
	const char *table;
	char way[200];
};

struct v_def {
	char name[16], head[200], indexes[400], columns[700], body[1600];
	const char *kind; /* which class, for messages */
	struct v_route route[6];
	size_t n_routes;
	bool dated, internal;
	char key[8];
	int scope; /* output column a follower may be limited to; -1 */
	char scope_name[8];
};

static inline void v_column(struct v_def *d, const char *name, const char *type, char pdp)
{
	size_t n = strlen(d->columns);

	snprintf(d->columns + n, sizeof(d->columns) - n, "  %s: {type: %s, pdp: %c}\n", name, type, pdp);
}

static inline void v_way(struct v_def *d, const char *table, const char *way)
{
	struct v_route *r = &d->route[d->n_routes++];

	r->table = table;
	snprintf(r->way, sizeof(r->way), "%s", way);
}

static inline void v_index(struct v_def *d, const char *table, const char *columns)
{
	size_t n = strlen(d->indexes);

	snprintf(d->indexes + n, sizeof(d->indexes) - n, "  - {table: %s, columns: [%s]}\n", table, columns);
}

/* A condition on a table's own columns; t: "o." */
static inline void v_filter(struct v_chance *c, int topic, const char *t, char out[200])
{
	static const char *const text[TOPICS] = { "kel", "kel", "kec", "sekolah", "jenis", "program" };
	static const char *const number[TOPICS] = { "gaji", "besar", NULL, "tingkat", "nilai", NULL };
	char a[80], b[80];

	snprintf(a, sizeof(a), "%s%s %s", t, text[topic],
		 V_ONE(c, "IS NOT NULL", "<> 't1'", "IN ('t1', 't2', 'k1', 'x')", "IS NULL", "> 't2'",
		       "NOT LIKE '%3'"));
	if (number[topic])
		snprintf(b, sizeof(b), "%s%s %s", t, number[topic],
			 V_ONE(c, "> 3", "IS NOT NULL", "BETWEEN 2 AND 7", "% 2 = 0", "<> 5"));
	else
		snprintf(b, sizeof(b), "length(%sid) > 1", t);
	switch (v_pick(c, 5)) {
	case 0:
		snprintf(out, 200, "%s", a);
		break;
	case 1:
		snprintf(out, 200, "%s", b);
		break;
	case 2:
		snprintf(out, 200, "(%s OR %s)", a, b);
		break;
	case 3:
		snprintf(out, 200, "%s AND NOT (%s)", a, b);
		break;
	default:
		snprintf(out, 200, "true");
	}
}

static inline const char *v_number(struct v_chance *c)
{
	return V_ONE(c, "coalesce(o.gaji, 0) + 1", "o.gaji", "o.gaji * 2 - length(o._key)",
		     "CASE WHEN o.gaji > 4 THEN 1 ELSE 0 END", "abs(coalesce(o.gaji, -3))");
}

static inline const char *v_words(struct v_chance *c)
{
	return V_ONE(c, "o.kerja", "upper(coalesce(o.kerja, '?'))", "o.kel || '/' || coalesce(o.kerja, '-')",
		     "substr(o.kerja, 1, 1)", "iif(o.kel IS NULL, 'tak', o.kel)");
}

/* Of a person, joined to a register with the same key, and to a place through a foreign key. */
static inline void v_person(struct v_chance *c, struct v_def *d, bool full)
{
	bool school = v_pick(c, 2), place = v_pick(c, 2), sums = v_pick(c, 3) > 0;
	char f[200], *b = d->body;
	size_t n = 0, cap = sizeof(d->body);

	d->kind = "a person's row";
	if (full)
		snprintf(d->head, sizeof(d->head), "store: full\n");
	v_filter(c, PERSON, "o.", f);
	n += (size_t)snprintf(b + n, cap - n, "SELECT o._key AS k, o.kel AS kel, %s AS n, %s AS w",
			      v_number(c), v_words(c));
	v_column(d, "k", "text", 'P');
	v_column(d, "kel", "text", 'N');
	v_column(d, "n", "int", 'N');
	v_column(d, "w", "text", 'N');
	v_way(d, "uji_orang", v_pick(c, 2) ? "_key" : "SELECT :_key");
	if (school) {
		n += (size_t)snprintf(b + n, cap - n, ", s.sekolah AS s, s.tingkat AS g");
		v_column(d, "s", "text", 'N');
		v_column(d, "g", "int", 'N');
		v_way(d, "uji_siswa", "_key");
	}
	if (place) {
		n += (size_t)snprintf(b + n, cap - n, ", t.nama AS t, t.kec AS kec");
		v_column(d, "t", "text", 'N');
		v_column(d, "kec", "text", 'N');
		v_way(d, "uji_tempat", "SELECT _key FROM uji_orang WHERE kel = :_key");
		v_index(d, "uji_orang", "kel");
	}
	if (sums) {
		n += (size_t)snprintf(
		    b + n, cap - n,
		    ", (SELECT %s FROM uji_pajak p WHERE p.orang = o._key) AS j, (SELECT "
		    "json_group_array(program) "
		    "FROM (SELECT b.program FROM uji_bansos b WHERE b.orang = o._key ORDER BY b._key)) AS a",
		    V_ONE(c, "count(*)", "sum(p.besar)", "coalesce(max(p.besar - coalesce(p.lunas, 0)), -1)",
			  "count(p.lunas)", "min(p.besar)"));
		v_column(d, "j", "int", 'N');
		v_column(d, "a", "json", 'N');
		v_way(d, "uji_pajak", "orang");
		v_way(d, "uji_bansos", "orang");
		v_index(d, "uji_pajak", "orang");
		v_index(d, "uji_bansos", "orang");
	}
	n += (size_t)snprintf(b + n, cap - n, " FROM uji_orang o");
	if (school)
		n += (size_t)snprintf(b + n, cap - n, " %sJOIN uji_siswa s ON s._key = o._key",
				      v_pick(c, 2) ? "LEFT " : "");
	if (place)
		n += (size_t)snprintf(b + n, cap - n, " LEFT JOIN uji_tempat t ON t._key = o.kel");
	snprintf(b + n, cap - n, " WHERE %s", f);
	if (v_pick(c, 2)) {
		d->scope = 1;
		strcpy(d->scope_name, "kel");
	}
}

/* Of a property, through its owner to the owner's place. */
static inline void v_property(struct v_chance *c, struct v_def *d)
{
	bool deep = v_pick(c, 2);
	char f[200];

	d->kind = "along foreign keys";
	v_filter(c, TAX, "p.", f);
	snprintf(
	    d->body, sizeof(d->body),
	    "SELECT p._key AS k, p.besar AS n, o.kel AS kel, %s AS w%s FROM uji_pajak p %sJOIN uji_orang o "
	    "ON o._key = p.orang%s WHERE %s",
	    v_words(c), deep ? ", t.nama AS t" : "", v_pick(c, 2) ? "LEFT " : "",
	    deep ? " LEFT JOIN uji_tempat t ON t._key = o.kel" : "", f);
	v_column(d, "k", "text", 'N');
	v_column(d, "n", "int", 'N');
	v_column(d, "kel", "text", 'N');
	v_column(d, "w", "text", 'N');
	v_way(d, "uji_pajak", "_key");
	v_way(d, "uji_orang", "SELECT _key FROM uji_pajak WHERE orang = :_key");
	v_index(d, "uji_pajak", "orang");
	if (deep) {
		v_column(d, "t", "text", 'N');
		v_way(d, "uji_tempat",
		      "SELECT p._key FROM uji_orang o JOIN uji_pajak p ON p.orang = o._key WHERE o.kel = "
		      ":_key");
		v_index(d, "uji_orang", "kel");
	}
	if (v_pick(c, 2)) {
		d->scope = 2;
		strcpy(d->scope_name, "kel");
	}
}

/* Who is not in another register. */
static inline void v_anti(struct v_chance *c, struct v_def *d)
{
	char f[200];

	d->kind = "an anti-join";
	v_filter(c, PERSON, "o.", f);
	v_column(d, "k", "text", 'P');
	v_column(d, "kel", "text", 'N');
	v_way(d, "uji_orang", "_key");
	switch (v_pick(c, 3)) {
	case 0:
		snprintf(d->body, sizeof(d->body),
			 "SELECT o._key AS k, o.kel AS kel FROM uji_orang o WHERE NOT EXISTS (SELECT 1 FROM "
			 "uji_siswa "
			 "s WHERE s._key = o._key AND s.tingkat > %u) AND %s",
			 v_pick(c, 5), f);
		v_way(d, "uji_siswa", "_key");
		break;
	case 1:
		snprintf(d->body, sizeof(d->body),
			 "SELECT o._key AS k, o.kel AS kel FROM uji_orang o LEFT JOIN uji_siswa s ON s._key "
			 "= o._key "
			 "WHERE s._key IS NULL AND %s",
			 f);
		v_way(d, "uji_siswa", "_key");
		break;
	default:
		snprintf(d->body, sizeof(d->body),
			 "SELECT o._key AS k, o.kel AS kel FROM uji_orang o WHERE NOT EXISTS (SELECT 1 FROM "
			 "uji_pajak "
			 "p WHERE p.orang = o._key) AND NOT EXISTS (SELECT 1 FROM uji_bansos b WHERE b.orang "
			 "= o._key "
			 "AND b.program = 'x') AND %s",
			 f);
		v_way(d, "uji_pajak", "orang");
		v_way(d, "uji_bansos", "orang");
		v_index(d, "uji_pajak", "orang");
		v_index(d, "uji_bansos", "orang");
	}
	if (v_pick(c, 2)) {
		d->scope = 1;
		strcpy(d->scope_name, "kel");
	}
}

/* The newest event of each person, by its own time and not by when it came. */
static inline void v_latest(struct v_chance *c, struct v_def *d)
{
	char f[200];

	d->kind = "the latest of each key";
	v_filter(c, EVENT, "e.", f);
	snprintf(
	    d->body, sizeof(d->body),
	    v_pick(c, 2)
		? "SELECT e.orang AS k, e.jenis AS j, e.nilai AS n, e.waktu AS w FROM uji_kejadian e WHERE "
		  "e.orang IS NOT NULL AND NOT EXISTS (SELECT 1 FROM uji_kejadian x WHERE x.orang = "
		  "e.orang AND (coalesce(x.waktu, ''), x._key) > (coalesce(e.waktu, ''), e._key)) AND %s"
		: "SELECT o._key AS k, e.jenis AS j, e.nilai AS n, e.waktu AS w FROM uji_orang o JOIN "
		  "uji_kejadian e ON e._key = (SELECT x._key FROM uji_kejadian x WHERE x.orang = o._key "
		  "ORDER BY x.waktu DESC, x._key DESC LIMIT 1) WHERE %s",
	    f);
	v_column(d, "k", "text", 'P');
	v_column(d, "j", "text", 'N');
	v_column(d, "n", "int", 'N');
	v_column(d, "w", "text", 'N');
	v_way(d, "uji_kejadian", "orang");
	if (strstr(d->body, "uji_orang"))
		v_way(d, "uji_orang", "_key");
	v_index(d, "uji_kejadian", "orang");
}

static inline void v_dated(struct v_chance *c, struct v_def *d)
{
	char f[200];

	d->kind = "of a day";
	d->dated = true;
	v_filter(c, PERSON, "o.", f);
	snprintf(d->head, sizeof(d->head), "dated: true\n");
	snprintf(
	    d->body, sizeof(d->body),
	    "SELECT o._key AS k, o.kel AS kel, usia_tahun(o.lahir, :per_tanggal) AS u FROM uji_orang o WHERE "
	    "(:per_tanggal IS NULL OR usia_tahun(o.lahir, :per_tanggal) >= %u) AND %s",
	    15 + v_pick(c, 5), f);
	v_column(d, "k", "text", 'P');
	v_column(d, "kel", "text", 'N');
	v_column(d, "u", "int", 'U');
	v_way(d, "uji_orang", "_key");
}

/* Groups over one table or a full view below. */
static inline void v_rollup(struct v_chance *c, struct v_def *d, const struct v_def *below)
{
	static const struct {
		int topic;
		const char *table, *group, *number, *words, *min;
	} from[] = {
		{ PERSON, "uji_orang", "kel", "gaji", "kerja", "kel, gaji" },
		{ TAX, "uji_pajak", "kel", "besar", "orang", "kel, besar" },
		{ EVENT, "uji_kejadian", "jenis", "nilai", "orang", "jenis, nilai" },
		{ AID, "uji_bansos", "program", "length(orang)", "orang", NULL },
		{ SCHOOL, "uji_siswa", "sekolah", "tingkat", "id", "sekolah, tingkat" },
	};
	unsigned i = v_pick(c, BUS_LEN(from)), how = v_pick(c, 7);
	const char *table = from[i].table, *group = from[i].group, *x = from[i].number, *w = from[i].words;
	const char *min = from[i].min;
	char f[200], key[120], having[120] = "", *b = d->body;
	size_t n = 0, cap = sizeof(d->body);

	d->kind = below ? "a roll-up over a view" : "a roll-up";
	v_filter(c, from[i].topic, "", f);
	if (below) {
		table = below->name;
		group = "kel";
		x = "n";
		w = "w";
		min = "kel, n";
		snprintf(f, sizeof(f), "%s",
			 V_ONE(c, "true", "n > 2", "kel IS NOT NULL", "w LIKE '%a%' OR n IS NULL"));
	}
	snprintf(key, sizeof(key), "%s", group);
	if (how == 0)
		snprintf(key, sizeof(key), "coalesce(%s, 'tiada')", group);
	else if (how == 1)
		snprintf(key, sizeof(key), "CASE WHEN %s > 't3' THEN 'besar' ELSE 'kecil' END", group);
	v_column(d, "k", "text", 'N');
	v_column(d, "kel", "text", 'N');
	v_column(d, "n", "int", 'N');
	v_column(d, "w", "text", 'N');
	if (how == 2) {
		n += (size_t)snprintf(b + n, cap - n,
				      "SELECT 'semua' AS k, 'semua' AS kel, count(%s) AS n, 'w' AS w", x);
	} else if (how == 3) {
		n += (size_t)snprintf(
		    b + n, cap - n,
		    "SELECT coalesce(%s, '-') || '/' || coalesce(%s, '-') AS k, %s AS kel, count(*) "
		    "AS n, coalesce(%s, '') AS w",
		    group, w, group, w);
	} else {
		n += (size_t)snprintf(b + n, cap - n,
				      "SELECT %s AS k, %s AS kel, sum(%s) AS n, 'w' || count(*) AS w", key,
				      key, x);
	}
	if (v_pick(c, 2)) {
		n += (size_t)snprintf(b + n, cap - n, ", avg(%s) AS r, total(%s) AS s", x, x);
		v_column(d, "r", "real", 'N');
		v_column(d, "s", "real", 'N');
	}
	if (v_pick(c, 2)) {
		n += (size_t)snprintf(
		    b + n, cap - n, ", coalesce(sum(%s) FILTER (WHERE %s > 3), 0) - count(%s) AS m", x, x, w);
		v_column(d, "m", "int", 'N');
	}
	if (min && how > 3 && v_pick(c, 2)) { /* with an index it is a roll-up, too */
		n += (size_t)snprintf(b + n, cap - n, ", max(%s) AS z, min(%s) AS y", x, x);
		v_column(d, "z", "int", 'N');
		v_column(d, "y", "int", 'N');
		v_index(d, table, min);
	}
	n += (size_t)snprintf(b + n, cap - n, " FROM %s%s WHERE %s", table, v_pick(c, 2) ? " q" : "",
			      how > 3 ? group : "1");
	n += (size_t)snprintf(b + n, cap - n, " IS NOT NULL AND (%s)", f);
	if (v_pick(c, 4) == 0 && how != 2)
		snprintf(having, sizeof(having), " HAVING count(*) > 1");
	if (how == 3)
		snprintf(b + n, cap - n, " GROUP BY %s, %s%s", group, w, having);
	else if (how != 2)
		snprintf(b + n, cap - n, " GROUP BY %s%s",
			 how < 2 ? (below || v_pick(c, 2) ? "1" : "k") : key,
			 having); /* a view below has a k of its own */
	if (how < 3)		  /* names of groups that a filter lets through as NULL have no row */
		snprintf(d->head, sizeof(d->head), "store: full\n");
}

/* Groups of a person: small, read through an index, with what no roll-up can: lists and different ones. */
static inline void v_group(struct v_chance *c, struct v_def *d)
{
	char f[200];

	d->kind = "groups read through an index";
	v_filter(c, AID, "", f);
	snprintf(d->body, sizeof(d->body),
		 "SELECT orang AS k, count(*) AS n, count(DISTINCT program) AS m FROM uji_bansos WHERE orang "
		 "IS NOT "
		 "NULL AND %s GROUP BY orang",
		 f);
	v_column(d, "k", "text", 'P');
	v_column(d, "n", "int", 'N');
	v_column(d, "m", "int", 'N');
	v_way(d, "uji_bansos", "orang");
	v_index(d, "uji_bansos", "orang, program");
	if (v_pick(c, 2))
		snprintf(d->head, sizeof(d->head), "pace: group\n");
}

/* A view over a full view, with a place joined to it. */
static inline void v_over(struct v_chance *c, struct v_def *d, const struct v_def *below)
{
	d->kind = "a view over a view";
	snprintf(d->body, sizeof(d->body),
		 "SELECT v.k AS k, v.kel AS kel, v.n AS n, t.nama AS w FROM %s v %sJOIN uji_tempat t ON "
		 "t._key = v.kel "
		 "WHERE %s",
		 below->name, v_pick(c, 2) ? "LEFT " : "", V_ONE(c, "true", "v.n > 1", "v.kel <> 't2'"));
	v_column(d, "k", "text", 'N');
	v_column(d, "kel", "text", 'N');
	v_column(d, "n", "int", 'N');
	v_column(d, "w", "text", 'N');
	v_way(d, below->name, "k");
	d->route[d->n_routes].table = "uji_tempat";
	snprintf(d->route[d->n_routes++].way, sizeof(d->route[0].way), "SELECT k FROM %s WHERE kel = :_key",
		 below->name);
	v_index(d, below->name, "kel");
	if (v_pick(c, 2)) {
		d->scope = 1;
		strcpy(d->scope_name, "kel");
	}
}

/* Two roads to one row: the table plays two parts. */
static inline void v_twice(struct v_chance *c, struct v_def *d)
{
	d->kind = "one table in two parts";
	snprintf(d->body, sizeof(d->body),
		 "SELECT p._key AS k, p.besar AS n, (SELECT count(*) FROM uji_pajak q WHERE q.orang = "
		 "p.orang%s) AS m "
		 "FROM uji_pajak p WHERE p.besar IS NOT NULL",
		 V_ONE(c, "", " AND q.besar > p.besar", " AND q.lunas IS NULL"));
	v_column(d, "k", "text", 'N');
	v_column(d, "n", "int", 'N');
	v_column(d, "m", "int", 'N');
	v_way(d, "uji_pajak", "_key");
	v_way(d, "uji_pajak", "SELECT _key FROM uji_pajak WHERE orang = :orang");
	v_index(d, "uji_pajak", "orang");
}

static inline void v_make(struct v_chance *c, struct v_def *d, unsigned class, const struct v_def *below)
{
	d->scope = -1;
	switch (class) {
	case 0:
		v_person(c, d, true);
		break;
	case 1:
		v_person(c, d, false);
		break;
	case 2:
		v_property(c, d);
		break;
	case 3:
		v_anti(c, d);
		break;
	case 4:
		v_latest(c, d);
		break;
	case 5:
		v_dated(c, d);
		break;
	case 6:
	case 7:
		v_rollup(c, d, NULL);
		break;
	case 8:
		v_group(c, d);
		break;
	case 9:
		v_twice(c, d);
		break;
	default:
		if (v_pick(c, 2))
			v_over(c, d, below);
		else
			v_rollup(c, d, below);
	}
}

/* The definition's file. without: a route that is left out (-1: none); blind: that route is there and gives no key. */
static inline void v_text(const struct v_def *d, int without, int blind, struct bus_buf *b)
{
	bus_buf_reset(b);
	bus_buf_printf(b, "/*---\nname: %s\nkey: k\n%s%s", d->name, d->head,
		       d->internal ? "internal: true\n" : "");
	if (d->scope >= 0)
		bus_buf_printf(b, "scope: [%s]\n", d->scope_name);
	if (d->n_routes > 0)
		bus_buf_puts(b, "routes:\n");
	for (size_t i = 0; i < d->n_routes; i++) {
		bool first = true;

		for (size_t k = 0; k < i; k++)
			first &= strcmp(d->route[k].table, d->route[i].table) != 0;
		if (!first)
			continue;
		for (size_t k = i, n = 0; k < d->n_routes; k++) {
			if (strcmp(d->route[k].table, d->route[i].table) != 0 || (int)k == without)
				continue;
			bus_buf_printf(b, "%s%s%s    - %s\n", n ? "" : "  ", n ? "" : d->route[i].table,
				       n ? "" : ":\n",
				       (int)k == blind ? "SELECT NULL WHERE 0" : d->route[k].way);
			n++;
		}
	}
	if (d->indexes[0])
		bus_buf_printf(b, "indexes:\n%s", d->indexes);
	bus_buf_printf(b, "columns:\n%s---*/\n%s\n", d->columns, d->body);
}

/* --- changes ----------------------------------------------------------------------------------------- */

struct v_change {
	int topic;
	char key[12];
	char json[240]; /* "": the row is removed */
	int again;	/* >= 0: the record with this index once more, with its number */
};

static inline void v_maybe(struct v_chance *c, char *out, size_t n, const char *letters, unsigned of)
{
	if (v_pick(c, 7) == 0)
		snprintf(out, n, "null");
	else
		snprintf(out, n, "\"%s%u\"", letters, v_pick(c, of));
}

static inline void v_next(struct v_chance *c, struct v_change *x)
{
	static const int share[] = { PERSON, PERSON, PERSON, TAX,   TAX,   TAX, TAX,
				     PLACE,  SCHOOL, SCHOOL, EVENT, EVENT, AID, AID };
	char kel[24], who[24], n[24], m[24];

	x->again = -1;
	x->topic = share[v_pick(c, BUS_LEN(share))];
	snprintf(x->key, sizeof(x->key), "%c%u", v_topic[x->topic].letter, v_pick(c, v_keys(c, x->topic)));
	if (x->topic != EVENT && v_pick(c, 6) == 0) {
		x->json[0] = '\0';
		return;
	}
	v_maybe(c, kel, sizeof(kel), "t", 6);
	v_maybe(c, who, sizeof(who), "o", v_keys(c, PERSON));
	snprintf(n, sizeof(n), "%d", (int)v_pick(c, 12) - 2);
	snprintf(m, sizeof(m), "%u", v_pick(c, 12));
	if (v_pick(c, 7) == 0)
		strcpy(n, "null");
	if (v_pick(c, 5) == 0)
		strcpy(m, "null");
	if (strcmp(x->key, "p0") ==
	    0) /* more than a roll-up adds up by what changed; one only, or avg would depend on
					  the order */
		strcpy(n, "4503599627370499");
	switch (x->topic) {
	case PERSON:
		snprintf(x->json, sizeof(x->json),
			 "{\"id\":\"%s\",\"kel\":%s,\"kerja\":%s,\"gaji\":%s,\"lahir\":\"%u-0%u-11\"}",
			 x->key, kel, V_ONE(c, "null", "\"guru\"", "\"tani\"", "\"Guru\"", "\"\""), n,
			 1998 + v_pick(c, 12), 1 + v_pick(c, 9));
		break;
	case TAX:
		snprintf(x->json, sizeof(x->json),
			 "{\"id\":\"%s\",\"orang\":%s,\"kel\":%s,\"besar\":%s,\"lunas\":%s}", x->key, who,
			 kel, n, m);
		break;
	case PLACE:
		snprintf(x->json, sizeof(x->json), "{\"id\":\"%s\",\"nama\":\"n%u\",\"kec\":\"k%u\"}", x->key,
			 v_pick(c, 4), v_pick(c, 3));
		break;
	case SCHOOL:
		snprintf(x->json, sizeof(x->json), "{\"id\":\"%s\",\"sekolah\":%s,\"tingkat\":%s}", x->key,
			 kel, m);
		break;
	case EVENT:
		snprintf(x->json, sizeof(x->json),
			 "{\"id\":\"%s\",\"orang\":%s,\"waktu\":\"2024-0%u-1%u\",\"jenis\":%s,\"nilai\":%s}",
			 x->key, who, 1 + v_pick(c, 9), v_pick(c, 9), kel, n);
		break;
	default:
		snprintf(x->json, sizeof(x->json), "{\"id\":\"%s\",\"orang\":%s,\"program\":%s}", x->key, who,
			 V_ONE(c, "null", "\"x\"", "\"t2\"", "\"k1\"", "\"t4\""));
	}
}

#endif
