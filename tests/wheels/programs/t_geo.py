"""netCDF4, pyproj, fiona, shapely, PyTables, astropy: files written and read, coordinates and times turned into others."""
import os
import tempfile

import astropy.units as u
import fiona
import netCDF4
import numpy as np
import pyproj
import shapely.geometry
import tables
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.modeling import fitting, models
from astropy.table import Table
from astropy.time import Time


def attempt(f):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, str(e).splitlines()[0][:100])


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "a.nc")
    with netCDF4.Dataset(path, "w") as d:
        d.createDimension("x", 3)
        d.createDimension("t", None)
        v = d.createVariable("v", "f4", ("t", "x"), zlib=True, fill_value=-1)
        v.units = "m"
        v[0:2, :] = np.arange(6).reshape(2, 3)
        d.title = "sample"
        s = d.createVariable("s", str, ("x",))
        s[:] = np.array(["a", "bb", "ccc"], object)
    with netCDF4.Dataset(path) as d:
        print(d.variables["v"][:].tolist(), d["s"][:].tolist(), d.title, d["v"].ncattrs(), d.dimensions["t"].isunlimited())
        print(netCDF4.num2date([0, 1.5], "days since 2000-01-01").tolist())

    t = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3857")
    print([round(c, 3) for c in t.transform(50, 10)], pyproj.CRS("EPSG:4326").name)
    print([round(c, 3) for c in pyproj.Geod(ellps="WGS84").inv(0, 0, 10, 10)])
    attempt(lambda: pyproj.CRS("EPSG:999999"))
    print([np.round(c, 2).tolist() for c in t.transform(np.array([1.0, 2.0]), np.array([3.0, 4.0]))])

    path = os.path.join(folder, "a.geojson")
    schema = {"geometry": "Point", "properties": {"n": "int", "s": "str"}}
    with fiona.open(path, "w", driver="GeoJSON", schema=schema, crs="EPSG:4326") as f:
        f.writerecords({"geometry": {"type": "Point", "coordinates": (i, i + 1)}, "properties": {"n": i, "s": f"p{i}"}} for i in range(3))
    with fiona.open(path) as f:
        print(len(f), f.driver, f.bounds, [(shapely.geometry.shape(r.geometry).wkt, dict(r.properties)) for r in f])

    class Row(tables.IsDescription):
        name = tables.StringCol(8)
        n = tables.Int64Col()

    with tables.open_file(os.path.join(folder, "a.h5"), "w") as h:
        tb = h.create_table("/", "t", Row)
        for i in range(5):
            tb.row["name"], tb.row["n"] = f"r{i}", i * i
            tb.row.append()
        tb.flush()
        tb.cols.n.create_index()
        print([r["name"] for r in tb.where("n > 3")], tb.read_where("(n > 0) & (n < 10)")["n"].tolist())
        print(h.create_carray("/", "c", obj=np.eye(3), filters=tables.Filters(5, "blosc"))[1].tolist())
        h.create_vlarray("/", "v", tables.ObjectAtom()).append({"a": [1, 2]})
        print(h.root.v[0], [n._v_name for n in h.list_nodes("/")])
        attempt(lambda: h.get_node("/nothing"))

    path = os.path.join(folder, "a.fits")
    fits.HDUList([fits.PrimaryHDU(np.arange(4.0)), fits.BinTableHDU(Table({"a": [1, 2], "b": ["x", "yy"]}))]).writeto(path)
    with fits.open(path) as f:
        print(f[0].data.tolist(), Table(f[1].data)["b"].tolist(), f[1].header["NAXIS2"])

print((3 * u.km / (2 * u.min)).to(u.m / u.s), u.Quantity("4 kg m / s2").to(u.N))
attempt(lambda: (3 * u.km).to(u.s))
t = Time("2020-03-01T12:00:00", scale="utc")
print(t.jd, t.tai.iso, (t + 3 * u.day).isot)
c = SkyCoord(10.5 * u.deg, -3 * u.deg)
print(c.to_string("hmsdms"), c.galactic.l.deg.round(6), c.separation(SkyCoord(11 * u.deg, 0 * u.deg)).deg.round(6))
x = np.linspace(-3, 3, 30)
g = fitting.LevMarLSQFitter()(models.Gaussian1D(1, 0.2, 1.5), x, 3 * np.exp(-0.5 * (x - 0.5) ** 2))
print(g.parameters.round(4).tolist())
print(Table({"a": [3, 1, 2], "b": [1.5, 2.5, 3.5]}).group_by("a"))
