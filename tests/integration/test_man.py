"""titian(1) beside `titian help`: every command, and every option of each."""
import re
import subprocess

import pytest

from conftest import ROOT

PAGE = (ROOT / "deploy/man/titian.1.scd").read_text()
COMMANDS = PAGE.split("\n# COMMANDS\n")[1].split("\n# OPTIONS\n")[0]
OPTIONS = PAGE.split("\n# OPTIONS\n")[1].split("\n# ENVIRONMENT\n")[0]
NAME = re.compile(r"\*(-[-a-z]+)\*")


def english(*words):
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    return subprocess.run([ROOT / "build/release/bin/titian", "help", *words], env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


def commands():
    return [line.split()[1 : 3 if line[19:29].strip() else 2]  # noun in its column, verb in its own
            for line in re.findall(r"^  titian .*", english(), re.M)
            if not line.startswith(("  titian help", "  titian --", "  titian adapter"))]


def synopsis(words):
    """The options a command's paragraph has, those that stand for several spelt out."""
    line = re.search(r"^\*%s\*.*(?:\n.+)*" % re.escape(" ".join(words)), COMMANDS, re.M)
    assert line, "titian(1) has no " + " ".join(words)
    line = line.group()
    for short, meant in re.findall(r"^(_[A-Z]+_): (.*)$", OPTIONS, re.M):
        line = line.replace(short, meant)
    return set(NAME.findall(line))


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_the_page_has_every_option_of_the_command_and_no_other(words):
    told = set(re.findall(r"^    (-[-a-z]+) ", english(*words), re.M))
    assert synopsis(words) == told


def test_every_command_of_the_page_is_there():
    there = {" ".join(words) for words in commands()}
    assert set(re.findall(r"^\*([a-z ]+)\*", COMMANDS, re.M)) - {"adapter"} == there
