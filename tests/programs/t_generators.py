# Generators, coroutines, async generators, asyncio.
import asyncio
import itertools

def count(n):
    i = 0
    while i < n:
        got = yield i
        if got: i = got
        i += 1
    return "result"
g = count(5); print(next(g), g.send(2), list(g))
def outer():
    r = yield from count(2)
    print("inner returned", r)
    yield from "ab"
print(list(outer()))
def catcher():
    while True:
        try:
            yield 1
        except ValueError as e:
            yield f"got {e}"
c = catcher(); next(c); print(c.throw(ValueError("v")))
def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b
print(list(itertools.islice(fib(), 15)), sum(x for x in range(100) if x % 3 == 0))
print(list(itertools.chain([1], "a")), list(itertools.permutations("abc", 2))[:4], list(itertools.combinations(range(4), 2)), list(itertools.product("ab", repeat=2)),
      list(itertools.groupby("aabbc", key=lambda c: c).__next__()[1]), list(itertools.accumulate([1, 2, 3])), list(itertools.takewhile(lambda x: x < 3, itertools.count())), list(itertools.zip_longest("ab", "c")))
def early(): 
    yield 1
    return
    yield 2
print(list(early()), [*early()])
def bad(): 
    yield 1
    raise StopIteration("x")
try:
    list(bad())
except RuntimeError as e:
    print(e, repr(e.__cause__))
async def work(n, d):
    await asyncio.sleep(d)
    return n * 2
async def agen(n):
    for i in range(n):
        yield i
        await asyncio.sleep(0)
class ACtx:
    async def __aenter__(self): print("aenter"); return self
    async def __aexit__(self, *a): print("aexit", a[0])
async def main():
    print(await asyncio.gather(work(1, 0.01), work(2, 0.005), work(3, 0)))
    print([x async for x in agen(4) if x % 2], [await work(i, 0) for i in range(2)])
    async with ACtx(): print("inside")
    async for x in agen(2): print("a", x)
    t = asyncio.create_task(work(5, 10)); await asyncio.sleep(0); t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        print("cancelled")
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.01)
    except asyncio.TimeoutError:
        print("timeout")
    q = asyncio.Queue(); await q.put(1); print(await q.get())
    async with asyncio.TaskGroup() as tg:
        a = tg.create_task(work(7, 0)); b = tg.create_task(work(8, 0))
    print(a.result(), b.result())
asyncio.run(main())
co = work(1, 0); print(type(co).__name__, co.cr_frame is not None); co.close()
g = count(3); next(g); print(g.gi_frame.f_locals["i"], g.gi_running, g.gi_code.co_name)
try:
    g.throw(KeyError("thrown"))
except KeyError as e:
    print("out", e)
print(list(g))
