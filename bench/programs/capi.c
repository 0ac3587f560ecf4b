/* An extension module for bench/capi.py: callables of every METH_ kind, a type with slots, and loops that use the API heavily. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

static PyObject *none(void) { Py_RETURN_NONE; }
static PyObject *m_noargs(PyObject *s, PyObject *a) { return none(); }
static PyObject *m_o(PyObject *s, PyObject *a) { return none(); }
static PyObject *m_varargs(PyObject *s, PyObject *args)
{
    PyObject *a, *b;
    return PyArg_ParseTuple(args, "OO:varargs", &a, &b) ? none() : NULL;
}
static PyObject *m_keywords(PyObject *s, PyObject *args, PyObject *kw)
{
    static char *names[] = {"a", "b", NULL};
    int a, b = 0;
    return PyArg_ParseTupleAndKeywords(args, kw, "i|i:keywords", names, &a, &b) ? none() : NULL;
}
static PyObject *m_fast(PyObject *s, PyObject *const *args, Py_ssize_t n) { return none(); }
static PyObject *m_fast_keywords(PyObject *s, PyObject *const *args, Py_ssize_t n, PyObject *names) { return none(); }
static PyObject *m_method(PyObject *s, PyTypeObject *c, PyObject *const *args, Py_ssize_t n, PyObject *names) { return none(); }

#define FUNCTIONS \
    {"noargs", m_noargs, METH_NOARGS}, {"o", m_o, METH_O}, {"varargs", m_varargs, METH_VARARGS}, \
    {"keywords", (PyCFunction)(void (*)(void))m_keywords, METH_VARARGS | METH_KEYWORDS}, \
    {"fast", (PyCFunction)(void (*)(void))m_fast, METH_FASTCALL}, \
    {"fast_keywords", (PyCFunction)(void (*)(void))m_fast_keywords, METH_FASTCALL | METH_KEYWORDS}

/* ---- A type ---- */

typedef struct {
    PyObject_HEAD
    long v;
    PyObject *o;
} Thing;

static PyObject *t_new(PyTypeObject *t, PyObject *args, PyObject *kw)
{
    long v = 0;
    if (!PyArg_ParseTuple(args, "|l:Thing", &v))
        return NULL;
    Thing *self = (Thing *)t->tp_alloc(t, 0);
    if (self) {
        self->v = v;
        self->o = Py_NewRef(Py_None);
    }
    return (PyObject *)self;
}
static void t_dealloc(PyObject *o)
{
    PyTypeObject *t = Py_TYPE(o);
    Py_XDECREF(((Thing *)o)->o);
    t->tp_free(o);
    Py_DECREF(t);
}
static PyObject *t_add(PyObject *a, PyObject *b) { return Py_NewRef(a); }
static int t_bool(PyObject *a) { return 1; }
static Py_ssize_t t_len(PyObject *a) { return 3; }
static PyObject *t_item(PyObject *a, Py_ssize_t i) { return Py_NewRef(Py_None); }
static PyObject *t_subscript(PyObject *a, PyObject *k) { return Py_NewRef(k); }
static int t_ass_subscript(PyObject *a, PyObject *k, PyObject *v) { return 0; }
static int t_contains(PyObject *a, PyObject *k) { return 1; }
static Py_hash_t t_hash(PyObject *a) { return 5; }
static PyObject *t_compare(PyObject *a, PyObject *b, int op) { Py_RETURN_TRUE; }
static PyObject *t_call(PyObject *a, PyObject *args, PyObject *kw) { return none(); }
static PyObject *t_iter(PyObject *a) { return Py_NewRef(a); }
static PyObject *t_next(PyObject *a) { return Py_NewRef(Py_None); }
static PyObject *t_get(PyObject *a, void *c) { return Py_NewRef(Py_None); }
static int t_set(PyObject *a, PyObject *v, void *c) { return 0; }

static PyMethodDef t_methods[] = {FUNCTIONS,
    {"method", (PyCFunction)(void (*)(void))m_method, METH_METHOD | METH_FASTCALL | METH_KEYWORDS}, {0}};
