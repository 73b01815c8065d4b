use std::fs;
use std::path::Path;

use ledger::Mode;
use messages::Message;
use terms::ReleaseKind;

use super::{Promise, Verdict};
use crate::demo::hospitals::flip_a_byte;
use crate::demo::keys::Pair;
use crate::demo::place::copy_tree;
use crate::demo::programs::{Said, option};
use crate::demo::world::{World, open};
use crate::failure::Failure;

/// A delivered package opens for its recipient alone and only as it was sealed, and a file that is changed in the outbox is
/// named.
pub struct OnlyTheRecipient;

impl Promise for OnlyTheRecipient {
    fn name(&self) -> &'static str {
        "only-the-recipient"
    }

    fn title(&self) -> &'static str {
        "demo-promise-only-the-recipient"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        let set = world.set(ReleaseKind::Anonymized)?;
        let dir = world.place.copy("delivery")?;
        let theirs = unpack(world, &set.package, &world.recipient, &dir.join("theirs"))?;
        let same = theirs.done && same_tree(&set.opened, &dir.join("theirs"))?;
        let other = unpack(world, &set.package, &world.stranger, &dir.join("other"))?;
        let spoilt = dir.join("spoilt.azp");
        copy_tree(&set.package, &spoilt)?;
        flip_a_byte(&spoilt.join("payload-0001.p7m"))?;
        let spoilt = unpack(world, &spoilt, &world.recipient, &dir.join("spoilt"))?;
        let nothing_left = !dir.join("other").exists() && !dir.join("spoilt").exists();
        let faults = &world.verified()?.faults;
        let message = Message::new("demo-found-delivery")
            .with("other", if other.done { "-" } else { other.code() })
            .with("spoilt", if spoilt.done { "-" } else { spoilt.code() })
            .with("faults", faults.len());
        fs::remove_dir_all(&dir)?;
        let kept = same && !other.done && !spoilt.done && nothing_left && faults.is_empty();
        Ok(if kept { Verdict::Kept(message) } else { Verdict::Broken(message) })
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        let set = world.set(ReleaseKind::Anonymized)?;
        let copy = world.copy_ledger("delivery-outbox")?;
        let Ok(inside) = set.package.strip_prefix(&world.instance.root) else {
            return Ok(Verdict::Skipped(Message::new("demo-check-failed").with("reason", "the package lies elsewhere")));
        };
        flip_a_byte(&copy.join(inside).join("payload-0002.p7m"))?;
        let faults = world.wait(async {
            let copied = open(&world.place, &copy, Mode::Reader).await?;
            let faults = pipeline::journal::verify(&copied, None, false).await?.faults;
            copied.ledger.close().await;
            Ok::<_, Failure>(faults)
        })?;
        fs::remove_dir_all(&copy)?;
        let named = faults.iter().any(|f| f.contains("payload-0002.p7m") && f.contains(&set.id.to_string()));
        let message = Message::new("demo-found-outbox").with("faults", faults.len());
        Ok(if named { Verdict::Broken(message) } else { Verdict::Kept(message) })
    }
}

fn unpack(world: &World, package: &Path, keys: &Pair, out: &Path) -> Result<Said, Failure> {
    let producer = world.instance.root.join("certificates").join("signing.pem");
    let mut arguments = vec![package.as_os_str().to_owned()];
    arguments.extend(option("--key", &keys.key));
    arguments.extend(option("--cert", &keys.cert));
    arguments.extend(option("--from", producer));
    arguments.extend(option("--out", out));
    world.programs.open(arguments)
}

/// Whether two directories hold the same files with the same bytes.
fn same_tree(one: &Path, other: &Path) -> std::io::Result<bool> {
    let mut names = Vec::new();
    for entry in fs::read_dir(one)? {
        names.push(entry?.file_name());
    }
    if fs::read_dir(other)?.count() != names.len() {
        return Ok(false);
    }
    for name in names {
        let (a, b) = (one.join(&name), other.join(&name));
        let same = if a.is_dir() { b.is_dir() && same_tree(&a, &b)? } else { b.is_file() && fs::read(&a)? == fs::read(&b)? };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}
