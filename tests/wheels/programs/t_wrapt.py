"""The main job of wrapt, with output that does not change."""
import wrapt
@wrapt.decorator
def log(wrapped, instance, args, kwargs):
    print(wrapped.__name__, type(instance).__name__, args, kwargs)
    return wrapped(*args, **kwargs)
class A:
    @log
    def m(self, x): return x + 1
    @log
    @classmethod
    def c(cls, x=2): return x
    @staticmethod
    @log
    def s(): return "s"
@log
def f(a, b=2): return a + b
print(A().m(1), A.c(x=3), A.s(), f(1), f.__name__)
p = wrapt.ObjectProxy([3, 1, 2])
p.append(9); p += [4]
print(len(p), p[0], sorted(p), isinstance(p, list), p == [3, 1, 2, 9, 4], hash(wrapt.ObjectProxy(5)) == hash(5), wrapt.ObjectProxy(5) + 2, bool(wrapt.ObjectProxy(0)))
try:
    wrapt.ObjectProxy(5).nope
except AttributeError as e:
    print(e)
