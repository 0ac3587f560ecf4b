"""regex: named sets, fuzzy matches, possessive and recursive patterns, a substitution that calls back."""
import regex

print(regex.findall(r"\L<words>", "red green blue", words=["red", "blue"]))
m = regex.search(r"(?:kitten){e<=3}", "a sitting cat")
print(m.span(), m.fuzzy_counts)
print(regex.match(r"(?<p>\((?:[^()]++|(?&p))*\))", "(a(b)c)d").group("p"))
print(regex.sub(r"(\w+) (\w+)", lambda m: m.expandf("{2} {1}"), "hello world, good day"))
print(regex.split(r"(?V1)(?=[A-Z])", "aBcDe"), regex.match(r"(\w)+", "abc").captures(1))
try:
    regex.compile(r"(a")
except regex.error as e:
    print(type(e).__name__, e)
