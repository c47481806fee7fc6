/* adapters/map_impl.h - inside of the mapper: how a mapping looks once it is compiled.
 *
 * A mapping is three lists, run in order on each row. Values: a flat program of small operations over
 * numbered slots (map_def.c compiles, map_step.c runs). Checks: tests on slots, each with a class and a fate
 * (map_check.c). Writers: one per schema field, made when the schema is known (map_bind.c, map_write.c).
 * A row allocates nothing but in the row's arena, and compares no names.
 *
 * Everything compiled lives in the map's arena `keep`; everything of one row in `row`.
 */
#ifndef ADAPTERS_MAP_IMPL_H
#define ADAPTERS_MAP_IMPL_H

#include "adapters/map.h"
#include "adapters/seen.h"
#include "bus/arena.h"

#define MAP_SLOTS_MAX 256
#define MAP_OPS_MAX 1024
#define MAP_COLUMNS_MAX 128
#define MAP_ITEMS_MAX 10000 /* of one list in one row */
#define MAP_KEY_MAX 512	    /* bytes of a Kafka key */
#define MAP_DECIMAL_MAX 72  /* bytes of a decimal number: at most 60 digits */
#define MAP_CACHE 1024	    /* pseudonyms remembered; a power of two */
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define WIB_MS ((int64_t)7 * 60 * 60 * 1000)
#define MAP_CACHE_VALUE 24 /* longest value that is remembered */

/* ---- values ---- */

enum map_type { MAP_TEXT, MAP_WHOLE, MAP_DATE, MAP_TIME, MAP_DECIMAL, MAP_LIST, MAP_FLAGS };
enum map_state { MAP_NOTHING, MAP_GOOD, MAP_BAD };

/* Why a value is bad; map_why_text gives the words. */
enum map_why {
	MAP_WHY_NONE,
	MAP_WHY_EMPTY,
	MAP_WHY_LENGTH,
	MAP_WHY_DIGITS,
	MAP_WHY_NIK_DATE,
	MAP_WHY_FORMAT,
	MAP_WHY_NO_DAY,
	MAP_WHY_YEAR,
	MAP_WHY_NUMBER,
	MAP_WHY_FRACTION,
	MAP_WHY_RANGE,
	MAP_WHY_WORD,
	MAP_WHY_TABLE,
	MAP_WHY_PERIOD,
	MAP_WHY_AMBIGUOUS,
	MAP_WHY_SHORT,
	MAP_WHY_TREE,
	MAP_WHY_LIST,
	MAP_WHY_ITEM,
	MAP_WHY_MANY,
	MAP_WHY_CELL_ERROR, /* these four in the order of enum adapter_broken */
	MAP_WHY_CELL_NO_RESULT,
	MAP_WHY_CELL_NO_DAY,
	MAP_WHY_CELL_UNREADABLE,
	MAP_WHY_ROUNDED,
	MAP_WHY_ZEROS,
	MAP_WHY_NO_NUMBER,
	MAP_WHY_CHECK_DIGIT,
	MAP_WHY_PART,
	MAP_WHY_DECIMAL,
	MAP_WHY_SCALE,
};

struct map_slot;
struct map_items {
	struct map_slot *slot; /* n times the item program's slots */
	size_t n;
};
struct map_slot {
	uint8_t state;	 /* enum map_state */
	uint8_t why;	 /* enum map_why, when bad */
	uint8_t doubt;	 /* enum map_why: good, and yet something in it is odd */
	uint8_t alt;	 /* which of several formats or key columns took it; 0 = the first */
	bool translated; /* a table gave another code */
	bool number;	 /* the cell was a number: JSON, or a spreadsheet's */
	union {
		struct bus_str text; /* DECIMAL: [-]digits[.digits], no zero too many, NUL-ended */
		int64_t whole;	     /* WHOLE; DATE: days; TIME: ms */
		struct map_items items;
	};
};

