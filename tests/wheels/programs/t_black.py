"""The main job of black (compiled with mypyc), with output that does not change."""
import black, blib2to3.pgen2.parse
print(black.__file__.endswith(".so"), blib2to3.pgen2.parse.__file__.endswith(".so"))
src = '''
def f(a,b = 1,*args,  **kw):
  x = {'a':1,'b':[1,2,3], "long": some_function_name(argument_one, argument_two, argument_three, argument_four)}
  if not(a in x and b==2): return lambda q :q
  match x:
      case {'a':1}: pass
async def g():
    async with a as b, c as d: await e
'''
print(black.format_str(src, mode=black.Mode(line_length=60)))
try:
    black.format_str("def f(:\n", mode=black.Mode())
except black.InvalidInput as e:
    print(type(e).__name__, str(e)[:60])
