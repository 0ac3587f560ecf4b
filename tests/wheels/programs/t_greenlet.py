"""The main job of greenlet, with output that does not change."""
import greenlet
from greenlet import greenlet as G

def f(x):
    print('f', x)
    y = m.switch('from f')
    print('f2', y)
    return 'done'
m = greenlet.getcurrent()
g = G(f)
print(g.switch(1))
print(g.switch(2), g.dead)

def thrower():
    try:
        m.switch()
    except ValueError as e:
        print('caught', e)
        raise KeyError('k')
g = G(thrower)
g.switch()
try:
    g.throw(ValueError('v'))
except KeyError as e:
    print('key', e)

def gen(n):
    for i in range(n):
        m.switch(i)
gs = [G(gen) for _ in range(3)]
print([g.switch(5) for g in gs], [[g.switch() for g in gs] for _ in range(2)])

def deep(n):
    if n == 0:
        return m.switch('deep')
    return deep(n - 1)
g = G(deep)
print(g.switch(200))
print(g.switch('up'))
del g, gs
import gc
gc.collect()
print('ok')
