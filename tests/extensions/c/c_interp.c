/* Interpreters beside the main one, as a program that embeds them makes them; modules with state of three kinds; strings filled in later. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <wchar.h>

static PyObject *in_new(PyObject *m, PyObject *texts) {
    PyThreadState *save = PyThreadState_Get();
    PyInterpreterState *main = PyInterpreterState_Get();
    PyThreadState *ts = Py_NewInterpreter();
    if (!ts)
        return PyErr_NoMemory();
    int other = PyInterpreterState_Get() != main && PyThreadState_GetInterpreter(ts) == PyInterpreterState_Get();
    int first = PyInterpreterState_ThreadHead(PyInterpreterState_Get()) == ts && !PyThreadState_Next(ts);
    int failed = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(texts); i++)
        failed += PyRun_SimpleString(PyUnicode_AsUTF8(PyTuple_GET_ITEM(texts, i))) != 0;
    PyObject *d = PyInterpreterState_GetDict(PyInterpreterState_Get());
    int empty = d && PyDict_Size(d) == 0;
    Py_EndInterpreter(ts);
    PyThreadState_Swap(save);
    return Py_BuildValue("(iiii)", other, first, empty, failed);
}

/* Two interpreters by turns. */
static PyObject *turns(PyObject *m, PyObject *none) {
    PyThreadState *save = PyThreadState_Get(), *a = Py_NewInterpreter(), *b = Py_NewInterpreter();
    PyRun_SimpleString("import sys; who = 'b'; sys.x = 1");
    PyThreadState_Swap(a);
    PyRun_SimpleString("import sys; who = 'a'; print(hasattr(sys, 'x'))");
    for (int i = 0; i < 3; i++) {
        PyThreadState_Swap(i % 2 ? a : b);
        PyRun_SimpleString("print(who, end=' ')");
    }
    PyRun_SimpleString("print(flush=True)");
    Py_EndInterpreter(b);
    PyThreadState_Swap(a);
    PyRun_SimpleString("print(who, flush=True)");
    Py_EndInterpreter(a);
    PyThreadState_Swap(save);
    Py_RETURN_NONE;
}

struct job {
    PyInterpreterState *interp;
    const char *text;
};
static void *work(void *p) {
    struct job *j = p;
    PyThreadState *ts = PyThreadState_New(j->interp);
    PyEval_AcquireThread(ts);
    PyRun_SimpleString(j->text);
    PyThreadState_Clear(ts);
    PyThreadState_DeleteCurrent();
    return NULL;
}
/* Native threads that run in an interpreter of their starter's. */
static PyObject *threaded(PyObject *m, PyObject *text) {
    struct job j = {NULL, PyUnicode_AsUTF8(text)};
    PyThreadState *save = PyThreadState_Get(), *ts = Py_NewInterpreter();
    j.interp = ts->interp;
    PyRun_SimpleString("total = 0\nimport threading");
    PyEval_SaveThread();
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, work, &j);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    PyEval_RestoreThread(ts);
    PyRun_SimpleString("print(total, flush=True)");
    Py_EndInterpreter(ts);
    PyThreadState_Swap(save);
    Py_RETURN_NONE;
}

static PyObject *bare(PyObject *m, PyObject *none) {
    int before = 0, during = 0;
    for (PyInterpreterState *i = PyInterpreterState_Head(); i; i = PyInterpreterState_Next(i))
        before++;
    PyThreadState *save = PyThreadState_Get(), *ts = Py_NewInterpreter();
    for (PyInterpreterState *i = PyInterpreterState_Head(); i; i = PyInterpreterState_Next(i))
        during++;
    int newest = PyInterpreterState_Head() == ts->interp, last = PyInterpreterState_Next(ts->interp) == PyInterpreterState_Main();
    Py_EndInterpreter(ts);
    PyThreadState_Swap(save);
    return Py_BuildValue("(iiiiL)", before, during, newest, last, PyInterpreterState_GetID(PyInterpreterState_Main()));
}

