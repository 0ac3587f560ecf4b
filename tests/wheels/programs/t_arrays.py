"""shapely, h5py, numexpr, contourpy, kiwisolver: other people's use of numpy's C API."""
import os
import pickle
import tempfile

import contourpy
import h5py
import kiwisolver
import numexpr
import numpy as np
import shapely
import shapely.ops

a, b = shapely.Point(0, 0).buffer(2), shapely.box(0, 0, 3, 3)
print(round(a.intersection(b).area, 6), a.intersects(b), shapely.from_wkt("LINESTRING (0 0, 1 1)").length, b.wkt)
print(shapely.area(np.array([shapely.box(0, 0, i, i) for i in range(4)])), shapely.STRtree([a, b]).query(shapely.Point(2.5, 2.5)), pickle.loads(pickle.dumps(b)) == b)
try:
    shapely.from_wkt("POINT (")
except shapely.errors.ShapelyError as e:
    print(type(e).__name__)
path = os.path.join(tempfile.mkdtemp(), "x.h5")
with h5py.File(path, "w") as f:
    d = f.create_dataset("g/d", data=np.arange(24).reshape(4, 6), compression="gzip", chunks=(2, 3))
    d.attrs["unit"] = "m"
    f["s"] = ["a", "bc"]
    f.create_dataset("c", data=np.array([(1, 2.5)], dtype=[("i", "i4"), ("f", "f8")]))
with h5py.File(path) as f:
    print(f["g/d"][1:3, ::2].tolist(), dict(f["g/d"].attrs), list(f["s"].asstr()), f["c"][0], sorted(f))
    names = []
    f.visititems(lambda n, o: names.append((n, type(o).__name__)))
    print(names)
    try:
        f["nope"]
    except KeyError as e:
        print(e)
x, y = np.arange(1e5), np.ones(100000)
print(numexpr.evaluate("sum(2*x + sin(y)**2)"), numexpr.evaluate("where(x > 5, x, -y)")[:8])
z = np.hypot(*np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5)))
print([line.round(3).tolist() for line in contourpy.contour_generator(z=z).lines(0.7)])
s = kiwisolver.Solver()
u, v = kiwisolver.Variable("u"), kiwisolver.Variable("v")
s.addConstraint(u + v == 10)
s.addConstraint((u >= 2 * v) | "strong")
s.addConstraint((v >= 3) | "weak")
s.updateVariables()
print(round(u.value(), 6), round(v.value(), 6), (u + 2 * v - 3).constant())
try:
    s.addConstraint(u + v == 11)
except kiwisolver.UnsatisfiableConstraint as e:
    print(type(e).__name__)
