// Avro Java on one folder of records (bench_avro.py): `op java records/s` lines. One thread, everything that Avro
// lets one reuse is reused; each operation is warmed up, then the best of its rounds counts.
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonDecoder;
import org.apache.avro.io.JsonEncoder;

public class Bench {
    interface Run {
        void all() throws Exception;
    }

    static final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    static List<byte[]> datums = new ArrayList<>();
    static Object sink;

    static Schema schema(Path folder, String name) throws Exception {
        return new Schema.Parser().parse(Files.readString(folder.resolve(name + ".avsc")));
    }

    static long now() {
        return threads.getCurrentThreadCpuTime();
    }

    static double best(Run run) throws Exception {
        for (long end = now() + 1_500_000_000L; now() < end;)
            run.all();
        double best = 0;
        for (int round = 0; round < 5; round++) {
            long began = now(), n = 0;
            while (now() - began < 250_000_000L) {
                run.all();
                n += datums.size();
            }
            best = Math.max(best, n * 1e9 / (now() - began));
        }
        return best;
    }

    static Run read(Schema writer, Schema reader, boolean fast) {
        GenericData data = new GenericData();
        data.setFastReaderEnabled(fast);
        GenericDatumReader<GenericRecord> in = new GenericDatumReader<>(writer, reader, data);
        BinaryDecoder[] decoder = new BinaryDecoder[1];
        GenericRecord[] record = new GenericRecord[1];
        return () -> {
            for (byte[] d : datums) {
                decoder[0] = DecoderFactory.get().binaryDecoder(d, decoder[0]);
                record[0] = in.read(record[0], decoder[0]);
            }
            sink = record[0];
        };
    }

    static double read(Schema writer, Schema reader) throws Exception {
        return Math.max(best(read(writer, reader, false)), best(read(writer, reader, true)));
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Schema writer = schema(folder, "writer");
        ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(folder.resolve("data.bin"))).order(ByteOrder.LITTLE_ENDIAN);
        while (all.hasRemaining()) {
            byte[] d = new byte[all.getInt()];
            all.get(d);
            datums.add(d);
        }
        List<String> lines = Files.readAllLines(folder.resolve("data.jsonl"));
        List<GenericRecord> records = new ArrayList<>();
        GenericDatumReader<GenericRecord> plain = new GenericDatumReader<>(writer);
        for (byte[] d : datums)
            records.add(plain.read(null, DecoderFactory.get().binaryDecoder(d, null)));
        GenericDatumWriter<GenericRecord> out = new GenericDatumWriter<>(writer);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(65536);
        BinaryEncoder[] binary = new BinaryEncoder[1];
        GenericRecord[] reused = new GenericRecord[1];
        BinaryDecoder[] decoder = new BinaryDecoder[1];

        say("decode", read(writer, writer));
        say("resolve", read(writer, schema(folder, "reader")));
        say("project", read(writer, schema(folder, "few")));
        say("encode", best(() -> {
            for (GenericRecord r : records) {
                bytes.reset();
                binary[0] = EncoderFactory.get().binaryEncoder(bytes, binary[0]);
                out.write(r, binary[0]);
                binary[0].flush();
            }
        }));
        say("to_json", best(() -> {
            bytes.reset();
            JsonEncoder jsonOut = EncoderFactory.get().jsonEncoder(writer, bytes);
            for (byte[] d : datums) {
                decoder[0] = DecoderFactory.get().binaryDecoder(d, decoder[0]);
                reused[0] = plain.read(reused[0], decoder[0]);
                out.write(reused[0], jsonOut);
            }
            jsonOut.flush();
        }));
        JsonDecoder json = DecoderFactory.get().jsonDecoder(writer, lines.get(0));
        say("from_json", best(() -> {
            for (String line : lines) {
                json.configure(line);
                reused[0] = plain.read(reused[0], json);
                bytes.reset();
                binary[0] = EncoderFactory.get().binaryEncoder(bytes, binary[0]);
                out.write(reused[0], binary[0]);
                binary[0].flush();
            }
        }));
    }

    static void say(String op, double perSecond) {
        System.out.printf("%s java %.0f%n", op, perSecond);
    }
}
