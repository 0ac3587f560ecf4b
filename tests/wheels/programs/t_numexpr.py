"""The main job of numexpr, with output that does not change."""
import numexpr as ne, numpy as np
a, b = np.arange(10.0), np.arange(10, 20)
print(ne.evaluate("2*a + b**2 - sin(a)*0"), ne.evaluate("where(a > 3, a, -b)"), ne.evaluate("sum(a*b)"), ne.evaluate("(a > 2) & (b < 15)"))
try:
    ne.evaluate("a + nope")
except KeyError as e:
    print(e)
