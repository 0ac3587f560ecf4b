/* Types and modules made by hand through the C API: multi-phase initialisation, module state, heap and static types, cycles, vectorcall. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <datetime.h>

typedef struct { PyObject *error; PyObject *node; long calls; } State;
static struct PyModuleDef module;

/* ---- A heap type with cycles, a dict, weak references and module state ---- */
typedef struct { PyObject_HEAD PyObject *next; PyObject *dict; PyObject *weak; int tag; } Node;
static int node_traverse(Node *n, visitproc visit, void *arg) { Py_VISIT(Py_TYPE(n)); Py_VISIT(n->next); Py_VISIT(n->dict); return 0; }
static int node_clear(Node *n) { Py_CLEAR(n->next); Py_CLEAR(n->dict); return 0; }
static void node_dealloc(Node *n) {
    PyTypeObject *t = Py_TYPE(n);
    PyObject_GC_UnTrack(n);
    if (n->weak) PyObject_ClearWeakRefs((PyObject *)n);
    node_clear(n);
    t->tp_free(n);
    Py_DECREF(t);
}
static PyObject *node_new(PyTypeObject *t, PyObject *args, PyObject *kw) {
    static char *names[] = {"next", "tag", NULL};
    PyObject *next = NULL; int tag = 7;
    if (!PyArg_ParseTupleAndKeywords(args, kw, "|Oi:Node", names, &next, &tag)) return NULL;
    Node *n = (Node *)t->tp_alloc(t, 0);
    if (n) { Py_XINCREF(next); n->next = next; n->tag = tag; }
    return (PyObject *)n;
}
static PyObject *node_count(PyObject *self, PyTypeObject *cls, PyObject *const *args, Py_ssize_t n, PyObject *names) {
    State *s = PyType_GetModuleState(cls);
    if (!s) return NULL;
    s->calls++;
    return Py_BuildValue("lnO", s->calls, n, names ? names : Py_None);
}
static PyMethodDef node_methods[] = {
    {"count", (PyCFunction)(void (*)(void))node_count, METH_METHOD | METH_FASTCALL | METH_KEYWORDS, "count($self, /, *args)\n--\n\nCounts calls."}, {0}};
static PyMemberDef node_members[] = {
    {"next", T_OBJECT, offsetof(Node, next), 0, "the next one"}, {"tag", T_INT, offsetof(Node, tag), 0, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(Node, dict), READONLY}, {"__weaklistoffset__", T_PYSSIZET, offsetof(Node, weak), READONLY}, {0}};
static PyType_Slot node_slots[] = {
    {Py_tp_new, node_new}, {Py_tp_dealloc, node_dealloc}, {Py_tp_traverse, node_traverse}, {Py_tp_clear, node_clear},
    {Py_tp_methods, node_methods}, {Py_tp_members, node_members}, {Py_tp_doc, "Node(next=None, tag=7)\n--\n\nA link."}, {0}};
static PyType_Spec node_spec = {"c_types.Node", sizeof(Node), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, node_slots};

/* ---- A static type below int, one below dict, one with every kind of operator ---- */
typedef struct { PyDictObject d; int stores; } CountingDict;
static int cd_store(PyObject *d, PyObject *k, PyObject *v) {
    ((CountingDict *)d)->stores++;
    return v ? PyDict_SetItem(d, k, v) : PyDict_DelItem(d, k);
}
static PyMappingMethods cd_mapping = {.mp_ass_subscript = cd_store};
static PyMemberDef cd_members[] = {{"stores", T_INT, offsetof(CountingDict, stores), READONLY, NULL}, {0}};
static PyTypeObject CountingDict_Type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "c_types.CountingDict", .tp_basicsize = sizeof(CountingDict),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, .tp_as_mapping = &cd_mapping, .tp_members = cd_members, .tp_doc = "A dict that counts."};

