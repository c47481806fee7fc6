/* vectors FOLDER: runs a folder of conformance vectors (tests/vectors/avro/README.md) and prints a table.
 *
 * Below it, what we do where the oracles disagree; case by case in build/vectors-oracles.tsv. The last line
 * is `N equal, M different`. Exit: 0 all equal, 1 some different, 2 usage or nothing to run.
 */
#include "tests/support/vectors.h"

#define ORACLES "build/vectors-oracles.tsv"

int main(int argc, char **argv)
{
	struct vectors_oracles oracles = { 0 };
	struct vectors_count sum = { 0 };
	size_t sets = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: vectors FOLDER\n");
		return 2;
	}
	oracles.each = fopen(ORACLES, "w");
	if (!oracles.each)
		fprintf(stderr, "cannot write '%s': %m\n", ORACLES);
	printf("%-18s %8s %8s %10s %10s\n", "set", "cases", "equal", "different", "contested");
	for (size_t i = 0; i < VECTORS_SETS; i++) {
		struct vectors_count n;

		if (!vectors_run(argv[1], &vectors_set[i], stdout, &oracles, &n))
			continue;
		printf("%-18s %8zu %8zu %10zu %10zu\n", vectors_set[i].name, n.cases, n.equal, n.different,
		       n.contested);
		sets++;
		sum.equal += n.equal;
		sum.different += n.different;
		sum.contested += n.contested;
	}
	if (oracles.each && fclose(oracles.each) != 0)
		fprintf(stderr, "cannot write '%s': %m\n", ORACLES);
	if (sets == 0) {
		fprintf(stderr, "no vectors in '%s'\n", argv[1]);
		return 2;
	}
	printf("\nThe oracles disagree on %zu of the cases. What we do there (why: tests/vectors/README.md; "
	       "each "
	       "case: %s):\n",
	       sum.contested, ORACLES);
	for (size_t i = 0; i < oracles.n_kinds; i++)
		printf("  %-16s %4zu  %s\n", oracles.kind[i].set, oracles.kind[i].cases,
		       oracles.kind[i].text);
	vectors_oracles_release(&oracles);
	printf("%zu equal, %zu different\n", sum.equal, sum.different);
	return sum.different > 0 ? 1 : 0;
}
