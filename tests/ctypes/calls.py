"""Foreign calls in every shape, often enough that they go through call stubs as well as the generic path."""
import re
from ctypes import *

libc = CDLL(None, use_errno=True)
libm = CDLL("libm.so.6")


def rounds(f, *args):
    results = {repr(f(*args)) for _ in range(10)}
    print(f.__name__, re.sub("0x[0-9a-f]+", "ADDR", repr(args)), results)


libm.sqrt.argtypes, libm.sqrt.restype = [c_double], c_double
rounds(libm.sqrt, 2.0)
rounds(libm.sqrt, 2)
rounds(libm.sqrt, c_double(4.0))
rounds(libm.sqrt, 1 << 80)
libm.powf.argtypes, libm.powf.restype = [c_float, c_float], c_float
rounds(libm.powf, 2, 0.5)
libm.ldexp.argtypes, libm.ldexp.restype = [c_double, c_int], c_double
rounds(libm.ldexp, 0.75, 4)
rounds(libm.ldexp, 0.75, (1 << 32) + 4)
libm.frexp.argtypes, libm.frexp.restype = [c_double, POINTER(c_int)], c_double
exponent = c_int()
rounds(libm.frexp, 12.0, byref(exponent))
rounds(libm.frexp, 12.0, exponent)
print(exponent)

# Nothing declared: the kinds of arguments decide.
rounds(libc.abs, -3)
rounds(libc.abs, -(2**31) - 5)
rounds(libc.abs, c_int(-7))
rounds(libc.strlen, b"four")
rounds(libc.toupper, 97)
for v in (1, True, c_short(-2), c_long(3), b"x"[0]):
    print(libc.abs(v))

libc.strchr.argtypes, libc.strchr.restype = [c_char_p, c_char], c_char_p
rounds(libc.strchr, b"hello", b"l")
rounds(libc.strchr, b"hello", b"z")
rounds(libc.strchr, b"hello", 108)
libc.labs.argtypes, libc.labs.restype = [c_long], c_long
rounds(libc.labs, -(1 << 40))
rounds(libc.labs, (1 << 64) - 1)
libc.memchr.argtypes, libc.memchr.restype = [c_void_p, c_int, c_size_t], c_void_p
rounds(libc.memchr, None, 0, 0)
buf = create_string_buffer(b"some text")
libc.memchr.restype = c_void_p
for _ in range(5):
    at = libc.memchr(buf, ord("t"), len(buf))
print(at - addressof(buf))


class Div(Structure):
    _fields_ = [("quot", c_int), ("rem", c_int)]


class LDiv(Structure):
    _fields_ = [("quot", c_long), ("rem", c_long)]


libc.div.restype = Div
libc.ldiv.restype = LDiv
libc.ldiv.argtypes = [c_long, c_long]
for _ in range(5):
    d, l = libc.div(17, 5), libc.ldiv(-(1 << 40), 7)
print(d.quot, d.rem, l.quot, l.rem)

# errno is private, and only exchanged where asked for.
set_errno(0)
libc.close.argtypes = [c_int]
for _ in range(4):
    r = libc.close(-1)
print(r, get_errno(), set_errno(5), get_errno())

# Variadic functions.
for _ in range(4):
    n = libc.snprintf(buf, c_size_t(10), b"%d %s %.2f", 42, b"abc", c_double(1.5))
print(n, buf.value)

# errcheck, callable restype, out-parameters.
def check(result, func, args):
    return result, func.__name__, args


libc.atoi.errcheck = check
print([libc.atoi(b"12") for _ in range(4)][-1])
libc.atol.restype = lambda v: v * 2
print([libc.atol(b"21") for _ in range(4)])
frexp = CFUNCTYPE(c_double, c_double, POINTER(c_int))(("frexp", libm), ((1, "x"), (2, "exp")))
print([frexp(12.0) for _ in range(4)], frexp(x=0.5))

# Changing the prototype takes effect at once.
f = libc.labs
f.argtypes, f.restype = [c_int], c_int
print(f(-5), f((1 << 32) - 1))
f.argtypes, f.restype = [c_longlong], c_ulonglong
print(f(-5), f((1 << 32) - 1))

# Python's own functions.
pythonapi.PyLong_FromLong.restype = py_object
pythonapi.PyLong_FromLong.argtypes = [c_long]
print([pythonapi.PyLong_FromLong(n) for n in (-1, 0, 1 << 40)])
pythonapi.PyObject_Length.restype = c_ssize_t
pythonapi.PyObject_Length.argtypes = [py_object]
print([pythonapi.PyObject_Length(o) for o in ([1], py_object([1, 2]), "abc", py_object("abcd"), py_object(())) for _ in range(4)])
pythonapi.PyObject_GetAttrString.restype = py_object
pythonapi.PyObject_GetAttrString.argtypes = [py_object, c_char_p]
for name in (b"real", b"real", b"real", b"nothing"):
    try:
        print(pythonapi.PyObject_GetAttrString(5, name))
    except AttributeError as e:
        print(e)
