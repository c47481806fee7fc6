"""Every ```sh block of docs/ as a reader would paste it, in order, after the demo's demo.env."""
import re
import subprocess

import pytest

from conftest import ROOT

# What a reader would see and stop: a stream. Whatever the gateway refuses fails the page.
READER = """set -eu -o pipefail
. "$1"
curl() {
	case " $* " in *" -N "* | *" -sN "*) command curl --fail-with-body --max-time 1 "$@" || [ $? = 28 ] ;;
	*) command curl --fail-with-body "$@" ;; esac
}
python3() {
	case $1 in follow.py) timeout 8 python3 "$@" || [ $? = 124 ] ;; *) command python3 "$@" ;; esac
}
"""
PAGES = {p.name: p.read_text() for p in sorted((ROOT / "docs").glob("*.md"))}
BLOCKS = {name: "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)) for name, text in PAGES.items()}


@pytest.mark.parametrize("name", [name for name, blocks in BLOCKS.items() if blocks])
def test_a_pages_commands_run_as_they_stand(sample, tmp_path, name):
    for folder in ("schemas", "gateway", "deploy"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    with open(tmp_path / "said", "w+") as said:  # a file: what a page said before it stood still is told, too
        run = subprocess.run(["timeout", "400", "bash", "-c", READER + BLOCKS[name], name, str(sample.dir / "demo.env")],
                             cwd=tmp_path, stdout=said, stderr=said)
    said = (tmp_path / "said").read_text()
    for hook in sample.city.get("/v1/webhooks"):
        sample.request("/v1/webhooks/" + hook["id"], method="DELETE")
    assert run.returncode == 0, said[-4000:]
    if name == "following.md":
        assert "\n%d rows\n" % len(sample.city.get("/v1/views/penduduk_hidup_per_kelurahan")) in said


def test_one_set_of_names_is_used():
    for name, text in PAGES.items():
        for line in text.splitlines():
            used = set(re.findall(r"\$\{?([A-Z][A-Z_]*)", line))
            known = {n for n in used if n.startswith("TITIAN_") or re.search(r"\b%s=" % n, text) or re.search(r"read -r %s" % n, text)}
            # of other languages, and environment variables that are explained where they stand
            assert used == known or "_SERVER" in line, (name, line)
