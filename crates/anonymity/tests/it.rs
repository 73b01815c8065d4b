//! What processing promises.
mod it {
    mod build;
    mod counts;
    mod counts_budget;
    mod leaks;
    mod ministry;
    mod naive;
    mod noise;
    mod profiles;
    mod release;
    mod release_leaks;
    mod whole;
}
