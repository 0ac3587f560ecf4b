"""The main job of scipy, with output that does not change."""
from scipy import integrate, optimize, linalg, stats, sparse, interpolate, special
import numpy as np
print(integrate.quad(lambda x: x ** 2, 0, 3)[0], optimize.brentq(lambda x: x ** 3 - 2, 0, 2), optimize.minimize(lambda p: (p[0] - 1) ** 2 + (p[1] + 2) ** 2, [0, 0]).x.round(4), linalg.det(np.eye(3) * 2), stats.norm.cdf(1.96).round(6), sparse.csr_matrix(np.eye(3)).sum(), special.gamma(5), interpolate.CubicSpline([0, 1, 2, 3], [0, 1, 4, 9])(1.5).round(6))
print(integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0]).y[0, -1].round(4), optimize.linprog([-1, -2], A_ub=[[1, 1]], b_ub=[4]).x)
try:
    integrate.quad(lambda x: 1 / 0 if x > 1 else x, 0, 3)
except ZeroDivisionError as e:
    print(e)
