# Malformed input made from a seed: marshal data, pickles, UTF-8, format strings, regular expressions, numbers, zip files. The same kind of error
# on each as CPython; nothing may crash. `t_malformed.py N SEED` runs more of them.
import io
import marshal
import pickle
import random
import re
import struct
import sys
import warnings
import zipfile
import zlib

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
