//! The part of the page that says whom leaving people out falls on.

use messages::Message;

use super::{Page, grouped};
use crate::effects::{Effects, Group, Who};

/// A group in a picture of whom leaving out falls on.
pub(super) struct GroupBar {
    pub(super) y: f64,
    pub(super) label: String,
    pub(super) staying: f64,
    pub(super) left_out: f64,
    pub(super) hidden: bool,
    pub(super) oftener: bool,
    pub(super) text: String,
}

const GROUP_WIDTH: f64 = 300.0;
const GROUP_STEP: f64 = 26.0;

impl Page<'_> {
    pub(super) fn who(&self, who: &Who) -> String {
        let message = match who {
            Who::Male => Message::new("anonymity-effects-male"),
            Who::Female => Message::new("anonymity-effects-female"),
            Who::Other => Message::new("anonymity-effects-other"),
            Who::Born { from: Some(from), to: Some(to) } => {
                Message::new("anonymity-effects-born").with("from", from).with("to", to)
            }
            Who::Born { from: None, to: Some(to) } => Message::new("anonymity-effects-born-until").with("to", to),
            Who::Born { from: Some(from), to: None } => Message::new("anonymity-effects-born-from").with("from", from),
            Who::Born { .. } => Message::new("anonymity-effects-born-any"),
            Who::Class(class) => return class.clone(),
        };
        message.text(self.lang)
    }

    /// A picture of the groups of a trait: who stays and who is left out.
    pub(super) fn group_bars(&self, of: &Effects) -> Vec<GroupBar> {
        let k = self.report.privacy.as_ref().map_or(0, |p| u64::from(p.k));
        let most = of.groups.iter().filter_map(|g| g.before).max().unwrap_or(0).max(1);
        let width = |persons: u64| persons as f64 / most as f64 * GROUP_WIDTH;
        let bar = |(n, group): (usize, &Group)| {
            let (all, out) = (group.before, group.left_out);
            let text = match (all, out) {
                (Some(all), Some(out)) => Message::new("anonymity-effects-group")
                    .with("before", grouped(&all))
                    .with("out", grouped(&out))
                    .with("share", format!("{:.1}", out as f64 / all.max(1) as f64 * 100.0)),
                (Some(all), None) => Message::new("anonymity-effects-hidden-out").with("before", grouped(&all)).with("k", k),
                (None, _) => Message::new("anonymity-effects-hidden").with("k", k),
            };
            let staying = all.map_or(0.0, |all| width(all - out.unwrap_or(0)));
            GroupBar {
                y: n as f64 * GROUP_STEP,
                label: self.who(&group.who),
                staying,
                left_out: out.map_or(0.0, width),
                hidden: all.is_none() || out.is_none(),
                oftener: group.oftener,
                text: text.text(self.lang),
            }
        };
        of.groups.iter().enumerate().map(bar).collect()
    }

    pub(super) fn group_height(&self, of: &Effects) -> f64 {
        of.groups.len() as f64 * GROUP_STEP + 6.0
    }

    /// In words, whom leaving out falls on.
    pub(super) fn effects_said(&self) -> Vec<String> {
        let report = self.report;
        let gone = report.persons_before.saturating_sub(report.persons_after);
        let share = |out: u64, all: u64| format!("{:.1}", out as f64 / all.max(1) as f64 * 100.0);
        let all = share(gone, report.persons_before);
        if gone == 0 {
            return vec![self.t("anonymity-effects-nobody")];
        }
        let mut lines =
            vec![Message::new("anonymity-effects-all").with("out", grouped(&gone)).with("share", &all).text(self.lang)];
        for group in report.effects.iter().flat_map(|e| &e.groups).filter(|g| g.oftener) {
            if let (Some(before), Some(out)) = (group.before, group.left_out) {
                let line = Message::new("anonymity-effects-oftener").with("who", self.who(&group.who));
                lines.push(line.with("share", share(out, before)).with("all", &all).text(self.lang));
            }
        }
        if lines.len() == 1 {
            lines.push(self.t("anonymity-effects-none-oftener"));
        }
        if !report.effects.iter().flat_map(|e| &e.groups).any(|g| matches!(g.who, Who::Class(_))) {
            lines.push(self.t("anonymity-effects-no-class"));
        }
        lines
    }

    pub(super) fn effects_help(&self) -> String {
        let k = self.report.privacy.as_ref().map_or(0, |p| p.k);
        Message::new("anonymity-effects-help").with("k", k).text(self.lang)
    }
}
