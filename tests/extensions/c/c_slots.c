/* Types whose slots fail without an exception, or answer with one set; specifications that are wrong. */
#include <Python.h>
#include <structmember.h>
static PyObject *n1(PyObject *a) { return NULL; }
static PyObject *n2(PyObject *a, PyObject *b) { return NULL; }
static PyObject *n3(PyObject *a, PyObject *b, PyObject *c) { return NULL; }
static PyObject *ni(PyObject *a, Py_ssize_t i) { return NULL; }
static PyObject *nc(PyObject *a, PyObject *b, int op) { return NULL; }
static int i1(PyObject *a) { return -1; }
static Py_ssize_t l1(PyObject *a) { return -1; }
static Py_hash_t h1(PyObject *a) { return -1; }
static int i2(PyObject *a, PyObject *b) { return -1; }
static int i3(PyObject *a, PyObject *b, PyObject *c) { return -1; }
static int buf(PyObject *a, Py_buffer *b, int flags) { return -1; }
static PyObject *get(PyObject *a, void *c) { return NULL; }
static int set(PyObject *a, PyObject *v, void *c) { return -1; }
static PyObject *method(PyObject *a, PyObject *b) { return NULL; }
static PyObject *five(PyObject *a) { PyErr_SetString(PyExc_KeyError, "left"); return PyLong_FromLong(5); }
static PyObject *method5(PyObject *a, PyObject *b) { return five(a); }
static PyMethodDef methods[] = {{"method", method, METH_O}, {"left", method5, METH_NOARGS}, {0}};
static PyGetSetDef getset[] = {{"prop", get, set}, {0}};
static PyType_Slot all[] = {
    {Py_nb_add, n2}, {Py_nb_power, n3}, {Py_nb_negative, n1}, {Py_nb_bool, i1}, {Py_nb_int, n1}, {Py_nb_float, n1}, {Py_nb_index, n1},
    {Py_nb_inplace_add, n2}, {Py_mp_length, l1}, {Py_mp_subscript, n2}, {Py_mp_ass_subscript, i3}, {Py_sq_contains, i2}, {Py_tp_hash, h1},
    {Py_tp_call, n3}, {Py_tp_iter, n1}, {Py_tp_repr, n1}, {Py_tp_str, n1}, {Py_tp_richcompare, nc}, {Py_tp_methods, methods},
    {Py_tp_getset, getset}, {Py_bf_getbuffer, buf}, {Py_tp_descr_get, n3}, {Py_am_await, n1}, {Py_am_aiter, n1}, {0}};
static PyType_Spec silent = {"c_slots.Silent", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, all};
static PyObject *null_new(PyTypeObject *t, PyObject *a, PyObject *k) { return NULL; }
static PyType_Slot new_slots[] = {{Py_tp_new, null_new}, {0}};
static PyType_Spec unmade = {"c_slots.Unmade", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, new_slots};
static PyType_Slot init_slots[] = {{Py_tp_init, i3}, {0}};
static PyType_Spec uninit = {"c_slots.Uninit", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, init_slots};
static PyObject *text(PyObject *a) { return PyLong_FromLong(5); }
static PyType_Slot odd_slots[] = {{Py_tp_repr, text}, {Py_tp_str, text}, {Py_nb_int, PyObject_Repr}, {Py_nb_float, text}, {Py_nb_index, PyObject_Type},
    {Py_tp_iter, text}, {0}};
static PyType_Spec odd = {"c_slots.Odd", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, odd_slots};
static PyObject *seq_item(PyObject *a, Py_ssize_t i) { return i < 3 ? PyLong_FromLong(i) : NULL; }
static PyType_Slot seq_slots[] = {{Py_sq_item, seq_item}, {Py_sq_length, l1}, {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, five}, {0}};
static PyType_Spec seq = {"c_slots.Sequence", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, seq_slots};

static PyType_Slot bad_number[] = {{999, n1}, {0}};
static PyType_Slot none_given[] = {{0}};
static PyType_Spec specs[] = {
    {"c_slots.BadNumber", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, bad_number},
    {NULL, sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, none_given},
    {"c_slots.Traverse", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, none_given},
};
static PyObject *spec(PyObject *m, PyObject *i) { return PyType_FromSpec(&specs[PyLong_AsLong(i)]); }
static PyObject *spec_on(PyObject *m, PyObject *base)
{
    static PyType_Spec s = {"c_slots.Derived", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, none_given};
    return PyType_FromSpecWithBases(&s, base);
}
static PyTypeObject small = {PyVarObject_HEAD_INIT(NULL, 0) "c_slots.Small", .tp_basicsize = 8, .tp_flags = Py_TPFLAGS_DEFAULT};
static PyObject *ready(PyObject *m, PyObject *base)
{
    small.tp_base = (PyTypeObject *)base;
    return PyType_Ready(&small) < 0 ? NULL : Py_NewRef((PyObject *)&small);
}
static PyMethodDef functions[] = {{"spec", spec, METH_O}, {"spec_on", spec_on, METH_O}, {"ready", ready, METH_O}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_slots", NULL, -1, functions};
PyMODINIT_FUNC PyInit_c_slots(void)
{
    PyObject *m = PyModule_Create(&module);
    PyModule_AddObject(m, "Silent", PyType_FromSpec(&silent));
    PyModule_AddObject(m, "Unmade", PyType_FromSpec(&unmade));
    PyModule_AddObject(m, "Uninit", PyType_FromSpec(&uninit));
    PyModule_AddObject(m, "Odd", PyType_FromSpec(&odd));
    PyModule_AddObject(m, "Sequence", PyType_FromSpec(&seq));
    return m;
}
