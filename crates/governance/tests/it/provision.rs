//! The way of a data set. Signatures are stood in for by a plain envelope (signer, certificate, content): what the rules
//! have to get right is what they demand of a signature, not how one is opened.

use std::collections::BTreeMap;

use governance::Refusal;
use governance::application::{Application, Digest, Item};
use governance::approval::{self, Digests, SignatureCheck, SignatureFault, Signed, SignedApproval};
use governance::dataset::{BuildFacts, Dataset, DatasetState, Evidence, Recalled, Reviewed, Stored, TwoPersonCheck, recall};
use governance::review::{self, Decision, MemberDecision, ReviewRules};
use jiff::civil::date;
use terms::{DatasetId, OfficerId, ReleaseKind};

/// Signer id → certificate.
struct Registered(BTreeMap<String, [u8; 32]>);

impl SignatureCheck for Registered {
    fn signed(&self, signer: &OfficerId, signature: &[u8]) -> Result<Signed, SignatureFault> {
        let certificate = self.0.get(signer.as_str()).ok_or(SignatureFault::UnknownSigner)?;
        let (by, content) = signature.split_at_checked(32).ok_or(SignatureFault::Wrong)?;
        if by != certificate {
            return Err(SignatureFault::Wrong);
        }
        Ok(Signed { content: content.to_vec(), certificate: *certificate })
    }
}

fn id(name: &str) -> OfficerId {
    name.parse().expect("a plain id")
}

/// Everybody has a certificate of their own, but `twin-a` and `twin-b`, who are one person.
fn registered() -> Registered {
    let mut map = BTreeMap::new();
    for (n, who) in ["maker", "sato", "suzuki", "twin-a", "m1", "m2", "m3", "m4"].into_iter().enumerate() {
        map.insert(who.to_owned(), [n as u8 + 1; 32]);
    }
    map.insert("twin-b".to_owned(), map["twin-a"]);
    map.insert("m1-as-officer".to_owned(), map["m1"]);
    Registered(map)
}

fn sign(who: &str, content: &[u8]) -> Vec<u8> {
    let certificate = registered().0.get(who).copied().unwrap_or([99; 32]);
    [certificate.as_slice(), content].concat()
}

fn application() -> Application {
    Application {
        dataset: DatasetId::new(),
        kind: ReleaseKind::Anonymized,
        recipient: "uni-lab".parse().expect("a plain id"),
        project: "glucose".into(),
        purpose: "Course of glucose control in young adults".into(),
        items: vec![
            Item { table: "person".into(), reason: "age and sex".into() },
            Item { table: "measurement".into(), reason: "HbA1c".into() },
        ],
        profile_sha256: Digest([7; 32]),
    }
}

fn digests() -> Digests {
    Digests { data: Digest([1; 32]), report: Digest([2; 32]), profile: Digest([7; 32]) }
}

fn facts() -> BuildFacts {
    BuildFacts {
        tables: vec!["person".into(), "measurement".into()],
        label: ReleaseKind::Anonymized,
        persons: 1_000,
        smallest_class: Some(10),
        k: Some(10),
        opted_out: 0,
    }
}

fn votes(a: &Application, decisions: &[(&str, Decision)]) -> Vec<MemberDecision> {
    decisions
        .iter()
        .map(|(member, decision)| MemberDecision {
            member: id(member),
            decision: *decision,
            signature: sign(member, &review::statement(a.dataset, a.profile_sha256, *decision)),
            at: date(2026, 11, 1),
        })
        .collect()
}

fn yes(a: &Application) -> Vec<MemberDecision> {
    votes(a, &[("m1", Decision::Approve), ("m2", Decision::Approve), ("m3", Decision::Reject)])
}

fn approval_of(who: &str, a: &Application, d: &Digests) -> SignedApproval {
    SignedApproval { officer: id(who), signature: sign(who, &approval::statement(a.dataset, a.kind, d)), at: date(2026, 11, 20) }
}

