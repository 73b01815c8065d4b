### Packages
package-file = { $path }: { $reason }.
package-io = Reading or writing failed: { $reason }. Nothing was made; run the same command again.
package-signature-wrong = The signature does not hold over the manifest: the package was changed after it was signed.
package-signer-wrong = The package is signed by someone else than the registered sender.
package-certificate-expired = The certificate expired on { $on }. Make a new one and pin it: azekura provider|recipient|officer|member renew --id ID --cert FILE.
package-certificate-not-yet-valid = The certificate is valid only from { $on }.
package-not-for-us = The package is not sealed to this key.
package-pkcs1v15-refused = The package is sealed with RSA PKCS#1 v1.5, which is refused. Seal with RSA-OAEP and SHA-256.
package-algorithm-refused = { $found } is not accepted for { $what }.
package-truncated = The package ends too early: it was cut off on the way. Send it again.
package-tag-mismatch = The package was changed on the way: its authentication tag is wrong. Send it again.
package-malformed = The package does not have the structure it must have (at { $place }).
package-not-a-package = { $path } is not a package: a directory with a name that ends with .azp and a manifest in it.
package-exists = { $path } exists already. Choose another sequence number, or move it away.
package-manifest-malformed = The manifest is malformed: { $what }.
package-wrong-recipient = The manifest was made for another recipient and sealed anew to this one.
package-payload-missing = Payload { $number } of the package is missing.
package-undeclared = The package holds something that its manifest does not name.
package-empty = There is no file in it.
package-hash-mismatch = { $what } differs from what the manifest says.
package-too-large = It would be larger than { $limit } bytes.
package-not-tar = The payload is not a tar archive. Archives are not to be compressed.
package-tar-malformed = The archive is broken at member { $ordinal }: { $what }.
package-path-traversal = The name of member { $ordinal } leads out of the archive.
package-path-refused = The name of member { $ordinal } is not acceptable: { $what }.
package-duplicate-path = Member { $ordinal } has the name of an earlier one.
package-symlink = Member { $ordinal } is a link. Only files and directories are accepted.
package-special-file = Member { $ordinal } is a device, a pipe or another special file. Only files and directories are accepted.
package-expanding = The archive expands beyond its bounds at member { $ordinal }: { $what }.
package-tree-symlink = There is a symbolic link in { $path }. Find it with: find { $path } -type l
package-tree-special = In { $path } there is something that is neither file nor directory. Find it with: find { $path } ! -type f ! -type d
package-tree-changed = A file changed while it was read. Send when nothing writes to the tree, or from a snapshot of it.
package-list-malformed = { $list }, line { $line }: { $what ->
    [form-contacts] the first line must be patient,date,addressee,method, and every other have these four fields
    [form-opt-outs] the first line must be patient,requester,scope,date, and every other have these four fields
    [requester] the requester is person, guardian, proxy or bereaved
    [scope] the scope is anonymized, pseudonymized or both
    [no-csv] not CSV in UTF-8
    [long-field] a field of more than 256 characters
    [long-list] the list is longer than 512 MiB
    [no-patient] no patient id
    [patient] the patient id is no id: 1 to 64 visible characters without a line break, and digits without blanks between them
    [date] the date is not of the form 2024-04-01
    [insured] no insured person: insured:INSURER:SYMBOL:NUMBER:BRANCH:BIRTH:SEX:NAME, or the id that azekura formats convert shows
   *[other] { $what }
 }.
package-send-done = { $path }: { $files } files of { $people } patients, { $bytes } bytes. Left out: { $opted-out } patients who said no, { $not-contacted } who were not contacted, { $of-nobody } files that name nobody.
package-send-opt-outs-elsewhere = Nothing of { $count } of the people who said no was met in the tree. If they are patients here, their ids in the list are wrong: mend them before the package goes out.
package-send-filtered = { $path }: { $files } files, { $bytes } bytes. Left out: { $records } records of { $opted-out } people who said no, and { $files-left-out } files of which nothing was left.
package-send-nobodys = { $file }, line { $line }: nobody can tell whose this is ({ $why }), and it may be of somebody who said no. Nothing was made. Mend it, or take it out of the tree, and send again. A number (#3) counts the files of the tree, depth first, in the order of their names.
package-send-all-left-out = Nobody is left to send: all { $files } files are of patients who said no or were not contacted, or name nobody.
package-send-no-institution = { $provider } is no institution's ten-digit code, so nobody could tell whose the chart numbers in these files are. Give --provider the code; an insurer gives --insurer.
package-send-no-insurer = { $provider } is an institution's ten-digit code, and --insurer is for insurers, whose people have no chart number. Leave --insurer out, or give --provider the insurer's number.
package-send-out-inside = { $path } lies inside the tree that is to be sent. Choose a directory outside of it.
package-open-done = { $path }: { $files } files, { $bytes } bytes, from { $sender }, number { $sequence }. Signature, tags and hashes hold.
package-open-not-empty = { $path } is not empty. Name a directory that does not exist yet or has nothing in it.
package-tree-list = There is a file in { $path } that is called like a list of contacts or opt-outs, or a table in its root. Lists go with --contacts and --opt-outs; take it out of the tree: find { $path } -iname '*opt*out*' -o -iname 'contacts*' -o -maxdepth 1 -iname '*.csv'
