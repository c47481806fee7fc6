"""What the benches share: how a figure is printed, where the tests' own pieces are, CPU time, and a gateway of their own."""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "tests/support")]
import stage  # noqa: E402
from conftest import WORK  # noqa: E402
from own_gateway import OwnGateway, Topic  # noqa: E402

SCHEMA = json.loads((ROOT / "schemas/avsc/dinsos/bansos.avsc").read_text())
VIEW = """/*---
name: lain
key: id
routes: {bench_lain: _key}
columns: {id: {type: text, pdp: P}}
---*/
SELECT _key AS id FROM bench_lain
"""


def line(name, value, unit):
    print("%s %s %s" % (name, ("%.3f" % value).rstrip("0").rstrip(".") if isinstance(value, float) else value, unit), flush=True)


def milliseconds(text):
    """As wrk says it."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def cpu(pid):
    """Seconds of a process's CPU time."""
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def plain(program, *arguments):
    """What the named reference (plain librdkafka, tests/bench/*.c) reaches: a number."""
    return float(subprocess.run([str(ROOT / "build/release/bench" / program), *map(str, arguments)],
                                capture_output=True, text=True, check=True).stdout)


@contextlib.contextmanager
def gateway(name, policy, fill, **options):
    """A broker, a registry, and a gateway that keeps a view of something else: (city, gateway, folder, what fill(city)
    made before the gateway started)."""
    folder = stage.fresh(WORK / name)
    with stage.kafka(folder) as bootstrap, stage.registry(folder, bootstrap) as url:
        city = types.SimpleNamespace(bootstrap=bootstrap, registry=url)
        other = Topic(city, "pku.bench.lain.v1", {**SCHEMA, "name": "Lain"})
        made = fill(city)
        own = OwnGateway(city, name + "_gateway", [other], {"lain": VIEW}, policy, **options).start()
        try:
            yield city, own, folder, made
        finally:
            own.stop()
