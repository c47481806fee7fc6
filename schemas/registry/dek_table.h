/* schemas/registry/dek_table.h - keys for client-side field encryption, as a registry keeps them: KEKs (a
 * name for a key that a KMS holds) and DEKs (a data key of a subject, encrypted with its KEK). No key in
 * clear is ever here.
 *
 * Both lists are sorted, as Confluent's are: KEKs by name; DEKs by KEK, subject (context, then name),
 * algorithm, version. Thread: one writer or many readers; the caller's lock. Source: Confluent's dek-registry
 * (storage/KeyEncryptionKey, DataEncryptionKey, DataEncryptionKeyId.compareTo).
 */
#ifndef SCHEMAS_REGISTRY_DEK_TABLE_H
#define SCHEMAS_REGISTRY_DEK_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/buf.h"

enum schema_algorithm { /* in Confluent's order (DekFormat) */
			SCHEMA_AES128_GCM,
			SCHEMA_AES256_GCM, /* where none is named */
			SCHEMA_AES256_SIV,
};
#define SCHEMA_ALGORITHM_ANY (-1)

const char *schema_algorithm_name(int algorithm);	    /* "AES256_GCM" */
bool schema_algorithm_parse(struct bus_str name, int *out); /* exactly */

struct schema_kek {
	const char *name, *kms_type, *kms_key_id;
	const char *props; /* kmsProps: a JSON object, names sorted; "{}" */
	const char *doc;   /* NULL: none */
	bool shared;	   /* a KMS of the server's encrypts its DEKs */
	bool deleted;	   /* softly */
	int64_t at_ms;	   /* time of its record */
};

struct schema_dek {
	const char *kek, *subject;
	int algorithm; /* enum schema_algorithm */
	int version;
	const char *material; /* encrypted, base64 as the client sent it; NULL: none */
	bool deleted;
	int64_t at_ms;
};

/* One block each: free() lets go of it. */
struct schema_kek *schema_kek_copy(const struct schema_kek *k);
struct schema_dek *schema_dek_copy(const struct schema_dek *d);
bool schema_kek_same(const struct schema_kek *a, const struct schema_kek *b); /* but for deleted and time */
bool schema_dek_same(const struct schema_dek *a, const struct schema_dek *b);

struct schema_keys_table { /* zero-initialised: empty */
	struct schema_kek **kek;
	size_t n_keks, cap_keks;
	struct schema_dek **dek;
	size_t n_deks, cap_deks;
};

void schema_keys_release(struct schema_keys_table *t);
/* Copied; in the place of the one that is called the same. */
void schema_keys_put_kek(struct schema_keys_table *t, const struct schema_kek *k);
void schema_keys_put_dek(struct schema_keys_table *t, const struct schema_dek *d);
void schema_keys_remove_kek(struct schema_keys_table *t, const char *name);
void schema_keys_remove_dek(struct schema_keys_table *t, const struct schema_dek *id);

/* Borrowed until the table changes; NULL: none. Deleted ones are found. */
const struct schema_kek *schema_keys_kek(const struct schema_keys_table *t, const char *name);
const struct schema_dek *schema_keys_dek(const struct schema_keys_table *t, const struct schema_dek *id);
/* dek[*from .. *to): of the KEK; with a subject, of that; with an algorithm as well, of that. */
void schema_keys_range(const struct schema_keys_table *t, const char *kek, const char *subject, int algorithm,
		       size_t *from, size_t *to);
/* The version, or the highest (version 0); deleted ones only if deleted_too. NULL: none. */
const struct schema_dek *schema_keys_find(const struct schema_keys_table *t, const struct schema_dek *id,
					  bool deleted_too);

#endif
