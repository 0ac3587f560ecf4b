"""gmpy2, sympy, pyrsistent, and solvers: cvxpy, OSQP, ECOS, OR-Tools with callbacks."""

import gmpy2, pickle
from gmpy2 import mpz, mpq, mpfr, mpc, xmpz

print(
    mpz(2) ** 200,
    mpq(3, 7) + 1,
    gmpy2.is_prime(2**61 - 1),
    gmpy2.gcd(12, 18),
    mpz("ff", 16),
    int(mpz(5)),
    hash(mpz(2**70)) == hash(2**70),
)
with gmpy2.local_context(gmpy2.context(), precision=200) as c:
    print(gmpy2.sqrt(mpfr(2)), gmpy2.const_pi(), c.precision)
print(
    mpc(1, 2) * mpc(3, 4),
    format(mpfr("1.5"), ".3f"),
    "{:x}".format(mpz(255)),
    repr(mpfr("nan")),
    pickle.loads(pickle.dumps(mpz(7))),
    mpz(7) // 2,
    divmod(mpz(-7), 2),
    mpz(10) % 3,
    pow(mpz(3), 100, 7),
    -mpz(3),
    mpz(5) << 3,
    mpz(5) & 4,
    5 + mpz(1),
    1.5 * mpz(2),
    mpq(1, 3) == mpq(2, 6),
)
x = xmpz(5)
x[3] = 1
print(x, list(x.iter_bits()), x.bit_length())
for f in (
    lambda: mpz("zz"),
    lambda: mpz(1) // 0,
    lambda: mpq(1, 0),
    lambda: mpz([]),
    lambda: gmpy2.invert(2, 4),
    lambda: mpz(5) < "a",
    lambda: gmpy2.isqrt(-1),
):
    try:
        print(f())
    except Exception as x:
        print(type(x).__name__, x)
t = mpz(0)
for i in range(20000):
    t += mpz(i) * i
print(t)
import sympy

x = sympy.symbols("x")
print(
    sympy.factor(x**10 - 1),
    sympy.integrate(sympy.exp(x) * sympy.sin(x), x),
    sympy.factorint(2**67 - 1),
    sympy.Matrix([[1, 2], [3, 4]]).inv(),
    sympy.solve(x**3 - 2 * x + 1, x),
)

from pyrsistent import *
import pvectorc, pickle

v = pvector(range(2000))
print(type(v), v[5], v.set(5, "x")[5], len(v.append(1)), v[10:13], hash(v[:3]))
e = v.evolver()
e[3] = 99
e.append(7)
w = e.persistent()
print(w[3], w[-1], v == w, pickle.loads(pickle.dumps(w)) == w)
print(
    repr(pvector([1, [2]])),
    v.transform([0], lambda x: x + 5)[0],
    sum(v),
    list(reversed(v[:3])),
    v.index(7),
    v.count(3),
    v + [1] == v.append(1),
    v.extend([1, 2])[-2:],
    v.delete(0)[0],
    v.remove(4)[4],
)
for f in (
    lambda: v["a"],
    lambda: v[99999],
    lambda: pvectorc.pvector(5),
    lambda: v.set("x", 1),
    lambda: v.index(-1),
    lambda: v.remove(-1),
):
    try:
        f()
    except Exception as x:
        print(type(x).__name__, x)


class P(PRecord):
    x = field(type=int, invariant=lambda x: (x > 0, "pos"))
    y = pvector_field(int)


p = P(x=1, y=[1])
print(p, p.set(x=2))
try:
    p.set(x="a")
except Exception as x:
    print(type(x).__name__, x)
try:
    P(x=-1)
except Exception as x:
    print(type(x).__name__, x)
print(freeze({"a": [1, {2}]}), thaw(m(a=v[:2])), s(1, 2) | s(3))

import numpy as np, cvxpy as cp, osqp, ecos, scipy.sparse as sp

x = cp.Variable(3)
p = cp.Problem(cp.Minimize(cp.sum_squares(x - np.array([1, 2, 3]))), [cp.sum(x) <= 3, x >= 0])
for s in (cp.OSQP, cp.CLARABEL, cp.SCS):
    print(round(p.solve(solver=s), 3), x.value.round(2), p.status)
try:
    cp.Problem(cp.Maximize(cp.square(x[0]))).solve()
except Exception as e:
    print(type(e).__name__, str(e)[:80])
m = osqp.OSQP()
m.setup(
    sp.csc_matrix([[4.0, 1], [1, 2]]),
    np.array([1.0, 1]),
    sp.csc_matrix([[1.0, 1], [1, 0], [0, 1]]),
    np.array([1.0, 0, 0]),
    np.array([1, 0.7, 0.7]),
    verbose=False,
)
print(m.solve().x.round(3))
print(
    ecos.solve(np.array([-1.0]), sp.csc_matrix([[1.0], [-1.0]]), np.array([4.0, 0]), {"l": 2, "q": []}, verbose=False)["x"].round(3)
)
from ortools.sat.python import cp_model

m = cp_model.CpModel()
a = [m.new_int_var(0, 10, f"a{i}") for i in range(3)]
m.add(sum(a) == 15)
m.add_all_different(a)
m.maximize(a[0] * 2 + a[1])


class CB(cp_model.CpSolverSolutionCallback):
    def __init__(s):
        super().__init__()
        s.n = 0

    def on_solution_callback(s):
        s.n += 1


s = cp_model.CpSolver()
s.parameters.num_workers = 1
c = CB()
print(s.solve(m, c) == cp_model.OPTIMAL, [s.value(v) for v in a], c.n > 0, s.objective_value)
from ortools.linear_solver import pywraplp

l = pywraplp.Solver.CreateSolver("GLOP")
u, v = l.NumVar(0, 5, "u"), l.NumVar(0, 5, "v")
l.Add(u + v <= 7)
l.Maximize(2 * u + v)
print(l.Solve(), u.solution_value(), v.solution_value(), l.Objective().Value())
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

man = pywrapcp.RoutingIndexManager(5, 1, 0)
r = pywrapcp.RoutingModel(man)
pts = [(0, 0), (0, 3), (4, 3), (4, 0), (2, 1)]


def dist(i, j):
    A, B = pts[man.IndexToNode(i)], pts[man.IndexToNode(j)]
    return abs(A[0] - B[0]) + abs(A[1] - B[1])


r.SetArcCostEvaluatorOfAllVehicles(r.RegisterTransitCallback(dist))
sol = r.Solve()
i = r.Start(0)
path = []
while not r.IsEnd(i):
    path.append(man.IndexToNode(i))
    i = sol.Value(r.NextVar(i))
print(sol.ObjectiveValue(), path)
