"""What has a fast way for the plain case and a general one beside it: both must answer alike."""
import io
import operator
import pickle
import random
import re
import struct
import unicodedata

random.seed(3)

# ---- numbers as text ----
values = [struct.unpack("d", random.getrandbits(64).to_bytes(8, "little"))[0] for _ in range(1500)]
values += [random.random() * 10 ** random.randint(-8, 20) for _ in range(500)]
values += [0.0, -0.0, 5e-324, 1e16, 1e17, 123456789012345680.0, 1e-4, 1e-5, float("inf"), 9007199254740993.0]
for v in values:
    if v == v:
        assert float(repr(v)) == v, v
print(hash(tuple(repr(v) for v in values)) is not None, [repr(v) for v in values[::97]])
for v in values[1500:1540] + values[-10:]:
    print("%.3f|%g|%e|%12.2f|%-12.1f|%+.0f" % (v, v, v, v, v, v), f"{v:,.2f}|{v:012.3f}|{-v:+.1f}|{v:z.1f}|{v:^30.3e}|{v:=+20}")
for i in [0, 7, -7, 10, 99, 100, 105, 1000, -123456, 10 ** 17, 10 ** 18 + 1, 2 ** 60, -(2 ** 63), 10 ** 30]:
    print(i, "%d|%5d|%s|%x|%-6d|%06d" % (i, i, i, i, i, i), hex(i), oct(i), bin(i), f"{i:,}|{i:_x}|{i:08d}|{i:x<12,}|{i:#b}")

# ---- text ----
for s in ["a", "it's", '"', "'\"", "\\", "\n\t\x00\x7f", "é", "\xad", "中文\u2028x", "\ud800é'\"", "a\nb\r\nc\rd", "x\x0by\n", "\n\n", ""]:
    print(ascii(repr(s)), ascii(s), ascii(s.upper()), ascii(s.splitlines()), ascii(s.splitlines(True)), ascii(s.split()),
          s.find(""), "".find(s), ("xx" + s + "yy").find(s), ("xx" + s + "yy").rfind(s), ascii(s.center(7)), ascii(s.ljust(5, "é")))
hay = "ab" * 40 + "abc" + "ab" * 40
print(hay.find("abc"), hay.rfind("abc"), hay.count("ab"), hay.replace("abab", "-"), b"".find(b""), b"ab".rfind(b""), b"" in b"ab")
for form in "NFC", "NFD", "NFKC", "NFKD":
    for s in ["é", "e\u0301", "\u212b", "\uac00", "\u1100\u1161", "\u0958", "ﬁ", "中文", "a\u0345\u0301", "\u0bc6\u0bbe"]:
        print(form, ascii(unicodedata.normalize(form, s)), unicodedata.is_normalized(form, s))

# ---- containers ----
nan = float("nan")
pairs = [(1, "b"), (1, "a"), (0, 5), (1, "a", 2), (True, "c")]
for seq in [[(2, 1), (1, 2), (2, 0)], [("b", 1), ("a", 2), ("b", 0)], [(1.5, 2), (nan, 1), (0.5, 3)], [(1, 2), (0.5, 3)], [(), (1,), ()]]:
    print(sorted(seq), sorted(seq, reverse=True))
try:
    sorted(pairs)
except TypeError as e:
    print(e)
print([1.0, nan, 3] == [1, nan, 3], [nan].index(nan), [1, 2, True].count(1), [2 ** 70, 5].index(2 ** 70), (1, 2.0) == (1.0, 2))
print(list(range(5, -5, -3)), [*range(3), *range(0)], list("aé中"), set(range(5)), bytes([1, 255]), bytearray((3, 4)))
for bad in [[256], [-1], ["a"], [1.5]]:
    try:
        print(bytes(bad))
    except (ValueError, TypeError) as e:
        print(type(e).__name__, e)
ig, ag = operator.itemgetter(1), operator.attrgetter("real", "imag")
print(ig([1, 2]), ig("ab"), operator.itemgetter(0, -1)((1, 2, 3)), ag(3 + 4j), sorted([(1, 3), (2, 1)], key=ig))
for call in [lambda: ig(), lambda: ig(1, 2), lambda: ig(a=1), lambda: ag(1, b=2), lambda: ig([1])]:
    try:
        call()
    except (TypeError, IndexError) as e:
        print(type(e).__name__, e)

# ---- streams, structures, pickles ----
f = io.StringIO()
print(f.write("latin é"), f.write("中文\n"), f.seek(3), f.write("X"), f.seek(30), f.write("end"), ascii(f.getvalue()))
for nl in None, "", "\n", "\r", "\r\n":
    f = io.StringIO("a\nb\r\nc\rd中", newline=nl)
    print(repr(nl), ascii(list(f)), ascii(f.getvalue()))
