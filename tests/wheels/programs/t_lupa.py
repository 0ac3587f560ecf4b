"""The main job of lupa, with output that does not change."""
import lupa
from lupa import LuaRuntime
l = LuaRuntime(unpack_returned_tuples=True)
print(l.eval("1+2"), l.eval("function(f, n) return f(n) * 2 end")(lambda x: x + 1, 4), list(l.eval("{1, 2, a=3}").items()))
g = l.globals(); g.py = [1, 2, 3]
print(l.eval("python.len and 1 or py[1]"), l.execute("local s = 0; for x in python.iter(py) do s = s + x end; return s"))
try:
    l.execute("error('mine')")
except lupa.LuaError as e:
    print(str(e).split("\n")[0])
try:
    l.eval("function(f) f() end")(lambda: 1 / 0)
except ZeroDivisionError as e:
    print(e)
