import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonEncoder;

/** Avro Java behind lines of JSON: a request in, an answer out. The protocol is in avro_diff.py. */
public class AvroOracle {
  static final ObjectMapper JSON = new ObjectMapper();

  static Schema lenient(String text) {
    return new Schema.Parser(NameValidator.NO_VALIDATION).setValidateDefaults(false).parse(text);
  }

  static Schema strict(String text) {
    return new Schema.Parser(NameValidator.STRICT_VALIDATOR).setValidateDefaults(true).parse(text);
  }

  static void schema(JsonNode in, ObjectNode out) throws Exception {
    String text = in.get("schema").asText();
    boolean isStrict = true;
    try {
      strict(text);
    } catch (Throwable e) {
      isStrict = false;
      out.put("why", String.valueOf(e));
    }
    Schema s = lenient(text);
    out.put("strict", isStrict);
    out.put("canonical", SchemaNormalization.toParsingForm(s));
    out.put("text", s.toString());
    out.put("crc", Long.toString(SchemaNormalization.parsingFingerprint64(s)));
    out.put("logical", s.getLogicalType() == null ? "" : s.getLogicalType().getName());
  }

  static String toJson(Schema s, Object datum) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    JsonEncoder encoder = EncoderFactory.get().jsonEncoder(s, bytes);
    new GenericDatumWriter<Object>(s).write(datum, encoder);
    encoder.flush();
    String text = bytes.toString(StandardCharsets.UTF_8);
    return text.isEmpty() ? datum.toString() : text; // of a record without bytes the encoder writes nothing
  }

  static void encode(JsonNode in, ObjectNode out) throws IOException {
    Schema s = lenient(in.get("schema").asText());
    Object datum = new GenericDatumReader<Object>(s)
        .read(null, DecoderFactory.get().jsonDecoder(s, in.get("json").asText()));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
    new GenericDatumWriter<Object>(s).write(datum, encoder);
    encoder.flush();
    out.put("binary", HexFormat.of().formatHex(bytes.toByteArray()));
  }

  static void read(Schema writer, Schema reader, JsonNode in, ObjectNode out) throws IOException {
    byte[] binary = HexFormat.of().parseHex(in.get("binary").asText());
    BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(binary, null);
    Object datum = new GenericDatumReader<Object>(writer, reader).read(null, decoder);
    out.put("json", toJson(reader, datum));
  }

  static void compat(JsonNode in, ObjectNode out) {
    ArrayNode reasons = out.putArray("reasons");
    SchemaCompatibility.SchemaPairCompatibility pair = SchemaCompatibility.checkReaderWriterCompatibility(
        lenient(in.get("reader").asText()), lenient(in.get("writer").asText()));
    out.put("compatible", pair.getResult().getCompatibility() == SchemaCompatibility.SchemaCompatibilityType.COMPATIBLE);
    for (SchemaCompatibility.Incompatibility i : pair.getResult().getIncompatibilities()) {
      reasons.add(i.getType() + " " + i.getLocation() + " " + i.getMessage());
    }
  }

  static ObjectNode answer(JsonNode in) {
    ObjectNode out = JSON.createObjectNode();
    try {
      switch (in.get("op").asText()) {
        case "schema" -> schema(in, out);
        case "encode" -> encode(in, out);
        case "decode" -> {
          Schema s = lenient(in.get("schema").asText());
          read(s, s, in, out);
        }
        case "resolve" -> read(lenient(in.get("writer").asText()), lenient(in.get("reader").asText()), in, out);
        case "compat" -> compat(in, out);
        default -> throw new IllegalArgumentException("no such op");
      }
      out.put("ok", true);
    } catch (Throwable e) { // StackOverflowError too
      out.removeAll();
      out.put("ok", false);
      out.put("why", String.valueOf(e));
    }
    return out;
  }

  public static void main(String[] args) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(JSON.writeValueAsString(answer(JSON.readTree(line))));
      out.flush();
    }
  }
}
