"""One-line statements over built-ins and library, Lancehead (JIT off) against python3.11, the slowest ratios first.

    python3.11 bench/micro.py LANCEHEAD [--rounds N] [--only WORD,...] [--below RATIO] [--jit]

One process of each interpreter runs all statements, the two taking turns; a statement's fastest repetition (CPU time, less
an empty loop's) of all rounds counts. --only takes words that
must occur in a statement's line, --below prints only what is slower than the ratio.
"""
import argparse
import math
import os
import subprocess
import sys
import time
import timeit

# group | statement | set-up (what SHARED doesn't have); a ⏎ begins a new line
STATEMENTS = r"""
call | f(1, 2) | def f(a, b): return a
call | f(1, b=2) | def f(a, b=1, c=2): return a
call | f(*t) | t = 1, 2, 3⏎def f(a, b, c): return a
call | f(**d) | d = {'a': 1, 'b': 2}⏎def f(a=1, b=2): return a
call | K() | class K: pass
call | K(1) | class K:⏎ def __init__(self, a): self.a = a
call | len(words) |
call | isinstance(5, (str, int)) |
call | isinstance(5, numbers.Number) | import numbers
call | isinstance([], collections.abc.Sized) |
call | issubclass(bool, int) |
call | getattr(o, 'a') |
call | getattr(o, 'zz', None) |
call | setattr(o, 'a', 1) |
call | hasattr(o, 'zz') |
call | abs(-3); min(1, 2); max(2, 3) |
call | max(nums) |
call | max(words, key=len) |
call | sum(nums) |
call | sum(floats) |
call | any(x is None for x in small) |
call | all(map(str.isalpha, words)) |
call | divmod(17, 5) |
call | pow(3, 20, 1000) |
call | ord('a'); chr(98) |
call | repr(12.5) |
call | hash((1, 'a', 2.5)) |
call | id(o); callable(o); type(o) |
call | print('', end='', file=sink) | sink = io.StringIO()
call | round(2.567, 2) |
call | super_b.m() | class A:⏎ def m(self): return 1⏎class B(A):⏎ def m(self): return super().m()⏎super_b = B()
call | o.prop | class P:⏎ @property⏎ def prop(self): return 1⏎o = P()
call | o.sm(1); o.cm(1) | class P:⏎ @staticmethod⏎ def sm(a): return a⏎ @classmethod⏎ def cm(cls, a): return a⏎o = P()
call | o + o | class P:⏎ def __add__(self, b): return 1⏎o = P()
call | o[1] | class P:⏎ def __getitem__(self, b): return 1⏎o = P()
call | o == o2 | class P:⏎ def __eq__(self, b): return True⏎o = P(); o2 = P()
call | len(o); bool(o) | class P:⏎ def __len__(self): return 1⏎o = P()
call | o(1) | class P:⏎ def __call__(self, b): return 1⏎o = P()
call | o.zz | class P:⏎ def __getattr__(self, b): return 1⏎o = P()
iter | for x in nums: pass |
iter | for x in zip(nums, nums): pass |
iter | for i, x in enumerate(nums): pass |
iter | for k, v in dic.items(): pass |
iter | for k in dic: pass |
iter | for v in dic.values(): pass |
iter | for x in reversed(nums): pass |
iter | for c in text: pass |
iter | for x in stuff: pass | stuff = set(nums)
iter | for b in data: pass |
iter | for x in map(abs, nums): pass |
iter | for x in filter(None, nums): pass |
iter | for x in range(1000): pass |
iter | for x in gen(): pass | def gen():⏎ for i in nums: yield i
iter | list(reversed(small)) |
iter | a, *b = small |
iter | next(iter(small)) |
iter | list(zip(words, nums)) |
iter | list(enumerate(words)) |
iter | for x in itr: pass | class I:⏎ def __init__(self): self.n = 0⏎ def __iter__(self): self.n = 0; return self⏎ def __next__(self):⏎  self.n += 1⏎  if self.n > 50: raise StopIteration⏎  return 1⏎itr = I()
list | [x for x in nums] |
list | [x * 2 for x in nums if x & 1] |
list | list(nums) |
list | list(range(1000)) |
list | list(dic) |
list | list(dic.items()) |
list | list(text) |
list | list(map(str, nums)) |
list | tuple(nums) |
list | tuple(x for x in small) |
list | nums[10:500] |
list | nums[::2] |
list | nums[::-1] |
list | nums + nums |
list | [0] * 1000 |
list | l = []; l.append(1); l.append(2); l.pop() |
list | l = nums[:]; l.insert(0, 1); l.pop(0) |
list | 999 in nums |
list | nums.index(999) |
list | nums.count(3) |
list | l = nums[:]; l.reverse() |
list | l = nums[:]; l[10:20] = small |
list | l = []; l.extend(nums) |
list | l = []; l += small |
list | nums == nums2 | nums2 = list(nums)
list | [1, 2, 3] |
list | [o, o, o] < [o, o, 1] if 0 else (1, 2, 3) == (1, 2, 4) |
list | (o, nums, 3) |
list | del nums2[:] | nums2 = list(nums)
list | [[0] * 10 for _ in range(10)] |
sort | sorted(nums) |
sort | sorted(shuffled) |
sort | sorted(words) |
sort | sorted(floats) |
sort | sorted(words, key=len) |
sort | sorted(shuffled, key=lambda x: -x) |
sort | sorted(pairs) |
sort | sorted(pairs, key=operator.itemgetter(1)) |
sort | sorted(shuffled, reverse=True) |
sort | sorted(objs) | class Q:⏎ def __init__(self, a): self.a = a⏎ def __lt__(self, b): return self.a < b.a⏎objs = [Q(x) for x in shuffled[:200]]
sort | sorted(shuffled[:200], key=functools.cmp_to_key(lambda a, b: a - b)) |
dict | {'a': 1, 'b': 2, 'c': 3} |
dict | dict(a=1, b=2) |
dict | dict(pairs) |
dict | dict(dic) |
dict | dic.copy() |
dict | {**dic} |
dict | dict.fromkeys(nums) |
dict | dict(zip(words, nums)) |
dict | {x: x for x in nums} |
dict | {w: 1 for w in words} |
dict | dic['k50'] |
dict | dic.get('k50') |
dict | dic.get('zz', 0) |
dict | 'k3' in dic |
dict | d = {}; d['a'] = 1; d['b'] = 2; del d['a'] |
dict | d = dic.copy(); d.update(dic) |
dict | d = {}; d.setdefault('a', []).append(1) |
dict | d = {1: 2}; d.pop(1, None) |
dict | dic == dic2 | dic2 = dict(dic)
dict | dic | dic |
dict | list(dic.values()) |
dict | dic.keys() & dic.keys() |
dict | intd[500] | intd = {i: i for i in range(1000)}
dict | tupd[3, 4] | tupd = {(i, i + 1): i for i in range(100)}
dict | sorted(dic.items()) |
set | set(nums) |
set | set(words) |
set | {x for x in nums} |
set | s1 & s2 | s1, s2 = set(nums), set(nums[500:])
set | s1 | s2 | s1, s2 = set(nums), set(nums[500:])
set | s1 - s2 | s1, s2 = set(nums), set(nums[500:])
set | s1 ^ s2 | s1, s2 = set(nums), set(nums[500:])
set | s1 <= s2 | s1, s2 = set(nums[500:]), set(nums)
set | s = set(); s.add(1); s.add('a'); s.discard(1) |
set | 'alpha' in ws | ws = set(words)
set | frozenset(words) |
set | s1.copy() | s1 = set(nums)
set | s1.isdisjoint(small) | s1 = set(range(5000, 6000))
set | set().union(small, nums) |
str | 'a' + word |
str | s = ''⏎for w in words: s += w |
str | text.split() |
str | text.split(' ') |
str | text.split(', ') |
str | text.splitlines() |
str | ' '.join(words) |
str | ''.join([c for c in text]) |
str | text.replace('a', 'bb') |
str | text.replace('the', 'eth') |
str | text.find('zzz') |
str | text.find('z') |
str | 'lazy' in text |
str | text.count('a') |
str | text.count('the') |
str | text.rfind('q') |
str | text.index('lazy') |
str | word.upper(); word.lower(); word.title() |
str | text.lower() |
str | ' abc '.strip() |
str | word.startswith('al'); word.endswith(('x', 'y')) |
str | word.isdigit(); word.isalpha(); word.isspace() |
str | word.center(20); word.rjust(20); word.ljust(20) |
str | '42'.zfill(8) |
str | 'a=b=c'.partition('=') |
str | 'a=b=c'.rsplit('=', 1) |
str | text[3:50] |
str | text[::-1] |
str | text[7] |
str | word == 'alphb' |
str | word < 'alphb' |
str | word * 10 |
str | text.encode() |
str | data.decode() |
str | data.decode('latin-1') |
str | uni.encode() |
str | uni.encode().decode() |
str | uni.upper() |
str | uni.split() |
str | text.translate(tab) | tab = str.maketrans('abc', 'xyz')
str | str(12345) |
str | str(2.5) |
str | str(o) |
str | int('12345') |
str | float('3.25') |
str | repr(word) |
str | repr(nums) |
str | repr(dic) |
str | ascii(uni) |
str | hash(word + 'x') |
str | text.expandtabs(); text.casefold() |
str | word.removeprefix('al') |
str | 'x'.join(map(str, small)) |
format | f'{word}' |
format | f'{5}-{word}' |
format | f'{3.14159:.2f}' |
format | f'{255:08x}' |
format | f'{word:>20}' |
format | f'{word!r}' |
format | f'{1234567:,}' |
format | '%s %d' % (word, 5) |
format | '%.3f' % 2.5 |
format | '%5d|%-5s|%x' % (3, 'a', 255) |
format | '%(a)s' % {'a': 1} |
format | '{} {}'.format(word, 5) |
format | '{a} {b:5d}'.format(a=1, b=2) |
format | '{0.a} {1[0]}'.format(o, small) |
format | format(5, '05d') |
int | 12345 + 67890 |
int | n // 7; n % 7 | n = 123456
int | big * big |
int | huge * huge |
int | big + big; big - 1 |
int | huge // big |
int | str(huge) |
int | int(hs) | hs = str(huge)
int | 3 ** 200 |
int | pow(big, big, 10 ** 30 + 7) |
int | big >> 70; big << 70; big & 0xffff |
int | n.bit_length(); n.to_bytes(4, 'big') | n = 123456
int | int.from_bytes(b'abcd', 'little') |
int | hex(n); bin(n); oct(n) | n = 123456
int | int(3.7); float(3); int('ff', 16) |
int | 2.5 * 3.5 + 1.5 |
int | x = 5; x ^= 3; x |= 8; x <<= 2 |
int | 1 < x < 10 | x = 5
int | 7 / 2; 7.5 // 2; 7.5 % 2; 2.0 ** 0.5 |
int | complex(1, 2) * complex(2, 3) |
int | Fraction(1, 3) + Fraction(1, 4) | from fractions import Fraction
int | a * b + a / b | from decimal import Decimal; a, b = Decimal('1.25'), Decimal('7.5')
int | Decimal('3.14') ; str(a) | from decimal import Decimal; a = Decimal('1.25')
int | math.sqrt(2.0); math.floor(2.5); math.sin(1.0) |
int | math.gcd(120, 84); math.isqrt(1000) |
int | math.factorial(50) |
int | math.hypot(3.0, 4.0); math.log(10) |
int | random.random() |
int | random.randint(1, 100) |
int | random.choice(nums) |
int | random.shuffle(l) | l = list(range(100))
int | random.gauss(0, 1) |
int | statistics.mean(small) | import statistics
bytes | data[3:50] |
bytes | data[5] |
bytes | data + data |
bytes | b' '.join(chunks) | chunks = data.split()
bytes | data.split() |
bytes | data.find(b'lazy') |
bytes | data.replace(b'a', b'bb') |
bytes | data.hex() |
bytes | bytes.fromhex(hx) | hx = data.hex()
bytes | bytes(nums_b) | nums_b = [i & 255 for i in range(1000)]
bytes | bytearray(data) |
bytes | b = bytearray()⏎for i in small: b.append(i) |
bytes | b = bytearray(); b += data; b.extend(small) |
bytes | memoryview(data)[3:5] |
bytes | mv[5] | mv = memoryview(data)
bytes | bytes(mv) | mv = memoryview(data)
bytes | data.translate(tab) | tab = bytes(range(256))
bytes | data == data2 | data2 = bytes(bytearray(data))
bytes | hash(bytes(mv)) | mv = memoryview(data)
bytes | array.array('i', nums) | import array
bytes | a[5]; a[6] = 3 | import array; a = array.array('i', nums)
bytes | for x in a: pass | import array; a = array.array('d', floats)
struct | struct.pack('<iHd', 1, 2, 3.0) |
struct | struct.unpack('<iHd', p) | p = struct.pack('<iHd', 1, 2, 3.0)
struct | S.unpack_from(buf, 4) | S = struct.Struct('<II'); buf = bytes(64)
struct | S.pack_into(buf, 4, 1, 2) | S = struct.Struct('<II'); buf = bytearray(64)
struct | list(struct.iter_unpack('<I', buf)) | buf = bytes(400)
struct | base64.b64encode(data) | import base64
struct | binascii.hexlify(data); binascii.crc32(data) | import binascii
struct | zlib.compress(data) | import zlib
struct | zlib.decompress(z) | import zlib; z = zlib.compress(data * 10)
struct | hashlib.md5(data).hexdigest() | import hashlib
struct | hashlib.sha256(data).digest() | import hashlib
struct | marshal.loads(m) | import marshal; m = marshal.dumps([nums, words, dic])
struct | marshal.dumps([nums, words, dic]) | import marshal
re | re.match(r'\w+', text) |
re | pat.match(text) | pat = re.compile(r'(\w+)\s(\w+)')
re | pat.search(text) | pat = re.compile(r'lazy (\w+)')
re | pat.findall(text) | pat = re.compile(r'\b\w+\b')
re | pat.findall(text) | pat = re.compile(r'[aeiou]+')
re | pat.sub('x', text) | pat = re.compile(r'\s+')
re | pat.sub(lambda m: m.group(), text) | pat = re.compile(r'\s+')
re | pat.sub(r'\2 \1', text) | pat = re.compile(r'(\w)(\w)')
re | pat.split(text) | pat = re.compile(r'[ ,]+')
re | for m in pat.finditer(text): m.group(1) | pat = re.compile(r'(\w+) (\w+)')
re | m.group(1, 2); m.groups(); m.span() | m = re.match(r'(\w+) (\w+)', text)
re | m.groupdict(); m['a'] | m = re.match(r'(?P<a>\w+) (?P<b>\w+)', text)
re | pat.search(text) | pat = re.compile(r'(?:quick|brown|lazy|zebra)$')
re | pat.match('2024-01-05T10:20') | pat = re.compile(r'(\d{4})-(\d\d)-(\d\d)T(\d+):(\d+)')
re | pat.search(text) | pat = re.compile(r'.*zzz')
re | pat.findall(text) | pat = re.compile(r'(?i)THE')
re | re.escape('a.b*c') |
re | sre.compile(r'(a|b)+[c-f]\d*') | import re._compiler as sre
json | json.dumps(doc) | import json
json | json.dumps(doc, indent=2) | import json
json | json.dumps(doc, sort_keys=True) | import json
json | json.loads(js) | import json; js = json.dumps(doc)
json | json.loads(js) | import json; js = json.dumps(nums)
json | json.dumps(floats) | import json
json | json.dumps(words) | import json
pickle | pickle.dumps(doc) | import pickle
pickle | pickle.loads(p) | import pickle; p = pickle.dumps(doc)
pickle | pickle.dumps(nums) | import pickle
pickle | pickle.loads(p) | import pickle; p = pickle.dumps(nums)
pickle | pickle.dumps(words) | import pickle
pickle | pickle.loads(p) | import pickle; p = pickle.dumps(words)
pickle | pickle.dumps(dic) | import pickle
pickle | pickle.loads(p) | import pickle; p = pickle.dumps(dic)
pickle | pickle.dumps(pairs) | import pickle
pickle | pickle.loads(p) | import pickle; p = pickle.dumps(pairs)
pickle | pickle.dumps(objs) | import pickle, types; objs = [types.SimpleNamespace(a=i, b='x') for i in range(50)]
pickle | pickle.loads(p) | import pickle, types; p = pickle.dumps([types.SimpleNamespace(a=i, b='x') for i in range(50)])
pickle | pickle.dumps(floats) | import pickle
pickle | copy.copy(o) | import copy
pickle | copy.deepcopy(doc) | import copy
pickle | copy.deepcopy(o) | import copy
io | s = io.StringIO(); s.write(text); s.getvalue() |
io | for line in io.StringIO(lines): pass | lines = 'hello world\n' * 100
io | for line in io.BytesIO(lines): pass | lines = b'hello world\n' * 100
io | f.seek(0)⏎for line in f: pass | import tempfile; f = tempfile.TemporaryFile('w+'); f.write('hello world\n' * 1000)
io | f.seek(0)⏎for line in f: pass | import tempfile; f = tempfile.TemporaryFile('w+b'); f.write(b'hello world\n' * 1000)
io | f.seek(0); f.read() | import tempfile; f = tempfile.TemporaryFile('w+'); f.write('hello world\n' * 1000)
io | f.seek(0)⏎for w in words: f.write(w) | import tempfile; f = tempfile.TemporaryFile('w+')
io | f.seek(0)⏎for w in words: f.write(b'abc') | import tempfile; f = tempfile.TemporaryFile('w+b')
io | f.seek(0)⏎while f.readline(): pass | import tempfile; f = tempfile.TemporaryFile('w+'); f.write('hello world\n' * 100)
io | os.path.join('a', 'b', 'c') |
io | os.path.exists('/tmp'); os.path.basename('/a/b') |
io | os.stat('/tmp') |
io | pathlib.Path('/a/b') / 'c' | import pathlib
io | open('/dev/null').close() |
io | list(csv.reader(rows)) | import csv; rows = ['a,b,c,1.5,"q r"'] * 50
io | w.writerows([[1, 'a', 2.5]] * 50) | import csv; w = csv.writer(io.StringIO())
io | os.listdir('/tmp/') and list(os.scandir('/usr')) |
time | datetime.datetime.now() | import datetime
time | d + td; d - d | import datetime; d = datetime.datetime(2024, 1, 5); td = datetime.timedelta(1, 5)
time | d.strftime('%Y-%m-%d') | import datetime; d = datetime.datetime(2024, 1, 5)
time | d.isoformat(); datetime.datetime.fromisoformat('2024-01-05T10:20:30') | import datetime; d = datetime.datetime(2024, 1, 5)
time | datetime.datetime(2024, 1, 5, 10); datetime.date(2024, 1, 2).weekday() | import datetime
time | datetime.datetime.strptime('2024-01-05', '%Y-%m-%d') | import datetime
time | time.time(); time.perf_counter() | import time
time | log.debug('x %s', 1) | import logging; log = logging.getLogger('q'); log.setLevel(30)
time | log.warning('x %s', 1) | import logging; log = logging.getLogger('r'); log.propagate = False; log.addHandler(logging.StreamHandler(io.StringIO()))
functools | p(2) | p = functools.partial(max, 1)
functools | p(c=2) | p = functools.partial(dict, a=1)
functools | fib(20) | fib = functools.lru_cache(None)(lambda n: n)
functools | fib(20) | fib = functools.lru_cache(100)(lambda n: n)
functools | functools.reduce(operator.add, nums) |
functools | operator.itemgetter(1)(small); operator.attrgetter('a')(o) |
functools | ig(small); ag(o); mc(word) | ig = operator.itemgetter(1, 2); ag = operator.attrgetter('a'); mc = operator.methodcaller('upper')
functools | sd(1) | sd = functools.singledispatch(lambda x: x); sd.register(int, lambda x: x)
functools | c.v | class C:⏎ @functools.cached_property⏎ def v(self): return 1⏎c = C()
functools | wrapped(1) | @functools.wraps(max)⏎def wrapped(*a, **k): return a
itertools | list(itertools.chain(small, small)) |
itertools | list(itertools.islice(nums, 10, 50)) |
itertools | list(itertools.combinations(range(10), 3)) |
itertools | list(itertools.permutations(range(5))) |
itertools | list(itertools.product(small, repeat=2)) |
itertools | list(itertools.accumulate(nums)) |
itertools | [(k, list(g)) for k, g in itertools.groupby(words, key=len)] |
itertools | list(itertools.starmap(divmod, zip(nums, nums[1:]))) |
itertools | list(itertools.zip_longest(small, nums)) |
itertools | list(itertools.takewhile(lambda x: x < 100, nums)) |
itertools | list(itertools.repeat(1, 1000)) |
itertools | list(zip(nums, itertools.count())) |
itertools | list(itertools.compress(nums, nums)) |
itertools | list(itertools.pairwise(nums)) |
itertools | list(itertools.chain.from_iterable(pairs)) |
collections | d = deque(); d.append(1); d.appendleft(2); d.pop(); d.popleft() | from collections import deque
collections | deque(nums) | from collections import deque
collections | for x in d: pass | from collections import deque; d = deque(nums)
collections | d.rotate(1); d[3] | from collections import deque; d = deque(nums)
collections | Counter(words) | from collections import Counter
collections | Counter(text).most_common(3) | from collections import Counter
collections | d = defaultdict(list); d['a'].append(1) | from collections import defaultdict
collections | for w in words: d[w] += 1 | from collections import defaultdict; d = defaultdict(int)
collections | OrderedDict(pairs) | from collections import OrderedDict
collections | d.move_to_end('k3'); d['k3'] | from collections import OrderedDict; d = OrderedDict(dic)
collections | for k, v in d.items(): pass | from collections import OrderedDict; d = OrderedDict(dic)
collections | P(1, 2) | from collections import namedtuple; P = namedtuple('P', 'x y')
collections | p.x + p.y | from collections import namedtuple; P = namedtuple('P', 'x y'); p = P(1, 2)
collections | p._replace(x=3) | from collections import namedtuple; P = namedtuple('P', 'x y'); p = P(1, 2)
collections | c['k3'] | from collections import ChainMap; c = ChainMap({}, dic)
collections | heapq.heappush(h, 5); heapq.heappop(h) | import heapq; h = list(range(100))
collections | l = shuffled[:]; heapq.heapify(l) | import heapq
collections | heapq.nsmallest(5, shuffled) | import heapq
collections | bisect.bisect(nums, 500); bisect.insort([1, 3], 2) | import bisect
collections | q.put(1); q.get() | import queue; q = queue.Queue()
collections | q.put(1); q.get() | import queue; q = queue.SimpleQueue()
class | D(1, 2) | import dataclasses; D = dataclasses.make_dataclass('D', ['a', 'b'])
class | d == d2 | import dataclasses; D = dataclasses.make_dataclass('D', ['a', 'b']); d = D(1, 2); d2 = D(1, 2)
class | repr(d) | import dataclasses; D = dataclasses.make_dataclass('D', ['a', 'b']); d = D(1, 2)
class | E.a; E(1); E['a'] | import enum; E = enum.Enum('E', 'a b')
class | E.a.value; E.a.name | import enum; E = enum.Enum('E', 'a b')
class | F.a | F.b | import enum; F = enum.Flag('F', 'a b')
class | s.a; s.b | class S:⏎ __slots__ = 'a', 'b'⏎s = S(); s.a = s.b = 1
class | S(1) | class S:⏎ __slots__ = 'a', 'b'⏎ def __init__(self, a): self.a = a
class | type('T', (), {}) |
class | class T(dict):⏎ def f(self): pass |
class | w() | import weakref; w = weakref.ref(K)
class | weakref.ref(K) | import weakref
class | wd[k] | import weakref; k = K(); wd = weakref.WeakKeyDictionary({k: 1})
class | types.SimpleNamespace(a=1, b=2).a | import types
class | o.__dict__; vars(o); dir |
class | isinstance(o, A) | import abc⏎class A(abc.ABC): pass⏎o = K()
class | L([1, 2]) | class L(list): pass
class | L(a=1)['a'] | class L(dict): pass
class | T((1, 2)) | class T(tuple): pass
class | I(5) + 1 | class I(int): pass
class | S('abc').upper() | class S(str): pass
exc | try: raise ValueError('x')⏎except ValueError: pass |
exc | try: int('x')⏎except ValueError as e: str(e) |
exc | try: dic['zz']⏎except KeyError: pass |
exc | try: o.zz⏎except AttributeError: pass |
exc | try: f()⏎except KeyError: pass | def f(): raise KeyError(1)
exc | with c: pass | class C:⏎ def __enter__(self): pass⏎ def __exit__(self, *a): pass⏎c = C()
exc | with cm(): pass | @contextlib.contextmanager⏎def cm(): yield
exc | with lock: pass | import threading; lock = threading.Lock()
exc | with lock: pass | import threading; lock = threading.RLock()
exc | with contextlib.suppress(KeyError): raise KeyError |
gen | list(x for x in nums) |
gen | sum(x * x for x in nums) |
gen | list(outer()) | def inner():⏎ yield 1; yield 2; yield 3⏎def outer():⏎ for i in range(20): yield from inner()
gen | asyncio.run(main()) | import asyncio⏎async def main():⏎ for i in range(100): await asyncio.sleep(0)
gen | asyncio.run(main()) | import asyncio⏎async def w(): await asyncio.sleep(0)⏎async def main(): await asyncio.gather(*[w() for _ in range(50)])
gen | asyncio.run(main()) | import asyncio⏎async def w(q):⏎ for i in range(50): await q.put(i)⏎async def main():⏎ q = asyncio.Queue(5); t = asyncio.create_task(w(q))⏎ for i in range(50): await q.get()
gen | v.set(1); v.get() | import contextvars; v = contextvars.ContextVar('v')
gen | ctx.run(len, small) | import contextvars; ctx = contextvars.copy_context()
xml | ET.fromstring(xml) | import xml.etree.ElementTree as ET; xml = '<r>' + '<a b="1">t<c/></a>' * 50 + '</r>'
xml | ET.tostring(root) | import xml.etree.ElementTree as ET; root = ET.fromstring('<r>' + '<a b="1">t<c/></a>' * 50 + '</r>')
xml | root.findall('.//c'); [e.tag for e in root.iter()] | import xml.etree.ElementTree as ET; root = ET.fromstring('<r>' + '<a b="1">t<c/></a>' * 50 + '</r>')
xml | p = expat.ParserCreate(); p.StartElementHandler = h; p.Parse(xml, True) | import xml.parsers.expat as expat; h = lambda n, a: None; xml = '<r>' + '<a b="1">t<c/></a>' * 50 + '</r>'
compile | compile(src, 'a', 'exec') | src = 'def f(a):\n    return [x + a for x in range(10) if x > 2]\n' * 20
compile | ast.parse(src) | import ast; src = 'def f(a):\n    return [x + a for x in range(10) if x > 2]\n' * 20
compile | ast.literal_eval('[1, {"a": (2, 3)}]') | import ast
compile | eval('1 + 2') |
compile | list(tokenize.generate_tokens(io.StringIO(src).readline)) | import tokenize; src = 'def f(a):\n    return [x + a for x in range(10) if x > 2]\n' * 5
compile | inspect.signature(f) | import inspect⏎def f(a, b=1, *c, **d): pass
compile | string.Template('$a b').substitute(a=1) | import string
compile | textwrap.wrap(text, 40) | import textwrap
compile | difflib.SequenceMatcher(None, words[:20], words[5:25]).ratio() | import difflib
compile | uuid.uuid4(); str(u) | import uuid; u = uuid.uuid4()
compile | urllib.parse.urlparse('http://a.b/c?d=e#f'); urllib.parse.quote('a b&c') | import urllib.parse
compile | shlex.split('a "b c" d') | import shlex
compile | argparse.ArgumentParser().add_argument('-x') | import argparse
compile | importlib.import_module('os') | import importlib
compile | gc.collect() | import gc
compile | html.escape(text); html.unescape('&lt;a&gt;') | import html
compile | email.message_from_string('A: b\nC: d\n\nbody') | import email
compile | configparser.ConfigParser().read_string('[a]\nb = c\n') | import configparser
compile | ipaddress.ip_address('10.0.0.1') | import ipaddress
compile | fnmatch.filter(words, 'a*') | import fnmatch
compile | unicodedata.normalize('NFC', uni); unicodedata.name('a') | import unicodedata
compile | sqlite3.connect(':memory:').execute('select 1').fetchall() | import sqlite3
compile | threading.Thread(target=len, args=([],)).start() | import threading
"""

