"""jax: gradients, compiled functions, callbacks, errors with the caller's frames."""

import jax, jax.numpy as jnp

jax.config.update("jax_platforms", "cpu")
f = lambda x: jnp.sum(jnp.sin(x) ** 2)
x = jnp.arange(3.0)
print(f(x), jax.grad(f)(x), jax.jit(f)(x), jax.vmap(lambda a: a * 2)(x), jax.make_jaxpr(f)(x))
print(jax.hessian(f)(x))
print(jax.lax.scan(lambda c, a: (c + a, c * a), 0.0, x))
print(jax.tree.map(lambda a: a + 1, {"a": 1, "b": [2, 3]}))
for g in (
    lambda: jnp.ones(2) + jnp.ones(3),
    lambda: jax.grad(lambda x: x)(x),
    lambda: jax.jit(lambda x: 1 if x > 0 else 2)(1.0),
    lambda: x.at[0].nope,
):
    try:
        g()
    except Exception as e:
        print(type(e).__name__, str(e)[:150])
k = jax.random.key(0)
print(jax.random.normal(k, (2,)), x.at[1].set(5.0), x.dtype)


def cb(a):
    return a * 2


print(jax.jit(lambda x: jax.pure_callback(cb, jax.ShapeDtypeStruct((3,), x.dtype), x))(x))
import traceback


def bad(x):
    return jnp.dot(x, jnp.ones(7))


try:
    jax.jit(bad)(x)
except TypeError as e:
    print([t.name for t in traceback.extract_tb(e.__traceback__) if "jax_.py" in t.filename])
import ml_dtypes, numpy as np

print(np.array([1.1], dtype=ml_dtypes.bfloat16) * 2, ml_dtypes.finfo("bfloat16").max)
