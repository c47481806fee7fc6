/* tests/support/alloc.h - how much memory a piece of code takes.
 *
 * Counts what malloc, calloc and realloc hand out to code linked with -Wl,--wrap (the Makefile lists the
 * programs); what libc allocates inside itself is not seen. Thread: the counters are of the calling thread.
 */
#ifndef TESTS_SUPPORT_ALLOC_H
#define TESTS_SUPPORT_ALLOC_H

#include <stddef.h>

void alloc_mark(void);	 /* begins anew: what is held now counts as nothing */
size_t alloc_peak(void); /* the most bytes held at once since the mark */

#endif
