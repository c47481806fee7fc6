/* GUIDs of contents, as Confluent's registry computes and writes them. */
#include <stdio.h>

#include "bus/crypto.h"
#include "schemas/store/record.h"

void schema_record_guid(struct bus_str text, const struct schema_store_reference *reference,
			size_t n_references, const struct schema_metadata *m, const struct schema_rule_set *s,
			uint8_t out[SCHEMA_GUID_LEN])
{
	struct bus_buf b = { 0 };

	if (n_references == 0 && !m && !s) {
		bus_md5(text.p, text.n, out);
		return;
	}
	bus_buf_put(&b, text.p, text.n);
	for (size_t i = 0; i < n_references; i++) {
		uint32_t v = (uint32_t)reference[i].version;

		bus_buf_puts(&b, reference[i].name);
		bus_buf_puts(&b, reference[i].subject);
		for (int shift = 24; shift >= 0; shift -= 8)
			bus_buf_putc(&b, (char)(v >> shift));
	}
	if (m) {
		bus_buf_putc(&b, 1);
		schema_metadata_bytes(m, &b);
	}
	if (s) {
		bus_buf_putc(&b, 1);
		schema_rule_set_bytes(s, &b);
	}
	bus_md5(b.p, b.n, out);
	bus_buf_release(&b);
}

void schema_guid_text(const uint8_t guid[SCHEMA_GUID_LEN], char out[37])
{
	char hex[2 * SCHEMA_GUID_LEN + 1];

	bus_hex(guid, SCHEMA_GUID_LEN, hex);
	snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

bool schema_guid_parse(const char *text, uint8_t out[SCHEMA_GUID_LEN])
{
	static const char digits[] = "0123456789abcdef";
	const bool dashed = strlen(text) == 36;
	size_t n = 0;

	if (!dashed && strlen(text) != 32)
		return false;
	for (size_t i = 0; text[i]; i++) {
		const char *d;

		if (dashed && (i == 8 || i == 13 || i == 18 || i == 23)) {
			if (text[i] != '-')
				return false;
			continue;
		}
		d = strchr(digits, text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]);
		if (!d)
			return false;
		out[n / 2] = (uint8_t)(n % 2 == 0 ? (d - digits) << 4 : out[n / 2] | (d - digits));
		n++;
	}
	return n == 2 * SCHEMA_GUID_LEN;
}
