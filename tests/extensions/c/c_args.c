/* Argument parsing and value building with formats given from Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define PLACES &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]
typedef union { long long n; double d; void *p; Py_ssize_t s; } Value;
/* What a format stored, one value for each place that it fills: only units with one place. */
static PyObject *stored(const char *f, Value *v)
{
    PyObject *l = PyList_New(0), *o;
    for (int i = 0; *f && *f != ':' && *f != ';'; f++) {
        switch (*f) {
        case 'O': case 'S': case 'U': case 'Y': o = v[i++].p ? Py_NewRef((PyObject *)v[i - 1].p) : Py_NewRef(Py_Ellipsis); break;
        case 's': case 'z': case 'y': o = v[i].p ? PyBytes_FromString(v[i].p) : Py_NewRef(Py_Ellipsis); i++; break;
        case 'd': o = PyFloat_FromDouble(v[i++].d); break;
        case 'f': o = PyFloat_FromDouble(*(float *)&v[i++]); break;
        case '|': case '$': case '(': case ')': case ' ': continue;
        default: o = PyLong_FromLongLong(v[i++].n);
        }
        PyList_Append(l, o);
        Py_DECREF(o);
    }
    return l;
}
static PyObject *tuple(PyObject *m, PyObject *a)
{
    const char *f; PyObject *args; Value v[8] = {0};
    if (!PyArg_ParseTuple(a, "sO", &f, &args) || !PyArg_ParseTuple(args, f, PLACES)) return NULL;
    return stored(f, v);
}
static PyObject *object(PyObject *m, PyObject *a)
{
    const char *f; PyObject *arg; Value v[8] = {0};
    if (!PyArg_ParseTuple(a, "sO", &f, &arg) || !PyArg_Parse(arg, f, PLACES)) return NULL;
    return stored(f, v);
}
static PyObject *keywords(PyObject *m, PyObject *a)
{
    const char *f; PyObject *names, *args, *kw; Value v[8] = {0}; char *list[9] = {0};
    if (!PyArg_ParseTuple(a, "sO!OO", &f, &PyTuple_Type, &names, &args, &kw)) return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++)
        list[i] = (char *)PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
    if (!PyArg_ParseTupleAndKeywords(args, kw == Py_None ? NULL : kw, f, list, PLACES)) return NULL;
    return stored(f, v);
}
static PyObject *unpack(PyObject *m, PyObject *a)
{
    PyObject *o[3] = {0}, *args; Py_ssize_t lo, hi;
    if (!PyArg_ParseTuple(a, "Onn", &args, &lo, &hi) || !PyArg_UnpackTuple(args, "unpack", lo, hi, &o[0], &o[1], &o[2])) return NULL;
    return Py_BuildValue("ii", o[0] != NULL, o[1] != NULL);
}
static PyObject *build(PyObject *m, PyObject *a)
{
    return Py_BuildValue("(N[O]{s:i,s:d}y#()s#z(ccC))(L)kKnHb", PyLong_FromLong(1), Py_None, "key", -3, "other", 2.5, "by\0tes", (Py_ssize_t)6,
                         "text!", (Py_ssize_t)4, NULL, 'a', 'b', 0x20ac, 1LL << 40, 7UL, ~0ULL, (Py_ssize_t)-9, 65535, 200);
}
static PyObject *build_many(PyObject *m, PyObject *a) { return Py_BuildValue("iiiiiiiiii[iiiiiiiiii]", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10); }
static PyObject *build_null(PyObject *m, PyObject *a) { return Py_BuildValue("(iO)", 1, NULL); }
static PyObject *build_bad(PyObject *m, PyObject *a) { return Py_BuildValue("i?", 1); }
static PyObject *build_open(PyObject *m, PyObject *a) { return Py_BuildValue("(ii", 1, 2); }
static PyObject *build_one(PyObject *m, PyObject *a) { return Py_BuildValue("s", "one"); }
static PyObject *build_none(PyObject *m, PyObject *a) { return Py_BuildValue(""); }
static PyObject *build_utf8(PyObject *m, PyObject *a) { return Py_BuildValue("s", "\xc3\xa4\xff"); }
static PyObject *calls(PyObject *m, PyObject *f)
{
    PyObject *one = PyTuple_Pack(1, Py_True), *name = PyUnicode_FromString("method");
    PyObject *l = Py_BuildValue("[NNNNNNN]", PyObject_CallFunction(f, NULL), PyObject_CallFunction(f, "i", 5), PyObject_CallFunction(f, "is", 5, "x"),
                                PyObject_CallFunction(f, "(is)", 5, "x"), PyObject_CallFunction(f, "O", one), PyObject_CallFunction(f, "()"),
                                PyObject_CallFunctionObjArgs(f, name, one, NULL));
    Py_DECREF(one); Py_DECREF(name);
    return l;
}
static PyObject *method_calls(PyObject *m, PyObject *o)
{
    PyObject *name = PyUnicode_InternFromString("method");
    PyObject *l = Py_BuildValue("[NNNN]", PyObject_CallMethod(o, "method", NULL), PyObject_CallMethod(o, "method", "ii", 1, 2),
                                PyObject_CallMethodObjArgs(o, name, Py_None, Py_True, NULL), PyObject_CallMethodNoArgs(o, name));
    Py_DECREF(name);
    return l;
}
static PyObject *no_method(PyObject *m, PyObject *o) { return PyObject_CallMethod(o, "absent", "i", 1); }
static PyObject *attribute(PyObject *m, PyObject *a)
{
    /* The same address with other text each time. */
    char name[40]; const char *given; PyObject *o;
    if (!PyArg_ParseTuple(a, "Os", &o, &given)) return NULL;
    strncpy(name, given, 39);
    name[39] = 0;
    if (PyObject_SetAttrString(o, name, Py_True)) return NULL;
    PyObject *d = PyObject_GetAttrString(o, "__dict__");
    PyObject *r = Py_BuildValue("iNOi", PyObject_HasAttrString(o, name), PyObject_GetAttrString(o, name), PyDict_GetItemString(d, name),
                                PyMapping_HasKeyString(d, name));
    Py_DECREF(d);
    return r;
}
static PyObject *undecodable(PyObject *m, PyObject *o) { return PyObject_GetAttrString(o, "\xff\xfe"); }
static PyObject *formats(PyObject *m, PyObject *o)
{
    return PyUnicode_FromFormat("%d|%5d|%05d|%i|%u|%ld|%lld|%zd|%x|%c|%s|%.2s|%7s|%R|%S|%A|%%|%U", -7, 42, 42, 0, 4000000000u, -9L, 1LL << 62,
                                (Py_ssize_t)-1, 255, 0x20ac, "str\xc3\xa4", "cut", "wide", o, o, o, PyTuple_GET_ITEM(o, 0));
}
#define F(name, flags) {#name, name, flags}
static PyObject *given(PyObject *m, PyObject *args, PyObject *kw) { return Py_BuildValue("(OO)", args, kw ? kw : Py_None); }
static PyObject *given_tuple(PyObject *m, PyObject *args) { return Py_NewRef(args); }
static PyObject *slot_call(PyObject *m, PyObject *a)
{
    PyObject *f, *args, *kw = NULL;
    if (!PyArg_ParseTuple(a, "OO|O", &f, &args, &kw)) return NULL;
    return Py_TYPE(f)->tp_call(f, args, kw);
}
static PyObject *generic(PyObject *m, PyObject *a)
{
    PyObject *o, *name;
    if (!PyArg_ParseTuple(a, "OO", &o, &name)) return NULL;
    PyObject *v = _PyObject_GenericGetAttrWithDict(o, name, NULL, 1);
    return v || PyErr_Occurred() ? v : Py_NewRef(Py_Ellipsis);
}
static PyMethodDef functions[] = {F(slot_call, METH_VARARGS), F(generic, METH_VARARGS), {"given", (PyCFunction)(void (*)(void))given, METH_VARARGS | METH_KEYWORDS},
    {"given_tuple", given_tuple, METH_VARARGS}, F(tuple, METH_VARARGS), F(object, METH_VARARGS), F(keywords, METH_VARARGS), F(unpack, METH_VARARGS), F(build, METH_NOARGS),
    F(build_many, METH_NOARGS), F(build_null, METH_NOARGS), F(build_bad, METH_NOARGS), F(build_open, METH_NOARGS), F(build_one, METH_NOARGS),
    F(build_none, METH_NOARGS), F(build_utf8, METH_NOARGS), F(calls, METH_O), F(method_calls, METH_O), F(no_method, METH_O), F(attribute, METH_VARARGS),
    F(undecodable, METH_O), F(formats, METH_O), {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_args", NULL, -1, functions};
PyMODINIT_FUNC PyInit_c_args(void) { return PyModule_Create(&module); }
