/* adapters/init/forms.h - in which forms the values of one column are written, counted; and what that makes the column.
 * Thread: one. */
#ifndef ADAPTERS_INIT_FORMS_H
#define ADAPTERS_INIT_FORMS_H

#include <stdint.h>

#include "bus/mem.h"

#define ADAPTER_INIT_DATES 8
#define ADAPTER_INIT_TIMES 8

struct adapter_init_forms {
	uint64_t number; /* JSON or a spreadsheet gave a number */
	uint64_t digits; /* digits alone */
	uint64_t zero;	 /* of them, with a 0 in front */
	uint64_t of_length
	    [32];	/* digits alone once points, dashes and spaces are gone, by how many; [31]: or more */
	uint64_t whole; /* with a minus, perhaps */
	uint64_t point, comma;				/* decimals written with it */
	uint64_t group_comma, group_point, group_space; /* thousands parted: 1,234; 1.234.567; 1 234 */
	uint64_t amount;				/* whole, a decimal, or parted */
	uint64_t rupiah;				/* Rp in front */
	uint64_t scientific;				/* 1,47E+15 */
	uint64_t nik;					/* 16 digits with a province and a day of birth */
	uint64_t email;
	uint64_t date[ADAPTER_INIT_DATES], time[ADAPTER_INIT_TIMES];
	uint64_t dated;			 /* as one of the dates, or as 1/2/2024, 01/02/24, 1 Februari 2024 */
	uint64_t day_first, month_first; /* of NN/NN/YYYY: one of them is over 12 */
	uint64_t too_long;		 /* of more digits than a long has */
};

struct adapter_init_guess;

void adapter_init_forms_take(struct adapter_init_forms *f, struct bus_str s, bool number);
/* Sets type, as, sure, why and, where the values say more than the name, class. */
void adapter_init_forms_guess(const struct adapter_init_forms *f, const char *name, uint64_t filled,
			      struct adapter_init_guess *out);

#endif
