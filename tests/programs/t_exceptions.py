# Exceptions: chaining, groups, finally, tracebacks, notes.
import sys
import traceback

def f(n):
    try:
        if n == 0: raise ValueError("zero")
        if n == 1: return "returned"
        if n == 2: {}["missing"]
        return "plain"
    except ValueError as e:
        return f"caught {e}"
    finally:
        print("finally", n)
for i in range(4):
    try:
        print(f(i))
    except KeyError as e:
        print("KeyError", e, e.args)
def chained():
    try:
        try:
            1 / 0
        except ZeroDivisionError as e:
            raise TypeError("second") from e
    except TypeError:
        raise RuntimeError("third")
try:
    chained()
except RuntimeError as e:
    print(repr(e), repr(e.__context__), repr(e.__context__.__cause__))
    print(traceback.format_exc().replace(__file__, "FILE"))
try:
    raise ExceptionGroup("g", [ValueError(1), TypeError("t"), ExceptionGroup("n", [KeyError("k")])])
except* ValueError as eg:
    print("values", eg.exceptions)
except* (TypeError, KeyError) as eg:
    print("others", eg)
try:
    e = ValueError("with notes"); e.add_note("note 1"); e.add_note("note 2"); raise e
except ValueError as x:
    print("".join(traceback.format_exception_only(x)), end="")
def gen():
    try:
        yield 1
    except GeneratorExit:
        print("closed"); raise
    finally:
        print("gen finally")
g = gen(); next(g); g.close()
class Ctx:
    def __enter__(self): return self
    def __exit__(self, t, v, tb): print("exit", t and t.__name__, v); return t is KeyError
with Ctx(): raise KeyError("x")
try:
    with Ctx(), Ctx(): raise OSError(2, "No such file", "name")
except OSError as e:
    print(type(e).__name__, e, e.errno, e.filename)
def deep(n): return deep(n + 1)
try:
    deep(0)
except RecursionError as e:
    print(e)
try:
    undefined_name
except NameError as e:
    print(e, e.name)
def local():
    try:
        print(v)
    except UnboundLocalError as e:
        print(e)
    v = 1
local()
for code in ("raise 5", "raise ValueError", "assert 0, 'msg'", "import nope_module", "from os import nope_name", "int.x = 1", "x: int = 'a'; del x; x", "open('/nope/x')", "(1).real = 2"):
    try:
        exec(code)
    except Exception as e:
        print(type(e).__name__, e)
for src in ("x = ", "def f(:", "return 1", "for", "a b", "'abc", "x = (1,", "break", "if 1:\nx", "f(a=1, a=2)", "nonlocal x", "1 = x", "def f(a, a): pass"):
    try:
        compile(src, "<s>", "exec")
    except SyntaxError as e:
        print(type(e).__name__, e.lineno)
try:
    try:
        raise ValueError("inner")
    finally:
        raise TypeError("outer")
except TypeError as e:
    print(repr(e.__context__), sys.exc_info()[0].__name__)
print(sys.exc_info())
def reraise():
    try:
        1 / 0
    except ZeroDivisionError:
        raise
try:
    reraise()
except ZeroDivisionError as e:
    print([t.name for t in traceback.extract_tb(e.__traceback__)])
def early():
    for i in range(3):
        try:
            continue
        finally:
            print("c", i)
    while True:
        try:
            break
        finally:
            print("b")
    return "done"
print(early())
import traceback
def inner(): assert 3<3
def multicall(fs):
    __tracebackhide__=True
    results=[]; exception=None; teardowns=[]
    try:
        try:
            for f in fs:
                res=f()
        except BaseException as exc:
            exception=exc
    finally:
        if exception is not None:
            try:
                raise exception
            finally:
                del exception
        return 5
def mc2(fs):
    exception=None
    try:
        for f in fs: f()
    except BaseException as exc:
        exception = exc
    for t in (1,2):
        pass
    if exception is not None:
        raise exception
def outer(f):
    try: return f([inner])
    except BaseException as e:
        t=e.__traceback__
        while t: print(t.tb_frame.f_code.co_name, t.tb_lineno, end="; "); t=t.tb_next
        print()
outer(multicall)
outer(mc2)
def gen():
    try:
        yield
    except BaseException as e:
        raise
def mc3(fs):
    g=gen(); next(g)
    try: fs[0]()
    except BaseException as e:
        try: g.throw(e)
        except BaseException as e2: ex=e2
    raise ex
outer(mc3)
def mc4(fs):
    g=gen(); next(g)
    try: fs[0]()
    except BaseException as e: exception=e
    try:
        try: g.throw(exception)
        except StopIteration as si: pass
        else: g.close()
    except BaseException as e:
        exception=e
    if exception is not None:
            raise exception
outer(mc4)
def mc5(fs):
    try: fs[0]()
    except BaseException as e: exception=e
    raise exception.with_traceback(exception.__traceback__)
outer(mc5)
