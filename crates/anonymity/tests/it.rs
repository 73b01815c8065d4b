//! What processing promises.
mod it {
    mod build;
    mod events;
    mod leaks;
    mod ministry;
    mod naive;
    mod profiles;
    mod release;
    mod release_leaks;
    mod whole;
}
