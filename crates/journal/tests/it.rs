//! The journal against the naive tree of RFC 6962, which is written here as the RFC says it.

use std::collections::HashMap;

use journal::*;

/// RFC 6962, 2.1: MTH.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY,
        [one] => *one,
        _ => {
            let k = split(leaves.len());
            node_hash(naive_root(&leaves[..k]), naive_root(&leaves[k..]))
        }
    }
}

/// The largest power of two smaller than `n`.
fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// RFC 6962, 2.1.1: PATH.
fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return vec![];
    }
    let k = split(leaves.len());
    let (mut path, other) = if m < k {
        (naive_path(m, &leaves[..k]), naive_root(&leaves[k..]))
    } else {
        (naive_path(m - k, &leaves[k..]), naive_root(&leaves[..k]))
    };
    path.push(other);
    path
}

/// RFC 6962, 2.1.2: SUBPROOF.
fn naive_consistency(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole { vec![] } else { vec![naive_root(leaves)] };
    }
    let k = split(leaves.len());
    let (mut proof, other) = if m <= k {
        (naive_consistency(m, &leaves[..k], whole), naive_root(&leaves[k..]))
    } else {
        (naive_consistency(m - k, &leaves[k..], false), naive_root(&leaves[..k]))
    };
    proof.push(other);
    proof
}

fn body(seq: u64) -> Vec<u8> {
    format!("entry {seq}").into_bytes()
}

/// A log as storage keeps it: bodies, and the nodes that appending said to keep.
struct Log {
    bodies: Vec<Vec<u8>>,
    kept: HashMap<NodeAt, Hash>,
    frontier: Frontier,
}

impl Log {
    fn of(size: u64) -> Log {
        let mut log = Log { bodies: vec![], kept: HashMap::new(), frontier: Frontier::empty() };
        for seq in 0..size {
            assert_eq!(log.frontier.append(&body(seq), |at, hash| assert!(log.kept.insert(at, hash).is_none())), seq);
            log.bodies.push(body(seq));
        }
        log
    }
    fn leaves(&self) -> Vec<Hash> {
        self.bodies.iter().map(|b| leaf_hash(b)).collect()
    }
}

impl Nodes for Log {
    fn node(&self, at: NodeAt) -> Result<Hash, MissingNode> {
        if at.is_kept() {
            return self.kept.node(at);
        }
        let range = at.entries();
        self.bodies.get(range.start as usize..range.end as usize).and_then(subtree_hash).ok_or(MissingNode(at))
    }
}

#[test]
fn roots_and_right_edges_agree_with_the_naive_tree_at_every_size() {
    let log = Log::of(1_100);
    let leaves = log.leaves();
    let mut growing = Frontier::empty();
    for size in 0..=leaves.len() {
        if size % 37 == 0 || size < 70 || (500..530).contains(&size) || size > 1_020 {
            assert_eq!(growing.root(), naive_root(&leaves[..size]), "{size}");
            assert_eq!(Frontier::load(size as u64, &log).expect("nodes are there"), growing, "{size}");
        }
        if let Some(leaf) = leaves.get(size) {
            growing.append_leaf(*leaf, |_, _| ());
        }
    }
}

#[test]
fn proofs_agree_with_the_naive_tree_and_hold_only_for_what_they_prove() {
    let log = Log::of(1_030);
    let leaves = log.leaves();
    bolero::check!().with_type::<(u16, u16)>().for_each(|&(size, other)| {
        let size = usize::from(size) % 1_030 + 1;
        let at = usize::from(other) % size;
        let tree = &leaves[..size];
        let root = naive_root(tree);
        let proof = prove_inclusion(size as u64, at as u64, &log).expect("an entry of the tree");
        assert_eq!(proof, naive_path(at, tree));
        check_inclusion(&proof, size as u64, root, at as u64, leaves[at]).expect("holds");
        assert!(check_inclusion(&proof, size as u64, root, at as u64, leaf_hash(b"another entry")).is_err());
        if size > 1 {
            assert!(check_inclusion(&proof, size as u64, root, ((at + 1) % size) as u64, leaves[at]).is_err());
            assert!(check_inclusion(&proof[1..], size as u64, root, at as u64, leaves[at]).is_err());
        }
        let older = at + 1;
        let proof = prove_consistency(size as u64, older as u64, &log).expect("a beginning of the tree");
        assert_eq!(proof, naive_consistency(older, tree, true));
        check_consistency(&proof, size as u64, root, older as u64, naive_root(&leaves[..older])).expect("holds");
        assert!(check_consistency(&proof, size as u64, root, older as u64, leaf_hash(b"another root")).is_err());
    });
}

#[test]
fn what_a_proof_reads_is_known_beforehand() {
    let log = Log::of(777);
    for (seq, older) in [(0, 1), (776, 777), (300, 256), (511, 513)] {
        let fetched: HashMap<NodeAt, Hash> =
            wanted(777, Some(seq), Some(older)).into_iter().map(|at| (at, log.node(at).expect("there"))).collect();
        assert!(prove_inclusion(777, seq, &fetched).is_ok() && prove_consistency(777, older, &fetched).is_ok());
    }
    assert!(wanted(777, Some(777), Some(0)).is_empty());
    assert_eq!(prove_inclusion(777, 777, &log), Err(ProofError::OutOfTree { size: 777, asked: 777 }));
    assert!(matches!(prove_inclusion(777, 3, &HashMap::new()), Err(ProofError::Missing(_))));
}

#[test]
fn hostile_proofs_and_checkpoints_are_refused_without_panic() {
    let verifier = Verifier::new(Signer::new("log.test", &[7; 32]).expect("a name").verifier_key()).expect("a key");
    bolero::check!().with_type::<(u64, u64, Vec<[u8; 32]>, Vec<u8>)>().for_each(|(size, seq, hashes, bytes)| {
        let proof: Vec<Hash> = hashes.iter().map(|h| Hash(*h)).collect();
        assert!(check_inclusion(&proof, *size, Hash([1; 32]), *seq, Hash([2; 32])).is_err());
        assert!(check_consistency(&proof, *size, Hash([1; 32]), *seq, Hash([2; 32])).is_err());
        let text = String::from_utf8_lossy(bytes);
        assert!(verifier.open(&text).is_err());
        assert!(Verifier::new(&text).is_err());
        let _ = text.parse::<Hash>();
    });
    assert!(check_inclusion(&vec![Hash([1; 32]); 10_000], u64::MAX, Hash([1; 32]), 0, Hash([2; 32])).is_err());
}

#[test]
fn a_checkpoint_opens_with_its_own_key_and_no_other() {
    let signer = Signer::new("azekura.test/journal", &[7; 32]).expect("a name");
    let root = leaf_hash(b"x");
    let note = signer.checkpoint(42, root).expect("made");
    let head = Verifier::new(signer.verifier_key()).expect("a key").open(&note).expect("holds");
    assert_eq!((head.origin.as_str(), head.size, head.root), ("azekura.test/journal", 42, root));

    let other = Signer::new("azekura.test/journal", &[8; 32]).expect("a name");
    assert_eq!(Verifier::new(other.verifier_key()).expect("a key").open(&note), Err(CheckpointError::NotSigned));
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(changed) = String::from_utf8(bytes) {
            assert!(Verifier::new(signer.verifier_key()).expect("a key").open(&changed).is_err(), "byte {at}");
        }
    }
    for bad in ["", "two words", "a+b", "a\nb", "\u{7f}", &"x".repeat(256)] {
        assert!(Signer::new(bad, &[7; 32]).is_err(), "{bad:?}");
    }
}
