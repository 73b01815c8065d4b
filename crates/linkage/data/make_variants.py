#!/usr/bin/env python3
"""Makes variants.txt from the MJ character list with its shrink map.

    make_variants.py mj_characters.csv > variants.txt

Two JIS X 0213 characters are in one class when the shrink map offers one for the other. A character outside JIS X 0213
joins the class of the first character that the map offers for it and never joins two classes: for rare characters the map
lists everything of that shape or reading, which would chain unlike names together.
"""
import collections
import csv
import sys


def bare(text):
    return "".join(c for c in text if not ("\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"))


offers, in_jis = collections.defaultdict(list), set()
with open(sys.argv[1], encoding="utf-8-sig", newline="") as file:
    for row in csv.DictReader(file):
        kanji = bare(row["kanji"])
        if len(kanji) != 1:
            continue
        if row["jis"]:
            in_jis.add(kanji)
        offers[kanji] += [c for c in bare(row["shrink"]) if c not in offers[kanji]]

parent = {}


def root(c):
    parent.setdefault(c, c)
    while parent[c] != c:
        c = parent[c]
    return c


for kanji in sorted(in_jis):
    for other in offers[kanji]:
        a, b = sorted((root(kanji), root(other)))
        parent[b] = a
for kanji in sorted(set(offers) - in_jis):
    if offers[kanji] and offers[kanji][0] != kanji:
        parent[kanji] = root(offers[kanji][0])

classes = collections.defaultdict(set)
for c in list(parent):
    classes[root(c)].add(c)
print("# Classes of written forms of one character. Derived from MJ文字情報一覧表 and MJ縮退マップ, Information-technology Promotion")
print("# Agency, Japan (IPA) / Character Information Technology Promotion Council, CC BY-SA 2.1 JP. This file: CC BY-SA 2.1 JP.")
for members in sorted(classes.values(), key=min):
    if len(members) > 1:
        jis_first = sorted(members, key=lambda c: (c not in in_jis, c))
        print("".join(jis_first))
