"""CPython's own `_testcapi` module, where it is installed: argument formats, members of C structures, static types, buffers."""
import sys
import warnings

try:
    import _testcapi as t
except ImportError:
    print("no _testcapi")
    sys.exit()


def attempt(f, *args, **kw):
    try:
        result = repr(f(*args, **kw))
    except BaseException as e:
        result = f"{type(e).__name__}: {e}"
    print(f.__name__, *(type(a).__name__ if isinstance(a, memoryview) else a for a in args), kw, "->", result)


warnings.simplefilter("ignore")
reverse = memoryview(bytearray(b"reverse"))[::-1]
VALUES = ["str", "nul:\0n", "\udc80", b"bytes", b"nul:\0x", bytearray(b"array"), bytearray(b"nu\0"), memoryview(b"mv"), memoryview(bytearray(b"mvw")), reverse, None, 1, 1.5, "\u1234\U00012345"]
for unit in "s z y u Z w".split():
    for f in (getattr(t, f"getargs_{unit}{suffix}", None) for suffix in ("", "_star", "_hash")):
        for v in VALUES if f else ():
            try:
                print(f.__name__, ascii(f(v)))
            except BaseException as e:
                print(f.__name__, type(v).__name__, type(e).__name__, e)
for name in ("es", "et", "es_hash", "et_hash"):
    for room in [()] if "hash" not in name else [(bytearray(9),), (bytearray(1),), (bytearray(2),), (bytearray(3),)]:
        for v in ["st", "st\xe9", "nul:\0n", b"by", b"nul\0", bytearray(b"ba"), bytearray(b"nu\0"), memoryview(b"mv"), None, 1]:
            attempt(getattr(t, "getargs_" + name), v, "latin1", *room)
for letter in "uZ":
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(t, "getargs_" + letter)("x")
        print([(w.category.__name__, str(w.message)) for w in caught])

for f in ["a#", "ed", "e", "x", "|i|i", "||i", "$$i", "i$$i", "|$i", "$|i", "i$|i", " i", "i i", "|a#i", "|xi", "|ei", "(ii)"]:
    for args in [(), (1,), (1, 2), ("a",), ((1, 2),)]:
        attempt(t.parse_tuple_and_keywords, args, {}, f, ["a", "b"][: max(1, f.count("i"))])
for args, kw, f, names in [((), {}, "O", [""]), ((1,), {"a": 1}, "OO", ["", "a"]), ((1,), {}, "OO", ["a", ""]), ((), {"c": 2}, "|OO", ["a", "b"]), ((), {"\udc80": 2}, "|OO", ["a", "b"]),
                           ((), {1: 2}, "|OO", ["a", "b"]), ((), {}, "OO", ["a"]), ((), {}, "O", ["a", "b"])]:
    try:
        print(t.parse_tuple_and_keywords(args, kw, f, names))
    except BaseException as e:
        print(args, ascii(kw), f, names, type(e).__name__, ascii(str(e)))


class Short(tuple):
    def __len__(self):
        return 3


for v in [(1, 2, 3), [1, 2, 3], Short(), "abc", 5, (1, 2)]:
    attempt(t.getargs_tuple, v)

# Members: what fits, what is cut with a warning, what is refused.
x = t._test_structmembersType(True, 127, 255, 32767, 65535, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1, 23, 9.99, 9.99, "hi")
for name in [n for n in dir(x) if n.startswith("T_")]:
    for v in [0, -1, 128, 255, 256, 32768, 65536, -32769, 2**31, 2**32, -2**31 - 1, 2**63, 2**64, -2**63 - 1, 1.5, "a", None, True]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                setattr(x, name, v)
                result = getattr(x, name)
            except BaseException as e:
                result = f"{type(e).__name__}: {e}"
        print(name, v, "->", result, [f"{w.category.__name__}: {w.message}" for w in caught])

for name in ["docstring_empty", "docstring_no_signature", "docstring_with_signature", "docstring_with_invalid_signature"]:
    f = getattr(t, name)
    print(name, repr(f.__doc__), f.__text_signature__)
for name in ["test_pep3118_obsolete_write_locks"]:
    attempt(getattr(t, name))
print(ascii(t.Py_CompileString(b"# coding: latin-1\nx = '\xa4'").co_consts) if hasattr(t, "Py_CompileString") else "")
s = "abcde"
for args in [(s, 0, "\xe9bcde", 0, 5), (s, 0, s, 2, 5), (s, 6, s, 0, 5), (s, 0, s, 0, -1), (s, 1, s, 0, 5)]:
    attempt(t.unicode_copycharacters, *args) if hasattr(t, "unicode_copycharacters") else None

try:
    import _testbuffer
except ImportError:
    sys.exit()
for f in ["L", "@h", "ii", "3s", "xb", "?", "d"]:
    attempt(lambda: _testbuffer.ndarray([(1, 2) if f == "ii" else b"abc" if f == "3s" else 1] * 4, shape=[2, 2], format=f).tolist())
column = _testbuffer.ndarray(list(range(6)), shape=[2, 3], flags=_testbuffer.ND_FORTRAN, format="h")
for order in "CFA":
    m = _testbuffer.get_contiguous(column, _testbuffer.PyBUF_READ, order)
    print(order, m.tolist(), m.shape, m.strides, m.format, m.readonly)
scalar = memoryview(_testbuffer.ndarray(9, shape=[], format="L"))
print(_testbuffer.cmp_contig(scalar, _testbuffer.ndarray(9, shape=[], format="L")), scalar.shape, scalar.tolist())
attempt(lambda: memoryview(_testbuffer.ndarray([0] * 70, shape=[1] * 70)) and None)
