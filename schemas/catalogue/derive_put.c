/* What was seen, as the text of a schema, and how sure that is. */
#include <ctype.h>
#include <stdio.h>

#include "schemas/catalogue/derive_impl.h"
#include "schemas/catalogue/personal.h"

#define NAME_MAX_BYTES 60
#define ENUM_ROWS_MIN 20 /* fewer rows say nothing of which values there are */
#define DOC_RECORD "PERIKSA: terangkan rekaman ini / CHECK: describe this record"
#define DOC_FIELD "PERIKSA: terangkan kolom ini / CHECK: describe this field"

enum kind { STRING, LONG, INT, DOUBLE, DECIMAL, BOOLEAN, DATE, TIME, UUID, ENUM, RECORD, ARRAY, MAP };

struct verdict {
	enum kind kind;
	char class;
	bool class_sure, nullable;
	bool doubtful; /* the values do not settle it */
	struct schema_sentence why;
};

/* --- names --- */

static void snake(const char *from, char out[NAME_MAX_BYTES + 8])
{
	size_t n = 0;
	bool lower_before = false;

	if (!isalpha((unsigned char)from[strspn(from, " _-")]))
		n = (size_t)sprintf(out, "kolom_");
	for (; *from && n < NAME_MAX_BYTES; from++) {
		unsigned char c = (unsigned char)*from;

		if (!isalnum(c) || c >= 0x80) {
			if (n > 0 && out[n - 1] != '_')
				out[n++] = '_';
		} else {
			if (isupper(c) && lower_before && n > 0 && out[n - 1] != '_')
				out[n++] = '_';
			out[n++] = (char)tolower(c);
		}
		lower_before = islower(c) != 0;
	}
	while (n > 0 && out[n - 1] == '_')
		n--;
	out[n] = '\0';
}

static void name_members(struct derive_shape *s)
{
	char name[NAME_MAX_BYTES + 8];

	for (size_t i = 0; i < s->n_members; i++) {
		size_t len, k = 0;

		snake(s->member[i].from, name);
		len = strlen(name);
		while (k < i)
			if (strcmp(s->member[k].name, name) == 0) {
				snprintf(name + len, sizeof(name) - len, "_%zu", i + 1);
				k = 0;
			} else {
				k++;
			}
		free(s->member[i].name);
		s->member[i].name = bus_xstrdup(name);
	}
}

/* "status_bansos" -> "StatusBansos", with a number where that is taken. */
static void type_name(struct schema_derive *d, const char *name, struct bus_buf *out)
{
	bool up = true;
	size_t n;

	for (; *name; name++) {
		if (*name == '_') {
			up = true;
			continue;
		}
		bus_buf_putc(out, (char)(up ? toupper((unsigned char)*name) : *name));
		up = false;
	}
	n = out->n;
	for (int i = 2;; i++) {
		char *mark = bus_xasprintf(",%s,", bus_buf_cstr(out));
		bool taken = strstr(bus_buf_cstr(&d->type_names), mark) != NULL;

		if (!taken)
			bus_buf_puts(&d->type_names, mark);
		free(mark);
		if (!taken)
			return;
		out->n = n;
		bus_buf_printf(out, "%d", i);
	}
}

/* --- what it is --- */

#define WHY(en, id)                                                                                          \
	(struct schema_sentence)                                                                             \
	{                                                                                                    \
		en, id                                                                                       \
	}

static bool is_money(const char *name)
{
	static const char *const word[] = { "harga",   "nilai",	    "nominal",	 "jumlah_bayar", "biaya",
					    "gaji",    "pajak",	    "tunggakan", "tagihan",	 "terutang",
					    "dibayar", "investasi", "saldo" };

	for (size_t i = 0; i < BUS_LEN(word); i++)
		if (strstr(name, word[i]))
			return true;
	return false;
}

