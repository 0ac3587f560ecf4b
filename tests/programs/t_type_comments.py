# Type comments, feature versions and the C tokenizer's tokens.
import ast
import _tokenize

SOURCE = '''\
import a  # type: ignore[x]
def f(a,  # type: int
      b=1,  # type: str
      *args,  # type: A
      c,
      **kw  # type: K
      ):
    # type: (...) -> None
    x = []  # type: list[int]
    for i in x:  # type: int
        pass
    with a as b:  # type: B
        pass
async def g(): # type: () -> int
    pass
lambda q: 0  # type: ignore
x = y = 2 #type:float
'''
print(ast.dump(ast.parse(SOURCE, type_comments=True), indent=1))
print(ast.dump(ast.parse(SOURCE)) == ast.dump(ast.parse(SOURCE.replace("# type", "# tipe"), type_comments=True)))
for s in ["pass  # type: int", "f()  # type: x\n", "def f():  # type: a\n    # type: b\n    pass\n", "x += 1 # type: int",
          "if x:  # type: int\n  pass", "x = 1; # type: int", "x = (1, # type: int\n 2)", "# type: int\n", "# type: ignore\nx",
          "def f(a, /, # type: int\n b): pass"]:
    try:
        print(ast.dump(ast.parse(s, type_comments=True)))
    except SyntaxError as e:
        print(repr(s), e.msg, e.lineno)

for s in ["x: int", "async def f(): await x", "a @ b", "a @= b", "f'{x}'", "f'{x=}'", "1_0", "(a := 1)", "def f(a, /): 0",
          "with (a as b): 0", "with (a): 0", "match x:\n case 1: 0", "try: 0\nexcept* A: 0", "async = 1",
          "def async(await): return await", "async def f():\n  async for a in b: 0\n  async with a: 0"]:
    for minor in (4, 5, 6, 7, 8, 9, 10, 11):
        try:
            ast.parse(s, feature_version=(3, minor))
            print(repr(s), minor, "ok")
        except SyntaxError as e:
            print(repr(s), minor, e.msg)

for s in ["def f(a,\n  b):\n    '''d\n  e''' + 'z'\n\n    # c\n    return é+1  # t\nx\n", "a = (1,\n\n 2) ; b\\\n = 3", "", "# only",
          "'abc", "'''abc", "x = $ ! ?", "x = 0777", "1_a", "async def f(): await x", "a := 1 -> ... != <>", "a\x0c\n", "a\r\nb", "€"]:
    print(repr(s))
    try:
        for token in _tokenize.TokenizerIter(s):
            print("  ", token)
    except SyntaxError as e:
        print("  ", type(e).__name__, e.args)
