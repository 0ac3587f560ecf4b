# Foreign calls, structures, callbacks and their errors.
import ctypes
from ctypes import *
libc, libm = CDLL("libc.so.6"), CDLL("libm.so.6")
libm.pow.argtypes, libm.pow.restype = [c_double, c_double], c_double
libc.strlen.argtypes, libc.strlen.restype = [c_char_p], c_size_t
libc.abs.argtypes = [c_int]
print(libm.pow(2, 10), libm.pow(2.5, 2), libc.strlen(b"hello"), libc.abs(-5), libc.toupper(97))
for f in (lambda: libm.pow(1), lambda: libm.pow("a", 1), lambda: libc.strlen(5), lambda: libc.abs("x"), lambda: libc.abs(1, 2, 3), lambda: libc.nope, lambda: CDLL("libnope.so"), lambda: c_int("x"), lambda: c_char(b"ab"),
          lambda: POINTER(c_int)().contents, lambda: (c_int * 3)(1, 2, 3, 4), lambda: (c_int * 2)()[5], lambda: c_int.from_buffer(b"abcd"), lambda: cast(5, c_int), lambda: Structure()._fields_):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, str(e)[:60])
class P(Structure):
    _fields_ = [("x", c_int), ("y", c_double), ("b", c_uint8, 3), ("c", c_uint8, 5), ("n", c_char * 4)]
p = P(1, 2.5, 5, 9, b"abc"); p.x += 41
print(p.x, p.y, p.b, p.c, p.n, sizeof(P), P.y.offset, P.b.size, P.c, alignment(P))
class U(Union):
    _fields_ = [("i", c_uint32), ("f", c_float), ("b", c_uint8 * 4)]
u = U(f=1.0); print(hex(u.i), list(u.b))
arr = (c_int * 5)(*range(5)); print(list(arr), arr[1:3], len(arr), sum(arr)); arr[2] = 20
pi = cast(arr, POINTER(c_int)); print(pi[2], pi.contents.value, addressof(pi.contents) == addressof(arr))
CMP = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int)); vals = (c_int * 6)(5, 2, 9, 1, 7, 3)
libc.qsort(vals, 6, sizeof(c_int), CMP(lambda a, b: a[0] - b[0])); print(list(vals))
s = create_string_buffer(b"abc", 10); print(s.value, s.raw, len(s), string_at(s, 2)); memmove(s, b"xyz", 3); print(s.value)
x = c_int(5); q = pointer(x); q.contents.value = 9; print(x, q[0], byref(x) is not None, c_long(-1).value, c_ubyte(300).value, c_bool(3).value, c_wchar("é").value)
libc.div.restype = type("D", (Structure,), {"_fields_": [("q", c_int), ("r", c_int)]}); d = libc.div(17, 5); print(d.q, d.r)
f = CFUNCTYPE(c_double, c_double)(lambda v: v * 2); print(f(21)); libc.time.restype = c_long; print(libc.time(None) > 0)
libc.getenv.restype = c_char_p; print(libc.getenv(b"NOPE_X")); g = libc.printf; print(c_char_p(b"z").value, c_void_p(None).value)
def check(r, fn, args): return r + 1000
libc.abs.errcheck = check; print(libc.abs(-1)); lib2 = CDLL("libc.so.6", use_errno=True); set_errno(0); lib2.close(-1); print(get_errno())
class Node(Structure): pass
Node._fields_ = [("v", c_int), ("next", POINTER(Node))]
n = Node(1, pointer(Node(2))); print(n.next.contents.v, bool(n.next.contents.next)); print(BigEndianStructure.__name__, c_int.__name__, py_object([1]).value)
