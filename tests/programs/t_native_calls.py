"""Native calls in hot loops: what callbacks, other threads and odd results may do while the loop's state is in registers."""
import ctypes
import sys
import threading
import time
from ctypes import (CFUNCTYPE, POINTER, byref, c_bool, c_char, c_char_p, c_double, c_int, c_long, c_size_t, c_ubyte,
                    c_ulonglong, c_void_p, cast, create_string_buffer, get_errno, set_errno)

libc = ctypes.CDLL(None, use_errno=True)
plain = ctypes.CDLL(None)
COMPARE = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))
qsort = plain.qsort
qsort.argtypes, qsort.restype = [c_void_p, c_size_t, c_size_t, COMPARE], None

# ---- A callback now and then, which looks at the loop's frame, changes globals, raises ----
seen = []
step = 1
current = object()


def look():
    f = sys._getframe(2)
    seen.append((f.f_code.co_name, f.f_lineno - f.f_code.co_firstlineno, f.f_locals["i"], f.f_locals["total"]))


def compare_look(a, b):
    look()
    return a[0] - b[0]


def compare_change(a, b):
    global step, current
    step += 1
    current = None
    return a[0] - b[0]


def compare_raise(a, b):
    raise KeyError("from a callback")


two = (c_int * 2)(2, 1)
one = (c_int * 1)(5)


def loop(callback, n):
    total = 0
    args = [one] * n
    for k in range(50, n, 50):
        args[k] = two
    for i in range(n):
        a = args[i]
        qsort(a, len(a), 4, callback)
        total += step
    return total


def direct(n, callback):
    total = 0
    count = 1
    for i in range(n):
        qsort(two, count, 4, callback)
        total += step
        if i == n - 3:
            count = 2
    return total


print(loop(COMPARE(compare_look), 400), len(seen), seen[:2], seen[-1])
del seen[:]
print(direct(300, COMPARE(compare_look)), seen)
print(loop(COMPARE(compare_change), 400), step, current)
step = 1
print(direct(300, COMPARE(compare_change)), step)
unraisable = []
sys.unraisablehook = lambda a: unraisable.append(repr(a.exc_value))
step = 1
print(direct(300, COMPARE(compare_raise)), unraisable)
sys.unraisablehook = sys.__unraisablehook__

# ---- A compiled loop whose callback runs below an ordinary call: its frame is none of the callback's business ----
strlen = plain.strlen
strlen.argtypes, strlen.restype = [c_char_p], c_size_t


def nested(x):
    qsort(two, 2, 4, look_none)
    return x


@COMPARE
def look_none(a, b):
    return 0


def stale(n):
    total = 0
    text = b"seven"
    for i in range(n):
        total += strlen(text)
        total += nested(i)
    return total


print(stale(500))

# ---- Objects the native code works on stay alive, whatever the callback does ----
class Holder:
    pass


holder = Holder()
dead = []


class Noisy(ctypes.Array):
    _type_, _length_ = c_int, 2

    def __del__(self):
        dead.append("dead")


@COMPARE
def drop(a, b):
    holder.array = None
    dead.append("callback")
    return a[0] - b[0]


def keeps(n):
    for i in range(n):
        holder.array = Noisy(2, 1)
        before = len(dead)
        qsort(holder.array, 1 if i < n - 1 else 2, 4, drop)
    return dead[-3:]


print(keeps(200))

# ---- Other threads run during the call and see the loop up to date ----
usleep = plain.usleep
usleep.argtypes = [ctypes.c_uint]
counter = 0
stop = False


def other():
    global counter
    while not stop:
        counter += 1
        time.sleep(0)


def waits(n):
    start = counter
    for i in range(n):
        usleep(50)
    return counter > start


t = threading.Thread(target=other)
t.start()
print(waits(300))
stop = True
t.join()

shared = iter(range(10**9))
taken = []


def taker():
    for _ in range(20):
        taken.append(next(shared))
        time.sleep(0.0005)


def shares(n):
    got = []
    for x in shared:
        got.append(x)
        usleep(100)
        if len(got) == n:
            return got


t = threading.Thread(target=taker)
t.start()
got = shares(150)
t.join()
print(len(got + taken) == len(set(got + taken)), sorted(got) == got)

# ---- Results and arguments of all kinds ----
strchr = plain.strchr
strchr.argtypes, strchr.restype = [c_char_p, c_int], c_char_p
memchr = plain.memchr
memchr.argtypes, memchr.restype = [c_void_p, c_int, c_size_t], c_void_p
strtoull = plain.strtoull
strtoull.argtypes, strtoull.restype = [c_char_p, c_void_p, c_int], c_ulonglong
toupper = plain.toupper
toupper.argtypes, toupper.restype = [c_int], c_char
isdigit = plain.isdigit
isdigit.argtypes, isdigit.restype = [c_int], c_bool
memset = plain.memset
memset.argtypes, memset.restype = [c_void_p, c_int, c_size_t], POINTER(c_ubyte)
strtod = plain.strtod
strtod.argtypes, strtod.restype = [c_char_p, c_void_p], c_double


def results(n):
    out = []
    buf = create_string_buffer(b"a-b", 8)
    found = none = 0
    for i in range(n):
        s = strchr(b"x-y", 45 if i % 50 else 33)
        if s is None:
            none += 1
        else:
            found += len(s)
        p = memchr(buf, 98, 8)
        if p is not None:
            found += p - ctypes.addressof(buf)
        if memchr(buf, 99, 8) is None:
            none += 1
        u = strtoull(b"18446744073709551615" if i % 40 == 0 else b"77", None, 10)
        c = toupper(97 + i % 26)
        d = isdigit(40 + i % 20)
        m = memset(buf, 97, 1)
        f = strtod(b"1.5", None)
        if i > n - 4:
            out.append((s, u, c, d, m[0], type(m).__name__, f))
    return found, none, out


print(results(300))


def errno_loop(n):
    bad = 0
    close = libc.close
    close.argtypes = [c_int]
    for i in range(n):
        set_errno(3)
        if close(-1) == -1:
            bad += get_errno() == 9
    return bad, get_errno()


print(errno_loop(300))

labs = libc.labs
labs.argtypes, labs.restype = [c_long], c_long


def huge(n):
    t = 0
    for i in range(n):
        t += labs(-(2**62) + i)
    return t


print(huge(200))


# A function pointer that native code fills in.
table = (c_void_p * 2)(cast(plain.abs, c_void_p).value, cast(plain.toupper, c_void_p).value)
memcpy = plain.memcpy
memcpy.argtypes, memcpy.restype = [c_void_p, c_void_p, c_size_t], None
F = CFUNCTYPE(c_int, c_int)
swapped = F(cast(plain.abs, c_void_p).value)


def swaps(n):
    t = 0
    for i in range(n):
        if i == n - 50:
            memcpy(byref(swapped), byref(table, 8), 8)
        t += swapped(97)
    return t


print(swaps(300))