enum map_op_kind {
	/* where a value begins: these set the slot */
	MAP_OP_CELL,
	MAP_OP_MEMBER,
	MAP_OP_ITEM,
	MAP_OP_COPY,
	MAP_OP_CONST,
	MAP_OP_JOIN,
	MAP_OP_FIRST,
	MAP_OP_PSEUDONYM,
	MAP_OP_EACH,
	/* conversions: passed over unless the slot is good */
	MAP_OP_CONVERSIONS,
	MAP_OP_CLEAN = MAP_OP_CONVERSIONS,
	MAP_OP_UPPER,
	MAP_OP_LOWER,
	MAP_OP_STRIP,
	MAP_OP_REMOVE,
	MAP_OP_NULLS,
	MAP_OP_CUT,
	MAP_OP_DIGITS,
	MAP_OP_NIK,
	MAP_OP_NIK_DATE,
	MAP_OP_NIK_SEX,
	MAP_OP_DATE,
	MAP_OP_TIME,
	MAP_OP_WHOLE,
	MAP_OP_RUPIAH,
	MAP_OP_DECIMAL,
	MAP_OP_ID,
	MAP_OP_WORDS,
	MAP_OP_LOOKUP,
};

struct map_id { /* an identifier that is so many digits */
	const char *name;
	uint8_t digits;
	bool personal;				  /* may be a person's: no key */
	enum map_why (*doubt)(const char *digit); /* NULL: nothing else is known of it */
};

struct map_texts {
	uint64_t lengths; /* bit n: a text of n bytes is among them (63: or longer) */
	size_t n;
	struct bus_str text[];
};

struct map_pattern { /* a date or time format */
	uint8_t n;
	struct {
		char token; /* D M Y h m s z f, or a separator's place '=' */
		uint8_t len;
		char literal;
	} part[24];
	bool zone;  /* has a zone; without one the time is WIB */
	bool epoch; /* milliseconds since 1970 */
};
struct map_formats {
	size_t n;
	struct map_pattern format[];
};

struct map_words {
	size_t n;
	struct {
		struct bus_str word; /* upper case */
		struct bus_str gives;
	} pair[];
};

struct map_ref;
struct map_lookup {
	size_t n_keys;
	const struct map_index *const *key; /* tried in order */
	bool give;			    /* replace the text by what the table gives */
	bool dated;			    /* by the day of slot `on` */
	bool outside; /* outside of its period a key is taken too, if it stands for one thing */
	bool outer;   /* in a list's item: `on` is a slot of the row */
	bool time;    /* `on` is a time */
	uint16_t on;
};
#define MAP_NO_DAY INT64_MIN

struct map_cache_entry {
	uint8_t len;
	char value[MAP_CACHE_VALUE];
	char hex[BUS_PSEUDONYM_LEN];
};
struct map_parts { /* join, first, pseudonym */
	size_t n;
	struct bus_str with;
	const char *domain;
	struct map_cache_entry *cache; /* pseudonym: MAP_CACHE of them */
	uint16_t slot[];
};

struct map_path { /* of a member inside an item */
	size_t n;
	const char *name[];
};

struct map_program;
struct map_each {
	bool cell; /* the array is a cell of the row, else a member of the item */
	uint16_t column;
	const struct map_path *path;
	const struct map_program *item;
	uint16_t scalar; /* the slot that is the item, when items are single values */
	bool record;
};

struct map_op {
	uint16_t kind;
	uint16_t slot;
	bool amount; /* CELL: becomes a number; digits lost to rounding are no defect of it */
	union {
		struct {
			uint16_t column;   /* CELL */
			uint16_t from, to; /* CUT: characters from 1; DIGITS: least, most */
			uint16_t other;	   /* COPY */
		};
		const void *arg;
	};
	const struct map_texts *nulls; /* CELL, MEMBER, ITEM; NULL: none but the empty text */
};

struct map_program {
	struct map_op *op;
	size_t n_ops, cap;
	size_t n_slots;
	const uint16_t
	    *strict; /* slots that must not be bad: no check looks at them, and no `else` is there */
	size_t n_strict;
};