SHARED = """
import collections, collections.abc, contextlib, functools, io, itertools, math, operator, os, random, re, struct
nums = list(range(1000)); small = list(range(10)); floats = [i * 0.37 for i in range(300)]
shuffled = nums[:]; random.Random(5).shuffle(shuffled)
word = 'alpha'
text = 'the quick brown fox, jumps over a lazy dog and, the end of it ' * 8
words = text.replace(',', '').split()
data = text.encode(); uni = 'na\\u00efve caf\\u00e9 \\u4e2d\\u6587 text ' * 10
dic = {'k%d' % i: i for i in range(100)}; pairs = [('k%d' % (i * 7 % 100), i) for i in range(100)]
doc = {'name': 'x', 'tags': ['a', 'b', 'c'] * 5, 'nested': [{'id': i, 'v': i * 1.5, 'ok': True, 'none': None} for i in range(20)]}
big, huge = 3 ** 50, 3 ** 2000
class K: pass
o = K(); o.a = 1
"""


def statements(wanted):
    for line in STATEMENTS.strip().splitlines():
        group, statement, setup = (part.strip() for part in split(line))
        if not wanted or any(w in line for w in wanted):
            yield group, statement, setup


def split(line):
    """The statement may hold an `a | b` of its own, the set-up never does."""
    parts = line.split(" | ")
    if line.endswith(" |"):
        parts = line[:-2].split(" | ") + [""]
    return parts[0], " | ".join(parts[1:-1]), parts[-1]


