//! What processing promises.
mod it {
    mod build;
    mod ministry;
    mod naive;
    mod profiles;
    mod release;
    mod whole;
}
