/* Functions for the end: Py_AtExit's run after Python's and before the C library's. */
#include <Python.h>
#include <stdlib.h>
#include <unistd.h>

#define SAY(text) (void)!write(1, text "\n", sizeof text)

static void first(void) { SAY("Py_AtExit: added first"); }
static void second(void) { SAY(Py_IsInitialized() ? "Py_AtExit: initialized" : "Py_AtExit: added second"); }
static void libc_one(void) { SAY("atexit of the C library"); }

static PyObject *arm(PyObject *self, PyObject *unused) {
    int failed = Py_AtExit(first) | Py_AtExit(second);
    return PyLong_FromLong(failed | atexit(libc_one));
}
static void nothing(void) {}
static PyObject *fill(PyObject *self, PyObject *unused) {
    int n = 0;
    while (n < 100 && Py_AtExit(nothing) == 0)
        n++;
    return PyBool_FromLong(n < 32);
}
static PyMethodDef methods[] = {{"arm", arm, METH_NOARGS}, {"fill", fill, METH_NOARGS}, {0}};
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "c_exit", NULL, -1, methods};
PyMODINIT_FUNC PyInit_c_exit(void) { return PyModule_Create(&def); }
