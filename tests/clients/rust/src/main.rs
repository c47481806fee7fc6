//! The crate schema_registry_converter, with rdkafka to carry the bytes. What it does: ../../README.md.
use std::time::{Duration, Instant};

use apache_avro::types::Value;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use schema_registry_converter::blocking::avro::{AvroDecoder, AvroEncoder};
use schema_registry_converter::blocking::schema_registry::{
    get_all_versions, get_schema_by_id, get_schema_by_subject, is_compatible_schema, post_schema, SrSettings,
};
use schema_registry_converter::schema_registry_common::{SchemaType, SubjectNameStrategy, SuppliedSchema};

fn env(name: &str) -> String {
    std::env::var(name).unwrap()
}

fn registry() -> SrSettings {
    SrSettings::new(env("REGISTRY"))
}

fn schema(name: &str) -> SuppliedSchema {
    let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(env("SCHEMAS")).unwrap()).unwrap();
    SuppliedSchema::new(Some("kota.Warga".into()), SchemaType::Avro, all[name].to_string())
}

fn done(step: &str) {
    println!("ok {step}");
}

fn write(topic: &str) {
    let subject = format!("{topic}-value");
    let first = post_schema(&registry(), subject.clone(), schema("v1")).unwrap().id;
    assert_eq!(post_schema(&registry(), subject.clone(), schema("v1")).unwrap().id, first);
    done("register");
    let latest = SubjectNameStrategy::TopicNameStrategy(topic.into(), false);
    assert_eq!(get_schema_by_subject(&registry(), &latest).unwrap().id, first);
    let text = get_schema_by_id(first, &registry()).unwrap().schema;
    apache_avro::Schema::parse_str(&text).unwrap();
    done("lookup");
    assert!(is_compatible_schema(&registry(), subject.clone(), schema("v2")).unwrap());
    assert_ne!(post_schema(&registry(), subject.clone(), schema("v2")).unwrap().id, first);
    assert_eq!(get_all_versions(&registry(), subject.clone()).unwrap(), vec![1, 2]);
    done("evolve");
    assert!(!is_compatible_schema(&registry(), subject.clone(), schema("bad")).unwrap());
    let refused = post_schema(&registry(), subject.clone(), schema("bad")).unwrap_err();
    assert!(format!("{refused:?}").contains("incompatible with an earlier schema"), "{refused:?}");
    done("refuse");
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", env("KAFKA")).create().unwrap();
    let encoder = AvroEncoder::new(registry());
    let name = |value: &str| Value::String(value.into());
    for (version, record) in [
        ("v1", vec![("id", name("1")), ("nama", name("Sari"))]),
        ("v2", vec![("id", name("2")), ("nama", name("Budi")), ("umur", Value::Int(41))]),
    ] {
        let strategy = SubjectNameStrategy::TopicNameStrategyWithSchema(topic.into(), false, schema(version));
        // the encoder keeps one schema a subject
        let bytes = if version == "v1" { encoder.encode(record, &strategy) } else { AvroEncoder::new(registry()).encode(record, &strategy) };
        producer.send(BaseRecord::<(), Vec<u8>>::to(topic).payload(&bytes.unwrap())).map_err(|e| e.0).unwrap();
    }
    producer.flush(Duration::from_secs(30));
    assert_eq!(producer.in_flight_count(), 0);
    done("send");
}

fn read(topic: &str) {
    let decoder = AvroDecoder::new(registry());
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", env("KAFKA"))
        .set("group.id", format!("rust-{topic}"))
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    let mut partition = TopicPartitionList::new();
    partition.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&partition).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let mut left = 2;
    while left > 0 {
        assert!(Instant::now() < end, "not all records came");
        if let Some(message) = consumer.poll(Duration::from_secs(1)) {
            let record = decoder.decode(message.unwrap().payload()).unwrap().value;
            println!("{topic} {}", serde_json::Value::try_from(record).unwrap());
            left -= 1;
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    for topic in &arguments[2..] {
        if arguments[1] == "write" {
            write(topic);
        } else {
            read(topic);
        }
    }
}
