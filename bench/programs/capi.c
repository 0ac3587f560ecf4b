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
    vectorcallfunc call;
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
static PyObject *t_inplace_add(PyObject *a, PyObject *b) { return Py_NewRef(a); }
static PyObject *t_index(PyObject *a) { return PyLong_FromLong(1); }
static PyObject *t_float(PyObject *a) { return PyFloat_FromDouble(1.5); }
static PyObject *t_negative(PyObject *a) { return Py_NewRef(a); }
static PyObject *t_str(PyObject *a) { return PyUnicode_FromString("a thing"); }
static PyObject *t_getattro(PyObject *a, PyObject *name) { return Py_NewRef(Py_None); }
static PyObject *t_descr_get(PyObject *a, PyObject *o, PyObject *t) { return Py_NewRef(Py_None); }
static PyObject *t_vectorcall(PyObject *a, PyObject *const *args, size_t n, PyObject *names) { return none(); }
static char t_bytes[8];
static int t_buffer(PyObject *a, Py_buffer *view, int flags) { return PyBuffer_FillInfo(view, a, t_bytes, 8, 1, flags); }
static PyObject *t_get(PyObject *a, void *c) { return Py_NewRef(Py_None); }
static int t_set(PyObject *a, PyObject *v, void *c) { return 0; }

static PyMethodDef t_methods[] = {FUNCTIONS,
    {"method", (PyCFunction)(void (*)(void))m_method, METH_METHOD | METH_FASTCALL | METH_KEYWORDS},
    {"__enter__", m_noargs, METH_NOARGS}, {"__exit__", (PyCFunction)(void (*)(void))m_fast, METH_FASTCALL},
    {"of_class", m_o, METH_O | METH_CLASS}, {"of_none", m_o, METH_O | METH_STATIC}, {0}};
static PyMemberDef t_members[] = {{"v", T_LONG, offsetof(Thing, v), 0}, {"obj", T_OBJECT_EX, offsetof(Thing, o), 0}, {0}};
static PyGetSetDef t_getset[] = {{"prop", t_get, t_set}, {0}};
static PyType_Slot t_slots[] = {
    {Py_nb_inplace_add, t_inplace_add}, {Py_nb_index, t_index}, {Py_nb_float, t_float}, {Py_nb_negative, t_negative}, {Py_tp_str, t_str},
    {Py_tp_repr, t_str}, {Py_bf_getbuffer, t_buffer},
    {Py_tp_new, t_new}, {Py_tp_dealloc, t_dealloc}, {Py_nb_add, t_add}, {Py_nb_bool, t_bool}, {Py_mp_length, t_len},
    {Py_sq_length, t_len}, {Py_sq_item, t_item}, {Py_mp_subscript, t_subscript}, {Py_mp_ass_subscript, t_ass_subscript},
    {Py_sq_contains, t_contains}, {Py_tp_hash, t_hash}, {Py_tp_richcompare, t_compare}, {Py_tp_call, t_call},
    {Py_tp_iter, t_iter}, {Py_tp_iternext, t_next}, {Py_tp_methods, t_methods}, {Py_tp_members, t_members},
    {Py_tp_getset, t_getset}, {0}};
static PyType_Spec t_spec = {"capi_bench.Thing", sizeof(Thing), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, t_slots};

/* A type whose instances are called by vectorcall, with attributes of its own; one whose instances are descriptors. */
static PyObject *c_new(PyTypeObject *t, PyObject *args, PyObject *kw)
{
    Thing *self = (Thing *)t->tp_alloc(t, 0);
    if (self) {
        self->o = NULL;
        self->call = t_vectorcall;
    }
    return (PyObject *)self;
}
static PyMemberDef c_members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(Thing, call), READONLY}, {0}};
static PyType_Slot c_slots[] = {
    {Py_tp_new, c_new}, {Py_tp_dealloc, t_dealloc}, {Py_tp_call, PyVectorcall_Call}, {Py_tp_getattro, t_getattro},
    {Py_tp_members, c_members}, {0}};
static PyType_Spec c_spec = {"capi_bench.Callable", sizeof(Thing), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL, c_slots};
static PyType_Slot d_slots[] = {{Py_tp_new, c_new}, {Py_tp_dealloc, t_dealloc}, {Py_tp_descr_get, t_descr_get}, {0}};
static PyType_Spec d_spec = {"capi_bench.Descriptor", sizeof(Thing), 0, Py_TPFLAGS_DEFAULT, d_slots};

