### パッケージ
package-file = { $path }: { $reason }。
package-io = 読み書きに失敗しました: { $reason }。何も作られていません。同じコマンドを再実行してください。
package-signature-wrong = 署名が目録と一致しません。署名の後に改変されています。
package-signer-wrong = 登録された送付元とは別の者が署名しています。
package-certificate-expired = 証明書の有効期間は { $on } に終わっています。新しい証明書を作り、登録してください（azekura provider|recipient|officer|member renew --id ID --cert FILE）。
package-certificate-not-yet-valid = 証明書は { $on } から有効になります。
package-not-for-us = パッケージはこの鍵に宛てて封緘されていません。
package-pkcs1v15-refused = パッケージが RSA PKCS#1 v1.5 で封緘されています。これは受け付けません。RSA-OAEP と SHA-256 を使ってください。
package-algorithm-refused = { $what }に { $found } は使えません。
package-truncated = パッケージが途中で切れています。もう一度送ってください。
package-tag-mismatch = パッケージが途中で改変されています（認証タグが合いません）。もう一度送ってください。
package-malformed = パッケージが定められた構造ではありません（{ $place }）。
package-not-a-package = { $path } はパッケージではありません。名前が .azp で終わり、目録を含むディレクトリである必要があります。
package-exists = { $path } は既にあります。別の通し番号を使うか、移動してください。
package-manifest-malformed = 目録が正しくありません: { $what }。
package-wrong-recipient = 目録は別の宛先のために作られ、この宛先に封緘し直されたものです。
package-payload-missing = パッケージの内容物 { $number } がありません。
package-undeclared = 目録にないものがパッケージに含まれています。
package-empty = ファイルが一つも含まれていません。
package-hash-mismatch = { $what } が目録の記載と異なります。
package-too-large = { $limit } バイトを超えます。
package-not-tar = 内容物が tar アーカイブではありません。圧縮しないでください。
package-tar-malformed = アーカイブの { $ordinal } 番目で壊れています: { $what }。
package-path-traversal = { $ordinal } 番目の名前がアーカイブの外を指しています。
package-path-refused = { $ordinal } 番目の名前は受け付けられません: { $what }。
package-duplicate-path = { $ordinal } 番目の名前は前のものと重複しています。
package-symlink = { $ordinal } 番目はリンクです。ファイルとディレクトリのみ受け付けます。
package-special-file = { $ordinal } 番目はデバイスやパイプなどの特殊ファイルです。ファイルとディレクトリのみ受け付けます。
package-expanding = アーカイブが { $ordinal } 番目で限度を超えて膨らみます: { $what }。
package-tree-symlink = { $path } にシンボリックリンクがあります。次で探せます: find { $path } -type l
package-tree-special = { $path } にファイルでもディレクトリでもないものがあります。次で探せます: find { $path } ! -type f ! -type d
package-tree-changed = 読み込み中にファイルが変わりました。書き込みのない時間に、またはスナップショットから送ってください。
package-list-malformed = { $list } の { $line } 行目: { $what ->
    [form-contacts] 1 行目は patient,date,addressee,method とし、以降の行もこの 4 項目にしてください
    [form-opt-outs] 1 行目は patient,requester,scope,date とし、以降の行もこの 4 項目にしてください
    [requester] requester は person、guardian、proxy、bereaved のいずれかです
    [scope] scope は anonymized、pseudonymized、またはその両方です
    [no-csv] UTF-8 の CSV ではありません
    [long-field] 256 文字を超える項目があります
    [long-list] 一覧が 512 MiB を超えています
    [no-patient] 患者 ID がありません
    [patient] 患者 ID として使えません（改行のない 1～64 文字。数字の間に空白を入れないでください）
    [date] 日付は 2024-04-01 の形で書いてください
    [insured] 被保険者を表していません。insured:保険者番号:記号:番号:枝番:生年月日:性別:カナ氏名、または azekura formats convert が示す ID を書いてください
   *[other] { $what }
 }。
package-send-done = { $path }: 患者 { $people } 人、{ $files } ファイル、{ $bytes } バイト。除外: 提供停止の求めのあった患者 { $opted-out } 人、通知されていない患者 { $not-contacted } 人、患者を特定できないファイル { $of-nobody } 件。
package-send-opt-outs-elsewhere = 提供停止の一覧のうち { $count } 人のファイルが見つかりませんでした。当院の患者であれば一覧の患者番号が誤っています。送る前に直してください。
package-send-filtered = { $path }: { $files } ファイル、{ $bytes } バイト。除外: 提供停止の求めのあった { $opted-out } 人の記録 { $records } 件、すべてが除かれたファイル { $files-left-out } 件。
package-send-nobodys = { $file } の { $line } 行目: 誰の記録か判断できません（{ $why }）。提供停止の求めのあった方の記録である可能性があるため、何も作られていません。修正するか、ツリーから除いて、もう一度送ってください。番号（#3 など）は、ツリーを名前の順に深さ優先でたどったときのファイルの順番です。
package-send-all-left-out = 送るものがありません。{ $files } ファイルすべてが、提供停止の求めのあった患者または通知されていない患者のもの、もしくは患者を特定できないものです。
package-send-no-institution = { $provider } は 10 桁の医療機関コードではないため、ファイル中の患者番号がだれのものか判断できません。--provider に医療機関コードを指定してください。保険者の場合は --insurer を付けてください。
package-send-no-insurer = { $provider } は 10 桁の医療機関コードですが、--insurer は患者番号を持たない保険者のためのものです。--insurer を外すか、--provider に保険者番号を指定してください。
package-send-out-inside = { $path } は送付するツリーの中にあります。外のディレクトリを指定してください。
package-open-done = { $path }: { $sender } からの第 { $sequence } 号、{ $files } ファイル、{ $bytes } バイト。署名、認証タグ、ハッシュはすべて一致しました。
package-open-not-empty = { $path } は空ではありません。まだ存在しない、または空のディレクトリを指定してください。
package-tree-list = { $path } に連絡先や提供停止の一覧のような名前のファイル、または最上位に表があります。一覧は --contacts と --opt-outs で渡し、ツリーから除いてください。次で探せます: find { $path } -iname '*opt*out*' -o -iname 'contacts*' -o -maxdepth 1 -iname '*.csv'
