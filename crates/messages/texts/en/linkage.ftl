### Linkage: errors, why a record is linked with nothing, and by which rule two records are one person
linkage-column-missing = { $table } has no column { $column }. Pass the table with its lake schema.
linkage-column-type = Column { $column } of { $table } cannot be read as { $wanted }. Pass the table with its lake schema.
linkage-record-without-id = Row { $row } of { $table } has no record id. Every row needs one.
linkage-facts-contradict = Records { $left } and { $right } must not be one person, but other facts make them one. Withdraw one of the facts.
linkage-csv-unreadable = The CSV file cannot be read near line { $line }. It has to be UTF-8 with a header line and as many fields in every line.
linkage-csv-id-twice = The record id of data row { $row } stood in the file before. Give every record its own id.

linkage-unlinked-test-patient = Test patient: made to try a system, linked with nothing.
linkage-unlinked-placeholder = Placeholder: a birth date or name that only fills the field, linked with nothing.
linkage-unlinked-newborn = Newborn without a name of its own, linked with nothing until it is named.
linkage-unlinked-unnamed = No name, linked with nothing.

linkage-rule-exact = Name, birth date and sex agree, and telephone, home or insurance card.
linkage-rule-card = The same personal insurance card and birth date, and nothing in the names that points to a twin.
linkage-rule-variant = The name is written the same and read otherwise, or read almost the same; birth date, sex and a contact agree.
linkage-rule-typo = One letter of the family name's reading differs; given name, birth date, sex and a contact agree.
linkage-rule-name-change = Another family name; given name, birth date, sex and a contact agree.
linkage-rule-birth-date = The birth date is missing on one side or one place off; name, sex and a contact agree.
linkage-rule-sex = The sex differs; name, birth date and a contact agree.
linkage-rule-rare-name = No contact in common; name and birth date agree and are too rare for a namesake.
linkage-rule-fact = A clerk decided it.
