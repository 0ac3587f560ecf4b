#!/usr/bin/env python3.11
"""Malformed input made from a seed: the same kind of error on each as CPython; nothing may crash or hang.

    malformed.py N SEED                          prints the outcome of N inputs of each kind
    malformed.py --compare LANCEHEAD [N [SEED]]  runs that with python3.11 and with Lancehead and compares

Kinds: marshal data, pyc files, pickles, encoded text, format strings, regular expressions, numbers, struct formats, zlib and zip data,
source text (invented, and the standard library's own, damaged), JSON, XML, CSV. (Damaged syntax trees are left out: they crash CPython's own compiler.)
"""
import ast
import csv
import importlib.util
import io
import json
import marshal
import os
import pickle
import random
import re
import struct
import subprocess
import sys
import tempfile
import warnings
import zipfile
import zlib
from xml.parsers import expat

if "--compare" in sys.argv:
    _, _, lancehead, *rest = sys.argv
    n, seed = (rest + ["40", "1"][len(rest):])[:2]
    reference = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
    runs = [subprocess.run([vm, os.path.abspath(__file__), n, seed], capture_output=True, text=True, timeout=900)
            for vm in (reference, os.path.abspath(lancehead))]
    (ours, theirs) = (runs[1].stdout.splitlines(), runs[0].stdout.splitlines())
    wrong = [(t, o) for t, o in zip(theirs, ours) if t != o]
    for t, o in wrong[:20]:
        print("python3.11: %s\nlancehead:  %s" % (t[:300], o[:300]))
    if runs[1].returncode or len(ours) != len(theirs):
        print("lancehead ended with status %d after %d of %d inputs\n%s" % (
            runs[1].returncode, len(ours), len(theirs), runs[1].stderr[-1000:]))
        sys.exit(1)
    print("malformed input: %d as python3.11, %d not" % (len(ours) - len(wrong), len(wrong)))
    sys.exit(bool(wrong))

warnings.simplefilter("ignore")
count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)


def mutate(data):
    b = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        kind = rng.randrange(4)
        at = rng.randrange(len(b) + 1)
        if kind == 0 and b:
            b[at % len(b)] = rng.randrange(256)
        elif kind == 1:
            del b[at:]
        elif kind == 2:
            b[at:at] = bytes([rng.randrange(256)])
        elif b:
            b[at % len(b)] ^= 1 << rng.randrange(8)
    return bytes(b)


def text(alphabet, n):
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(n)))


def outcome(f):
    try:
        f()
        return "ok"
    except RecursionError:
        return "RecursionError"
    except Exception as e:
        return type(e).__name__


values = [1, 2.5, "text", b"bytes", (1, 2, (3,)), [1, [2]], {"a": 1, 2: None}, {1, 2}, frozenset([3]), 10**30, True, None, ..., "\u20ac", 1j]
for i in range(count):
    v = rng.choice(values)
    d = mutate(marshal.dumps(v))
    print("marshal", i, outcome(lambda: marshal.loads(d)))
for i in range(count):
    v = rng.choice([x for x in values if x is not ...])
    d = mutate(pickle.dumps(v, rng.randrange(6)))
    print("pickle", i, outcome(lambda: pickle.loads(d)))
for i in range(count):
    d = mutate("a\u00e9\u20ac\U0001f600z".encode())
    for codec in ("utf-8", "utf-16", "utf-32", "utf-7", "unicode_escape", "raw_unicode_escape", "ascii", "idna", "punycode"):
        print(codec, i, outcome(lambda: d.decode(codec)))
for i in range(count):
    f = text("{}[]!:.0123456789 rsa<>=^+-#,_dxXeEgGn%abc", 12)
    print("format", i, ascii(f), outcome(lambda: f.format(1, 2.5, "s", a=3, b="t")), outcome(lambda: format(3.5, f)), outcome(lambda: format(7, f)))
    p = text("%%%()sdirxXofegGc0123456789.*+- #lhLa", 8)
    print("percent", i, ascii(p), outcome(lambda: p % (1, 2)), outcome(lambda: p % {"a": 1}), outcome(lambda: p.encode() % (1, 2)))
for i in range(count):
    r = text(r"abc()[]{}*+?|^$\.-:=!<>P#iLmsuxdwDW0123,", 14)
    print("re", i, ascii(r), outcome(lambda: re.compile(r)))
