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
sys.stderr.flush()
print("still there:", o is not None, c_wrong.fine(o) is o, sys.getrefcount(o))
