"""One SQL statement over a CSV file, in the environment that has PyFlink."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment

from scurry.flink import infer

TABLE = """
CREATE TABLE flowers (id INT, sepal_length FLOAT, sepal_width FLOAT, petal_length FLOAT, petal_width FLOAT)
WITH ('connector' = 'filesystem', 'path' = 'file://{table}', 'format' = 'csv')
"""
PYTHON = """
SELECT id, species(sepal_length, sepal_width, petal_length, petal_width) AS species FROM flowers
"""
MODEL = """
CREATE MODEL iris INPUT (features ARRAY<FLOAT>) OUTPUT (species BIGINT)
WITH ('provider' = 'triton', 'endpoint' = '{url}', 'model-name' = 'iris', 'model-version' = '1')
"""
PREDICT = """
SELECT id, species FROM ML_PREDICT(
  TABLE measured, MODEL iris, DESCRIPTOR(features))
"""
SHOWN = 10
JARS = Path(sys.prefix) / "jars"


def main(how: str, table: str, url: str) -> None:
    """Print the first rows as a table, then all of them as JSON."""
    tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    config = tables.get_config()
    config.set("parallelism.default", "2")
    config.set("python.executable", sys.executable)
    config.set("pipeline.jars", ";".join(each.as_uri() for each in sorted(JARS.glob("*.jar"))))
    tables.execute_sql(TABLE.format(table=table))
    if how == "python":
        function = infer("iris", url=url, output="SPECIES", result_type=DataTypes.BIGINT())
        tables.create_temporary_function("species", function)
        statement = PYTHON
    else:
        tables.execute_sql(MODEL.format(url=url))
        tables.execute_sql(
            "CREATE TEMPORARY VIEW measured AS SELECT id, "
            "ARRAY[sepal_length, sepal_width, petal_length, petal_width] AS features FROM flowers"
        )
        statement = PREDICT
    print(statement.strip())
    with tables.execute_sql(statement).collect() as rows:
        found = {row[0]: row[1] for row in rows}
    print("    ID  SPECIES")
    for number in sorted(found)[:SHOWN]:
        print(f"{number:>6}  {found[number]:>7}")
    print(f"  … {len(found)} rows in all")
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
