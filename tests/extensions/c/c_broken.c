/* Classes whose slots, and calls of the C API whose arguments, break the rules: each has to end in a Python error. */
#include <Python.h>
#include <structmember.h>
typedef struct { PyObject_HEAD long v; } T;
static PyObject *null_repr(PyObject *s) { return NULL; }
static PyObject *int_repr(PyObject *s) { return PyLong_FromLong(3); }
static Py_hash_t bad_hash(PyObject *s) { return -1; }
static Py_hash_t err_hash(PyObject *s) { PyErr_SetString(PyExc_KeyError, "set"); return 5; }
static int bad_bool(PyObject *s) { return -1; }
static int err_bool(PyObject *s) { PyErr_SetString(PyExc_KeyError, "set"); return 1; }
static Py_ssize_t neg_len(PyObject *s) { return -5; }
static Py_ssize_t m1_len(PyObject *s) { return -1; }
static Py_ssize_t err_len(PyObject *s) { PyErr_SetString(PyExc_KeyError, "set"); return 5; }
static PyObject *null_bin(PyObject *a, PyObject *b) { return NULL; }
static PyObject *err_bin(PyObject *a, PyObject *b) { PyErr_SetString(PyExc_KeyError, "set"); return PyLong_FromLong(5); }
static PyObject *null_un(PyObject *a) { return NULL; }
static PyObject *err_un(PyObject *a) { PyErr_SetString(PyExc_KeyError, "set"); return PyLong_FromLong(5); }
static PyObject *null_rich(PyObject *a, PyObject *b, int op) { return NULL; }
static PyObject *err_rich(PyObject *a, PyObject *b, int op) { PyErr_SetString(PyExc_KeyError, "set"); Py_RETURN_TRUE; }
static PyObject *nonit(PyObject *s) { return PyLong_FromLong(3); }
static PyObject *null_iter(PyObject *s) { return NULL; }
static PyObject *self_iter(PyObject *s) { Py_INCREF(s); return s; }
static PyObject *err_next(PyObject *s) { PyErr_SetString(PyExc_KeyError, "set"); return PyLong_FromLong(5); }
static PyObject *null_call(PyObject *s, PyObject *a, PyObject *k) { return NULL; }
static PyObject *err_call(PyObject *s, PyObject *a, PyObject *k) { PyErr_SetString(PyExc_KeyError, "set"); Py_RETURN_NONE; }
static PyObject *null_getattr(PyObject *s, PyObject *n) { return NULL; }
static int bad_setattr(PyObject *s, PyObject *n, PyObject *v) { return -1; }
static PyObject *err_getattr(PyObject *s, PyObject *n) { PyErr_SetString(PyExc_KeyError, "set"); Py_RETURN_NONE; }
static PyObject *null_new(PyTypeObject *t, PyObject *a, PyObject *k) { return NULL; }
static PyObject *other_new(PyTypeObject *t, PyObject *a, PyObject *k) { return PyLong_FromLong(7); }
static int bad_init(PyObject *s, PyObject *a, PyObject *k) { return -1; }
static int err_init(PyObject *s, PyObject *a, PyObject *k) { PyErr_SetString(PyExc_KeyError, "set"); return 0; }
static int bad_contains(PyObject *s, PyObject *x) { return -1; }
static PyObject *null_item(PyObject *s, Py_ssize_t i) { return NULL; }
static PyObject *null_sub(PyObject *s, PyObject *i) { return NULL; }
static int bad_ass(PyObject *s, PyObject *i, PyObject *v) { return -1; }
static int bad_buf(PyObject *s, Py_buffer *b, int f) { b->obj = NULL; return -1; }
static int err_buf(PyObject *s, Py_buffer *b, int f) { b->obj = NULL; PyErr_SetString(PyExc_BufferError, "no buffer"); return -1; }
static int lie_buf(PyObject *s, Py_buffer *b, int f) { memset(b, 0, sizeof *b); b->buf = "abc"; b->len = 3; b->itemsize = 1; b->readonly = 1; b->ndim = 1; b->format = "?!"; b->obj = NULL; return 0; }
static int obj_buf(PyObject *s, Py_buffer *b, int f) { return PyBuffer_FillInfo(b, s, "abcdef", -3, 1, f); }
static PyObject *null_get(PyObject *s, void *c) { return NULL; }
static PyObject *err_get(PyObject *s, void *c) { PyErr_SetString(PyExc_KeyError, "set"); Py_RETURN_NONE; }
static int bad_set(PyObject *s, PyObject *v, void *c) { return -1; }
static PyGetSetDef gs[] = {{"null", null_get, bad_set}, {"err", err_get, NULL}, {0}};
static PyObject *desc_null(PyObject *d, PyObject *o, PyObject *t) { return NULL; }
static PyObject *m_null(PyObject *s, PyObject *a) { return NULL; }
static PyObject *m_err(PyObject *s, PyObject *a) { PyErr_SetString(PyExc_KeyError, "set"); Py_RETURN_NONE; }
static PyObject *m_fast(PyObject *s, PyObject *const *a, Py_ssize_t n) { return NULL; }
static PyObject *m_index(PyObject *s) { return PyFloat_FromDouble(2.5); }
static PyObject *m_float(PyObject *s) { return PyLong_FromLong(2); }
static PyMethodDef me[] = {{"m_null", m_null, METH_NOARGS}, {"m_o", m_null, METH_O}, {"m_v", m_null, METH_VARARGS}, {"m_fast", (PyCFunction)(void*)m_fast, METH_FASTCALL}, {"m_err", m_err, METH_NOARGS}, {"m_err_o", m_err, METH_O}, {"m_err_v", m_err, METH_VARARGS}, {0}};
#define N(...) &(PyNumberMethods){__VA_ARGS__}
#define S(...) &(PySequenceMethods){__VA_ARGS__}
#define M(...) &(PyMappingMethods){__VA_ARGS__}
#define B(...) &(PyBufferProcs){__VA_ARGS__}
#define TY(name, ...) static PyTypeObject name = {PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "c_broken." #name, .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, .tp_new = PyType_GenericNew, __VA_ARGS__}
TY(Repr, .tp_repr = null_repr); TY(IntRepr, .tp_repr = int_repr, .tp_str = int_repr); TY(Hash, .tp_hash = bad_hash); TY(ErrHash, .tp_hash = err_hash);
TY(Bool, .tp_as_number = N(.nb_bool = bad_bool)); TY(ErrBool, .tp_as_number = N(.nb_bool = err_bool));
TY(Len, .tp_as_sequence = S(.sq_length = neg_len)); TY(LenM, .tp_as_sequence = S(.sq_length = m1_len)); TY(ErrLen, .tp_as_sequence = S(.sq_length = err_len));
TY(MLen, .tp_as_mapping = M(.mp_length = neg_len, .mp_subscript = null_sub, .mp_ass_subscript = bad_ass));
TY(Num, .tp_as_number = N(.nb_add = null_bin, .nb_subtract = err_bin, .nb_negative = null_un, .nb_positive = err_un, .nb_index = m_index, .nb_float = m_float, .nb_int = m_index, .nb_inplace_add = null_bin, .nb_inplace_subtract = err_bin));
TY(Rich, .tp_richcompare = null_rich); TY(ErrRich, .tp_richcompare = err_rich);
TY(NonIter, .tp_iter = nonit); TY(NullIter, .tp_iter = null_iter); TY(ErrNext, .tp_iter = self_iter, .tp_iternext = err_next);
TY(Call, .tp_call = null_call); TY(ErrCall, .tp_call = err_call);
TY(Attr, .tp_getattro = null_getattr, .tp_setattro = bad_setattr); TY(ErrAttr, .tp_getattro = err_getattr);
static PyTypeObject New, Other, Init, ErrInit;
TY(Seq, .tp_as_sequence = S(.sq_contains = bad_contains, .sq_item = null_item, .sq_length = m1_len));
TY(Buf, .tp_as_buffer = B(.bf_getbuffer = bad_buf)); TY(ErrBuf, .tp_as_buffer = B(.bf_getbuffer = err_buf)); TY(Lie, .tp_as_buffer = B(.bf_getbuffer = lie_buf)); TY(Obj, .tp_as_buffer = B(.bf_getbuffer = obj_buf));
TY(Get, .tp_getset = gs, .tp_methods = (PyMethodDef[]){{"m_null", m_null, METH_NOARGS}, {"m_o", m_null, METH_O}, {"m_v", m_null, METH_VARARGS}, {"m_fast", (PyCFunction)(void*)m_fast, METH_FASTCALL}, {"m_err", m_err, METH_NOARGS}, {"m_err_o", m_err, METH_O}, {"cls", m_null, METH_NOARGS | METH_CLASS}, {"stat", m_null, METH_NOARGS | METH_STATIC}, {0}}); TY(Desc, .tp_descr_get = desc_null);
static PyTypeObject New = {PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "c_broken.New", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = null_new};
static PyTypeObject Other = {PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "c_broken.Other", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = other_new};
static PyTypeObject Init = {PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "c_broken.Init", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = PyType_GenericNew, .tp_init = bad_init};
static PyTypeObject ErrInit = {PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "c_broken.ErrInit", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = PyType_GenericNew, .tp_init = err_init};
static PyObject *spec(PyObject *s, PyObject *a) {
  long n = PyLong_AsLong(a);
  static PyMemberDef offs[] = {{"__dictoffset__", T_PYSSIZET, 16, READONLY}, {0}};
  static PyType_Slot unknown[] = {{9999, NULL}, {0}}, negative[] = {{-3, NULL}, {0}}, dup[] = {{Py_tp_repr, null_repr}, {Py_tp_repr, int_repr}, {0}}, none[] = {{0}}, mem[] = {{Py_tp_members, offs}, {0}}, nullslot[] = {{Py_tp_repr, NULL}, {0}}, base[] = {{Py_tp_base, NULL}, {0}}, bases[] = {{Py_tp_bases, NULL}, {0}}, docs[] = {{Py_tp_doc, (void*)"x($self)\n--\n\nfoo"}, {0}};
  PyType_Spec sp[] = {{"c_broken.A", sizeof(T), 0, Py_TPFLAGS_DEFAULT, unknown}, {"c_broken.B", sizeof(T), 0, Py_TPFLAGS_DEFAULT, negative}, {"c_broken.C", sizeof(T), 0, Py_TPFLAGS_DEFAULT, dup}, {"NoModule", sizeof(T), 0, Py_TPFLAGS_DEFAULT, none}, {"c_broken.D", 4, 0, Py_TPFLAGS_DEFAULT, none}, {NULL, sizeof(T), 0, Py_TPFLAGS_DEFAULT, none}, {"c_broken.E", sizeof(T), 0, Py_TPFLAGS_DEFAULT, mem}, {"c_broken.F", sizeof(T), 0, Py_TPFLAGS_DEFAULT, nullslot}, {"c_broken.G", sizeof(T), 0, Py_TPFLAGS_DEFAULT|Py_TPFLAGS_HAVE_GC, none}, {"c_broken.H", 0, 0, Py_TPFLAGS_DEFAULT, docs}, {"c_broken.I", -4, 0, Py_TPFLAGS_DEFAULT, none}, {"c_broken.J", sizeof(T), -1, Py_TPFLAGS_DEFAULT, none}, {"", sizeof(T), 0, Py_TPFLAGS_DEFAULT, none}, {"c_broken.", sizeof(T), 0, Py_TPFLAGS_DEFAULT, none}, {"a.b.c.K", sizeof(T), 0, Py_TPFLAGS_DEFAULT, none}};
  return PyType_FromSpec(&sp[n]);
}
static PyObject *spec_bases(PyObject *s, PyObject *a) {
  static PyType_Slot none[] = {{0}}; PyType_Spec sp = {"c_broken.SB", sizeof(T), 0, Py_TPFLAGS_DEFAULT, none};
  return PyType_FromSpecWithBases(&sp, a);
}
static PyObject *bad_args0(PyObject *s, PyObject *a) {
  switch (PyLong_AsLong(a)) {
  case 0: return PyList_GetItem(Py_None, 0); case 1: return PyTuple_GetItem(Py_None, 0); case 2: return PyDict_GetItemWithError(Py_None, Py_None);
  case 3: return PyLong_FromLong(PyDict_SetItem(Py_None, Py_None, Py_None)); case 4: return PyUnicode_Concat(Py_None, Py_None); case 5: return PyLong_FromLong(PyList_Append(Py_None, Py_None));
  case 6: return PyObject_GetAttr(a, a); case 7: return PyObject_CallNoArgs(a); case 8: return PyLong_FromSsize_t(PyObject_Length(a)); case 9: return PyLong_FromVoidPtr((void*)PyUnicode_AsUTF8(a));
  case 10: return PyLong_FromVoidPtr(PyBytes_AsString(a)); case 11: return PyImport_ImportModule("no.such.module"); case 12: return PyErr_Format(NULL, "x"); case 13: PyErr_SetObject(Py_None, a); return NULL;
  case 14: PyErr_SetString((PyObject*)&PyLong_Type, "not an exception"); return NULL; case 15: return Py_BuildValue("(i"); case 16: return Py_BuildValue("?", 1); case 17: { int i; if (!PyArg_ParseTuple(a, "i", &i)) return NULL; Py_RETURN_NONE; }
  case 18: { int i; PyObject *t = PyTuple_Pack(1, a); int r = PyArg_ParseTuple(t, "?", &i); Py_DECREF(t); if (!r) return NULL; Py_RETURN_NONE; }
  case 19: return PyCapsule_New(NULL, "x", NULL); case 20: { PyObject *c = PyCapsule_New("a", "x", NULL); void *p = PyCapsule_GetPointer(c, "y"); Py_DECREF(c); return PyLong_FromVoidPtr(p); }
  case 21: return PyLong_FromLong(PyObject_IsInstance(a, a)); case 22: return PyObject_Call(a, NULL, NULL) ; case 23: return PyUnicode_FromFormat("%y", 1); case 24: return PyUnicode_FromStringAndSize("abc", -1); case 25: return PyBytes_FromStringAndSize("abc", -1);
  case 26: return PyList_New(-1); case 27: return PyTuple_New(-1); case 28: return PyLong_FromString("12z", NULL, 10); case 29: return PyLong_FromString("12", NULL, 99); case 30: return PyUnicode_New(5, 0x110000 + 5); case 31: return PyUnicode_FromOrdinal(0x110000);
  case 32: return PyFloat_FromString(a); case 33: return PyLong_FromDouble(1e400); case 34: return PyLong_FromLong(PySys_SetObject(NULL, a)); case 35: return PyModule_GetDict(a); case 36: return PyLong_FromLong(PyModule_AddObject(a, "x", a)); case 37: return PyLong_FromVoidPtr(PyModule_GetState(a));
  case 38: return PyWeakref_NewRef(a, NULL); case 39: return PySequence_Fast(a, "my message"); case 40: return PyObject_Format(a, a); case 41: return PyNumber_Add(a, Py_None); case 42: return PyNumber_ToBase(a, 7); case 43: return PySequence_GetItem(a, 0); case 44: return PyMapping_Keys(a); case 45: return PyIter_Next(PyList_New(0)) ;
  case 46: return PyMemoryView_FromObject(a); case 47: return PySet_New(a); case 48: return PyLong_FromLong(PySet_Add(a, a)); case 49: return PyLong_FromLong(PyList_SetItem(a, 0, NULL)); case 50: return PyLong_FromLong(PyList_Sort(a)); case 51: return PySlice_New(NULL, NULL, NULL); case 52: return PyUnicode_Join(a, a); case 53: return PyUnicode_Substring(PyUnicode_FromString("abc"), -1, 2); case 54: return PyLong_FromLong(PyUnicode_ReadChar(PyUnicode_FromString("abc"), 7)); case 55: return PyMethod_New(a, NULL); case 56: return PyCFunction_New(NULL, NULL) ; case 57: return PyStaticMethod_New(a); case 58: return PyObject_GetIter(a); case 59: return PyErr_NewException("nodot", NULL, NULL); case 60: return PyUnicode_DecodeUTF8("\xff", 1, "nope"); case 61: return PyUnicode_Decode("a", 1, "nope", NULL); case 62: return PyCodec_Encode(a, "nope", NULL); case 63: return PyImport_AddModule("fresh_one"); case 64: return PyLong_FromLong(PyObject_AsFileDescriptor(a)); case 65: return PyFile_GetLine(a, 0); case 66: return PyLong_FromLong(PyObject_SetAttrString(a, "zz", a)); case 67: return PyLong_FromLong(PyObject_DelItem(a, a)); case 68: return PyDict_Keys(a); case 69: return PyLong_FromLong(PyDict_Merge(a, a, 1));
  }
  Py_RETURN_NONE;
}
static PyObject *bad_args(PyObject *s, PyObject *a) { PyObject *r = bad_args0(s, a); if (r && PyErr_Occurred()) { Py_DECREF(r); return NULL; } return r; }
static PyMethodDef fns[] = {{"spec", spec, METH_O}, {"spec_bases", spec_bases, METH_O}, {"bad_args", bad_args, METH_O}, {"m_null", m_null, METH_NOARGS}, {"m_o", m_null, METH_O}, {"m_v", m_null, METH_VARARGS}, {"m_fast", (PyCFunction)(void*)m_fast, METH_FASTCALL}, {"m_err", m_err, METH_NOARGS}, {"m_err_o", m_err, METH_O}, {0}};
static PyModuleDef def = {PyModuleDef_HEAD_INIT, "c_broken", NULL, -1, fns};
#define ADD(n) if (PyType_Ready(&n) < 0 || PyModule_AddObjectRef(m, #n, (PyObject *)&n) < 0) return NULL;
PyMODINIT_FUNC PyInit_c_broken(void) { PyObject *m = PyModule_Create(&def);
ADD(Repr) ADD(IntRepr) ADD(Hash) ADD(ErrHash) ADD(Bool) ADD(ErrBool) ADD(Len) ADD(LenM) ADD(ErrLen) ADD(MLen) ADD(Num) ADD(Rich) ADD(ErrRich) ADD(NonIter) ADD(NullIter) ADD(ErrNext) ADD(Call) ADD(ErrCall) ADD(Attr) ADD(ErrAttr) ADD(Seq) ADD(Buf) ADD(ErrBuf) ADD(Lie) ADD(Obj) ADD(Get) ADD(Desc) ADD(New) ADD(Other) ADD(Init) ADD(ErrInit)
return m; }

