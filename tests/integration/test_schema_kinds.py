"""JSON Schema and Protobuf in the registry: Confluent's serializers, protoc and the rules of evolution.

On a topic of its own in the city's Kafka, or in any other:
    TITIAN_BOOTSTRAP=127.0.0.1:9092 pytest tests/integration/test_schema_kinds.py
"""
import base64
import json
import subprocess
import uuid

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.schema_registry.schema_registry_client import ConfigCompatibilityLevel, ServerConfig
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

from test_registry import ROOT, kafka, registry  # noqa: F401 (fixtures)

GOOD = ROOT / "tests/vectors/protobuf/good"
KNOWN = ROOT / "schemas/kinds/known"
LEVELS = ["BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"]


@pytest.fixture
def client(registry):  # noqa: F811
    return SchemaRegistryClient({"url": registry.url})


@pytest.fixture
def reader(registry):  # noqa: F811
    """Who reads is mostly another than who writes, and has nothing kept."""
    return SchemaRegistryClient({"url": registry.url})


@pytest.fixture
def subject():
    return "kind-" + uuid.uuid4().hex[:8]


def value_of(topic):
    return SerializationContext(topic, MessageField.VALUE)


# --- JSON Schema ---------------------------------------------------------------------------------------

PERSON = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Person", "type": "object",
          "properties": {"name": {"type": "string"}, "home": {"$ref": "address.json"}}, "required": ["name"]}
ADDRESS = {"type": "object", "properties": {"street": {"type": "string"}}, "required": ["street"]}


def test_json_serializer_writes_and_reads_with_a_reference(registry, client, subject):  # noqa: F811
    client.register_schema(subject + "-address", Schema(json.dumps(ADDRESS), "JSON"))
    schema = Schema(json.dumps(PERSON), "JSON", [SchemaReference("address.json", subject + "-address", 1)])
    data = JSONSerializer(schema, client)({"name": "Ani", "home": {"street": "Melati"}}, value_of(subject))
    assert JSONDeserializer(schema, schema_registry_client=client)(data, value_of(subject)) == {
        "name": "Ani", "home": {"street": "Melati"}}
    # Who has no schema of their own reads with the registry's.
    assert JSONDeserializer(None, schema_registry_client=client)(data, value_of(subject))["name"] == "Ani"
    found = client.lookup_schema(subject + "-value", schema)
    assert (found.version, found.schema.schema_type) == (1, "JSON")
    assert registry.get("/subjects/%s-value/versions/1" % subject)[1]["schema"] == json.dumps(PERSON, separators=(",", ":"))
    assert client.get_version(subject + "-value", 1).schema.references[0].name == "address.json"


def test_json_schema_is_refused_with_its_place(registry, client, subject):  # noqa: F811
    status, body = registry.register(subject, json.dumps({"properties": {"a": {"type": "strng"}}}), schemaType="JSON")
    assert (status, body["error_code"]) == (422, 42201)
    assert "/properties/a/type" in body["message"]
    status, body = registry.register(subject, json.dumps({"$ref": "http://example.com/x"}), schemaType="JSON")
    assert (status, body["error_code"]) == (422, 42201)


def test_json_schema_normalized_is_one_in_any_order(registry, client, subject):  # noqa: F811
    one = registry.ask("POST", "/subjects/%s/versions?normalize=true" % subject,
                       {"schema": '{"type":"object","title":"t"}', "schemaType": "JSON"})
    two = registry.ask("POST", "/subjects/%s/versions?normalize=true" % subject,
                       {"schema": '{"title":"t","type":"object"}', "schemaType": "JSON"})
    assert one[0] == two[0] == 200 and one[1]["id"] == two[1]["id"]
    assert registry.get("/subjects/%s/versions/1/schema" % subject)[1] == {"title": "t", "type": "object"}


# --- evolution -----------------------------------------------------------------------------------------

KINDS = {"JSON": ('{"type":"string"}', '{"type":"string","title":"x"}'),
         "PROTOBUF": ('syntax = "proto3"; message A { int32 a = 1; }',
                      'syntax = "proto3"; message A { int32 a = 1; int32 b = 2; }')}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", LEVELS)
