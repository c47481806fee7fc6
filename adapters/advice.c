#include "adapters/advice.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/tally.h"

static const struct {
	const char *id, *en;
} words[ADAPTER_ADVICE_N] = {
	[ADAPTER_ADVICE_VALUE] = {
		"Isi kolomnya salah atau kosong. Perbaiki barisnya di karantina (mend --redrive), dan di sistem "
		"asal supaya tidak ditolak lagi dengan berkas berikutnya. Kalau isinya benar: perbaiki "
		"pemetaan, jalankan ulang adapter, lalu redrive --class.",
		"A column is wrong or empty. Mend the row in quarantine (mend --redrive), and in the source, "
		"or the next file's is refused again. If it is right as it stands: mend the mapping, restart "
		"the adapter, then redrive --class.",
	},
	[ADAPTER_ADVICE_KEY] = {
		"Kolom kunci salah atau kosong. Perbaiki barisnya di karantina (mend --redrive): terbit di "
		"bawah kunci yang benar; dan di sistem asal supaya tidak ditolak lagi.",
		"A column of the key is wrong or empty. Mend the row in quarantine (mend --redrive): it is "
		"published under the right key; and in the source, or it is refused again.",
	},
	[ADAPTER_ADVICE_LOST] = {
		"Kolomnya tidak tersimpan (barisnya tidak terbaca, atau adapter tanpa key.opd): mend dan "
		"redrive tidak bisa. Perbaiki berkas atau ekspornya dan kirim lagi (yang sama tidak "
		"diterbitkan dua kali), lalu discard barisnya.",
		"Its columns were not kept (the row cannot be read, or the adapter has no key.opd): neither "
		"mend nor redrive can help. Mend the file or its export and send it again (what is the same "
		"is not published twice), then discard the row.",
	},
	[ADAPTER_ADVICE_OLDER] = {
		"Yang lebih baru sudah ada: tidak ada yang perlu diperbaiki; discard. Kalau justru baris ini "
		"yang benar: kirim dari sistem asal sebagai yang terbaru.",
		"A newer one stands: nothing is to be mended; discard it. If it is this row that is right: send "
		"it from the source as the newest.",
	},
	[ADAPTER_ADVICE_TWICE] = {
		"Baris lain sudah ada dan tetap berlaku. Kalau hanya ganda: discard. Kalau isinya hal lain: "
		"perbaiki kolom yang sama itu di karantina (mend --redrive). Kalau baris ini yang benar: hapus "
		"yang lain di sistem asal dan kirim lagi.",
		"Another row is there already and stands. If this is just the same twice: discard it. If it is "
		"another thing: mend the column they share in quarantine (mend --redrive). If this is the "
		"right one: delete the other in the source and send again.",
	},
	[ADAPTER_ADVICE_SIZE] = {
		"Rekamannya terlalu besar untuk topik. Perpendek isinya di sistem asal dan kirim lagi, atau minta "
		"Diskominfo menaikkan max.message.bytes, lalu redrive.",
		"The record is too large for the topic. Make it shorter in the source and send it again, or ask "
		"Diskominfo for a higher max.message.bytes, then redrive.",
	},
};

/* What is not in the file is gone from the register: also who is in it under a wrong key. */
static const char key_of_complete_id[] =
    "Kolom kunci salah atau kosong. Berkas ini seluruh register: bagi register, yang ada di bawah kunci yang "
    "benar hilang. Perbaiki di sistem asal dan kirim lagi. Di karantina (mend --redrive) bisa segera, tetapi "
    "hanya sampai berkas berikutnya yang masih salah.";
static const char key_of_complete_en[] = "A column of the key is wrong or empty. The file is the whole "
					 "register: what stood under the right key is "
					 "gone from it. Mend it in the source and send again. In quarantine "
					 "(mend --redrive) it is mended at once, "
					 "but only until the next file that is still wrong.";

static bool is_of_key(const struct adapter_map *map, const char *field)
{
	size_t n;
	const char *const *column = adapter_map_columns(map, &n);
	bool *of_key = bus_xcalloc(n + 1, sizeof(*of_key)), found = false;

	adapter_map_key_columns(map, of_key);
	for (size_t i = 0; i < n && !found; i++)
		found = of_key[i] && strcmp(column[i], field) == 0;
	free(of_key);
	return found;
}

static bool same(const char *a, const char *b)
{
	return b && strcmp(a, b) == 0;
}

enum adapter_advice adapter_advice_of(const struct adapter_map *map, const char *class, const char *field,
				      bool kept)
{
	if (same(class, ADAPTER_CLASS_TOO_BIG))
		return ADAPTER_ADVICE_SIZE;
	if (same(class, ADAPTER_CLASS_OLDER) || (map && same(class, adapter_map_older_class(map))))
		return ADAPTER_ADVICE_OLDER;
	if (same(class, ADAPTER_CLASS_TWICE) || (map && adapter_map_class_repeats(map, class)))
		return ADAPTER_ADVICE_TWICE;
	if (!kept)
		return ADAPTER_ADVICE_LOST;
	return map && field && is_of_key(map, field) ? ADAPTER_ADVICE_KEY : ADAPTER_ADVICE_VALUE;
}

void adapter_advice_text(enum adapter_advice a, bool complete, const char *indent, struct bus_buf *out)
{
	bool whole = a == ADAPTER_ADVICE_KEY && complete;

	bus_buf_printf(out, "%s%s\n", indent, whole ? key_of_complete_id : words[a].id);
	bus_buf_printf(out, "%s%s\n", indent, whole ? key_of_complete_en : words[a].en);
}
