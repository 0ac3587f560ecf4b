/* The C-variadic functions of the API: stable Rust cannot define them. Each hands its va_list to a worker in Rust (src/). */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

typedef struct _object PyObject;
typedef ptrdiff_t Py_ssize_t;
struct names;

#define WITH_VA(last, result, call) va_list va; va_start(va, last); result r = call; va_end(va); return r

extern int lh_arg_parse_tuple(PyObject *, const char *, va_list);
extern int lh_arg_parse(PyObject *, const char *, va_list);
extern int lh_arg_parse_stack(PyObject *const *, Py_ssize_t, const char *, va_list);
extern int lh_arg_parse_keywords(PyObject *, PyObject *, const char *, char **, va_list);
extern int lh_arg_parse_stack_keywords(PyObject *const *, Py_ssize_t, PyObject *, void *, va_list);
extern int lh_arg_parse_tuple_keywords_fast(PyObject *, PyObject *, void *, va_list);
extern int lh_unpack_tuple(PyObject *, const char *, Py_ssize_t, Py_ssize_t, va_list);
extern int lh_unpack_stack(PyObject *const *, Py_ssize_t, const char *, Py_ssize_t, Py_ssize_t, va_list);
extern PyObject *lh_build_value(const char *, va_list);
extern PyObject *lh_call_format(PyObject *, const char *, va_list);
extern PyObject *lh_call_method_format(PyObject *, const char *, const char *, va_list);
extern PyObject *lh_call_method_obj_format(PyObject *, PyObject *, const char *, va_list);
extern PyObject *lh_call_method_objs(PyObject *, PyObject *, PyObject *const *, size_t);
extern PyObject *PyObject_Vectorcall(PyObject *, PyObject *const *, size_t, PyObject *);
extern PyObject *lh_identifier(void *);
extern PyObject *lh_tuple_pack(PyObject *const *, size_t);
extern int lh_audit(const char *, const char *, va_list);
extern PyObject *PyErr_FormatV(PyObject *, const char *, va_list);
extern PyObject *lh_format_from_cause(PyObject *, const char *, va_list);
extern int lh_warn_format(PyObject *, Py_ssize_t, const char *, va_list);
extern int lh_warn_explicit(PyObject *, const char *, int, const char *, const char *, va_list);
extern int lh_resource_warning(PyObject *, Py_ssize_t, const char *, va_list);
extern PyObject *PyUnicode_FromFormatV(const char *, va_list);
extern PyObject *PyBytes_FromFormatV(const char *, va_list);
extern void lh_sys_write(int, const char *, va_list);
extern void lh_sys_format(int, const char *, va_list);

/* The functions without _SizeT are for code compiled without PY_SSIZE_T_CLEAN, whose '#' lengths were ints once: refused since 3.10. */
extern void PyErr_SetString(PyObject *, const char *);
extern PyObject *PyExc_SystemError;
static int unclean(const char *f, const char *ends) {
    for (; f && *f; f++) {
        if (*f == '#') {
            PyErr_SetString(PyExc_SystemError, "PY_SSIZE_T_CLEAN macro must be defined for '#' formats");
            return 1;
        }
        for (const char *e = ends; *e; e++)
            if (*f == *e)
                return 0;
    }
    return 0;
}
#define CLEAN_ARGS(f) if (unclean(f, ":;")) return 0
#define CLEAN_VALUE(f) if (unclean(f, "")) return NULL

