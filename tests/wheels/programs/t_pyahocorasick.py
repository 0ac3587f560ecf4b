"""The main job of pyahocorasick, with output that does not change."""
import ahocorasick, pickle
a = ahocorasick.Automaton()
for i, w in enumerate("he her hers she ü".split()): a.add_word(w, (i, w))
a.make_automaton()
print(list(a.iter("ushersü")), "he" in a, sorted(a.keys()), a.get("her"), len(a), list(pickle.loads(pickle.dumps(a)).iter("he")))
try:
    a.get("zz")
except KeyError as e:
    print(type(e).__name__)
