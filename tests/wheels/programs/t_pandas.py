"""The main job of pandas, with output that does not change."""
import pandas as pd, io
df = pd.read_csv(io.StringIO('k,v,d\na,1,2020-01-01\nb,2,2020-01-02\na,3,2020-01-03\n'), parse_dates=['d'])
print(df, df.dtypes, df.groupby('k').v.agg(['sum', 'mean']), df.merge(pd.DataFrame({'k': ['a', 'b'], 'w': [10, 20]}), on='k'), df.pivot_table(index='k', values='v'), df.v.rolling(2).mean(), df.d.dt.dayofweek.tolist(), df.sort_values('v', ascending=False).to_csv(), df.describe())
print(df.v.apply(lambda x: x * 2).tolist(), df.set_index('d').resample('2D').v.sum())
try:
    df['zz']
except KeyError as e:
    print(e)

# Indexes of several levels: their engines are Python classes with two bases in C.
index = pd.MultiIndex.from_product([list("abc"), range(4)], names=["x", "y"])
table = pd.DataFrame({"p": range(12), "q": [v / 2 for v in range(12)]}, index=index)
print(table.loc[("b", 2)].tolist(), table.loc["a"].sum().tolist(), table.xs(1, level="y")["p"].tolist())
print(index.get_indexer([("c", 3), ("q", 1)]).tolist(), index.is_unique, ("a", 1) in index, index.get_loc("b"))
print(table.unstack().shape, table.reset_index().pivot_table(index="x", columns="y", values="p", margins=True))
print(table.groupby("x").agg(low=("p", "min"), last=("q", lambda s: s.iloc[-1])))
for levels in 1, 2, 4, 8, 9:
    wide = pd.MultiIndex.from_arrays([range(200)] * levels)
    print(type(wide._engine).__name__, wide.get_loc((5,) * levels))