typedef struct { PyObject_HEAD double x, y; vectorcallfunc call; } Vec;
static PyTypeObject Vec_Type;
static PyObject *vec_make(double x, double y);
static PyObject *vec_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names) {
    return Py_BuildValue("dnO", ((Vec *)self)->x, PyVectorcall_NARGS(nargsf), names ? names : Py_None);
}
static PyObject *vec_new(PyTypeObject *t, PyObject *args, PyObject *kw) {
    double x = 0, y = 0;
    if (!PyArg_ParseTuple(args, "|dd:Vec", &x, &y)) return NULL;
    Vec *v = (Vec *)t->tp_alloc(t, 0);
    if (v) { v->x = x; v->y = y; v->call = vec_call; }
    return (PyObject *)v;
}
static PyObject *vec_make(double x, double y) {
    Vec *v = PyObject_New(Vec, &Vec_Type);
    if (v) { v->x = x; v->y = y; v->call = vec_call; }
    return (PyObject *)v;
}
#define VEC(o) (PyObject_TypeCheck(o, &Vec_Type) ? (Vec *)(o) : NULL)
static PyObject *vec_add(PyObject *a, PyObject *b) {
    if (!VEC(a) || !VEC(b)) Py_RETURN_NOTIMPLEMENTED;
    return vec_make(VEC(a)->x + VEC(b)->x, VEC(a)->y + VEC(b)->y);
}
static PyObject *vec_mul(PyObject *a, PyObject *b) {
    PyObject *v = VEC(a) ? a : b, *n = VEC(a) ? b : a;
    double f = PyFloat_AsDouble(n);
    if (f == -1 && PyErr_Occurred()) { PyErr_Clear(); Py_RETURN_NOTIMPLEMENTED; }
    return vec_make(VEC(v)->x * f, VEC(v)->y * f);
}
static PyObject *vec_iadd(PyObject *a, PyObject *b) {
    if (!VEC(b)) Py_RETURN_NOTIMPLEMENTED;
    VEC(a)->x += VEC(b)->x;
    return Py_NewRef(a);
}
static int vec_bool(PyObject *a) { return VEC(a)->x != 0 || VEC(a)->y != 0; }
static PyObject *vec_index(PyObject *a) { return PyLong_FromDouble(VEC(a)->x); }
static PyObject *vec_item(PyObject *a, Py_ssize_t i) {
    if (i < 0 || i > 1) { PyErr_SetString(PyExc_IndexError, "Vec index"); return NULL; }
    return PyFloat_FromDouble(i ? VEC(a)->y : VEC(a)->x);
}
static Py_ssize_t vec_len(PyObject *a) { return 2; }
static int vec_contains(PyObject *a, PyObject *o) { double d = PyFloat_AsDouble(o); if (d == -1 && PyErr_Occurred()) return -1; return d == VEC(a)->x || d == VEC(a)->y; }
static PyObject *vec_compare(PyObject *a, PyObject *b, int op) {
    if (!VEC(a) || !VEC(b)) Py_RETURN_NOTIMPLEMENTED;
    Py_RETURN_RICHCOMPARE(VEC(a)->x, VEC(b)->x, op);
}
static Py_hash_t vec_hash(PyObject *a) { return (Py_hash_t)VEC(a)->x; }
static PyObject *vec_repr(PyObject *a) { char b[80]; PyOS_snprintf(b, sizeof b, "Vec(%.1f, %.1f)", VEC(a)->x, VEC(a)->y); return PyUnicode_FromString(b); }
static PyObject *vec_getattr(PyObject *a, PyObject *n) {
    if (PyUnicode_CompareWithASCIIString(n, "sum") == 0) return PyFloat_FromDouble(VEC(a)->x + VEC(a)->y);
    return PyObject_GenericGetAttr(a, n);
}
static PyNumberMethods vec_number = {.nb_add = vec_add, .nb_multiply = vec_mul, .nb_inplace_add = vec_iadd, .nb_bool = vec_bool, .nb_index = vec_index};
static PySequenceMethods vec_sequence = {.sq_length = vec_len, .sq_item = vec_item, .sq_contains = vec_contains};
static PyTypeObject Vec_Type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "c_types.Vec", .tp_basicsize = sizeof(Vec), .tp_new = vec_new,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL, .tp_vectorcall_offset = offsetof(Vec, call), .tp_call = PyVectorcall_Call,
    .tp_as_number = &vec_number, .tp_as_sequence = &vec_sequence, .tp_richcompare = vec_compare, .tp_hash = vec_hash, .tp_repr = vec_repr, .tp_getattro = vec_getattr};

/* str has a number table without nb_bool: filling the subtype's must not touch it. */
static int never(PyObject *o) { return 0; }
static PyTypeObject FalseStr_Type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "c_types.FalseStr", .tp_flags = Py_TPFLAGS_DEFAULT};
static PyNumberMethods falsestr_number = {.nb_bool = never};

