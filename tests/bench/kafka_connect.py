"""Kafka Connect (Apache Kafka) in its standalone mode, with the heap its own script gives it: 256 MB to 2 GB."""
import contextlib
import hashlib
import pathlib
import re
import shutil
import subprocess

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from meter import ROOT
from conftest import free_ports

FOLDER = ROOT / "build/connect"
POM = ROOT / "tests/bench/connect/pom.xml"


def jars():
    """Connect's jars, once for each version of the pom."""
    mark, now = FOLDER / "complete", hashlib.sha256(POM.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != now:
        shutil.rmtree(FOLDER / "lib", ignore_errors=True)
        subprocess.run(["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", "-DincludeScope=runtime",
                        "-DoutputDirectory=%s" % (FOLDER / "lib")], check=True)
        mark.write_text(now)
    return "%s/*" % (FOLDER / "lib")


def properties(path, options):
    path.write_text("".join("%s=%s\n" % pair for pair in options.items()))
    return str(path)


def make_topic(bootstrap, topic):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)


def ends(bootstrap, topic):
    """How many records partition 0 of a topic has had, each time it is called."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench"})
    return lambda: consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20, cached=False)[1]


def peak_mb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/%d/status" % pid).read_text()).group(1)) / 1024


@contextlib.contextmanager
def worker(folder, bootstrap, converter, connector):
    """A worker with one connector (options), both converters of one class; the process. What it says: folder/connect.log."""
    own = properties(folder / "worker.properties", {
        "bootstrap.servers": bootstrap, "key.converter": converter, "value.converter": converter,
        "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
        "offset.storage.file.filename": folder / "offsets", "listeners": "http://127.0.0.1:%d" % free_ports(1),
        "plugin.path": FOLDER / "lib", "plugin.discovery": "service_load"})
    with open(folder / "connect.log", "wb") as log:
        process = subprocess.Popen(["java", "-Xms256M", "-Xmx2G", "-cp", jars(), "org.apache.kafka.connect.cli.ConnectStandalone", own,
                                    properties(folder / "connector.properties", {"tasks.max": 1, **connector})], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()  # one that is out of memory does not hear SIGTERM
        process.wait(30)
