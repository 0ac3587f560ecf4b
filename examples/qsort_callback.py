"""The C library's qsort() with a comparison function written in Python."""
import ctypes
import random
import time

N = 50_000
libc = ctypes.CDLL("libc.so.6")
INTP = ctypes.POINTER(ctypes.c_int)
COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, INTP, INTP)
qsort = libc.qsort
qsort.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, COMPARE]
qsort.restype = None

calls = 0


def compare(a, b):
    global calls
    calls += 1
    return a[0] - b[0]


def main():
    rng = random.Random(7)
    values = [rng.randrange(1_000_000) for _ in range(N)]
    array = (ctypes.c_int * N)(*values)
    start = time.perf_counter()
    qsort(array, N, ctypes.sizeof(ctypes.c_int), COMPARE(compare))
    spent = time.perf_counter() - start
    assert list(array) == sorted(values)
    print("qsort: %d integers sorted with %d calls of a Python function" % (N, calls))
    print("@ qsort callback %.1f" % (spent / calls * 1e9))


main()
