#!/usr/bin/env python3
"""What a run of `azekura --json link` took, and how right its clusters are.

    azekura --json link people.csv --out DIR/linked | score_clusters.py DIR [RUN]

Reads the run's report from standard input, DIR/linked/clusters.csv and DIR/truth.csv. Prints one JSON object.
"""
import csv
import json
import sys
from collections import Counter


def pairs(counts):
    return sum(n * (n - 1) // 2 for n in counts)


def main():
    place = sys.argv[1]
    report = json.load(sys.stdin)
    with open(f"{place}/truth.csv", encoding="utf-8", newline="") as file:
        truth = {row["record_id"]: row["person_id"] for row in csv.DictReader(file)}
    with open(f"{place}/linked/clusters.csv", encoding="utf-8", newline="") as file:
        found = {row["record_id"]: row["person_id"] for row in csv.DictReader(file)}
    assert truth.keys() == found.keys()
    both = Counter((truth[r], found[r]) for r in truth)
    of_truth, of_found = Counter(truth.values()), Counter(found.values())
    hit, wanted, linked = pairs(both.values()), pairs(of_truth.values()), pairs(of_found.values())
    precision, recall = hit / linked, hit / wanted
    b3_precision = sum(n * n / of_found[f] for (_, f), n in both.items()) / len(truth)
    b3_recall = sum(n * n / of_truth[t] for (t, _), n in both.items()) / len(truth)

    def f1(p, r):
        return 2 * p * r / (p + r)

    print(json.dumps({
        "engine": report["rule"],
        "run": sys.argv[2] if len(sys.argv) > 2 else "1",
        "records": len(truth),
        "wall_seconds": round(report["wall_seconds"], 2),
        "cpu_seconds": round(report["cpu_seconds"], 2),
        "peak_mib": report["peak_memory_bytes"] // (1 << 20) if report.get("peak_memory_bytes") else None,
        "precision": round(precision, 6),
        "recall": round(recall, 6),
        "f1": round(f1(precision, recall), 6),
        "b3_f1": round(f1(b3_precision, b3_recall), 6),
        "wrong_pairs": linked - hit,
        "missing_pairs": wanted - hit,
    }))


if __name__ == "__main__":
    main()
