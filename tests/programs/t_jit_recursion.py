# Recursion: functions that call themselves, in many ways.
import sys
def fib(n):
    if n < 2: return n
    return fib(n-1)+fib(n-2)
print(fib(20))
def even(n): return True if n==0 else odd(n-1)
def odd(n): return False if n==0 else even(n-1)
print([even(k) for k in range(20)], even(500))
def deep(n):
    return 0 if n==0 else 1+deep(n-1)
for k in range(30): deep(200)
print(deep(900))
try: deep(5000)
except RecursionError as e: print(e)
print(deep(900))
class Boom(Exception): pass
def boom(n, at):
    if n==at: raise Boom(n)
    if n==0: return 0
    return boom(n-1, at)+1
for k in range(200):
    try: print(boom(50, k-100)) if k%50==0 else boom(50,k-100)
    except Boom as e:
        d=0
        t=e.__traceback__
        while t: d+=1; t=t.tb_next
        if k%20==0: print(k, e, d)
def catch(n):
    try:
        if n==0: raise Boom
        return catch(n-1)+1
    except Boom:
        if n%3: raise
        return 100
    finally:
        pass
print([catch(n) for n in range(0,300,30)])
for i in range(300): catch(i%17)
def kw(n, *, acc=0, **more):
    return acc if n==0 else kw(n-1, acc=acc+n, x=n)
for i in range(100): kw(30)
print(kw(100))
def star(n,*a):
    return sum(a) if n==0 else star(n-1,*a,n)
for i in range(100): star(3)
print(star(4), star(20))
def closure():
    calls=0
    def walk(n):
        nonlocal calls
        calls+=1
        if n>0: walk(n-1); walk(n-2)
    for i in range(15): walk(i)
    return calls
print(closure(), closure())
def cell(n):
    f=lambda: n
    return f() if n==0 else f()+cell(n-1)
for i in range(50): cell(20)
print(cell(50))
class Node:
    def __init__(self, l, r): self.l=l; self.r=r
    def sum(self): return 1+(self.l.sum() if self.l else 0)+(self.r.sum() if self.r else 0)
    def __del__(self): Node.gone+=1
Node.gone=0
def make(n): return Node(make(n-1),make(n-1)) if n else None
for i in range(6): print(make(i+4).sum(), Node.gone)
def frames(n):
    if n==0: return [f.f_lineno for f in iter_frames()], len(list(iter_frames()))
    return frames(n-1)
def iter_frames():
    f=sys._getframe(1)
    while f: yield f; f=f.f_back
for i in range(60): x=frames(12)
print(x)
def local(n):
    x=n*2
    if n==0: return sorted(sys._getframe(3).f_locals.items())
    return local(n-1)
for i in range(60): x=local(12)
print(x)
class D:
    def __init__(s,n): s.n=n
    def __del__(s): log.append((s.n, sys._getframe(1).f_code.co_name))
log=[]
def dels(n):
    d=D(n)
    if n==0: return 1
    return dels(n-1)+1
for i in range(40):
    log.clear(); dels(8)
print(log)
def gen(n):
    if n>0:
        yield from gen(n-1); yield n; yield from gen(n-1)
for i in range(5): print(sum(gen(i+5)))
def types(n, x):
    return x if n==0 else types(n-1, x)+x
for x in (1, 1.5, 'a', [1], (2,), 10**30, True):
    for i in range(30): r=types(9,x)
    print(r)
def ack(m,n):
    return n+1 if m==0 else ack(m-1,1) if n==0 else ack(m-1,ack(m,n-1))
sys.setrecursionlimit(4000)
print(ack(2,60))
def perms(l):
    if len(l)<=1: return [l]
    return [[l[i]]+p for i in range(len(l)) for p in perms(l[:i]+l[i+1:])]
print(len(perms(list(range(6)))), perms([1,2,3]))
def flat(x):
    out=[]
    for y in x:
        if isinstance(y,list): out.extend(flat(y))
        else: out.append(y)
    return out
n=[1]
for i in range(60): n=[n,i,[i]]
for i in range(20): r=flat(n)
print(r)
import threading
def work(): res.append(fib(16))
res=[]
ts=[threading.Thread(target=work) for i in range(6)]
[t.start() for t in ts]; [t.join() for t in ts]; print(res)
calls=0
def prof(f,e,a):
    global calls
    if e=='call' and f.f_code.co_name=='fib': calls+=1
sys.setprofile(prof); fib(10); sys.setprofile(None); print(calls)
lines=0
def tr(f,e,a):
    global lines
    lines+=1
    return tr
sys.settrace(tr); fib(8); sys.settrace(None); print(lines)
def late(n):
    if n==3: sys.settrace(tr)
    if n==0: return 0
    return late(n-1)+1
for i in range(200):
    if i==150: lines=0
    (late if i>=195 else fib)(6); sys.settrace(None)
print(lines)
def redefine(n):
    global helper
    if n==5: helper=lambda k: k+1
    return n if n==0 else helper(redefine(n-1))
helper=lambda k:k
for i in range(50): redefine(4)
print(redefine(8))
def big(n):
    return 1 if n==0 else n*big(n-1)
for i in range(60): big(30)
print(big(60))
def made(k):
    # Code that comes and goes, so that other code lies where it was.
    names = ', '.join('a%d' % i for i in range(k % 4))
    space = {}
    exec(f'''
def make(x):
    def f(n{', ' if names else ''}{names}, *more):
        return (n, x, {names or '0'}) if n == 0 else f(n - 1{', ' if names else ''}{names}, *more)
    return f if {k} % 3 else (lambda n, *a: n if n == 0 else f(n, *a))
''', space)
    f = space['make'](k)
    for i in range(12):
        r = f(40, *range(k % 4 + k % 2))
    return r
print([made(k) for k in range(60)][::7])
