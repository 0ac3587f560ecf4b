"""Python functions called from C."""
import threading
from ctypes import *

libc = CDLL(None)
COMPARE = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))


def sort(values, key=lambda v: v):
    a = (c_int * len(values))(*values)
    seen = []

    @COMPARE
    def compare(p, q):
        seen.append(1)
        return (key(p[0]) > key(q.contents.value)) - (key(p[0]) < key(q[0]))

    libc.qsort(a, len(a), sizeof(c_int), compare)
    return a[:], len(seen) >= len(values) - 1


print(sort([5, 1, 99, 7, 33, -4]), sort(list(range(200)), lambda v: -v)[0][:5])

# Every simple type, there and back.
for t, v in [(c_byte, -3), (c_ubyte, 200), (c_short, -300), (c_ushort, 60000), (c_int, -70000), (c_uint, 1 << 31),
             (c_long, -(1 << 40)), (c_ulong, 1 << 63), (c_float, 0.5), (c_double, 0.1), (c_longdouble, 0.1),
             (c_bool, True), (c_char, b"x"), (c_void_p, 1 << 40), (py_object, [1, 2])]:
    got = []
    f = CFUNCTYPE(t, t, c_byte, t)(lambda a, b, c: got.append((a, b, c)) or c)
    print(t.__name__, [f(v, -1, v) for _ in range(4)][-1], got[-1])


class Pair(Structure):
    _fields_ = [("x", c_int), ("y", c_double)]


f = CFUNCTYPE(c_double, Pair, POINTER(Pair))(lambda p, q: p.x + p.y + q.contents.x * q[0].y)
p = Pair(2, 3.5)
print([f(p, byref(p)) for _ in range(4)])

# A callback that changes its copy leaves the original alone; one that changes through the pointer does not.
def change(p, q):
    p.x = 0
    q.contents.x += 1


f = CFUNCTYPE(None, Pair, POINTER(Pair))(change)
f(p, p)
print(p.x, p.y)

# Callbacks calling foreign functions calling callbacks.
@CFUNCTYPE(c_int, c_int)
def down(n):
    return 0 if n == 0 else 1 + down(n - 1)


print(down(50))


# In other threads, and kept alive in a structure.
class Table(Structure):
    _fields_ = [("op", CFUNCTYPE(c_int, c_int, c_int))]


table = Table()
table.op = Table._fields_[0][1](lambda a, b: a * b)
results = []
threads = [threading.Thread(target=lambda k=k: results.append(sum(table.op(k, i) for i in range(200)))) for k in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(sorted(results))
