-- The catalogue of an instance. TEXT, INTEGER and BLOB only; times are RFC 3339 in UTC, dates ISO 8601, flags 0 or 1,
-- ids UUIDs as text, SHA-256 values and keyed hashes as 32 bytes.

-- Journal: entries, inner nodes of level 8 and above, one signed checkpoint a commit. Append-only.
create table entry (
  seq     integer primary key,
  subject text,                       -- id of what the event is about, so that its history is quick to find
  body    text not null               -- one JSON object, no line break
) strict;
create index entry_subject on entry (subject, seq) where subject is not null;
create table node (
  level integer not null,
  idx   integer not null,
  hash  blob not null,
  primary key (level, idx)
) strict, without rowid;
create table checkpoint (
  size  integer primary key,
  since integer not null,             -- size of the checkpoint before it
  note  text not null
) strict;
create trigger entry_is_kept      before update on entry      begin select raise(abort, 'the journal is append-only'); end;
create trigger entry_stays        before delete on entry      begin select raise(abort, 'the journal is append-only'); end;
create trigger node_is_kept       before update on node       begin select raise(abort, 'the journal is append-only'); end;
create trigger node_stays         before delete on node       begin select raise(abort, 'the journal is append-only'); end;
create trigger checkpoint_is_kept before update on checkpoint begin select raise(abort, 'the journal is append-only'); end;
create trigger checkpoint_stays   before delete on checkpoint begin select raise(abort, 'the journal is append-only'); end;
-- A writer that remembers the end of the journal must not write past one that was changed meanwhile.
create trigger checkpoint_follows before insert on checkpoint
when new.since <> coalesce((select max(size) from checkpoint), 0)
  or new.size <> coalesce((select max(seq) + 1 from entry), 0)
  or (new.since > 0 and not exists (select 1 from entry where seq = new.since - 1))
begin select raise(abort, 'the end of the journal is not as it was written'); end;

-- Numbers that only go up: commit sequence, asset numbers.
create table counter (
  name  text primary key,
  value integer not null
) strict;

create table setting (
  key   text primary key,
  value text not null
) strict;

-- Who there is: providers, recipients, officers, members of the committee, each with a pinned certificate.
create table party (
  kind            text not null,
  id              text not null,
  certificate     blob not null,
  fingerprint     blob not null,
  patient_id_rule text,
  name            text not null,
  status          text not null,
  added_at        text not null,
  primary key (kind, id)
) strict;
create index party_fingerprint on party (fingerprint);

-- Notice: what a provider began to tell its patients, and each patient's first contact or letter since.
create table notice (
  id        text primary key,
  provider  text not null,
  scopes    text not null,
  from_date text not null,
  added_at  text not null
) strict;
create index notice_provider on notice (provider);
create table contact (
  provider     text not null,
  patient_hmac blob not null,
  date         text not null,
  method       text not null,
  addressee    text not null,
  batch        integer not null,      -- seq of the event that added it
  primary key (provider, patient_hmac, date)
) strict, without rowid;
create index contact_batch on contact (batch);

-- Who stopped provision, by keyed hash: also people never seen.
create table opt_out (
  id           text primary key,
  provider     text not null,
  patient_hmac blob not null,
  scopes       text not null,
  requester    text not null,
  relation     text,
  stated_on    text not null,
  erase        integer not null,
  everywhere   integer not null,
  state        text not null,
  at           text not null
) strict;
create index opt_out_patient on opt_out (provider, patient_hmac);

-- One record a (provider, local patient).
create table record (
  record_id    integer primary key,
  provider     text not null,
  patient_hmac blob not null,
  batch        integer not null,
  unique (provider, patient_hmac)
) strict;
create index record_batch on record (batch);
create table record_hold (
  record_id  integer not null references record (record_id),
  reason     text not null,
  package_id text,
  at         text not null,
  released_at text,
  primary key (record_id, reason)
) strict;
-- Rows of a record that a commit before this one wrote are stale.
create table record_version (
  record_id  integer primary key,
  commit_seq integer not null
) strict;

create table package (
  id              text primary key,
  provider        text,
  sequence        integer,
  kind            text,
  period_from     text,
  period_to       text,
  state           text not null,
  manifest_sha256 blob not null unique,
  received_at     text not null,
  directory       text not null,
  reason          text,
  patients_in     integer,
  patients_refused integer,
  rows            integer
) strict;
create unique index package_sequence on package (provider, sequence)
  where state not in ('rejected', 'quarantined', 'destroyed') and sequence is not null;

-- Asset ledger (資産台帳): the recommended fields of the guideline (control CUS-06) and where the file is. The eleventh
-- field, the processing history, is what the journal says about the asset.
create table asset (
  asset_id    text primary key,
  number      integer not null unique,
  name        text not null,
  kind        text not null,
  format      text not null,          -- format and how to read it
  location    text not null,          -- path in the instance
  copies      text not null,
  device      text not null,          -- device or media ids
  business    text not null,          -- outline of the business it serves
  responsible text not null,
  access      text not null,          -- who may
  created_at  text not null,
  retain_until text,
  dispose_on  text,
  class       text not null,
  provider    text,
  table_name  text,
  size        integer not null,
  sha256      blob not null,
  rows        integer,
  min_record  integer,
  max_record  integer,
  commit_seq  integer,
  state       text not null
) strict;
create index asset_table on asset (table_name, provider) where state = 'live';
create index asset_unfinished on asset (state) where state = 'doomed';
create table asset_key (
  asset_id       text primary key references asset (asset_id),
  scope_class    text not null,
  scope_provider text,
  epoch          integer not null,
  algorithm      text not null,
  wrapped        blob not null
) strict;
create index asset_key_scope on asset_key (scope_class, scope_provider, epoch);

create table linkage_run (
  id         text primary key,
  rule       text not null,
  map_asset  text not null references asset (asset_id),
  created_at text not null,
  stats      text not null,
  current    integer not null
) strict;
create unique index linkage_current on linkage_run (current) where current = 1;
create table linkage_fact (
  id       text primary key,
  kind     text not null,
  record_a integer not null,
  record_b integer not null,
  stated_by text not null,
  at       text not null
) strict;

create table dataset (
  id             text primary key,
  state          text not null,
  kind           text not null,
  profile        text not null,
  profile_sha256 blob not null,
  purpose        text not null,
  recipient      text not null,
  project        text not null,
  maker          text not null,
  data_asset     text references asset (asset_id),
  report_asset   text references asset (asset_id),
  data_sha256    blob,
  report_sha256  blob,
  package_name   text,
  counts         text,
  reason         text,
  planned_at     text not null
) strict;
create table review (
  dataset   text not null references dataset (id),
  member    text not null,
  decision  text not null,
  signature blob not null,
  at        text not null,
  primary key (dataset, member)
) strict;
create table approval (
  id        text primary key,
  dataset   text not null references dataset (id),
  officer   text not null,
  signature blob not null,
  at        text not null,
  voided_at text
) strict;
create unique index approval_once on approval (dataset, officer) where voided_at is null;

-- Effects on the outside, each with a fixed id: repeating one overwrites the same name.
create table outbox (
  id     text primary key,
  kind   text not null,
  target text not null,
  state  text not null,
  detail text not null,
  at     text not null
) strict;
