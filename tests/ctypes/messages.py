"""What ctypes says: values, representations and error messages of every kind of misuse."""
import re
from ctypes import *
import _ctypes


def show(f):
    try:
        text = repr(f())
    except BaseException as e:
        text = f"{type(e).__name__} | {e}"
    print(re.sub(r"0x[0-9a-f]+|[^ ]*(?=: undefined symbol)", "ADDR", text))


def make(base, **attrs):
    return lambda: type(base)("X", (base,), attrs)


libc = CDLL(None)
libc.strlen.argtypes = [c_char_p]

# Simple values.
for f in [
    lambda: c_int("x"), lambda: c_int(1.5), lambda: c_double("x"), lambda: c_char("xx"), lambda: c_wchar("xx"),
    lambda: c_wchar(1), lambda: c_char_p("x"), lambda: c_wchar_p(b""), lambda: c_void_p("x"),
    lambda: py_object().value, lambda: c_int(1, 2), lambda: c_int(300).value, lambda: c_byte(300), lambda: c_ubyte(-1),
    lambda: c_bool([]), lambda: c_float(0.1), lambda: c_longdouble(2.5), lambda: c_char(b"a"), lambda: c_wchar("\xe9"),
    lambda: c_char_p(b"abc").value, lambda: c_wchar_p("abc").value, lambda: c_void_p(5), lambda: c_void_p(0),
    lambda: py_object([1]), lambda: c_int.__ctype_be__(1), lambda: bytes(c_int.__ctype_be__(1)), lambda: bool(c_int()),
    lambda: hash(c_int()), lambda: c_int(1) == 1, lambda: delattr(c_int(), "value"), lambda: c_ulonglong(-1),
]:
    show(f)

# Parameters.
for f in [
    lambda: c_int.from_param("x"), lambda: c_char_p.from_param(1), lambda: c_void_p.from_param(1.5),
    lambda: c_wchar_p.from_param(1), lambda: c_void_p.from_param("abc"), lambda: c_int.from_param(5),
    lambda: c_char.from_param(b"x"), lambda: c_double.from_param(2.5), lambda: byref(c_int(5)), lambda: byref(5),
    lambda: libc.strlen("x"), lambda: libc.strlen(), lambda: libc.abs(1.5), lambda: libc.abs(1 << 70),
    lambda: libc.no_such_function, lambda: c_int.in_dll(libc, "no_such_thing"), lambda: libc.abs(-5),
    lambda: libc.strlen(b"hello"), lambda: libc.strlen(c_char_p(b"hello")), lambda: libc.strlen(create_string_buffer(b"abc")),
    lambda: sizeof(5), lambda: alignment(5), lambda: addressof(5), lambda: resize(c_int(), 2), lambda: resize(5, 2),
]:
    show(f)


class S(Structure):
    _fields_ = [("a", c_int), ("b", c_char * 5), ("c", c_double), ("d", c_short * 3), ("e", POINTER(c_int)), ("f", c_int, 3)]


class U(Union):
    _fields_ = [("a", c_char), ("c", c_double)]


# Structures.
for f in [
    lambda: S(1, 2, 3), lambda: S(1, b"2", 3, a=5), lambda: S(1, b"2", 3, (1, 2, 3), None, 2, 3), lambda: S.a, lambda: S.f,
    lambda: S.a.__set__(1, 2), lambda: S(1, b"ab", 2.5, (1, 2)).d[:], lambda: memoryview(S()).format,
    lambda: memoryview((c_int * 2 * 3)()).shape, lambda: memoryview(U()).format, lambda: setattr(S(), "d", 5),
    lambda: setattr(S(), "e", c_int(5)), lambda: setattr(S(), "d", (1, 2, 3, 4)), lambda: setattr(S(), "b", b"asdfsdfsdf"),
    lambda: delattr(S(), "b"), lambda: S.from_param(5), lambda: POINTER(S).from_param(5), lambda: Structure(),
    make(Structure, _fields_=5), make(Structure, _fields_=[5]), make(Structure, _fields_=[("a", 5)]),
    make(Structure, _fields_=[("a", c_char_p, 5)]), make(Structure, _fields_=[("a", c_int, 50)]),
    make(Structure, _fields_=[("a", c_int)], _pack_=-1), make(Structure, _fields_=[("a", c_int)], _anonymous_=5),
    make(Structure, _fields_=[("a", c_int)], _anonymous_=["b"]),
]:
    show(f)


