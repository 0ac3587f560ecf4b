"""The main job of kiwisolver and contourpy, with output that does not change."""
import contourpy, kiwisolver as k
import numpy as np
x, y = k.Variable("x"), k.Variable("y")
s = k.Solver()
for c in (x + y == 10, (x >= 2) | "weak", x - 2 * y <= 1): s.addConstraint(c)
s.addEditVariable(y, "strong"); s.suggestValue(y, 4); s.updateVariables()
print(x.value(), y.value(), x + 2 * y - 1, repr(x))
try:
    s.addConstraint(x + y == 11)
except k.UnsatisfiableConstraint as e:
    print(type(e).__name__)
try:
    x * y
except TypeError as e:
    print(e)
z = np.add.outer(np.arange(5.0) ** 2, np.arange(4.0))
for name in ("serial", "mpl2014", "threaded"):
    print(len(contourpy.contour_generator(z=z, name=name).lines(5.5)) > 0)
