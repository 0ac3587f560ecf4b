"""The main job of immutables, with output that does not change."""
import immutables, pickle
m = immutables.Map(a=1, b=2)
with m.mutate() as mm:
    mm["c"] = 3; del mm["a"]
    n = mm.finish()
print(sorted(m.items()), sorted(n.items()), n == immutables.Map(b=2, c=3), hash(m) == hash(immutables.Map(b=2, a=1)), pickle.loads(pickle.dumps(m)) == m)
for i in range(1000): m = m.set(i, str(i))
for i in range(0, 1000, 2): m = m.delete(i)
print(len(m), m[7], m.get(8), type(immutables.Map).__name__, immutables._map.__name__)
try:
    m["zz"]
except KeyError as e:
    print(repr(e))
