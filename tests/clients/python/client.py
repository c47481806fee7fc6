"""Confluent's Python client: SchemaRegistryClient, AvroSerializer, AvroDeserializer. What it does: ../README.md."""
import json
import os
import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

SCHEMAS = json.load(open(os.environ["SCHEMAS"]))
V1, V2, BAD = (json.dumps(SCHEMAS[name]) for name in ("v1", "v2", "bad"))
registry = SchemaRegistryClient({"url": os.environ["REGISTRY"]})


def done(step):
    print("ok", step, flush=True)


def write(topic):
    subject = topic + "-value"
    first = registry.register_schema(subject, Schema(V1, "AVRO"))
    assert registry.register_schema(subject, Schema(V1, "AVRO")) == first
    done("register")
    found = registry.lookup_schema(subject, Schema(V1, "AVRO"))
    assert (found.schema_id, found.version) == (first, 1)
    assert registry.get_latest_version(subject).version == 1
    assert json.loads(registry.get_schema(first).schema_str) == SCHEMAS["v1"]
    done("lookup")
    assert registry.test_compatibility(subject, Schema(V2, "AVRO"))
    registry.register_schema(subject, Schema(V2, "AVRO"))
    assert registry.get_versions(subject) == [1, 2]
    done("evolve")
    assert not registry.test_compatibility(subject, Schema(BAD, "AVRO"))
    try:
        registry.register_schema(subject, Schema(BAD, "AVRO"))
        raise AssertionError("an incompatible schema was registered")
    except SchemaRegistryError as e:
        assert e.http_status_code == 409, e
    done("refuse")
    context = SerializationContext(topic, MessageField.VALUE)
    producer = Producer({"bootstrap.servers": os.environ["KAFKA"]})
    producer.produce(topic, AvroSerializer(registry, V1)({"id": "1", "nama": "Sari"}, context))
    producer.produce(topic, AvroSerializer(registry, V2)({"id": "2", "nama": "Budi", "umur": 41}, context))
    assert producer.flush(30) == 0
    done("send")


def read(topic):
    context = SerializationContext(topic, MessageField.VALUE)
    decode = AvroDeserializer(SchemaRegistryClient({"url": os.environ["REGISTRY"]}))
    consumer = Consumer({"bootstrap.servers": os.environ["KAFKA"], "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    for _ in range(2):
        message = consumer.poll(30)
        assert message is not None and not message.error(), message and message.error()
        print(topic, json.dumps(decode(message.value(), context)), flush=True)
    consumer.close()


for name in sys.argv[2:]:
    {"write": write, "read": read}[sys.argv[1]](name)
