/* tests/bench/views_data.h - the synthetic city of the views' benches: five tables, any number of residents, records
 * made by chance from a seed. Kafka Streams is given the very same records (views_kafka.c). */
#ifndef TESTS_BENCH_VIEWS_DATA_H
#define TESTS_BENCH_VIEWS_DATA_H

#include <stdio.h>

#include "bus/buf.h"

enum { PEOPLE, HEALTH, AID, TAX, CLINIC, TABLES };

#define CLINICS 300
#define DISTRICTS 83

#define S(name) "{\"name\":\"" name "\",\"type\":\"string\"}"
#define N(name) "{\"name\":\"" name "\",\"type\":\"long\"}"
#define D(name) "{\"name\":\"" name "\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}}"
#define REC(name, fields)                                                                                    \
	"{\"type\":\"record\",\"name\":\"" name                                                              \
	"\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":[" fields "]}"

static const char *const city_topic[TABLES] = { "pku.uji.penduduk.v1", "pku.uji.kesehatan.v1",
						"pku.uji.bansos.v1", "pku.uji.pbb.v1", "pku.uji.faskes.v1" };
static const char *const city_schema[TABLES] = {
	REC("Penduduk",
	    S("id") "," S("nama") "," D("tgl_lahir") "," S("jk") "," S("kode_kel") "," S("no_kk") "," S("alam"
													"at") "," N("rt") "," N(
		"rw") "," S("agama") "," S("pekerjaan") "," S("pendidikan") "," S("status") "," S("gol_darah") "," N("diubah")),
	REC("Kesehatan",
	    S("id") "," S("faskes_id") "," N("kelas") "," N("aktif") "," N("iuran") "," D("sejak")),
	REC("Bansos", S("id") "," S("nik") "," S("program") "," N("nominal") "," S("status")),
	REC("Pbb", S("id") "," S("nik_wp") "," N("terutang") "," N("dibayar") "," S("kode_kel")),
	REC("Faskes", S("id") "," S("nama") "," S("jenis")),
};

struct city {
	uint64_t people, seed;
};

static inline uint64_t city_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t city_chance(struct city *c, uint64_t n)
{
	c->seed++;
	return city_mix(c->seed) % n;
}

/* How many rows a table has. */
static inline uint64_t city_rows(const struct city *c, int table)
{
	switch (table) {
	case PEOPLE:
		return c->people;
	case HEALTH:
		return c->people * 5 / 6;
	case AID:
		return c->people / 6;
	case TAX:
		return c->people * 3 / 8;
	default:
		return CLINICS;
	}
}

/* The key of a row: for a person what HMAC makes of a NIK looks like, so its order is no order. */
static inline void city_key(int table, uint64_t i, char out[24])
{
	static const char *const letter[TABLES] = { "", "", "b", "p", "f" };

	if (table == PEOPLE || table == HEALTH)
		snprintf(out, 24, "%016llx", (unsigned long long)city_mix(i));
	else
		snprintf(out, 24, "%s%09llu", letter[table], (unsigned long long)i);
}

static inline void city_long(struct bus_buf *b, int64_t v)
{
	uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);

	for (; z >= 0x80; z >>= 7)
		bus_buf_putc(b, (char)(z | 0x80));
	bus_buf_putc(b, (char)z);
}

static inline void city_text(struct bus_buf *b, const char *s)
{
	city_long(b, (int64_t)strlen(s));
	bus_buf_puts(b, s);
}

/* "name" and digits, n of at least `width` digits. */
static inline void city_number(struct bus_buf *b, const char *name, int width, uint64_t n)
{
	char text[60];

	snprintf(text, sizeof(text), "%s%0*llu", name, width, (unsigned long long)n);
	city_text(b, text);
}

/* One row in Avro; each call for a row gives another one. */
static inline void city_row(struct city *c, int table, uint64_t i, struct bus_buf *b)
{
	static const char *const job[] = { "PETANI", "GURU", "BURUH", "PEDAGANG", "PELAJAR", "PNS" };
	char key[24], who[24];

	city_key(table, i, key);
	city_text(b, key);
	city_key(PEOPLE, city_chance(c, c->people), who);
	switch (table) {
	case PEOPLE:
		city_number(b, "NAMA ORANG ", 1, city_chance(c, 1000000));
		city_long(b, (int64_t)city_chance(c, 25000));
		city_text(b, city_chance(c, 2) ? "L" : "P");
		city_number(b, "14710", 5, city_chance(c, DISTRICTS));
		city_number(b, "1471", 12, i / 4);
		city_number(b, "JALAN ", 1, city_chance(c, 5000));
		city_long(b, (int64_t)city_chance(c, 20));
		city_long(b, (int64_t)city_chance(c, 20));
		city_text(b, "ISLAM");
		city_text(b, job[city_chance(c, BUS_LEN(job))]);
		city_text(b, "SMA");
		city_text(b, city_chance(c, 20) ? "H" : "M");
		city_text(b, "O");
		city_long(b, (int64_t)c->seed);
		break;
	case HEALTH:
		city_number(b, "f", 9, city_chance(c, CLINICS));
		city_long(b, 1 + (int64_t)city_chance(c, 3));
		city_long(b, (int64_t)city_chance(c, 2));
		city_long(b, (int64_t)city_chance(c, 150000));
		city_long(b, (int64_t)city_chance(c, 20000));
		break;
	case AID:
		city_text(b, who);
		city_text(b, city_chance(c, 2) ? "PKH" : "BPNT");
		city_long(b, (int64_t)city_chance(c, 1000000));
		city_text(b, city_chance(c, 3) ? "AKTIF" : "SELESAI");
		break;
	case TAX:
		city_text(b, who);
		city_long(b, (int64_t)city_chance(c, 1000000));
		city_long(b, (int64_t)city_chance(c, 1000000));
		city_number(b, "14710", 5, city_chance(c, DISTRICTS));
		break;
	default:
		city_number(b, "PUSKESMAS ", 1, city_chance(c, 100000));
		city_text(b, "PUSKESMAS");
		break;
	}
}

/* What changes next: 40 % people, 40 % health, 10 % aid, 10 % tax (owners move). */
static inline int city_pick(struct city *c, uint64_t *row)
{
	static const int share[10] = { PEOPLE, PEOPLE, PEOPLE, PEOPLE, HEALTH,
				       HEALTH, HEALTH, HEALTH, AID,    TAX };
	int table = share[city_chance(c, 10)];

	*row = city_chance(c, city_rows(c, table));
	return table;
}

#endif