static PyMemberDef t_members[] = {{"v", T_LONG, offsetof(Thing, v), 0}, {"obj", T_OBJECT_EX, offsetof(Thing, o), 0}, {0}};
static PyGetSetDef t_getset[] = {{"prop", t_get, t_set}, {0}};
static PyType_Slot t_slots[] = {
    {Py_tp_new, t_new}, {Py_tp_dealloc, t_dealloc}, {Py_nb_add, t_add}, {Py_nb_bool, t_bool}, {Py_mp_length, t_len},
    {Py_sq_length, t_len}, {Py_sq_item, t_item}, {Py_mp_subscript, t_subscript}, {Py_mp_ass_subscript, t_ass_subscript},
    {Py_sq_contains, t_contains}, {Py_tp_hash, t_hash}, {Py_tp_richcompare, t_compare}, {Py_tp_call, t_call},
    {Py_tp_iter, t_iter}, {Py_tp_iternext, t_next}, {Py_tp_methods, t_methods}, {Py_tp_members, t_members},
    {Py_tp_getset, t_getset}, {0}};
static PyType_Spec t_spec = {"capi_bench.Thing", sizeof(Thing), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, t_slots};

/* ---- Loops over the API: each takes n and does n steps ---- */

#define LOOP(name) \
    static PyObject *name(PyObject *s, PyObject *args) { \
        Py_ssize_t n; PyObject *x = NULL, *y = NULL; \
        if (!PyArg_ParseTuple(args, "n|OO", &n, &x, &y)) return NULL;
#define END Py_RETURN_NONE; }

LOOP(build_list)
    PyObject *l = PyList_New(0);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *v = PyLong_FromSsize_t(i);
        PyList_Append(l, v);
        Py_DECREF(v);
        if (PyList_GET_SIZE(l) == 1000)
            PyList_SetSlice(l, 0, 1000, NULL);
    }
    Py_DECREF(l);
END
LOOP(build_tuple)
    for (Py_ssize_t i = 0; i < n; i++)
        Py_DECREF(Py_BuildValue("(nOs)", i, Py_None, "text"));
END
LOOP(pack_tuple)
    for (Py_ssize_t i = 0; i < n; i++)
        Py_DECREF(PyTuple_Pack(3, Py_None, Py_True, Py_False));
END
LOOP(build_dict)
    PyObject *d = PyDict_New();
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *k = PyLong_FromSsize_t(i % 500);
        PyDict_SetItem(d, k, Py_None);
        if (!PyDict_GetItemWithError(d, k)) return NULL;
        Py_DECREF(k);
    }
    Py_DECREF(d);
END
LOOP(dict_strings)
    PyObject *d = PyDict_New();
    for (Py_ssize_t i = 0; i < n; i++) {
        PyDict_SetItemString(d, "alpha", Py_None);
        if (!PyDict_GetItemString(d, "alpha")) return NULL;
    }
    Py_DECREF(d);
END
LOOP(walk_dict)
    PyObject *d = PyDict_New(), *k, *v;
    for (int i = 0; i < 100; i++) { k = PyLong_FromLong(i); PyDict_SetItem(d, k, k); Py_DECREF(k); }
    for (Py_ssize_t i = 0; i < n;) { Py_ssize_t p = 0; while (PyDict_Next(d, &p, &k, &v)) i++; }
    Py_DECREF(d);
END
LOOP(build_string)
    for (Py_ssize_t i = 0; i < n; i++) Py_DECREF(PyUnicode_FromString("some text"));
END
LOOP(format_string)
    for (Py_ssize_t i = 0; i < n; i++) Py_DECREF(PyUnicode_FromFormat("%s: %d", "some text", (int)i));
END
LOOP(concat_string)
    PyObject *a = PyUnicode_FromString("some text");
    for (Py_ssize_t i = 0; i < n; i++) Py_DECREF(PyUnicode_Concat(a, a));
    Py_DECREF(a);
END
LOOP(utf8)
    PyObject *a = PyUnicode_FromString("some text"); Py_ssize_t size, sum = 0;
    for (Py_ssize_t i = 0; i < n; i++) { PyUnicode_AsUTF8AndSize(a, &size); sum += size; }
    Py_DECREF(a);
END
LOOP(build_bytes)
    for (Py_ssize_t i = 0; i < n; i++) Py_DECREF(PyBytes_FromStringAndSize("some text", 9));
