# xml.etree over _elementtree: elements, paths, events, targets, errors, copies.
import copy
import io
import pickle
import sys
import xml.etree.ElementTree as ET

print(ET.Element.__module__, ET.SubElement.__module__, ET.XMLParser, ET.TreeBuilder, ET.ParseError.__mro__[1])
DOC = """<?xml version='1.0'?>
<!DOCTYPE r [<!ENTITY e "ent &lt;x&gt;"> <!ENTITY u SYSTEM "u.txt">]>
<r a="1" b="&amp;" xmlns:n="urn:n"><!-- c --><n:x n:y="2">te&e;xt<b/>tail<b>1</b></n:x><?pi data?>\u00e9<z/>
</r>"""
root = ET.fromstring(DOC)
print([(e.tag, e.attrib, e.text, e.tail) for e in root.iter()])
print(list(root.itertext()), root.find("{urn:n}x/b").tag, root.findtext("z"), root.findtext("q", "no"), root.findall(".//b"[0:4])[1].text)
print([e.tag for e in root.iterfind("*")], root.get("a"), root.get("zz", 5), root.keys(), root.items())
print(ET.tostring(root), ET.tostring(root, encoding="unicode"))

for name, call in [
    ("init0", lambda: ET.Element()), ("init3", lambda: ET.Element("a", {}, 3)), ("attrib", lambda: ET.Element("a", 3)),
    ("kw", lambda: ET.Element("a", attrib=3)), ("append", lambda: root.append(3)), ("extend", lambda: root.extend([3])),
    ("extend2", lambda: root.extend(3)), ("item", lambda: root[99]), ("item2", lambda: root["x"]), ("set", lambda: root.__setitem__(0, 3)),
    ("set9", lambda: root.__setitem__(99, ET.Element("a"))), ("remove", lambda: root.remove(ET.Element("q"))),
    ("sub", lambda: ET.SubElement("a", "b")), ("sub1", lambda: ET.SubElement(root)), ("del", lambda: delattr(root, "tag")),
    ("attr", lambda: setattr(root, "attrib", [])), ("slice", lambda: root.__setitem__(slice(0, 4, 2), [ET.Element("q")])),
    ("slice2", lambda: root.__setitem__(slice(0, 1), 5)), ("insert", lambda: root.insert(0, 1)), ("make", lambda: root.makeelement("a", 1)),
    ("state", lambda: ET.Element("a").__setstate__({})), ("state2", lambda: ET.Element("a").__setstate__({"tag": 1, "x": 2})),
    ("bad", lambda: ET.fromstring("<a>")), ("bad2", lambda: ET.fromstring("<a>&nope;</a>")), ("bad3", lambda: ET.fromstring("<a></b>")),
    ("two", lambda: ET.fromstring("<a/><b/>")), ("target", lambda: ET.XMLParser(target=3, foo=1)),
    ("uninit", lambda: ET.XMLParser.__new__(ET.XMLParser).feed("x")), ("end", lambda: ET.TreeBuilder().end("a")),
    ("events", lambda: ET.XMLPullParser(events=("nope",))), ("events2", lambda: ET.XMLPullParser(events=3)),
]:
    try:
        print(name, call())
    except Exception as e:
        print(name, type(e).__name__, e, getattr(e, "code", None), getattr(e, "position", None))

e = ET.Element("e", {"x": "1"}, y="2")
kids = [ET.SubElement(e, "k%d" % i) for i in range(7)]
print(len(e), bool(e), [c.tag for c in e[1:6:2]], [c.tag for c in e[::-1]])
e[1:3] = [ET.Element("n")]
del e[::2]
e.insert(-1, ET.Element("ins"))
e.insert(100, ET.Element("last"))
print([c.tag for c in e], sys.getsizeof(e), sys.getsizeof(ET.Element("a")), sys.getsizeof(ET.Element("a", b="c")))
d = copy.deepcopy(e)
s = copy.copy(e)
print(ET.tostring(d), s[0] is e[0], d[0] is e[0], s.attrib is e.attrib, pickle.loads(pickle.dumps(e))[0].tag)
print(e.__getstate__().keys(), repr(e)[:12])
e.tag = e
try:
    repr(e)
except RuntimeError as err:
    print(err)
e.clear()
print(len(e), e.attrib, e.text)

class Target:
    def __init__(self): self.log = []
    def start(self, tag, attrib): self.log.append(("start", tag, attrib))
    def end(self, tag): self.log.append(("end", tag))
    def data(self, data): self.log.append(("data", data))
    def comment(self, data): self.log.append(("comment", data))
    def pi(self, target, data): self.log.append(("pi", target, data))
    def start_ns(self, prefix, uri): self.log.append(("ns", prefix, uri))
    def end_ns(self, prefix): self.log.append(("endns", prefix))
    def doctype(self, *a): self.log.append(("doctype",) + a)
    def close(self): return self.log
p = ET.XMLParser(target=Target())
p.feed(DOC[:60]); p.feed(DOC[60:])
print(p.close())
pull = ET.XMLPullParser(events=("start", "end", "start-ns", "end-ns", "comment", "pi"))
pull.feed(DOC)
print([(k, v if not isinstance(v, ET.Element) else (v.tag if isinstance(v.tag, str) else v.text)) for k, v in pull.read_events()])
b = ET.TreeBuilder(insert_comments=True, insert_pis=True)
r = ET.XMLParser(target=b)
r.feed(DOC)
print(ET.tostring(r.close()))
b = ET.TreeBuilder()
b.start("a", {}); b.data("x"); b.data("y"); b.start("b", {"k": "v"}); b.end("b"); b.data("t"); b.comment("zz"); b.data("u"); b.end("a")
print(ET.tostring(b.close()))
print(ET.parse(io.BytesIO("<a>\u00e9</a>".encode("latin-1").join([b"<?xml version='1.0' encoding='latin-1'?>", b""]))).getroot().text)
print([(ev, el.tag) for ev, el in ET.iterparse(io.BytesIO(b"<a><b/><c>x</c></a>"))])
deep = root = ET.Element("d")
for i in range(100000):
    deep = ET.SubElement(deep, "d")
del deep, root
