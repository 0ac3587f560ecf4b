"""The main job of pandas, with output that does not change."""
import pandas as pd, io
df = pd.read_csv(io.StringIO('k,v,d\na,1,2020-01-01\nb,2,2020-01-02\na,3,2020-01-03\n'), parse_dates=['d'])
print(df, df.dtypes, df.groupby('k').v.agg(['sum', 'mean']), df.merge(pd.DataFrame({'k': ['a', 'b'], 'w': [10, 20]}), on='k'), df.pivot_table(index='k', values='v'), df.v.rolling(2).mean(), df.d.dt.dayofweek.tolist(), df.sort_values('v', ascending=False).to_csv(), df.describe())
print(df.v.apply(lambda x: x * 2).tolist(), df.set_index('d').resample('2D').v.sum())
try:
    df['zz']
except KeyError as e:
    print(e)
