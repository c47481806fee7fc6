/* The 16 digits of a NIK: place of first registration (6), day of birth (2; women 40 more), month (2), year
 * (2), serial (4). The place is where somebody was first registered, under the codes of that day: it says
 * nothing about where they live now, and no place is a defect. */
#include "adapters/map_impl.h"
#include "bus/clock.h"

static int two(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

enum map_why adapter_map_nik(struct bus_str s, int century, int64_t *days, char *sex)
{
	int day, month, year;
	int32_t d;

	if (s.n != 16)
		return MAP_WHY_LENGTH;
	for (size_t i = 0; i < 16; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return MAP_WHY_DIGITS;
	day = two(s.p + 6);
	month = two(s.p + 8);
	year = two(s.p + 10);
	year += year > century ? 1900 : 2000;
	*sex = day > 40 ? 'P' : 'L';
	if (day > 40)
		day -= 40;
	if (!bus_clock_days(year, month, day, &d))
		return MAP_WHY_NIK_DATE;
	*days = d;
	return MAP_WHY_NONE;
}
