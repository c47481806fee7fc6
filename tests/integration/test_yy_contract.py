"""The gateway against its own OpenAPI document, by schemathesis: valid and invalid requests made up for every
operation; no answer may be a 5xx, undocumented, of another type, or of another shape than the document says."""
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
# Streams that never end unless told, and what would drop or define views of the city that other tests read.
# Of the typed paths of 20 views, two of each kind: the rest is the same code and the same schema.
VIEWS = "penduduk_per_tahun_lahir|rentan_bencana"


def test_no_answer_breaks_the_contract(sample, tmp_path):
    document = json.loads(sample.request("/v1/openapi.json")[2])
    views = [v["name"] for v in sample.city.get("/v1/views")]
    others = [v for v in views if v not in VIEWS.split("|")]
    run = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run",
         sample.city.url + "/v1/openapi.json", "-H", "Authorization: Bearer " + sample.city.key,
         "--seed", os.environ.get("SEED", "1"), "-n", os.environ.get("EXAMPLES", "10"), "--no-shrink",
         "--request-timeout", "60", "--phases", "examples,coverage,fuzzing", "--continue-on-failure",
         "--exclude-path-regex", "^/v1/views/(%s)(/|$)" % "|".join(others), "--report", "junit", "--report-dir", str(tmp_path)],
        cwd=tmp_path, env=dict(os.environ, SCHEMATHESIS_HOOKS="contract_hooks", PYTHONPATH=str(HERE), NO_COLOR="1"),
        capture_output=True, text=True, timeout=1800)
    said = run.stdout.replace(sample.city.key, "tk_...")
    assert run.returncode == 0, said[-6000:]
    tested = [line for line in said.splitlines() if "Tested:" in line]
    assert tested and int(tested[0].split(":")[1]) > 40 < len(document["paths"]), said[-2000:]
