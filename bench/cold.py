"""cold.py DIR: takes the contents of all files below DIR out of the page cache (directories and inodes stay in theirs)."""

import os
import pathlib
import sys

os.sync()
for path in pathlib.Path(sys.argv[1]).rglob("*"):
    if path.is_file():
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
