"""The main job of rapidfuzz, with output that does not change."""
from rapidfuzz import fuzz, process, distance, utils
print(fuzz.ratio("this is a test", "this is a test!"), fuzz.token_sort_ratio("b a", "a b"), fuzz.WRatio("abc", "xabcx"))
print(process.extract("new york", ["New York Jets", "new york", "yorkshire"], scorer=fuzz.WRatio, processor=utils.default_process, limit=2))
print(process.extractOne("a", {"k": "abc", "l": "a"}), distance.Levenshtein.distance("kitten", "sitting"), distance.Levenshtein.editops("ab", "ba"), distance.JaroWinkler.similarity("martha", "marhta"))
print(process.cdist(["a", "ab"], ["ab", "b"]).tolist(), distance.Levenshtein.distance([1, 2, "x"], [1, "x"]))
try:
    fuzz.ratio(1, 2)
except TypeError as e:
    print(type(e).__name__)