def child(seconds):
    """Reads statements' numbers, answers each with nanoseconds (of CPU time) or an error."""
    everything = list(statements([]))
    for line in sys.stdin:
        group, statement, setup = everything[int(line)]
        space = {"__name__": "micro"}
        try:
            exec(SHARED, space)
            exec(setup.replace("⏎", "\n"), space)
            timer = timeit.Timer(statement.replace("⏎", "\n"), globals=space, timer=time.process_time)
            loops, took = 1, timer.timeit(1)
            while took < seconds / 10:
                loops = max(loops * 2, int(loops * min(seconds / 5 / max(took, 1e-9), 50)))
                took = timer.timeit(loops)
            empty = min(timeit.Timer(timer=time.process_time).repeat(3, loops)) if loops > 100 else 0
            answer = max(min([took] + timer.repeat(4, loops)) - empty, 1e-10 * loops) / loops * 1e9
        except Exception as e:
            answer = "%s: %s" % (type(e).__name__, e)
        space.clear()
        os.write(3, ("%s\n" % answer).encode())


class Worker:
    def __init__(self, command, seconds):
        self.command = command + [os.path.abspath(__file__), "--child", str(seconds)]
        self.start()

    def start(self):
        read, write = os.pipe()
        # The statements may print: answers have a pipe of their own, as descriptor 3.
        self.process = subprocess.Popen(["sh", "-c", 'exec 3>&%d; exec "$@"' % write, "sh"] + self.command, stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, text=True, bufsize=1, pass_fds=[write])
        os.close(write)
        self.answers = open(read)

    def ask(self, number):
        self.process.stdin.write("%d\n" % number)
        answer = self.answers.readline().strip()
        if not answer:
            answer = "ended with %d" % self.process.wait()
            self.start()
        return answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lancehead")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--below", type=float, default=math.inf)
    parser.add_argument("--seconds", type=float, default=0.1, help="how long one statement may take in a round")
    parser.add_argument("--jit", action="store_true", help="leave the JIT on")
    options = parser.parse_args()
    python = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
    workers = [Worker([os.path.abspath(options.lancehead)] + ([] if options.jit else ["-X", "jit=off"]), options.seconds),
               Worker([python], options.seconds)]
    wanted = [w for w in options.only.split(",") if w]
    rows = []
    for number, (group, statement, setup) in enumerate(statements([])):
        if wanted and not any(w in " ".join((group, statement, setup)) for w in wanted):
            continue
        best = [math.inf, math.inf]
        for _ in range(options.rounds):
            for which, worker in enumerate(workers):
                answer = worker.ask(number)
                try:
                    best[which] = min(best[which], float(answer))
                except ValueError:
                    print("%s: %s: %s" % (worker.command[0], statement, answer))
        if max(best) < math.inf:
            rows.append((best[1] / best[0], best[0], best[1], group, statement, setup))
    rows.sort()
    print("%6s %12s %12s" % ("times", "ours ns", "theirs ns"))
    for ratio, ours, theirs, group, statement, setup in rows:
        if ratio < options.below:
            print("%5.2fx %12.1f %12.1f  %-11s %s%s" % (ratio, ours, theirs, group, statement, "   # " + setup if setup else ""))
    if rows:
        mean = math.exp(sum(math.log(r[0]) for r in rows) / len(rows))
        print("geometric mean of %d statements %.2fx; below 0.8: %d" % (len(rows), mean, sum(r[0] < 0.8 for r in rows)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(float(sys.argv[2]))
    else:
        main()
