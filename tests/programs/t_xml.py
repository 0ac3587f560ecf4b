# XML: the expat parser and what the library builds on it.
import io
import plistlib
import xml.dom.minidom
import xml.etree.ElementTree as ET
import xml.parsers.expat as expat
import xml.sax

doc = b"""<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE a [<!ENTITY e "entity"><!ELEMENT a (b*, c?)><!ATTLIST a x CDATA "default">]>
<a><b k="1" l="&lt;2">text &e; \xe9</b><!-- note --><?pi data?><c><![CDATA[<raw>]]></c></a>"""
p = expat.ParserCreate()
names = [n for n in dir(p) if n.endswith("Handler") and n not in ("DefaultHandler", "DefaultHandlerExpand", "ExternalEntityRefHandler")]
for n in names:
    setattr(p, n, lambda *a, n=n: print(n, a, p.CurrentLineNumber) or 1)
p.buffer_text = True
print(p.Parse(doc, True))
for bad in (b"", b"<a>", b"<a></b>", b"<a b=c/>", b"<a>&x;</a>", b"<a/><b/>", b"\xff<a/>", b"<a b='1' b='2'/>", b"<?xml version='1.0' encoding='nope'?><a/>", b"<a>\x00</a>"):
    p = expat.ParserCreate()
    try:
        p.Parse(bad, True)
    except expat.ExpatError as e:
        print(bad, e, e.code, e.lineno, e.offset, expat.ErrorString(e.code))
    except Exception as e:
        print(bad, type(e).__name__, e)
p = expat.ParserCreate(namespace_separator=" ")
p.ordered_attributes = True
p.StartElementHandler = lambda *a: print(a)
p.Parse("<a xmlns='urn:x' xmlns:p='urn:p' p:k='v' \u00e9='1'/>", True)


def fails(*a):
    raise KeyError("from a handler")


p = expat.ParserCreate()
p.StartElementHandler = fails
try:
    p.Parse("<a><b/></a>", True)
except KeyError as e:
    print(repr(e))
for f, a in ((p.Parse, (1,)), (expat.ParserCreate, ("utf-8", "ab")), (setattr, (p, "buffer_size", 0)), (p.ParseFile, (1,))):
    try:
        f(*a)
    except Exception as e:
        print(type(e).__name__, e)
tree = ET.fromstring(doc)
print(ET.tostring(tree), tree.find("b").text, [e.tag for e in tree.iter()])
print(xml.dom.minidom.parseString(doc).documentElement.toxml())


class Handler(xml.sax.ContentHandler):
    def startElement(self, name, attrs):
        print("sax", name, dict(attrs))


xml.sax.parse(io.BytesIO(doc), Handler())
print(plistlib.loads(plistlib.dumps({"a": [1, 2.5, "t", b"b", True]})))
