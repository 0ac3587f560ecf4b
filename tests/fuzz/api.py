#!/usr/bin/env python3.11
"""Calls functions of the C API with all kinds of objects, fitting or not, on python3.11 and on Lancehead, and compares results and errors.

    api.py LANCEHEAD [--calls N] [--only NAME,...]

The functions are called through `ctypes.pythonapi`, each at most N times, in a process of its own. Left out are functions that python3.11 itself
does not survive when the arguments are wrong.
"""
import argparse
import array
import collections
import ctypes
import decimal
import fractions
import itertools
import os
import random
import re
import subprocess
import sys

REFERENCE = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
O, I, N, S, D = ctypes.py_object, ctypes.c_int, ctypes.c_ssize_t, ctypes.c_char_p, ctypes.c_double
# (result, arguments): functions.
FUNCTIONS = {
    (O, (O,)): """PyObject_Repr PyObject_Str PyObject_ASCII PyObject_Bytes PyObject_Type PyNumber_Negative PyNumber_Positive PyNumber_Absolute
        PyNumber_Invert PyNumber_Index PyNumber_Long PyNumber_Float PySequence_List PySequence_Tuple PyMapping_Keys PyMapping_Values
        PyMapping_Items PyDict_Keys PyDict_Values PyDict_Items PyDict_Copy PyList_AsTuple PySet_New PyFrozenSet_New PySet_Pop
        PyBytes_FromObject PyByteArray_FromObject PyUnicode_FromObject PyUnicode_AsUTF8String PyUnicode_AsASCIIString
        PyUnicode_AsLatin1String PyUnicode_AsUTF16String PyUnicode_AsUTF32String PyUnicode_AsUnicodeEscapeString
        PyUnicode_AsRawUnicodeEscapeString PyFloat_FromString PyMemoryView_FromObject PyModule_GetNameObject PyModule_GetFilenameObject
        PyObject_CallNoArgs PyObject_GetAIter PyStaticMethod_New PyClassMethod_New PySeqIter_New PyCell_New PyCell_Get PyDictProxy_New
        PyUnicode_EncodeFSDefault PyImport_ReloadModule""",
    (O, (O, O)): """PyObject_GetAttr PyObject_GetItem PyNumber_Add PyNumber_Subtract PyNumber_Multiply PyNumber_MatrixMultiply
        PyNumber_FloorDivide PyNumber_TrueDivide PyNumber_Remainder PyNumber_Divmod PyNumber_Rshift PyNumber_And PyNumber_Xor PyNumber_Or
        PyNumber_InPlaceSubtract PyNumber_InPlaceMultiply PyNumber_InPlaceOr PyNumber_InPlaceAnd PySequence_Concat
        PySequence_InPlaceConcat PyObject_Format PyUnicode_Concat PyUnicode_Join PyUnicode_Partition PyUnicode_RPartition PyUnicode_Format
        PyObject_CallOneArg PyObject_GenericGetAttr PyByteArray_Concat PyCallIter_New PyWeakref_NewRef PyWeakref_NewProxy
        PyObject_CallObject Py_GenericAlias""",
    (I, (O,)): """PyObject_IsTrue PyObject_Not PyCallable_Check PyNumber_Check PySequence_Check PyMapping_Check PyIndex_Check PyIter_Check
        PyAIter_Check PyObject_CheckBuffer PyList_Sort PyList_Reverse PySet_Clear PyObject_AsFileDescriptor""",
    (I, (O, O)): """PyObject_HasAttr PyObject_DelItem PySequence_Contains PyMapping_HasKey PyDict_Update PyList_Append PySet_Add PySet_Contains
        PySet_Discard PyObject_IsInstance PyObject_IsSubclass PyUnicode_Compare PyUnicode_Contains PyErr_GivenExceptionMatches PyCell_Set""",
    (I, (O, O, O)): "PyObject_SetAttr PyObject_SetItem PyDict_SetItem",
    (O, (O, O, O)): "PySlice_New",
    (I, (O, O, I)): "PyDict_Merge",
    (N, (O,)): """PyObject_Size PySequence_Size PyMapping_Size PyList_Size PyTuple_Size PyDict_Size PySet_Size PyBytes_Size PyByteArray_Size
        PyUnicode_GetLength PyLong_AsSsize_t""",
    (N, (O, N)): "PyObject_LengthHint",
    (N, (O, O)): "PySequence_Count PySequence_Index",
    (O, (O, N)): "PySequence_GetItem",
    (I, (O, N)): "PySequence_DelItem",
    (O, (O, N, N)): "PySequence_GetSlice PyList_GetSlice PyTuple_GetSlice",
    (I, (O, N, N)): "PySequence_DelSlice",
    (I, (O, N, O)): "PySequence_SetItem PyList_Insert",
    (I, (O, N, N, O)): "PySequence_SetSlice PyList_SetSlice",
    (O, (O, I)): "PyNumber_ToBase PyUnicode_Splitlines",
    (O, (O, O, N)): "PyUnicode_Split PyUnicode_RSplit",
    (O, (O, O, O, N)): "PyUnicode_Replace",
    (N, (O, O, N, N, I)): "PyUnicode_Find PyUnicode_Tailmatch",
    (N, (O, O, N, N)): "PyUnicode_Count",
    (ctypes.c_long, (O,)): "PyLong_AsLong",
    (ctypes.c_longlong, (O,)): "PyLong_AsLongLong",
    (ctypes.c_ulong, (O,)): "PyLong_AsUnsignedLong PyLong_AsUnsignedLongMask",
    (ctypes.c_ulonglong, (O,)): "PyLong_AsUnsignedLongLong PyLong_AsUnsignedLongLongMask",
    (ctypes.c_size_t, (O,)): "PyLong_AsSize_t",
    (D, (O,)): "PyFloat_AsDouble PyLong_AsDouble PyComplex_RealAsDouble PyComplex_ImagAsDouble",
    (S, (O,)): "PyUnicode_AsUTF8 PyBytes_AsString PyModule_GetName",
    (O, (O, S)): "PyObject_GetAttrString PyMapping_GetItemString PySequence_Fast",
    (I, (O, S)): "PyObject_HasAttrString PyMapping_HasKeyString PyDict_DelItemString",
    (I, (O, S, O)): "PyObject_SetAttrString PyMapping_SetItemString PyDict_SetItemString",
    (O, (O, S, S)): "PyUnicode_AsEncodedString PyUnicode_FromEncodedObject PyCodec_Encode PyCodec_Decode",
    (O, (D,)): "PyLong_FromDouble PyFloat_FromDouble",
    (O, (I,)): "PyUnicode_FromOrdinal PyBool_FromLong",
    (O, (S,)): "PyUnicode_FromString PyImport_ImportModule PyUnicode_InternFromString PyBytes_FromString",
}
# Known differences: (function, an argument's repr).
KNOWN = {
    # `dict`'s functions on an OrderedDict keep its order in step here.
    *((f, "OrderedDict([('a', 1)])") for f in ("PyDict_Update", "PyDict_SetItem", "PyDict_Merge", "PyDict_SetItemString", "PyDict_DelItemString")),
    # Errors name characters that are no text as such.
    *((f, "'\\ud800'") for f in ("PyObject_GetAttr", "PyObject_SetAttr", "PyObject_GenericGetAttr")),
    # The address of a NaN is its hash.
    ("PySet_Add", "nan"),
}


