// C++ against the C API: static initialisers, objects of threads, calls from foreign threads, exceptions through the interpreter.
#include <Python.h>
#include <structmember.h>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct Gil {
    PyGILState_STATE state = PyGILState_Ensure();
    ~Gil() { PyGILState_Release(state); }
};

class Ref {
    PyObject *p;
public:
    explicit Ref(PyObject *p) : p(p) {}
    Ref(const Ref &) = delete;
    ~Ref() { Py_XDECREF(p); }
    operator PyObject *() const { return p; }
};

// Made while the library is loaded.
static struct Static {
    PyObject *dict;
    Static()
    {
        Gil gil;
        dict = PyDict_New();
        PyDict_SetItemString(dict, "answer", Ref(PyLong_FromLong(42)));
    }
} at_load;

// Released when its thread ends, which needs a state of its own.
static thread_local struct OfThread {
    PyObject *list = nullptr;
    ~OfThread()
    {
        if (list) {
            Gil gil;
            Py_CLEAR(list);
        }
    }
} of_thread;

static PyObject *made_at_load(PyObject *, PyObject *) { return Py_NewRef(at_load.dict); }

// threads(f, n, k): the sum of f(i, j), and how many raised.
static PyObject *threads(PyObject *, PyObject *args)
{
    PyObject *f;
    int n, k;
    if (!PyArg_ParseTuple(args, "Oii", &f, &n, &k)) return nullptr;
    std::vector<std::thread> all;
    long total = 0;
    int raised = 0;
    Py_BEGIN_ALLOW_THREADS
    for (int i = 0; i < n; i++) all.emplace_back([&, i] {
        for (int j = 0; j < k; j++) {
            Gil gil;
            if (!of_thread.list) of_thread.list = PyList_New(0);
            Ref a(PyLong_FromLong(i)), b(PyLong_FromLong(j)), r(PyObject_CallFunctionObjArgs(f, (PyObject *)a, (PyObject *)b, nullptr));
            if (r) {
                total += PyLong_AsLong(r);
                PyList_Append(of_thread.list, r);
            } else {
                PyErr_Clear();
                raised++;
            }
        }
    });
    for (auto &t : all) t.join();
    Py_END_ALLOW_THREADS
    return Py_BuildValue("li", total, raised);
}

// A thread with a state made by hand.
static PyObject *own_state(PyObject *, PyObject *f)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    PyObject *result = nullptr;
    Py_BEGIN_ALLOW_THREADS
    std::thread([&] {
        PyThreadState *ts = PyThreadState_New(interpreter);
        PyEval_AcquireThread(ts);
        result = PyObject_CallNoArgs(f);
        if (!result) PyErr_Print();
        PyThreadState_Clear(ts);
        PyThreadState_DeleteCurrent();
    }).join();
    Py_END_ALLOW_THREADS
    return result ? result : Py_NewRef(Py_None);
}

static PyObject *pending(PyObject *, PyObject *f)
{
    auto run = [](void *p) {
        Ref f((PyObject *)p), r(PyObject_CallNoArgs(f));
        return r ? 0 : -1;
    };
    return PyLong_FromLong(Py_AddPendingCall(run, Py_NewRef(f)));
}

// Exceptions of C++: thrown by one function, caught by another further up. What lies between is walked over.
static PyObject *throws(PyObject *, PyObject *) { throw std::runtime_error("from C++"); }

static PyObject *catches(PyObject *, PyObject *args)
{
    PyObject *f, *rest;
    if (!PyArg_ParseTuple(args, "OO", &f, &rest)) return nullptr;
    struct Count {
        int &n;
        ~Count() { n++; }
    };
    int cleaned = 0;
    try {
        Count count{cleaned};
        return PyObject_CallObject(f, rest);
    } catch (const std::exception &e) {
        return PyErr_Format(PyExc_RuntimeError, "caught: %s (%d)", e.what(), cleaned);
    }
}

// A type whose attributes are in a C++ map: cycles through it are collected.
struct Node {
    PyObject_HEAD
    std::map<std::string, PyObject *> *all;
    PyObject *weak;
};

static PyObject *node_new(PyTypeObject *t, PyObject *, PyObject *)
{
    Node *n = (Node *)t->tp_alloc(t, 0);
    if (n) n->all = new std::map<std::string, PyObject *>;
    return (PyObject *)n;
}
static int node_traverse(Node *n, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(n));
    for (auto &one : *n->all) Py_VISIT(one.second);
    return 0;
}
static int node_clear(Node *n)
{
    auto gone = std::move(*n->all);
    n->all->clear();
    for (auto &one : gone) Py_DECREF(one.second);
    return 0;
}
static void node_dealloc(Node *n)
{
    PyObject_GC_UnTrack(n);
    if (n->weak) PyObject_ClearWeakRefs((PyObject *)n);
    node_clear(n);
    delete n->all;
    PyTypeObject *t = Py_TYPE(n);
    t->tp_free(n);
    Py_DECREF(t);
}
static PyObject *node_get(Node *n, PyObject *name)
{
    auto i = n->all->find(PyUnicode_AsUTF8(name));
    return i == n->all->end() ? PyObject_GenericGetAttr((PyObject *)n, name) : Py_NewRef(i->second);
}
static int node_set(Node *n, PyObject *name, PyObject *value)
{
    const char *key = PyUnicode_AsUTF8(name);
    if (!value && !n->all->count(key)) {
        PyErr_SetObject(PyExc_AttributeError, name);
        return -1;
    }
    Ref old((*n->all)[key]);
    if (value) (*n->all)[key] = Py_NewRef(value);
    else n->all->erase(key);
    return 0;
}

