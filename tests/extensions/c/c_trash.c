/* A collectable type and a subtype of dict whose deallocators use the trashcan, as Cython's do; the module counts both. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static long made, freed;

typedef struct {
    PyObject_HEAD
    PyObject *next;
} Link;

static PyObject *link_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *next = Py_None;
    if (!PyArg_ParseTuple(args, "|O", &next)) return NULL;
    Link *self = (Link *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->next = Py_NewRef(next);
    made++;
    return (PyObject *)self;
}
static int link_traverse(Link *self, visitproc visit, void *arg) {
    Py_VISIT(self->next);
    return 0;
}
static int link_clear(Link *self) {
    Py_CLEAR(self->next);
    return 0;
}
static void link_dealloc(Link *self) {
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, link_dealloc)
    freed++;
    link_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
    Py_TRASHCAN_END
}
static PyTypeObject Link_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "c_trash.Link", .tp_basicsize = sizeof(Link), .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = link_new, .tp_dealloc = (destructor)link_dealloc, .tp_traverse = (traverseproc)link_traverse, .tp_clear = (inquiry)link_clear,
};

static PyObject *table_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *self = PyDict_Type.tp_new(type, args, kwargs);
    if (self != NULL) made++;
    return self;
}
static void table_dealloc(PyObject *self) {
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, table_dealloc)
    freed++;
    PyObject_GC_Track(self);
    PyDict_Type.tp_dealloc(self);
    Py_TRASHCAN_END
}
static PyTypeObject Table_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "c_trash.Table", .tp_base = NULL, .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, .tp_new = table_new,
    .tp_dealloc = table_dealloc,
};

static PyObject *counts(PyObject *module, PyObject *ignored) { return Py_BuildValue("ll", made, freed); }
static PyMethodDef functions[] = {{"counts", counts, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_trash", NULL, 0, functions};

PyMODINIT_FUNC PyInit_c_trash(void) {
    Table_Type.tp_base = &PyDict_Type;
    PyObject *m = PyModule_Create(&module);
    if (m == NULL || PyModule_AddType(m, &Link_Type) < 0 || PyModule_AddType(m, &Table_Type) < 0) return NULL;
    return m;
}
