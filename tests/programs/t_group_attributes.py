# Attributes of exception groups: only `message` and `exceptions` are the group's own; others are an instance's.
class Errors(ExceptionGroup):
    def __init__(self, *args):
        self.msg = "of the class"
        self.excs = 3
    def derive(self, excs):
        return Errors(self.message, excs)

e = Errors("text", [ValueError(1), KeyError(2)])
print(e.message, e.msg, e.excs, e.exceptions, e, sorted(vars(e)))
a, b = e.split(ValueError)
print(repr(a), repr(b), a.msg)
for name in ("message", "exceptions"):
    try:
        setattr(e, name, 1)
    except AttributeError as x:
        print(x)
for t in (set, frozenset, Errors):
    try:
        type("X", (t,), {"__slots__": ("__weakref__",)})
    except TypeError as x:
        print(x)
