### インスタンス、コマンド、一般の拒否
core-instance-not-empty = { $path } は空ではありません。まだ存在しない、または空のディレクトリを指定してください。
core-instance-missing = { $path } は Azekura のインスタンスではありません（azekura.toml がありません）。azekura init { $path } で作成してください。
core-instance-busy = 別のプロセスが { $path } を使用中です。終わるのを待ってから、もう一度実行してください。
core-config-unreadable = { $path }: { $reason }。該当行を直すか、azekura init で作った新しいファイルと比べてください。
core-passphrase-missing = パスフレーズがありません。--passphrase-file FILE、systemd のクレデンシャル azekura-passphrase、または端末からの入力で与えてください。
core-disk-full = { $path } に書き込めません（容量不足または権限なし）: { $reason }。何も確定していません。空きを作って同じコマンドを再実行してください。
core-unknown-party = このインスタンスに { $kind }「{ $id }」はありません。先に登録してください。
core-party-exists = { $kind }「{ $id }」は既に登録されています。
