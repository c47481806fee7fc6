/* The view of tests/bench/views.c in Kafka Streams: five topics joined by key and by foreign key, two of them grouped,
 * state in RocksDB, one thread. Each source is decoded once, by hand, and only the fields the view needs are kept;
 * the row is written as JSON to a topic. At least once, caches as they come: what is dearer is left out.
 *
 *     Join BOOTSTRAP STATE_DIR      until its standard input ends; then prints `rows aid tax arrears` of the view
 */
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.QueryableStoreTypes;

public class Join {
	interface Writer<T> {
		void write(T value, DataOutputStream out) throws IOException;
	}

	interface Reader<T> {
		T read(DataInputStream in) throws IOException;
	}

	interface Decoder<T> {
		T read(BinaryDecoder in) throws IOException;
	}

	static <T> Serde<T> serde(Writer<T> writer, Reader<T> reader) {
		Serializer<T> to = (topic, value) -> {
			if (value == null)
				return null;
			ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
			try (DataOutputStream out = new DataOutputStream(bytes)) {
				writer.write(value, out);
			} catch (IOException e) {
				throw new UncheckedIOException(e);
			}
			return bytes.toByteArray();
		};
		Deserializer<T> from = (topic, data) -> {
			if (data == null)
				return null;
			try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(data))) {
				return reader.read(in);
			} catch (IOException e) {
				throw new UncheckedIOException(e);
			}
		};
		return Serdes.serdeFrom(to, from);
	}

	/* A Confluent frame: a zero, four bytes of schema id, Avro. */
	static <T> Serde<T> framed(Decoder<T> decoder) {
		BinaryDecoder[] again = new BinaryDecoder[1];
		Deserializer<T> from = (topic, data) -> {
			if (data == null)
				return null;
			again[0] = DecoderFactory.get().binaryDecoder(data, 5, data.length - 5, again[0]);
			try {
				return decoder.read(again[0]);
			} catch (IOException e) {
				throw new UncheckedIOException(e);
			}
		};
		return Serdes.serdeFrom((topic, value) -> {
			throw new IllegalStateException();
		}, from);
	}

	static void put(DataOutputStream out, String s) throws IOException {
		out.writeBoolean(s != null);
		if (s != null)
			out.writeUTF(s);
	}

	static String get(DataInputStream in) throws IOException {
		return in.readBoolean() ? in.readUTF() : null;
	}

	record Person(String name, int born, String sex, String district, String job, String status) {
		static Person decode(BinaryDecoder in) throws IOException {
			in.skipString();
			String name = in.readString();
			int born = in.readInt();
			String sex = in.readString(), district = in.readString();
			in.skipString();
			in.skipString();
			in.readLong();
			in.readLong();
			in.skipString();
			String job = in.readString();
			in.skipString();
			return new Person(name, born, sex, district, job, in.readString());
		}

		static final Serde<Person> SERDE = serde((v, out) -> {
			out.writeUTF(v.name);
			out.writeInt(v.born);
			out.writeUTF(v.sex);
			out.writeUTF(v.district);
			out.writeUTF(v.job);
			out.writeUTF(v.status);
		}, in -> new Person(in.readUTF(), in.readInt(), in.readUTF(), in.readUTF(), in.readUTF(), in.readUTF()));
	}

	record Health(String clinic, long grade, long active, long due) {
		static Health decode(BinaryDecoder in) throws IOException {
			in.skipString();
			return new Health(in.readString(), in.readLong(), in.readLong(), in.readLong());
		}

		static final Serde<Health> SERDE = serde((v, out) -> {
			out.writeUTF(v.clinic);
			out.writeLong(v.grade);
			out.writeLong(v.active);
			out.writeLong(v.due);
		}, in -> new Health(in.readUTF(), in.readLong(), in.readLong(), in.readLong()));
	}

	record Aid(String id, String person, String program, boolean active) {
		static Aid decode(BinaryDecoder in) throws IOException {
			String id = in.readString(), person = in.readString(), program = in.readString();
			in.readLong();
			return new Aid(id, person, program, in.readString().equals("AKTIF"));
		}

		static final Serde<Aid> SERDE = serde((v, out) -> {
			out.writeUTF(v.id);
			out.writeUTF(v.person);
			out.writeUTF(v.program);
			out.writeBoolean(v.active);
		}, in -> new Aid(in.readUTF(), in.readUTF(), in.readUTF(), in.readBoolean()));
	}

	record Tax(String person, long arrears) {
		static Tax decode(BinaryDecoder in) throws IOException {
			in.skipString();
			String person = in.readString();
			return new Tax(person, in.readLong() - in.readLong());
		}

		static final Serde<Tax> SERDE = serde((v, out) -> {
			out.writeUTF(v.person);
			out.writeLong(v.arrears);
		}, in -> new Tax(in.readUTF(), in.readLong()));
	}

	/* All aid of a person, in the order of its ids. */
	record Aids(TreeMap<String, Aid> of) {
		static final Serde<Aids> SERDE = serde((v, out) -> {
			out.writeInt(v.of.size());
			for (Aid a : v.of.values()) {
				out.writeUTF(a.id);
				out.writeUTF(a.program);
				out.writeBoolean(a.active);
			}
		}, in -> {
			TreeMap<String, Aid> of = new TreeMap<>();
			for (int n = in.readInt(); n > 0; n--) {
				Aid a = new Aid(in.readUTF(), "", in.readUTF(), in.readBoolean());
				of.put(a.id, a);
			}
			return new Aids(of);
		});
	}

	record Taxes(long n, long nArrears, long arrears) {
		static final Serde<Taxes> SERDE = serde((v, out) -> {
			out.writeLong(v.n);
			out.writeLong(v.nArrears);
			out.writeLong(v.arrears);
		}, in -> new Taxes(in.readLong(), in.readLong(), in.readLong()));

		Taxes plus(long arrears, int sign) {
			return new Taxes(n + sign, nArrears + (arrears > 0 ? sign : 0), this.arrears + (arrears > 0 ? sign * arrears : 0));
		}
	}

	/* The view's row; a clinic's name comes last, through the foreign key. */
	record Row(Person person, Health health, long nAid, String aid, long nTax, long arrears, boolean hasArrears, String clinic) {
		static final Serde<Row> SERDE = serde((v, out) -> {
			out.write(Person.SERDE.serializer().serialize(null, v.person).length == 0 ? 0 : 1);
			byte[] p = Person.SERDE.serializer().serialize(null, v.person);
			out.writeInt(p.length);
			out.write(p);
			byte[] h = v.health == null ? new byte[0] : Health.SERDE.serializer().serialize(null, v.health);
			out.writeInt(h.length);
			out.write(h);
			out.writeLong(v.nAid);
			out.writeUTF(v.aid);
			out.writeLong(v.nTax);
			out.writeLong(v.arrears);
			out.writeBoolean(v.hasArrears);
			put(out, v.clinic);
		}, in -> {
			in.read();
			Person p = Person.SERDE.deserializer().deserialize(null, in.readNBytes(in.readInt()));
			byte[] h = in.readNBytes(in.readInt());
			return new Row(p, h.length == 0 ? null : Health.SERDE.deserializer().deserialize(null, h), in.readLong(),
				       in.readUTF(), in.readLong(), in.readLong(), in.readBoolean(), get(in));
		});

		Row at(String name) {
			return new Row(person, health, nAid, aid, nTax, arrears, hasArrears, name);
		}

		String json(String id) {
			StringBuilder b = new StringBuilder(320);
			b.append("{\"id\":\"").append(id).append("\",\"nama\":\"").append(person.name).append("\",\"tgl_lahir\":")
			    .append(person.born).append(",\"jk\":\"").append(person.sex).append("\",\"kode_kel\":\"")
			    .append(person.district).append("\",\"pekerjaan\":\"").append(person.job).append("\",\"status\":\"")
			    .append(person.status).append('"');
			if (health != null)
				b.append(",\"faskes_id\":\"").append(health.clinic).append("\",\"faskes\":\"").append(clinic)
				    .append("\",\"kelas\":").append(health.grade).append(",\"aktif\":").append(health.active)
				    .append(",\"iuran\":").append(health.due);
			return b.append(",\"n_bansos\":").append(nAid).append(",\"bansos\":").append(aid).append(",\"n_pbb\":")
			    .append(nTax).append(",\"tunggakan\":").append(hasArrears ? arrears : null).append('}').toString();
		}
	}

	static <T> KTable<String, T> source(StreamsBuilder b, String topic, Decoder<T> decoder, Serde<T> serde) {
		Serde<T> framed = framed(decoder);
		return b.stream(topic, Consumed.with(Serdes.String(), framed)).toTable(Materialized.with(Serdes.String(), serde));
	}

	public static void main(String[] args) throws Exception {
		StreamsBuilder b = new StreamsBuilder();
		KTable<String, Person> people = source(b, "pku.uji.penduduk.v1", Person::decode, Person.SERDE);
		KTable<String, Health> health = source(b, "pku.uji.kesehatan.v1", Health::decode, Health.SERDE);
		KTable<String, Aid> aid = source(b, "pku.uji.bansos.v1", Aid::decode, Aid.SERDE);
		KTable<String, Tax> tax = source(b, "pku.uji.pbb.v1", Tax::decode, Tax.SERDE);
		KTable<String, String> clinics = source(b, "pku.uji.faskes.v1", in -> {
			in.skipString();
			return in.readString();
		}, Serdes.String());
		KTable<String, Aids> aids =
		    aid.groupBy((id, a) -> KeyValue.pair(a.person(), a), Grouped.with(Serdes.String(), Aid.SERDE))
			.aggregate(() -> new Aids(new TreeMap<>()), (person, a, all) -> {
				all.of().put(a.id(), a);
				return all;
			}, (person, a, all) -> {
				all.of().remove(a.id());
				return all;
			}, Materialized.with(Serdes.String(), Aids.SERDE));
		KTable<String, Taxes> taxes =
		    tax.groupBy((id, t) -> KeyValue.pair(t.person(), t), Grouped.with(Serdes.String(), Tax.SERDE))
			.aggregate(() -> new Taxes(0, 0, 0), (person, t, all) -> all.plus(t.arrears(), 1),
				   (person, t, all) -> all.plus(t.arrears(), -1), Materialized.with(Serdes.String(), Taxes.SERDE));
		KTable<String, Row> rows =
		    people.leftJoin(health, (p, h) -> new Row(p, h, 0, "[]", 0, 0, false, null))
			.leftJoin(aids, (r, a) -> {
				if (a == null)
					return r;
				StringBuilder list = new StringBuilder("[");
				long n = 0;
				for (Aid x : a.of().values()) {
					list.append(list.length() > 1 ? ",\"" : "\"").append(x.program()).append('"');
					n += x.active() ? 1 : 0;
				}
				return new Row(r.person(), r.health(), n, list.append(']').toString(), 0, 0, false, null);
			})
			.leftJoin(taxes, (r, t) -> t == null ? r : new Row(r.person(), r.health(), r.nAid(), r.aid(), t.n(), t.arrears(),
									    t.nArrears() > 0, null),
				  Materialized.with(Serdes.String(), Row.SERDE))
			.leftJoin(clinics, r -> r.health() == null ? null : r.health().clinic(), Row::at,
				  Materialized.<String, Row>as(org.apache.kafka.streams.state.Stores.persistentKeyValueStore("terpadu"))
				      .withKeySerde(Serdes.String()).withValueSerde(Row.SERDE));
		rows.toStream().mapValues((id, r) -> r == null ? null : r.json(id)).to("terpadu", Produced.with(Serdes.String(), Serdes.String()));

		Properties p = new Properties();
		p.put(StreamsConfig.APPLICATION_ID_CONFIG, "views-streams");
		p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
		p.put(StreamsConfig.STATE_DIR_CONFIG, args[1]);
		p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
		p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
		p.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
		KafkaStreams streams = new KafkaStreams(b.build(), p);
		streams.start();
		while (System.in.read() >= 0)
			;
		long n = 0, nAid = 0, nTax = 0, arrears = 0;
		try (var all = streams.store(StoreQueryParameters.fromNameAndType("terpadu", QueryableStoreTypes.<String, Row>keyValueStore())).all()) {
			while (all.hasNext()) {
				Row r = all.next().value;
				n++;
				nAid += r.nAid();
				nTax += r.nTax();
				arrears += r.arrears();
			}
		}
		System.out.println(n + " " + nAid + " " + nTax + " " + arrears);
		System.out.flush();
		Runtime.getRuntime().halt(0);
	}
}