static PyMemberDef members[] = {{"__weaklistoffset__", T_PYSSIZET, offsetof(Node, weak), READONLY}, {nullptr}};
static PyType_Slot slots[] = {
    {Py_tp_new, (void *)node_new}, {Py_tp_traverse, (void *)node_traverse}, {Py_tp_clear, (void *)node_clear},
    {Py_tp_dealloc, (void *)node_dealloc}, {Py_tp_getattro, (void *)node_get}, {Py_tp_setattro, (void *)node_set},
    {Py_tp_members, members}, {0, nullptr}};
static PyType_Spec spec = {"cpp_sample.Node", sizeof(Node), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
// A dictionary of its own, with the getter and setter that the C API has for it.
struct Bag {
    PyObject_HEAD
    PyObject *dict;
};
static int bag_traverse(Bag *b, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(b));
    Py_VISIT(b->dict);
    return 0;
}
static int bag_clear(Bag *b)
{
    Py_CLEAR(b->dict);
    return 0;
}
static void bag_dealloc(Bag *b)
{
    PyObject_GC_UnTrack(b);
    bag_clear(b);
    PyTypeObject *t = Py_TYPE(b);
    t->tp_free(b);
    Py_DECREF(t);
}
static PyMemberDef bag_members[] = {{"__dictoffset__", T_PYSSIZET, offsetof(Bag, dict), READONLY}, {nullptr}};
static PyGetSetDef bag_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict}, {"nowhere", PyObject_GenericGetDict, PyObject_GenericSetDict}, {nullptr}};
static PyType_Slot bag_slots[] = {
    {Py_tp_traverse, (void *)bag_traverse}, {Py_tp_clear, (void *)bag_clear}, {Py_tp_dealloc, (void *)bag_dealloc},
    {Py_tp_members, bag_members}, {Py_tp_getset, bag_getset}, {0, nullptr}};
static PyType_Spec bag_spec = {"cpp_sample.Bag", sizeof(Bag), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, bag_slots};

// A type made by hand that has the interpreter keep its dictionary.
static PyObject *managed()
{
    auto *h = (PyHeapTypeObject *)PyType_Type.tp_alloc(&PyType_Type, 0);
    h->ht_name = PyUnicode_FromString("Managed");
    h->ht_qualname = Py_NewRef(h->ht_name);
    PyTypeObject *t = &h->ht_type;
    t->tp_name = "Managed";
    t->tp_base = (PyTypeObject *)Py_NewRef((PyObject *)&PyBaseObject_Type);
    t->tp_basicsize = sizeof(PyObject);
    t->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MANAGED_DICT;
    t->tp_traverse = [](PyObject *o, visitproc visit, void *arg) {
        PyObject **dict = _PyObject_GetDictPtr(o);
        Py_VISIT(*dict);
        Py_VISIT(Py_TYPE(o));
        return 0;
    };
    t->tp_clear = [](PyObject *o) {
        Py_CLEAR(*_PyObject_GetDictPtr(o));
        return 0;
    };
    t->tp_dealloc = [](PyObject *o) {
        PyObject_GC_UnTrack(o);
        Py_TYPE(o)->tp_clear(o);
        PyTypeObject *t = Py_TYPE(o);
        t->tp_free(o);
        Py_DECREF(t);
    };
    static PyGetSetDef getset[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict}, {nullptr}};
    t->tp_getset = getset;
    t->tp_new = PyType_GenericNew;
    if (PyType_Ready(t) < 0) return nullptr;
    PyObject_SetAttrString((PyObject *)t, "__module__", Ref(PyUnicode_FromString("cpp_sample")));
    return (PyObject *)t;
}

static PyMethodDef functions[] = {
    {"made_at_load", made_at_load, METH_NOARGS}, {"threads", threads, METH_VARARGS}, {"own_state", own_state, METH_O},
    {"pending", pending, METH_O}, {"throws", throws, METH_VARARGS}, {"catches", catches, METH_VARARGS}, {nullptr}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "cpp_sample", nullptr, -1, functions};
PyMODINIT_FUNC PyInit_cpp_sample()
{
    PyObject *m = PyModule_Create(&module);
    PyModule_AddObject(m, "Node", PyType_FromSpec(&spec));
    PyModule_AddObject(m, "Bag", PyType_FromSpec(&bag_spec));
    PyModule_AddObject(m, "Managed", managed());
    return m;
}
