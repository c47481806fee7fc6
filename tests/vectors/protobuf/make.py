"""Writes verdicts.json: small .proto texts, and whether protoc takes them.

    python3 tests/vectors/protobuf/make.py        (wants protobuf-compiler)

"P2 " and "P3 " at the start of a case stand for the syntax line and a package; "M " wraps what follows in a message.
OURS: where Titian takes another side than this protoc, with the reason.
"""
import json
import pathlib
import subprocess
import tempfile

CASES = r'''
P2 message A { }
P3 message A { int32 a = 1; int32 a = 2; }
P3 message A { int32 a = 1; int32 b = 1; }
P3 message A { int32 a = 0; }
P3 message A { int32 a = -1; }
P3 message A { int32 a = 536870911; }
P3 message A { int32 a = 536870912; }
P3 message A { int32 a = 19000; }
P3 message A { int32 a = 18999; int32 b = 20000; }
P3 message A { int32 a = 19999; }
P3 message A { reserved 1; int32 a = 1; }
P3 message A { reserved 1 to 5; int32 a = 5; }
P3 message A { reserved 1 to 5; int32 a = 6; }
P3 message A { reserved "a"; int32 a = 6; }
P3 message A { reserved "a", "a"; }
P3 message A { reserved 1 to 5, 3; }
P3 message A { reserved 5 to 1; }
P3 message A { reserved 1, 2 to 4, 9 to max; }
P3 message A { reserved 1, "a"; }
P3 message A { reserved; }
P2 message A { extensions 1 to 5; optional int32 a = 3; }
P2 message A { extensions 1 to 5; reserved 5; }
P2 message A { extensions 1 to 5; extensions 5 to 7; }
P3 message A { extensions 1 to 5; }
P2 message A { extensions 1 to 5; } extend A { optional int32 b = 5; }
P2 message A { extensions 1 to 5; } extend A { optional int32 b = 6; }
P2 message A { extensions 1 to 5; } extend A { required int32 b = 5; }
P2 message A { extensions 1 to 5; } extend A { optional int32 b = 5; optional int32 c = 5; }
P2 message A { extensions 1 to 5; } extend A { optional int32 b = 5; } message C { extend A { optional int32 b = 5; } }
P2 message A { extensions 1 to 5; } extend A { optional int32 b = 5 [json_name = "x"]; }
P2 message A { extensions 1 to 5; } extend A { }
P2 message A { extensions 1 to 5; } extend A { int32 b = 4; }
P2 message A { extensions 1 to 5; } extend A { map<int32, int32> b = 4; }
P2 enum E { A = 1; } extend E { optional int32 b = 4; }
P2 extend Nowhere { optional int32 b = 4; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { string n = 50001; } message A { int32 a = 1 [(n) = "x"]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { optional string n = 50001; } message A { int32 a = 1 [(n) = 5]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { repeated string n = 50001; } message A { int32 a = 1 [(n) = "x", (n) = "y"]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { string n = 50001; } message A { int32 a = 1 [(n) = "x", (n) = "y"]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { A n = 50001; } message A { int32 a = 1 [(n).a = 5, (n).b.a = 1]; A b = 2; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { A n = 50001; } message A { int32 a = 1 [(n) = { a: 5 b { a: 1 } }]; A b = 2; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { A n = 50001; } message A { int32 a = 1 [(n) = { a: 5 c: 1 }]; A b = 2; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { A n = 50001; } message A { int32 a = 1 [(n) = { a: 5 a: 1 }]; A b = 2; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { A n = 50001; } message A { int32 a = 1 [(n) = 5]; A b = 2; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { uint32 n = 50001; } message A { int32 a = 1 [(n) = -5]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { int32 n = 50001; } message A { int32 a = 1 [(n) = 2147483648]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { int32 n = 50001; } message A { int32 a = 1 [(n) = -2147483648]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { E n = 50001; } enum E { X = 0; } message A { int32 a = 1 [(n) = X]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { E n = 50001; } enum E { X = 0; } message A { int32 a = 1 [(n) = Y]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { E n = 50001; } enum E { X = 0; } message A { int32 a = 1 [(n) = 0]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { double n = 50001; } message A { int32 a = 1 [(n) = 1e3]; int32 d = 4 [(n) = 3]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { bool n = 50001; } message A { int32 a = 1 [(n) = TRUE]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.MessageOptions { bool n = 50001; } message A { int32 a = 1 [(n) = true]; }
P3 import "google/protobuf/descriptor.proto"; extend google.protobuf.MessageOptions { bool n = 999; }
P3 message A { extend A { string n = 1; } }
P3 message A { int32 a = 1 [(unknown) = 1]; }
P3 message A { int32 a = 1 [unknown = 1]; }
P3 message A { option unknown = 1; }
P3 option unknown = 1;
P3 option java_package = 1;
P3 option java_package = "a"; option java_package = "b";
P3 option optimize_for = FAST;
P3 option optimize_for = SPEED;
P3 option java_multiple_files = "true";
P3 message A { int32 a = 1 [deprecated = true, deprecated = true]; }
P3 message A { int32 a = 1 [default = 5]; }
P2 message A { optional int32 a = 1 [default = 5, default = 6]; }
P2 message A { optional int32 a = 1 [default = "5"]; }
P2 message A { optional int32 a = 1 [default = 5.5]; }
P2 message A { optional int32 a = 1 [default = 2147483648]; }
P2 message A { optional int32 a = 1 [default = 2147483647]; }
P2 message A { optional int32 a = 1 [default = -2147483648]; }
P2 message A { optional int32 a = 1 [default = -2147483649]; }
P2 message A { optional uint32 a = 1 [default = -1]; }
P2 message A { optional uint64 a = 1 [default = 18446744073709551616]; }
P2 message A { optional bool a = 1 [default = 1]; }
P2 message A { optional string a = 1 [default = abc]; }
P2 message A { optional float a = 1 [default = 1e5]; optional double b = 2 [default = nan]; optional double c = 3 [default = -inf]; optional double d = 4 [default = 0x10]; optional float e = 5 [default = .5]; optional float g = 6 [default = 5.]; }
P2 message A { repeated int32 a = 1 [default = 5]; }
P2 message A { optional A a = 1 [default = 5]; }
P2 message A { optional E a = 1 [default = Y]; } enum E { X = 0; }
P2 message A { optional E a = 1 [default = X]; } enum E { X = 0; }
P2 message A { optional E a = 1 [default = 0]; } enum E { X = 0; }
P2 message A { optional E a = 1 [default = -1]; } enum E { X = -1; }
P3 enum E { }
P3 enum E { A = 1; }
P3 enum E { A = 0; B = 0; }
P3 enum E { option allow_alias = true; A = 0; B = 0; }
P3 enum E { option allow_alias = true; A = 0; B = 1; }
P3 enum E { option allow_alias = false; A = 0; B = 1; }
P3 enum E { A = 0; A = 1; }
P3 enum E { A = 0; } enum F { A = 0; }
P3 enum E { A = 0; } message A { }
P3 enum E { A = 0; B = 2147483647; C = -2147483648; }
P3 enum E { A = 0; B = 2147483648; }
P3 enum E { A = 0; reserved 1; B = 1; }
P3 enum E { A = 0; reserved "B"; B = 1; }
P3 enum E { A = 0; reserved -5 to 1, 7 to max; }
P3 enum E { A = 0; reserved -5 to -1, 7 to max; }
P3 enum E { A = 0; reserved 1, 1 to 3; }
P3 enum E { A = 0x0; B = 01; C = 08; }
P2 enum E { A = 5; }
P3 message A { map<string, int32> m = 1; }
P3 message A { map<float, int32> m = 1; }
P3 message A { map<bytes, int32> m = 1; }
P3 message A { map<A, int32> m = 1; }
P3 message A { map<E, int32> m = 1; } enum E { X = 0; }
P3 message A { map<int32, E> m = 1; } enum E { X = 0; }
P2 message A { map<int32, E> m = 1; } enum E { X = 1; }
P3 message A { map<int32, map<int32, int32>> m = 1; }
P3 message A { repeated map<string, int32> m = 1; }
P3 message A { optional map<string, int32> m = 1; }
P3 message A { oneof o { map<string, int32> m = 1; } }
P3 message A { map<string, int32> m = 1; message MEntry { } }
P3 message A { map<string, Nowhere> m = 1; }
P3 message A { map<string, int32> my_map = 1; MyMapEntry e = 2; }
P3 message A { oneof o { } }
P3 message A { oneof o { int32 a = 1; } int32 o = 2; }
P3 message A { oneof o { int32 a = 1; } oneof o { int32 b = 2; } }
P3 message A { oneof o { optional int32 a = 1; } }
P3 message A { oneof o { repeated int32 a = 1; } }
P3 message A { oneof o { int32 a = 1; } int32 b = 1; }
P3 message A { optional int32 a = 1; repeated int32 b = 2; }
P3 message A { required int32 a = 1; }
P2 message A { int32 a = 1; }
P3 message A { optional group G = 1 { } }
P2 message A { optional group G = 1 { optional int32 x = 1; } optional G again = 2; }
P2 message A { optional group g = 1 { } }
P2 message A { group G = 1 { } }
P2 message A { repeated group G = 1 [deprecated = true] { } }
P3 message A { Nowhere a = 1; }
P3 message A { .A a = 1; }
P3 message A { .p.A a = 1; }
P3 message A { p.A a = 1; }
P3 message A { q.A a = 1; }
P3 message A { A.a a = 1; }
P3 message A { B.C a = 1; message B { } } message B { message C { } }
P3 message A { int a = 1; }
P3 message A { string string = 1; int32 int32 = 2; }
P3 message A { google.protobuf.Timestamp t = 1; }
P3 import "google/protobuf/timestamp.proto"; message A { google.protobuf.Timestamp t = 1; protobuf.Timestamp u = 2; }
P3 import "google/protobuf/timestamp.proto"; message A { google.protobuf.Timestamp t = 1; }
P3 import "google/protobuf/timestamp.proto"; message google { } message A { google.protobuf.Timestamp t = 1; }
P3 import "google/protobuf/api.proto"; message A { google.protobuf.Method m = 1; google.protobuf.Any n = 2; }
P3 import "nowhere.proto"; message A { }
P3 import public "google/protobuf/any.proto"; message A { google.protobuf.Any n = 2; }
P3 import "google/protobuf/descriptor.proto"; message A { google.protobuf.FieldDescriptorProto.Type t = 1; }
P3 service S { rpc A (M) returns (M); rpc A (M) returns (M); } message M { }
P3 service S { rpc A (E) returns (M); } message M { } enum E { X = 0; }
P3 service S { rpc A (int32) returns (M); } message M { }
P3 service S { rpc A (stream M) returns (stream M) { option deprecated = true; } } message M { }
P3 service S { rpc A (M) returns (Nowhere); } message M { }
P3 service S { } service S { }
P3 service S { int32 a = 1; }
P3 message A { } message A { }
P3 message A { } service A { }
P3 message A { int32 a = 1; message a { } }
P3 message A { enum a { X = 0; } int32 X = 1; }
P3 message p { } message A { p.p x = 1; }
P3 message A { int32 foo_bar = 1; int32 fooBar = 2; }
P3 message A { int32 foo_bar = 1; int32 foobar = 2; }
P2 message A { optional int32 foo_bar = 1; optional int32 fooBar = 2; }
P3 message A { int32 a = 1 [json_name = "x"]; int32 x = 2; }
P3 message A { int32 a = 1 [json_name = "x"]; int32 b = 2 [json_name = "x"]; }
P3 message A { repeated int32 a = 1 [packed = true]; }
P3 message A { repeated string a = 1 [packed = true]; }
P3 message A { int32 a = 1 [packed = true]; }
P3 message A { repeated A a = 1 [packed = true]; }
P3 message A { repeated E a = 1 [packed = true]; } enum E { X = 0; }
P3 message A { int64 a = 1 [jstype = JS_STRING]; }
P3 message A { int32 a = 1 [jstype = JS_STRING]; }
P3 message A { int32 a = 1; };
P3 ;;; message A { ;; int32 a = 1;; }
P3 message A { int32 a = 1 }
P3 message A { int32 a; }
P3 message A { int32 = 1; }
P3 message A { int32 a = "1"; }
P3 message A { int32 a = 1.0; }
P3 message A { int32 a = 1; 
P3 message A int32 a = 1; }
P3 message 1A { }
P3 message A-B { }
P3 message A { /* no end
P3 message A { int32 a = 1; } // comment
P3 message A { int32 a = 1 [json_name = "a]; }
P3 message A { int32 a = 1 [json_name = "\q"]; }
P3 message A { int32 a = 1 [json_name = 5]; }
P3 message A { int32 a = 0x1; int32 b = 02; int32 c = 1e1; }
P3 message A { int32 a = 1a; }
P3 package q; message A { }
P3 struct A { }
P3 message A { int32 message = 1; int32 enum = 2; int32 oneof = 3; int32 option = 4; int32 reserved = 5; int32 extend = 6; int32 extensions = 7; int32 map = 8; int32 group = 9; int32 to = 10; int32 max = 11; int32 repeated = 12; int32 optional = 13; int32 syntax = 14; int32 true = 15; int32 inf = 16; }
P3 message message { message a = 1; } enum enum { option = 0; reserved = 1; }
P3 message A { B.C c = 1; } message B { enum C { X = 0; } }
P3 message A { repeated A a = 1; A b = 2; map<string, A> c = 3; }
P2 message A { option message_set_wire_format = true; extensions 4 to max; }
P3 message A { option map_entry = true; }
syntax = "proto4"; message A { }
syntax = "proto3" message A { }
syntax = proto3; message A { }
message A { optional int32 a = 1; }
package p; message A { optional p.A a = 1; }
package p.q.r; message A { optional q.r.A a = 1; optional r.A b = 2; optional p.q.r.A c = 3; optional r.q.A d = 4; }
package p.q.r; message A { optional q.r.A a = 1; optional r.A b = 2; optional p.q.r.A c = 3; }
syntax = "proto3"; syntax = "proto3"; message A { }
package p; syntax = "proto3"; message A { }
edition = "2023"; message A { }
{}
message
'''

