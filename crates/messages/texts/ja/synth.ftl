### 合成患者の生成
synth-option-out-of-range = { $name } は { $range } の範囲で指定してください。
synth-output-not-empty = { $path } は空ではありません。まだ存在しない、または空のディレクトリを指定してください。
synth-write-failed = { $path } の下に書き込めません: { $reason }。空き容量か権限を確保し、空のディレクトリでやり直してください。
