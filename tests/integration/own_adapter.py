"""A titian-adapter of one's own: an OPD of its own with its schema, mapping, keys and drop folder, on the shared Kafka.

Its topics are read back by Confluent's consumer and fastavro, never by our own decoder."""
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import uuid

import fastavro
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from conftest import ROOT, WORK, wait_for

BIN = ROOT / "build/release/bin"


# What a broker that has just begun says, or one that has just ended: it leads no partition for a moment.
PASSING = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN,
           KafkaError._TIMED_OUT, KafkaError._RESOLVE)


def again(ask, what):
    """What ask() gives, once the broker can say it; for ask() None is not yet, too."""
    def asked():
        try:
            return ask()
        except KafkaException as e:
            if e.args[0].code() not in PASSING:
                raise
    return wait_for(asked, 30, what)


def end(consumer, topic, partition):
    """The end of a partition's log."""
    return again(lambda: [consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)[1]], "a leader of " + topic)[0]


def partitions(consumer, topic):
    """Their numbers; a broker that has just begun knows a topic without any."""
    return again(lambda: list(consumer.list_topics(topic, timeout=20).topics[topic].partitions), "the partitions of " + topic)


class Record:
    def __init__(self, message, schemas):
        self.key = message.key().decode()
        self.partition, self.offset, self.time_ms = message.partition(), message.offset(), message.timestamp()[1]
        self.headers = {k: (v or b"").decode(errors="replace") for k, v in message.headers() or []}
        raw = message.value()
        self.value = None
        if raw is not None:
            assert raw[0] == 0
            self.value = fastavro.schemaless_reader(io.BytesIO(raw[5:]), schemas(int.from_bytes(raw[1:5], "big")))


class OwnAdapter:
    """schema: {entity: Avro schema as a dict}; mapping: {file name: text}; without: common topics that are not made."""

    def __init__(self, apart, opd, schemas, mappings, partitions=1, more="", without=()):
        self.apart, self.opd, self.process = apart, opd, None
        self.dir = pathlib.Path(WORK) / ("adapter-" + opd)
        shutil.rmtree(self.dir, ignore_errors=True)
        for part in ("avsc/" + opd, "drop", "keys", "state", "map"):
            (self.dir / part).mkdir(parents=True)
        shutil.copytree(ROOT / "schemas/avsc/bersama", self.dir / "avsc/bersama")
        for entity in without:
            (self.dir / "avsc/bersama" / (entity + ".avsc")).unlink()
        for entity, schema in schemas.items():
            (self.dir / "avsc" / opd / (entity + ".avsc")).write_text(json.dumps(
                {"x_topik": "pku.%s.%s.v1" % (opd, entity), "x_produsen": opd, "x_walidata": "diskominfotiksan", **schema}))
        for name, text in mappings.items():
            (self.dir / "map" / name).write_text(text)
        for key in ("city", "opd"):
            self.run(BIN / "titian", "key", "new", self.dir / "keys" / (key + ".key"))
        self.run(BIN / "titian", "schema", "register", "--registry", apart.registry, self.dir / "avsc")
        self.run(BIN / "titian", "topic", "apply", "--bootstrap", apart.bootstrap, "--partitions", str(partitions), self.dir / "avsc")
        self.conf = self.dir / "adapter.yaml"
        self.conf.write_text("\n".join([
            "opd: " + opd, "drop: {dir: %s, quiet: 100ms}" % (self.dir / "drop"),
            "mappings: [%s]" % ", ".join(str(self.dir / "map" / name) for name in mappings),
            "referensi: {dir: %s}" % (ROOT / "adapters/referensi"),
            "key: {city: %s, opd: %s}" % (self.dir / "keys/city.key", self.dir / "keys/opd.key"),
            "kafka: {bootstrap: \"%s\"}" % apart.bootstrap, "schemas: {dir: %s}" % (self.dir / "avsc"), "state: {dir: %s}" % (self.dir / "state"), more, ""]))
        self.logs = self.dir / "log"

    @staticmethod
    def run(*words, check=True, **more):
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120, **more)
        assert not check or done.returncode == 0, "%s\n%s%s" % (words[:3], done.stdout, done.stderr)
        return done

    def start(self, env=None):
        with open(self.logs, "ab") as log:
            begin = log.tell()
            self.process = subprocess.Popen([str(BIN / "titian-adapter"), "--config", str(self.conf)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True, env=dict(os.environ, **(env or {})))
        wait_for(lambda: "titian-adapter.ready" in self.log()[begin:] or self.process.poll() is not None, 60, "the adapter")
        assert self.process.poll() is None, self.log()
        return self

    def kill(self, sig=signal.SIGKILL, seconds=60):
        self.process.send_signal(sig)
        self.process.wait(seconds)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.kill(signal.SIGTERM)

    def log(self):
        return self.logs.read_text(errors="replace") if self.logs.exists() else ""

    def drop(self, name, data):
        hidden = self.dir / "drop" / ("." + name)
        hidden.write_bytes(data)
        hidden.rename(self.dir / "drop" / name)

    def schema(self, number):
        cache = self.__dict__.setdefault("schemas", {})
        if number not in cache:
            import urllib.request
            with urllib.request.urlopen(self.apart.registry + "/schemas/ids/%d" % number, timeout=20) as answer:
                cache[number] = fastavro.parse_schema(json.loads(json.loads(answer.read())["schema"]))
        return cache[number]

    def records(self, entity):
        """Every record of the topic as it stands now, in order of each partition."""
        topic = "pku.%s.%s.v1" % (self.opd, entity)
        consumer = Consumer({"bootstrap.servers": self.apart.bootstrap, "group.id": str(uuid.uuid4()),
                             "enable.auto.commit": False, "auto.offset.reset": "earliest"})
        try:
            parts = partitions(consumer, topic)
            ends = {p: end(consumer, topic, p) for p in parts}
            consumer.assign([TopicPartition(topic, p, 0) for p in parts])
            found, left = [], {p for p, end in ends.items() if end > 0}
            while left:
                message = consumer.poll(60)
                assert message is not None, "no record more of " + topic
                if message.error():
                    assert message.error().code() in PASSING, message.error()
                    continue
                found.append(Record(message, self.schema))
                if message.offset() + 1 >= ends[message.partition()]:
                    left.discard(message.partition())
            return found
        finally:
            consumer.close()

    def ends(self, entity):
        """How many offsets the topic's partitions have taken."""
        topic = "pku.%s.%s.v1" % (self.opd, entity)
        consumer = Consumer({"bootstrap.servers": self.apart.bootstrap, "group.id": str(uuid.uuid4())})
        try:
            parts = partitions(consumer, topic)
            return sum(end(consumer, topic, p) for p in parts)
        finally:
            consumer.close()

    def fold(self, entity):
        """What a compacted topic holds: the last value of each key, removed ones left out."""
        now = {}
        for r in self.records(entity):
            now[r.key] = r.value
        return {k: v for k, v in now.items() if v is not None}
