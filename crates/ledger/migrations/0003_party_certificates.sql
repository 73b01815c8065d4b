-- Certificates that were pinned for a party before the one in force: what was signed while they were is held to them.
create table party_certificate (
  kind        text not null,
  id          text not null,
  fingerprint blob not null,
  certificate blob not null,
  replaced_at text not null,
  primary key (kind, id, replaced_at)
) strict;
