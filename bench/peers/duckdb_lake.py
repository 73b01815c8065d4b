"""The questions of `scan_rate` asked of the plain Parquet files by DuckDB: `duckdb_lake.py DIR THREADS`.

Where the lake has `person_id` as a column, the map of records to persons is joined here."""

import json
import sys
import time

import duckdb

QUERIES = {
    "scan": """select count(*), count(distinct person_id), avg(value_as_number), min(measurement_date), max(measurement_date),
               count(unit_source_value), max(range_high) from measurement join record_person using (record_id)""",
    "filter": """select count(*), count(distinct person_id), avg(value_as_number), max(measurement_date)
                 from measurement join record_person using (record_id)
                 where measurement_source_value = '3D0460000019062'""",
    "group": """select count(*), max(n), avg(mean), max(latest) from (select person_id, count(*) as n,
                avg(value_as_number) as mean, max(measurement_date) as latest
                from measurement join record_person using (record_id) group by person_id) as persons""",
    "join": """select p.year_of_birth, p.gender_source_value, count(*), count(distinct r.person_id), avg(m.value_as_number)
               from measurement m join record_person r using (record_id) join person p on m.record_id = p.record_id
               group by p.year_of_birth, p.gender_source_value order by 1, 2""",
}


def main() -> None:
    directory, threads = sys.argv[1], int(sys.argv[2])
    connection = duckdb.connect(config={"threads": threads})
    for table, files in {"measurement": "measurement-*", "person": "person", "record_person": "record_person"}.items():
        connection.execute(f"create view {table} as select * from read_parquet('{directory}/plain/{files}.parquet')")
    for name, sql in QUERIES.items():
        begun = time.perf_counter()
        rows = connection.execute(sql).fetchall()
        seconds = time.perf_counter() - begun
        first = [str(value) for value in rows[0]]
        print(json.dumps({"query": name, "seconds": seconds, "rows": len(rows), "first": first}), flush=True)


main()
