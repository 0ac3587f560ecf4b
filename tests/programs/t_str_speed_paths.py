# The short cuts of str.join, replace and split, int.from_bytes, unhexlify and the reuse of dead containers' memory.
import binascii
import gc

for parts in ([], ["a"], ["a", "b"], ["ab"] * 3, [str(i) * i for i in range(20)], ["é", "x"], ["\u1234", "x", "y"], ["\U00012345", ""], ["", "", ""]):
    for sep in ("", ",", "--", "é", "\u1234", "a long separator of text"):
        print(ascii(sep.join(parts)), ascii(sep.join(tuple(parts))), sep.join(iter(parts)) == sep.join(parts))
for bad in ([1], ["a", None], ("a", b"b"), 5):
    try:
        print(",".join(bad))
    except TypeError as e:
        print(e)


class S(str):
    pass


print(type(",".join([S("x")])), type(",".join(["x"])), ",".join([S("x"), S("y")]))

for s in ("", "a", "aaa", "abcabc", "xayaz", "é" * 3, "aé", "a" * 70, "abab" * 20):
    for old in ("a", "ab", "é", "q", ""):
        for new in ("", "b", "é", "long", "a"):
            for n in (-1, 0, 1, 2):
                print(ascii(s.replace(old, new, n)), end=" ")
    print()
for s in ("", " ", "a b", "a b c ", " a", "a,b,,c", "é é", "\u1234,x", "abc" * 20 + "," + "z" * 40):
    for sep in (" ", ",", "é", "b,"):
        print([ascii(x) for x in s.split(sep)], s.split(sep, 1), s.split(sep, 0), s.rsplit(sep, 1))

for n in range(11):
    b = bytes((i * 37 + 129) & 255 for i in range(n))
    for order in ("little", "big"):
        print(int.from_bytes(b, order), int.from_bytes(b, order, signed=True))
print(int.from_bytes(b"\xff" * 8, "big"), int.from_bytes(b"\xff" * 8, "big", signed=True), int.from_bytes(b"\x80", "big", signed=True))

for h in ("", "00", "ffFF0a", "0g", "g0", "é0", "123"):
    try:
        print(binascii.unhexlify(h))
    except (ValueError, binascii.Error) as e:
        print(type(e).__name__, e)

keep = []
for i in range(3000):
    t = tuple(range(i % 14))
    d = {i: t, "k": i}
    l = [t, d]
    if i % 7 == 0:
        keep.append((l, slice(i), iter(l), d.items(), {i}))
    del t, d, l
gc.collect()
print(sum(len(k[0][0]) for k in keep), sum(k[0][1]["k"] for k in keep), len(keep), next(keep[3][2]))
keep.clear()
print([tuple(range(n)) for n in range(13)], [{j: j for j in range(n)} for n in range(8)])


class C:
    def m(self):
        return "class"

    def n(self):
        return "class n"


c = C()
c.m = lambda: "instance"
print(c.m(), c.n(), sorted([3, 1, 2], key=C.n and (lambda v: -v)))


def gen():
    got = yield 1
    print("got", got)
    try:
        yield 2
    finally:
        print("closed")


g = gen()
print(next(g), g.send("x"))
g.close()
print(list(map(lambda v: v + 1, range(3))), max([1, 5, 3], key=lambda v: -v))
try:
    sorted([1, 2], key=lambda v: v / 0)
except ZeroDivisionError as e:
    print(e, e.__traceback__.tb_next.tb_frame.f_code.co_name)
