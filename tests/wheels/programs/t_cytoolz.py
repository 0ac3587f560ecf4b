"""The main job of cytoolz, with output that does not change."""
import cytoolz, cytoolz.curried as cc, pickle
print(cytoolz.groupby(len, ["a", "bb", "c"]), list(cytoolz.partition_all(2, range(5))), cytoolz.merge_with(sum, {"a": 1}, {"a": 2, "b": 3}))
print(cytoolz.pipe([3, 1, 2], sorted, cc.map(lambda x: x * 2), list), list(cytoolz.sliding_window(2, [1, 2, 3])), cytoolz.get_in(["a", 0], {"a": [5]}), cytoolz.frequencies("abca"))
f = cytoolz.curry(lambda a, b, c=3: (a, b, c)); print(f(1)(2), f(c=9)(1, 2), cytoolz.compose(str, abs)(-3), list(cytoolz.join(0, [(1, "a")], 0, [(1, "b")])))
print(list(cytoolz.unique([1, 2, 1])), cytoolz.memoize(lambda x: x + 1)(3), list(cytoolz.accumulate(lambda a, b: a * b, [1, 2, 3])), cytoolz.assoc({}, "a", 1), list(cytoolz.interleave([[1, 2], [3]])))
try:
    cytoolz.nth(5, [1])
except Exception as e:
    print(type(e).__name__, e)
