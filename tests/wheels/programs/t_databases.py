"""psycopg2, psycopg, asyncpg without a server: adaption of values, errors; argon2, lxml, more."""
import asyncio
import datetime
import decimal

import argon2
import asyncpg
import psycopg
import psycopg.sql
import psycopg2
import psycopg2.extensions as ext
import psycopg2.sql


def attempt(f):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, str(e).splitlines()[0][:100])


for v in [1, 2.5, "it's", b"\0x", None, True, [1, "a"], (1, 2), decimal.Decimal("1.50"), datetime.date(2020, 1, 2), datetime.timedelta(3)]:
    attempt(lambda: ext.adapt(v).getquoted() if v is not None else ext.adapt(v).getquoted())


class Point:
    def __init__(self, x):
        self.x = x


ext.register_adapter(Point, lambda p: ext.AsIs(f"point({p.x})"))
print(ext.adapt(Point(4)).getquoted(), ext.parse_dsn("dbname=a user=b"), ext.make_dsn(dbname="x", port=5))
attempt(lambda: ext.adapt(object()).getquoted())
attempt(lambda: psycopg2.connect("host=127.0.0.1 port=1"))
attempt(lambda: ext.new_type((1,), "N", lambda v, c: v).name)
print(psycopg2.Error("x").pgcode, psycopg2.errors.lookup("23505").__name__, ext.DATE("2020-01-01", None), ext.INTEGER("5", None))
attempt(lambda: ext.DATE("x", None))
attempt(lambda: psycopg.connect("host=127.0.0.1 port=1", connect_timeout=2))
print(psycopg.sql.SQL("select {} from {}").format(psycopg.sql.Literal("a'b"), psycopg.sql.Identifier("t", "u")).as_string(None))
t = psycopg.adapt.Transformer()
print([bytes(d) if d is not None else d for d in t.dump_sequence([1, "x", None, 2.5, [1, 2]], [psycopg.adapt.PyFormat.TEXT] * 5)], psycopg.pq.__impl__)
attempt(lambda: psycopg.conninfo.conninfo_to_dict("a b c"))
attempt(lambda: asyncio.run(asyncpg.connect(host="127.0.0.1", port=1, user="x")))
attempt(lambda: asyncpg.Record())
h = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
x = h.hash("secret")
print(h.verify(x, "secret"), h.check_needs_rehash(x))
attempt(lambda: h.verify(x, "other"))
