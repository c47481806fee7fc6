/* schemas/catalogue/personal.h - the class of personal data (x_pdp) that a column's name suggests.
 *
 * Classes after UU 27/2022 article 4: general (U: name, sex, nationality, religion, marital status, what
 * combined identifies), specific (S: health, biometrics, genetics, crime, finances), of a child (A); P is a
 * pseudonym of ours. A guess for drafts and for lint, never a decision. Thread: any.
 */
#ifndef SCHEMAS_CATALOGUE_PERSONAL_H
#define SCHEMAS_CATALOGUE_PERSONAL_H

#include <stdbool.h>

/* 'P', 'U', 'S' or 'A'; 'N' where the name says nothing. sure: the name has hardly another meaning ("nik").
 */
char schema_class_of_name(const char *name, bool *sure);

#endif