fn waiting(a: &Application) -> Dataset<TwoPersonCheck> {
    let review = Dataset::apply(a.clone()).expect("complete").submit();
    let Ok(Reviewed::Approved(approved)) = review.decide(&yes(a), ReviewRules::default(), &registered()) else {
        panic!("two of three members are for it")
    };
    let built = approved.build(id("maker"), a.profile_sha256).expect("the reviewed profile").finished(digests(), facts());
    built.check().map_err(|u| u.reasons).expect("as approved")
}

// control: PRV-01
// control: HUM-09
#[test]
fn a_data_set_with_a_review_and_two_signatures_is_delivered() {
    let a = application();
    let approvals = [approval_of("sato", &a, &digests()), approval_of("suzuki", &a, &digests())];
    let released = waiting(&a).release(&approvals, 0, &registered()).map_err(|r| r.code()).expect("two officers");
    assert_eq!(released.officers(), [id("sato"), id("suzuki")]);
    let delivered = released.deliver(&digests(), Digest([9; 32])).map_err(|r| r.code()).expect("nothing changed");
    assert_eq!(delivered.package(), Digest([9; 32]));
}

// control: HUM-09
#[test]
fn approvals_that_are_not_two_people_over_this_data_set_release_nothing() {
    let a = application();
    let d = digests();
    let refused =
        |approvals: &[SignedApproval]| waiting(&a).release(approvals, 0, &registered()).map(|_| ()).expect_err("refused");
    let sato = approval_of("sato", &a, &d);
    assert_eq!(refused(&[]).code(), "governance-too-few-approvals");
    assert_eq!(refused(std::slice::from_ref(&sato)).code(), "governance-too-few-approvals");
    assert_eq!(refused(&[sato.clone(), sato.clone()]).code(), "governance-too-few-approvals", "one officer twice is one");
    assert_eq!(refused(&[sato.clone(), approval_of("maker", &a, &d)]).code(), "governance-maker-approves");
    assert_eq!(
        refused(&[approval_of("twin-a", &a, &d), approval_of("twin-b", &a, &d)]).code(),
        "governance-certificate-shared",
        "two names with one certificate are one person"
    );
    for reviewer in ["m1", "m1-as-officer"] {
        let both = [sato.clone(), approval_of(reviewer, &a, &d)];
        assert_eq!(refused(&both).code(), "governance-reviewer-approves", "who decided on it does not approve it");
    }
    assert_eq!(refused(&[sato.clone(), approval_of("nobody", &a, &d)]).code(), "governance-signature-unknown-signer");
    let borrowed = SignedApproval { officer: id("suzuki"), ..sato.clone() };
    assert_eq!(refused(&[sato.clone(), borrowed]).code(), "governance-signature-wrong");
    for other in [
        Digests { data: Digest([8; 32]), ..d },
        Digests { report: Digest([8; 32]), ..d },
        Digests { profile: Digest([8; 32]), ..d },
    ] {
        assert_eq!(refused(&[sato.clone(), approval_of("suzuki", &a, &other)]).code(), "governance-signature-over-other");
    }
    let elsewhere = Application { dataset: DatasetId::new(), ..a.clone() };
    assert_eq!(refused(&[sato.clone(), approval_of("suzuki", &elsewhere, &d)]).code(), "governance-signature-over-other");
    let mut cut = approval_of("suzuki", &a, &d);
    cut.signature.truncate(10);
    assert_eq!(refused(&[sato, cut]).code(), "governance-signature-wrong");
}

#[test]
fn an_officer_is_told_at_once_why_an_approval_is_not_taken() {
    let a = application();
    let sato = approval_of("sato", &a, &digests());
    let recorded = std::slice::from_ref(&sato);
    assert!(waiting(&a).admit_approval(&[], &sato, &registered()).is_ok());
    let code = |x: &SignedApproval| waiting(&a).admit_approval(recorded, x, &registered()).map_err(|r| r.code());
    assert_eq!(code(&sato), Err("governance-officer-twice"));
    assert_eq!(code(&approval_of("maker", &a, &digests())), Err("governance-maker-approves"));
    assert_eq!(code(&approval_of("m1", &a, &digests())), Err("governance-reviewer-approves"));
    assert_eq!(code(&approval_of("suzuki", &a, &digests())), Ok(()));
}

