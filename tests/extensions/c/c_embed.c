/* What programs that embed an interpreter call, called from an extension of a running one. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <wchar.h>

static PyObject *arguments(PyObject *m, PyObject *update) {
    wchar_t *argv[] = {L"/usr/bin/env", L"two", L"dr\u00e9i"};
    PySys_SetArgvEx(3, argv, PyObject_IsTrue(update));
    Py_RETURN_NONE;
}
static PyObject *options(PyObject *m, PyObject *none) {
    PySys_AddWarnOption(L"ignore::BytesWarning");
    PyObject *s = PyUnicode_FromString("error::UserWarning");
    PySys_AddWarnOptionUnicode(s);
    Py_DECREF(s);
    PySys_AddXOption(L"left=right=more");
    PySys_AddXOption(L"alone");
    PyObject *before = PySequence_List(PySys_GetObject("warnoptions"));
    PySys_ResetWarnOptions();
    return Py_BuildValue("(NnO)", before, PySequence_Size(PySys_GetObject("warnoptions")), PySys_GetObject("_xoptions"));
}
static PyObject *typed(PyObject *m, PyObject *text) {
    const char *s = PyUnicode_AsUTF8(text);
    FILE *f = fmemopen((void *)s, strlen(s), "r");
    PyObject *l = PyList_New(0);
    for (int i = 0; i < 9; i++) {
        PyObject *n = PyLong_FromLong(PyRun_InteractiveOne(f, "<typed>"));
        PyList_Append(l, n);
        int end = PyLong_AsLong(n) == 11;
        Py_DECREF(n);
        if (end)
            break;
    }
    fclose(f);
    return l;
}
static PyObject *lines(PyObject *m, PyObject *data) {
    FILE *f = fmemopen(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), "rb");
    PyObject *l = PyList_New(0);
    char buffer[8];
    while (Py_UniversalNewlineFgets(buffer, sizeof buffer, f, NULL)) {
        PyObject *s = PyBytes_FromString(buffer);
        PyList_Append(l, s);
        Py_DECREF(s);
    }
    fclose(f);
    return l;
}
static PyObject *charmap(PyObject *m, PyObject *map) {
    PyObject *s = PyUnicode_DecodeCharmap("\1\2\1", 3, map, "strict");
    if (!s)
        return NULL;
    PyObject *back = PyUnicode_BuildEncodingMap(map);
    PyObject *b = back ? PyUnicode_AsCharmapString(s, back) : NULL;
    Py_XDECREF(back);
    return b ? Py_BuildValue("(NN)", s, b) : NULL;
}
static PyObject *tokens(PyObject *m, PyObject *none) {
    return Py_BuildValue("(iiiii)", PyToken_OneChar('('), PyToken_TwoChars('-', '>'), PyToken_ThreeChars('*', '*', '='), PyToken_OneChar('$'), PyToken_TwoChars('(', '('));
}
static PyObject *hashing(PyObject *m, PyObject *none) {
    PyHash_FuncDef *d = PyHash_GetFuncDef();
    return Py_BuildValue("(siii)", d->name, d->hash_bits, d->seed_bits, d->hash("abc", 3) == _Py_HashBytes("abc", 3));
}
static PyObject *located(PyObject *m, PyObject *file) {
    PyErr_SetString(PyExc_SyntaxError, "here");
    PyErr_RangedSyntaxLocationObject(file, 2, 3, 4, 5);
    return NULL;
}
static PyObject *warned(PyObject *m, PyObject *none) {
    if (PyErr_WarnExplicitFormat(PyExc_UserWarning, "some.py", 7, "some", NULL, "%s and %d", "text", 3) < 0)
        return NULL;
    Py_RETURN_NONE;
}
static PyObject *wrapped(PyObject *m, PyObject *o) {
    PyObject *d = PyObject_GetAttrString((PyObject *)Py_TYPE(o), "__len__");
    if (!d)
        return NULL;
    PyObject *w = PyWrapper_New(d, o);
    Py_DECREF(d);
    if (!w)
        return NULL;
    PyObject *n = PyObject_CallNoArgs(w);
    return Py_BuildValue("(sN)", Py_TYPE(w)->tp_name, n);
}
static PyObject *opened(PyObject *m, PyObject *path) {
    PyObject *f = PyFile_OpenCodeObject(path);
    PyObject *r = f ? PyObject_CallMethod(f, "readline", NULL) : NULL;
    if (f)
        Py_XDECREF(PyObject_CallMethod(f, "close", NULL));
    Py_XDECREF(f);
    return r;
}
static PyObject *printer(PyObject *m, PyObject *text) {
    PyObject *f = PyFile_NewStdPrinter(1);
    if (!f)
        return NULL;
    PyFile_WriteObject(text, f, Py_PRINT_RAW);
    Py_DECREF(f);
    Py_RETURN_NONE;
}
static PyObject *lists(PyObject *m, PyObject *none) {
    PyWideStringList l = {0, NULL};
    PyWideStringList_Append(&l, L"b");
    PyWideStringList_Append(&l, L"c");
    PyWideStringList_Insert(&l, 0, L"a");
    PyWideStringList_Insert(&l, 99, L"d");
    PyObject *r = PyList_New(0);
    for (Py_ssize_t i = 0; i < l.length; i++) {
        PyObject *s = PyUnicode_FromWideChar(l.items[i], -1);
        PyList_Append(r, s);
        Py_DECREF(s);
        PyMem_RawFree(l.items[i]);
    }
    PyMem_RawFree(l.items);
    PyStatus bad = PyWideStringList_Insert(&l, -1, L"x");
    PyConfig c;
    PyConfig_InitIsolatedConfig(&c);
    char *argv[] = {"one", "two"};
    PyConfig_SetBytesArgv(&c, 2, argv);
    PyObject *second = PyUnicode_FromWideChar(c.argv.items[1], -1);
    Py_ssize_t n = c.argv.length;
    PyConfig_Clear(&c);
    PyPreConfig p;
    PyPreConfig_InitIsolatedConfig(&p);
    return Py_BuildValue("(NiNnii)", r, PyStatus_IsError(bad), second, n, p.isolated, p.utf8_mode);
}
static PyObject *threads(PyObject *m, PyObject *none) {
    long n = 0, frames = 0;
    for (PyThreadState *t = PyInterpreterState_ThreadHead(PyInterpreterState_Get()); t; t = PyThreadState_Next(t)) {
        PyFrameObject *f = PyThreadState_GetFrame(t);
        n++;
        frames += f != NULL;
        Py_XDECREF(f);
    }
    return Py_BuildValue("(ll)", n, frames);
}
static PyStructSequence_Field fields[] = {{"a", NULL}, {NULL, NULL}, {"c", NULL}, {NULL, NULL}};
static PyStructSequence_Desc desc = {"c_embed.Named", NULL, fields, 3};
static PyObject *named(PyObject *m, PyObject *none) {
    fields[1].name = PyStructSequence_UnnamedField;
    PyTypeObject *t = PyStructSequence_NewType(&desc);
    PyObject *o = t ? PyStructSequence_New(t) : NULL;
    if (!o)
        return NULL;
    for (int i = 0; i < 3; i++)
        PyStructSequence_SetItem(o, i, PyLong_FromLong(i));
    return o;
}
static PyObject *wide(PyObject *m, PyObject *none) {
    int by_mark = 0, big = 1, little = -1;
    Py_ssize_t used = 0;
    PyObject *a = PyUnicode_DecodeUTF16("\xfe\xff\0a\0b", 6, NULL, &by_mark);
    PyObject *b = PyUnicode_DecodeUTF16Stateful("\0a\0b\0", 5, NULL, &big, &used);
    PyObject *c = PyUnicode_DecodeUTF32("a\0\0\0", 4, "strict", &little);
    Py_ssize_t part = 0;
    PyObject *d = PyUnicode_DecodeUTF32Stateful("a\0\0\0b", 5, "strict", NULL, &part);
    PyObject *e = PyUnicode_DecodeUTF7Stateful("a+AG", 4, NULL, &used);
    return Py_BuildValue("(NNNNNiiinn)", a, b, c, d, e, by_mark, big, little, used, part);
}
static PyMethodDef methods[] = {
    {"wide", wide, METH_NOARGS},
    {"arguments", arguments, METH_O}, {"options", options, METH_NOARGS}, {"typed", typed, METH_O}, {"lines", lines, METH_O}, {"charmap", charmap, METH_O},
    {"tokens", tokens, METH_NOARGS}, {"hashing", hashing, METH_NOARGS}, {"located", located, METH_O}, {"warned", warned, METH_NOARGS}, {"wrapped", wrapped, METH_O},
    {"opened", opened, METH_O}, {"printer", printer, METH_O}, {"lists", lists, METH_NOARGS}, {"threads", threads, METH_NOARGS}, {"named", named, METH_NOARGS}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_embed", NULL, -1, methods};
PyMODINIT_FUNC PyInit_c_embed(void) { return PyModule_Create(&module); }
