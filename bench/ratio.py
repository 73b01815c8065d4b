"""Holds two files of answers against each other: `ratio.py OURS THEIRS`, each a line of JSON a question with its seconds.

Prints medians and their ratio, and fails when the two did not give the same answer."""

import json
import statistics
import sys


def read(path):
    seconds, answers = {}, {}
    for line in open(path):
        one = json.loads(line)
        seconds.setdefault(one["query"], []).append(one["seconds"])
        answers[one["query"]] = (one["rows"], one["first"])
    return seconds, answers


def same(ours, theirs):
    if ours[0] != theirs[0] or len(ours[1]) != len(theirs[1]):
        return False
    for a, b in zip(ours[1], theirs[1]):
        try:
            if abs(float(a) - float(b)) > 1e-9 * max(1.0, abs(float(a))):
                return False
        except ValueError:
            if a != b:
                return False
    return True


def main():
    (ours, our_answers), (theirs, their_answers) = read(sys.argv[1]), read(sys.argv[2])
    wrong = [query for query in ours if not same(our_answers[query], their_answers[query])]
    for query in ours:
        a, b = statistics.median(ours[query]), statistics.median(theirs[query])
        span = lambda values: f"{min(values):.2f}-{max(values):.2f}"
        print(f"{query:8} azekura {a:6.2f} s ({span(ours[query])}), duckdb {b:6.2f} s ({span(theirs[query])}), ratio {a / b:.2f}")
    if wrong:
        sys.exit(f"different answers: {', '.join(f'{q}: {our_answers[q]} / {their_answers[q]}' for q in wrong)}")


main()