/* ---- Loops over the API: each takes n and does n steps ---- */

#define COMMA ,
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
#define EACH(name, before, step, after) LOOP(name) before; for (Py_ssize_t i = 0; i < n; i++) { step; } after; END
EACH(call_vectorcall, PyObject *given[2] = {NULL COMMA Py_None},
    PyObject *v = PyObject_Vectorcall(x, given + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL); if (!v) return NULL; Py_DECREF(v), )
EACH(call_objects, , PyObject *v = PyObject_CallFunctionObjArgs(x, Py_None, NULL); if (!v) return NULL; Py_DECREF(v), )
EACH(call_method_name, , PyObject *v = PyObject_CallMethod(x, "method", NULL); if (!v) return NULL; Py_DECREF(v), )
EACH(call_builtin, PyObject *given[1] = {x}; PyObject *f = PyDict_GetItemString(PyEval_GetBuiltins(), "len"),
    PyObject *v = PyObject_Vectorcall(f, given, 1, NULL); if (!v) return NULL; Py_DECREF(v), )
EACH(call_class, , PyObject *v = PyObject_CallNoArgs((PyObject *)Py_TYPE(x)); if (!v) return NULL; Py_DECREF(v), )
EACH(fill_list, , PyObject *l = PyList_New(3); for (int k = 0; k < 3; k++) PyList_SetItem(l, k, Py_NewRef(Py_None)); Py_DECREF(l), )
EACH(fill_tuple, , PyObject *t = PyTuple_New(3); for (int k = 0; k < 3; k++) PyTuple_SET_ITEM(t, k, Py_NewRef(Py_None)); Py_DECREF(t), )
EACH(fill_set, PyObject *l = PySet_New(NULL), PySet_Add(l, Py_None); PySet_Contains(l, Py_None), Py_DECREF(l))
EACH(list_items, , if (!PyList_GetItem(x, 1) || PyList_Size(x) < 1) return NULL, )
EACH(fast_sequence, , PyObject *f = PySequence_Fast(x, "no"); if (PySequence_Fast_GET_SIZE(f) < 1) return NULL; Py_DECREF(f), )
EACH(get_item, PyObject *k = PyLong_FromLong(1), PyObject *v = PyObject_GetItem(x, k); if (!v) return NULL; Py_DECREF(v), Py_DECREF(k))
EACH(set_item, PyObject *k = PyLong_FromLong(1), if (PyObject_SetItem(x, k, k)) return NULL, Py_DECREF(k))
EACH(questions, , if (PyObject_Size(x) < 0 || PyObject_IsTrue(x) < 0 || PySequence_Check(x) < 0 || PyCallable_Check(x)) return NULL, )
EACH(parse_tuple, PyObject *a; PyObject *b; long c; PyObject *given = Py_BuildValue("(OOl)", Py_None, Py_None, 5L),
    if (!PyArg_ParseTuple(given, "OOl", &a, &b, &c)) return NULL, Py_DECREF(given))
EACH(parse_strings, const char *a; Py_ssize_t k; PyObject *given = Py_BuildValue("(sO)", "text", Py_True); int b,
    if (!PyArg_ParseTuple(given, "s#p", &a, &k, &b)) return NULL, Py_DECREF(given))
EACH(unpack_tuple, PyObject *a; PyObject *b; PyObject *given = Py_BuildValue("(OO)", Py_None, Py_None),
    if (!PyArg_UnpackTuple(given, "f", 1, 2, &a, &b)) return NULL, Py_DECREF(given))
EACH(parse_keywords, static char *names[] = {"a" COMMA "b" COMMA NULL}; PyObject *a; int b = 0; PyObject *given = Py_BuildValue("(O)", Py_None);
    PyObject *kw = Py_BuildValue("{si}", "b", 2), if (!PyArg_ParseTupleAndKeywords(given, kw, "O|i", names, &a, &b)) return NULL, Py_DECREF(given); Py_DECREF(kw))