static void judge_text(const struct derive_shape *s, const char *name, bool typed, struct verdict *v)
{
	/* What JSON writes in quotes is no number: codes keep their zeros. */
	const unsigned could =
	    typed && s->texts > 0 ? s->could_be & ~(unsigned)(DERIVE_WHOLE | DERIVE_REAL) : s->could_be;

	if (could & DERIVE_NIK) {
		v->class = v->class == 'N' ? 'U' : v->class;
		v->class_sure = true;
		v->why = WHY("16 digits each, as a NIK", "masing-masing 16 angka, seperti NIK");
	} else if (could & DERIVE_EMAIL) {
		v->class = v->class == 'N' ? 'U' : v->class;
		v->class_sure = true;
		v->why = WHY("mail addresses", "alamat surel");
	} else if (could & DERIVE_UUID) {
		v->kind = UUID;
		v->why = WHY("UUIDs", "UUID");
	} else if (could & (DERIVE_DATE | DERIVE_DATE_DMY)) {
		v->kind = DATE;
		v->why = could & DERIVE_DATE ? WHY("dates (year first)", "tanggal (tahun di depan)")
					     : WHY("dates (day first): the mapping must say so",
						   "tanggal (hari di depan): pemetaan harus menyatakannya");
	} else if (could & DERIVE_TIME) {
		v->kind = TIME;
		v->why = WHY("points in time", "titik waktu");
	} else if (could & DERIVE_BOOL) {
		v->kind = BOOLEAN;
		v->why = WHY("yes or no", "ya atau tidak");
	} else if (could & DERIVE_PHONE && v->class == 'N' && !(could & DERIVE_WHOLE)) {
		v->class = 'U';
		v->doubtful = true;
		v->why = WHY("as telephone numbers", "seperti nomor telepon");
	} else if (could & DERIVE_YEAR && strstr(name, "tahun")) {
		v->kind = INT;
		v->why = WHY("years", "tahun");
	} else if (could & DERIVE_WHOLE && v->class != 'U') {
		v->kind = LONG;
		v->why = WHY("whole numbers, none with a leading zero", "bilangan bulat, tanpa nol di depan");
	} else if (could & DERIVE_REAL && !(could & DERIVE_WHOLE)) {
		v->kind = is_money(name) ? DECIMAL : DOUBLE;
		v->why = WHY("numbers with a point", "bilangan dengan titik desimal");
	} else if (could & DERIVE_SYMBOL && v->class == 'N' && !s->many && s->n_symbols > 1 &&
		   s->texts >= ENUM_ROWS_MIN && s->texts >= 4 * s->n_symbols) {
		v->kind = ENUM;
		v->doubtful = s->texts < 10 * s->n_symbols;
		v->why = WHY("few values, each often", "sedikit nilai, masing-masing sering");
	} else {
		v->why = WHY("texts of several kinds", "teks beragam");
		v->doubtful = s->texts < ENUM_ROWS_MIN;
	}
}

static struct verdict judge(const struct schema_derive *d, const struct derive_shape *s, const char *name,
			    size_t rows)
{
	const int kinds = (s->texts + s->numbers > 0) + (s->bools > 0) + (s->objects > 0) + (s->arrays > 0);
	struct verdict v = { .kind = STRING };

	v.class = schema_class_of_name(name, &v.class_sure);
	v.nullable = s->nulls > 0 || s->seen < rows;
	if (kinds == 0) {
		v.doubtful = true;
		v.why = WHY("always empty in the sample", "selalu kosong dalam contoh");
	} else if (kinds > 1) {
		v.doubtful = true;
		v.why = WHY("values of several types", "nilai dengan beberapa tipe");
	} else if (s->arrays > 0) {
		v.kind = ARRAY;
		v.why = WHY("lists", "daftar");
	} else if (s->objects > 0 && (s->map || s->n_members == 0)) {
		v.kind = MAP;
		v.why = WHY("objects whose names are data", "objek yang namanya adalah data");
	} else if (s->objects > 0) {
		v.kind = RECORD;
		v.why = WHY("objects", "objek");
	} else if (s->bools > 0) {
		v.kind = BOOLEAN;
		v.why = WHY("true or false", "true atau false");
	} else {
		judge_text(s, name, d->typed, &v);
	}
	return v;
}

/* --- the text --- */

static void put_key(struct bus_json_out *j, const char *name, const char *text)
{
	bus_json_key(j, name);
	bus_json_put_text(j, text);
}

static void put_fields(struct schema_derive *d, struct bus_json_out *j, struct derive_shape *s, size_t rows,
		       bool lines);

static void put_logical(struct bus_json_out *j, const char *type, const char *logical)
{
	bus_json_object(j);
	put_key(j, "type", type);
	put_key(j, "logicalType", logical);
	bus_json_object_end(j);
}

