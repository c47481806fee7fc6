"""The clients: how each is installed (into build/clients/NAME, nothing into this tree), and how it is run."""
import json
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "clients"
STEPS = ["register", "lookup", "evolve", "refuse", "send"]


class Client:
    def __init__(self, name, what, command, install=(), needs=()):
        self.name, self.what, self.command, self.install, self.needs = name, what, command, install, needs
        self.source, self.home = HERE / name, BUILD / name

    def missing(self):
        """The programs that this machine lacks."""
        return [n for n in self.needs if not shutil.which(n)]

    def prepare(self):
        """Installs it, unless these very files are installed. Raises when that fails."""
        if self.missing():
            raise RuntimeError("not on this machine: " + ", ".join(self.missing()))
        if not self.install:
            return
        mark, state = self.home / ".done", {
            str(p.relative_to(self.source)): p.read_text() for p in sorted(self.source.rglob("*")) if p.is_file()}
        if mark.exists() and mark.read_text() == json.dumps(state):
            return
        for path in state:
            (self.home / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.source / path, self.home / path)
        with open(self.home / "install.log", "w") as log:
            for command in self.install:
                if subprocess.run(command, cwd=self.home, stdout=log, stderr=log).returncode:
                    raise RuntimeError("'%s' failed; see '%s'" % (" ".join(command), log.name))
        mark.write_text(json.dumps(state))

    def run(self, registry, kafka, *arguments):
        """(exit code, lines, last words)"""
        env = dict(os.environ, REGISTRY=registry, KAFKA=kafka, SCHEMAS=str(HERE / "schemas.json"))
        home = self.home if self.install else self.source
        done = subprocess.run([*self.command, *arguments], cwd=home, env=env, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout.splitlines(), done.stderr[-2000:]

    def write(self, registry, kafka, topic):
        """The steps that went well, and what stopped it (None when nothing did)."""
        code, lines, words = self.run(registry, kafka, "write", topic)
        return [l[3:] for l in lines if l.startswith("ok ")], None if code == 0 else words

    def read(self, registry, kafka, topics):
        """topic -> its records; raises when the client fails."""
        code, lines, words = self.run(registry, kafka, "read", *topics)
        assert code == 0, "%s\n%s" % ("\n".join(lines), words)
        records = {topic: [] for topic in topics}
        for line in lines:
            topic, record = line.split(" ", 1)
            records[topic].append(json.loads(record))
        return records


NPM = [["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]]
CLIENTS = [
    Client("python", "confluent-kafka (Python)", [str(ROOT / "build/venv/bin/python"), "client.py"]),
    Client("kafkajs", "@kafkajs/confluent-schema-registry", ["node", "client.js"], NPM, ["node", "npm"]),
    Client("confluent-js", "@confluentinc/schemaregistry", ["node", "client.js"], NPM, ["node", "npm"]),
    Client("franz-go", "franz-go pkg/sr", ["./client"], [["go", "build", "-o", "client", "."]], ["go"]),
    Client("rust", "schema_registry_converter (Rust)", ["target/debug/titian-client-rust"], [["cargo", "build"]], ["cargo", "pkg-config"]),
    Client("java", "Confluent's Java client 7.5.3, Flink's serde", ["java", "-cp", "lib/*:classes", "Client"],
           [["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"],
            ["javac", "-cp", "lib/*", "-d", "classes", "Client.java"]], ["java", "javac", "mvn"]),
]

# What every client writes, and every other must read; a reader may fill in the default.
RECORDS = [{"id": "1", "nama": "Sari", "umur": 0}, {"id": "2", "nama": "Budi", "umur": 41}]


def wrong(records):
    """None when these are the records, else what they are."""
    got = sorted(({"umur": 0, **r} for r in records), key=lambda r: r.get("id", ""))
    return None if got == RECORDS else json.dumps(records)


def make_topics(kafka, names):
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics([NewTopic(n, 1, 1) for n in names]).values():
        future.result(30)
