# The modules that programs import, each used for something.
import abc, argparse, array, ast, base64, bisect, codecs, collections, collections.abc, contextlib, copy, csv, dataclasses, datetime, decimal, dis, enum
import errno, fnmatch, fractions, functools, gc, glob, hashlib, heapq, inspect, io, itertools, json, keyword, linecache, logging, marshal, math, operator, os
import pathlib, pickle, pprint, queue, random, re, reprlib, shutil, signal, socket, statistics, string, struct, subprocess, sys, tempfile, textwrap, threading
import time, timeit, tokenize, traceback, types, typing, unittest, uuid, warnings, weakref, zipfile, zlib
print(array.array("i", [1, 2]).tobytes(), base64.b64encode(b"hello"), bisect.bisect([1, 3, 5], 3), codecs.lookup("utf8").name, copy.deepcopy([[1]]), decimal.Decimal("0.1") + decimal.Decimal("0.2"))
print(datetime.date(2024, 2, 29).isoformat(), datetime.datetime(2024, 1, 1) + datetime.timedelta(days=31), errno.ENOENT, fnmatch.fnmatch("a.py", "*.py"), fractions.Fraction(1, 3) + 1, hashlib.md5(b"x").hexdigest(), hashlib.sha256(b"x").hexdigest()[:16])
print(heapq.nsmallest(2, [3, 1, 2]), json.dumps({"a": [1, 2.5, None, True, "é"]}), json.loads('{"x": [1, {"y": "\\u00e9"}]}'), keyword.iskeyword("for"), math.pi, operator.itemgetter(1)([1, 2]), os.path.join("a", "b"), os.getcwd() != "")
print(pathlib.PurePosixPath("/a/b.txt").suffix, pickle.loads(pickle.dumps({"a": (1, [2], {3})})), re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world"), re.findall(r"\d+", "a1b22c333"), re.match(r"(?P<n>\w+)@(\w+)\.com", "me@site.com").groupdict())
print(statistics.mean([1, 2, 3, 4]), string.Template("$x").substitute(x=1), struct.pack("<IhB", 1, -2, 3), struct.unpack(">H", b"\x01\x02"), textwrap.fill("word " * 8, 20), zlib.decompress(zlib.compress(b"z" * 100)) == b"z" * 100, zlib.crc32(b"abc"))
print(ast.dump(ast.parse("x = 1 + 2")), ast.literal_eval("[1, {'a': 2}]"), typing.get_type_hints(lambda: 0), uuid.UUID(int=5), types.SimpleNamespace(a=1), reprlib.repr(list(range(100))))
print(subprocess.run(["echo", "sub"], capture_output=True, text=True).stdout, end="")
with tempfile.TemporaryDirectory() as d:
    p = pathlib.Path(d) / "f.txt"
    p.write_text("line1\nline2\n")
    print(p.read_text().split(), p.stat().st_size, sorted(x.name for x in pathlib.Path(d).iterdir()))
    with open(p) as fh: print([line.rstrip() for line in fh], fh.closed)
    with open(p, "rb") as fh: print(fh.read(3), fh.tell(), fh.seek(0, 2))
    with zipfile.ZipFile(os.path.join(d, "z.zip"), "w", zipfile.ZIP_DEFLATED) as z: z.writestr("a.txt", "data" * 50)
    with zipfile.ZipFile(os.path.join(d, "z.zip")) as z: print(z.namelist(), z.read("a.txt")[:8])
buf = io.StringIO(); w = csv.writer(buf); w.writerow(["a", 'b"c', 1]); print(repr(buf.getvalue()), list(csv.reader(["x,y", '"q,r",s'])))
log = logging.getLogger("t"); h = logging.StreamHandler(sys.stdout); h.setFormatter(logging.Formatter("%(levelname)s %(message)s")); log.addHandler(h); log.warning("warned %d", 5)
results = []; q = queue.Queue()
def worker():
    while (x := q.get()) is not None: results.append(x * 2)
ts = [threading.Thread(target=worker) for _ in range(3)]
[t.start() for t in ts]; [q.put(i) for i in range(20)]; [q.put(None) for _ in ts]; [t.join() for t in ts]
print(sorted(results), threading.current_thread().name, threading.active_count())
class TC(unittest.TestCase):
    def test_a(self): self.assertEqual(1, 1)
    def test_b(self):
        with self.assertRaises(ValueError): int("x")
r = unittest.TextTestRunner(stream=io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(TC)); print(r.testsRun, r.wasSuccessful())
ap = argparse.ArgumentParser(prog="p"); ap.add_argument("--n", type=int, default=3); ap.add_argument("f"); print(ap.parse_args(["--n", "5", "file"]), ap.format_usage())
with warnings.catch_warnings(record=True) as ws:
    warnings.simplefilter("always"); warnings.warn("w", DeprecationWarning); print(len(ws), ws[0].category.__name__)
class O: pass
o = O(); ref = weakref.ref(o); wd = weakref.WeakValueDictionary(k=o); print(ref() is o, len(wd)); del o; print(ref(), len(wd))
@contextlib.contextmanager
def cm():
    print("in")
    yield 5
    print("out")
with cm() as v: print(v)
pprint.pprint({"key": list(range(30)), "other": "x" * 50}); print(list(tokenize.generate_tokens(io.StringIO("a = 1").readline))[0].string, [i.opname for i in dis.get_instructions("x")][:2])
a, b = socket.socketpair(); a.send(b"ping"); print(b.recv(10)); a.close(); b.close()
print(random.Random(42).random(), random.Random("seed").randint(1, 100), random.Random(3).choice("abc"), random.Random(1).shuffle([1]) is None)
print(time.strftime("%Y", time.gmtime(0)), timeit.timeit("1", number=1) >= 0, gc.isenabled(), linecache.getline(__file__, 1).strip(), shutil.which("sh") is not None, glob.glob("/etc/passwd"))
def handler(s, f): print("signal", s)
signal.signal(signal.SIGUSR1, handler); os.kill(os.getpid(), signal.SIGUSR1); time.sleep(0.01)
print(marshal.loads(marshal.dumps([1, "a", (2.5, None)])))
