"""The main job of cffi, with output that does not change."""
from cffi import FFI
f = FFI()
f.cdef('int printf(const char*,...); size_t strlen(const char*); typedef struct {int a; double b;} P; double sqrt(double); void qsort(void*,size_t,size_t,int(*)(const void*,const void*));')
C = f.dlopen(None)
print(C.strlen(b'hello'))
p = f.new('P*', {'a': 3, 'b': 2.5})
print(p.a, p.b, p, f.sizeof('P'))
m = f.dlopen('libm.so.6')
print(m.sqrt(2.0))
arr = f.new('int[]', [3, 1, 2])

@f.callback('int(const void*,const void*)')
def cmp(a, b):
    return f.cast('int*', a)[0] - f.cast('int*', b)[0]
C.qsort(arr, 3, 4, cmp)
print(list(arr), f.string(f.new('char[]', b'abc')), f.buffer(arr)[:4])
try:
    arr[5]
except IndexError as e:
    print(e)
