"""Pictures of a terminal for docs/first-adapter.md: the commands of the walk-through are run, and what they print is drawn.

    terminal_picture.py FILE.xlsx FOLDER      draws FOLDER/<step>.svg
"""
import html
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = "bandarlampung_321-DINAS_SOSIAL_2023.xlsx"
STEPS = [
    ("init", ["init", "--yes", "--opd", "sosial", "--name", "dtks", "--out", "dtks", NAME]),
    ("check", ["check", "--config", "dtks/adapter.yaml"]),
    ("preview", ["preview", "--config", "dtks/adapter.yaml", NAME]),
    ("explain", ["explain", "--config", "dtks/adapter.yaml", NAME, "13"]),
]


def run_steps(xlsx):
    """(step, command line, what it prints), in order. Pseudonyms, made with a key of its own each time, are left out."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(xlsx, pathlib.Path(folder) / NAME)
        for step, words in STEPS:
            done = subprocess.run([str(ROOT / "build/release/bin/titian"), "adapter", *words], cwd=folder, capture_output=True,
                                  text=True, timeout=60, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
            assert done.returncode == 0, done.stderr
            said = re.sub(r"\b[0-9a-f]{16}\b", "\u2026", done.stdout).rstrip("\n")
            yield step, "titian adapter " + " ".join(words), said


def wrap(line, width=112):
    while len(line) > width:
        yield line[:width]
        line = line[width:]
    yield line


def picture(command, said):
    lines = ["$ " + command] + said.split("\n")
    lines = [part for line in lines for part in wrap(line)]
    high = 18 * len(lines) + 24
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="960" height="%d" viewBox="0 0 960 %d" role="img">' % (high, high),
           "<title>%s</title>" % html.escape(command),
           '<rect width="960" height="%d" rx="6" fill="#16211f"/>' % high,
           '<g font-family="DejaVu Sans Mono, Liberation Mono, monospace" font-size="13.5" xml:space="preserve" fill="#dfe8e4">']
    for i, line in enumerate(lines):
        colour = ' fill="#7fd1ae"' if i == 0 else ' fill="#f0c674"' if line.startswith("  !") else ""
        out.append('<text x="12" y="%d"%s>%s</text>' % (24 + 18 * i, colour, html.escape(line, quote=False)))
    return "\n".join(out + ["</g>", "</svg>", ""])


if __name__ == "__main__":
    for step, command, said in run_steps(sys.argv[1]):
        (pathlib.Path(sys.argv[2]) / (step + ".svg")).write_text(picture(command, said))
