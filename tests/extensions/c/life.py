"""The ends of objects of C types: forgotten untracking and weak references, errors, resurrection, `__del__` of subclasses, cycles."""
import gc, sys, weakref, c_life
gc.collect(); gc.disable()
sys.unraisablehook = lambda a: print("unraisable", a.exc_type.__name__, a.exc_value, a.err_msg, a.object if a.object is None else type(a.object))
def p(*a): print(*a, flush=True)
def cyc(c, sub=False):
    x = c(); x.v = x
    return x
for c in (c_life.NoUntrack, c_life.Err, c_life.Call, c_life.Weak, c_life.NoWeak, c_life.Fin, c_life.FinErr, c_life.FinRes, c_life.NoClear):
    for sub in False, True:
        k = type("Sub" + c.__name__, (c,), {}) if sub else c
        p("==", k.__name__)
        for how in "plain", "cycle", "cycle with list", "del":
            if how == "del":
                if not sub: continue
                k = type("D" + c.__name__, (c,), {"__del__": lambda s: p("__del__", type(s).__name__)})
            p("-", how)
            # A class of the turn before.
            gc.collect()
            try:
                x = k(); p(x.twice(), x.finalized())
                if how == "cycle": x.v = x
                if how == "cycle with list": x.v = [x, {1: x}]
                w = None
                if c in (c_life.Weak, c_life.NoClear) or sub and c is not c_life.NoWeak:
                    w = weakref.ref(x, lambda r: p("callback"))
                if c is c_life.Weak: x.attr = 5; p(x.__dict__)
                del x
                n = gc.collect()
                p("collected", how == "plain" or n > 0, w and w() is None)
                y = c_life.take()
                if y is not None: p("took", type(y).__name__, y.finalized()); y.v = None; del y; gc.collect(), p("again", c_life.take() is None)
            except Exception as e: p(type(e).__name__, e)
            gc.collect(), p(len(gc.garbage))
t, o = c_life.fresh(c_life.Weak); p(t, gc.is_tracked(o)); del o
