"""The main job of h5py, with output that does not change."""
import os, tempfile
import h5py, numpy as np
n = os.path.join(tempfile.mkdtemp(), "x.h5")
with h5py.File(n, "w") as f:
    d = f.create_dataset("g/data", data=np.arange(100.0).reshape(10, 10), compression="gzip")
    d.attrs["unit"] = "m"; d.attrs["v"] = [1, 2]
    f["text"] = ["a", "bü"]
    f.create_dataset("rec", data=np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]))
    d[2:4, ::3] = -1
with h5py.File(n) as f:
    print(list(f), f["g/data"][2], f["g/data"].attrs["unit"], list(f["g/data"].attrs["v"]), f["text"].asstr()[:], f["rec"]["b"], f["g"])
    f.visititems(lambda k, v: print(k, v.shape if hasattr(v, "shape") else ""))
    try:
        f["nope"]
    except KeyError as e:
        print(e)
try:
    h5py.File("/nonexistent/x", "r")
except OSError as e:
    print(type(e).__name__)
