"""Readers that are not ours: Confluent's Python client and kcat."""
import json
import subprocess

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from conftest import OPDS, ROOT

CLOUD_EVENTS = {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "content-type"}


def topics_of(bootstrap):
    names = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics
    return sorted(t for t in names if t.startswith("pku.") and t.split(".")[1] in OPDS)  # other tests have topics, too


def read_all(bootstrap, topic):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "enable.auto.commit": False,
                         "isolation.level": "read_committed", "auto.offset.reset": "error"})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        ends = {}
        for p in partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)
            if high > low:
                ends[p] = (low, high)
        consumer.assign([TopicPartition(topic, p, low) for p, (low, _) in ends.items()])
        while ends:
            message = consumer.poll(60)
            assert message is not None and not message.error(), message and message.error()
            yield message
            if message.offset() + 1 >= ends[message.partition()][1]:
                del ends[message.partition()]
    finally:
        consumer.close()


def test_every_record_of_every_topic_is_read_by_confluents_deserializer(sample):
    registry = SchemaRegistryClient({"url": sample.registry})
    decode, streams, records, claims = AvroDeserializer(registry), {}, 0, 0
    topics = topics_of(sample.bootstrap)
    assert len(topics) == 29  # eight feeds; quarantine, files and adapter of seven departments
    for topic in topics:
        for message in read_all(sample.bootstrap, topic):
            headers = dict(message.headers())
            assert CLOUD_EVENTS <= headers.keys(), (topic, sorted(headers))
            if topic.endswith(".adapter.v1"):  # how it is doing: of no stream, and no row of the gateway's
                said = decode(message.value(), SerializationContext(topic, MessageField.VALUE))
                assert message.key().decode() == said["opd"] == topic.split(".")[1] and "titian_seq" not in headers
                continue
            records += 1
            if "titian_owner" in headers:  # an adapter says that it has begun: no row, and of no stream
                assert message.value() is None and topic.endswith(".berkas.v1") and "titian_seq" not in headers
                claims += 1
                continue
            assert headers["ce_id"].decode() == "%s/%s" % (
                headers["titian_stream"].decode(), headers["titian_seq"].decode())
            if message.value() is not None:
                record = decode(message.value(), SerializationContext(topic, MessageField.VALUE))
                assert isinstance(record, dict) and record
            stream, seq = headers["titian_stream"].decode(), int(headers["titian_seq"])
            assert seq == streams.get(stream, 0) + 1, "a gap or a repetition in " + stream
            streams[stream] = seq
    applied = sum(t["applied"] for t in sample.city.get("/v1/topics")["topics"])
    assert records == applied > 8000 and claims >= len(OPDS)


def test_kcat_shows_keys_and_headers(sample):
    out = subprocess.run(["kcat", "-b", sample.bootstrap, "-C", "-t", "pku.disdukcapil.penduduk.v1", "-o", "beginning", "-c", "3",
                          "-e", "-q", "-f", "%k %h\\n"], capture_output=True, text=True, timeout=120, check=True).stdout
    lines = out.splitlines()
    assert len(lines) == 3
    for line in lines:
        key, headers = line.split(" ", 1)
        assert len(key) == 32 and int(key, 16) >= 0
        assert "ce_type=id.go.pekanbaru.bus.disdukcapil.penduduk.v1" in headers and "titian_seq=" in headers


def test_the_command_finds_the_city_once_demo_env_is_read(sample):
    script = '. "$0"/demo.env && build/release/bin/titian topic list'
    out = subprocess.run(["sh", "-c", script, str(sample.dir)], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "pku.dinsos.bansos.v1\t1\n" in out


def test_a_new_schema_version_is_checked_for_compatibility(sample):
    client = SchemaRegistryClient({"url": sample.registry})
    subject = "pku.bkpsdm.asn.v1-value"
    latest = client.get_latest_version(subject)

    def with_field(field):
        schema = json.loads(latest.schema.schema_str)
        schema["fields"].append(field)
        return json.dumps(schema)

    good = with_field({"name": "jabatan", "type": ["null", "string"], "default": None})
    bad = with_field({"name": "jabatan", "type": "string"})
    assert client.test_compatibility(subject, Schema(good, "AVRO"))
    assert not client.test_compatibility(subject, Schema(bad, "AVRO"))
    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema(subject, Schema(bad, "AVRO"))
    assert refused.value.http_status_code == 409
    number = client.register_schema(subject, Schema(good, "AVRO"))
    now = SchemaRegistryClient({"url": sample.registry}).get_latest_version(subject)  # the first one caches
    assert now.schema_id == number > latest.schema_id and now.version == latest.version + 1
