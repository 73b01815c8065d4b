### 名寄せ：エラー、どの記録とも結び付けない理由、同一人物とした規則
linkage-column-missing = { $table } に列 { $column } がありません。レイクのスキーマどおりの表を渡してください。
linkage-column-type = { $table } の列 { $column } を { $wanted } として読めません。レイクのスキーマどおりの表を渡してください。
linkage-record-without-id = { $table } の { $row } 行目に記録番号がありません。すべての行に必要です。
linkage-facts-contradict = 記録 { $left } と { $right } は別人とされていますが、ほかの判断では同一人物になります。どちらかの判断を取り消してください。
linkage-csv-unreadable = CSV ファイルを { $line } 行目付近で読めません。UTF-8、見出し行あり、各行の項目数が同じであることを確かめてください。
linkage-csv-id-twice = データ { $row } 行目の記録番号は前の行にもあります。記録ごとに別の番号を付けてください。

linkage-unlinked-test-patient = テスト患者のため、どの記録とも結び付けません。
linkage-unlinked-placeholder = 生年月日または氏名が仮の値のため、どの記録とも結び付けません。
linkage-unlinked-newborn = 命名前の新生児のため、名前が登録されるまで結び付けません。
linkage-unlinked-unnamed = 氏名がないため、どの記録とも結び付けません。

linkage-rule-exact = 氏名、生年月日、性別が一致し、電話番号、住所、保険証のいずれかも一致します。
linkage-rule-card = 個人単位の保険証と生年月日が一致し、双子を思わせる氏名の違いがありません。
linkage-rule-variant = 氏名の表記が同じで読みが違う、または読みがほぼ同じで、生年月日、性別、連絡先等が一致します。
linkage-rule-typo = 姓の読みが一文字だけ違い、名、生年月日、性別、連絡先等が一致します。
linkage-rule-name-change = 姓が違い、名、生年月日、性別、連絡先等が一致します。
linkage-rule-birth-date = 生年月日が片方にないか一か所だけ違い、氏名、性別、連絡先等が一致します。
linkage-rule-sex = 性別が違い、氏名、生年月日、連絡先等が一致します。
linkage-rule-rare-name = 一致する連絡先等はありませんが、氏名と生年月日が一致し、同姓同名の他人とは考えにくい組合せです。
linkage-rule-fact = 担当者が判断しました。
