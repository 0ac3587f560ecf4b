cimport cython
from libc.math cimport sqrt, sin


cdef struct Pair@:
    int a
    double b


cdef enum Colour@:
    RED@, GREEN@ = 5, BLUE@


cdef class Base@:
    """A class with C fields."""
    cdef public int count
    cdef readonly object name
    cdef double _value
    cdef Pair@ pair

    def __cinit__(self, int count=0, *args, **kwargs):
        self.count = count
        self.pair.a = count

    def __init__(self, count=0, name=None):
        self.name = name

    cpdef double value(self, double x=1.5) except? -1:
        return self._value + sqrt(x) * self.count

    @property
    def doubled(self):
        return self.count * 2

    @doubled.setter
    def doubled(self, int v):
        self.count = v // 2

    def __add__(self, other):
        return type(self)(self.count + other.count)

    def __richcmp__(self, Base@ other, int op):
        if op == 2:
            return self.count == other.count
        return NotImplemented

    def __dealloc__(self):
        self.count = -1


cdef class Derived@(Base@):
    cdef list items

    cpdef double value(self, double x=2.5) except? -1:
        cdef int i
        cdef double total = 0
        for i in range(<int>x):
            total += sin(i) + Base@.value(self, i)
        return total

    def add(self, *items, bint front=False, **extra):
        for item in items:
            if front:
                self.items.insert(0, item)
            else:
                self.items.append(item)
        return len(extra)


def generator@(n, start=0):
    cdef int i
    try:
        for i in range(start, n):
            got = yield i * 2
            if got is not None:
                yield got
    finally:
        print("finished")


async def coroutine@(x):
    async with x as y:
        async for z in y:
            await z
    return [a async for a in x]


@cython.boundscheck(False)
@cython.wraparound(False)
def total@(double[:, ::1] data, int axis=0):
    cdef Py_ssize_t i, j
    cdef double s = 0
    with nogil:
        for i in range(data.shape[0]):
            for j in range(data.shape[1]):
                s += data[i, j]
    return s


cdef inline int helper@(int a, int b) noexcept nogil:
    return a * b if a > b else a // (b or 1)


def closures@(x):
    def inner(y, *, z=3):
        nonlocal x
        x += y
        return lambda w: w + x + z
    return inner, {k: v for k, v in zip("abc", range(helper@(x, 3)))}, f"{x!r:>{10}} {x:.2f}"


def errors@(value):
    try:
        return int(value)
    except (ValueError, TypeError) as e:
        raise RuntimeError(f"bad {value}") from e
    else:
        print("no")
    finally:
        del value


def unpack@(seq, text):
    a, (b, *c), d = seq
    text = text.upper().strip() + u"\u00e9" + str(len(text))
    if text in ("A", "B") or 3 < a <= 10 and not d:
        return a, b, c, d
    with open(text) as f:
        return [line.split(",", 1)[0] for line in f if line]
