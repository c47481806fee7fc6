#include "schemas/catalogue/personal.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "bus/mem.h"

#define WORDS_MAX 8
#define WORD_MAX 32

struct rule {
	const char *words; /* all of them in the name, in any order */
	char class;
	bool sure;
};

/* The first that fits. */
static const struct rule rules[] = {
	{ "id subjek", 'P', true },
	{ "id keluarga", 'P', true },
	{ "pseudonim", 'P', true },
	{ "nik", 'U', true },
	{ "no kk", 'U', true },
	{ "nomor kk", 'U', true },
	{ "nokk", 'U', true },
	{ "no ktp", 'U', true },
	{ "ktp", 'U', true },
	{ "npwp", 'S', true },
	{ "paspor", 'U', true },
	{ "sim", 'U', false },
	{ "nip", 'U', true },
	{ "nisn", 'A', true },
	{ "nis", 'A', false },
	{ "siswa", 'A', false },
	{ "anak", 'A', false },
	{ "balita", 'A', true },
	{ "diagnosa", 'S', true },
	{ "diagnosis", 'S', true },
	{ "penyakit", 'S', true },
	{ "keluhan", 'S', false },
	{ "rekam medis", 'S', true },
	{ "no rm", 'S', true },
	{ "vaksin", 'S', false },
	{ "disabilitas", 'S', true },
	{ "cacat", 'S', true },
	{ "goldar", 'S', true },
	{ "golongan darah", 'S', true },
	{ "sidik jari", 'S', true },
	{ "biometrik", 'S', true },
	{ "pidana", 'S', true },
	{ "gaji", 'S', true },
	{ "penghasilan", 'S', true },
	{ "pendapatan", 'S', false },
	{ "rekening", 'S', true },
	{ "saldo", 'S', false },
	{ "tunggakan", 'S', false },
	{ "nominal", 'S', false },
	{ "njop", 'S', false },
	{ "email", 'U', true },
	{ "surel", 'U', true },
	{ "hp", 'U', true },
	{ "telp", 'U', true },
	{ "telepon", 'U', true },
	{ "handphone", 'U', true },
	{ "ponsel", 'U', true },
	{ "phone", 'U', true },
	{ "mobile", 'U', false },
	{ "whatsapp", 'U', true },
	{ "wa", 'U', false },
	{ "tgl lahir", 'U', true },
	{ "tanggal lahir", 'U', true },
	{ "tempat lahir", 'U', true },
	{ "tgl lhr", 'U', true },
	{ "birth", 'U', true },
	{ "birthdate", 'U', true },
	{ "birthday", 'U', true },
	{ "dob", 'U', true },
	{ "lahir", 'U', false },
	{ "umur", 'U', false },
	{ "usia", 'U', false },
	{ "jenis kelamin", 'U', true },
	{ "jk", 'U', false },
	{ "kelamin", 'U', true },
	{ "gender", 'U', true },
	{ "sex", 'U', false },
	{ "agama", 'U', true },
	{ "status kawin", 'U', true },
	{ "perkawinan", 'U', true },
	{ "kewarganegaraan", 'U', true },
	{ "pendidikan terakhir", 'U', true },
	{ "pendidikan", 'U', false },
	{ "pekerjaan", 'U', false },
	{ "nama ibu", 'U', true },
	{ "nama ayah", 'U', true },
	{ "nama lengkap", 'U', true },
	{ "nama", 'U', false },
	{ "full name", 'U', true },
	{ "fullname", 'U', true },
	{ "alamat", 'U', false },
	{ "address", 'U', false },
	{ "rt", 'U', false },
	{ "rw", 'U', false },
	{ "foto", 'U', false },
	{ "latitude", 'U', false },
	{ "longitude", 'U', false },
};

/* The name or address of one of these is nobody's; nor is the kind (bentuk, jenjang) of a school. */
static const char *const thing[] = { "kelurahan", "kecamatan", "kabupaten", "kota",   "provinsi", "sekolah",
				     "faskes",	  "puskesmas", "rumah",	    "klinik", "obat",	  "program",
				     "opd",	  "dinas",     "instansi",  "unit",   "barang",	  "produk",
				     "berkas",	  "file",      "umpan",	    "kolom",  "jalan",	  "usaha",
				     "kegiatan",  "lokasi",    "fasilitas", "kantor", "tempat",	  "wilayah",
				     "satuan",	  "bentuk",    "jenjang" };

struct words {
	char word[WORDS_MAX][WORD_MAX];
	size_t n;
};

/* "tglLahir", "TGL_LAHIR" and "tgl lahir" are two words each. */
static void split(const char *name, struct words *w)
{
	size_t len = 0;
	bool lower_before = false;

	w->n = 0;
	for (const char *c = name; *c && w->n < WORDS_MAX; c++) {
		bool upper = *c >= 'A' && *c <= 'Z', lower = *c >= 'a' && *c <= 'z';

		if (len > 0 && ((!upper && !lower) || (upper && lower_before))) {
			w->word[w->n++][len] = '\0';
			len = 0;
		}
		lower_before = lower;
		if ((upper || lower) && w->n < WORDS_MAX && len < WORD_MAX - 1)
			w->word[w->n][len++] = (char)(upper ? *c - 'A' + 'a' : *c);
	}
	if (len > 0 && w->n < WORDS_MAX)
		w->word[w->n++][len] = '\0';
}

static bool has(const struct words *w, const char *word, size_t len)
{
	for (size_t i = 0; i < w->n; i++)
		if (strlen(w->word[i]) == len && strncmp(w->word[i], word, len) == 0)
			return true;
	return false;
}

static bool fits(const struct words *w, const char *rule)
{
	while (*rule) {
		size_t len = strcspn(rule, " ");

		if (!has(w, rule, len))
			return false;
		rule += len + (rule[len] == ' ');
	}
	return true;
}

char schema_class_of_name(const char *name, bool *sure)
{
	struct words w;

	split(name, &w);
	*sure = false;
	for (size_t i = 0; i < BUS_LEN(rules); i++) {
		if (!fits(&w, rules[i].words))
			continue;
		for (size_t k = 0; k < BUS_LEN(thing) && !rules[i].sure; k++)
			if (has(&w, thing[k], strlen(thing[k])))
				return 'N';
		*sure = rules[i].sure;
		return rules[i].class;
	}
	return 'N';
}
