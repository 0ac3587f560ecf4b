#!/usr/bin/env python3.11
"""Writes vm/launcher/startup.ld: the functions that a start runs, so that the linker puts them side by side.

    bench/startup_order.py LANCEHEAD

The kernel maps a program's code in pieces of 64 KiB. Functions that run at every start lie scattered over the whole
of it, so without an order nearly all of it is mapped (5 MiB rather than 2). The list is read off an empty program and
a small one under `valgrind --tool=callgrind`. Hashes in names are left open, so it stays good while the code changes:
what no longer exists is ignored, what is new lies where it would have.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM = r"""
import collections, functools, json, os, re, sys
class A:
    def __init__(self, x):
        self.x = x
    def __repr__(self):
        return f"A({self.x!r})"
table = {str(i): [A(i), i * 2, float(i)] for i in range(300)}
print(len(table), sorted(table)[:3], [a for a, *_ in table.values()][:2])
try:
    table["missing"]
except KeyError as error:
    print("caught", error)
print(re.findall(r"\w+", "a b c"), json.loads(json.dumps({"a": [1, 2.5, None]})))
"""
HEAD = """/* The functions that run at every start, together: less memory is mapped. Written by bench/startup_order.py. */
SECTIONS
{
  .text.startup : ALIGN(64)
  {
"""
TAIL = """  }
}
INSERT BEFORE .text;
"""


def called(lancehead, arguments):
    """The linker names of the functions that ran."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "calls")
        subprocess.run(
            ["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}", lancehead, *arguments],
            check=True, capture_output=True,
        )
        names = re.findall(r"^c?fn=\(\d+\) (\S+?)(?:'\d+)?$", out.read_text(), re.M)
    return set(names)


def pattern(name):
    """A section name pattern without what a compiler's version or a change of code decides."""
    name = re.sub(r"17h[0-9a-f]{16}E.*", "17h*", name)
    return re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lancehead = sys.argv[1]
    own = subprocess.run(["nm", "--defined-only", lancehead], capture_output=True, text=True, check=True).stdout
    own = {line.split()[2] for line in own.splitlines() if line.split()[1] in "tTwW"}
    first = called(lancehead, ["-c", "pass"]) & own
    second = (called(lancehead, ["-c", PROGRAM]) & own) - first
    lines, seen = [], set()
    for group in (first, second):
        for name in sorted({pattern(name) for name in group} - seen):
            seen.add(name)
            lines.append(f"    *(.text.{name} .text.unlikely.{name})\n")
    target = pathlib.Path(__file__).resolve().parent.parent / "vm/launcher/startup.ld"
    target.write_text(HEAD + "".join(lines) + TAIL)
    print(f"{target}: {len(lines)} functions")


main()
