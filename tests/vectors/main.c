/* vectors FOLDER: runs a folder of conformance vectors (tests/vectors/avro/README.md) and prints a table.
 *
 * Every case on which the oracles disagree goes to build/vectors-oracles.tsv (set, case, what we do, why),
 * the kinds of disagreement to the screen. The last line is `N equal, M different`. Exit: 0 all equal, 1 some
 * different, 2 usage or nothing to run.
 */
#include <errno.h>
#include <sys/stat.h>

#include "tests/support/vectors.h"

#define ORACLES "build/vectors-oracles.tsv"

int main(int argc, char **argv)
{
	struct vectors_count sum = { 0 };
	size_t sets = 0;
	FILE *oracles;

	if (argc != 2) {
		fprintf(stderr, "usage: vectors FOLDER\n");
		return 2;
	}
	oracles = fopen(ORACLES, "w");
	if (!oracles)
		fprintf(stderr, "cannot write '%s': %m\n", ORACLES);
	printf("%-18s %8s %8s %10s %10s\n", "set", "cases", "equal", "different", "contested");
	for (size_t i = 0; i < VECTORS_SETS; i++) {
		struct vectors_count n;

		if (!vectors_run(argv[1], &vectors_set[i], stdout, oracles, &n))
			continue;
		printf("%-18s %8zu %8zu %10zu %10zu\n", vectors_set[i].name, n.cases, n.equal, n.different,
		       n.contested);
		sets++;
		sum.cases += n.cases;
		sum.equal += n.equal;
		sum.different += n.different;
		sum.contested += n.contested;
	}
	if (oracles && fclose(oracles) != 0)
		fprintf(stderr, "cannot write '%s': %m\n", ORACLES);
	if (sets == 0) {
		fprintf(stderr, "no vectors in '%s'\n", argv[1]);
		return 2;
	}
	printf(
	    "\ncontested: on %zu of the cases the oracles disagree; each with the side taken: %s, the rules: "
	    "tests/vectors/README.md\n",
	    sum.contested, ORACLES);
	printf("%zu equal, %zu different\n", sum.equal, sum.different);
	return sum.different > 0 ? 1 : 0;
}