/* ---- what is known about a slot while the mapping is read ---- */

struct map_info {
	const char *name;   /* of a value; of the field for one written in place */
	const char *column; /* where it comes from, for reports; NULL */
	int line;
	enum map_type type;
	bool named;    /* others may refer to it */
	bool can_fail; /* has a conversion that may make it bad */
	bool handled;  /* a check looks whether it is bad, or it has `else` */
	bool is_nik;
	bool personal;	    /* a person's identifier */
	bool can_translate; /* a table may give another code */
	bool can_doubt;	    /* has a conversion that may find it doubtful */
	bool doubt_handled; /* a check looks whether it is */
	uint16_t alternatives;
	const struct map_each *each;
	struct map_scope *item; /* each: what its items are made of */
};

struct map_scope { /* a program being compiled */
	struct map_program program;
	struct map_info info[MAP_SLOTS_MAX];
	bool item;
	struct map_member *member; /* item: its fields, when it is a record */
	size_t n_members;
};

struct map_member { /* `fields:` entry */
	const char *name;
	int line;
	uint16_t slot;
	const char *other; /* `else`; NULL: none */
};

/* ---- checks ---- */

enum map_test_kind {
	MAP_TEST_MISSING,
	MAP_TEST_BAD,
	MAP_TEST_DOUBTFUL,
	MAP_TEST_TRANSLATED,
	MAP_TEST_FALLBACK,
	MAP_TEST_NUMBER,
	MAP_TEST_SCIENTIFIC,
	MAP_TEST_DIFFER,
	MAP_TEST_REPEATED,
	MAP_TEST_REPEATED_ROW,
	MAP_TEST_FALLS,
	MAP_TEST_REPAIRED,
};

struct map_test {
	enum map_test_kind kind;
	uint16_t a, b;
	struct adapter_seen *once; /* REPEATED, REPEATED_ROW */
	int64_t greatest;	   /* FALLS */
	bool some;		   /* FALLS: greatest is one */
};

struct map_check {
	uint16_t class;
	enum adapter_class_fate fate;
	struct map_test *test;
	size_t n;
};

/* ---- writers ---- */

enum map_write_kind {
	MAP_WRITE_FALLBACK, /* the schema's default, or `else`: bytes */
	MAP_WRITE_TEXT,
	MAP_WRITE_WHOLE, /* int or long, dates, times */
	MAP_WRITE_DECIMAL,
	MAP_WRITE_DOUBLE,
	MAP_WRITE_BOOLEAN,
	MAP_WRITE_ENUM,
	MAP_WRITE_LIST,
	MAP_WRITE_RECORD, /* item */
	MAP_WRITE_FLAGS,
};

struct map_writer {
	enum map_write_kind kind;
	uint16_t slot;
	bool narrow;		  /* Avro int */
	int8_t null_at, value_at; /* branches of the union; -1: none */
	bool has_fallback;
	bool has_else;		 /* the fallback stands for what is bad too */
	struct bus_str fallback; /* encoded, branch included */
	const struct schema_node *type;
	const struct map_writer *item; /* LIST: one; RECORD: n */
	size_t n;
	size_t n_slots; /* LIST: of one item */
};

/* ---- the mapping ---- */

struct adapter_map {
	struct bus_yaml *yaml; /* the source's options are read from it for every file */
	char *path, *fetched;  /* fetched: the pattern of what is fetched, when `files` is left out */
	const char *feed, *topic;
	bool is_register, complete;
	int remove_max;
	bool urgent;
	int64_t rows_per_second, bytes_per_second; /* 0: no limit */
	int century;				   /* a NIK's YY above it is 19YY */
	size_t n_files;
	const char **file;
	const struct adapter_source_kind *source;
	struct bus_yaml_node *source_conf, *fetch_conf,
	    *change_conf; /* the last two NULL: files are dropped */
	const char **column;
	size_t n_columns;

