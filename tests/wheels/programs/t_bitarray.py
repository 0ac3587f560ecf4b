"""The main job of bitarray, with output that does not change."""
import pickle
from bitarray import bitarray, frozenbitarray, decodetree
from bitarray.util import ba2hex, huffman_code, ba2int, zeros
a = bitarray("110100111"); b = ~a; a.extend([1, 0])
print(a, b, a[2:7], a.count(), list(a.search(bitarray("11"))), a << 2, a & bitarray("1" * 11), ba2int(a), pickle.loads(pickle.dumps(a)) == a)
print(a.tobytes(), memoryview(a).nbytes, frozenbitarray("101") in {frozenbitarray("101"): 1}, ba2hex(bitarray("11110000")))
c = {"a": bitarray("0"), "b": bitarray("10"), "c": bitarray("11")}
e = bitarray(); e.encode(c, "abcab"); print(e, list(e.decode(c)))
a[::2] = 0; del a[:3]; a.sort(); print(a)
try:
    bitarray("12")
except ValueError as e:
    print(e)
try:
    a[99]
except IndexError as e:
    print(e)
