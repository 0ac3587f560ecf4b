/* Functions that break the rules of references, for LANCEHEAD_CAPI=debug. */
#include <Python.h>
static PyObject *steals(PyObject *m, PyObject *o) { Py_DECREF(o); Py_RETURN_NONE; }
static PyObject *steals_second(PyObject *m, PyObject *const *a, Py_ssize_t n) { if (n > 1) { Py_DECREF(a[1]); Py_DECREF(a[1]); } return Py_NewRef(a[0]); }
static PyObject *fine(PyObject *m, PyObject *o) { return Py_NewRef(o); }
static PyObject *releases_borrowed(PyObject *m, PyObject *list) { Py_DECREF(PyList_GetItem(list, 0)); Py_RETURN_NONE; }
static PyObject *takes_out(PyObject *m, PyObject *list) { PyList_SetSlice(list, 0, 1, NULL); Py_RETURN_NONE; }
/* Results that belong to somebody else. */
static PyObject *cached;
static PyObject *gives_argument(PyObject *m, PyObject *o) { return o; }
static PyObject *gives_item(PyObject *m, PyObject *list) { return PyList_GetItem(list, 0); }
static PyObject *gives_attribute(PyObject *m, PyObject *o) { return PyDict_GetItemString(PyModule_GetDict(m), "thing"); }
static PyObject *gives_cached(PyObject *m, PyObject *o) { return cached; }
static PyObject *gives_none(PyObject *m, PyObject *o) { return Py_None; }
static PyObject *releases_true(PyObject *m, PyObject *o) { Py_DECREF(Py_True); return PyLong_FromLong(5); }
/* A class with slots that release what is not theirs, and a method that lets go of what is. */
typedef struct { PyObject_HEAD PyObject *value; } Broken;
static PyObject *broken_repr(PyObject *b) { Py_DECREF(b); return PyUnicode_FromString("broken"); }
static PyObject *broken_add(PyObject *b, PyObject *o) { if (Py_TYPE(b) == Py_TYPE(o)) Py_DECREF(b); return PyLong_FromLong(1); }
static void broken_dealloc(Broken *b) { Py_XDECREF(b->value); Py_TYPE(b)->tp_free((PyObject *)b); }
static PyObject *broken_set(Broken *b, PyObject *o) { PyObject *old = b->value; b->value = Py_NewRef(o); Py_XDECREF(old); Py_RETURN_NONE; }
static PyMethodDef broken_methods[] = {{"set", (PyCFunction)broken_set, METH_O}, {0}};
static PyNumberMethods broken_number = {.nb_add = broken_add};
static PyTypeObject Broken_Type = {PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "c_wrong.Broken", .tp_basicsize = sizeof(Broken), .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew, .tp_dealloc = (destructor)broken_dealloc, .tp_repr = broken_repr, .tp_as_number = &broken_number, .tp_methods = broken_methods};
static PyMethodDef functions[] = {{"gives_argument", gives_argument, METH_O}, {"gives_item", gives_item, METH_O}, {"gives_attribute", gives_attribute, METH_NOARGS},
    {"gives_cached", gives_cached, METH_NOARGS}, {"gives_none", gives_none, METH_NOARGS}, {"releases_true", releases_true, METH_NOARGS}, {"releases_borrowed", releases_borrowed, METH_O}, {"takes_out", takes_out, METH_O}, {"steals", steals, METH_O}, {"steals_second", (PyCFunction)(void (*)(void))steals_second, METH_FASTCALL}, {"fine", fine, METH_O}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_wrong", NULL, -1, functions};
PyMODINIT_FUNC PyInit_c_wrong(void) {
    PyObject *m = PyModule_Create(&module);
    cached = PyUnicode_FromString("a cached text");
    if (!m || !cached || PyType_Ready(&Broken_Type) < 0 || PyModule_AddObjectRef(m, "Broken", (PyObject *)&Broken_Type) < 0) return NULL;
    if (PyModule_AddObject(m, "thing", PyUnicode_FromString("the thing")) < 0) return NULL;
    return m;
}
/* Other module names in the same file: what a broken init function answers. */
PyMODINIT_FUNC PyInit_c_null(void) { return NULL; }
PyMODINIT_FUNC PyInit_c_error(void) { PyErr_SetString(PyExc_ValueError, "init failed"); return NULL; }
PyMODINIT_FUNC PyInit_c_leftover(void) { PyObject *m = PyModule_Create(&module); PyErr_SetString(PyExc_KeyError, "left"); return m; }
PyMODINIT_FUNC PyInit_c_other(void) { return PyLong_FromLong(5); }
static int bad_exec(PyObject *m) { return -1; }
static PyModuleDef_Slot slots[] = {{Py_mod_exec, bad_exec}, {0}};
static struct PyModuleDef multi = {PyModuleDef_HEAD_INIT, "c_exec", NULL, 0, functions, slots};
PyMODINIT_FUNC PyInit_c_exec(void) { return PyModuleDef_Init(&multi); }
static PyModuleDef_Slot odd[] = {{99, NULL}, {0}};
static struct PyModuleDef strange = {PyModuleDef_HEAD_INIT, "c_slot", NULL, 0, functions, odd};
PyMODINIT_FUNC PyInit_c_slot(void) { return PyModuleDef_Init(&strange); }