def test_a_different_later_version_is_refused_but_at_none(registry, client, subject, kind, level):  # noqa: F811
    first, second = KINDS[kind]
    client.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel[level]))
    number = client.register_schema(subject, Schema(first, kind))
    assert client.register_schema(subject, Schema(first, kind)) == number, "the same again is the same"
    with pytest.raises(SchemaRegistryError) as e:
        client.register_schema(subject, Schema(second, kind))
    assert e.value.http_status_code == 409
    assert "Avro" in e.value.error_message
    assert not client.test_compatibility(subject, Schema(second, kind))
    client.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel.NONE))
    assert client.register_schema(subject, Schema(second, kind)) != number
    assert client.get_versions(subject) == [1, 2]


# --- Protobuf ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """A module of Python made by protoc: warga.proto imports alamat.proto and a timestamp."""
    folder = tmp_path_factory.mktemp("proto")
    (folder / "alamat.proto").write_text(
        'syntax = "proto3"; package kota; message Alamat { string jalan = 1; map<string, int32> nomor = 2; }')
    (folder / "warga.proto").write_text(
        'syntax = "proto3"; package kota; import "alamat.proto"; import "google/protobuf/timestamp.proto";'
        'message Lain { int32 x = 1; } message Warga { string nama = 1; Alamat alamat = 2; optional int64 lahir = 3;'
        '  google.protobuf.Timestamp pada = 4; oneof kontak { string telp = 5; string surel = 6; }'
        '  enum Jenis { TAK_TAHU = 0; L = 1; P = 2; } Jenis jenis = 7; message Dalam { bool b = 1; } Dalam dalam = 8; }')
    pool = descriptor_pool.DescriptorPool()
    out = folder / "all.pb"
    subprocess.run(["protoc", "-I", folder, "-I", KNOWN, "--include_imports", "--descriptor_set_out", out, "warga.proto"],
                   check=True)
    for f in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        for m in f.message_type:  # as generated modules have it
            for field in m.field:
                field.ClearField("json_name")
        pool.Add(f)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def test_protobuf_serializer_writes_and_reads_with_references(registry, client, reader, city, subject):  # noqa: F811
    warga = city("kota.Warga")
    message = warga(nama="Ani", lahir=0, telp="1", jenis=2)
    message.alamat.jalan = "Melati"
    message.alamat.nomor["rt"] = 3
    message.pada.seconds = 7
    message.dalam.b = True
    name = {"reference.subject.name.strategy": lambda ctx, ref: subject + "-" + ref.name}
    serialize = ProtobufSerializer(warga, client, name)
    data = serialize(message, value_of(subject))
    for reads in (reader, client):  # the client that has registered keeps what the answer said
        assert ProtobufDeserializer(warga, {}, reads)(data, value_of(subject)) == message
    # The second instance finds what the first registered.
    found = ProtobufSerializer(warga, client, {**name, "auto.register.schemas": False})(message, value_of(subject))
    assert found[:5] == data[:5]
    stored = reader.get_version(subject + "-value", 1)
    assert stored.schema.schema_type == "PROTOBUF"
    assert [(r.name, r.version) for r in stored.schema.references] == [("alamat.proto", 1)]
    # As text: Confluent's layout, names with a leading dot since they come from a descriptor.
    assert registry.get("/subjects/%s-value/versions/1" % subject)[1]["schema"].startswith(
        'syntax = "proto3";\npackage kota;\n\nimport "alamat.proto";\nimport "google/protobuf/timestamp.proto";\n\n'
        "message Lain {\n  int32 x = 1;\n}\nmessage Warga {\n  string nama = 1;\n  .kota.Alamat alamat = 2;\n"
        "  optional int64 lahir = 3;\n")
    # Every message class can be made of what the registry serves.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(descriptor_pb2.FileDescriptorProto.FromString(
        timestamp_pb2.DESCRIPTOR.serialized_pb))
    for place, file in ((subject + "-alamat.proto", "alamat.proto"), (subject + "-value", "warga.proto")):
        proto = descriptor_pb2.FileDescriptorProto.FromString(
            base64.b64decode(reader.get_version(place, 1, fmt="serialized").schema.schema_str))
        proto.name = file
        pool.Add(proto)
    again = message_factory.GetMessageClass(pool.FindMessageTypeByName("kota.Warga"))
    assert again.FromString(message.SerializeToString()).SerializeToString() == message.SerializeToString()


