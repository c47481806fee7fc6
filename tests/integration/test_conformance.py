"""Every case of tests/conformance against titian-registry, and whether docs/registry-conformance.md says what they say."""
import os
import pathlib
import signal
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "conformance"))
import conformance  # noqa: E402
import table  # noqa: E402
from test_registry import Registry  # noqa: E402

CASES = conformance.load()
NOT_OFFERED = set((ROOT / "tests/conformance/not_offered.txt").read_text().splitlines())
seen = {}


@pytest.fixture(scope="module")
def url(request, tmp_path_factory):
    kafka = os.environ.get("TITIAN_BOOTSTRAP") or request.getfixturevalue("bootstrap")
    r = Registry(kafka, "_schemas_conformance_%d_%d" % (os.getpid(), time.time()), tmp_path_factory.mktemp("conformance")).start()
    yield r.url
    assert r.kill(signal.SIGTERM) == 0


@pytest.mark.parametrize("number", range(len(CASES)), ids=[c["id"] for c in CASES])
def test_answers_as_its_source_says(url, number):
    case = CASES[number]
    seen[case["id"]] = conformance.run_one(url, case, number)
    if case["id"] in NOT_OFFERED:
        assert seen[case["id"]] is not None, "it is offered: take it out of not_offered.txt"
        return
    assert seen[case["id"]] is None, "%s\nsource: %s" % (seen[case["id"]], case["source"])


def test_the_table_in_the_docs_is_current():
    if len(seen) != len(CASES):
        pytest.skip("not all cases were run")
    assert (ROOT / "docs/registry-conformance.md").read_text() == table.text(seen), \
        "make conformance-table writes it anew"