// control: NOT-09
#[test]
fn somebody_who_said_no_after_the_build_voids_the_approvals() {
    let a = application();
    let approvals = [approval_of("sato", &a, &digests()), approval_of("suzuki", &a, &digests())];
    let refusal = waiting(&a).release(&approvals, 1, &registered()).map(|_| ()).expect_err("refused");
    assert_eq!(refusal, Refusal::OptedOutInside { records: 1 });
    assert_eq!(waiting(&a).void().maker(), &id("maker"));
}

// control: NET-07
#[test]
fn what_was_changed_after_the_approvals_is_not_delivered() {
    let a = application();
    let approvals = [approval_of("sato", &a, &digests()), approval_of("suzuki", &a, &digests())];
    let released = waiting(&a).release(&approvals, 0, &registered()).map_err(|r| r.code()).expect("two officers");
    let changed = Digests { data: Digest([8; 32]), ..digests() };
    assert_eq!(released.deliver(&changed, Digest([9; 32])).map(|_| ()).expect_err("refused"), Refusal::PackageDiffers);
}

// control: RVW-17
#[test]
fn the_committee_decides_with_a_quorum_and_its_own_signatures() {
    use Decision::{Approve, Reject};
    let a = application();
    let decide = |d: &[MemberDecision]| {
        let review = Dataset::apply(a.clone()).expect("complete").submit();
        review.decide(d, ReviewRules::default(), &registered()).map(|r| matches!(r, Reviewed::Approved(_))).map_err(|r| r.code())
    };
    assert_eq!(decide(&yes(&a)), Ok(true));
    let tie = votes(&a, &[("m1", Approve), ("m2", Approve), ("m3", Reject), ("m4", Reject)]);
    assert_eq!(decide(&tie), Ok(false), "a tie is no");
    assert_eq!(decide(&votes(&a, &[("m1", Approve), ("m2", Approve)])), Err("governance-no-quorum"));
    assert_eq!(decide(&votes(&a, &[("m1", Approve), ("m1", Approve), ("m2", Approve)])), Err("governance-member-twice"));
    assert_eq!(
        decide(&votes(&a, &[("twin-a", Approve), ("twin-b", Approve), ("m2", Approve)])),
        Err("governance-certificate-shared")
    );
    let mut turned = votes(&a, &[("m1", Reject), ("m2", Reject), ("m3", Reject)]);
    turned[0].decision = Approve;
    assert_eq!(decide(&turned), Err("governance-signature-over-other"), "a vote cannot be turned round");
}

#[test]
fn who_reviews_does_not_make_and_only_the_reviewed_profile_is_made() {
    let a = application();
    let approved = || {
        let review = Dataset::apply(a.clone()).expect("complete").submit();
        match review.decide(&yes(&a), ReviewRules::default(), &registered()) {
            Ok(Reviewed::Approved(d)) => d,
            _ => panic!("approved"),
        }
    };
    assert_eq!(approved().build(id("m3"), a.profile_sha256).map(|_| ()).map_err(|r| r.code()), Err("governance-maker-reviews"));
    assert_eq!(approved().build(id("maker"), Digest([0; 32])).map(|_| ()), Err(Refusal::ProfileChanged));
}

