### Instance, commands, general refusals
core-instance-not-empty = { $path } is not empty. Name a directory that does not exist yet or has nothing in it.
core-instance-missing = { $path } is not an Azekura instance (no azekura.toml). Make one with: azekura init { $path }
core-instance-busy = Another process is working on { $path }. Wait until it has ended, then run the command again.
core-config-unreadable = { $path }: { $reason }. Correct the line, or compare with a fresh file of azekura init.
core-passphrase-missing = No passphrase. Give --passphrase-file FILE, or a systemd credential named azekura-passphrase, or type it at a terminal.
core-disk-full = No room or no permission to write at { $path }: { $reason }. Nothing was committed; make room and run the same command again.
core-unknown-party = There is no { $kind } "{ $id }" in this instance. Register it first.
core-party-exists = There is a { $kind } "{ $id }" already.
