"""Steps of asynchronous generators: by `async for`, by hand, thrown into, closed, awaited twice."""
import asyncio
import types


@types.coroutine
def pause(x):
    return (yield x)


async def numbers(n):
    try:
        for i in range(n):
            got = yield i
            if got is not None:
                await pause(("got", got))
            await pause(i * 10)
    finally:
        await pause("closing")


def drive(coro, answers=()):
    out, value = [], None
    answers = iter(answers)
    try:
        while True:
            out.append(coro.send(value))
            value = next(answers, None)
    except StopIteration as e:
        out.append(("returned", e.value))
    except BaseException as e:
        out.append((type(e).__name__, str(e)))
    return out


async def summing(n):
    total = 0
    async for x in numbers(n):
        total += x
    return total


async def collecting():
    return [x async for x in numbers(3) if x] + [x + 1 async for x in numbers(2)]


async def sending():
    g = numbers(3)
    first = await g.asend(None)
    second = await g.asend("hello")
    await g.aclose()
    try:
        await g.asend(None)
    except StopAsyncIteration as e:
        return first, second, e.args


async def throwing():
    g = numbers(3)
    await g.__anext__()
    try:
        await g.athrow(KeyError("in"))
    except KeyError as e:
        return repr(e)


async def stops():
    async def g():
        yield 1
        raise StopIteration("inner")
    try:
        async for x in g():
            pass
    except RuntimeError as e:
        return repr(e), repr(e.__cause__)


async def twice():
    a = numbers(2).__anext__()
    await a
    try:
        await a
    except RuntimeError as e:
        return str(e)


for f in (lambda: summing(3), collecting, sending, throwing, stops, twice):
    print(drive(f()))


def by_hand():
    g = numbers(2)
    a = g.__anext__()
    try:
        a.send(None)
    except StopIteration as e:
        print("value", e.value)
    a = g.asend(5)
    print(a.send(None), next(a))
    try:
        next(a)
    except StopIteration as e:
        print("value", e.value)
    b = g.__anext__()
    print(b.send(None))
    c = g.__anext__()
    try:
        c.send(None)
    except RuntimeError as e:
        print(e)
    try:
        b.throw(ValueError("x"))
    except ValueError as e:
        print("ValueError", e)
    except StopIteration as e:
        print("StopIteration", e.value)
    else:
        print("yielded")
    b.close()


by_hand()


async def main():
    async def worker(n):
        return [x async for x in ticking(n)]

    async def ticking(n):
        for i in range(n):
            await asyncio.sleep(0)
            yield i
    return await asyncio.gather(*(worker(i) for i in range(5)))


print(asyncio.run(main()))
N = 60000


async def many():
    total = 0

    async def quick():
        for i in range(N):
            yield i
    async for x in quick():
        total += x
    return total


print(drive(many()))
