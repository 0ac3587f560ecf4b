# Cycles through thread-local data, attributes that go with their threads, and what the collector says when asked.
import gc
import io
import sys
import threading
import weakref


class Node:
    pass


def through_local(kind):
    n = Node()
    n.local = kind()
    n.local.node = n
    w = weakref.ref(n)
    del n
    gc.collect()
    return w() is None


class Derived(threading.local):
    made = 0

    def __init__(self, start=5):
        Derived.made += 1
        self.count = start


print(through_local(threading.local), through_local(Derived))

d = Derived(7)
seen = []


def work():
    seen.append(d.count)
    d.count += 1
    d.kept = Node()
    seen.append((d.count, weakref.ref(d.kept)))


for _ in range(3):
    t = threading.Thread(target=work)
    t.start()
    t.join()
print([s if isinstance(s, int) else (s[0], s[1]() is None) for s in seen], d.count, Derived.made, hasattr(d, "kept"))

# The object goes first, then the thread.
step, ready = threading.Event(), threading.Event()
held = []


def outlive():
    l = threading.local()
    l.x = Node()
    held.append(weakref.ref(l.x))
    del l
    ready.set()
    step.wait()


t = threading.Thread(target=outlive)
t.start()
ready.wait()
print(held[0]() is None)
step.set()
t.join()

# Cyclic garbage is told of.
gc.collect()
out, sys.stderr = sys.stderr, io.StringIO()
gc.set_debug(gc.DEBUG_COLLECTABLE)
n = Node()
n.n = n
del n
gc.collect()
gc.set_debug(gc.DEBUG_STATS)
gc.collect(1)
gc.set_debug(0)
sys.stderr, text = out, sys.stderr.getvalue()
for line in text.splitlines():
    words = line.split()
    print(words[:3] if words[1] == "collectable" else [w for w in words if w.isalpha() or w == "gc:"])

# A `BytesIO` shares the bytes it was made from, until it is written to.
b = b"x" * 1000
f = io.BytesIO(b)
print(f.getvalue() is b, f.read() is b, f.read())
f.seek(0)
f.write(b"yy")
print(f.getvalue()[:4], b[:4], f.getvalue() is f.getvalue())
v = f.getbuffer()
v[0:1] = b"z"
print(f.getvalue()[:4], b[:4])
v.release()
f.truncate(3)
print(f.getvalue(), f.tell())
g = io.BytesIO(b)
g.truncate(2)
print(g.getvalue(), len(b))
g = io.BytesIO(bytearray(b))
print(g.read(3), sys.getsizeof(io.BytesIO(b)) > 1000)
