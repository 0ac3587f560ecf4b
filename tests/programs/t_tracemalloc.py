# Tracing of allocations: sizes, tracebacks, limits, errors.
import tracemalloc
import _tracemalloc

for bad in (0, -1, 65536, "x"):
    try:
        tracemalloc.start(bad)
    except Exception as e:
        print(type(e).__name__, e)
print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory(), _tracemalloc._get_traces(), tracemalloc.get_object_traceback(object()))
tracemalloc.start(3)


def make(n):
    return bytes(n)


def outer(n):
    return make(n)


tracemalloc.clear_traces()
block = outer(100000)
tb = tracemalloc.get_object_traceback(block)
print([f.lineno for f in tb], tb.total_nframe, tracemalloc.get_traceback_limit())
now, peak = tracemalloc.get_traced_memory()
print(100033 <= now < 110000, peak >= now)
objects = [set(), object(), "x%d" % now, bytearray(100)]
print([tracemalloc.get_object_traceback(o) is not None for o in objects])
del block
print(tracemalloc.get_traced_memory()[0] < 90000, tracemalloc.get_traced_memory()[1] > 100000)
tracemalloc.reset_peak()
print(tracemalloc.get_traced_memory()[1] < 90000)
keep = [make(1000 + i) for i in range(50)]
snapshot = tracemalloc.take_snapshot()
top = [s for s in snapshot.statistics("lineno") if s.size > 50000]
print([(s.traceback[0].lineno, s.count) for s in top])
tracemalloc.stop()
print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory(), tracemalloc.get_object_traceback(keep[0]))
try:
    tracemalloc.take_snapshot()
except RuntimeError as e:
    print(e)