/* Modules and classes that cannot be made. */
#define MOD(n) static PyModuleDef def_##n = {PyModuleDef_HEAD_INIT, #n, NULL, -1, NULL};
#define TYP(n, ...) MOD(n) static PyTypeObject t_##n = {PyVarObject_HEAD_INIT(NULL, 0) __VA_ARGS__}; PyMODINIT_FUNC PyInit_##n(void) { PyObject *m = PyModule_Create(&def_##n); if (!m) return NULL; if (PyType_Ready(&t_##n) < 0) { Py_DECREF(m); return NULL; } PyModule_AddObjectRef(m, "T", (PyObject *)&t_##n); return m; }
static int trav(PyObject *o, visitproc v, void *a) { return 0; }
TYP(noname, .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT)
TYP(gcnotrav, .tp_name = "x.T", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC)
TYP(small, .tp_name = "x.T", .tp_basicsize = 8, .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = PyType_GenericNew)
TYP(zero, .tp_name = "x.T", .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = PyType_GenericNew)
TYP(small_dict, .tp_name = "x.T", .tp_basicsize = 16, .tp_base = &PyDict_Type, .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = PyType_GenericNew)
TYP(nobase, .tp_name = "x.T", .tp_basicsize = sizeof(T), .tp_base = &PyBool_Type, .tp_flags = Py_TPFLAGS_DEFAULT)
TYP(vcall, .tp_name = "x.T", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL)
TYP(seqmap, .tp_name = "x.T", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING)
TYP(nulldealloc, .tp_name = "x.T", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = PyType_GenericNew, .tp_dealloc = NULL)
static PyMethodDef badf[] = {{"a", (PyCFunction)trav, METH_O | METH_NOARGS}, {0}}; static PyMethodDef cs[] = {{"a", (PyCFunction)trav, METH_NOARGS | METH_CLASS | METH_STATIC}, {0}};
TYP(clsstat, .tp_name = "x.T", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_methods = cs)
TYP(badflag, .tp_name = "x.T", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_methods = badf)
static PyMemberDef bm[] = {{"m", 99, 16, 0}, {0}};
TYP(badmember, .tp_name = "x.T", .tp_basicsize = sizeof(T), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = PyType_GenericNew, .tp_members = bm)
static PyModuleDef def_mflag = {PyModuleDef_HEAD_INIT, "mflag", NULL, -1, badf}; PyMODINIT_FUNC PyInit_mflag(void) { return PyModule_Create(&def_mflag); }
static PyModuleDef def_mcls = {PyModuleDef_HEAD_INIT, "mcls", NULL, -1, cs}; PyMODINIT_FUNC PyInit_mcls(void) { return PyModule_Create(&def_mcls); }
static PyModuleDef def_negsize = {PyModuleDef_HEAD_INIT, "negsize", NULL, -1, NULL, (PyModuleDef_Slot[]){{0}}}; PyMODINIT_FUNC PyInit_negsize(void) { return PyModuleDef_Init(&def_negsize); }
static PyModuleDef def_slotcreate = {PyModuleDef_HEAD_INIT, "slotcreate", NULL, -1, NULL, (PyModuleDef_Slot[]){{0}}}; PyMODINIT_FUNC PyInit_slotcreate(void) { return PyModule_Create(&def_slotcreate); }
static PyObject *cre(PyObject *s, PyModuleDef *d) { return NULL; } static PyObject *cre2(PyObject *s, PyModuleDef *d) { return PyLong_FromLong(3); } static PyObject *cre3(PyObject *s, PyModuleDef *d) { PyErr_SetString(PyExc_KeyError, "x"); return PyLong_FromLong(3); }
static int ex0(PyObject *m) { PyErr_SetString(PyExc_KeyError, "left"); return 0; }
#define MULTI(n, size, ...) static PyModuleDef_Slot s_##n[] = {__VA_ARGS__, {0}}; static PyModuleDef def_##n = {PyModuleDef_HEAD_INIT, #n, NULL, size, NULL, s_##n}; PyMODINIT_FUNC PyInit_##n(void) { return PyModuleDef_Init(&def_##n); }
MULTI(twocreate, 0, {Py_mod_create, cre}, {Py_mod_create, cre}) MULTI(nullcreate, 0, {Py_mod_create, cre}) MULTI(intcreate, 0, {Py_mod_create, cre2}) MULTI(errcreate, 0, {Py_mod_create, cre3}) MULTI(execleft, 0, {Py_mod_exec, ex0}) MULTI(intexec, 8, {Py_mod_create, cre2}, {Py_mod_exec, ex0}) MULTI(negslot, 0, {-1, NULL})
PyMODINIT_FUNC PyInit_nulldef(void) { return PyModuleDef_Init(NULL); }
PyMODINIT_FUNC PyInit_oldabi(void) { MOD(oldabi) return PyModule_Create2(&def_oldabi, 3); }
PyMODINIT_FUNC PyInit_uninit(void) { MOD(uninit) return (PyObject *)&def_uninit; }
PyMODINIT_FUNC PyInit_str(void) { return PyUnicode_FromString("x"); }
PyMODINIT_FUNC PyInit_none(void) { Py_RETURN_NONE; }
PyMODINIT_FUNC PyInit_raises_and_module(void) { MOD(ram) PyErr_SetString(PyExc_ValueError, "v"); return PyModule_Create(&def_ram); }
PyMODINIT_FUNC PyInitU_caf_dma(void) { MOD(u) return PyModule_Create(&def_u); }
