/* Functions that break the rules of references, for LANCEHEAD_CAPI=debug. */
#include <Python.h>
static PyObject *steals(PyObject *m, PyObject *o) { Py_DECREF(o); Py_RETURN_NONE; }
static PyObject *steals_second(PyObject *m, PyObject *const *a, Py_ssize_t n) { if (n > 1) { Py_DECREF(a[1]); Py_DECREF(a[1]); } return Py_NewRef(a[0]); }
static PyObject *fine(PyObject *m, PyObject *o) { return Py_NewRef(o); }
static PyObject *releases_borrowed(PyObject *m, PyObject *list) { Py_DECREF(PyList_GetItem(list, 0)); Py_RETURN_NONE; }
static PyObject *takes_out(PyObject *m, PyObject *list) { PyList_SetSlice(list, 0, 1, NULL); Py_RETURN_NONE; }
static PyMethodDef functions[] = {{"releases_borrowed", releases_borrowed, METH_O}, {"takes_out", takes_out, METH_O}, {"steals", steals, METH_O}, {"steals_second", (PyCFunction)(void (*)(void))steals_second, METH_FASTCALL}, {"fine", fine, METH_O}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_wrong", NULL, -1, functions};
PyMODINIT_FUNC PyInit_c_wrong(void) { return PyModule_Create(&module); }
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