EACH(build_number, , Py_DECREF(Py_BuildValue("i", (int)i)), )
EACH(build_dict_format, , Py_DECREF(Py_BuildValue("{s:i,s:O}", "a", 1, "b", Py_None)), )
EACH(compare, PyObject *a = PyLong_FromLong(1000); PyObject *b = PyLong_FromLong(1001),
    if (PyObject_RichCompareBool(a, b, Py_LT) < 0 || PyObject_RichCompareBool(a, b, Py_EQ) < 0) return NULL, Py_DECREF(a); Py_DECREF(b))
EACH(compare_strings, PyObject *a = PyUnicode_FromString("some text"); PyObject *b = PyUnicode_FromString("some tent"),
    if (PyObject_RichCompareBool(a, b, Py_EQ) < 0 || PyUnicode_CompareWithASCIIString(a, "some") == 0) return NULL, Py_DECREF(a); Py_DECREF(b))
EACH(is_instance, , if (PyObject_IsInstance(x, (PyObject *)&PyLong_Type) < 0 || PyObject_TypeCheck(x, &PyDict_Type)) return NULL, )
EACH(errors, , if (PyErr_Occurred()) return NULL, )
EACH(raise_and_fetch, PyObject *a; PyObject *b; PyObject *c, PyErr_SetString(PyExc_KeyError, "no"); PyErr_Fetch(&a, &b, &c); Py_XDECREF(a); Py_XDECREF(b); Py_XDECREF(c), )
EACH(missing_attribute, , PyObject *v = PyObject_GetAttrString(x, "missing"); if (v) return NULL; PyErr_Clear(), )
EACH(has_attribute, , if (!PyObject_HasAttrString(x, "attribute")) return NULL, )
EACH(longs, PyObject *a = PyLong_FromLong(123456), if (PyLong_AsLong(a) < 0 || PyLong_AsSsize_t(a) < 0 || PyLong_AsLongLong(a) < 0) return NULL, Py_DECREF(a))
EACH(join, PyObject *l = PyList_New(0); PyObject *a = PyUnicode_FromString("some text"); for (int k = 0; k < 5; k++) PyList_Append(l, a),
    Py_DECREF(PyUnicode_Join(a, l)), Py_DECREF(a); Py_DECREF(l))
EACH(to_text, , Py_DECREF(PyObject_Str(x)); Py_DECREF(PyObject_Repr(x)), )
EACH(bytes_text, PyObject *a = PyUnicode_FromString("some text"), Py_DECREF(PyUnicode_AsUTF8String(a)), Py_DECREF(a))
EACH(buffers, PyObject *a = PyBytes_FromString("some text"); Py_buffer b, if (PyObject_GetBuffer(a, &b, PyBUF_SIMPLE)) return NULL; PyBuffer_Release(&b), Py_DECREF(a))
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
    ENTRY(call_vectorcall), ENTRY(call_objects), ENTRY(call_method_name), ENTRY(call_builtin), ENTRY(call_class),
    ENTRY(fill_list), ENTRY(fill_tuple), ENTRY(fill_set), ENTRY(list_items), ENTRY(fast_sequence),
    ENTRY(get_item), ENTRY(set_item), ENTRY(questions), ENTRY(parse_tuple), ENTRY(parse_strings),
    ENTRY(unpack_tuple), ENTRY(parse_keywords), ENTRY(build_number), ENTRY(build_dict_format), ENTRY(compare),
    ENTRY(compare_strings), ENTRY(is_instance), ENTRY(errors), ENTRY(raise_and_fetch), ENTRY(missing_attribute),
    ENTRY(has_attribute), ENTRY(longs), ENTRY(join), ENTRY(to_text), ENTRY(bytes_text),
    ENTRY(buffers),
    ENTRY(call_function), ENTRY(call_method), ENTRY(iterate), ENTRY(sequence_items), ENTRY(raise_and_clear), ENTRY(gil), {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "capi_bench", NULL, -1, functions};

PyMODINIT_FUNC PyInit_capi_bench(void)
{
    PyObject *m = PyModule_Create(&module), *t = PyType_FromSpec(&t_spec);
    if (!m || !t || PyModule_AddObject(m, "Thing", t))
        return NULL;
    if (PyModule_AddObject(m, "Callable", PyType_FromSpec(&c_spec)) || PyModule_AddObject(m, "Descriptor", PyType_FromSpec(&d_spec)))
        return NULL;
    return m;
}
