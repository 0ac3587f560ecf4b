# The places of errors in f-strings: each expression is parsed on its own, and its errors show that text.

def tb(src):
    try: exec(compile(src,'<s>','exec'),{})
    except BaseException as e:
        tb=e.__traceback__
        while tb:
            c=tb.tb_frame.f_code; 
            if c.co_filename=='<s>': print(list(c.co_positions())[tb.tb_lasti//2])
            tb=tb.tb_next
        if isinstance(e,SyntaxError): print(e.msg,e.lineno,e.offset,e.end_lineno,e.end_offset,repr(e.text))
        else: print(type(e).__name__,e)
tb("x=1\nf'a{x + 1}b{1/0}'\n")
tb("x=1\nf'''a\n{x + 1}\nb{ 1/0 }'''\n")
tb("x=1\ny = (f'abc' f'a{x!r:>{1/0}}')\n")
tb("f'{1 1}'"); tb("f'{a b}'"); tb("f'abc{'"); tb("f'abc{}'"); tb("f'abc}'"); tb("f'{a.}'"); tb("f'{lambda x:1}'"); tb("x = f'{a\\n}'"); tb("f'{a!x}'"); tb("f'{a $ b}'"); tb("\n\n  f'{a b}'")
tb("f'''\n{\n1 +\n}'''"); tb("f'{*a}'"); tb("f'{a=!r:^20}' f'{1/0}'"); tb("f'{yield}'"); tb("f'{(a:=5)} {a := 5}'"); tb("f'{ # }'"); tb("f'{ {1:2}[1/0] }'")
tb("class A: pass\n\nf'{A().x}'\n"); tb("def g(): return f'é{1/0}'\ng()"); tb("z=f'é {undefined} {1}'")
for s in ["f'{f(a for b in c, d)}'","f'{a = b c}'","f'{x y!r}'","f'{a:{b c}}'","f'{a if b}'","f'{1 = 2}'","f'{None = 1}'","f'{(1}'","x = [1, f'{a b}', 3]","x = f'{a b}' + (","f'{f(1=2)}'","f'{def}'","f'{a b}' c d", "'a' f'{x}' f'{a. b.}'","f'{f\"{a b}\"}'","f'{\"\\\\x\"}'","f'{1_}'","f'{1a}'","f'{not}'","f'{[x for x in]}'","f'{a, b c}'","f'{*a, b}'","f'{await x y}'","f'{\"a\" \"b\" c}'","rf'\\{a b}'","f'{a;b}'","f'{a:=5 b}'","f'{import x}'","f'{a..b}'"]:
    print(s); tb(s)
