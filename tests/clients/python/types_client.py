"""Confluent's Python client with JSON Schema and Protobuf: its serializers register (Protobuf as a base64 descriptor),
look up, send and read back; a second version is refused at BACKWARD and taken at NONE. types_client.py TOPIC"""
import json
import os
import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2  # noqa: F401

registry = SchemaRegistryClient({"url": os.environ["REGISTRY"]})
# Readers are other programs; and what this client has registered it keeps as text, which its Protobuf deserializer cannot use.
reader = SchemaRegistryClient({"url": os.environ["REGISTRY"]})


def carry(topic, context, value):
    """Through Kafka and back."""
    producer = Producer({"bootstrap.servers": os.environ["KAFKA"]})
    producer.produce(topic, value)
    assert producer.flush(30) == 0
    consumer = Consumer({"bootstrap.servers": os.environ["KAFKA"], "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    got = []
    while True:
        message = consumer.poll(30)
        assert message is not None and not message.error()
        got.append(message.value())
        if got[-1] == value:
            consumer.close()
            return got[-1]


def evolve(subject, second):
    """A version that is not the first: refused at BACKWARD with 409, taken at NONE."""
    try:
        registry.register_schema(subject, second)
        raise AssertionError("an incompatible schema was registered")
    except SchemaRegistryError as e:
        assert e.http_status_code == 409, e
    registry.set_compatibility(subject, "NONE")
    number = registry.register_schema(subject, second)
    assert registry.get_versions(subject) == [1, 2]
    assert registry.lookup_schema(subject, second).schema_id == number


def json_schema(topic):
    text = json.dumps({"title": "Warga", "type": "object", "required": ["id"],
                       "properties": {"id": {"type": "string"}, "umur": {"type": "integer"}}})
    context = SerializationContext(topic, MessageField.VALUE)
    sent = JSONSerializer(text, registry)({"id": "1", "umur": 41}, context)
    assert JSONDeserializer(text, schema_registry_client=reader)(carry(topic, context, sent), context) == {"id": "1", "umur": 41}
    assert registry.lookup_schema(topic + "-value", Schema(text, "JSON")).version == 1
    evolve(topic + "-value", Schema(text.replace('"integer"', '"string"'), "JSON"))


def protobuf(topic):
    """Two files, the first a reference of the second, and one of Google's."""
    pool = descriptor_pool.Default()
    part = descriptor_pb2.FileDescriptorProto(name="bagian_%s.proto" % topic.replace("-", "_"), package="kota", syntax="proto3")
    kecamatan = part.message_type.add(name="Kecamatan")
    kecamatan.field.add(name="nama", number=1, type=9, label=1)
    whole = descriptor_pb2.FileDescriptorProto(name="warga_%s.proto" % topic.replace("-", "_"), package="kota", syntax="proto3",
                                               dependency=[part.name, "google/protobuf/timestamp.proto"])
    warga = whole.message_type.add(name="Warga")
    warga.field.add(name="id", number=1, type=9, label=1)
    warga.field.add(name="kecamatan", number=2, type=11, label=1, type_name=".kota.Kecamatan")
    warga.field.add(name="sejak", number=3, type=11, label=1, type_name=".google.protobuf.Timestamp")
    pool.Add(part)
    pool.Add(whole)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName("kota.Warga"))
    record = kind(id="1")
    record.kecamatan.nama = "Tampan"
    record.sejak.seconds = 1790000000
    context = SerializationContext(topic, MessageField.VALUE)
    sent = ProtobufSerializer(kind, registry)(record, context)
    got = ProtobufDeserializer(kind, schema_registry_client=reader)(carry(topic, context, sent), context)
    assert got == record
    assert registry.get_latest_version(topic + "-value").schema.schema_type == "PROTOBUF"
    text = 'syntax = "proto3";\npackage kota;\nmessage Warga {\n  int64 id = 1;\n}\n'
    evolve(topic + "-value", Schema(text, "PROTOBUF"))


if __name__ == "__main__":
    {"json": json_schema, "protobuf": protobuf}[sys.argv[1]](sys.argv[2])
