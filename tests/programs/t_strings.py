# Text and bytes: methods, formatting, slices, encodings, errors.
s = "Hello, Wörld! ßtraße 日本語 🎉"
print(s, len(s), s.upper(), s.lower(), s.title(), s.swapcase(), s.casefold(), s[::-1], s[7:12], s[-1], repr(s), ascii(s))
print("a,b,,c".split(","), " x  y ".split(), "a-b-c".rsplit("-", 1), "l1\nl2\r\nl3".splitlines(), "a=b=c".partition("="), "abc".rpartition("x"))
print("abcabc".find("c"), "abcabc".rfind("c"), "abc".index("b"), "aaaa".count("aa"), "abc".replace("b", "XX"), "aaa".replace("a", "b", 2))
print("x".center(7, "*"), "x".ljust(4) + "|", "x".rjust(4), "42".zfill(6), "-42".zfill(6), "a\tb".expandtabs(4), "  t ".strip() + "|", "xxabxx".strip("x"))
print("abc".startswith(("x", "a")), "abc".endswith("bc"), "abc".isalpha(), "12".isdigit(), "a1".isalnum(), "Ab".istitle(), "²".isdigit(), "²".isdecimal(), "ⅷ".isnumeric())
print("%s %r %5d|%-5d|%05.1f|%x|%o|%e|%c|%%" % ("s", "r", 42, 42, 3.14159, 255, 8, 12345.678, "c"), "%(a)s" % {"a": 1})
print("{} {1} {0}".format(1, 2) if False else "{1} {0}".format(1, 2), "{a.real} {b[0]} {c!r:>6}".format(a=3, b=[4], c="x"), "{:>{w}}".format("r", w=5))
name, value = "n", 3.14159
print(f"{name!r:>5} {value:.2f} {value=:.3f} {'nested ' + f'{name}'} {{}} {len(name)}")
print("abc" < "abd", "a" * 3, "b" in "abc", "".join(["x", "y"]), "-".join("abc"), "abc".translate({97: "A", 98: None}), str.maketrans("ab", "xy"))
print("text".encode(), "tëxt".encode("latin-1"), "tëxt".encode("utf-16-le"), b"t\xc3\xabxt".decode(), "\ud800".encode("utf-8", "surrogatepass"))
for f in (lambda: "é".encode("ascii"), lambda: b"\xff".decode(), lambda: "abc".index("z"), lambda: "a"[5], lambda: "%d" % "x", lambda: "{}".format(),
          lambda: "%s %s" % (1,), lambda: "a".join([1]), lambda: "x".encode("nope"), lambda: chr(-1), lambda: ord("ab"), lambda: "{0[x]}".format([1]),
          lambda: format("x", "d"), lambda: "a" + b"b", lambda: b"a" + "b", lambda: bytes([256]), lambda: "abc".center()):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e)
b = bytes(range(65, 75))
print(b, b[2], b[2:5], b.hex(), bytes.fromhex("41 42"), b.find(b"C"), b.replace(b"A", b"__"), b.lower(), list(b[:3]), b"%d-%s" % (5, b"x"), b"a,b".split(b","))
ba = bytearray(b"hello")
ba[0] = 72
ba += b"!"
ba.extend([33, 34])
del ba[1:3]
print(ba, ba.pop(), ba.count(b"l"), bytes(ba), ba == b"Hlo!!")
m = memoryview(bytearray(b"abcdef"))
m[0] = 122
print(m[1:3].tobytes(), m.tolist(), len(m), m.format, m.nbytes, bytes(m[::2]), m[-1])
print("a\\b\n\x07\x7f\u200b".__repr__(), "'\"", '\'', "tab\there", r"raw\n", "con" "cat", """multi
line""")
print("ǅ".lower(), "ﬁ".upper(), "İ".lower().encode(), "ΑΣ".lower(), "a\u0301" == "á", "straße".casefold() == "STRASSE".casefold())
print(str(b"x"), str(b"x", "ascii"), str(123), repr("a'b"), repr('a"b'), repr("a'b\"c"), "abc".removeprefix("a"), "abc".removesuffix("c"), "A b".isidentifier(), "ab".isprintable())
