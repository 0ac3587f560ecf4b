/* Classes whose deallocators, finalizers and weak references do what they should not, or only just may. */
#include <Python.h>
#include <structmember.h>
typedef struct { PyObject_HEAD PyObject *v; PyObject *weak; PyObject *dict; } T;
static int log_on = 1;
#define LOG(...) do { if (log_on) { printf(__VA_ARGS__); fflush(stdout); } } while (0)
static int trav(T *s, visitproc visit, void *arg) { Py_VISIT(s->v); Py_VISIT(s->dict); return 0; }
static int clr(T *s) { LOG("clear\n"); Py_CLEAR(s->v); return 0; }
static void d_noun(T *s) { LOG("dealloc without untrack\n"); Py_XDECREF(s->v); Py_TYPE(s)->tp_free((PyObject *)s); }
static void d_err(T *s) { PyObject_GC_UnTrack(s); LOG("dealloc sets error\n"); PyErr_SetString(PyExc_ValueError, "from dealloc"); Py_XDECREF(s->v); Py_TYPE(s)->tp_free((PyObject *)s); }
static void d_call(T *s) { PyObject_GC_UnTrack(s); LOG("dealloc calls\n"); PyObject *t, *v, *b; PyErr_Fetch(&t, &v, &b); PyObject *r = PyObject_CallFunction((PyObject *)&PyLong_Type, "s", "zz"); if (!r) PyErr_WriteUnraisable(Py_None); Py_XDECREF(r); PyErr_Restore(t, v, b); Py_XDECREF(s->v); Py_TYPE(s)->tp_free((PyObject *)s); }
static void d_weak(T *s) { PyObject_GC_UnTrack(s); if (s->weak) PyObject_ClearWeakRefs((PyObject *)s); LOG("dealloc clears weakrefs\n"); Py_XDECREF(s->v); Py_XDECREF(s->dict); Py_TYPE(s)->tp_free((PyObject *)s); }
static void d_noweak(T *s) { PyObject_GC_UnTrack(s); LOG("dealloc forgets weakrefs\n"); Py_XDECREF(s->v); Py_TYPE(s)->tp_free((PyObject *)s); }
static PyObject *saved;
static void fin(PyObject *s) { LOG("finalize\n"); }
static void fin_err(PyObject *s) { LOG("finalize err\n"); PyErr_SetString(PyExc_ValueError, "from finalize"); }
static void fin_res(PyObject *s) { LOG("finalize resurrects\n"); Py_INCREF(s); Py_XSETREF(saved, s); }
static void d_fin(T *s) { if (PyObject_CallFinalizerFromDealloc((PyObject *)s) < 0) { LOG("resurrected\n"); return; } PyObject_GC_UnTrack(s); LOG("dealloc after finalize\n"); Py_XDECREF(s->v); Py_TYPE(s)->tp_free((PyObject *)s); }
static PyMemberDef mem[] = {{"v", T_OBJECT, offsetof(T, v), 0}, {0}};
static PyObject *twice(PyObject *s, PyObject *a) { PyObject_GC_UnTrack(s); PyObject_GC_UnTrack(s); PyObject_GC_Track(s); return PyBool_FromLong(PyObject_GC_IsTracked(s)); }
static PyObject *fz(PyObject *s, PyObject *a) { return Py_BuildValue("ii", PyObject_GC_IsFinalized(s), PyObject_CallFinalizerFromDealloc ? 1 : 0); }
static PyMethodDef tm[] = {{"twice", twice, METH_NOARGS}, {"finalized", fz, METH_NOARGS}, {0}};
#define TYP(n, d, f, ...) static PyTypeObject n = {PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "c_life." #n, .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE, .tp_new = PyType_GenericNew, .tp_dealloc = (destructor)d, .tp_finalize = f, .tp_traverse = (traverseproc)trav, .tp_clear = (inquiry)clr, .tp_members = mem, .tp_methods = tm, __VA_ARGS__}
TYP(NoUntrack, d_noun, NULL); TYP(Err, d_err, NULL); TYP(Call, d_call, NULL); TYP(Weak, d_weak, NULL, .tp_weaklistoffset = offsetof(T, weak), .tp_dictoffset = offsetof(T, dict)); TYP(NoWeak, d_noweak, NULL, .tp_weaklistoffset = offsetof(T, weak));
TYP(Fin, d_fin, fin); TYP(FinErr, d_fin, fin_err); TYP(FinRes, d_fin, fin_res); TYP(NoClear, d_weak, NULL, .tp_weaklistoffset = offsetof(T, weak));
static PyObject *take(PyObject *s, PyObject *a) { PyObject *o = saved ? saved : Py_NewRef(Py_None); saved = NULL; return o; }
static PyObject *fresh(PyObject *s, PyObject *a) { PyObject *o = (PyObject *)PyObject_GC_New(T, (PyTypeObject *)a); if (!o) return NULL; ((T *)o)->v = NULL; ((T *)o)->weak = NULL; ((T *)o)->dict = NULL; return Py_BuildValue("iN", PyObject_GC_IsTracked(o), o); }
static PyMethodDef fns[] = {{"take", take, METH_NOARGS}, {"fresh", fresh, METH_O}, {0}};
static PyModuleDef def = {PyModuleDef_HEAD_INIT, "c_life", NULL, -1, fns};
PyMODINIT_FUNC PyInit_c_life(void) { PyObject *m = PyModule_Create(&def); NoClear.tp_clear = NULL;
#define ADD(n) if (PyType_Ready(&n) < 0 || PyModule_AddObjectRef(m, #n, (PyObject *)&n) < 0) return NULL;
ADD(NoUntrack) ADD(Err) ADD(Call) ADD(Weak) ADD(NoWeak) ADD(Fin) ADD(FinErr) ADD(FinRes) ADD(NoClear) return m; }