/* ---- Functions ---- */
static PyObject *build(PyObject *m, PyObject *args) {
    return Py_BuildValue("(isdOcy#[ii]{s:i,s:N}z(KLkn)DC)", 1, "two", 3.5, Py_None, 'c', "by\0te", (Py_ssize_t)5, 1, 2, "a", 1, "b", PyLong_FromLong(2),
        NULL, 1ULL << 63, -1LL, 5UL, (Py_ssize_t)-2, &(Py_complex){1, 2}, 0x20ac);
}
static PyObject *parse(PyObject *m, PyObject *args, PyObject *kw) {
    static char *names[] = {"", "s", "o", "f", "flag", "buffer", "pair", NULL};
    int i; const char *s = "dflt"; PyObject *o = Py_None; double f = 0; int flag = 0, a = 0, b = 0; Py_buffer buf = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kw, "i|s$Odpy*(ii):parse", names, &i, &s, &o, &f, &flag, &buf, &a, &b)) return NULL;
    PyObject *r = Py_BuildValue("isOdiiii", i, s, o, f, flag, (int)buf.len, a, b);
    if (buf.obj) PyBuffer_Release(&buf);
    return r;
}
static PyObject *fail(PyObject *m, PyObject *o) {
    State *s = PyModule_GetState(m);
    return PyErr_Format(s->error, "bad %R of %.5s: %zd %i %S %U", o, Py_TYPE(o)->tp_name, (Py_ssize_t)-3, 42, o, PyObject_Type(o) ? PyUnicode_FromString("text") : NULL);
}
static PyObject *api(PyObject *m, PyObject *unused) {
    PyObject *l = PyList_New(0), *d = PyDict_New(), *t, *k, *v, *s;
    Py_ssize_t pos = 0;
    for (int i = 0; i < 5; i++) { PyObject *n = PyLong_FromLong(i * i); PyList_Append(l, n); PyDict_SetItem(d, n, l); Py_DECREF(n); }
    PyList_Insert(l, 0, Py_True); PyList_SetSlice(l, 1, 3, NULL); PyList_Reverse(l);
    long sum = 0;
    while (PyDict_Next(d, &pos, &k, &v)) sum += PyLong_AsLong(k);
    t = PyList_AsTuple(l);
    s = PySet_New(t);
    PyObject *r = Py_BuildValue("NNnlNi", l, t, PyDict_Size(d), sum, PySequence_List(s), PySet_Contains(s, Py_True));
    Py_DECREF(d); Py_DECREF(s);
    return r;
}
static PyObject *dates(PyObject *m, PyObject *o) {
    if (!PyDateTime_Check(o)) { PyErr_SetString(PyExc_TypeError, "not a datetime"); return NULL; }
    PyObject *delta = PyDelta_FromDSU(1, 3600, 5), *later = PyNumber_Add(o, delta);
    PyObject *r = Py_BuildValue("iiiiNNN", PyDateTime_GET_YEAR(o), PyDateTime_GET_MONTH(o), PyDateTime_DATE_GET_HOUR(o), PyDateTime_DELTA_GET_SECONDS(delta), delta, later, PyDate_FromDate(2020, 2, 29));
    return r;
}
static void capsule_gone(PyObject *c) { PySys_WriteStdout("capsule %s gone\n", PyCapsule_GetName(c)); }
static int answer = 42;
static PyObject *capsule(PyObject *m, PyObject *o) { return PyCapsule_New(&answer, "c_types.answer", capsule_gone); }
static PyObject *open_capsule(PyObject *m, PyObject *o) { int *p = PyCapsule_GetPointer(o, "c_types.answer"); return p ? PyLong_FromLong(*p) : NULL; }
static PyObject *call_all(PyObject *m, PyObject *f) {
    PyObject *a = PyLong_FromLong(1), *b = PyUnicode_FromString("k"), *names = PyTuple_Pack(1, b), *stack[3] = {NULL, a, a}, *r = PyList_New(0), *x;
    PyObject *kw = Py_BuildValue("{s:i}", "k", 9), *args = Py_BuildValue("(ii)", 1, 2);
#define ADD(e) if (!(x = (e))) return NULL; PyList_Append(r, x); Py_DECREF(x)
    ADD(PyObject_CallNoArgs(f)); ADD(PyObject_CallOneArg(f, a)); ADD(PyObject_CallFunction(f, "is", 3, "x")); ADD(PyObject_CallFunctionObjArgs(f, a, b, NULL));
    ADD(PyObject_Vectorcall(f, stack + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, names)); ADD(PyObject_Call(f, args, kw)); ADD(PyObject_CallMethod(r, "__len__", NULL));
    ADD(PyObject_VectorcallDict(f, stack + 1, 2, kw)); ADD(PyObject_CallMethodObjArgs(b, PyUnicode_FromString("upper"), NULL));
    Py_DECREF(kw); Py_DECREF(args); Py_DECREF(names); Py_DECREF(a); Py_DECREF(b);
    return r;
}
static int pending(void *arg) { PyObject *l = arg; PyObject *n = PyUnicode_FromString("pending"); PyList_Append(l, n); Py_DECREF(n); Py_DECREF(l); return 0; }
static PyObject *add_pending(PyObject *m, PyObject *l) { Py_INCREF(l); return PyLong_FromLong(Py_AddPendingCall(pending, l)); }
static PyObject *thread_calls(PyObject *m, PyObject *f) {
    PyThreadState *save = PyEval_SaveThread();
    PyGILState_STATE st = PyGILState_Ensure();
    PyObject *r = PyObject_CallNoArgs(f);
    PyGILState_Release(st);
    PyEval_RestoreThread(save);
    return r;
}
static PyObject *returns_null(PyObject *m, PyObject *o) { return NULL; }
static PyObject *returns_with_error(PyObject *m, PyObject *o) { PyErr_SetString(PyExc_ValueError, "left behind"); Py_RETURN_NONE; }
static PyObject *buffer_info(PyObject *m, PyObject *o) {
    Py_buffer b;
    if (PyObject_GetBuffer(o, &b, PyBUF_FULL_RO) < 0) return NULL;
    PyObject *r = Py_BuildValue("nnisi", b.len, b.itemsize, b.ndim, b.format ? b.format : "-", b.readonly);
    PyBuffer_Release(&b);
    return r;
}
static PyObject *text(PyObject *m, PyObject *s) {
    if (!PyUnicode_Check(s)) { PyErr_BadArgument(); return NULL; }
    Py_ssize_t n; const char *u = PyUnicode_AsUTF8AndSize(s, &n);
    if (!u) return NULL;
    Py_UCS4 last = PyUnicode_GET_LENGTH(s) ? PyUnicode_READ_CHAR(s, PyUnicode_GET_LENGTH(s) - 1) : 0;
    return Py_BuildValue("niiks#", n, PyUnicode_KIND(s), PyUnicode_IS_ASCII(s), (unsigned long)last, u, n);
}
static PyMethodDef functions[] = {
    {"build", build, METH_NOARGS}, {"parse", (PyCFunction)(void (*)(void))parse, METH_VARARGS | METH_KEYWORDS, "parse(i, s='dflt')"}, {"fail", fail, METH_O}, {"api", api, METH_NOARGS},
    {"dates", dates, METH_O}, {"capsule", capsule, METH_NOARGS}, {"open_capsule", open_capsule, METH_O}, {"call_all", call_all, METH_O}, {"add_pending", add_pending, METH_O},
    {"thread_calls", thread_calls, METH_O}, {"returns_null", returns_null, METH_NOARGS}, {"returns_with_error", returns_with_error, METH_NOARGS}, {"buffer_info", buffer_info, METH_O},
    {"text", text, METH_O}, {0}};

