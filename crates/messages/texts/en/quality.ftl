### azekura quality: checks, findings, the report
quality-title = Data quality
quality-of = Data of
quality-day = checked on
quality-summary-nothing = There were no rows to check.
quality-summary-good = Nothing was found that somebody has to mend. What is only to be known stands in the details.
quality-summary-some = { $count ->
    [one] One thing was found that somebody should look into.
   *[other] { $count } things were found that somebody should look into, the most urgent first.
 }
quality-summary-unread = Nothing was found to mend in what could be read, but not everything could be: see what could not be read below.
quality-unread = { $count } places in the files could not be read or were read with a doubt. The report lists them by kind: { $path }
quality-empty = Nothing could be read. Look at the report's list of what could not be read, or name the format with --from.
quality-patients = patients
quality-rows = rows
quality-checks = checks asked, of those there are
quality-failed = checks that failed
quality-findings-title = What to look into
quality-more-findings = { $count } more, less urgent, stand among the failed checks in the details.
quality-where = Where
quality-since = When, how many
quality-period = { $since } to { $until }
quality-still = since { $since }, still so in { $until }
quality-how-many = at least { $rows } rows, { $persons } patients
quality-how-many-persons = { $persons } patients in these months
quality-mended-by = Who can mend it
quality-and-more = and { $count } more
quality-months-title = Patients by month
quality-months-help = Patients with any contact in the month, as found in the data. The last month is often not complete.
quality-own-counts = the hospital's own count
quality-found = found in the data
quality-month = Month
quality-unmapped-title = Codes of your own
quality-unmapped-help = Items that came under a code of the hospital's own, without a code of a public table: they cannot be compared with other hospitals. Those with the most rows are worth a line in the mapping first.
quality-unmapped-few = { $count } more codes are not shown: under { $least } patients have each.
quality-code = Code
quality-column = Column
quality-unread-title = What could not be read
quality-unread-help = Nothing of it is lost: it stands in the files. Mend it at its source and send it again.
quality-times = times
quality-tables-title = What there is
quality-table = Kind
quality-details-title = All checks
quality-category = Kind of check
quality-passed = passed
quality-not-asked = nothing to ask
quality-check = Check
quality-percent = wrong
quality-allowed = allowed
quality-severity = Weight
quality-limits-title = What this report does not say
quality-limits = Bounds of laboratory values are wide: they say what can hardly be true, not what is normal. A month is held against up to six before it, so a change that was there from the first day is not seen. A check that asked nothing says nothing. Whether codes mean what the hospital means by them is not checked.
quality-category-conformance = Form and structure
quality-category-completeness = Completeness
quality-category-plausibility = Plausibility
quality-severity-note = to know
quality-severity-warning = look into
quality-severity-error = wrong
quality-severity-fatal = do not use
quality-owner-registration = Registration and admission office
quality-owner-claims = Claims office
quality-owner-records = Health information management
quality-owner-laboratory = Laboratory
quality-owner-pharmacy = Pharmacy
quality-owner-vendor = System administrator, vendor
quality-cause-stopped = { $table }: nothing came in some months. The transfer probably stopped.
quality-cause-volume = { $table }: much less or much more came than usual. Files may be missing, or something new may be sent.
quality-cause-twice = { $table }: the same came twice. Files were probably sent again, or an interface repeats itself.
quality-cause-not-filled = { $table }: something that should be filled is empty. An interface or a setting probably changed.
quality-cause-unit = { $table }: units or the size of values changed, or units are not those of the test. Results of before and after must not be mixed.
quality-cause-range = { $table }: reference ranges changed. Reagent, device or setting are probably new.
quality-cause-master = { $table }: codes are new, the hospital's own, or have not the form of their table. A master was probably changed on one side.
quality-cause-dates = { $table }: dates that cannot be, before birth, after death, in the future, or an end before its start.
quality-cause-values = { $table }: values that can hardly be true. Probably typing errors or another unit.
quality-cause-person = { $table }: diagnoses that do not go with sex or age. Another patient's entry, or a wrong sex or birth date.
quality-cause-structure = { $table }: rows that do not hang together or lack what every row has. The program that makes the files has to be looked at.
quality-cause-no-patient = Rows of patients of whom there is no registration. Files with the patients are missing, or ids are written in another way.
quality-cause-test-stopped = { $table }: tests that came every month do not come any more. Their codes were probably changed, or an interface leaves them out.
quality-cause-two-people = One patient number, two people: another sex or another birth date was told before. The number was probably given again, or two files name patients in different ways.
quality-cause-birth = Something happened before the patient was born. Probably a wrong birth date, or another patient's number.
quality-table-person = Patients
quality-table-observation-period = Observation periods
quality-table-visit = Visits and stays
quality-table-stay-part = Parts of stays
quality-table-condition = Diagnoses
quality-table-drug = Drugs
quality-table-procedure = Procedures
quality-table-device = Devices and materials
quality-table-measurement = Results
quality-table-observation = Observations
quality-table-death = Deaths
quality-table-note = Notes
quality-table-specimen = Specimens
quality-table-payer = Insurance
quality-table-cost = Points and amounts
quality-table-other = Places and staff
quality-done = { $asked } of { $checks } checks asked of { $rows } rows of { $patients } patients: { $failed } failed, { $findings } things to look into. The report is { $path }
quality-gate = { $count } checks failed so far that the data are not to be used as they are. They stand first in the report.
quality-fatal-over = do not use over { $percent }%
quality-is-new = new
quality-new = { $count ->
    [0] Since the look on { $day } no check fails that held then.
    [one] Since the look on { $day } one check fails that held then.
   *[other] Since the look on { $day } { $count } checks fail that held then.
 }
