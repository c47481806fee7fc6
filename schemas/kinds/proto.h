/* schemas/kinds/proto.h - Protobuf schemas (proto2 and proto3): behind kinds/kind.h.
 *
 *   proto_schema.c   the two entries: text or base64 in, canonical text or base64 out
 *   proto_lex.c      tokens of .proto text          proto_parse*.c  text -> struct schema_proto_file
 *   proto_read*.c    FileDescriptorProto -> the same
 *   proto_load.c     the file and what it imports   proto_names.c   the names, what one means where
 *   proto_check.c    protoc's rules: numbers, ranges, oneofs, maps, enums, extensions
 *   proto_option*.c  an option as bytes of its message: for checking it, and for the descriptor
 *   proto_text*.c    the text as Confluent's ProtobufSchemaUtils lays it out
 *   proto_write.c    struct schema_proto_file -> FileDescriptorProto
 *   proto_known.c    the files that come with the compiler (kinds/known)
 *
 * What is a schema and what is none is protoc's word; the order and layout of the text is Confluent's. Where
 * Confluent's text would say another thing than the schema, ours says the schema: groups of a descriptor,
 * weak imports, defaults of bytes. As there, options of a descriptor whose extension the registry does not
 * know (all but confluent.*) are not taken over; options of a text are kept.
 * Options confluent.* are known without an import.
 *
 * Everything lives in the arena of one call. Recursion: messages and values nest SCHEMA_PROTO_DEPTH_MAX deep.
 */
#ifndef SCHEMAS_KINDS_PROTO_H
#define SCHEMAS_KINDS_PROTO_H

#include "bus/arena.h"
#include "schemas/kinds/kind.h"

#define SCHEMA_PROTO_DEPTH_MAX 32 /* as protoc */
#define SCHEMA_PROTO_NUMBER_MAX 536870911
#define SCHEMA_PROTO_FILES_MAX 200