class Plain:
    def __init__(self):
        self.a = 1

    def __repr__(self):
        return "Plain"


class Failing:
    for n in "repr str eq lt hash len bool iter next getitem setitem contains add radd int float index call".split():
        exec("def __%s__(self, *a): raise ValueError('%s')" % (n, n))


class Odd:
    """Special methods that answer with what they must not."""
    for n, v in {"len": -3, "bool": 7, "index": 1.5, "int": "x", "float": 3, "hash": "h", "iter": 4, "str": 5, "bytes": "b", "dir": 3, "contains": "yes",
                 "length_hint": -1, "format": 8, "fspath": 9, "instancecheck": "inst"}.items():
        exec("def __%s__(self, *a): return %r" % (n, v))

    def __repr__(self):
        return "Odd"


class Index:
    def __index__(self):
        return 2

    def __repr__(self):
        return "Index"


class Sequence:
    def __getitem__(self, i):
        if i > 3:
            raise IndexError("done")
        return i

    def __len__(self):
        return 4

    def __repr__(self):
        return "Sequence"


class SubInt(int):
    pass


class SubStr(str):
    pass


class SubDict(dict):
    pass


def generator():
    yield 1
    yield 2


OBJECTS = [
    lambda: None, lambda: True, lambda: 0, lambda: 5, lambda: -7, lambda: 40000, lambda: 2**63, lambda: 2**64 + 3, lambda: -2**70, lambda: 1.5,
    lambda: float("nan"), lambda: float("inf"), lambda: 2 + 3j, lambda: "", lambda: "a", lambda: "a,b,c", lambda: "\xe9\u20ac\U0001f600", lambda: "\ud800",
    lambda: b"", lambda: b"ab", lambda: bytearray(b"xyz"), lambda: [], lambda: [1, 2, 3], lambda: ["b", "a"], lambda: (), lambda: (1, "x"), lambda: {},
    lambda: {"a": 1, 2: "b"}, lambda: {1, 2}, lambda: frozenset("a"), lambda: range(3), lambda: memoryview(b"abc"), Plain, lambda: Plain, lambda: int,
    lambda: len, lambda: generator, generator, lambda: iter([1, 2]), lambda: slice(1, 2), lambda: ..., lambda: NotImplemented, lambda: ValueError("v"),
    lambda: ValueError, lambda: sys, Failing, Odd, Index, Sequence, lambda: SubInt(4), lambda: SubStr("t"), lambda: SubDict(a=1),
    lambda: array.array("i", [1, 2]), lambda: collections.deque([1]), lambda: decimal.Decimal("1.5"), lambda: fractions.Fraction(1, 2), lambda: type, object,
    lambda: collections.OrderedDict(a=1),
]
VALUES = {N: [0, 1, -1, 5, -100, 2**62], I: [0, 1, 2, 7, 16], S: [b"a", b"zz", b"utf-8", b"strict"], D: [0.0, 1.5, -1e300, float("inf"), float("nan")]}


