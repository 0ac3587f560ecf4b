# Objects of C types with a finaliser die with their last reference, once, and not at all if the finaliser brings them back.
import asyncio
import gc
import weakref


async def leaf():
    return 1


def gone(make):
    gc.collect()
    gc.disable()
    o = make()
    w = weakref.ref(o)
    del o
    alive = w() is not None
    gc.enable()
    return not alive


def done_future(loop):
    f = asyncio.Future(loop=loop)
    f.set_result(3)
    return f


def done_task(loop):
    t = loop.create_task(leaf())
    loop.run_until_complete(t)
    return t


loop = asyncio.new_event_loop()
print("future", gone(lambda: asyncio.Future(loop=loop)))
print("done future", gone(lambda: done_future(loop)))
print("done task", gone(lambda: done_task(loop)))


async def tree(n):
    if n:
        await asyncio.gather(*[tree(n - 1) for _ in range(3)])


def tasks():
    gc.collect()
    return sum(type(o).__name__ in ("Task", "Future", "coroutine") for o in gc.get_objects())


before = tasks()
loop.run_until_complete(tree(4))
print("left over", tasks() - before)

seen = []
loop.set_exception_handler(lambda l, c: seen.append(c["message"]))
f = asyncio.Future(loop=loop)
f.set_exception(ValueError("lost"))
del f
print(seen)
loop.close()


class Kept(asyncio.Future):
    saved = []

    def __del__(self):
        Kept.saved.append(self)


k = Kept(loop=loop)
k.mark = 5
del k
print(len(Kept.saved), Kept.saved[0].mark)
w = weakref.ref(Kept.saved[0])
Kept.saved.clear()
print(w() is None, len(Kept.saved))
