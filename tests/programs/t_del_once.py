# Instances made where a piece of the frame stack ends: none is finalised that `__init__` hasn't seen.
made = gone = bad = 0

class A:
    def __init__(self, x):
        self.x = x
        global made
        made += 1
    def __del__(self):
        global gone, bad
        gone += 1
        bad += "x" not in self.__dict__

class B(A):
    def __init__(self, x):
        A.__init__(self, x)
        self.y = x

def level(size):
    # Frames of many sizes: pieces of the stack end at many places.
    names = ", ".join(f"v{i}" for i in range(size))
    space = {"A": A, "B": B}
    exec(f"""def f(fs, n):
    {names} = range({size})
    for i in range(6):
        a, b = A(i), B(n)
    if n:
        fs[n * n % len(fs)](fs, n - 1)
""", space)
    return space["f"]

fs = [level(k) for k in range(2, 25)]
for k in range(12):
    fs[k](fs, 300)
print(made == gone, bad)
