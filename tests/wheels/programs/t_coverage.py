"""The main job of coverage with its C tracer, with output that does not change."""
import io, os, pathlib, sys, tempfile
import coverage
from coverage.tracer import CTracer
print(CTracer.__module__)
d = tempfile.mkdtemp()
pathlib.Path(d, "subject.py").write_text("""def f(n):
    if n > 2:
        return n
    for i in range(n):
        if i == 7:
            print("never")
    try:
        raise KeyError(n)
    except KeyError:
        pass
    return [j for j in range(3)]
class A:
    def g(self):
        yield 1
        yield 2
    def unused(self):
        return 3
f(1); f(3); list(A().g())
""")
sys.path.insert(0, d)
for branch in (False, True):
    sys.modules.pop("subject", None)
    c = coverage.Coverage(data_file=None, branch=branch, include=[d + "/*"])
    c.start()
    import subject
    c.stop()
    name, statements, excluded, missing, text = c.analysis2(subject)
    print(branch, statements, missing)
    if branch:
        print(sorted(c.get_data().arcs(name)))
    out = io.StringIO()
    print(c.report(file=out))
