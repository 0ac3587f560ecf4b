"""Structures by pointer and by value: gettimeofday(), localtime_r(), div() and a walk over getaddrinfo-like memory."""
import ctypes
import time
from ctypes import POINTER, byref, c_char_p, c_int, c_long

libc = ctypes.CDLL("libc.so.6")


class Timeval(ctypes.Structure):
    _fields_ = [("tv_sec", c_long), ("tv_usec", c_long)]


class Tm(ctypes.Structure):
    _fields_ = [(n, c_int) for n in (
        "tm_sec", "tm_min", "tm_hour", "tm_mday", "tm_mon", "tm_year", "tm_wday", "tm_yday", "tm_isdst")] + [
        ("tm_gmtoff", c_long), ("tm_zone", c_char_p)]


class DivT(ctypes.Structure):
    _fields_ = [("quot", c_int), ("rem", c_int)]


gettimeofday = libc.gettimeofday
gettimeofday.argtypes, gettimeofday.restype = [POINTER(Timeval), ctypes.c_void_p], c_int
gmtime_r = libc.gmtime_r
gmtime_r.argtypes, gmtime_r.restype = [POINTER(c_long), POINTER(Tm)], POINTER(Tm)
div = libc.div
div.argtypes, div.restype = [c_int, c_int], DivT
N = 100_000


def main():
    tv = Timeval()
    assert gettimeofday(byref(tv), None) == 0
    assert abs(tv.tv_sec - time.time()) < 2
    tm = Tm()
    r = gmtime_r(byref(c_long(86400 * 365)), byref(tm))
    assert (tm.tm_year, tm.tm_mon, tm.tm_mday, r.contents.tm_yday) == (71, 0, 1, 0)
    total = 0
    start = time.perf_counter()
    for i in range(N):
        d = div(i, 7)
        total += d.quot * 7 + d.rem
    spent = time.perf_counter() - start
    assert total == N * (N - 1) // 2
    print("structs: gettimeofday, gmtime_r and div() by value agree")
    print("@ div() by value %.1f" % (spent / N * 1e9))


main()
