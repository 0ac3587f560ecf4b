# Characters, slices, membership and keys of built-in values in hot loops, and what leaves them.
def chars(s):
    n = 0
    i = 0
    while i < len(s):
        c = s[i]
        if c == "a" or c in "xyz" or c in ("q", "\xe9", "\u20ac"):
            n += 1
        if c < "m":
            n += 2
        if s[-1 - i] >= c:
            n += 4
        i += 1
    return n


def slices(s, k):
    out = []
    for i in range(600):
        j = i % 7
        out = [s[j:], s[:j], s[j:-1], s[::k], s[-3:j:None], s[True:j]]
    return out


def octets(b):
    t = 0
    for i in range(len(b)):
        t = t * 31 + b[i] - b[-i] & 0xFFFFFF
    return t


def keys(n):
    d = {}
    hits = 0
    for i in range(n):
        k = (i % 10, -i % 7)
        if k in d:
            hits += d[k]
        else:
            d[k] = i
        hits += d.get((i, i), 3) + d.get(k, -1)
        if i % 13 in (1, 5, 9.0, None):
            hits += 1
    return hits, len(d)


class Odd:
    seen = 0

    def __init__(self, h):
        self.h = h

    def __hash__(self):
        return hash(self.h)

    def __eq__(self, other):
        Odd.seen += 1
        return other == self.h


def odd_keys(d, n):
    t = 0
    for i in range(n):
        k = i % 5
        if k in d:
            t += d[k]
        t += d.get((k, k), 1)
        if k in [7, Odd(3)]:
            t += 100
    return t


def missing(d, n):
    t = 0
    for i in range(n):
        try:
            t += d[i % 11]
        except KeyError as e:
            t += e.args[0]
    return t


def ends(s, n):
    r = []
    for i in range(n):
        try:
            r.append(s[i % 9])
        except IndexError as e:
            r.append(str(e))
    return len(r), sorted(set(map(str, r)))


def methods(words, n):
    t = 0
    for i in range(n):
        w = words[i % len(words)]
        if w.startswith("ab") or w.endswith(("z", "y")):
            t += 1
        t += w.find("b") + w.count("a") + len(w.strip().upper()) + len(w.replace("a", "bb"))
        try:
            t += w.index("b")
        except ValueError as e:
            t += len(str(e))
        t += len(w.split()) + len(w.split("a", 1)) + w.isalpha()
    return t


def refuse(s, n):
    for i in range(n):
        if i == n - 1:
            s = 7
        s[1:2]


for text in ["abcxyzq" * 90, "caf\xe9 " * 100, "\u20ac\U0001f600a" * 150]:
    print(chars(text))
for seq in ["hello world", b"hello world", [1, 2, 3, 4, 5, 6], (1, "2", None, 4.0, 5, 6, 7)]:
    for k in (2, -1, None):
        print(slices(seq, k))
try:
    slices("abc", 0)
except ValueError as e:
    print(e)
print(octets(bytes(range(256)) * 3), octets(b"x" * 500))
print(keys(1000))
print(odd_keys({0: 1, 1: 2, Odd(2): 30, (3, 3): 5}, 1000), Odd.seen)
print(missing({i: i for i in range(0, 11, 2)}, 800))
for s in ["abcdefgh", b"abcdefgh", "\u20acbcdefg"]:
    print(ends(s, 700))
print(methods(["abba", " xa y", "", "zzz", "b\xe9b", "a b c"], 900))
try:
    refuse("abc", 900)
except TypeError as e:
    print(e)
