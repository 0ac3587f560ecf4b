"""Slots that fail without saying why, that leave an exception, or that answer nonsense; wrong specifications: the same errors as python3.11."""
import c_slots

s, odd, seq = c_slots.Silent(), c_slots.Odd(), c_slots.Sequence()


class Holder:
    descriptor = s


class Sub(c_slots.Silent):
    pass


async def awaiting(x):
    return await x


async def looping(x):
    async for _ in x:
        pass

CASES = """
s + 1; 1 + s; s ** 2; pow(s, 2, 3); -s; bool(s); not s; int(s); float(s); range(3)[s]; len(s); s[0]; s["k"]; s[1:2]; 1 in s; hash(s)
{s: 1}; s(); s(1, k=2); iter(s); list(s); repr(s); str(s); f"{s}"; print(s); s == 1; s != s; s < 1; s.method(1); s.left(); s.prop; memoryview(s)
Holder.descriptor; Holder().descriptor; awaiting(s).send(None); looping(s).send(None); Sub() + 1; Sub()[1]; -Sub(); len(Sub()); Sub().prop
Sub().method(2); getattr(s, "prop"); getattr(s, "prop", 7); hasattr(s, "prop"); sorted([s, s]); max(s, s); sum([s, s]); "%s" % s; "%d" % s
c_slots.Unmade(); c_slots.Uninit(); repr(odd); str(odd); int(odd); float(odd); [1][odd]; iter(odd); list(odd); print(odd)
seq[0]; len(seq); next(seq); list(seq); [*seq]; seq[-1]
c_slots.spec(0); c_slots.spec(1); c_slots.spec(2); c_slots.spec_on(bool); c_slots.spec_on(5); c_slots.spec_on((int, str)); c_slots.ready(int); c_slots.ready(bool)
"""


def attempt(text):
    for _ in range(3):
        try:
            exec(text, globals())
            result = "fine"
        except BaseException as e:
            # Who is said to have failed depends on who called the slot.
            what = type(e).__name__ if isinstance(e, SystemError) and e.__cause__ is None else f"{type(e).__name__}: {e}"
            result = f"{what} {e.__cause__!r}"
    print(text, "->", result)


def store():
    for what in ("s[0] = 1", "del s[0]", "s.prop = 1", "del s.prop", "s += 1"):
        attempt("global s; " + what if "+=" in what else what)


for case in CASES.replace("\n", ";").split(";"):
    if case.strip():
        attempt(case.strip())
store()
