/* A number whose operators work in place on an operand that nobody else has, if all native callers up to the evaluation of Python code are
   the interpreter's or this module's: what numpy does with large arrays. */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <string.h>

static long elided, unknown;

typedef struct {
    PyObject_HEAD
    long v;
} Box;

static PyTypeObject BoxType;

static PyObject *make(long v) {
    Box *b = PyObject_New(Box, &BoxType);
    if (b != NULL) b->v = v;
    return (PyObject *)b;
}

static int called_by_python(void) {
    void *at[30];
    Dl_info python, own, here;
    int n = backtrace(at, 30);
    if (n == 0 || !dladdr((void *)&PyNumber_Or, &python) || !dladdr((void *)&make, &own)) return 0;
    for (int i = 0; i < n; i++) {
        if (!dladdr(at[i], &here)) {
            unknown++;
            return 0;
        }
        if (here.dli_fbase == python.dli_fbase) {
            if (here.dli_sname != NULL && strcmp(here.dli_sname, "_PyEval_EvalFrameDefault") == 0) return 1;
        } else if (here.dli_fbase != own.dli_fbase) {
            return 0;
        }
    }
    return 0;
}

static int mine_alone(PyObject *o) {
    return Py_REFCNT(o) == 1 && Py_IS_TYPE(o, &BoxType) && called_by_python();
}
static long value(PyObject *o) {
    return Py_IS_TYPE(o, &BoxType) ? ((Box *)o)->v : PyLong_AsLong(o);
}
static PyObject *result(PyObject *a, long v) {
    if (!mine_alone(a)) return make(v);
    elided++;
    ((Box *)a)->v = v;
    return Py_NewRef(a);
}
static PyObject *box_add(PyObject *a, PyObject *b) {
    return result(a, value(a) + value(b));
}
static PyObject *box_multiply(PyObject *a, PyObject *b) {
    return result(a, value(a) * value(b));
}
static PyObject *box_negative(PyObject *a) {
    return result(a, -value(a));
}
static PyObject *box_absolute(PyObject *a) {
    return result(a, labs(value(a)));
}
static PyNumberMethods box_number = {
    .nb_add = box_add, .nb_multiply = box_multiply, .nb_negative = box_negative, .nb_absolute = box_absolute,
};
static PyObject *box_get(Box *self, void *unused) {
    return PyLong_FromLong(self->v);
}
static PyObject *box_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    long v;
    return PyArg_ParseTuple(args, "l", &v) ? make(v) : NULL;
}
static PyGetSetDef box_getset[] = {{"v", (getter)box_get}, {NULL}};
static PyTypeObject BoxType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "c_elide.Box", .tp_basicsize = sizeof(Box), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = box_new,
    .tp_as_number = &box_number, .tp_getset = box_getset,
};

/* How many times an operand was used again, and how many addresses had no name. */
static PyObject *counts(PyObject *self, PyObject *unused) {
    PyObject *r = Py_BuildValue("ll", elided, unknown);
    elided = unknown = 0;
    return r;
}
static PyMethodDef methods[] = {{"counts", counts, METH_NOARGS}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_elide", NULL, -1, methods};

PyMODINIT_FUNC PyInit_c_elide(void) {
    PyObject *m = PyModule_Create(&module);
    if (m == NULL || PyType_Ready(&BoxType) < 0 || PyModule_AddObjectRef(m, "Box", (PyObject *)&BoxType) < 0) return NULL;
    return m;
}
