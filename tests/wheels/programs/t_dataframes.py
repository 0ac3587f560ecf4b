"""pyarrow, polars, duckdb: tables made, read back, filtered, grouped and joined; Python functions called back; errors."""
import io
import os
import tempfile

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq


def attempt(f):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, str(e).splitlines()[0][:120])


def arrow():
    table = pa.table({"n": list(range(10)), "name": [f"x{i % 3}" for i in range(10)], "f": [i / 4 for i in range(10)], "none": [None] * 5 + [1] * 5})
    print(table.schema)
    print(table.group_by("name").aggregate([("n", "sum"), ("f", "mean")]).sort_by("name").to_pydict())
    print(table.filter(pc.greater(table["n"], 6)).to_pylist())
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.parquet")
        pq.write_table(table, path, compression="zstd")
        print(pq.read_table(path, columns=["n", "name"]).equals(table.select(["n", "name"])))
        print(pq.ParquetFile(path).metadata.num_rows)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as w:
        w.write_table(table)
    print(pa.ipc.open_stream(sink.getvalue()).read_all().num_rows)
    print(pyarrow.csv.read_csv(io.BytesIO(b"a,b\n1,x\n2,y\n")).to_pydict())
    nested = pa.array([{"a": [1, 2], "b": None}, {"a": [], "b": "z"}])
    print(nested.type, nested.to_pylist(), nested.flatten()[0].to_pylist())
    print(pc.call_function("add", [pa.array([1, 2]), pa.scalar(3)]).to_pylist())

    def half(context, values):
        return pc.divide(values, 2)

    pc.register_scalar_function(half, "half", {"summary": "s", "description": "d"}, {"x": pa.float64()}, pa.float64())
    print(pc.call_function("half", [pa.array([1.0, 5.0])]).to_pylist())
    view = memoryview(pa.py_buffer(b"hello"))
    print(bytes(view), view.readonly, pa.array([1, 2, 3], pa.int16()).to_numpy().tolist())
    attempt(lambda: pa.array([1, "x"]))
    attempt(lambda: table["nothing"])
    attempt(lambda: pa.array([1 << 70]))


def frames():
    df = pl.DataFrame({"g": ["a", "b", "a", "c"], "v": [1, 2, 3, 4], "t": ["x", None, "y", "z"]})
    print(df)
    print(df.group_by("g", maintain_order=True).agg(pl.col("v").sum(), pl.len().alias("n")).to_dicts())
    print(df.lazy().filter(pl.col("v") > 1).with_columns((pl.col("v") * 2).alias("w")).collect().rows())
    print(df.select(pl.col("v").map_elements(lambda x: x * 10, return_dtype=pl.Int64)).to_series().to_list())
    print(df.join(pl.DataFrame({"g": ["a", "c"], "k": [True, False]}), on="g", how="left", maintain_order="left").rows())
    print(pl.read_csv(io.BytesIO(b"a,b\n1,2.5\n3,4.5\n")).to_dict(as_series=False), df.to_arrow().num_rows)
    print(df.with_columns(pl.struct("g", "v").map_elements(lambda d: f"{d['g']}{d['v']}", return_dtype=pl.String).alias("s"))["s"].to_list())
    attempt(lambda: df.select("nothing"))
    attempt(lambda: df.select(pl.col("v").map_elements(lambda x: 1 // (x - 1), return_dtype=pl.Int64)))


def database():
    con = duckdb.connect()
    con.execute("create table t (a integer, b varchar, c double)")
    con.executemany("insert into t values (?, ?, ?)", [[1, "x", 1.5], [2, "y", None], [3, "x", 4.25]])
    print(con.execute("select b, sum(a), count(c) from t group by b order by b").fetchall())
    con.create_function("twice", lambda x: x * 2, ["BIGINT"], "BIGINT")
    print(con.execute("select twice(a) from t order by a").fetchall())
    print(con.execute("select * from t order by a").to_arrow_table().to_pydict())
    print(con.execute("select date '2020-01-02', [1,2,3], {'k': 1}, 12.50::decimal(6,2), interval 3 days").fetchone())
    print([d[0] for d in con.execute("select a, b from t").description])
    local = pa.table({"q": [5, 6, 7]})
    print(con.execute("select sum(q) from local").fetchone())
    attempt(lambda: con.execute("select nothing from t"))
    con.create_function("fails", lambda x: 1 // 0, ["BIGINT"], "BIGINT")
    attempt(lambda: con.execute("select fails(1)").fetchall())


arrow()
frames()
database()
