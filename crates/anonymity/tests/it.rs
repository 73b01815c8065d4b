//! What processing promises.
mod it {
    mod build;
    mod calendar;
    mod cohort;
    mod cohort_spoilt;
    mod counts;
    mod counts_budget;
    mod edges;
    mod effects;
    mod events;
    mod joint;
    mod leaks;
    mod local_codes;
    mod micro;
    mod ministry;
    mod naive;
    mod noise;
    mod population;
    mod profiles;
    mod records;
    mod release;
    mod release_leaks;
    mod snb;
    mod visits;
    mod whole;
    mod wide;
}
