"""Opens a layer of an index of `trepang lab index` with four programs, and compares the sums of all channels.

    python3 -m pip install pandas==3.1.1 polars==2.1.0 duckdb==2.0.1 pyarrow==26.0.1
    python3 tests/golden/read_index.py INDEX/LAYER
"""

import sys

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq

folder = sys.argv[1]
shards = f"{folder}/*.parquet"
pandas = pd.read_parquet(folder)
polars = pl.read_parquet(shards).to_pandas()
duck = duckdb.sql(f"select * from read_parquet('{shards}')").df()
arrow = pq.ParquetDataset(folder).read().to_pandas()
numbers = [name for name in pandas.columns if name.startswith(("mean_", "max_", "at_", "relevance_"))]
sums = [table[numbers].astype("f8").sum().to_numpy() for table in (pandas, polars, duck, arrow)]
assert all(len(table) == len(pandas) for table in (polars, duck, arrow))
assert all(np.array_equal(sums[0], other) for other in sums[1:])
print(f"{len(pandas)} rows, {len(numbers)} columns of numbers: the four agree")
print(f"accuracy {(pandas['class'] == pandas['predicted']).mean():.4f}")
