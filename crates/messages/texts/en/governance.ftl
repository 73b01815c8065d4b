### Notices, opt-outs, applications, review, approvals
governance-wait-too-short = A waiting period of { $days } days is shorter than { $least } days. Name the legal basis for it, or leave the period as it is.
governance-not-notified = Not notified: no contact since the provider's notice began, and no letter. The data may come once the person has been told and the waiting period is over.
governance-waiting = Notified, but the waiting period runs. Provision is allowed from { $until }.
governance-opted-out = A request that provision stop is on record. The data stay out until a new statement withdraws it.
governance-opt-out-without-scope = The request does not say which kind of use is to stop. Name anonymized, pseudonymized, or both.
governance-opt-out-without-relation = A request by the bereaved has to say how they stand to the person. Add the relation.
governance-opt-out-erasure-unclear = An erasure everywhere was asked without an erasure. Ask for the erasure too, or leave "everywhere" out.
governance-opt-out-evidence-missing = The document that showed the identity or relationship is not named. Name its kind.
governance-withdrawal-by-another = The request was made by: { $stated_by }. A withdrawal by { $by } does not end it; the person or the same requester can.
governance-withdrawal-too-early = The withdrawal of { $on } is dated before the request of { $stated_on }. Check the dates.
governance-application-incomplete = The application lacks: { $what }. Complete the profile and apply again.
governance-kind-not-made = Data sets of the kind { $kind } are not made by this version. Apply for anonymized, linkable_anonymized or pseudonymized.
governance-no-quorum = { $have } members decided, { $need } are needed. Collect the missing decisions.
governance-member-twice = Member { $member } decided twice. One decision a member counts; remove the other.
governance-maker-reviews = { $member } makes the data set and cannot sit in its review. Another member, or another maker, is needed.
governance-profile-changed = The profile is not the one that the committee reviewed. Use the reviewed profile, or apply again.
governance-label-wrong = The data set is labelled { $label }, approved was { $approved }. Build it again with the approved profile.
governance-table-not-approved = The data set holds the table { $table }, which was not approved. Build it again with the approved profile.
governance-build-empty = The data set holds no person. Check cohort and period of the profile.
governance-class-too-small = The smallest class has { $smallest } persons, { $k } are promised. Coarsen the quasi-identifiers or suppress more, and build again.
governance-opted-out-inside = { $records } records in the data set belong to people who said no. Approvals are void; build it again.
governance-too-few-approvals = { $have } different officers approved, { $need } are needed. Another officer, not the maker, has to sign.
governance-officer-twice = Officer { $officer } has approved already. A second, different officer has to sign.
governance-maker-approves = { $officer } made the data set and cannot approve it. Another officer has to sign.
governance-reviewer-approves = { $officer } signed with a key by which the application was reviewed: who decides on it does not approve what was made. Another officer has to sign.
governance-certificate-shared = { $signer } signed with a certificate that another signer used too: that is one person. Use each person's own certificate.
governance-signature-unknown-signer = Nobody is registered as { $signer }. Register the certificate first.
governance-signature-wrong = The signature of { $signer } does not hold: it is not by the registered certificate, or it was changed. Sign again.
governance-signature-expired = The certificate of { $signer } was not valid on that day. Register a valid one and sign again.
governance-signature-over-other = The signature of { $signer } is over something else than this data set, report and profile as they are now. Read them and sign again.
governance-package-differs = What stands in the package is not what the officers signed. Nothing was delivered; look for who changed it.
governance-wrong-state = { $state ->
        [in_review] The application lies before the committee: members record their decisions with azekura dataset review first.
        [approved] The committee has approved: the next step is azekura dataset make.
        [rejected] The committee has rejected the application. Plan a new one.
        [building] The data set is to be made (again): azekura dataset make.
        [two_person_check] The data set is made and waits for two officers: azekura dataset approve, then deliver.
        [released] The data set is released: the next step is azekura dataset deliver.
        [delivered] The data set is delivered already. Plan a new one for another delivery.
        [withdrawn] The data set was withdrawn. Plan a new one.
       *[other] This step is not possible in the state { $state }.
    }
governance-evidence-missing = The state { $state } is written, but there is no { $what } to support it. Look in the journal for how the state came about.