static int exec(PyObject *m) {
    State *s = PyModule_GetState(m);
    PyDateTime_IMPORT;
    CountingDict_Type.tp_base = &PyDict_Type;
    FalseStr_Type.tp_base = &PyUnicode_Type;
    if (PyType_Ready(&CountingDict_Type) < 0 || PyType_Ready(&Vec_Type) < 0) return -1;
    FalseStr_Type.tp_as_number = &falsestr_number;
    if (PyType_Ready(&FalseStr_Type) < 0) return -1;
    s->error = PyErr_NewExceptionWithDoc("c_types.Error", "Something failed.", PyExc_ValueError, NULL);
    s->node = PyType_FromModuleAndSpec(m, &node_spec, NULL);
    if (PyModule_AddObjectRef(m, "Error", s->error) < 0 || PyModule_AddObjectRef(m, "Node", s->node) < 0) return -1;
    if (PyModule_AddType(m, &CountingDict_Type) < 0 || PyModule_AddType(m, &Vec_Type) < 0 || PyModule_AddType(m, &FalseStr_Type) < 0) return -1;
    return PyModule_AddIntConstant(m, "ANSWER", 42) || PyModule_AddStringConstant(m, "NAME", "c_types");
}
static int m_traverse(PyObject *m, visitproc visit, void *arg) { State *s = PyModule_GetState(m); if (s) { Py_VISIT(s->error); Py_VISIT(s->node); } return 0; }
static int m_clear(PyObject *m) { State *s = PyModule_GetState(m); if (s) { Py_CLEAR(s->error); Py_CLEAR(s->node); } return 0; }
static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_types", "Made by hand.", sizeof(State), functions, slots, m_traverse, m_clear, NULL};
PyMODINIT_FUNC PyInit_c_types(void) { return PyModuleDef_Init(&module); }
