"""C functions on text, numbers, sets, sequences and capsules, called through ctypes: the short paths and what they must leave to the long ones."""
import ctypes
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_long, c_longlong, c_size_t, c_ssize_t, c_ubyte, c_ulong, c_ulonglong, c_void_p, create_string_buffer, py_object

api = ctypes.pythonapi


def function(name, result, *arguments):
    f = api[name]
    f.restype, f.argtypes = result, arguments
    return f


def show(label, f, *arguments):
    try:
        print(label, repr(f(*arguments)))
    except Exception as e:
        print(label, type(e).__name__, e)


# ---- Text ----
contains = function("PyUnicode_Contains", c_int, py_object, py_object)
find = function("PyUnicode_Find", c_ssize_t, py_object, py_object, c_ssize_t, c_ssize_t, c_int)
count = function("PyUnicode_Count", c_ssize_t, py_object, py_object, c_ssize_t, c_ssize_t)
tail = function("PyUnicode_Tailmatch", c_ssize_t, py_object, py_object, c_ssize_t, c_ssize_t, c_int)
against = function("PyUnicode_CompareWithASCIIString", c_int, py_object, c_char_p)
substring = function("PyUnicode_Substring", py_object, py_object, c_ssize_t, c_ssize_t)
texts = ["", "a", "some text", "text", "tex", "été", "é", "日本語テキスト", "キス", "\U0001f600 x", "x" * 40 + "ab", "ab", "aab" * 20, "aaab", "b\0c"]
for s in texts:
    for t in texts:
        print(contains(s, t), find(s, t, 0, 100, 1), find(s, t, 0, 100, -1), find(s, t, 1, -1, 1), count(s, t, 0, 100), tail(s, t, 0, 100, -1),
              tail(s, t, 0, 100, 1), tail(s, t, 1, 5, 1), end=";")
    print([against(s, t) for t in (b"", b"a", b"some", b"some text", b"some textx", b"b", b"b\0c", b"zz")], ascii(substring(s, 1, 4)), ascii(substring(s, 0, 99)))
show("contains", contains, "abc", 5)
show("contains", contains, [1], 1)
show("substring", substring, "abc", -1, 2)
decode = function("PyUnicode_Decode", py_object, c_char_p, c_ssize_t, c_char_p, c_char_p)
decode8 = function("PyUnicode_DecodeUTF8", py_object, c_char_p, c_ssize_t, c_char_p)
encode = function("PyUnicode_AsEncodedString", py_object, py_object, c_char_p, c_char_p)
for encoding in (b"utf-8", b"UTF-8", b"utf8", b"ascii", b"latin-1", b"ISO-8859-1", b"utf-16-le", b"no such", None):
    for errors in (None, b"strict", b"replace", b"no such"):
        for data in (b"", b"plain", "né".encode(), b"\xff\xfe"):
            show("decode", decode, data, len(data), encoding, errors)
        for text in ("", "plain", "né", "\udc80"):
            show("encode", encode, text, encoding, errors)
for data in (b"ok", b"\xc3\xa9", b"\xc3", b"a\xffb"):
    for errors in (None, b"ignore", b"surrogateescape"):
        show("utf8", lambda *a: ascii(decode8(*a)), data, len(data), errors)

split = function("PyUnicode_Split", py_object, py_object, py_object, c_ssize_t)
spaces = function("PyUnicode_Split", py_object, py_object, c_void_p, c_ssize_t)
for s in ("", "a", " a  b c ", "été\u2003là x", "a,b,,c"):
    for most in (-1, 0, 1, 2):
        print(ascii(spaces(s, None, most)), ascii(split(s, ",", most)), ascii(split(s, "é", most)), ascii(split(s, "b,,", most)))
for sep in ("", None, b","):
    show("split", split, "a,b", sep, -1)

# ---- Numbers ----
from_string = function("PyLong_FromString", py_object, c_char_p, POINTER(c_char_p), c_int)
for text in (b"0", b"-0", b"12", b"-12", b"+12", b" 12 ", b"1_000", b"", b"99999999999", b"123456789012345678901234567890", b"ff", b"0xff", b"0b1", b"z", b"12a"):
    for base in (0, 2, 10, 16, 36, 37):
        end = c_char_p(b"?")
        try:
            print(text, base, from_string(text, byref(end), base), end.value)
        except Exception as e:
            print(text, base, type(e).__name__, e, end.value)
numbers = [0, 1, -1, 255, 2**31 - 1, -2**31, 2**32, 2**60 - 1, 2**60, -2**60, 2**63 - 1, -2**63, 2**63, -2**63 - 1, 2**64 - 1, 2**64, True, 1.5, "x"]
for name, result in (("PyLong_AsLong", c_long), ("PyLong_AsLongLong", c_longlong), ("PyLong_AsSsize_t", c_ssize_t), ("PyLong_AsSize_t", c_size_t), ("PyLong_AsUnsignedLong", c_ulong),
                     ("PyLong_AsUnsignedLongLong", c_ulonglong), ("PyLong_AsUnsignedLongMask", c_ulong), ("PyLong_AsUnsignedLongLongMask", c_ulonglong), ("PyLong_AsDouble", c_double)):
    f = function(name, result, py_object)
    for n in numbers:
        show(name, f, n)
for name in ("PyLong_AsLongAndOverflow", "PyLong_AsLongLongAndOverflow"):
    f = function(name, c_longlong, py_object, POINTER(c_int))
    for n in numbers:
        o = c_int(5)
        show(name, f, n, byref(o))
        print(o.value)
