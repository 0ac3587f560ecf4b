# Places of broken escapes in literals and in the codec; features asked for by relative imports.
for s in [r"u'\N{}'",r"'\N{'",r"'\N'",r"'\Nx'",r"'a\N{}b'",r"'\N{x'",r"'\N{x}'",r"'\x'",r"'\x1'",r"'\u12'",r"'\U1234567'",r"'\Uffffffff'",r"'é\N{}'", r"f'\N{}'", r"f'\N{x'", r"'\N{SPACE'", "from .__future__ import whatever","from .__future__ import division","from ..__future__ import nested_scopes\nx=1","import x\nfrom .__future__ import division"]:
    try: compile(s,'f','exec'); print(s,'ok')
    except SyntaxError as e: print(s,e.msg,e.lineno,e.offset)
for b in [rb'\N{}',rb'\N{',rb'\N',rb'a\N{}b',rb'\N{x',rb'\N{x}']:
    try: print(b.decode('unicode_escape'))
    except UnicodeDecodeError as e: print(e)
