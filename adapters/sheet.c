#include "adapters/sheet.h"

const char *adapter_sheet_place(const char *p, uint32_t *column, uint32_t *row)
{
	uint32_t c = 0, r = 0;
	const char *begin = p;

	if (*p == '$')
		p++;
	for (; (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'); p++) {
		c = c * 26 + (uint32_t)((*p | 0x20) - 'a') + 1;
		if (c > ADAPTER_SHEET_COLUMNS)
			return NULL;
	}
	if (*p == '$')
		p++;
	for (; *p >= '0' && *p <= '9'; p++) {
		r = r * 10 + (uint32_t)(*p - '0');
		if (r == 0 || r > ADAPTER_SHEET_ROWS)
			return NULL;
	}
	if (p == begin || (c == 0 && r == 0) || (*p != '\0' && *p != ':'))
		return NULL;
	if (c > 0)
		*column = c - 1;
	if (r > 0)
		*row = r;
	return p;
}

char *adapter_sheet_letters(uint32_t column, char out[4])
{
	char back[4];
	int n = 0, k = 0;

	for (uint32_t c = column + 1; c > 0; c = (c - 1) / 26)
		back[n++] = (char)('A' + (c - 1) % 26);
	while (n > 0)
		out[k++] = back[--n];
	out[k] = '\0';
	return out;
}

void adapter_sheet_put_time(struct bus_buf *out, int64_t ms)
{
	bus_buf_printf(out, "%02d:%02d:%02d", (int)(ms / 3600000), (int)(ms / 60000 % 60),
		       (int)(ms / 1000 % 60));
	if (ms % 1000)
		bus_buf_printf(out, ".%03d", (int)(ms % 1000));
}