to_bytes = function("_PyLong_AsByteArray", c_int, py_object, POINTER(c_ubyte), c_size_t, c_int, c_int)
from_bytes = function("_PyLong_FromByteArray", py_object, POINTER(c_ubyte), c_size_t, c_int, c_int)
for n in numbers[:-3]:
    for size in (1, 4, 7, 8, 9, 12):
        for little in (0, 1):
            for signed in (0, 1):
                b = (c_ubyte * 12)()
                try:
                    to_bytes(n, b, size, little, signed)
                    print(bytes(b[:size]).hex(), from_bytes(b, size, little, signed) == n, end=" ")
                except Exception as e:
                    print(type(e).__name__, e)
    print()
index = function("PyNumber_AsSsize_t", c_ssize_t, py_object, py_object)
exact = function("PyNumber_Index", py_object, py_object)
for n in numbers:
    show("index", exact, n)
    show("size", index, n, OverflowError)
hash_of = function("PyObject_Hash", c_ssize_t, py_object)
for o in (5, -1, 2**70, 1.5, (1, 2), None, [], {}):
    if o is not None:
        show("hash", hash_of, o)

# ---- Lengths ----
for name in ("PyObject_Size", "PySequence_Size", "PyMapping_Size"):
    f = function(name, c_ssize_t, py_object)

    class Bad:
        def __len__(self):
            raise ValueError("no length")
    for o in ([1], (1, 2), "abc", b"ab", {1: 2}, {1}, range(5), 5, Bad(), iter([])):
        show(name, f, o)
as_list = function("PySequence_List", py_object, py_object)
for o in ([1, 2], (1, 2), (), "ab", b"ab", {1: 2, 3: 4}, {5}, range(3), (x for x in "yz"), 5):
    show("list", as_list, o)

set_item = function("PySequence_SetItem", c_int, py_object, c_ssize_t, py_object)
l = [1, 2, 3]
for o, i in (l, 0), (l, 2), (l, -1), (l, 3), (l, -4), ((1,), 0), ({}, 0), (bytearray(b"ab"), 1):
    show("set", set_item, o, i, 65)
    print(o)
for f in function("PyMemoryView_FromObject", py_object, py_object), lambda o: function("PyMemoryView_GetContiguous", py_object, py_object, c_int, ctypes.c_char)(o, 0x100, b"C"):
    for o in (b"abc", bytearray(b"xyz"), memoryview(b"abcdef")[::2], memoryview(b"abcdef").cast("H"), 5):
        show("view", lambda o: (f(o).tolist(), f(o).strides, f(o).readonly, f(o).contiguous), o)
from_memory = function("PyMemoryView_FromMemory", py_object, c_void_p, c_ssize_t, c_int)
block = create_string_buffer(b"block")
m = from_memory(ctypes.addressof(block), 5, 0x200)
m[1:3] = b"LO"
print(block.value, m.tolist(), m.shape, m.format, m.readonly, from_memory(ctypes.addressof(block), 0, 0x100).tolist())

# ---- Sets ----
add = function("PySet_Add", c_int, py_object, py_object)
has = function("PySet_Contains", c_int, py_object, py_object)
drop = function("PySet_Discard", c_int, py_object, py_object)


class Same:
    """Hashes alike, equal to those of the same value."""
    def __init__(self, v, h=5):
        self.v, self.h = v, h

    def __hash__(self):
        return self.h

    def __eq__(self, other):
        return isinstance(other, Same) and self.v == other.v


s = set()
things = [Same(i % 3) for i in range(9)]
print([add(s, x) for x in things], len(s), [has(s, x) for x in things], has(s, Same(7)), [drop(s, x) for x in things], len(s))
changing = Same(1)
add(s, changing)
changing.h = 13
print(has(s, changing), changing in s)
changing.h = 5
print(has(s, changing), changing in s)
s = set()
for i in range(100):
    add(s, i * 8), add(s, str(i)), drop(s, i * 4)
print(len(s), has(s, 8), has(s, 396), has(s, "50"), has(s, "500"), sorted(map(str, s))[:5])
show("add", add, s, [])
for f, *arguments in (add, [], 1), (has, {1: 2}, 1):
    try:
        print(f(*arguments))
    except SystemError as e:
        print(str(e).endswith("bad argument to internal function"))

# ---- Capsules and depth ----
new = function("PyCapsule_New", py_object, c_void_p, c_char_p, c_void_p)
pointer = function("PyCapsule_GetPointer", c_void_p, py_object, c_char_p)
valid = function("PyCapsule_IsValid", c_int, py_object, c_char_p)
name = create_string_buffer(b"a.name")
named, nameless = new(0x1000, ctypes.cast(name, c_char_p), None), new(0x2000, None, None)
for c in (named, nameless, 5):
    for n in (b"a.name", b"other", None):
        print(valid(c, n), end=" ")
        show("pointer", pointer, c, n)
enter, leave = function("Py_EnterRecursiveCall", c_int, c_char_p), function("Py_LeaveRecursiveCall", None)
print(enter(b" again"))
leave()
compare = function("PyObject_RichCompareBool", c_int, py_object, py_object, c_int)
nan = float("nan")
for a in (1, 1.5, nan, -0.0, 0.0, 2**70, "a", None):
    for b in (1, 1.5, nan, 0.0, 2**70, "b"):
        if a is not None:
            try:
                print([compare(a, b, op) for op in range(6)], end=" ")
            except TypeError as e:
                print(e, end=" ")
print()