def shown(o):
    try:
        r = repr(o)
    except Exception as e:
        r = type(o).__name__ + " " + type(e).__name__
    return re.sub(r"0x[0-9a-f]+|-?\d{15,}", "#", r)[:150]


def run(name, calls):
    """Prints each call's arguments and outcome."""
    sys.stdout.reconfigure(errors="backslashreplace")
    result, arguments = next(k for k, names in FUNCTIONS.items() if name in names.split())
    f = ctypes.pythonapi[name]
    f.restype, f.argtypes = result, arguments
    choices = [OBJECTS if a is O else VALUES[a] for a in arguments]
    numbers = [range(len(c)) for c in choices]
    every = list(itertools.islice(itertools.product(*numbers), 5000)) if len(arguments) < 3 else []
    rng = random.Random(name)
    if not every or len(every) > calls:
        every = [tuple(rng.randrange(len(c)) for c in choices) for _ in range(calls)]
    for which in every:
        values = [c[i]() if a is O else c[i] for a, c, i in zip(arguments, choices, which)]
        given = [shown(v) for v in values]
        try:
            outcome = "-> " + shown(f(*values))
        except BaseException as e:
            text = re.sub(r"0x[0-9a-f]+|[.][.]/[A-Z][a-z]+/.*?: |\d{15,}", "", str(e))
            outcome = "%s: %s" % (type(e).__name__, text[:150])
        if not any((name, g) in KNOWN for g in given):
            print(name, given, outcome)


def outcomes(python, name, calls):
    env = dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
    p = subprocess.run([python, os.path.abspath(__file__), "--run", name, "--calls", str(calls), "-"], capture_output=True, timeout=300, env=env)
    lines = p.stdout.decode(errors="replace").splitlines()
    return lines + ["exit status %d" % p.returncode]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lancehead")
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--only")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        return run(options.run, options.calls)
    calls = different = 0
    for name in " ".join(FUNCTIONS.values()).split():
        if options.only and name not in options.only.split(","):
            continue
        want, got = (outcomes(python, name, options.calls) for python in (REFERENCE, options.lancehead))
        calls += len(want) - 1
        wrong = [(a, b) for a, b in itertools.zip_longest(want, got) if a != b]
        different += len(wrong)
        for a, b in wrong[:5]:
            print("%s differs\n    python3.11: %s\n    lancehead:  %s" % (name, a, b))
    print("C API: %d calls, %d differ" % (calls, different))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