END
LOOP(numbers)
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *a = PyFloat_FromDouble((double)i), *b = PyLong_FromLong(i + 1000), *c = PyNumber_Add(a, b);
        if (PyFloat_AsDouble(c) < 0 || PyLong_AsLong(b) < 0) return NULL;
        Py_DECREF(a); Py_DECREF(b); Py_DECREF(c);
    }
END
LOOP(get_attribute)
    for (Py_ssize_t i = 0; i < n; i++) { PyObject *v = PyObject_GetAttrString(x, "attribute"); if (!v) return NULL; Py_DECREF(v); }
END
LOOP(get_attribute_object)
    PyObject *name = PyUnicode_InternFromString("attribute");
    for (Py_ssize_t i = 0; i < n; i++) { PyObject *v = PyObject_GetAttr(x, name); if (!v) return NULL; Py_DECREF(v); }
    Py_DECREF(name);
END
LOOP(set_attribute)
    PyObject *name = PyUnicode_InternFromString("attribute");
    for (Py_ssize_t i = 0; i < n; i++) if (PyObject_SetAttr(x, name, Py_None)) return NULL;
    Py_DECREF(name);
END
LOOP(call_object)
    PyObject *given = PyTuple_Pack(1, Py_None);
    for (Py_ssize_t i = 0; i < n; i++) { PyObject *v = PyObject_Call(x, given, NULL); if (!v) return NULL; Py_DECREF(v); }
    Py_DECREF(given);
END
LOOP(call_one_argument)
    for (Py_ssize_t i = 0; i < n; i++) { PyObject *v = PyObject_CallOneArg(x, Py_None); if (!v) return NULL; Py_DECREF(v); }
END
LOOP(call_function)
    for (Py_ssize_t i = 0; i < n; i++) { PyObject *v = PyObject_CallFunction(x, "i", 5); if (!v) return NULL; Py_DECREF(v); }
END
LOOP(call_method)
    PyObject *name = PyUnicode_InternFromString("method");
    for (Py_ssize_t i = 0; i < n; i++) { PyObject *v = PyObject_CallMethodNoArgs(x, name); if (!v) return NULL; Py_DECREF(v); }
    Py_DECREF(name);
END
LOOP(iterate)
    for (Py_ssize_t i = 0; i < n;) {
        PyObject *it = PyObject_GetIter(x), *v;
        while ((v = PyIter_Next(it))) { Py_DECREF(v); i++; }
        Py_DECREF(it);
    }
END
LOOP(sequence_items)
    for (Py_ssize_t i = 0; i < n; i++) { PyObject *v = PySequence_GetItem(x, 1); if (!v) return NULL; Py_DECREF(v); }
END
LOOP(raise_and_clear)
    for (Py_ssize_t i = 0; i < n; i++) { PyErr_SetString(PyExc_ValueError, "no"); PyErr_Clear(); }
END
LOOP(gil)
    for (Py_ssize_t i = 0; i < n; i++) { Py_BEGIN_ALLOW_THREADS Py_END_ALLOW_THREADS }
END

#define ENTRY(name) {#name, name, METH_VARARGS}
static PyMethodDef functions[] = {FUNCTIONS,
    ENTRY(build_list), ENTRY(build_tuple), ENTRY(pack_tuple), ENTRY(build_dict), ENTRY(dict_strings), ENTRY(walk_dict),
    ENTRY(build_string), ENTRY(format_string), ENTRY(concat_string), ENTRY(utf8), ENTRY(build_bytes), ENTRY(numbers),
    ENTRY(get_attribute), ENTRY(get_attribute_object), ENTRY(set_attribute), ENTRY(call_object), ENTRY(call_one_argument),
    ENTRY(call_function), ENTRY(call_method), ENTRY(iterate), ENTRY(sequence_items), ENTRY(raise_and_clear), ENTRY(gil), {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "capi_bench", NULL, -1, functions};

PyMODINIT_FUNC PyInit_capi_bench(void)
{
    PyObject *m = PyModule_Create(&module), *t = PyType_FromSpec(&t_spec);
    if (!m || !t || PyModule_AddObject(m, "Thing", t))
        return NULL;
    return m;
}
