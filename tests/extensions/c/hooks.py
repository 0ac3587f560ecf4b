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


def outer(call):
    return inner(call)


def inner(call):
    return call(4)


print(outer(c_hooks.entries), *map(outer, [c_hooks.entries]), [*(inner(c) for c in [c_hooks.entries])])
print((lambda: (1,
                c_hooks.place()))())


class Holder:
    @property
    def fixed(self):
        return 1


h, other = Holder(), {}
c_hooks.set_in(h, "a", 1, None)
c_hooks.set_in(h, "b", 2, other)
print(h.__dict__, other)
for n, d in [("b", other), ("b", other), ("a", None), ("a", None), ("fixed", other), (3, other)]:
    try:
        print(c_hooks.set_in(h, n, None, d), h.__dict__, other)
    except (AttributeError, TypeError) as e:
        print(type(e).__name__, e)
print([c_hooks.own_hash(s) == hash(s) for s in ["a", "12345678", "a longer text", str(12.5)]])
print(c_hooks.fast([1]), c_hooks.fast((2,)), c_hooks.fast({3: 4}))
