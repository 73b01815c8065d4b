### The generator of synthetic patients
synth-option-out-of-range = { $name } must be { $range }.
synth-output-not-empty = { $path } is not empty. Name a directory that does not exist yet or has nothing in it.
synth-write-failed = Cannot write below { $path }: { $reason }. Make room or permission there and start again with an empty directory.
