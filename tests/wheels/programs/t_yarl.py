"""The main job of yarl, multidict and frozenlist, with output that does not change."""
from frozenlist import FrozenList
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, istr
from yarl import URL
u = URL("http://user:pw@example.com:8080/a b/ü?x=1&x=2#f")
print(u, u.host, u.query, u.path, u.raw_path, u / "sub" / "x.y", u.with_query({"a": [1, 2]}), u.join(URL("../z")), hash(u) == hash(URL(str(u))))
m = CIMultiDict([("A", 1), ("a", 2), ("B", 3)])
m.add(istr("b"), 4)
print(m, m.getall("A"), m["b"], list(m.items()), sorted(m.keys()), CIMultiDictProxy(m), len(m), "a" in m)
m.extend(c=5); m.popone("a"); m.update({"A": 9})
print(m, m == CIMultiDict(m), MultiDict(a=1).copy(), m.keys() & {"A"})
f = FrozenList([1, 2]); f.append(3); f.freeze()
print(f, f.frozen, list(f), len(f))
for bad in (lambda: f.append(1), lambda: m["zz"], lambda: URL("http://[x"), lambda: URL.build(scheme="http", port="x")):
    try:
        bad()
    except Exception as e:
        print(type(e).__name__, e)
