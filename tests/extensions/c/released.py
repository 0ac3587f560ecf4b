"""With LANCEHEAD_CAPI=debug: functions that release what is not theirs, called in every way."""
import sys

import c_wrong

o = object()
c_wrong.steals(o)
steals = c_wrong.steals


def call(f, x):
    for _ in range(2):
        f(x)


call(steals, o)
list(map(steals, [o, "text of its own"]))
c_wrong.steals_second(o, [1])
c_wrong.steals_second(*[o, o])
getattr(c_wrong, "steals")(c_wrong)
steals.__call__([])
kept = []


def letting_go(x):
    kept.append(x)
    kept.clear()


letting_go(o)
c_wrong.fine(o)
sys.stderr.flush()
print("still there:", o is not None, c_wrong.fine(o) is o, sys.getrefcount(o))
