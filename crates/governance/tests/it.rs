//! What the rules promise.
mod it {
    mod notices;
    mod opt_outs;
    mod provision;
}