	struct map_scope *scope;
	struct map_member *field;
	size_t n_fields;
	struct map_check *check;
	size_t n_checks;
	const struct map_texts *nulls;
	uint16_t key[8];
	size_t n_keys;
	int time;   /* slot, -1: none */
	int newest; /* slot, -1: none */
	const char *older;
	struct adapter_class class[ADAPTER_CLASSES_MAX];
	size_t n_classes;
	uint16_t class_bad, class_empty, class_other, class_doubt;
	const uint16_t *doubt; /* slots that may be doubtful, and no check asks */
	size_t n_doubt;

	struct schema *schema;
	struct map_writer *writer;
	size_t n_writers;

	const char *ref_dir;
	const char *const *ref_extra;
	const char *ref_copies;
	char *tmp_dir;
	struct adapter_seen_budget *budget;
	struct map_ref *refs;
	struct bus_pseudonym *pseudonym;
	struct bus_arena *keep, *row;
	struct map_slot slot[MAP_SLOTS_MAX];
	struct bus_buf value, decimal;
	uint16_t failed_slot; /* of the field that this row could not fill */
	enum map_why failed_why;
	bool some_bad; /* a slot of this row is bad */
	bool some_doubt;
	bool too_big; /* the row's arena is full */
};

const char *adapter_map_why_text(enum map_why why);

/* map_load.c */
enum bus_err adapter_map_column(struct adapter_map *m, const struct bus_yaml_node *at, const char *name,
				uint16_t *out, struct bus_error *err) BUS_MUSTCHECK;