for fmt, v in [("<iHd", (1, 2, 3.0)), (">q", (-1,)), ("2s3b", (b"ab", 1, -2, 3)), ("<Q", (2 ** 63,)), ("b", (200,)), ("<H", (-1,))]:
    try:
        p = struct.pack(fmt, *v)
        print(p, struct.unpack(fmt, p), struct.unpack_from(fmt, bytearray(p)))
    except struct.error as e:
        print(e)
shared = ["x", 1.5, (), (1,), (1, 2, 3, 4), {"k": b"v"}, None, True, 2 ** 40, -1, "é", set(), frozenset([1])]
shared.append(shared)
for proto in range(6):
    p = pickle.dumps([shared, shared[5], "x" * 300], proto)
    a, b, c = pickle.loads(p)
    print(len(p), a[:-1], a[-1] is a, b is a[5], len(c))
for broken in [b"\x80\x04]\x94(K\x01", b"\x80\x04(e.", b"\x80\x04K\x01a.", b"\x80\x04\x85.", b"\x80\x04h\x05.", b"(t.", b"\x80\x04\x94."]:
    try:
        print(pickle.loads(broken))
    except Exception as e:
        print(type(e).__name__, e)

# ---- re ----
text = "The quick, the LAZY; the end zz"
for pattern in [r"(?i)the", r"(\w+) (\w+)", r".*zz", r"[;,]", r"[,;z]", r"\bz*", r"(?:)", r"a|", r"(x)?z", r"z+?", r"[^a-z ]+", r"$"]:
    p = re.compile(pattern)
    print(pattern, [m.span() for m in p.finditer(text)], p.findall(text), p.split(text), p.sub("<>", text), p.sub(lambda m: m.group()[::-1], text))


# ---- csv in runs, base64 in groups ----

import base64
import binascii
import csv
import io
import itertools
import math
import operator


def csv_rows(lines, **options):
    try:
        return list(csv.reader(lines, **options))
    except csv.Error as e:
        return "csv.Error: %s" % e


for lines in (['a,b,"c, d",e\n'], ["", "\n", "a\r\n", "a,b"], ['"a""b",c"d,"e"f'], ['"open', 'more",x'], ["a\\,b,c"], ["ä,ö€,😀x"],
              ["a b, c"], ['"x'], ["a\nb"], ["a\rb,c"], [",,"], ["1,2.5,x"]):
    for options in ({}, {"escapechar": "\\"}, {"quoting": csv.QUOTE_NONE}, {"quoting": csv.QUOTE_NONNUMERIC}, {"delimiter": " "},
                    {"skipinitialspace": True, "strict": True}, {"quotechar": "ö"}):
        try:
            print(lines, options, csv_rows(lines, **options))
        except ValueError as e:
            print(lines, options, "ValueError", e)
old = csv.field_size_limit(5)
print(csv_rows(["abcde,abcde"]), csv_rows(["abcde,abcdef"]), csv_rows(['"abcde"']), csv_rows(['"abcdef"']))
csv.field_size_limit(old)
for options in ({}, {"escapechar": "\\", "quoting": csv.QUOTE_NONE}, {"quoting": csv.QUOTE_ALL}, {"doublequote": False, "escapechar": "x"}, {"lineterminator": "|z"}):
    out = io.StringIO()
    try:
        w = csv.writer(out, **options)
        w.writerows([["a", "b,c", 'd"e', 1, None, 2.5], ["öx", "z", "|", "\n"], [""], [None]])
    except csv.Error as e:
        print("csv.Error", e)
    print(options, repr(out.getvalue()))

for n in range(12):
    data = bytes(range(250 - n, 250))
    coded = base64.b64encode(data)
    assert base64.b64decode(coded) == data
    print(coded, binascii.b2a_base64(data), binascii.a2b_base64(b"\n".join([coded[:5], coded[5:]])))
for text in ("QUJD", "QUJDRA==", "QUJDRA=", "QUJDR", "Q U J D", "====", "QUJD=QUJD", "QUJDRA==QUJD", "QUJ\xe4", b"QU*JD", "QUJDQUJD\n"):
    for strict in (False, True):
        try:
            print(text, strict, binascii.a2b_base64(text, strict_mode=strict))
        except ValueError as e:
            print(text, strict, type(e).__name__, e)

print([math.comb(n, k) for n in range(8) for k in range(9)], math.comb(67, 33), math.comb(68, 34), math.comb(200, 100), math.comb(10**18, 1), math.comb(10**18, 2))
print(list(map(operator.mul, range(5), itertools.count(3))), list(map(max, [1, 5], [2, 3], [9, 0])), sum(map(operator.mul, range(9), range(9))))
left, right = iter([1, 2, 3]), iter([1])
print(list(map(operator.add, left, right)), list(left), list(right))
