### The lake: encrypted tables
lake-io = { $what } { $path } failed: { $reason }. Nothing was committed; make room or set the permission right, then run the same command again.
lake-missing = The file of asset { $asset } is missing. Restore it from a backup: until then its rows cannot be read, and nobody of its provider can be erased.
lake-unreadable = The file of asset { $asset } cannot be read ({ $reason }). It was changed or cut off: restore it from a copy.
lake-key-destroyed = The key of asset { $asset } was destroyed. What it sealed is erased; take a new snapshot for what is left.
lake-outdated = Something was erased after this view of the data was taken. Repeat the command.
lake-batch = Rows for { $table } are refused: { $reason }.
lake-query = The query is refused: { $reason }
lake-running = The query failed while it ran: { $kind }. Look for an expression that can fail on some rows, or give the query more memory.
lake-worker = A worker ended without a result while { $what }. Run the same command again.
lake-ledger = The ledger refused: { $reason }
lake-seal = A key could not be made or opened: { $reason }
