# "Did you mean" in reports of misspelt names, and other details of reports.
import io
import sys


def report(f):
    try:
        f()
    except BaseException:
        old, sys.stderr = sys.stderr, io.StringIO()
        try:
            sys.__excepthook__(*sys.exc_info())
            print(sys.stderr.getvalue().splitlines()[-1])
        finally:
            sys.stderr = old


class A:
    blech = 1
    Other = 2


def local():
    noise = more_noise = blech = 1
    bluch


def nothing_near():
    zzzzzzzzzz


report(lambda: A().bluch)
report(lambda: A().other)
report(lambda: A().blechblechblech)
report(local)
report(nothing_near)
report(lambda: reprot)
report(lambda: ZeroDivisionErrrrr)
report(lambda: "".splt)
report(lambda: sys.pth)
for limit in (None, 1, 0, -1, 1 << 1000, -1 << 1000):
    sys.tracebacklimit = limit
    report(local)
del sys.tracebacklimit
for s in ("f'{a[4)}'", "f'{a(4]}'", "f'{)}'", "f'{!r}'", "f'{ }'", "f'{'", "f'{a!x}'", "f'}'", "f'{a#}'", "f'{a:{b'", "f'{lambda x:1}'", "f'{a b}'"):
    try:
        compile(s, "f", "eval")
    except SyntaxError as e:
        print(s, e)
try:
    try:
        raise ExceptionGroup("eg", [ValueError(1)])
    except* ValueError:
        raise SyntaxError(3)
except BaseException as e:
    print(repr(e))
