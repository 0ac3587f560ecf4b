"""blosc2, zarr with numcodecs, snappy, simdjson: arrays in chunks, codecs there and back, documents read lazily."""

import blosc2, numpy as np

a = np.arange(10000.0).reshape(100, 100)
b = blosc2.asarray(a, chunks=(50, 50), blocks=(10, 10))
print(b.shape, b.dtype, (b[:] == a).all(), b.info is not None)
print(blosc2.decompress(blosc2.compress(b"abc" * 1000, typesize=3))[:6])
c = blosc2.pack_array2(a)
print((blosc2.unpack_array2(c) == a).all())
e = (b + 1) * 2
print(e.compute()[3, 4], e[5:6, :2])
f = blosc2.lazyudf(lambda inputs, output, offset: output.__setitem__(slice(None), inputs[0] * 2), (b,), b.dtype)
print(f.compute()[9, 9])
print(b.sum(), b.mean(axis=0)[:3])
s = blosc2.SChunk(chunksize=1000)
print(s.append_data(b"x" * 1000), s.nchunks, s.decompress_chunk(0)[:3])

import zarr, numpy as np, numcodecs

g = zarr.group()
a = g.create_array("x", shape=(100, 100), chunks=(10, 10), dtype="f8")
a[:] = np.arange(10000).reshape(100, 100)
print(a[5, 5], a[::10, ::25].sum(), a.info_complete() is not None)
a.attrs["u"] = [1, 2]
print(dict(a.attrs), list(g.array_keys()))
for c in [
    numcodecs.Blosc("zstd"),
    numcodecs.Zlib(3),
    numcodecs.LZ4(),
    numcodecs.Zstd(2),
    numcodecs.Delta("i4"),
    numcodecs.VLenUTF8(),
    numcodecs.JSON(),
    numcodecs.Shuffle(4),
    numcodecs.FixedScaleOffset(0, 10, "f8", "i2"),
    numcodecs.CRC32(),
    numcodecs.Adler32(),
    numcodecs.JenkinsLookup3(),
]:
    d = (
        np.array(["a", "bcd"], dtype=object)
        if "VLen" in type(c).__name__ or "JSON" in type(c).__name__ or "Pickle" in type(c).__name__
        else np.arange(10, dtype="f8") if "Fixed" in type(c).__name__ else np.arange(100, dtype="i4")
    )
    e = c.encode(d)
    r = c.decode(e)
    r = np.asarray(r) if not isinstance(r, (bytes, bytearray)) else np.frombuffer(r, d.dtype)
    if r.dtype != d.dtype:
        r = np.frombuffer(r, d.dtype)
    print(c, (r == d).all())
try:
    numcodecs.Blosc().decode(b"123")
except Exception as e:
    print(type(e).__name__, e)
try:
    numcodecs.CRC32().decode(b"12345678")
except Exception as e:
    print(type(e).__name__, e)

import snappy

d = b"hello world " * 100
c = snappy.compress(d)
print(len(c) < 200, snappy.decompress(c) == d)
s = snappy.StreamCompressor()
x = s.compress(d) + s.flush() if hasattr(s, "flush") else s.compress(d)
print(snappy.StreamDecompressor().decompress(x) == d)
try:
    snappy.decompress(b"\xff\xff\xff\xff")
except Exception as e:
    print(type(e).__name__, e)

import simdjson

p = simdjson.Parser()
doc = p.parse(b'{"a":[1,2,3.5,null,true,"x"],"b":{"c":-1}}')
print(doc["a"].as_list(), doc.at_pointer("/b/c"), list(doc.keys()), doc.as_dict())
try:
    p.parse(b'{"a":')
except Exception as e:
    print(type(e).__name__, e)
del doc
try:
    p.parse(b'{"a":')
except Exception as e:
    print(type(e).__name__, e)
print(simdjson.loads('[1,2,{"a":1e300}]'), simdjson.dumps({"a": (1, 2)}))
a = p.parse(b"[[1,2],[3,4]]")
print([x.as_list() for x in a], len(a), a[1].as_list())
try:
    a[7]
except Exception as e:
    print(type(e).__name__, e)
print(memoryview(a.as_buffer(of_type="i")).nbytes)
