// Confluent's Java client and Flink's serialisation schemas on it. What it does: ../README.md.
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.formats.avro.registry.confluent.ConfluentRegistryAvroDeserializationSchema;
import org.apache.flink.formats.avro.registry.confluent.ConfluentRegistryAvroSerializationSchema;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Client {
	static final String REGISTRY = System.getenv("REGISTRY");
	static JsonNode schemas;

	static CachedSchemaRegistryClient registry() {
		return new CachedSchemaRegistryClient(REGISTRY, 100);
	}

	static Schema schema(String name) {
		return new Schema.Parser().parse(schemas.get(name).toString());
	}

	static void done(String step) {
		System.out.println("ok " + step);
	}

	static void check(boolean ok, String what) {
		if (!ok)
			throw new AssertionError(what);
	}

	static void write(String topic) throws Exception {
		String subject = topic + "-value";
		AvroSchema v1 = new AvroSchema(schema("v1"));
		AvroSchema v2 = new AvroSchema(schema("v2"));
		AvroSchema bad = new AvroSchema(schema("bad"));
		CachedSchemaRegistryClient client = registry();
		int first = client.register(subject, v1);
		check(registry().register(subject, v1) == first, "another id");
		done("register");
		check(registry().getId(subject, v1) == first && registry().getVersion(subject, v1) == 1, "not found");
		check(registry().getSchemaById(first).equals(v1), "another schema");
		check(registry().getLatestSchemaMetadata(subject).getVersion() == 1, "not the latest");
		check(registry().getAllVersionsById(first).stream().anyMatch(v -> v.getSubject().equals(subject)), "no subject");
		done("lookup");
		check(client.testCompatibility(subject, v2) && client.testCompatibilityVerbose(subject, v2).isEmpty(), "not compatible");
		client.register(subject, v2);
		check(client.getAllVersions(subject).equals(List.of(1, 2)), "not two versions");
		done("evolve");
		check(!client.testCompatibility(subject, bad) && !client.testCompatibilityVerbose(subject, bad).isEmpty(), "compatible");
		try {
			client.register(subject, bad);
			throw new AssertionError("an incompatible schema was registered");
		} catch (RestClientException e) {
			check(e.getStatus() == 409, e.toString());
		}
		done("refuse");
		GenericRecord sari = new GenericData.Record(schema("v1"));
		sari.put("id", "1");
		sari.put("nama", "Sari");
		GenericRecord budi = new GenericData.Record(schema("v2"));
		budi.put("id", "2");
		budi.put("nama", "Budi");
		budi.put("umur", 41);
		try (var producer = new KafkaProducer<byte[], byte[]>(Map.of("bootstrap.servers", System.getenv("KAFKA")),
				new ByteArraySerializer(), new ByteArraySerializer())) {
			for (GenericRecord record : List.of(sari, budi)) {
				byte[] value = ConfluentRegistryAvroSerializationSchema
						.forGeneric(subject, record.getSchema(), REGISTRY).serialize(record);
				producer.send(new ProducerRecord<>(topic, value)).get();
			}
		}
		done("send");
	}

	static void read(String topic) throws Exception {
		var decode = ConfluentRegistryAvroDeserializationSchema.forGeneric(schema("v2"), REGISTRY);
		try (var consumer = new KafkaConsumer<byte[], byte[]>(
				Map.of("bootstrap.servers", System.getenv("KAFKA"), "auto.offset.reset", "earliest"),
				new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
			var partition = List.of(new TopicPartition(topic, 0));
			consumer.assign(partition);
			consumer.seekToBeginning(partition);
			long end = System.nanoTime() + 60_000_000_000L;
			for (int left = 2; left > 0;) {
				check(System.nanoTime() < end, "not all records came");
				for (var record : consumer.poll(Duration.ofSeconds(1))) {
					System.out.println(topic + " " + decode.deserialize(record.value()));
					left--;
				}
			}
		}
	}

	public static void main(String[] args) throws Exception {
		schemas = new ObjectMapper().readTree(Files.readString(Path.of(System.getenv("SCHEMAS"))));
		for (String topic : Stream.of(args).skip(1).toList()) {
			if (args[0].equals("write"))
				write(topic);
			else
				read(topic);
		}
	}
}