static void put_enum(struct schema_derive *d, struct bus_json_out *j, const struct derive_shape *s,
		     const char *name)
{
	struct bus_buf text = { 0 };
	char seen[DERIVE_SYMBOLS_MAX][40];

	type_name(d, name, &text);
	bus_json_object(j);
	put_key(j, "type", "enum");
	put_key(j, "name", bus_buf_cstr(&text));
	bus_json_key(j, "symbols");
	bus_json_array(j);
	for (size_t i = 0; i < s->n_symbols; i++) {
		bool again = false;

		snprintf(seen[i], sizeof(seen[i]), "%s", s->symbol[i]);
		for (char *c = seen[i]; *c; c++)
			*c = (char)(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
		for (size_t k = 0; k < i; k++)
			again |= strcmp(seen[k], seen[i]) == 0;
		if (!again && strcmp(seen[i], "TIDAK_DIKETAHUI") != 0)
			bus_json_put_text(j, seen[i]);
	}
	bus_json_put_text(j, "TIDAK_DIKETAHUI");
	bus_json_array_end(j);
	put_key(j, "default", "TIDAK_DIKETAHUI");
	bus_json_object_end(j);
	bus_buf_release(&text);
}

static void put_type(struct schema_derive *d, struct bus_json_out *j, struct derive_shape *s,
		     const char *name, const struct verdict *v)
{
	static const char *const plain[] = { [STRING] = "string",
					     [LONG] = "long",
					     [INT] = "int",
					     [DOUBLE] = "double",
					     [BOOLEAN] = "boolean" };
	const bool list = v->kind == ARRAY;
	struct bus_buf text = { 0 };

	switch (v->kind) {
	case DATE:
		put_logical(j, "int", "date");
		break;
	case TIME:
		put_logical(j, "long", "timestamp-millis");
		break;
	case UUID:
		put_logical(j, "string", "uuid");
		break;
	case DECIMAL:
		bus_json_object(j);
		put_key(j, "type", "bytes");
		put_key(j, "logicalType", "decimal");
		bus_json_key(j, "precision");
		bus_json_put_int(j, 18);
		bus_json_key(j, "scale");
		bus_json_put_int(j, s->scale);
		bus_json_object_end(j);
		break;
	case ENUM:
		put_enum(d, j, s, name);
		break;
	case ARRAY:
	case MAP:
		bus_json_object(j);
		put_key(j, "type", list ? "array" : "map");
		bus_json_key(j, list ? "items" : "values");
		if (s->item && s->item->seen > 0) {
			struct verdict item = judge(d, s->item, name, s->item->seen);

			if (item.nullable) {
				bus_json_array(j);
				bus_json_put_text(j, "null");
			}
			put_type(d, j, s->item, name, &item);
			if (item.nullable)
				bus_json_array_end(j);
		} else {
			bus_json_put_text(j, "string");
		}
		bus_json_object_end(j);
		break;
	case RECORD:
		type_name(d, name, &text);
		bus_json_object(j);
		put_key(j, "type", "record");
		put_key(j, "name", bus_buf_cstr(&text));
		put_fields(d, j, s, s->objects, false);
		bus_json_object_end(j);
		break;
	default:
		bus_json_put_text(j, plain[v->kind]);
	}
	bus_buf_release(&text);
}

static void put_field(struct schema_derive *d, struct bus_json_out *j, struct derive_member *m, size_t rows)
{
	struct verdict v = judge(d, &m->shape, m->name, rows);
	char text[2] = { v.class, '\0' };

	bus_json_object(j);
	put_key(j, "name", m->name);
	bus_json_key(j, "type");
	if (v.nullable) {
		bus_json_array(j);
		bus_json_put_text(j, "null");
	}
	put_type(d, j, &m->shape, m->name, &v);
	if (v.nullable)
		bus_json_array_end(j);
	put_key(j, "doc", DOC_FIELD);
	if (v.nullable) {
		bus_json_key(j, "default");
		bus_json_put_null(j);
	}
	put_key(j, "x_pdp", text);
	if (m->shape.could_be & DERIVE_NIK && v.kind == STRING && m->shape.texts > 0)
		put_key(j, "x_pola", "^[0-9]{16}$");
	bus_json_object_end(j);
}

/* lines: each on one of its own, as people write the catalogue. */
static void put_fields(struct schema_derive *d, struct bus_json_out *j, struct derive_shape *s, size_t rows,
		       bool lines)
{
	name_members(s);
	bus_json_key(j, "fields");
	bus_json_array(j);
	for (size_t i = 0; i < s->n_members; i++) {
		struct bus_buf one = { 0 };
		struct bus_json_out field = { .buf = &one };

		if (!lines) {
			put_field(d, j, &s->member[i], rows);
			continue;
		}
		bus_buf_puts(&one, "\n    ");
		put_field(d, &field, &s->member[i], rows);
		bus_json_put_raw(j, bus_buf_str(&one));
		bus_buf_release(&one);
	}
	if (lines)
		bus_buf_puts(j->buf, "\n  ");
	bus_json_array_end(j);
}

/* The field whose value is the key: as asked for, or the first that could be. */
static const char *find_key(struct schema_derive *d, const char *wanted)
{
	for (size_t i = 0; i < d->row.n_members; i++) {
		struct derive_member *m = &d->row.member[i];
		struct verdict v = judge(d, &m->shape, m->name, d->rows);

		if (wanted && strcmp(wanted, m->name) == 0)
			return m->name;
		if (!wanted && !v.nullable && (v.class == 'N' || v.class == 'P') &&
		    (v.kind == STRING || v.kind == LONG || v.kind == UUID) && schema_derive_unique(&m->shape))
			return m->name;
	}
	return NULL;
}

void schema_derive_put(struct schema_derive *d, const struct schema_draft *draft, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };
	const char *key;

	name_members(&d->row);
	key = find_key(d, draft->key);
	bus_buf_reset(&d->type_names);
	bus_buf_printf(&d->type_names, ",%s,", draft->name);
	bus_json_object(&j);
	put_key(&j, "type", "record");
	put_key(&j, "name", draft->name);
	put_key(&j, "namespace", draft->name_space);
	put_key(&j, "doc", DOC_RECORD);
	put_key(&j, "x_topik", draft->topic);
	put_key(&j, "x_jenis", key ? "register" : "peristiwa");
	if (key)
		put_key(&j, "x_kunci", key);
	put_key(&j, "x_produsen", "PERIKSA");
	put_key(&j, "x_walidata", "PERIKSA");
	put_fields(d, &j, &d->row, d->rows, true);
	bus_buf_putc(out, '\n');
	bus_json_object_end(&j);
	bus_buf_putc(out, '\n');
}

