-- What clerks say of two records, each clerk's latest word. It takes the place of linkage_fact, to which nothing was ever written: what
-- holds follows from the words of several clerks, and a word can be taken back.
drop table linkage_fact;
create table linkage_word (
  record_a integer not null,
  record_b integer not null,
  clerk    text not null,
  says     text not null,
  reason   text,
  at       text not null,
  primary key (record_a, record_b, clerk),
  check (record_a < record_b)
) strict;