int PyArg_ParseTuple(PyObject *a, const char *f, ...) { CLEAN_ARGS(f); WITH_VA(f, int, lh_arg_parse_tuple(a, f, va)); }
int _PyArg_ParseTuple_SizeT(PyObject *a, const char *f, ...) { WITH_VA(f, int, lh_arg_parse_tuple(a, f, va)); }
int PyArg_Parse(PyObject *a, const char *f, ...) { CLEAN_ARGS(f); WITH_VA(f, int, lh_arg_parse(a, f, va)); }
int _PyArg_Parse_SizeT(PyObject *a, const char *f, ...) { WITH_VA(f, int, lh_arg_parse(a, f, va)); }
int _PyArg_ParseStack(PyObject *const *a, Py_ssize_t n, const char *f, ...) { CLEAN_ARGS(f); WITH_VA(f, int, lh_arg_parse_stack(a, n, f, va)); }
int _PyArg_ParseStack_SizeT(PyObject *const *a, Py_ssize_t n, const char *f, ...) { WITH_VA(f, int, lh_arg_parse_stack(a, n, f, va)); }
int PyArg_ParseTupleAndKeywords(PyObject *a, PyObject *k, const char *f, char **n, ...) { CLEAN_ARGS(f); WITH_VA(n, int, lh_arg_parse_keywords(a, k, f, n, va)); }
int _PyArg_ParseTupleAndKeywords_SizeT(PyObject *a, PyObject *k, const char *f, char **n, ...) { WITH_VA(n, int, lh_arg_parse_keywords(a, k, f, n, va)); }
int _PyArg_ParseStackAndKeywords(PyObject *const *a, Py_ssize_t n, PyObject *k, void *p, ...) { WITH_VA(p, int, lh_arg_parse_stack_keywords(a, n, k, p, va)); }
int _PyArg_ParseStackAndKeywords_SizeT(PyObject *const *a, Py_ssize_t n, PyObject *k, void *p, ...) { WITH_VA(p, int, lh_arg_parse_stack_keywords(a, n, k, p, va)); }
int _PyArg_ParseTupleAndKeywordsFast(PyObject *a, PyObject *k, void *p, ...) { WITH_VA(p, int, lh_arg_parse_tuple_keywords_fast(a, k, p, va)); }
int _PyArg_ParseTupleAndKeywordsFast_SizeT(PyObject *a, PyObject *k, void *p, ...) { WITH_VA(p, int, lh_arg_parse_tuple_keywords_fast(a, k, p, va)); }
/* What the fast way of unpacking has to see of an object: the layouts of CPython's headers. */
struct seen_type { char before[168]; unsigned long flags; };
struct seen_tuple { Py_ssize_t count; struct seen_type *type; Py_ssize_t size; PyObject *items[1]; };
#define TUPLE_SUBCLASS (1UL << 26)
int PyArg_UnpackTuple(PyObject *a, const char *n, Py_ssize_t lo, Py_ssize_t hi, ...) {
    struct seen_tuple *t = (struct seen_tuple *)a;
    va_list va;
    int r = 1;
    va_start(va, hi);
    if (t && t->type->flags & TUPLE_SUBCLASS && t->size >= lo && t->size <= hi)
        for (Py_ssize_t i = 0; i < t->size; i++)
            *va_arg(va, PyObject **) = t->items[i];
    else
        r = lh_unpack_tuple(a, n, lo, hi, va);
    va_end(va);
    return r;
}
int _PyArg_UnpackStack(PyObject *const *a, Py_ssize_t k, const char *n, Py_ssize_t lo, Py_ssize_t hi, ...) { WITH_VA(hi, int, lh_unpack_stack(a, k, n, lo, hi, va)); }

PyObject *Py_BuildValue(const char *f, ...) { CLEAN_VALUE(f); WITH_VA(f, PyObject *, lh_build_value(f, va)); }
PyObject *_Py_BuildValue_SizeT(const char *f, ...) { WITH_VA(f, PyObject *, lh_build_value(f, va)); }
PyObject *PyObject_CallFunction(PyObject *o, const char *f, ...) { CLEAN_VALUE(f); WITH_VA(f, PyObject *, lh_call_format(o, f, va)); }
PyObject *_PyObject_CallFunction_SizeT(PyObject *o, const char *f, ...) { WITH_VA(f, PyObject *, lh_call_format(o, f, va)); }
PyObject *PyEval_CallFunction(PyObject *o, const char *f, ...) { WITH_VA(f, PyObject *, lh_call_format(o, f, va)); }
PyObject *PyObject_CallMethod(PyObject *o, const char *n, const char *f, ...) { CLEAN_VALUE(f); WITH_VA(f, PyObject *, lh_call_method_format(o, n, f, va)); }
PyObject *_PyObject_CallMethod_SizeT(PyObject *o, const char *n, const char *f, ...) { WITH_VA(f, PyObject *, lh_call_method_format(o, n, f, va)); }
PyObject *PyEval_CallMethod(PyObject *o, const char *n, const char *f, ...) { WITH_VA(f, PyObject *, lh_call_method_format(o, n, f, va)); }
PyObject *_PyObject_CallMethod(PyObject *o, PyObject *n, const char *f, ...) { CLEAN_VALUE(f); WITH_VA(f, PyObject *, lh_call_method_obj_format(o, n, f, va)); }
PyObject *_PyObject_CallMethodId(PyObject *o, void *n, const char *f, ...) { CLEAN_VALUE(f); WITH_VA(f, PyObject *, lh_call_method_obj_format(o, lh_identifier(n), f, va)); }
PyObject *_PyObject_CallMethodId_SizeT(PyObject *o, void *n, const char *f, ...) { WITH_VA(f, PyObject *, lh_call_method_obj_format(o, lh_identifier(n), f, va)); }

