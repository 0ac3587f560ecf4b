# Sets searched for in long texts, where the engine looks up a table of bytes; pickles of many small values.
import pickle
import re

base = b"0123456789ABCDEF" * 200
for n in (0, 10, 63, 64, 65, 1500, 3199):
    t = base[:n] + b"z" + base[n:]
    for text in (t, t.decode(), t.decode() + "\u1234", t.decode() + "é"):
        a, b = (r"[^0-9A-F]", r"[0-9A-F]+")
        if isinstance(text, bytes):
            a, b = a.encode(), b.encode()
        m = re.search(a, text)
        print(n, m.span(), re.match(b, text[1:]).span(), [x.span() for x in re.finditer(b, text)])
print(re.search(b"[^0-9A-F]", base), re.search("[^0-9A-Fé]", base.decode()), re.search("[é]", base.decode() + "é").span())
print(re.fullmatch(r"[\w ]*", "word é " * 300).end(), re.match(r"[^\W\d]*", "abcé" * 600 + "1").end(), re.sub(r"[\s,]+", " ", "a ,  b" * 500)[:20])
for proto in range(6):
    v = [list(range(-3, 300, 7)), [0.5, -1.0, None, True, False], ["x", b"y", "é" * 70000], {i: (i, str(i)) for i in range(300)}, 1 << 40, -(1 << 200)]
    s = pickle.dumps(v, proto)
    print(proto, len(s), pickle.loads(s) == v)
    print(pickle.dumps([1, 300, 70000, -1, 2.5, None, True, "a", (1, 2), [3]], proto))
