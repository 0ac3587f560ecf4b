# Deep chains of objects are freed, and deep recursion ends in RecursionError, without harm to the native stack.
import itertools
import sys

f = lambda: None
for i in range(300000):
    f = f.__call__
f = None


class Node:
    def __init__(self, next):
        self.next = next


n = None
for i in range(300000):
    n = Node(n)
n = None
it = iter([1])
for i in range(100000):
    it = itertools.chain(it)
it = None
t = ()
for i in range(300000):
    t = (t,)
t = None


class Deep:
    def __getattr__(self, name):
        return getattr(self, name + "x")

    def __repr__(self):
        return repr(self)

    def __lt__(self, other):
        return sorted([self, other])

    def __hash__(self):
        return hash((self,))

    def __eq__(self, other):
        return [self] == [Deep()]


def fails(f):
    try:
        f()
    except RecursionError as e:
        print("RecursionError")
    else:
        print("no error")


d = Deep()
fails(lambda: d.a)
fails(lambda: repr(d))
fails(lambda: sorted([d, Deep()]))
fails(lambda: hash(d))
fails(lambda: d == 1)
nested = []
for i in range(100000):
    nested = [nested]
fails(lambda: repr(nested))
fails(lambda: nested == [nested])
import pickle, copy, json
fails(lambda: pickle.dumps(nested))
fails(lambda: copy.deepcopy(nested))
fails(lambda: json.dumps(nested))


def g():
    try:
        return g()
    except ValueError:
        return -1


fails(g)
try:
    raise ValueError
except ValueError as e:
    top = e
    for i in range(5):
        try:
            raise KeyError(i)
        except KeyError as k:
            k.__context__ = e
            e = k
    top.__context__ = e
    try:
        raise OSError
    except OSError as o:
        print(type(o.__context__))
