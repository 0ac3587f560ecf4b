"""The main job of shapely, with output that does not change."""
import numpy as np
import shapely
from shapely import Point, Polygon, LineString, wkt
p = Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (2, 1), (2, 2)]])
print(p.area, p.contains(Point(3, 3)), p.intersection(LineString([(-1, 3), (9, 3)])), p.buffer(0.5, quad_segs=1).area, p.bounds)
print(shapely.area(np.array([p, None, Point(0, 0)])), shapely.points(np.arange(6).reshape(3, 2)), hash(Point(1, 2)) == hash(Point(1, 2)))
t = shapely.STRtree([Point(i, i) for i in range(10)])
print(t.query(shapely.box(2, 2, 4, 4)), wkt.loads("POINT (1 2)").xy, shapely.to_wkb(Point(1, 2), hex=True))
try:
    wkt.loads("POINT (")
except shapely.GEOSException as e:
    print(type(e).__name__)
try:
    Point(1, 2).x = 3
except AttributeError as e:
    print(type(e).__name__)