def test_protobuf_serializer_reads_with_the_latest_version(client, reader, city, subject):
    lain = city("kota.Lain")
    ProtobufSerializer(lain, client, {"reference.subject.name.strategy": lambda c, r: subject + "-" + r.name})(
        lain(x=1), value_of(subject))
    data = ProtobufSerializer(lain, client, {"auto.register.schemas": False, "use.latest.version": True})(
        lain(x=5), value_of(subject))
    deserialize = ProtobufDeserializer(lain, {"use.latest.version": True}, reader)
    assert deserialize(data, value_of(subject)).x == 5


def test_protobuf_is_refused_with_its_place(registry, client, subject):  # noqa: F811
    for text, said in (('syntax = "proto3";\nmessage A {\n  Nowhere a = 1;\n}', "line 3"),
                       ('syntax = "proto3"; import "x.proto"; message A {}', "'x.proto' is imported and not given"),
                       ("AAAA", "descriptor")):
        status, body = registry.register(subject, text, schemaType="PROTOBUF")
        assert (status, body["error_code"]) == (422, 42201) and said in body["message"], body


def strip(file):
    """protoc writes what it derives too, and an empty `options` for `{}`. Confluent's text has fields of oneofs after
    the others, types after fields and public imports last: in what order they stand is not compared."""
    def message(m):
        fields = sorted(m.field, key=lambda f: f.number)
        nested = sorted(m.nested_type, key=lambda n: n.name)
        copies = [type(f).FromString(f.SerializeToString()) for f in fields]
        nests = [type(n).FromString(n.SerializeToString()) for n in nested]
        del m.field[:], m.nested_type[:]
        m.field.extend(copies)
        m.nested_type.extend(nests)
        for f in list(m.field) + list(m.extension):
            if f.json_name not in ("ess", "Surat"):
                f.ClearField("json_name")
        for n in m.nested_type:
            message(n)
    for m in file.message_type:
        message(m)
    for f in file.extension:
        f.ClearField("json_name")
    for s in file.service:
        for r in s.method:
            if not r.options.ListFields():
                r.ClearField("options")
    public = sorted(file.dependency[i] for i in file.public_dependency)
    files = sorted(file.dependency)
    del file.dependency[:], file.public_dependency[:]
    file.dependency.extend(files + ["public:"] + public)
    for part in ("name", "source_code_info"):
        file.ClearField(part)
    if file.syntax == "proto2":
        file.ClearField("syntax")
    return file


FILES = [(GOOD, f) for f in sorted(GOOD.glob("*.proto"))] + [(KNOWN, f) for f in sorted(KNOWN.rglob("*.proto"))]


@pytest.mark.parametrize("folder,file", FILES, ids=[str(f.relative_to(d)) for d, f in FILES])
def test_descriptors_are_those_of_protoc(registry, client, subject, tmp_path, folder, file):  # noqa: F811
    options = GOOD / "city/options.proto"
    references = []
    if "city/options.proto" in file.read_text():
        client.register_schema(subject + "-options", Schema(options.read_text(), "PROTOBUF"))
        references = [SchemaReference("city/options.proto", subject + "-options", 1)]
    client.register_schema(subject, Schema(file.read_text(), "PROTOBUF", references))
    ours = base64.b64decode(client.get_version(subject, 1, fmt="serialized").schema.schema_str)
    out = tmp_path / "x.pb"
    subprocess.run(["protoc", "-I", GOOD, "-I", KNOWN, "--include_imports", "--descriptor_set_out", out,
                    file.relative_to(folder)], check=True)
    files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    # Options of one's own are compared as what they mean, by descriptors of descriptors.
    pool = descriptor_pool.DescriptorPool()
    if not any(f.name == "google/protobuf/descriptor.proto" for f in files):
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(descriptor_pb2.DESCRIPTOR.serialized_pb))
    for f in files:
        pool.Add(f)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto"))
    for f in files:
        message_factory.GetMessageClassesForFiles([f.name], pool)
    assert strip(kind.FromString(ours)) == strip(kind.FromString(files[-1].SerializeToString()))
