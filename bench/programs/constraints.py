"""One-way constraints over variables (in the manner of DeltaBlue): polymorphic methods, lists, planning."""


class Variable:
    def __init__(self, name, value):
        self.name = name
        self.value = value
        self.constraints = []
        self.determined_by = None
        self.mark = 0


class Constraint:
    def __init__(self, strength):
        self.strength = strength

    def execute(self):
        raise NotImplementedError


class Equal(Constraint):
    def __init__(self, a, b, strength):
        Constraint.__init__(self, strength)
        self.a = a
        self.b = b
        a.constraints.append(self)
        b.constraints.append(self)

    def output(self):
        return self.b

    def inputs(self):
        return (self.a,)

    def execute(self):
        self.b.value = self.a.value


class Scale(Constraint):
    def __init__(self, src, factor, offset, dst, strength):
        Constraint.__init__(self, strength)
        self.src, self.factor, self.offset, self.dst = src, factor, offset, dst
        src.constraints.append(self)
        dst.constraints.append(self)

    def output(self):
        return self.dst

    def inputs(self):
        return (self.src, self.factor, self.offset)

    def execute(self):
        self.dst.value = self.src.value * self.factor.value + self.offset.value


class Planner:
    def __init__(self):
        self.mark = 0

    def plan(self, sources):
        self.mark += 1
        mark = self.mark
        for v in sources:
            v.mark = mark
        todo = []
        for v in sources:
            todo.extend(v.constraints)
        plan = []
        while todo:
            c = todo.pop(0)
            out = c.output()
            if out.mark == mark:
                continue
            known = True
            for v in c.inputs():
                if v.mark != mark:
                    known = False
            if known:
                out.mark = mark
                out.determined_by = c
                plan.append(c)
                for d in out.constraints:
                    if d is not c:
                        todo.append(d)
        return plan


def chain(n):
    vs = [Variable("v%d" % i, i) for i in range(n)]
    for a, b in zip(vs, vs[1:]):
        Equal(a, b, 1)
    p = Planner()
    total = 0
    for i in range(12):
        vs[0].value = i
        for c in p.plan([vs[0]]):
            c.execute()
        total += vs[-1].value
    return total


def projection(n):
    scale, offset = Variable("scale", 10), Variable("offset", 1000)
    pairs = []
    for i in range(n):
        src, dst = Variable("s", i), Variable("d", i)
        Scale(src, scale, offset, dst, 1)
        pairs.append((src, dst))
    p = Planner()
    total = 0
    for i in range(10):
        scale.value = i
        for src, dst in pairs:
            for c in p.plan([src, scale, offset]):
                c.execute()
            total += dst.value
            if src.value > 5:
                break
    return total


def run():
    return chain(3000) + projection(1500)
