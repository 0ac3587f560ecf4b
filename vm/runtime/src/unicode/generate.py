#!/usr/bin/env python3.11
"""Makes the binary tables beside this file from the Unicode 14.0 data that Python 3.11 answers with.

Run it with python3.11 (its unicodedata must be 14.0.0); perl's unicore/ files of the same version give the name aliases and
named sequences, which Python cannot enumerate. The formats are described in mod.rs.
"""
import ctypes, glob, os, struct, sys, unicodedata as u, _sre
from fractions import Fraction

assert u.unidata_version == "14.0.0"
here = os.path.dirname(os.path.abspath(__file__))
old = u.ucd_3_2_0
api = ctypes.pythonapi
def fn(name):
    f = getattr(api, name); f.argtypes = [ctypes.c_uint32]; f.restype = ctypes.c_uint32; return f
tolower, toupper, totitle = fn("_PyUnicode_ToLowercase"), fn("_PyUnicode_ToUppercase"), fn("_PyUnicode_ToTitlecase")
iscased, isignorable = fn("_PyUnicode_IsCased"), fn("_PyUnicode_IsCaseIgnorable")

CATS = ["Cn","Lu","Ll","Lt","Mn","Mc","Me","Nd","Nl","No","Zs","Zl","Zp","Cc","Cf","Cs","Co","Lm","Lo","Pc","Pd","Ps","Pe","Pi","Pf","Po","Sm","Sc","Sk","So"]
BIDI = ["","L","LRE","LRO","R","AL","RLE","RLO","PDF","EN","ES","ET","AN","CS","NSM","BN","B","S","WS","ON","LRI","RLI","FSI","PDI"]
EAW = ["F","H","W","Na","A","N"]
FLAGS = ["alpha","decimal","digit","numeric","lower","upper","title","space","printable","xid_start","xid_continue",
         "cased","ignorable","linebreak","mirrored","old","sre_cased"]
def d32(x): return struct.pack("<i", x)
records, rindex, ids = [], {}, []
special, sindex = [], {}
for c in range(0x110000):
    ch = chr(c)
    flags = [ch.isalpha(), ch.isdecimal(), ch.isdigit(), ch.isnumeric(), ch.islower(), ch.isupper(),
             totitle(c) == c and u.category(ch) == "Lt", ch.isspace(), ch.isprintable(), ch.isidentifier(), ("a"+ch).isidentifier(),
             iscased(c), isignorable(c), len(("a"+ch+"a").splitlines()) == 2, u.mirrored(ch), old.category(ch) != "Cn",
             _sre.unicode_iscased(c)]
    bits = sum(1 << i for i, f in enumerate(flags) if f)
    lo, up, ti = tolower(c), toupper(c), totitle(c)
    full = (ch.lower(), ch.upper(), ch.title(), ch.casefold())
    if full == (chr(lo), chr(up), chr(ti), chr(lo)):
        sp = 0
    else:
        delta = lambda s: s
        key = full
        if key not in sindex:
            sindex[key] = len(special) + 1
            for s in full:
                special.append(len(s)); special.extend(map(ord, s))
        sp = sindex[key]
    rec = struct.pack("<IiiiBBBBbbH", bits, lo - c, up - c, ti - c, CATS.index(u.category(ch)), BIDI.index(u.bidirectional(ch)),
                      u.combining(ch), EAW.index(u.east_asian_width(ch)), u.decimal(ch, -1), u.digit(ch, -1), sp)
    if rec not in rindex:
        rindex[rec] = len(records); records.append(rec)
    ids.append(rindex[rec])
B = 128
blocks, bindex, index1 = [], {}, []
for i in range(0, 0x110000, B):
    b = tuple(ids[i:i+B])
    if b not in bindex:
        bindex[b] = len(blocks); blocks.append(b)
    index1.append(bindex[b])
def out(name, data):
    open(os.path.join(here, name), "wb").write(data); print(name, len(data), file=sys.stderr)
out("index1.bin", struct.pack("<%dH" % len(index1), *index1))
out("index2.bin", b"".join(struct.pack("<%dH" % B, *b) for b in blocks))
out("records.bin", b"".join(records))
out("special.bin", struct.pack("<%dI" % len(special), *special))

num = []
for c in range(0x110000):
    v = u.numeric(chr(c), None)
    if v is not None:
        f = Fraction(v).limit_denominator(1000)
        assert float(f) == v, (hex(c), v)
        num.append(struct.pack("<Iiq", c, f.denominator, f.numerator))
out("numeric.bin", b"".join(num))

