"""The adapter's portable folder (`make static`), in a root where there is nothing else: no library, no /proc, no shell."""
import os
import shutil
import subprocess

import pytest

from conftest import ROOT

IN_ROOT = ["chroot"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "chroot"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    subprocess.run([str(ROOT / "deploy/portable/make.sh"), os.environ.get("CC", "gcc"), str(ROOT / "build/release/bin/titian-adapter"),
                    str(ROOT / "build/release/portable")], check=True)
    root = tmp_path_factory.mktemp("empty")
    shutil.copytree(ROOT / "build/release/portable", root / "titian")
    for name in ("drop", "tmp", "map"):
        (root / name).mkdir()
    shutil.copytree(ROOT / "adapters/referensi", root / "referensi")
    shutil.copytree(ROOT / "schemas/avsc", root / "avsc")
    shutil.copy(ROOT / "adapters/opd/disdukcapil/penduduk.yaml", root / "map")
    (root / "key").write_text("ab" * 32 + "\n")
    (root / "key").chmod(0o600)
    (root / "adapter.yaml").write_text("\n".join([
        "opd: disdukcapil", "drop: {dir: /drop}", "mappings: [/map/penduduk.yaml]", "referensi: {dir: /referensi}", "key: {city: /key}",
        "kafka: {bootstrap: \"127.0.0.1:1\"}", "schemas: {dir: /avsc}", "state: {dir: /tmp}", ""]))
    probe = subprocess.run([*IN_ROOT, str(root), "/titian/titian-adapter", "--version"], capture_output=True, text=True)
    if "Operation not permitted" in probe.stderr:
        pytest.skip("NOT TESTED: this machine lets nobody change the root: " + probe.stderr)
    return root


def run(root, *words):
    return subprocess.run([*IN_ROOT, str(root), "/titian/titian-adapter", *words], capture_output=True, text=True, timeout=60,
                          env={"PATH": "/nowhere:/usr/sbin:/usr/bin:/sbin:/bin"})


def test_runs_in_an_empty_root(root):
    usual = subprocess.run([str(ROOT / "build/release/bin/titian-adapter"), "--version"], capture_output=True, text=True, check=True).stdout
    told = run(root, "--version")
    assert told.returncode == 0 and told.stdout == usual, told.stderr
    assert run(root, "--option-that-is-none").returncode == 2
    checked = run(root, "check", "--config", "/adapter.yaml")
    assert checked.returncode == 0, checked.stderr


def test_shows_what_a_file_would_become(root):
    data = next((ROOT / "deploy/demo/feeds").glob("disdukcapil_penduduk*"))
    shutil.copy(data, root / data.name)
    there = run(root, "preview", "--config", "/adapter.yaml", "/" + data.name)
    assert there.returncode == 0 and there.stdout, there.stderr
    here = root / "here.yaml"
    here.write_text((root / "adapter.yaml").read_text().replace(" /", " %s/" % root).replace("[/", "[%s/" % root))
    beside = subprocess.run([str(ROOT / "build/release/bin/titian-adapter"), "preview", "--config", str(here), str(root / data.name)],
                            capture_output=True, text=True, check=True)
    assert there.stdout.replace("/" + data.name, "") == beside.stdout.replace(str(root / data.name), "").replace(str(root), "")
