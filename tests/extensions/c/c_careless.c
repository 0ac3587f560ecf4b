/* What careless C code does: wrong flags, sizes that are too small, dicts that count no references, calls with the wrong arguments. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *nothing(PyObject *self, PyObject *o) { return NULL; }
static PyMethodDef odd[] = {
    {"none", nothing, 0},
    {"both", nothing, METH_O | METH_NOARGS},
    {"keywords", nothing, METH_KEYWORDS},
    {"keywords_o", nothing, METH_KEYWORDS | METH_O},
    {"fast_o", nothing, METH_FASTCALL | METH_O},
    {"method", nothing, METH_METHOD | METH_FASTCALL},
    {"classless", nothing, METH_METHOD | METH_FASTCALL | METH_KEYWORDS},
    {"class_static", nothing, METH_CLASS | METH_STATIC | METH_O},
    {"null", NULL, METH_O},
    {"null_none", NULL, METH_NOARGS},
};
static PyObject *function(PyObject *m, PyObject *n) { return PyCFunction_New(&odd[PyLong_AsLong(n)], NULL); }

typedef struct { PyObject_HEAD long value; } Small;
static PyTypeObject types[16];
static PyMethodDef tables[10][2];
/* A static type with one of the methods above. */
static PyObject *type_with(PyObject *m, PyObject *o) {
    long n = PyLong_AsLong(o);
    PyTypeObject *t = &types[n];
    tables[n][0] = odd[n];
    Py_SET_REFCNT(t, 1);
    t->tp_name = "c_careless.With";
    t->tp_basicsize = sizeof(Small);
    t->tp_flags = Py_TPFLAGS_DEFAULT;
    t->tp_new = PyType_GenericNew;
    t->tp_methods = tables[n];
    return PyType_Ready(t) < 0 ? NULL : Py_NewRef((PyObject *)t);
}
/* A static type whose instances would end before those of its base do. */
static PyTypeObject Tiny = {PyVarObject_HEAD_INIT(NULL, 0) "c_careless.Tiny", 1, .tp_flags = Py_TPFLAGS_DEFAULT};
static PyObject *without_bases(PyObject *m, PyObject *x) {
    PyType_Slot slots[] = {{0}};
    PyType_Spec spec = {"c_careless.Spec", 0, 0, Py_TPFLAGS_DEFAULT, slots};
    PyObject *bases = PyTuple_New(0), *t = PyType_FromSpecWithBases(&spec, bases);
    Py_DECREF(bases);
    return t;
}

/* Objects kept in a dict that counts no reference for them: they take themselves out when they die. */
static PyObject *cache;
typedef struct { PyObject_HEAD PyObject *key; } Kept;
static void kept_dealloc(PyObject *o) {
    Kept *k = (Kept *)o;
    int same = PyDict_GetItem(cache, k->key) == o && PyDict_GetItemWithError(cache, k->key) == o;
    if (same && Py_REFCNT(o) == 0) {
        Py_SET_REFCNT(o, 2); /* the dict lets go of one */
        if (PyDict_DelItem(cache, k->key) < 0) PyErr_WriteUnraisable(o);
        Py_SET_REFCNT(o, 0);
    } else
        printf("lost\n");
    Py_DECREF(k->key);
    Py_TYPE(o)->tp_free(o);
}
static PyTypeObject KeptType = {PyVarObject_HEAD_INIT(NULL, 0) "c_careless.Kept", sizeof(Kept), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_dealloc = kept_dealloc};
static PyObject *keep(PyObject *m, PyObject *key) {
    Kept *k = PyObject_New(Kept, &KeptType);
    k->key = Py_NewRef(key);
    PyDict_SetItem(cache, key, (PyObject *)k);
    Py_SET_REFCNT(k, Py_REFCNT(k) - 1);
    return (PyObject *)k;
}
static PyObject *kept(PyObject *m, PyObject *x) { return PyLong_FromSsize_t(PyDict_Size(cache)); }

static PyObject *compares_by_default(PyObject *m, PyObject *o) {
    return PyBool_FromLong(Py_TYPE(o)->tp_richcompare == Py_TYPE(&PyBaseObject_Type)->tp_richcompare);
}
/* How far the second buffer begins after the first. */
static PyObject *distance(PyObject *m, PyObject *args) {
    Py_buffer a, b;
    if (!PyArg_ParseTuple(args, "y*y*", &a, &b)) return NULL;
    PyObject *r = PyLong_FromSsize_t((char *)b.buf - (char *)a.buf);
    PyBuffer_Release(&a);
    PyBuffer_Release(&b);
    return r;
}

static int refuse(PyObject *o, Py_buffer *v, int flags) {
    v->obj = NULL;
    PyErr_SetString(PyExc_BufferError, "not now");
    return -1;
}
static char digits[] = "0123456789abcdef";
static int lie(PyObject *o, Py_buffer *v, int flags) {
    static Py_ssize_t many[80], steps[80];
    long kind = ((Small *)o)->value;
    memset(v, 0, sizeof *v);
    v->buf = digits, v->len = 16, v->itemsize = 1, v->ndim = 1, v->format = "B", v->obj = Py_NewRef(o);
    if (kind == 1) v->ndim = 65, v->shape = many, v->strides = steps;
    if (kind == 2) v->format = "zz";
    return 0;
}
static PyBufferProcs refusing = {refuse}, lying = {lie};
static PyTypeObject Refuses = {PyVarObject_HEAD_INIT(NULL, 0) "c_careless.Refuses", sizeof(Small), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = PyType_GenericNew, .tp_as_buffer = &refusing};
static int lies_init(PyObject *o, PyObject *args, PyObject *kw) { return PyArg_ParseTuple(args, "l", &((Small *)o)->value) ? 0 : -1; }
static PyTypeObject Lies = {PyVarObject_HEAD_INIT(NULL, 0) "c_careless.Lies", sizeof(Small), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = PyType_GenericNew, .tp_init = lies_init, .tp_as_buffer = &lying};

