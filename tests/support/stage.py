"""A Kafka and a titian-registry of one's own, for as long as one needs them.

    stage.py FOLDER COMMAND...     runs COMMAND with TITIAN_BOOTSTRAP and TITIAN_REGISTRY set, then ends both

Everything is in FOLDER (anew each time) and on free ports of 127.0.0.1.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
import conftest  # noqa: E402
import test_registry  # noqa: E402


@contextlib.contextmanager
def kafka(folder):
    """Yields the address of a broker in folder/kafka."""
    base = conftest.free_ports(2)
    script = str(ROOT / "deploy/kafka/kafka.sh")
    run = subprocess.run([script, "start", str(folder / "kafka"), str(base), str(base + 1)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    try:
        yield "127.0.0.1:%d" % base
    finally:
        subprocess.run([script, "stop", str(folder / "kafka")], check=True)


@contextlib.contextmanager
def registry(folder, bootstrap, topic="_schemas"):
    """Yields the URL of a titian-registry on that topic."""
    r = test_registry.Registry(bootstrap, topic, folder).start()
    try:
        yield r.url
    finally:
        if r.process.poll() is None:
            r.kill(test_registry.signal.SIGTERM)


def fresh(folder):
    folder = pathlib.Path(folder).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    place = fresh(sys.argv[1])
    with kafka(place) as bootstrap, registry(place, bootstrap) as url:
        sys.exit(subprocess.run(sys.argv[2:], env=dict(os.environ, TITIAN_BOOTSTRAP=bootstrap, TITIAN_REGISTRY=url)).returncode)
