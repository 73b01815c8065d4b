### 通知、提供停止、申請、審査、承認
governance-wait-too-short = 待機期間 { $days } 日は { $least } 日より短くなっています。法的根拠を記録するか、期間をそのままにしてください。
governance-not-notified = 通知されていません。提供元の通知開始後に受診がなく、書面の送付もありません。本人への通知と待機期間の経過後に受け取れます。
governance-waiting = 通知済みですが、待機期間中です。{ $until } から提供できます。
governance-opted-out = 提供停止の求めが記録されています。新しい申出で撤回されるまで受け取れません。
governance-opt-out-without-scope = どの利用を停止するかが示されていません。匿名加工、仮名加工、または両方を指定してください。
governance-opt-out-without-relation = 遺族からの求めには、本人との続柄が必要です。続柄を加えてください。
governance-opt-out-erasure-unclear = 消去を求めずに「すべての提供元で」が指定されています。消去も求めるか、この指定を外してください。
governance-opt-out-evidence-missing = 本人または続柄を確認した書類の種類が記録されていません。種類を記録してください。
governance-withdrawal-by-another = 求めたのは { $stated_by } です。{ $by } による撤回では終わりません。本人または同じ請求者が撤回できます。
governance-withdrawal-too-early = 撤回の日 { $on } が求めの日 { $stated_on } より前です。日付を確認してください。
governance-application-incomplete = 申請に不足があります: { $what }。プロファイルを補って再度申請してください。
governance-kind-not-made = 種別 { $kind } のデータセットは、この版では作成できません。匿名加工、連結可能匿名加工または仮名加工で申請してください。
governance-no-quorum = 判断した委員は { $have } 人で、{ $need } 人が必要です。不足している委員の判断を集めてください。
governance-member-twice = 委員 { $member } の判断が二つあります。一人一票です。一方を取り除いてください。
governance-maker-reviews = { $member } はこのデータセットの作成者のため、審査に加われません。別の委員または別の作成者が必要です。
governance-profile-changed = プロファイルが委員会の審査したものと異なります。審査済みのものを使うか、再度申請してください。
governance-label-wrong = データセットの表示は { $label } ですが、承認されたのは { $approved } です。承認されたプロファイルで作り直してください。
governance-table-not-approved = 承認されていない表 { $table } が含まれています。承認されたプロファイルで作り直してください。
governance-build-empty = データセットに一人も含まれていません。プロファイルの対象者と期間を確認してください。
governance-class-too-small = 最小の同値類は { $smallest } 人で、約束は { $k } 人です。準識別子を粗くするか抑制を増やして作り直してください。
governance-opted-out-inside = 提供停止を求めた人のレコードが { $records } 件含まれています。承認は無効です。作り直してください。
governance-too-few-approvals = 承認した役職者は { $have } 人で、{ $need } 人が必要です。作成者以外の別の役職者の署名が必要です。
governance-officer-twice = 役職者 { $officer } はすでに承認しています。別の役職者の署名が必要です。
governance-maker-approves = { $officer } は作成者のため承認できません。別の役職者の署名が必要です。
governance-reviewer-approves = { $officer } の署名鍵は申請の審査に使われたものです。審査した者は作成物を承認できません。別の役職者の署名が必要です。
governance-certificate-shared = { $signer } の署名は、ほかの署名者と同じ証明書によるもので、同一人物とみなされます。各人の証明書を使ってください。
governance-signature-unknown-signer = { $signer } は登録されていません。先に証明書を登録してください。
governance-signature-wrong = { $signer } の署名は有効ではありません。登録された証明書によるものでないか、変更されています。署名し直してください。
governance-signature-expired = { $signer } の証明書は当日有効ではありませんでした。有効な証明書を登録して署名し直してください。
governance-signature-over-other = { $signer } の署名は、現在のデータセット、報告書、プロファイルに対するものではありません。内容を確認して署名し直してください。
governance-package-differs = パッケージの内容が、役職者の署名したものと異なります。提供は行われていません。変更した者を調べてください。
governance-wrong-state = { $state ->
        [in_review] 申請は審査中です。先に委員が azekura dataset review で判断を記録してください。
        [approved] 委員会は承認しました。次は azekura dataset make です。
        [rejected] 委員会は申請を認めませんでした。新しく計画してください。
        [building] データセットを（再）作成する段階です: azekura dataset make。
        [two_person_check] 作成済みで二人の責任者の承認を待っています: azekura dataset approve、次に deliver。
        [released] 提供が許可されています。次は azekura dataset deliver です。
        [delivered] 既に提供済みです。改めて提供するには新しく計画してください。
        [withdrawn] データセットは取り下げられています。新たに計画してください。
       *[other] 状態 { $state } ではこの手続きは行えません。
    }
governance-evidence-missing = 状態 { $state } と記録されていますが、それを裏付ける { $what } がありません。この状態になった経緯をジャーナルで確認してください。