static PyObject *call(PyObject *m, PyObject *n) {
    PyObject *five = PyLong_FromLong(5), *o, *p;
    switch (PyLong_AsLong(n)) {
    case 0: PyModule_AddStringConstant(m, "bad", "\xff"); return NULL;
    case 1: o = PyBytes_FromString("ab"), Py_INCREF(o), _PyBytes_Resize(&o, 1); return PyErr_ExceptionMatches(PyExc_SystemError) && !o ? PyErr_Clear(), PyUnicode_FromString("refused") : NULL;
    case 2: o = PyTuple_New(2), Py_INCREF(o), _PyTuple_Resize(&o, 1); return PyErr_ExceptionMatches(PyExc_SystemError) && !o ? PyErr_Clear(), PyUnicode_FromString("refused") : NULL;
    case 3: PyUnicode_Fill(PyUnicode_New(2, 127), 0, 2, 0x1000); return NULL;
    case 4: return PyErr_SetImportError(NULL, five, five);
    case 5: PyErr_SetObject(five, five); return NULL;
    case 6: PyErr_SetString((PyObject *)&PyLong_Type, "text"); return NULL;
    case 7: return PyCMethod_New(&odd[0], NULL, NULL, NULL);
    case 8: return PyCMethod_New(&odd[6], NULL, NULL, NULL);
    case 9: return Py_BuildValue("ii", PyObject_RichCompareBool(NULL, NULL, Py_EQ), PyObject_RichCompareBool(NULL, NULL, Py_NE));
    case 10: o = PyUnicode_New(0, 0), p = PyUnicode_FromString("ab"); return PyLong_FromSsize_t(PyUnicode_CopyCharacters(o, 0, p, 2, 5));
    }
    Py_RETURN_NONE;
}

/* Names that are equal to others, but not the same strings. */
static PyObject *by_name(PyObject *m, PyObject *args) {
    PyObject *o, *name, *fresh, *a, *b, *c;
    if (!PyArg_ParseTuple(args, "OU", &o, &name)) return NULL;
    fresh = PyUnicode_FromFormat("%U", name);
    a = PyObject_VectorcallMethod(fresh, &o, 1, NULL);
    b = PyObject_CallMethodNoArgs(o, fresh);
    c = PyObject_CallMethodObjArgs(o, fresh, NULL);
    Py_DECREF(fresh);
    return a && b && c ? Py_BuildValue("NNN", a, b, c) : NULL;
}

/* As SWIG's vectors do, without a look at what it answers. */
static PyObject *old_indices(PyObject *m, PyObject *args) {
    PyObject *slice;
    Py_ssize_t n, a = 100, b = 100, c = 100;
    if (!PyArg_ParseTuple(args, "On", &slice, &n)) return NULL;
    int r = PySlice_GetIndices(slice, n, &a, &b, &c), error = PyErr_Occurred() != NULL;
    PyErr_Clear();
    return Py_BuildValue("iinnn", r, error, a, b, c);
}

/* Calls a built-in function while another C function stands in for its own. */
static PyObject *stand_in(PyObject *self, PyObject *args) { return Py_BuildValue("sO", "instead", args); }
static PyObject *patched(PyObject *m, PyObject *args) {
    PyObject *f = PyTuple_GetItem(args, 0), *rest = PyTuple_GetSlice(args, 1, PyTuple_Size(args));
    if (!PyCFunction_Check(f) || PyCFunction_GET_FLAGS(f) != METH_VARARGS) return PyErr_Format(PyExc_TypeError, "%R takes no tuple", f);
    PyMethodDef *def = ((PyCFunctionObject *)f)->m_ml;
    PyCFunction own = def->ml_meth;
    PyObject *direct = own(PyCFunction_GET_SELF(f), rest), *made;
    if (!direct) return NULL;
    def->ml_meth = stand_in;
    made = PyObject_CallObject(f, rest);
    def->ml_meth = own;
    return Py_BuildValue("NN", direct, made);
}

/* Puts another C function in the place of one without arguments, and back again. */
static PyObject *still(PyObject *self, PyObject *none) { Py_RETURN_NONE; }
static PyCFunction aside = still;
static PyObject *exchange(PyObject *m, PyObject *f) {
    PyMethodDef *def = ((PyCFunctionObject *)f)->m_ml;
    PyCFunction now = def->ml_meth;
    def->ml_meth = aside;
    aside = now;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"function", function, METH_O}, {"type_with", type_with, METH_O}, {"without_bases", without_bases, METH_NOARGS}, {"keep", keep, METH_O}, {"kept", kept, METH_NOARGS},
                                  {"compares_by_default", compares_by_default, METH_O}, {"distance", distance, METH_VARARGS}, {"call", call, METH_O}, {"exchange", exchange, METH_O}, {"patched", patched, METH_VARARGS}, {"old_indices", old_indices, METH_VARARGS}, {"by_name", by_name, METH_VARARGS}, {"null", NULL, METH_O}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_careless", NULL, -1, functions};
PyMODINIT_FUNC PyInit_c_careless(void) {
    PyObject *m = PyModule_Create(&module);
    PyTypeObject *all[] = {&Tiny, &KeptType, &Refuses, &Lies};
    cache = PyDict_New();
    for (int i = 0; i < 4; i++)
        if (PyModule_AddType(m, all[i]) < 0) return NULL;
    return m;
}
/* Inside a package, errors name the last part. */
PyMODINIT_FUNC PyInit_silent(void) { return NULL; }
