# cython: language_level=3
# distutils: language = c
"""Uses what Cython's generated code asks of a VM: classes, generators, closures, views, exceptions."""
cimport cython
from libc.math cimport sqrt
from libc.stdlib cimport malloc, free
from cpython.ref cimport Py_REFCNT

cdef enum Color:
    RED = 1
    GREEN = 2

cpdef enum Shape:
    SQUARE = 4
    CIRCLE = 7

cdef struct Pair:
    int a
    double b

ctypedef fused number:
    int
    double


cdef class Animal:
    """An animal with a name."""
    cdef public str name
    cdef readonly int legs
    cdef object __weakref__
    cdef dict __dict__
    log = []

    def __cinit__(self, name="?", *args, **kwargs):
        self.legs = 4
        self.name = name

    def __init__(self, name, legs=4):
        self.legs = legs

    def __dealloc__(self):
        Animal.log.append(b"gone")

    cpdef str speak(self):
        return "..."

    def twice(self):
        return self.speak() * 2

    @property
    def shout(self):
        return self.speak().upper()

    @shout.setter
    def shout(self, value):
        self.name = value.lower()

    @shout.deleter
    def shout(self):
        self.name = ""

    def __repr__(self):
        return f"{type(self).__name__}({self.name!r}, {self.legs})"

    def __richcmp__(self, other, int op):
        if not isinstance(other, Animal):
            return NotImplemented
        if op == 2:
            return self.name == (<Animal>other).name
        if op == 3:
            return self.name != (<Animal>other).name
        return NotImplemented

    def __hash__(self):
        return hash(self.name)

    def __len__(self):
        return self.legs

    def __getitem__(self, i):
        if i >= self.legs:
            raise IndexError(i)
        return f"leg {i}"

    def __contains__(self, x):
        return x in self.name

    def __add__(a, b):
        return f"{a}+{b}"

    def __call__(self, *args, key=None, **kw):
        return args, key, sorted(kw.items())

    @staticmethod
    def stat(x):
        return x + 1

    @classmethod
    def make(cls, n):
        return cls(n)


cdef class Dog(Animal):
    cdef object friend

    cpdef str speak(self):
        return "wuff"

    def set_friend(self, f):
        self.friend = f


@cython.freelist(4)
cdef class Counter:
    cdef int n
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        return self
    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n


@cython.final
cdef class Block:
    """Exports its memory as a two-dimensional buffer of doubles."""
    cdef double *data
    cdef Py_ssize_t shape[2]
    cdef Py_ssize_t strides[2]
    cdef int views

    def __cinit__(self, int rows, int columns):
        self.shape[0], self.shape[1] = rows, columns
        self.strides[0], self.strides[1] = columns * sizeof(double), sizeof(double)
        self.data = <double *>malloc(rows * columns * sizeof(double))
        for i in range(rows * columns):
            self.data[i] = i

    def __dealloc__(self):
        free(self.data)

    def __getbuffer__(self, Py_buffer *b, int flags):
        b.buf = self.data
        b.obj = self
        b.len = self.shape[0] * self.shape[1] * sizeof(double)
        b.itemsize = sizeof(double)
        b.readonly = 0
        b.ndim = 2
        b.format = "d"
        b.shape = self.shape
        b.strides = self.strides
        b.suboffsets = NULL
        b.internal = NULL
        self.views += 1

    def __releasebuffer__(self, Py_buffer *b):
        self.views -= 1

    @property
    def exported(self):
        return self.views


def total(double[:, :] m):
    cdef double s = 0
    cdef Py_ssize_t i, j
    for i in range(m.shape[0]):
        for j in range(m.shape[1]):
            s += m[i, j]
    return s


def scale(double[::1] v, double by):
    cdef Py_ssize_t i
    with nogil:
        for i in range(v.shape[0]):
            v[i] = v[i] * by


def transpose(double[:, :] m):
    cdef double[:, :] t = m.T
    cdef Py_ssize_t i
    rows = []
    for i in range(t.shape[0]):
        rows.append(list(t[i]))
    return rows, m[1:, ::2].shape[0], m[1:, ::2].shape[1], m.copy().size


def fused_double(number x):
    if number is int:
        return "int", x * 2
    else:
        return "double", x * 2


def squares(n):
    cdef int i
    for i in range(n):
        got = yield i * i
        if got is not None:
            yield f"got {got}"


def delegating(n):
    r = yield from inner(n)
    yield ("result", r)


def inner(n):
    try:
        for i in range(n):
            yield i
    except ValueError as e:
        yield f"caught {e}"
    finally:
        yield "finally"
    return "done"


def adder(n):
    total = 0
    def add(x, *, times=1):
        nonlocal total
        total += (n + x) * times
        return total
    return add


async def answer(awaitable):
    async with Manager() as m:
        value = await awaitable
        return [value + i async for i in counter(m)]


async def counter(n):
    for i in range(n):
        yield i


class Manager:
    async def __aenter__(self):
        return 3
    async def __aexit__(self, *exc):
        return False


class Plain:
    """A Python class in a Cython module."""
    attribute = 1

    def __init__(self, x: int = 3) -> None:
        self.x = x

    def method(self, y, *rest, z=4, **kw):
        """The method's text."""
        return super().__repr__()[:1], self.x, y, rest, z, kw


cdef int checked(int x) except -1:
    if x < 0:
        raise ValueError(f"negative: {x}")
    return x * 2


cdef double fast_root(double x) noexcept nogil:
    return sqrt(x)


def root(double x):
    return fast_root(x)


def deep(int n):
    if n == 0:
        return checked(-5)
    return deep(n - 1)


def pair(int a, double b):
    cdef Pair p
    p.a, p.b = a, b
    return p


def typed(int a, unsigned char b, long long c, float d, bytes e, str f, list g=None, bint h=False):
    return a, b, c, d, e, f, g, h


def containers(dict d, list l, tuple t, set s):
    out = []
    for k, v in d.items():
        out.append((k, v))
    l.append(len(t))
    s.add("new")
    a, b, *rest = l
    out.sort(key=lambda p: p[1])
    return out, l, t[::-1], sorted(s), [x for x in l if x], {k: v for k, v in out}, a, b, rest


def raising(kind):
    try:
        try:
            if kind == 1:
                {}["missing"]
            elif kind == 2:
                [][3]
            elif kind == 3:
                1 / (kind - 3)
            elif kind == 4:
                None.attribute
            elif kind == 5:
                globals()["undefined_name"]
            elif kind == 6:
                raise RuntimeError("first") from KeyError("cause")
        except ZeroDivisionError as e:
            raise TypeError("second") from e
    finally:
        raising.count += 1

raising.count = 0


def strings(str s, bytes b):
    cdef Py_UCS4 c
    n = 0
    for c in s:
        if c in "aeiouéü":
            n += 1
    return n, s + "ß", s[1:3], s.encode("utf-8"), b.decode("latin-1"), f"{n:>5}|{s!r:10}|{3.14159:.2f}", "%s-%d" % (s, n), b[0]


def integers(x, y):
    return x + y, x - y, x * y, x // y, x % y, x ** 2, x << 3, x >> 1, x & y, x | 1, x == 5, x < y, -x, abs(x)


def big(long long x):
    return x * 2


def globals_seen():
    return __name__, sorted(k for k in globals() if k.startswith("pa"))