/* --- what is told of it --- */

struct telling {
	struct schema_derive *d;
	void (*fn)(void *ctx, const struct schema_guess *g);
	void *ctx;
	struct bus_buf path;
};

static void tell(struct telling *t, struct derive_shape *s, size_t rows)
{
	size_t before = t->path.n;

	for (size_t i = 0; i < s->n_members; i++) {
		struct derive_member *m = &s->member[i];
		struct verdict v = judge(t->d, &m->shape, m->name, rows);
		struct derive_shape *below = v.kind == RECORD			  ? &m->shape
					     : (v.kind == ARRAY || v.kind == MAP) ? m->shape.item
										  : NULL;
		struct schema_guess g = {
			.from = m->from, .class = v.class, .class_sure = v.class_sure, .why = v.why
		};

		g.sure = v.doubtful || rows < 10 ? "guess" : rows < 100 ? "likely" : "sure";
		bus_buf_printf(&t->path, "%s%s", before > 0 ? "." : "", m->name);
		g.path = bus_buf_cstr(&t->path);
		t->fn(t->ctx, &g);
		if (v.kind == ARRAY || v.kind == MAP)
			bus_buf_puts(&t->path, v.kind == ARRAY ? "[]" : "{}");
		if (below && below->objects > 0 && !below->map)
			tell(t, below, below->objects);
		t->path.n = before;
	}
}

void schema_derive_guesses(struct schema_derive *d, void (*fn)(void *ctx, const struct schema_guess *g),
			   void *ctx)
{
	struct telling t = { .d = d, .fn = fn, .ctx = ctx };

	tell(&t, &d->row, d->rows);
	bus_buf_release(&t.path);
}
