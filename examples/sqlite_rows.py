"""A SQLite database of 100,000 rows, built and queried through raw ctypes calls into libsqlite3."""
import ctypes
import time
from ctypes import byref, c_char_p, c_double, c_int, c_longlong, c_void_p

ROWS = 100_000
OK, ROW, DONE = 0, 100, 101

sqlite = ctypes.CDLL("libsqlite3.so.0")


def declare(name, restype, *argtypes):
    f = getattr(sqlite, name)
    f.restype, f.argtypes = restype, list(argtypes)
    return f


sqlite3_open = declare("sqlite3_open", c_int, c_char_p, ctypes.POINTER(c_void_p))
sqlite3_close = declare("sqlite3_close", c_int, c_void_p)
sqlite3_errmsg = declare("sqlite3_errmsg", c_char_p, c_void_p)
sqlite3_exec = declare("sqlite3_exec", c_int, c_void_p, c_char_p, c_void_p, c_void_p, c_void_p)
prepare = declare("sqlite3_prepare_v2", c_int, c_void_p, c_char_p, c_int, ctypes.POINTER(c_void_p), c_void_p)
bind_int64 = declare("sqlite3_bind_int64", c_int, c_void_p, c_int, c_longlong)
bind_double = declare("sqlite3_bind_double", c_int, c_void_p, c_int, c_double)
bind_text = declare("sqlite3_bind_text", c_int, c_void_p, c_int, c_char_p, c_int, c_void_p)
step = declare("sqlite3_step", c_int, c_void_p)
reset = declare("sqlite3_reset", c_int, c_void_p)
finalize = declare("sqlite3_finalize", c_int, c_void_p)
column_int64 = declare("sqlite3_column_int64", c_longlong, c_void_p, c_int)
column_double = declare("sqlite3_column_double", c_double, c_void_p, c_int)
column_text = declare("sqlite3_column_text", c_char_p, c_void_p, c_int)


def check(db, code, *good):
    if code not in (good or (OK,)):
        raise RuntimeError("sqlite: %s" % sqlite3_errmsg(db).decode())


def statement(db, sql):
    out = c_void_p()
    check(db, prepare(db, sql, -1, byref(out), None))
    return out


def fill(db):
    insert = statement(db, b"INSERT INTO t VALUES (?, ?, ?)")
    for i in range(ROWS):
        bind_int64(insert, 1, i)
        bind_double(insert, 2, i * 0.5)
        bind_text(insert, 3, b"row", 3, None)
        if step(insert) != DONE:
            check(db, -1)
        reset(insert)
    finalize(insert)


def query(db):
    select = statement(db, b"SELECT id, value FROM t")
    ids = 0
    values = 0.0
    while step(select) == ROW:
        ids += column_int64(select, 0)
        values += column_double(select, 1)
    finalize(select)
    return ids, values


def main():
    db = c_void_p()
    check(db, sqlite3_open(b":memory:", byref(db)))
    check(db, sqlite3_exec(db, b"CREATE TABLE t (id INTEGER, value REAL, name TEXT)", None, None, None))
    check(db, sqlite3_exec(db, b"BEGIN", None, None, None))
    start = time.perf_counter()
    fill(db)
    filled = time.perf_counter()
    check(db, sqlite3_exec(db, b"COMMIT", None, None, None))
    middle = time.perf_counter()
    ids, values = query(db)
    end = time.perf_counter()
    assert ids == ROWS * (ROWS - 1) // 2 and values == ids * 0.5, (ids, values)
    names = statement(db, b"SELECT DISTINCT name, count(*) FROM t")
    assert step(names) == ROW and column_text(names, 0) == b"row" and column_int64(names, 1) == ROWS
    finalize(names)
    check(db, sqlite3_close(db))
    print("sqlite: %d rows in, sum of ids %d, sum of values %.1f" % (ROWS, ids, values))
    print("@ sqlite fill (5 calls a row) %.1f" % ((filled - start) / ROWS / 5 * 1e9))
    print("@ sqlite query (3 calls a row) %.1f" % ((end - middle) / ROWS / 3 * 1e9))


main()