static PyObject *to_send(PyObject *m, PyObject *o) {
    _PyCrossInterpreterData d;
    if (_PyObject_GetCrossInterpreterData(o, &d) < 0)
        return NULL;
    PyObject *new = _PyCrossInterpreterData_NewObject(&d);
    _PyCrossInterpreterData_Release(&d);
    return new ? Py_BuildValue("(Ni)", new, new != o) : NULL;
}

/* A string that is made first and filled in then. */
static PyObject *legacy(PyObject *m, PyObject *text) {
    Py_ssize_t n;
    wchar_t *w = PyUnicode_AsWideCharString(text, &n);
    PyObject *s = PyUnicode_FromUnicode(NULL, n);
    if (!s)
        return NULL;
    memcpy(PyUnicode_AS_UNICODE(s), w, n * sizeof(wchar_t));
    PyMem_Free(w);
    return s;
}
static PyObject *ready(PyObject *m, PyObject *text) {
    PyObject *s = legacy(m, text);
    if (!s)
        return NULL;
    int before = PyUnicode_IS_READY(s), r = PyUnicode_READY(s);
    return Py_BuildValue("(iiiiNn)", before, r, PyUnicode_KIND(s), PyUnicode_IS_ASCII(s), s, PyUnicode_GET_LENGTH(s));
}
static PyObject *wide(PyObject *m, PyObject *text) {
    Py_ssize_t n;
    const wchar_t *w = PyUnicode_AsUnicodeAndSize(text, &n);
    return w ? PyUnicode_FromWideChar(w, n) : NULL;
}

static PyMethodDef functions[] = {
    {"in_new", in_new, METH_VARARGS}, {"turns", turns, METH_NOARGS}, {"threaded", threaded, METH_O}, {"bare", bare, METH_NOARGS},
    {"to_send", to_send, METH_O}, {"legacy", legacy, METH_O}, {"ready", ready, METH_O}, {"wide", wide, METH_O}, {NULL},
};
static struct PyModuleDef c_interp = {PyModuleDef_HEAD_INIT, "c_interp", NULL, 0, functions};
PyMODINIT_FUNC PyInit_c_interp(void) { return PyModule_Create(&c_interp); }

/* ---- modules with state: one phase with a size, one phase for all interpreters, two phases ---- */
struct counter {
    long n;
};
static PyObject *count(PyObject *m, PyObject *none) { return PyLong_FromLong(++((struct counter *)PyModule_GetState(m))->n); }
static PyMethodDef counting[] = {{"count", count, METH_NOARGS}, {NULL}};
static struct PyModuleDef sized;
static PyObject *found(PyObject *m, PyObject *none) { return PyBool_FromLong(PyState_FindModule(&sized) == m); }
static PyMethodDef sized_functions[] = {{"count", count, METH_NOARGS}, {"found", found, METH_NOARGS}, {NULL}};
static struct PyModuleDef sized = {PyModuleDef_HEAD_INIT, "c_interp_sized", "state", sizeof(struct counter), sized_functions};
PyMODINIT_FUNC PyInit_c_interp_sized(void) {
    PyObject *m = PyModule_Create(&sized);
    PyModule_AddIntConstant(m, "number", 7);
    return m;
}

static int inits;
static PyObject *once_count(PyObject *m, PyObject *none) {
    static long n;
    return Py_BuildValue("(li)", ++n, inits);
}
static PyMethodDef once_functions[] = {{"count", once_count, METH_NOARGS}, {NULL}};
static struct PyModuleDef once = {PyModuleDef_HEAD_INIT, "c_interp_once", NULL, -1, once_functions};
PyMODINIT_FUNC PyInit_c_interp_once(void) {
    inits++;
    PyObject *m = PyModule_Create(&once);
    PyModule_AddObject(m, "list", PyList_New(0));
    return m;
}

static int fill(PyObject *m) { return PyModule_AddIntConstant(m, "filled", 1); }
static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill}, {0, NULL}};
static struct PyModuleDef phases = {PyModuleDef_HEAD_INIT, "c_interp_phases", NULL, sizeof(struct counter), counting, slots};
PyMODINIT_FUNC PyInit_c_interp_phases(void) { return PyModuleDef_Init(&phases); }
