"""The main job of matplotlib, with output that does not change."""
import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt, numpy as np, io, hashlib
fig, ax = plt.subplots(1, 2, figsize=(6, 3))
x = np.linspace(0, 6, 50)
ax[0].plot(x, np.sin(x), label='sin')
ax[0].legend()
ax[0].set_title('T $x^2$')
ax[1].imshow(np.outer(x, x))
ax[1].scatter([1, 2], [3, 4])
b = io.BytesIO()
fig.savefig(b, format='png', metadata={'Software': None})
print(len(b.getvalue()) > 5000, hashlib.md5(b.getvalue()).hexdigest())