for i in range(count):
    n = text("0123456789abcdefxob_+-.eEinfjJ ", 10)
    print("number", i, ascii(n), outcome(lambda: int(n)), outcome(lambda: int(n, 0)), outcome(lambda: float(n)), outcome(lambda: complex(n)))
for i in range(count):
    s = text("@=<>!xcbB?hHiIlLqQnNefdspP0123456789 ", 7)
    print("struct", i, ascii(s), outcome(lambda: struct.calcsize(s)))
z = io.BytesIO()
with zipfile.ZipFile(z, "w", zipfile.ZIP_DEFLATED) as f:
    f.writestr(zipfile.ZipInfo("a.txt", (2020, 1, 1, 0, 0, 0)), "text" * 20)
packed = zlib.compress(b"data" * 50)
for i in range(count):
    d = mutate(packed)
    print("zlib", i, outcome(lambda: zlib.decompress(d)))
for i in range(count):
    s = text("ab =()[]{}:,.\n\t\\'\"#0123+-*/<>%@!if else def x for in lambda yield", 24)
    print("source", i, ascii(s), outcome(lambda: compile(s, "f", "exec")))

# Real source, damaged: a few lines cut from a module of the standard library, changed in one or two places.
names = ["textwrap", "heapq", "bisect", "contextlib", "copy", "dataclasses", "functools", "inspect", "enum", "asyncio.tasks", "typing"]
sources = [open(importlib.util.find_spec(n).origin, encoding="utf-8").read().splitlines() for n in names]
for i in range(count):
    lines = rng.choice(sources)
    at = rng.randrange(len(lines))
    chars = list("\n".join(lines[at:at + rng.randrange(1, 12)]))
    for _ in range(rng.randrange(3)):
        if chars:
            k = rng.randrange(len(chars))
            chars[k] = rng.choice(["", chars[k] * 2, "(", ")", ":", "'", "\n", " ", "\\", "0", "\t", "{", "]", "\u20ac"])
    damaged = "".join(chars)
    print("damaged source", i, outcome(lambda: compile(damaged, "f", "exec")), outcome(lambda: ast.parse(damaged)))
with tempfile.TemporaryDirectory() as d:
    path = os.path.join(d, "m.py")
    with open(path, "w") as f:
        f.write("x = [1, 2.5, 'a', (None, b'c')]\ndef f(a, *b): return a + 1\n")
    os.utime(path, (1e9, 1e9))
    import py_compile
    with open(py_compile.compile(path, os.path.join(d, "m.pyc")), "rb") as f:
        good = f.read()

    def load(data):
        with open(os.path.join(d, "bad.pyc"), "wb") as f:
            f.write(data)
        loader = importlib.machinery.SourcelessFileLoader("bad", os.path.join(d, "bad.pyc"))
        loader.get_code("bad")
    for i in range(count):
        # Damage to the head and the frame of the data; code objects that are wrong inside may do anything in CPython.
        data = bytearray(good)
        kind = rng.randrange(3)
        if kind == 0:
            del data[rng.randrange(len(data)):]
        elif kind == 1:
            data[rng.randrange(16)] = rng.randrange(256)
        else:
            data[16] = rng.choice(b"{[(<>scuzZNiIyfglr")
        print("pyc", i, outcome(lambda: load(bytes(data))))
document = json.dumps({"a": [1, 2.5e3, None, True, "t\u00e9\ud83d\ude00"], "b": {"c": []}})
for i in range(count):
    t = mutate(document.encode()).decode("latin-1")
    print("json", i, ascii(t), outcome(lambda: json.loads(t)), outcome(lambda: json.loads(t.encode("latin-1"))))
page = b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e 'v'>]><a b='c &amp; d'><!-- n --><c/>&e;t\xc3\xa9<![CDATA[x]]><?p i?></a>"
for i in range(count):
    d = mutate(page)
    print("xml", i, outcome(lambda: expat.ParserCreate().Parse(d, True)))
for i in range(count):
    t = text("ab,;\"'\n\r\0 \\1.5", 20)
    q = rng.choice([csv.QUOTE_ALL, csv.QUOTE_NONE, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC])
    print("csv", i, ascii(t), outcome(lambda: list(csv.reader(io.StringIO(t), quoting=q, strict=bool(q))))
          , outcome(lambda: csv.writer(io.StringIO(), quoting=q).writerow([t])))
for i in range(count):
    d = mutate(z.getvalue())
    print("zip", i, outcome(lambda: [zipfile.ZipFile(io.BytesIO(d)).read(n) for n in zipfile.ZipFile(io.BytesIO(d)).namelist()]))
