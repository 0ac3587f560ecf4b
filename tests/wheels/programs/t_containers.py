"""multidict, yarl, frozenlist, immutables, cytoolz, bitarray, marisa-trie, pyroaring, ahocorasick, wrapt, msgspec, cbor2, rapidfuzz, lupa."""
import ahocorasick
import bitarray
import cbor2
import cytoolz
import cytoolz.curried
import datetime
import frozenlist
import immutables
import Levenshtein
import lupa
import marisa_trie
import msgspec
import multidict
import pickle
import pyroaring
import rapidfuzz
import typing
import wrapt
import yarl

d = multidict.CIMultiDict([("A", 1), ("a", 2), ("b", 3)])
print(d.getall("a"), list(d.items()), d, multidict.MultiDictProxy(multidict.MultiDict(d)).keys())
u = yarl.URL("http://u:p@h:80/a b/c?x=1&x=2#f")
print(u, u.query.getall("x"), u / "d", u.with_query(y="\u00fc"), u.parent)
f = frozenlist.FrozenList([1, 2])
f.append(3)
f.freeze()
try:
    f.append(4)
except RuntimeError as e:
    print(e, hash(f) == hash((1, 2, 3)))
m = immutables.Map(a=1).update({"b": 2})
with m.mutate() as mm:
    mm["c"] = 3
    n = mm.finish()
print(sorted(n.items()), m == immutables.Map(a=1, b=2), pickle.loads(pickle.dumps(n)) == n)
print(cytoolz.pipe(range(10), cytoolz.curried.filter(lambda x: x % 2), cytoolz.curried.map(lambda x: x * x), list), cytoolz.groupby(len, ["a", "bb", "c"]), list(cytoolz.sliding_window(2, [1, 2, 3])))
b = bitarray.bitarray("1011")
print(b & bitarray.bitarray("1001"), b.count(), b[1:3], b.tobytes(), memoryview(b).nbytes)
t = marisa_trie.Trie(["key", "keep", "other"])
print(t.keys("ke"), "key" in t, t.prefixes("keynote"))
r = pyroaring.BitMap([1, 5, 1000000])
print(r | pyroaring.BitMap([2]), r.rank(5), pickle.loads(pickle.dumps(r)) == r)
a = ahocorasick.Automaton()
for w in ("he", "she", "hers"):
    a.add_word(w, w)
a.make_automaton()
print(list(a.iter("ushers")))


@wrapt.decorator
def twice(wrapped, instance, args, kwargs):
    return wrapped(*args, **kwargs) * 2


class K:
    @twice
    def m(self, x):
        return x + 1

    @twice
    @classmethod
    def c(cls):
        return [cls.__name__]


print(K().m(3), K.c(), K.m.__name__)
p = wrapt.ObjectProxy([1, 2])
p += [3]
print(p, isinstance(p, list), p[::-1], len(p), p + [4], wrapt.CallableObjectProxy(len)("abc"))


class Point(msgspec.Struct, order=True, frozen=True, tag=True):
    x: int
    y: float = 0.0
    t: typing.Optional[datetime.date] = None


for m in (msgspec.json, msgspec.msgpack):
    raw = m.encode([Point(1), Point(2, 2.5, datetime.date(2020, 1, 2))])
    print(raw, m.decode(raw, type=list[Point]))
try:
    msgspec.json.decode(b'[{"type": "Point", "x": "a"}]', type=list[Point])
except msgspec.ValidationError as e:
    print(e)
print(Point(1) < Point(2), hash(Point(1)) == hash(Point(1)), msgspec.structs.replace(Point(1), y=3.0), msgspec.json.schema(Point))
try:
    Point(1).x = 3
except AttributeError as e:
    print(e)
v = {"a": [1, -1, 2**70, 1.5, None], "t": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), "b": b"x"}
print(cbor2.dumps(v).hex(), cbor2.loads(cbor2.dumps(v)) == v)
print(rapidfuzz.fuzz.ratio("this is a test", "this is a test!"), rapidfuzz.process.extractOne("cow", ["dog", "cowboy", "crow"]), Levenshtein.distance("kitten", "sitting"), Levenshtein.editops("ab", "bc"))
lua = lupa.LuaRuntime()
print(lua.eval("function(f, n) local s = 0 for i = 1, n do s = s + f(i) end return s end")(lambda x: x * x, 10), dict(lua.table(a=1)))
try:
    lua.execute("error('from lua')")
except lupa.LuaError as e:
    print(str(e).splitlines()[0])
