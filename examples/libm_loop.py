"""libm's pow() and cos() in a numeric loop."""
import ctypes
import math
import time

N = 1_000_000
libm = ctypes.CDLL("libm.so.6")
pow_, cos_ = libm.pow, libm.cos
pow_.argtypes, pow_.restype = [ctypes.c_double, ctypes.c_double], ctypes.c_double
cos_.argtypes, cos_.restype = [ctypes.c_double], ctypes.c_double


def loop(n):
    s = 0.0
    x = 0.5
    for i in range(n):
        s += cos_(x)
        x += 0.001
    return s


def powers(n):
    s = 0.0
    x = 1.0
    for i in range(n):
        s += pow_(x, 1.5)
        x += 0.0001
    return s


def main():
    expected, x = 0.0, 0.5
    for i in range(1000):
        expected += math.cos(x)
        x += 0.001
    assert loop(1000) == expected, (loop(1000), expected)
    start = time.perf_counter()
    a = loop(N)
    middle = time.perf_counter()
    b = powers(N)
    end = time.perf_counter()
    print("libm: sum of cos %.9f, sum of pow %.6f" % (a, b))
    print("@ libm cos %.1f" % ((middle - start) / N * 1e9))
    print("@ libm pow %.1f" % ((end - middle) / N * 1e9))


main()