def assign(i, v):
    a = (c_int * 3)()
    a[i] = v
    return a[:]


def remove(x):
    del x[0]


# Arrays and pointers.
for f in [
    lambda: (c_int * 3)(1, 2, 3, 4), lambda: (c_int * 3)()[3], lambda: c_int * -1, lambda: (c_int * 3)(1, 2, 3)[::-1],
    lambda: (c_char * 3)(b"a", b"b", b"c")[:], lambda: assign(slice(0, 2), [1]), lambda: assign(slice(0, 2), [1, 2]),
    lambda: assign("x", 1), lambda: (c_int * 3)()["x"], lambda: remove((c_int * 3)()), lambda: POINTER(5),
    lambda: POINTER(c_int)().contents, lambda: POINTER(c_int)(5), lambda: pointer(c_int(3))["x"],
    lambda: pointer(c_int(3))[:], lambda: pointer(c_int(3))[0:3:0], lambda: pointer(c_int(3))[:3:-1],
    lambda: pointer(c_int(3)).contents, lambda: remove(pointer(c_int(3))), lambda: bool(POINTER(c_int)()),
    lambda: cast(1, c_int), lambda: create_string_buffer(b"abc").raw, lambda: create_unicode_buffer("abc").value,
    make(Array), make(Array, _length_=1.5), make(Array, _length_=-1), make(Array, _length_=1),
    make(Array, _length_=1, _type_=5), make(Array, _length_=1 << 70, _type_=c_int),
    make(_ctypes._Pointer, _type_=5), make(_ctypes._SimpleCData), make(_ctypes._SimpleCData, _type_=1),
    make(_ctypes._SimpleCData, _type_="xx"), make(_ctypes._SimpleCData, _type_="x"),
]:
    show(f)

# Functions and buffers.
for f in [
    make(_ctypes.CFuncPtr), make(_ctypes.CFuncPtr, _flags_=1, _argtypes_=5),
    make(_ctypes.CFuncPtr, _flags_=1, _argtypes_=(5,)), make(_ctypes.CFuncPtr, _flags_=1, _restype_=5),
    lambda: setattr(libc.abs, "restype", 5), lambda: setattr(libc.abs, "argtypes", (5,)),
    lambda: setattr(libc.abs, "errcheck", 5), lambda: CFUNCTYPE(c_int)("x"), lambda: CFUNCTYPE(S)(lambda: 1),
    lambda: CFUNCTYPE(c_int)(("x", 5)), lambda: CFUNCTYPE(c_int)((1.5, libc)),
    lambda: c_int.from_buffer(b"1234"), lambda: c_int.from_buffer(bytearray(3)), lambda: c_int.from_buffer(bytearray(3), -1),
    lambda: c_int.from_buffer_copy(b"123"), lambda: c_int.from_buffer_copy(b"\1\0\0\0"), lambda: c_int.from_address("x"),
    lambda: Structure.from_address(1), lambda: c_int.from_buffer(5), lambda: CDLL("no_such_library.so"),
]:
    show(f)

# `_as_parameter_` of an argument for a pointer: a reference, an instance of the target, None, a pointer.
class Stands:
    def __init__(self, value):
        self._as_parameter_ = value


number = c_int(7)
pointer_type = POINTER(c_int)
for value in [byref(number), number, None, pointer(number), (c_int * 2)(), Stands(Stands(byref(number))), byref(c_long()), 5]:
    show(lambda: type(pointer_type.from_param(Stands(value))).__name__)
