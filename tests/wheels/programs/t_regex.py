"""The main job of regex, with output that does not change."""
import regex
print(regex.findall(r"\p{Lu}\w+", "Hello wörld Ünicode ABC"))
print(regex.sub(r"(?P<a>\w+) (?P<b>\w+)", lambda m: m["b"] + " " + m["a"], "one two three four"))
m = regex.search(r"(?:(\w+),?)+", "a,bb,ccc")
print(m.captures(1), m.spans(1), m.groupdict())
print(regex.fullmatch(r"(?:cats){e<=2}", "cuts").fuzzy_counts)
print(regex.split(r"(?V1)(?<=[a-z])(?=[A-Z])", "camelCaseWord"))
try:
    regex.compile("(")
except regex.error as e:
    print(type(e).__name__, e)
