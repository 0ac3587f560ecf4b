"""Exceptions raised, caught, passed on and looked at in hot loops."""
import sys, traceback, contextlib

class E(Exception):
    pass

class Odd(E):
    def __init__(self, n):
        super().__init__(n)
        self.n = n

def lookup(d, k):
    try:
        return d[k]
    except KeyError:
        return -1

def check(n):
    if n % 3 == 0:
        raise E(n)
    if n % 5 == 0:
        raise Odd(n)
    return n

def middle(n):
    return check(n) + 1

def outer(n):
    try:
        return middle(n)
    except Odd as o:
        return o.n * 100

def lines(e):
    out = []
    t = e.__traceback__
    while t:
        out.append((t.tb_frame.f_code.co_name, t.tb_lineno - t.tb_frame.f_code.co_firstlineno, t.tb_lasti >= 0))
        t = t.tb_next
    return out

def loop(n):
    d = {i: i for i in range(0, 50, 2)}
    s = 0
    log = []
    for i in range(n):
        s += lookup(d, i % 50)
        try:
            s += outer(i)
        except E as e:
            s += 1
            if i % 99 == 0:
                log.append((lines(e), e.args, e.__context__))
        else:
            s += 2
        finally:
            s ^= 1
    return s, log

print(loop(400))

def nested(n):
    s = []
    for i in range(n):
        try:
            try:
                check(i)
            except Odd:
                raise ValueError(i)
            except E:
                raise
            finally:
                s.append(i)
        except ValueError as v:
            if i % 70 == 0:
                s.append((repr(v), repr(v.__context__), lines(v), lines(v.__context__)))
        except E as e:
            if i % 33 == 0:
                s.append((repr(e), lines(e)))
    return s[-120:]

print(nested(300))

def cause(n):
    out = []
    for i in range(n):
        try:
            try:
                {}[i]
            except KeyError as k:
                raise E(i) from k
        except E as e:
            if i % 50 == 0:
                out.append((e.__cause__, e.__suppress_context__, lines(e)))
    return out

print(cause(200))

def stops(n):
    s = 0
    for i in range(n):
        it = iter((i, 2, 3))
        while True:
            try:
                s += next(it)
            except StopIteration:
                break
    return s

print(stops(300))

class Guard:
    def __init__(self, kinds):
        self.kinds = kinds
        self.seen = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        self.seen += kind is not None
        return kind is not None and issubclass(kind, self.kinds)

@contextlib.contextmanager
def swallow(kind):
    try:
        yield
    except kind:
        pass

def withs(n):
    g = Guard(Odd)
    s = 0
    for i in range(n):
        try:
            with g:
                check(i)
                s += 1
            with swallow(E):
                check(i + 1)
                s += 2
        except E:
            s += 10
    return s, g.seen

print(withs(300))

def handled(n):
    seen = set()
    for i in range(n):
        before = sys.exc_info()[0]
        try:
            check(i)
        except (Odd, KeyError):
            seen.add((before, sys.exc_info()[0]))
            try:
                check(3)
            except E:
                seen.add(('in', sys.exc_info()[0], type(sys.exc_info()[1].__context__)))
            seen.add(('after', sys.exc_info()[0]))
        except E:
            seen.add(('e', sys.exc_info()[0]))
        seen.add(('out', sys.exc_info()[0]))
    return sorted(map(repr, seen))

print(handled(200))

def from_native(n):
    s = 0
    for i in range(n):
        try:
            s += int('x' if i % 3 == 0 else '7')
        except ValueError:
            s += 3
        try:
            s += [1, 2, 3][i % 4]
        except IndexError:
            s += 4
        try:
            s += 1 // (i % 3)
        except ZeroDivisionError:
            s += 5
        try:
            s += (i if i % 2 else None) + 1
        except TypeError:
            s += 6
        try:
            i.nothing if i % 7 == 0 else i.real
        except AttributeError as e:
            s += len(e.args[0])
        try:
            undefined if i % 11 == 0 else 1
        except NameError as e:
            s += len(e.name)
    return s

print(from_native(500))

def generators(n):
    def g(k):
        try:
            for i in range(k):
                if i == 4:
                    raise E(k)
                yield i
        except E:
            yield 'caught'
        finally:
            out.append(k)
    out = []
    s = []
    for i in range(n):
        s.append(list(g(i % 7))[-1:])
    return s[-8:], out[-8:]

print(generators(120))

def throw_in(n):
    def g():
        while True:
            try:
                x = yield
            except E as e:
                got.append(e.args)
    got = []
    it = g()
    next(it)
    for i in range(n):
        it.throw(E(i))
    return len(got), got[-1]

print(throw_in(200))

class Finalized:
    count = 0

    def __del__(self):
        Finalized.count += 1

def holds(n):
    x = Finalized()
    y = [Finalized(), x]
    if n % 2:
        raise E(y)
    return len(y)

def lifetimes(n):
    s = 0
    for i in range(n):
        try:
            s += holds(i)
        except E as e:
            s += Finalized.count
    return s, Finalized.count

print(lifetimes(200))

def locals_seen(n):
    out = []
    for i in range(n):
        try:
            middle(i)
        except E as e:
            tb = e.__traceback__
            while tb.tb_next:
                tb = tb.tb_next
            if i % 60 == 0:
                out.append((tb.tb_frame.f_locals, tb.tb_frame.f_back is None, tb.tb_frame.f_back.f_code.co_name))
    return out

print(locals_seen(200))

def keep(n):
    kept = []
    for i in range(n):
        try:
            middle(i)
        except E as e:
            if i % 40 == 0:
                kept.append(e)
    return [(k.args, [sorted(f.f_locals.items()) for f, _ in traceback.walk_tb(k.__traceback__)][1:]) for k in kept]

print(keep(250))

def dynamic(n):
    kinds = [KeyError, (ValueError, KeyError), E, LookupError]
    s = []
    for i in range(n):
        try:
            try:
                {}[i]
            except kinds[i % 4]:
                s.append(i % 4)
        except KeyError:
            s.append('missed')
    return s[-8:]

print(dynamic(200))

def bad_class(n):
    for i in range(n):
        try:
            try:
                {}[i]
            except (KeyError if i < n - 1 else 5):
                pass
        except TypeError as e:
            return i, str(e)

print(bad_class(100))

def returns(n):
    def f(i):
        try:
            return check(i)
        except E:
            return -i
        finally:
            if i % 10 == 0:
                return 'f'
    return [f(i) for i in range(n)][-20:]

print(returns(150))

def uncaught(n):
    def inner(i):
        if i == n - 1:
            raise Odd(i)
        return i
    s = 0
    for i in range(n):
        s += inner(i)

for k in (50, 200):
    try:
        uncaught(k)
    except Odd as e:
        print(e.n, lines(e)[1:])

def groups(n):
    s = 0
    for i in range(n):
        try:
            raise ExceptionGroup('g', [E(i), ValueError(i)]) if i % 2 else ExceptionGroup('h', [Odd(i)])
        except* ValueError as v:
            s += len(v.exceptions)
        except* E as e:
            s += 10
    return s

print(groups(150))

def assertions(n):
    s = 0
    for i in range(n):
        try:
            assert i % 4, i
        except AssertionError as e:
            s += e.args[0]
    return s

print(assertions(200))

class Init:
    def __init__(self, n):
        self.n = n
        if n % 3 == 0:
            raise E(n)

def inits(n):
    s = 0
    for i in range(n):
        try:
            s += Init(i).n
        except E as e:
            s += len(lines(e))
    return s

print(inits(200))