TAGS = ["", "<font>", "<noBreak>", "<initial>", "<medial>", "<final>", "<isolated>", "<circle>", "<super>", "<sub>", "<vertical>", "<wide>", "<narrow>", "<small>", "<square>", "<fraction>", "<compat>"]
entries, data = [], []
for c in range(0x110000):
    d = u.decomposition(chr(c))
    if not d or 0xAC00 <= c < 0xAC00 + 11172: continue
    parts = d.split()
    tag = ""
    if parts[0][0] == "<": tag = parts.pop(0)
    cps = [int(p, 16) for p in parts]
    t = TAGS.index(tag)
    if not tag and u.normalize("NFC", chr(c)) != chr(c): t |= 0x80     # excluded from composition
    # changed since 3.2 (or absent there)
    if old.decomposition(chr(c)) != d: t |= 0x40
    entries.append(struct.pack("<IHBB", c, len(data), len(cps), t)); data.extend(cps)
assert len(data) < 65536
out("decomp_index.bin", b"".join(entries))
out("decomp_data.bin", struct.pack("<%dI" % len(data), *data))

diff = []
olddec = []
for c in range(0x110000):
    ch = chr(c)
    if old.category(ch) == "Cn": continue
    a = (old.category(ch), old.bidirectional(ch), old.east_asian_width(ch), old.mirrored(ch), old.decimal(ch,-1), old.numeric(ch,-1), old.combining(ch), old.digit(ch,-1))
    b = (u.category(ch), u.bidirectional(ch), u.east_asian_width(ch), u.mirrored(ch), u.decimal(ch,-1), u.numeric(ch,-1), u.combining(ch), u.digit(ch,-1))
    assert a[6] == b[6] or True
    if a != b:
        n = a[5]; 
        diff.append(struct.pack("<IBBBBbbHq", c, CATS.index(a[0]), BIDI.index(a[1]), EAW.index(a[2]), a[3], a[4], a[7], 0 if n == -1 else 1, int(n) if n == int(n) else -2))
    if old.decomposition(ch) != u.decomposition(ch) : olddec.append((hex(c), old.decomposition(ch), u.decomposition(ch)))
out("old.bin", b"".join(diff))
print("3.2 decompositions that differ:", olddec[:20], len(olddec), file=sys.stderr)
un = [c for c in range(0x110000) if old.category(chr(c)) == "Cn" and (old.bidirectional(chr(c)) or old.east_asian_width(chr(c)) != "N")]
print("unassigned in 3.2 with properties", len(un), [hex(x) for x in un[:10]], set(old.east_asian_width(chr(x)) for x in un), set(old.bidirectional(chr(x)) for x in un), file=sys.stderr)

names = []
cjk = []
for c in range(0x110000):
    n = u.name(chr(c), None)
    if n is None or 0xAC00 <= c < 0xAC00 + 11172: continue
    if n == "CJK UNIFIED IDEOGRAPH-%X" % c:
        if cjk and cjk[-1][1] == c - 1: cjk[-1][1] = c
        else: cjk.append([c, c])
        continue
    names.append((c, n))
print("CJK ranges", [(hex(a), hex(b)) for a, b in cjk], file=sys.stderr)
freq = {}
for c, n in names:
    for w in n.split(" "): freq[w] = freq.get(w, 0) + 1
words = sorted(freq, key=lambda w: (-freq[w], w))
wid = {w: i for i, w in enumerate(words)}
def tok(i):
    return bytes([i]) if i < 0xC0 else bytes([0xC0 | i >> 8, i & 255])
assert len(words) < 0x4000
body = bytearray(); last = 0
for c, n in names:
    d = c - last; last = c
    body += struct.pack("<I", d)[:3] if d >= 255 else b""
    if d >= 255: body[-3:] = b"\xff" + struct.pack("<I", c)[:3]
    else: body.append(d)
    ws = n.split(" ")
    body.append(len(ws))
    for w in ws: body += tok(wid[w])
    if d >= 255: pass
out("words.txt", "\n".join(words).encode())
out("names.bin", bytes(body))
al = []
uni = sorted(glob.glob("/usr/share/perl/5.36*/unicore"))[0]
assert open(uni + "/version").read().strip() == "14.0.0"
for line in open(uni + "/Name.pl"):
    parts = line.rstrip("\n").split("\t")
    pass
seen = {n for _, n in names}
text = open(uni + "/Name.pl").read()
import re
for m in re.finditer(r"(?m)^((?:[0-9A-F]{4,6} ?)+)\n(.+)\n\n", text[text.index("END") if "END" in text else 0:]):
    cps, n = m.group(1).split(), m.group(2)
    if n in seen: continue
    try: v = u.lookup(n)
    except KeyError: continue
    if v == "".join(chr(int(x, 16)) for x in cps):
        al.append(n + ";" + " ".join(cps))
print(len(al), "aliases and sequences", al[:5], al[-5:], file=sys.stderr)
out("aliases.txt", "\n".join(al).encode())
