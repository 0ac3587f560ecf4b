"""The main job of rpds-py, with output that does not change."""
from rpds import HashTrieMap, HashTrieSet, List
m = HashTrieMap({"a": 1})
n = m.insert("b", 2)
print(len(m), sorted(n.items()), n["b"], n.get("z"), m == HashTrieMap(a=1), "a" in n.remove("a"))
print(list(List([1, 2, 3]).push_front(0)), List([1]).first, sorted(HashTrieSet([3, 1]).union(HashTrieSet([2]))), repr(List([1, "x"])))
try:
    m["zz"]
except KeyError as e:
    print(repr(e))
try:
    HashTrieMap({}).insert([], 1)
except TypeError as e:
    print(e)
