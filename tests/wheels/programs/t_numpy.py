"""The main job of numpy, with output that does not change."""
import numpy as np
a = np.arange(12.0).reshape(3, 4)
print(a.sum(), a @ a.T, np.linalg.inv(np.eye(3) * 2), a[1:, ::2], a > 5, np.sin(a)[0], a.dtype, repr(a))
print(np.float64(3.5) * 2, np.int32(5) + np.int64(7), np.array(['a', 'bc']), np.array([1, None], dtype=object))
print(np.sort(np.array([3, 1, 2])), np.random.default_rng(0).random(3))
try:
    np.zeros(3) + np.zeros(4)
except ValueError as e:
    print(e)
with np.errstate(divide='raise'):
    try:
        np.array([1.0]) / 0
    except FloatingPointError as e:
        print(e)
import warnings
warnings.simplefilter('error')
try:
    np.array([1.0]) / 0
except RuntimeWarning as e:
    print(e)
rec = np.array([(1, 2.5, 'x')], dtype=[('a', 'i4'), ('b', 'f8'), ('c', 'U5')])
print(rec, rec['b'], rec.dtype)
print(np.datetime64('2020-01-01') + np.timedelta64(5, 'D'), np.frompyfunc(lambda x, y: x + y, 2, 1)(a, 1)[0])
print(np.vectorize(lambda x: x * 2)([1, 2, 3]), np.einsum('ij,ij->i', a, a), np.fft.fft([1, 2, 3, 4]))

class S(np.ndarray):

    def __array_finalize__(self, o):
        self.tag = getattr(o, 'tag', 'new')
s = np.arange(3).view(S)
s.tag = 't'
print((s + 1).tag, type(s[1:]))
import pickle
print(pickle.loads(pickle.dumps(a)).shape, memoryview(a).shape, bytes(a[:1])[:8])
b = np.ones(10 ** 6)
print((b * 2 + b).sum())
