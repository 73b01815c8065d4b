"""hl7_python.py DIR [SECONDS]: the PyPI package hl7 on all files below DIR.

Per message: decode from ISO-2022-JP and parse into the package's containers. Nothing is mapped. Files are read into
memory first; rounds are whole, time is that of this thread on a core.
"""

import pathlib
import sys
import time

import hl7


def main():
    files = [p.read_bytes() for p in sorted(pathlib.Path(sys.argv[1]).rglob("*")) if p.is_file()]
    if not files:
        sys.exit("no files")
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    count = size = failed = 0
    start, before = time.monotonic(), time.thread_time()
    while time.monotonic() - start < seconds:
        for content in files:
            count += 1
            size += len(content)
            try:
                hl7.parse(content, encoding="iso2022_jp")
            except Exception:
                failed += 1
    used = time.thread_time() - before
    print(
        f"{size / 1e6 / used:.2f} MB/s, {count / used:.0f} messages/s; {count} messages of {size // count} bytes in the mean,"
        f" {failed} not parsed, {used:.2f} s on a core"
    )


main()
