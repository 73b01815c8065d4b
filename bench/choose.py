"""choose.py STORAGE OUT [LIMIT]: the live ISO-2022-JP files of a storage as a tree of their own.

All that are measured beside each other get the same files, so only those are taken that all of them can decode: live files
(`_1`) of ISO-2022-JP that Python decodes without an error. Whole patients are taken until LIMIT files are there. Prints what was
taken and what was left out.
"""

import collections
import pathlib
import shutil
import sys


def main():
    storage, out = (pathlib.Path(p) for p in sys.argv[1:3])
    limit = int(sys.argv[3]) if len(sys.argv) > 3 else 2_000
    patients = collections.defaultdict(list)
    left = 0
    for path in sorted(storage.rglob("*_1")):
        try:
            path.read_bytes().decode("iso2022_jp")
        except UnicodeDecodeError:
            left += 1
            continue
        patients[path.name.split("_")[0]].append(path)
    kinds, files, size = collections.Counter(), 0, 0
    for paths in patients.values():
        if files >= limit:
            break
        for path in paths:
            target = out / path.relative_to(storage)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            kinds[path.name.split("_")[2]] += 1
            files += 1
            size += path.stat().st_size
    print(f"{files} files of {size // max(files, 1)} bytes in the mean; {left} of the storage in other encodings left out")
    print("mix:", ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items())))


main()