quality-mended = { $count ->
    [0] None that failed then holds now.
    [one] One that failed then holds now.
   *[other] { $count } that failed then hold now.
 }
quality-package-held = data quality: { $count } checks say that this package is not to be used ({ $checks }). Look at it with `azekura quality batch --package { $package } --out DIR`, then decide: `azekura quality release` or `azekura quality reject`. Later packages of this provider wait behind it.
quality-package-waits = data quality: held back. Look at it with `azekura quality batch --package { $package } --out DIR`, then decide: `azekura quality release` or `azekura quality reject`. Later packages of this provider wait behind it.
quality-package-refused = data quality: { $count } checks say that this package is not to be used ({ $checks }), and people are or may be in it of whom nothing may be kept. It was destroyed and not held back; a sealed report in the outbox tells its provider, who sends it mended under the same number. If the data are right as they are: `azekura quality release --package { $package } --reason TEXT`, then have the same package delivered again.
quality-package-refused-untold = data quality: { $count } checks say that this package is not to be used ({ $checks }), and people are or may be in it of whom nothing may be kept. It was destroyed and not held back. Its provider could not be told: do so in another way, so that it sends the package mended under the same number. If the data are right as they are: `azekura quality release --package { $package } --reason TEXT`, then have the same package delivered again.
quality-refused = Data quality: the package is not to be used as it is (see the checks), and people are or may be in it of whom nothing may be kept (rejections.csv names those who were found). It was therefore destroyed and not held back until somebody looks at it. Leave these people out, mend what the checks name, and send it anew under the same number. If the data are right as they are, tell the producer, who can let the same package in.
quality-rejected = Data quality: the package was looked at and is not used. Mend what was found and send the package anew.
quality-not-held = Package { $package } is not held back by data quality. `azekura ingest` names those that are.
quality-released-done = The package is taken in at the next `azekura ingest`, whatever the checks say.
quality-released-again = Its bytes were destroyed: have the same package delivered again. It comes in then, whatever the checks say.
quality-rejected-done = The package is set aside. Its provider may send it anew under the same number.
quality-batch-state = Package { $package } is not waiting to be taken in: only such a package can be looked at. What was taken in is looked at with `azekura quality lake`.
quality-sent = A copy with the provider's own patient ids is sealed to the provider: { $path }
quality-kept-none = Nobody has looked at the data of { $provider } yet: azekura quality lake --provider { $provider } --out DIR
quality-kept-line = { $day }: { $rows } rows of { $patients } patients, { $asked } checks asked, { $failed } failed, { $new } new, { $mended } mended
quality-rows-file = Rows that failed, with the hospital's own patient ids, are in { $path }. Keep it inside the hospital.
quality-nobody = The lake has no rows of { $provider }. Take a package in first, or name another provider: azekura provider list
quality-not-empty = { $path } is not empty. Name a directory that does not exist yet or has nothing in it.
quality-rules = The instance's own rules { $path } cannot be used: { $error }. Mend the file, or empty `rules` under [quality] in azekura.toml.
quality-held = Data quality: held back until somebody has looked at it.
quality-released = Data quality: let in by somebody who looked at it.
quality-summary-fatal = These data are not to be used as they are: too much is wrong with them as a whole. { $count ->
    [one] One thing was found, shown below.
   *[other] { $count } things were found, the most urgent first.
 }
quality-field-discharge = day of discharge
quality-field-visit = day of visit or admission
quality-field-birth = birth date
quality-field-sex = sex
quality-field-value = value
quality-field-unit = unit
quality-field-range = reference range
quality-field-quantity = quantity
quality-field-days = days of supply
quality-field-icd10 = ICD-10
quality-field-department = department
quality-field-ward = ward
quality-field-route = route
quality-field-text = text
quality-field-patient = patient
quality-field-end = end date
quality-field-day = date
quality-field-time = date and time
quality-field-code = code
quality-field-concept = concept
