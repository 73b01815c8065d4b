//! What linkage promises.
mod it {
    mod clerks;
    mod evidence;
    mod facts;
    mod files;
    mod input;
    mod keys;
    mod later_runs;
    mod parts;
    mod people;
    mod persons;
    mod rates;
    mod reports;
    mod stand_ins;
}
