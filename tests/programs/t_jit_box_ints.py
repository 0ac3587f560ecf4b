"""Ints made in compiled loops: cached ones, one digit, the edges of a digit and beyond; the cached objects stay the cached ones."""
import ctypes
import sys

libc = ctypes.CDLL(None)
EDGES = [0, -5, -6, 256, 257, 2**30 - 1, 2**30, -(2**30) + 1, -(2**30), 2**31, -(2**31), 2**60, 2**62 - 1, -(2**62)]


def spread(base, n):
    out = []
    for i in range(n):
        out.append(base + i - 3)
        out.append(-(base + i - 3))
    return out


for edge in EDGES:
    made = spread(edge, 3000)
    assert made == [s * (edge + i - 3) for i in range(3000) for s in (1, -1)], edge
    assert made[:6] == [int(str(v)) for v in made[:6]], edge
    assert all(hash(v) == hash(int(str(v))) and v.bit_length() == int(str(v)).bit_length() for v in made[:40]), edge
    print(edge, sum(made), made[3], made[-1], sys.getsizeof(made[2]))


def cached(n):
    same = 0
    for i in range(n):
        v = i % 300 - 10
        w = [v + 1, v]
        same += (w[1] is SMALL[v]) if -5 <= v <= 256 else 0
    return same


SMALL = {v: v for v in range(-5, 257)}
print(cached(6000))

# A call during which Python runs again and again, in a hot loop.
CMP = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
calls = 0


@CMP
def compare(a, b):
    global calls
    calls += 1
    return a[0] - b[0]


qsort = libc.qsort
qsort.argtypes, qsort.restype = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, CMP], None


def pairs(n):
    wrong = 0
    for i in range(n):
        both = (ctypes.c_int * 2)(i % 7, 3)
        qsort(both, 2, 4, compare)
        if both[0] > both[1]:
            wrong += 1
    return wrong


print(pairs(4000), calls)
