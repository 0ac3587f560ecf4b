import os,sys
from typing import (List,Dict)
x = {  'a':37,'b':42,

'c':927}
very_long_variable_name = some_function_name(argument_number_one, argument_number_two)[0] + another_function(1,2,3, key='value')
class Foo  (     object  ):
  def f    (self   ):
    return       37*-+2
  def g(self, x,y=42,*args,z:int=3,**kw)->Dict[str,List[int]]:
      return {k:v for k,v in kw.items() if not k.startswith('_') and v is not None and isinstance(v,(list,tuple))}
def f  (   a ,):
  return      37+-+a[42-x :  y**3]
async def h():
    async with a as b, c as d:
        await b;  yield 1
    return
if (a and
    b): pass
for (i) in (1,2,3) : print((yield))
del (a, b)
assert some_type_of_boolean_expression, "followed by a really long string that is used to explain the assertion error message"
with open('a') as f, open('b', 'w') as g: g.write(f.read())
lambda x,y: x**2+y
def long(self, a_parameter_that_is_long: int = 1, another_parameter: str = "something", third: float = 3.14) -> None: ...
match   x:
    case {'a':1,**rest} if rest: pass
    case [ 1,2 , *_]: pass
try: pass
except* (ValueError,TypeError) as  e : raise   RuntimeError( 'x' )from e
print(f'{x!r:>{width}} {"nested"}', "it's", 'say "hi"', b'ab', R'raw', 0XFF, 1E5, 0O17)
