"""Hot loops around C functions called through ctypes prototypes. Prints `@ name ns ns ratio`: ours, C's, ours / C's.

    ctypes_calls.py LIBRARY [N]
"""
import ctypes
import statistics
import sys
import time
from ctypes import POINTER, Structure, byref, c_char_p, c_double, c_int, c_size_t

lib = ctypes.CDLL(sys.argv[1])
N = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000


class Point(Structure):
    _fields_ = [("x", c_double), ("y", c_double), ("tag", c_int)]


add = lib.add
add.argtypes, add.restype = [c_int, c_int], c_int
mul = lib.mul
mul.argtypes, mul.restype = [c_double, c_double], c_double
length = lib.length
length.argtypes, length.restype = [c_char_p], c_size_t
tag = lib.tag
tag.argtypes, tag.restype = [POINTER(Point)], c_int


def loop_add(n):
    s = 0
    for i in range(n):
        s = add(s & 0xFFFF, i)
    return s


def loop_mul(n):
    s = 1.0
    for i in range(n):
        s = mul(s, 1.0000001)
    return s


def loop_length(n):
    s = 0
    text = b"native"
    for i in range(n):
        s += length(text)
    return s


def loop_tag(n):
    s = 0
    p = byref(Point(1.0, 2.0, 3))
    for i in range(n):
        s += tag(p)
    return s


def measure(loop, c, n):
    """Median ns per call of ours and of C's loop, and the median ratio of neighbouring runs.

    The two take turns in short runs, so that a change of the processor's speed meets both.
    """
    loop(n // 10)
    ours, theirs = [], []
    for _ in range(60):
        start = time.perf_counter()
        loop(n // 20)
        ours.append((time.perf_counter() - start) / (n // 20) * 1e9)
        theirs.append(c(50_000))
    ratios = [a / b for a, b in zip(ours, theirs)]
    return statistics.median(ours), statistics.median(theirs), statistics.median(ratios)


for name, loop in (("add", loop_add), ("mul", loop_mul), ("length", loop_length), ("tag", loop_tag)):
    c = getattr(lib, "c_" + name)
    c.argtypes, c.restype = [c_int], c_double
    print("@ %s %.2f %.2f %.3f" % ((name,) + measure(loop, c, N)))
