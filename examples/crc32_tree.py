"""CRC-32 of every file of a tree through libz's own crc32(), checked against the zlib module."""
import ctypes
import os
import sys
import time
import zlib

ROOT = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/doc"
CHUNK = 64

libz = ctypes.CDLL("libz.so.1")
crc32 = libz.crc32
crc32.argtypes = [ctypes.c_ulong, ctypes.c_char_p, ctypes.c_uint]
crc32.restype = ctypes.c_ulong


def files(root):
    for folder, dirs, names in os.walk(root):
        dirs.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def crc_of(chunks):
    crc = 0
    for chunk in chunks:
        crc = crc32(crc, chunk, CHUNK)
    return crc


def main():
    count = size = calls = 0
    total = 0
    spent = 0.0
    for path in files(ROOT):
        with open(path, "rb") as f:
            data = f.read()
        whole = len(data) // CHUNK * CHUNK
        chunks = [data[i:i + CHUNK] for i in range(0, whole, CHUNK)]
        start = time.perf_counter()
        crc = crc_of(chunks)
        spent += time.perf_counter() - start
        crc = crc32(crc, data[whole:], len(data) - whole)
        if crc != zlib.crc32(data):
            raise SystemExit("CRC of %s differs: %08x, %08x" % (path, crc, zlib.crc32(data)))
        count += 1
        size += len(data)
        calls += len(chunks)
        total = (total * 31 + crc) & 0xFFFFFFFF
        if size > 24_000_000:
            break
    print("crc32: %d files, %d bytes, all equal to zlib.crc32; digest %08x" % (count, size, total))
    print("@ crc32(64 bytes) %.1f" % (spent / max(calls, 1) * 1e9))


main()
