"""The abstract object protocols called from C: what sequences and mappings are, and lists that C code is still filling."""
import collections
import ctypes
import itertools
from ctypes import c_char_p, c_int, c_ssize_t, py_object

api = ctypes.PyDLL(None)
KINDS = {"O": py_object, "n": c_ssize_t, "i": c_int, "s": c_char_p}
FUNCTIONS = """n PySequence_Size O|n PyMapping_Size O|i PySequence_Check O|i PyMapping_Check O|i PyNumber_Check O|O PySequence_Concat O O|O PySequence_Repeat O n
O PySequence_InPlaceConcat O O|O PySequence_InPlaceRepeat O n|O PySequence_GetItem O n|O PySequence_GetSlice O n n|i PySequence_SetItem O n O|i PySequence_DelItem O n
i PySequence_SetSlice O n n O|i PySequence_DelSlice O n n|n PySequence_Count O O|n PySequence_Index O O|i PySequence_Contains O O|i PyMapping_HasKeyString O s|O PyMapping_Keys O
O PyMapping_GetItemString O s|O PyNumber_Add O O|O PyNumber_InPlaceMultiply O O|O PyByteArray_Concat O O|O PyObject_GetItem O O|O PySequence_Fast O s|O PySequence_List O"""


class Index:
    def __index__(self):
        return 2

    def __repr__(self):
        return "Index"


class Sequence:
    def __len__(self):
        return 2

    def __getitem__(self, i):
        if i >= 2:
            raise IndexError("end")
        return i

    def __mul__(self, n):
        return ("times", n)

    def __iadd__(self, other):
        return ("plus", other)

    def __repr__(self):
        return "Sequence"


class Mapping(dict):
    def __missing__(self, key):
        return "missing"


def objects():
    return [0, 2.5, "abc", b"abc", bytearray(b"ab"), (1, 2), [3, 1], {"a": 1}, {1}, range(3), None, int, Index(), Sequence(), Mapping(a=1), collections.deque([1]), iter([1])]


OTHERS = {"O": [0, 2, "a", [1], (1,), Sequence()], "n": [0, 1, -1, 5], "s": [b"a", b"x"]}
for line in FUNCTIONS.replace("\n", "|").split("|"):
    result, name, *args = line.split()
    f = getattr(api, name)
    f.restype, f.argtypes = KINDS[result], [KINDS[a] for a in args]
    rest = [OTHERS[a][:3] if len(args) > 3 else OTHERS[a] for a in args[1:]]
    for k, before in enumerate(objects()):
        for combination in itertools.product(*rest):
            x = objects()[k]
            try:
                r = repr(f(x, *combination))
            except BaseException as e:
                r = f"{type(e).__name__}: {e}"
            text = "an iterator" if k == 16 else repr(x)
            print(name, repr(before) if k < 16 else "iterator", *combination, "->", r if " at 0x" not in r else "object", text)

# A list whose places are not all filled loses them, is emptied and dies.
P = ctypes.c_void_p
new, set_item, set_slice, release = api.PyList_New, api.PyList_SetItem, api.PyList_SetSlice, api.Py_DecRef
new.restype, new.argtypes, set_item.argtypes, set_slice.argtypes, release.argtypes = P, [c_ssize_t], [P, c_ssize_t, py_object], [P, c_ssize_t, c_ssize_t, P], [P]
ctypes.pythonapi.Py_IncRef.argtypes = [py_object]
for filled, start, end in [(2, 2, 5), (2, 0, 5), (0, 0, 5), (1, 3, 4), (5, 1, 3)]:
    p = new(5)
    for i in range(filled):
        value = f"item {i}"
        ctypes.pythonapi.Py_IncRef(value)
        set_item(p, i, value)
    print(filled, start, end, set_slice(p, start, end, None), ctypes.cast(p, py_object).value if filled == 5 or end == 5 else "")
    release(p)