OURS = {
    "P3 message A { option map_entry = true; }":
        (True, "Confluent's text of a descriptor says so of the entries of its maps"),
    'P3 message A { reserved 1, "a"; }': (True, "Confluent's parser takes it"),
    "P3 enum E { option allow_alias = false; A = 0; B = 1; }": (True, "harmless, and Confluent's registry takes it"),
    "P3 message A { int32 foo_bar = 1; int32 foobar = 2; }": (True, "later versions of protoc take it"),
    "P3 message A { reserved 5 to 1; }": (False, "later versions of protoc refuse it"),
    'P3 message A { int32 a = 1 [json_name = "x"]; int32 x = 2; }': (False, "later versions of protoc refuse it"),
    'P3 message A { int32 a = 1 [json_name = "x"]; int32 b = 2 [json_name = "x"]; }':
        (False, "later versions of protoc refuse it"),
}


def full(case):
    for mark, line in (("P2 ", 'syntax = "proto2"; package p; '), ("P3 ", 'syntax = "proto3"; package p; ')):
        if case.startswith(mark):
            return line + case[3:]
    return case


def verdict(text):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "x.proto").write_text(text)
        known = pathlib.Path(__file__).parents[3] / "schemas/kinds/known"
        done = subprocess.run(["protoc", "-I", folder, "-I", known, "--descriptor_set_out=/dev/null", "x.proto"],
                              capture_output=True, text=True)
        return done.returncode == 0, done.stderr.strip().splitlines()


here = pathlib.Path(__file__).parent
lines = []
for case in CASES.strip("\n").splitlines():
    ok, said = verdict(full(case))
    said = [] if ok else [line.replace("x.proto:", "") for line in said[:1]]
    lines.append(json.dumps({"text": full(case), "valid": OURS[case][0] if case in OURS else ok, "protoc": said}, ensure_ascii=False))
version = subprocess.run(["protoc", "--version"], capture_output=True, text=True).stdout.split()[-1]
(here / "verdicts.json").write_text('{"protoc": "%s",\n"cases": [\n%s\n]}\n' % (version, ",\n".join(lines)))