// control: PRC-02
#[test]
fn a_build_that_is_not_what_was_approved_goes_back() {
    let a = application();
    let codes = |facts: BuildFacts, digests: Digests| {
        let review = Dataset::apply(a.clone()).expect("complete").submit();
        let Ok(Reviewed::Approved(d)) = review.decide(&yes(&a), ReviewRules::default(), &registered()) else { panic!() };
        let made = d.build(id("maker"), a.profile_sha256).expect("the reviewed profile").finished(digests, facts);
        match made.check() {
            Ok(_) => vec![],
            Err(unfit) => unfit.reasons.iter().map(Refusal::code).collect::<Vec<_>>(),
        }
    };
    assert!(codes(facts(), digests()).is_empty());
    assert_eq!(codes(BuildFacts { smallest_class: Some(9), ..facts() }, digests()), ["governance-class-too-small"]);
    assert_eq!(codes(BuildFacts { smallest_class: None, ..facts() }, digests()), ["governance-class-too-small"]);
    assert_eq!(
        codes(BuildFacts { smallest_class: Some(1), k: Some(1), ..facts() }, digests()),
        ["governance-class-too-small"],
        "a promise of one is no promise"
    );
    assert_eq!(codes(BuildFacts { opted_out: 2, ..facts() }, digests()), ["governance-opted-out-inside"]);
    assert_eq!(codes(BuildFacts { persons: 0, ..facts() }, digests()), ["governance-build-empty"]);
    assert_eq!(codes(BuildFacts { label: ReleaseKind::Pseudonymized, ..facts() }, digests()), ["governance-label-wrong"]);
    assert_eq!(codes(BuildFacts { tables: vec!["note".into()], ..facts() }, digests()), ["governance-table-not-approved"]);
    assert_eq!(codes(facts(), Digests { profile: Digest([0; 32]), ..digests() }), ["governance-profile-changed"]);
}

#[test]
fn an_application_without_purpose_items_or_reasons_is_not_taken() {
    let refused = |a: Application| Dataset::apply(a).map(|_| ()).expect_err("refused").code();
    assert_eq!(refused(Application { purpose: " ".into(), ..application() }), "governance-application-incomplete");
    assert_eq!(refused(Application { items: vec![], ..application() }), "governance-application-incomplete");
    let unreasoned = vec![Item { table: "person".into(), reason: String::new() }];
    assert_eq!(refused(Application { items: unreasoned, ..application() }), "governance-application-incomplete");
    assert_eq!(refused(Application { kind: ReleaseKind::NonIdentifying, ..application() }), "governance-kind-not-made");
}

/// What a row and its evidence would have to be for the state written in it, said plainly and all at once.
fn reference(s: &Stored, e: &Evidence<'_>) -> bool {
    let rank = |x: DatasetState| DatasetState::ALL.iter().position(|y| *y == x).expect("listed");
    let a = &s.application;
    let ended = [DatasetState::Rejected, DatasetState::Withdrawn].contains(&s.state);
    let at_least = |x| !ended && rank(s.state) >= rank(x);
    let mut good = !a.purpose.trim().is_empty() && !a.items.is_empty();
    let opens = |who: &OfficerId, sig: &[u8], what: Vec<u8>| e.check.signed(who, sig).is_ok_and(|x| x.content == what);
    if at_least(DatasetState::Approved) || s.state == DatasetState::Rejected {
        let all = e
            .decisions
            .iter()
            .all(|d| opens(&d.member, &d.signature, review::statement(a.dataset, a.profile_sha256, d.decision)));
        let mut members: Vec<_> = e.decisions.iter().map(|d| d.member.clone()).collect();
        members.sort();
        members.dedup();
        let distinct = members.len() == e.decisions.len();
        let yes = e.decisions.iter().filter(|d| d.decision == Decision::Approve).count();
        let approved = yes * 2 > e.decisions.len();
        good &= all && distinct && members.len() >= 3 && approved == (s.state != DatasetState::Rejected);
    }
    if at_least(DatasetState::Building) {
        good &= s.maker.as_ref().is_some_and(|m| e.decisions.iter().all(|d| &d.member != m));
    }
    if at_least(DatasetState::BuildCheck) {
        good &= s.digests.is_some() && s.facts.is_some();
    }
    if at_least(DatasetState::TwoPersonCheck) {
        good &= s.digests.is_some_and(|d| d.profile == a.profile_sha256)
            && s.facts.as_ref().is_some_and(|f| f.smallest_class >= f.k && f.opted_out == 0);
    }
    if at_least(DatasetState::Released) {
        let Some(d) = s.digests else { return false };
        let all = e.approvals.iter().all(|x| {
            Some(&x.officer) != s.maker.as_ref() && opens(&x.officer, &x.signature, approval::statement(a.dataset, a.kind, &d))
        });
        let mut officers: Vec<_> = e.approvals.iter().map(|x| x.officer.clone()).collect();
        officers.sort();
        officers.dedup();
        good &= e.approvals.iter().all(|x| e.decisions.iter().all(|d| d.member != x.officer));
        good &= all && officers.len() >= 2 && (e.opted_out == 0 || s.state == DatasetState::Delivered);
    }
    if at_least(DatasetState::Delivered) {
        good &= s.package.is_some();
    }
    good
}