/* NULL-terminated argument lists: counted, then copied to the stack, behind room for one more that calls may use. */
static size_t count(va_list va) {
    va_list copy;
    size_t n = 0;
    va_copy(copy, va);
    while (va_arg(copy, PyObject *))
        n++;
    va_end(copy);
    return n;
}
#define OFFSET ((size_t)1 << 63)
#define OBJECTS(last) \
    va_list va; va_start(va, last); size_t n = count(va); PyObject *room[n + 1], **items = room + 1; \
    for (size_t i = 0; i < n; i++) items[i] = va_arg(va, PyObject *); \
    va_end(va)
PyObject *PyObject_CallFunctionObjArgs(PyObject *f, ...) { OBJECTS(f); return PyObject_Vectorcall(f, items, n | OFFSET, NULL); }
PyObject *PyObject_CallMethodObjArgs(PyObject *o, PyObject *name, ...) { OBJECTS(name); return lh_call_method_objs(o, name, items, n); }
PyObject *_PyObject_CallMethodIdObjArgs(PyObject *o, void *name, ...) { OBJECTS(name); return lh_call_method_objs(o, lh_identifier(name), items, n); }
PyObject *PyTuple_Pack(Py_ssize_t n, ...) {
    va_list va;
    va_start(va, n);
    PyObject *items[n + 1];
    for (Py_ssize_t i = 0; i < n; i++)
        items[i] = va_arg(va, PyObject *);
    va_end(va);
    return lh_tuple_pack(items, n);
}

int PySys_Audit(const char *e, const char *f, ...) { WITH_VA(f, int, lh_audit(e, f, va)); }
PyObject *PyErr_Format(PyObject *t, const char *f, ...) { WITH_VA(f, PyObject *, PyErr_FormatV(t, f, va)); }
PyObject *_PyErr_Format(void *ts, PyObject *t, const char *f, ...) { (void)ts; WITH_VA(f, PyObject *, PyErr_FormatV(t, f, va)); }
PyObject *_PyErr_FormatFromCause(PyObject *t, const char *f, ...) { WITH_VA(f, PyObject *, lh_format_from_cause(t, f, va)); }
int PyErr_WarnFormat(PyObject *c, Py_ssize_t l, const char *f, ...) { WITH_VA(f, int, lh_warn_format(c, l, f, va)); }
int PyErr_WarnExplicitFormat(PyObject *c, const char *file, int line, const char *module, PyObject *registry, const char *f, ...) {
    (void)registry;
    WITH_VA(f, int, lh_warn_explicit(c, file, line, module, f, va));
}
int PyErr_ResourceWarning(PyObject *s, Py_ssize_t l, const char *f, ...) { WITH_VA(f, int, lh_resource_warning(s, l, f, va)); }
PyObject *PyUnicode_FromFormat(const char *f, ...) { WITH_VA(f, PyObject *, PyUnicode_FromFormatV(f, va)); }
PyObject *PyBytes_FromFormat(const char *f, ...) { WITH_VA(f, PyObject *, PyBytes_FromFormatV(f, va)); }
void PySys_WriteStdout(const char *f, ...) { va_list va; va_start(va, f); lh_sys_write(0, f, va); va_end(va); }
void PySys_WriteStderr(const char *f, ...) { va_list va; va_start(va, f); lh_sys_write(1, f, va); va_end(va); }
void PySys_FormatStdout(const char *f, ...) { va_list va; va_start(va, f); lh_sys_format(0, f, va); va_end(va); }
void PySys_FormatStderr(const char *f, ...) { va_list va; va_start(va, f); lh_sys_format(1, f, va); va_end(va); }

/* As the C library's, but the result always ends in NUL. */
int PyOS_vsnprintf(char *s, size_t n, const char *f, va_list va) {
    int r = vsnprintf(s, n, f, va);
    if (n > 0)
        s[n - 1] = '\0';
    return r;
}
int PyOS_snprintf(char *s, size_t n, const char *f, ...) { WITH_VA(f, int, PyOS_vsnprintf(s, n, f, va)); }

/* Referenced from Rust, so that the linker keeps this file. */
void lh_variadic_shim(void) {}