enum bus_err schema_proto_check(struct bus_str text, const struct schema_kind_reference *ref, size_t n_refs,
				int flags, struct bus_buf *canonical, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err schema_proto_format(const char *format, struct bus_str text,
				 const struct schema_kind_reference *ref, size_t n_refs, struct bus_buf *out,
				 struct bus_error *err) BUS_MUSTCHECK;

/* --- a file ------------------------------------------------------------------------------------------ */

struct schema_proto_at { /* 1-based; 0: from a descriptor */
	uint32_t line, column;
};

enum schema_proto_kind {		      /* of a value */
			 SCHEMA_PROTO_STRING, /* bytes, escapes undone */
			 SCHEMA_PROTO_BOOL,
			 SCHEMA_PROTO_NUMBER, /* text as written, with its sign; -inf, -nan */
			 SCHEMA_PROTO_WORD,   /* an enum's value, inf, nan */
			 SCHEMA_PROTO_MAP,    /* { ... }: children with keys, none twice */
			 SCHEMA_PROTO_LIST,
};

struct schema_proto_value {
	struct schema_proto_value *next;
	struct schema_proto_at at;
	struct bus_str key; /* in a MAP */
	bool key_extension; /* [key] */
	enum schema_proto_kind kind;
	struct bus_str text;
	struct schema_proto_value *first;
};

struct schema_proto_part { /* of an option's name: (a.b).c */
	struct schema_proto_part *next;
	struct bus_str text;
	bool parens;
};

struct schema_proto_option {
	struct schema_proto_option *next;
	struct schema_proto_at at;
	struct schema_proto_part *name;
	struct schema_proto_value *value;
};

enum schema_proto_type { /* FieldDescriptorProto.Type */
			 SCHEMA_PROTO_DOUBLE = 1,
			 SCHEMA_PROTO_FLOAT,
			 SCHEMA_PROTO_INT64,
			 SCHEMA_PROTO_UINT64,
			 SCHEMA_PROTO_INT32,
			 SCHEMA_PROTO_FIXED64,
			 SCHEMA_PROTO_FIXED32,
			 SCHEMA_PROTO_BOOLEAN,
			 SCHEMA_PROTO_TEXT,
			 SCHEMA_PROTO_GROUP,
			 SCHEMA_PROTO_MESSAGE,
			 SCHEMA_PROTO_BYTES,
			 SCHEMA_PROTO_UINT32,
			 SCHEMA_PROTO_ENUM,
			 SCHEMA_PROTO_SFIXED32,
			 SCHEMA_PROTO_SFIXED64,
			 SCHEMA_PROTO_SINT32,
			 SCHEMA_PROTO_SINT64,
};

enum schema_proto_label {
	SCHEMA_PROTO_NONE,
	SCHEMA_PROTO_OPTIONAL,
	SCHEMA_PROTO_REQUIRED,
	SCHEMA_PROTO_REPEATED
};

struct schema_proto_oneof {
	struct schema_proto_oneof *next;
	struct schema_proto_at at;
	struct bus_str name;
	struct schema_proto_option *options;
	int index;
};

struct schema_proto_field {
	struct schema_proto_field *next;
	struct schema_proto_at at;
	enum schema_proto_label label;
	enum schema_proto_type type; /* 0 until its name is resolved: MESSAGE or ENUM */
	struct bus_str type_name;    /* as written; a map's: of its entry */
	struct bus_str name;
	int32_t number;
	struct schema_proto_value *preset; /* default = */
	struct bus_str json_name;	   /* p NULL: none given */
	struct schema_proto_option *options;
	struct schema_proto_oneof *oneof;
	struct schema_proto_message *message; /* resolved; a map's entry, a group's message from the start */
	struct schema_proto_enum *enumeration;
	bool map; /* written as map<>: message is the entry */
};

struct schema_proto_extend {
	struct schema_proto_extend *next;
	struct schema_proto_at at;
	struct bus_str name; /* as written */
	struct schema_proto_message *message;
	struct schema_proto_field *fields;
};

struct schema_proto_range { /* or a reserved name: name.p set */
	struct schema_proto_range *next;
	struct schema_proto_at at;
	int32_t from, to; /* both inclusive */
	bool span;	  /* written with "to" */
	struct bus_str name;
};

struct schema_proto_ranges { /* one statement */
	struct schema_proto_ranges *next;
	struct schema_proto_range *first;
	struct schema_proto_option *options;
};

struct schema_proto_constant {
	struct schema_proto_constant *next;
	struct schema_proto_at at;
	struct bus_str name;
	int32_t number;
	struct schema_proto_option *options;
};

struct schema_proto_enum {
	struct schema_proto_enum *next;
	struct schema_proto_at at;
	struct bus_str name, full;
	struct schema_proto_file *file;
	struct schema_proto_constant *constants;
	struct schema_proto_ranges *reserved;
	struct schema_proto_option *options;
};

struct schema_proto_message {
	struct schema_proto_message *next;
	struct schema_proto_at at;
	struct bus_str name, full; /* full: without the first dot */
	struct schema_proto_file *file;
	struct schema_proto_message *parent;
	uint64_t hash;			   /* of full, as a scope */
	struct schema_proto_field *fields; /* all, those of oneofs too, in order */
	struct schema_proto_oneof *oneofs;
	struct schema_proto_message *messages;
	struct schema_proto_enum *enums;
	struct schema_proto_extend *extends;
	struct schema_proto_ranges *extensions, *reserved;
	struct schema_proto_option *options;
	bool entry; /* of a map<>: not written out */
	bool group; /* written with its field */
};

struct schema_proto_rpc {
	struct schema_proto_rpc *next;
	struct schema_proto_at at;
	struct bus_str name, input, output;
	struct schema_proto_message *input_message, *output_message;
	bool input_stream, output_stream;
	struct schema_proto_option *options;
};

struct schema_proto_service {
	struct schema_proto_service *next;
	struct schema_proto_at at;
	struct bus_str name;
	struct schema_proto_rpc *rpcs;
	struct schema_proto_option *options;
};

struct schema_proto_import {
	struct schema_proto_import *next;
	struct schema_proto_at at;
	struct bus_str name;
	bool public, weak;
	struct schema_proto_file *file; /* once loaded */
};

struct schema_proto_file {
	struct schema_proto_file *next;
	struct bus_str name;	/* it is imported by; the schema itself: "default", as with Confluent */
	struct bus_str syntax;	/* "proto2", "proto3"; p NULL: not said */
	struct bus_str package; /* p NULL: none */
	struct schema_proto_at package_at;
	struct schema_proto_import *imports;
	struct schema_proto_message *messages;
	struct schema_proto_enum *enums;
	struct schema_proto_extend *extends;
	struct schema_proto_service *services;
	struct schema_proto_option *options;
	bool proto3;
	uint64_t *package_hash; /* of each scope of the package, outermost first */
	size_t n_scopes;
	unsigned visible; /* from the file of that round */
	bool implicit;	  /* loaded for the options' sake, imported by nobody */
	bool defined;
};

/* --- one call ---------------------------------------------------------------------------------------- */

enum schema_proto_symbol_kind {
	SCHEMA_PROTO_IS_PACKAGE,
	SCHEMA_PROTO_IS_MESSAGE,
	SCHEMA_PROTO_IS_ENUM,
	SCHEMA_PROTO_IS_EXTENSION,
	SCHEMA_PROTO_IS_SERVICE,
	SCHEMA_PROTO_IS_OTHER, /* field, oneof, constant, method */
};

struct schema_proto_symbol {
	uint64_t hash;
	struct bus_str name; /* full; p NULL: a free slot */
	enum schema_proto_symbol_kind kind;
	struct schema_proto_file *file;
	void *what;			    /* message, enum, field or extension's field, else NULL */
	struct schema_proto_extend *extend; /* of an extension */
};

struct schema_proto {
	struct bus_arena *arena;
	struct bus_error *err;
	const struct schema_kind_reference *ref;
	size_t n_refs;
	struct schema_proto_file *files,
	    **files_tail; /* all that were loaded; the first is the schema itself */
	size_t n_files;
	struct schema_proto_symbol *symbol; /* open addressing, at most half full */
	size_t n_symbols, symbol_size;
	uint64_t seed;
	unsigned round;
	const struct schema_proto_file *visible_from;
	size_t work;
	bool lenient; /* of a registered schema: what is read is not checked */
};

/* at.line 0: without a place. `: reference 'x'` is put before what is wrong in another file. */
enum bus_err schema_proto_fail(struct schema_proto *p, struct schema_proto_at at, const char *fmt, ...)
    BUS_PRINTF(3, 4);
enum bus_err schema_proto_no_room(struct schema_proto *p);
void *schema_proto_new(struct schema_proto *p, size_t n); /* zeroed; NULL: no room */
/* Counts what is looked at in loops within loops. */
enum bus_err schema_proto_work(struct schema_proto *p, size_t n) BUS_MUSTCHECK;
/* "a.b" of "a" and "b", in the arena; p NULL: no room. */
struct bus_str schema_proto_join(struct schema_proto *p, struct bus_str scope, struct bus_str name);
/* For messages: at most 80 bytes of a name. */
#define SCHEMA_PROTO_F "%.*s"
#define SCHEMA_PROTO_A(s) (int)((s).n < 80 ? (s).n : 80), (s).p

/* kinds/proto_lex.c, kinds/proto_parse.c */
enum bus_err schema_proto_parse(struct schema_proto *p, struct bus_str text,
				struct schema_proto_file *file) BUS_MUSTCHECK;
/* kinds/proto_read.c: the bytes of a FileDescriptorProto. */
enum bus_err schema_proto_read(struct schema_proto *p, struct bus_str bytes,
			       struct schema_proto_file *file) BUS_MUSTCHECK;
/* Text or base64. */
enum bus_err schema_proto_load(struct schema_proto *p, struct bus_str text,
			       struct schema_proto_file *file) BUS_MUSTCHECK;

/* The built-in file's text; p NULL: there is none. */
struct bus_str schema_proto_known(struct bus_str name);

/* kinds/proto_load.c: everything that the first file imports, and theirs. */
enum bus_err schema_proto_imports(struct schema_proto *p) BUS_MUSTCHECK;
/* A loaded or built-in file and what it imports, linked; NULL: there is none. */
enum bus_err schema_proto_file_named(struct schema_proto *p, struct bus_str name,
				     struct schema_proto_file **out) BUS_MUSTCHECK;

/* kinds/proto_names.c: puts a file's names into the table; then resolves the type names in it. */
enum bus_err schema_proto_define(struct schema_proto *p, struct schema_proto_file *file) BUS_MUSTCHECK;
enum bus_err schema_proto_link(struct schema_proto *p, struct schema_proto_file *file) BUS_MUSTCHECK;
/* What a name means in a file, inside the message (NULL: outside all). types: only messages and enums. NULL:
 * nothing that is visible there. */
const struct schema_proto_symbol *schema_proto_resolve(struct schema_proto *p, struct schema_proto_file *file,
						       const struct schema_proto_message *scope,
						       struct bus_str name, bool types);
const struct schema_proto_symbol *schema_proto_find(const struct schema_proto *p, struct bus_str full);

/* Written as map<>, or the message that a descriptor has for one. */
bool schema_proto_is_entry(const struct schema_proto_message *m);

/* kinds/proto_check.c: the first file of p, linked. */
enum bus_err schema_proto_rules(struct schema_proto *p) BUS_MUSTCHECK;

/* kinds/proto_option.c: may this be the field's default? */
enum bus_err schema_proto_default(struct schema_proto *p, const struct schema_proto_field *f) BUS_MUSTCHECK;
/* The options of an element as bytes of google.protobuf.<type>, in the scope where they stand. */
enum bus_err schema_proto_options(struct schema_proto *p, struct schema_proto_file *file,
				  const struct schema_proto_message *scope, const char *type,
				  const struct schema_proto_option *options,
				  struct bus_buf *out) BUS_MUSTCHECK;
/* Those of a descriptor: bytes of google.protobuf.<type> -> options, in the order of descriptor.proto. */
enum bus_err schema_proto_options_read(struct schema_proto *p, const char *type, struct bus_str bytes,
				       struct schema_proto_option **out) BUS_MUSTCHECK;

/* kinds/proto_text.c */
enum { SCHEMA_PROTO_NORMALIZED = 1, SCHEMA_PROTO_IGNORE_EXTENSIONS = 2 };
enum bus_err schema_proto_text(struct schema_proto *p, struct schema_proto_file *file, int flags,
			       struct bus_buf *out) BUS_MUSTCHECK;

/* kinds/proto_write.c: the bytes of the FileDescriptorProto; linked. */
enum bus_err schema_proto_write(struct schema_proto *p, struct schema_proto_file *file,
				struct bus_buf *out) BUS_MUSTCHECK;

/* kinds/proto_type.c */
enum schema_proto_type schema_proto_scalar(struct bus_str name); /* 0: none */
const char *schema_proto_scalar_name(enum schema_proto_type type);
struct schema_proto_value *schema_proto_value_new(struct schema_proto *p, enum schema_proto_kind kind,
						  struct bus_str text); /* NULL: no room */
/* Every option of a text that is a whole number: sign, decimal, 0x and 0 octal. False: none, or over 64 bits.
 */
bool schema_proto_number(struct bus_str text, bool *negative, uint64_t *magnitude);

#endif
