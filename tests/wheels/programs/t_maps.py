"""rasterio, geopandas, cartopy: rasters and tables with geometries made, read and projected."""

import numpy as np, rasterio, geopandas as gpd, shapely
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from rasterio import features

with MemoryFile() as mf:
    with mf.open(
        driver="GTiff", height=10, width=12, count=2, dtype="float32", crs="EPSG:4326", transform=from_origin(5, 50, 0.1, 0.1)
    ) as d:
        d.write(np.arange(120, dtype="f4").reshape(10, 12), 1)
        d.write(np.ones((10, 12), "f4"), 2)
        d.update_tags(a="b")
    with mf.open() as d:
        print(
            d.profile["dtype"],
            d.bounds,
            d.read(1)[2, 3],
            d.tags().get("a"),
            list(d.sample([(5.15, 49.95)])),
            d.index(5.5, 49.5),
            d.crs,
            d.window(5, 49.5, 5.5, 50),
        )
print(
    [(g["type"], v) for g, v in features.shapes(np.array([[1, 1], [2, 2]], dtype="uint8"))],
    features.rasterize([shapely.box(0, 0, 2, 2)], out_shape=(3, 3)),
)
for f in (
    lambda: rasterio.open("/nope.tif"),
    lambda: rasterio.crs.CRS.from_epsg(99999999),
    lambda: rasterio.crs.CRS.from_string("junk"),
):
    try:
        f()
    except Exception as e:
        print(type(e).__name__, str(e)[:100])
from rasterio.warp import transform, reproject

print([round(v[0]) for v in transform("EPSG:4326", "EPSG:3857", [5.0], [50.0])])
g = gpd.GeoDataFrame({"n": ["a", "b", "c"], "k": [1, 1, 2]}, geometry=[shapely.Point(i, i) for i in range(3)], crs="EPSG:4326")
print(
    g.to_crs(3857).geometry.x.round().tolist(),
    g.dissolve("k").geometry.tolist(),
    gpd.sjoin(g, gpd.GeoDataFrame(geometry=[shapely.box(0.5, 0.5, 3, 3)], crs="EPSG:4326"))[["n", "index_right"]].values.tolist(),
    g.buffer(1).area.round(3).tolist(),
)
print(g.to_json()[:200], g.total_bounds, g.cx[0:1, 0:1].n.tolist(), gpd.clip(g, shapely.box(0, 0, 1, 1)).n.tolist())
import cartopy.crs as cc

print(
    cc.PlateCarree(),
    np.round(cc.Mercator().transform_points(cc.PlateCarree(), np.array([5.0]), np.array([50.0]))),
    cc.Robinson().transform_point(5, 50, cc.Geodetic()),
)
print(cc.PlateCarree().project_geometry(shapely.LineString([(170, 0), (190, 10)]), cc.PlateCarree()))
import cartopy.geodesic as gg

print(np.round(np.asarray(gg.Geodesic().inverse((0, 0), (1, 1)))))
