#!/usr/bin/env python3
"""Splink on a FEBRL set that bench/linkage/febrl.py wrote: splink_febrl.py DIR/febrlN

Needs splink >= 5 and duckdb. Settings in the manner of Splink's own demos for FEBRL 3 and 4: Jaro-Winkler on names with frequencies, edit
distance on the other fields. Prints one JSON object with the best F1 over thresholds of the pairs it scores.
"""
import json
import logging
import os
import sys
import warnings

import duckdb

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "linkage"))
import febrl  # noqa: E402

logging.getLogger("splink").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")

from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: E402
import splink.comparison_library as cl  # noqa: E402
from splink.internals import comparison_level  # noqa: E402

# as in splink_linkage.py: Splink 5.0.0 ends where EM makes an m-probability 0
_LEVEL = comparison_level.ComparisonLevel
_M = _LEVEL.m_probability
_LEVEL.m_probability = property(
    _M.fget, lambda self, v: _M.fset(self, max(v, comparison_level.M_U_CLAMP_MIN) if isinstance(v, (int, float)) else v))


def settings():
    edits = cl.DamerauLevenshteinAtThresholds
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("given_name", [0.9, 0.8]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("surname", [0.9, 0.8]).configure(term_frequency_adjustments=True),
            edits("date_of_birth", [1, 2]), edits("soc_sec_id", [1, 2]), edits("street_number", [1]), edits("address_1", [1, 2]),
            edits("address_2", [1, 2]), edits("suburb", [1, 2]), edits("postcode", [1]), edits("state", [1])],
        blocking_rules_to_generate_predictions=[
            block_on("soc_sec_id"), block_on("date_of_birth"), block_on("given_name", "postcode"), block_on("surname", "postcode"),
            block_on("street_number", "address_1"), block_on("postcode", "suburb"), block_on("address_1", "postcode"),
            block_on("surname", "street_number"), block_on("given_name", "surname"), block_on("suburb", "street_number"),
            block_on("given_name", "address_1"), block_on("address_1", "suburb"),
            "l.given_name = r.surname and l.surname = r.given_name"],
        retain_matching_columns=False, retain_intermediate_calculation_columns=False, max_iterations=25, em_convergence=0.001)


def main():
    folder = sys.argv[1]
    con = duckdb.connect()
    con.execute("set threads = 2; set memory_limit = '4GB'")
    fields = ", ".join(f"nullif({c}, '') as {c}" for c in febrl.COLUMNS)
    con.execute(f"create table p as select rec_id as unique_id, {fields} "
                f"from read_csv('{folder}/people.csv', all_varchar=true, header=true)")
    linker = Linker(DuckDBAPI(connection=con).register(con.table("p")), settings(), log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("soc_sec_id"), block_on("date_of_birth", "surname"), block_on("given_name", "surname", "postcode")], recall=0.9)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (block_on("date_of_birth"), block_on("postcode"), block_on("soc_sec_id")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    name = linker.inference.predict(threshold_match_weight=-30).physical_name
    rows = con.execute(f"select match_weight, unique_id_l, unique_id_r from {name}").fetchall()
    true = febrl.truth(folder)
    top = febrl.best([(w, tuple(sorted((a, b)))) for w, a, b in rows], true)
    print(json.dumps({"peer": "splink", "set": os.path.basename(folder), "true_pairs": len(true), "scored": len(rows),
                      "best_f1": round(top[0], 5), "at_weight": round(top[1], 2)}))


if __name__ == "__main__":
    main()
