"""The adapter built for ARM64 (`make arm64`), run by qemu: what it makes of a file is what the one built for this machine makes of it."""
import shutil
import subprocess

import pytest

from conftest import ROOT

PROGRAM, LIBRARIES = ROOT / "build/arm64/bin/titian-adapter", ROOT / "build/arm64-root"
QEMU = shutil.which("qemu-aarch64")

pytestmark = pytest.mark.skipif(not (PROGRAM.exists() and QEMU), reason="NOT TESTED: `make arm64` has not been run here")


def both(*words):
    """Status and output: here, and on ARM64."""
    here, there = (subprocess.run([*run, *map(str, words)], capture_output=True, text=True, timeout=300)
                   for run in ([ROOT / "build/release/bin/titian-adapter"], [QEMU, "-L", LIBRARIES, PROGRAM]))
    return (here.returncode, here.stdout), (there.returncode, there.stdout), there.stderr


def test_says_its_version():
    here, there, error = both("--version")
    assert here == there and there[0] == 0, error


@pytest.mark.parametrize("opd, feed", [("disdukcapil", "disdukcapil_penduduk"), ("bapenda", "bapenda_pbb"), ("dinkes", "dinkes_kunjungan")])
def test_makes_the_same_of_a_file(tmp_path, opd, feed):
    data = next((ROOT / "deploy/demo/feeds").glob(feed + "*"))
    (tmp_path / "key").write_text("ab" * 32 + "\n")
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "drop").mkdir()
    mappings = ", ".join(str(p) for p in sorted((ROOT / "adapters/opd" / opd).glob("*.yaml")))
    conf = tmp_path / "adapter.yaml"
    conf.write_text("\n".join([
        "opd: " + opd, "drop: {dir: %s}" % (tmp_path / "drop"), "mappings: [%s]" % mappings, "referensi: {dir: %s, extra: %s}" % (
            ROOT / "adapters/referensi", ROOT / "deploy/demo/feeds"), "key: {city: %s}" % (tmp_path / "key"),
        "kafka: {bootstrap: \"127.0.0.1:1\"}", "schemas: {dir: %s}" % (ROOT / "schemas/avsc"), "state: {dir: %s}" % tmp_path, ""]))
    here, there, error = both("preview", "--config", conf, "--limit", "200", data)
    assert there[0] == 0 and here[1], error
    assert here == there