type Input = (u8, u8, Vec<(u8, bool)>, Vec<(u8, u8)>, u8, bool, u8);

/// Makes a row and evidence of the input and compares [`recall`] with the reference; true when the state was given.
fn compare((state, maker, decisions, approvals, spoil, opted_out, facts_n): &Input) -> bool {
    let check = registered();
    let people = ["m1", "m2", "m3", "m4", "maker", "sato", "suzuki"];
    let pick = |n: u8| people[usize::from(n) % people.len()];
    let mut a = application();
    if spoil & 7 == 7 {
        a.purpose = String::new();
    }
    let mut d = digests();
    if spoil & 24 == 24 {
        d.profile = Digest([0; 32]);
    }
    let vote = |x: bool| if x { Decision::Approve } else { Decision::Reject };
    let decisions: Vec<(&str, Decision)> = decisions.iter().take(5).map(|(m, v)| (pick(*m), vote(*v))).collect();
    let decisions = votes(&a, &decisions);
    let approvals: Vec<SignedApproval> = approvals
        .iter()
        .take(3)
        .map(|(who, wrong)| {
            let over = if wrong % 8 == 7 { Digests { data: Digest([3; 32]), ..d } } else { d };
            approval_of(pick(*who), &a, &over)
        })
        .collect();
    let stored = Stored {
        application: a,
        state: DatasetState::ALL[usize::from(*state) % DatasetState::ALL.len()],
        maker: (maker % 8 != 7).then(|| id(pick(*maker))),
        digests: (spoil & 96 != 96).then_some(d),
        facts: (spoil & 160 != 160).then(|| BuildFacts {
            smallest_class: Some(u64::from(*facts_n % 4) + 8),
            opted_out: u64::from(facts_n / 200),
            ..facts()
        }),
        package: (spoil & 192 != 192).then_some(Digest([4; 32])),
    };
    let evidence = Evidence {
        decisions: &decisions,
        rules: ReviewRules::default(),
        approvals: &approvals,
        opted_out: u64::from(*opted_out),
        check: &check,
    };
    let want = reference(&stored, &evidence);
    let state = stored.state;
    let got = recall(stored, &evidence);
    assert_eq!(got.is_ok(), want, "{state:?}");
    got.is_ok_and(|recalled| Recalled::state(&recalled) == state)
}

// control: HUM-09
#[test]
fn no_row_and_no_evidence_gives_a_state_that_its_guards_do_not_support() {
    // A row that is right in everything, in every state, so that the comparison is never only of refusals.
    for state in 0..9 {
        let decisions = if state == 8 { vec![(0, false), (1, false), (2, true)] } else { vec![(0, true), (1, true), (2, false)] };
        assert!(compare(&(state, 4, decisions, vec![(5, 0), (6, 0)], 0, false, 2)));
    }
    bolero::check!().with_type::<Input>().for_each(|input| {
        compare(input);
    });
}
