"""With LANCEHEAD_CAPI=debug: functions that release what is not theirs. Several calls of each, so that call sites get to know their callees."""
import sys

import c_wrong

o = object()
steals = c_wrong.steals
for _ in range(3):
    c_wrong.steals(o)
    steals(o)
getattr(c_wrong, "steals")(c_wrong)
c_wrong.steals_second(o, [1])
kept = [o]
kept.clear()
c_wrong.fine(o)


def local():
    x = object()
    for _ in range(3):
        steals(x)
    c_wrong.steals(object())
    c_wrong.releases_borrowed([x])
    items = [[1], x]
    c_wrong.releases_borrowed(items)
    c_wrong.takes_out(items)
    return x, items, sys.getrefcount(x)


made = local()
sys.stderr.flush()
print(len(made), made[0] is made[1][0], made[2])
print("still there:", o is not None, c_wrong.fine(o) is o, sys.getrefcount(o))

for _ in range(3):
    c_wrong.gives_argument(o)
    c_wrong.gives_item([o])
    print(c_wrong.gives_attribute(), c_wrong.gives_none(), flush=True)
for _ in range(24):
    c_wrong.releases_true()
for _ in range(3):
    try:
        print(c_wrong.gives_cached())
    except SystemError as e:
        print(str(e).split("/")[0], "...", str(e).split()[-3:])
for _ in range(2):
    b = c_wrong.Broken()
    repr(b)
    print(str(b).split(" at ")[0])
    b = c_wrong.Broken()
    b + b
for _ in range(10):
    b = c_wrong.Broken()
    b.set(None), b.set(5)
print("still there:", c_wrong.thing, sys.getrefcount(o))
