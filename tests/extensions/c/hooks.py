"""What trace and profile functions set from C see of generators, closures and coroutines; getters that answer NULL without an error."""
import c_hooks


def gen():
    yield 1
    yield 2


def closure():
    x = 1

    def inner():
        return x

    return inner()


async def coro():
    return 3


def run():
    g = gen()
    next(g)
    list(gen())
    closure()
    g.close()
    try:
        coro().send(None)
    except StopIteration as e:
        e.value
    return [a for a in (1, 2)]


print(*c_hooks.watch(run), sep="\n")
# 4, 5 and 6 are built-in functions' events; the call that removes the hook is not one of the program's.
print(*(e for e in c_hooks.watch(run, True) if e[0] < 4), sep="\n")

s = c_hooks.Silent()
print(getattr(s, "nothing", "default"), hasattr(s, "nothing"))
try:
    s.nothing
except SystemError as e:
    print(type(e).__name__, e)


def read(o):
    return o.nothing


for i in range(3):
    try:
        read(s)
    except SystemError as e:
        print(type(e).__name__, e)
