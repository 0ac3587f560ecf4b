/* Trace and profile functions set from C, which see every frame, and getters that answer NULL without an error. */
#include <Python.h>
#include <frameobject.h>
static PyObject *seen;
static int note(PyObject *self, PyFrameObject *f, int what, PyObject *arg) {
    PyCodeObject *c = PyFrame_GetCode(f);
    PyObject *o = Py_BuildValue("iOi", what, c->co_name, PyFrame_GetLineNumber(f));
    Py_DECREF(c);
    if (!o) return -1;
    int r = PyList_Append(seen, o);
    Py_DECREF(o);
    return r;
}
static PyObject *watch(PyObject *m, PyObject *a) {
    PyObject *f;
    int profile = 0;
    if (!PyArg_ParseTuple(a, "O|p", &f, &profile)) return NULL;
    seen = PyList_New(0);
    (profile ? PyEval_SetProfile : PyEval_SetTrace)(note, NULL);
    PyObject *r = PyObject_CallNoArgs(f);
    (profile ? PyEval_SetProfile : PyEval_SetTrace)(NULL, NULL);
    Py_XDECREF(r);
    if (!r) { Py_CLEAR(seen); return NULL; }
    return seen;
}
/* Whether C called the frames from the caller's outwards; and where the caller's call stands. */
int _PyFrame_IsEntryFrame(PyFrameObject *);
static PyObject *entries(PyObject *m, PyObject *n) {
    PyObject *all = PyList_New(0);
    PyFrameObject *f = (PyFrameObject *)Py_XNewRef(PyEval_GetFrame());
    for (long i = PyLong_AsLong(n); i > 0 && f && all; i--) {
        PyObject *b = PyBool_FromLong(_PyFrame_IsEntryFrame(f));
        if (PyList_Append(all, b) < 0) Py_CLEAR(all);
        Py_DECREF(b);
        PyFrameObject *back = PyFrame_GetBack(f);
        Py_DECREF(f);
        f = back;
    }
    Py_XDECREF(f);
    return all;
}
static PyObject *place(PyObject *m, PyObject *none) {
    PyFrameObject *f = PyEval_GetFrame();
    PyCodeObject *c = PyFrame_GetCode(f);
    int a[4], b[4], r = PyCode_Addr2Location(c, PyFrame_GetLasti(f), a, a + 1, a + 2, a + 3);
    r += PyCode_Addr2Location(c, -1, b, b + 1, b + 2, b + 3);
    Py_DECREF(c);
    return Py_BuildValue("i(iiii)(iiii)", r, a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]);
}
/* Sets an attribute where a dictionary of the caller's stands in for the object's. */
static PyObject *set_in(PyObject *m, PyObject *a) {
    PyObject *o, *n, *v, *d;
    if (!PyArg_ParseTuple(a, "OOOO", &o, &n, &v, &d)) return NULL;
    if (_PyObject_GenericSetAttrWithDict(o, n, v == Py_None ? NULL : v, d == Py_None ? NULL : d) < 0) return NULL;
    Py_RETURN_NONE;
}
/* The hash of a string's or bytes' data by C code's own SipHash with the exported secret, as some JIT compilers do it. */
static uint64_t rot(uint64_t x, int b) { return x << b | x >> (64 - b); }
static void mix(uint64_t v[4], int n) {
    while (n--) {
        v[0] += v[1]; v[1] = rot(v[1], 13) ^ v[0]; v[0] = rot(v[0], 32);
        v[2] += v[3]; v[3] = rot(v[3], 16) ^ v[2];
        v[0] += v[3]; v[3] = rot(v[3], 21) ^ v[0];
        v[2] += v[1]; v[1] = rot(v[1], 17) ^ v[2]; v[2] = rot(v[2], 32);
    }
}
static PyObject *own_hash(PyObject *m, PyObject *text) {
    Py_ssize_t n;
    const char *p = PyUnicode_AsUTF8AndSize(text, &n);
    if (!p) return NULL;
    uint64_t k0 = _Py_HashSecret.siphash.k0, k1 = _Py_HashSecret.siphash.k1, last = (uint64_t)n << 56;
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        v[3] ^= w; mix(v, 1); v[0] ^= w;
    }
    for (int i = 0; i < n; i++) last |= (uint64_t)(unsigned char)p[i] << 8 * i;
    v[3] ^= last; mix(v, 1); v[0] ^= last;
    v[2] ^= 0xff; mix(v, 3);
    return PyLong_FromLongLong((int64_t)(v[0] ^ v[1] ^ v[2] ^ v[3]));
}
/* Callers that know an object to be a sequence pass no message. */
static PyObject *fast(PyObject *m, PyObject *o) { return PySequence_Fast(o, NULL); }
static PyObject *nothing(PyObject *o, void *c) { return NULL; }
static PyGetSetDef getset[] = {{"nothing", nothing}, {0}};
static PyType_Slot slots[] = {{Py_tp_getset, getset}, {0}};
static PyType_Spec spec = {"c_hooks.Silent", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, slots};
static PyMethodDef functions[] = {{"watch", watch, METH_VARARGS}, {"entries", entries, METH_O}, {"place", place, METH_NOARGS},
                                  {"set_in", set_in, METH_VARARGS}, {"own_hash", own_hash, METH_O}, {"fast", fast, METH_O}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_hooks", NULL, -1, functions};
PyMODINIT_FUNC PyInit_c_hooks(void) {
    PyObject *m = PyModule_Create(&module);
    if (m && PyModule_AddObject(m, "Silent", PyType_FromSpec(&spec)) < 0) Py_CLEAR(m);
    return m;
}
