# Which base makes the objects of a class with several, and what setting and deleting `__new__` leaves.
import datetime
class E(datetime.tzinfo, int): pass
print(E.__base__, E(5) + 1, E("12"), E().bit_length())
try: E.__new__(E, 5)
except TypeError as e: print(e)
class F(datetime.tzinfo, str): pass
print(F("abc") + "d", F(b"x", "ascii"))
class A:
    def __init__(self, *a): self.a = a
A.__new__ = lambda c, *a: object.__new__(c)
print(A(1).a)
class B(A): pass
print(B(1).a)
del A.__new__
for c in A, B:
    try: print(c(1).a)
    except TypeError as e: print(e)
    print(c().a)
class C(A): pass
try: print(C(1).a)
except TypeError as e: print(e)
class I(int): pass
I.__new__ = lambda c, x: int.__new__(c, x * 2)
print(I(3)); del I.__new__; print(I(3))
class T(tuple): pass
class U(T):
    def __new__(c, *a): return super().__new__(c, a)
print(U(1, 2)); del U.__new__; print(U([1]))


# The error for a key that comes twice in a call.
def f(**k): return k
for call in (lambda: f(**{1: 3}, **{1: 5}), lambda: f(**{"a": 3}, **{"a": 5}), lambda: f(**{1: 3}), lambda: f(a=1, **{"a": 5}), lambda: f(**{"a": 1}, **3)):
    try: print(call())
    except TypeError as e: print(e)