void *adapter_map_keep(struct adapter_map *m, size_t n); /* zeroed, in `keep` */
enum bus_err adapter_map_class(struct adapter_map *m, const struct bus_yaml_node *at, const char *name,
			       enum adapter_class_fate fate, uint16_t *out,
			       struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_map_hint(struct adapter_map *m, const struct bus_yaml_node *at, struct bus_error *err,
			      const char *what, const char *word, const char *const *names,
			      size_t n) BUS_MUSTCHECK;

/* map_def.c: compiles the definition `node` of a value called name; its slot in *slot. */
enum bus_err adapter_map_define(struct adapter_map *m, struct map_scope *scope, struct bus_yaml_node *node,
				const char *name, bool named, uint16_t *slot, const char **other,
				struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_map_find(struct adapter_map *m, struct map_scope *scope, const struct bus_yaml_node *at,
			      const char *name, uint16_t *slot, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_map_fields(struct adapter_map *m, struct map_scope *scope, struct bus_yaml_node *node,
				struct map_member **out, size_t *n, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_map_texts(struct adapter_map *m, struct bus_yaml_node *node,
			       const struct map_texts **out, struct bus_error *err) BUS_MUSTCHECK;
struct map_op *adapter_map_op_add(struct adapter_map *m, struct map_scope *scope, enum map_op_kind kind,
				  uint16_t slot);
void adapter_map_strict(struct adapter_map *m,
			struct map_scope *scope); /* when all of the scope has been read */
/* map_as.c: the conversions of `as:` behind slot. */
enum bus_err adapter_map_as(struct adapter_map *m, struct map_scope *scope, struct bus_yaml_node *as,
			    uint16_t slot, struct bus_error *err) BUS_MUSTCHECK;

/* Names for map_schema.c; NULL: no more. takes: it is written with an argument. */
const char *adapter_map_conversion_name(size_t i, bool *takes);
const char *adapter_map_test_name(size_t i);

/* map_check.c */
enum bus_err adapter_map_checks_load(struct adapter_map *m, struct bus_yaml_node *node,
				     struct bus_error *err) BUS_MUSTCHECK;
/* Runs the checks: flags and fate into out. */
enum bus_err adapter_map_checks_run(struct adapter_map *m, const struct adapter_row *row,
				    struct adapter_result *out, struct bus_error *err) BUS_MUSTCHECK;
struct bus_str adapter_map_unique_text(const struct adapter_map *m);
void adapter_map_flags_refused(const struct adapter_map *m, struct adapter_result *out);
enum bus_err adapter_map_checks_begin(struct adapter_map *m, struct bus_error *err) BUS_MUSTCHECK;
void adapter_map_checks_free(struct adapter_map *m);
/* Fills a refusal: class, column, why. */
void adapter_map_refuse(struct adapter_result *out, uint16_t class, const struct map_info *info,
			const char *why);

/* map_ref.c: a table once, an index per key column (or columns, "a+b"). give NULL: membership. BUS_ENOENT: a topic
 * of which there is no copy. */
struct map_ref_wish {
	const char *name; /* file, or topic */
	bool topic;
	const char *key[8];
	size_t n_keys;
	const char *give, *ignore;
	const char *from, *until; /* columns of the validity period; NULL: none */
};
enum bus_err adapter_map_ref_lookup(struct adapter_map *m, struct bus_yaml_node *at,
				    const struct map_ref_wish *wish, struct map_lookup **out,
				    struct bus_error *err) BUS_MUSTCHECK;
/* day: of the event, MAP_NO_DAY: not known. *translated: the table gave another code than it was asked for. */
enum map_why adapter_map_ref_find(const struct map_lookup *l, struct bus_str text, int64_t day,
				  struct bus_str *gives, uint8_t *alt, bool *translated);
void adapter_map_refs_free(struct adapter_map *m);

/* map_step.c */
void adapter_map_run(struct adapter_map *m, const struct map_program *p, struct map_slot *slot,
		     const struct adapter_row *row, const struct bus_json *item);

/* map_conv.c: text to text or number. They return MAP_WHY_NONE when it went well. */
struct bus_str adapter_map_trim(struct bus_str s);
bool adapter_map_clean_needed(struct bus_str s);       /* s is trimmed */
size_t adapter_map_clean(struct bus_str s, char *out); /* out has room for s.n */
size_t adapter_map_case(struct bus_str s, bool upper, char *out);
bool adapter_map_same_word(struct bus_str s, struct bus_str upper); /* without regard to case */
bool adapter_map_scientific(struct bus_str s);			    /* "1,47108E+15" */
enum map_why adapter_map_whole(struct bus_str s, int64_t *out);
enum map_why adapter_map_rupiah(struct bus_str s, int64_t *out);
enum map_why adapter_map_rupiah_number(struct bus_str s, int64_t *out); /* whose point is the decimal one */
/* mark: the decimal mark, '.' or ','; the other may part groups of three. A number's is '.', and it may have an
 * exponent. out: MAP_DECIMAL_MAX bytes; what is written there is NUL-ended. */
enum map_why adapter_map_decimal(struct bus_str s, char mark, bool number, char *out, size_t *len);
enum map_why adapter_map_cut(struct bus_str s, size_t from, size_t to, struct bus_str *out);
bool adapter_map_texts_have(const struct map_texts *t, struct bus_str s);

/* map_date.c */
bool adapter_map_pattern_parse(const char *text, bool time, struct map_pattern *out);
enum map_why adapter_map_date_read(const struct map_formats *f, struct bus_str s, int64_t *days,
				   uint8_t *alt);
enum map_why adapter_map_time_read(const struct map_formats *f, struct bus_str s, int64_t *ms, uint8_t *alt);

/* map_id.c */
extern const struct map_id adapter_map_ids[]; /* ended by one without a name */
const struct map_id *adapter_map_id_find(const char *name);
/* number: the cell was one. out: room for id->digits + 1. *doubt: what is odd about it, MAP_WHY_NONE: nothing. */
enum map_why adapter_map_id(const struct map_id *id, struct bus_str s, bool number, char *out, size_t *len,
			    enum map_why *doubt);

/* map_nik.c */
enum map_why adapter_map_nik(struct bus_str s, int century, int64_t *days, char *sex);

/* map_bind.c, map_write.c */
/* Appends the row's record to m->value. false: a field cannot be filled; m->failed_slot says which. */
bool adapter_map_write(struct adapter_map *m, const struct adapter_result *out);

#endif
