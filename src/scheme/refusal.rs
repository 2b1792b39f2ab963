//! Combinations that cannot exist, each with its reason.

use super::{Choice, Code, OnDue, OnRead, Period, Placement, Protect, Scheme, ScrubBy, Voter};
use crate::op::Dtype;
use crate::words::meant;
use std::fmt;

/// Why a scheme cannot exist, and at which of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The key of the scheme's table.
    pub key: &'static str,
    /// What stands there and why it cannot.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

fn refuse(key: &'static str, reason: impl Into<String>) -> Option<Refusal> {
    Some(Refusal { key, reason: reason.into() })
}

impl Scheme {
    /// Why this combination cannot exist, if it cannot.
    pub fn refusal(&self) -> Option<Refusal> {
        self.scrub_refusal()
            .or_else(|| self.voter_refusal())
            .or_else(|| self.read_refusal())
            .or_else(|| self.protect.as_ref().and_then(|protect| self.protect_refusal(protect)))
            .or_else(|| {
                let apart = self.placement != Placement::default();
                let reason = format!(
                    "placement = \"{}\" of replicas, {} stores one copy",
                    self.placement.name(),
                    self.protection.name()
                );
                if apart && self.copies() < 2 { refuse("placement", reason) } else { None }
            })
    }

    fn scrub_refusal(&self) -> Option<Refusal> {
        let scrub = self.scrub.as_ref()?;
        if let Some(patrol) = &scrub.patrol {
            if scrub.every != Period::OfPatrol {
                let reason = format!("scrub.every with patrol \"{patrol}\", which has a period");
                return refuse("scrub", reason);
            }
            if scrub.by != ScrubBy::Ecc {
                let reason = format!(
                    "scrub by {} with patrol \"{patrol}\": the patrol of a memory works by ecc",
                    scrub.by.name()
                );
                return refuse("scrub", reason);
            }
        }
        if scrub.by == ScrubBy::Ecc && !self.code.is_some_and(Code::corrects) {
            return refuse("scrub", "scrub by ecc without a code that corrects");
        }
        if scrub.by == ScrubBy::Vote && self.copies() < 3 {
            let reason = format!(
                "scrub by vote needs three stored copies, {} has {}; by = \"reload\" works with any",
                self.protection.name(),
                self.copies()
            );
            return refuse("scrub", reason);
        }
        None
    }

    fn voter_refusal(&self) -> Option<Refusal> {
        let (voter, protection) = (self.voter.name(), self.protection.name());
        match self.voter {
            Voter::Bitwise => None,
            _ if self.redundancy().votes.is_none() => refuse(
                "voter",
                format!("voter = \"{voter}\" with protection none, which has no voter"),
            ),
            Voter::Label | Voter::Tolerance if !self.votes_outputs() => refuse(
                "voter",
                format!(
                    "voter = \"{voter}\" with {protection}, whose voter sees words and no outputs; \
                     bitwise and word work"
                ),
            ),
            _ => None,
        }
    }

    fn read_refusal(&self) -> Option<Refusal> {
        let corrects = self.code.is_some_and(Code::corrects);
        if self.on_read == OnRead::Keep || corrects || self.votes_reads() {
            return None;
        }
        let found = match self.code {
            Some(code) => format!("code {}, which corrects nothing", code.name()),
            None => format!("{}, whose reads find no error", self.protection.name()),
        };
        refuse("on_read", format!("on_read = \"write-back\" with {found}"))
    }

    fn protect_refusal(&self, protect: &Protect) -> Option<Refusal> {
        if let Some(code) = self.code {
            let reason = format!("protect with code {}, which covers all weights", code.name());
            return refuse("protect", reason);
        }
        if !self.votes_reads() {
            let reason =
                format!("protect with {}: only tmr-storage votes words", self.protection.name());
            return refuse("protect", reason);
        }
        if let Some(choice) = &protect.choice {
            return choice_refusal(protect, choice);
        }
        if protect.tensors.is_none() && protect.bits.is_none() {
            return refuse("protect", "protect without tensors or bits, which protects all");
        }
        let names = protect.tensors.as_deref().unwrap_or(&[]);
        let bits = protect.bits.as_deref().unwrap_or(&[]);
        if protect.tensors.as_ref().is_some_and(Vec::is_empty) {
            return refuse("protect", "protect.tensors without a tensor");
        }
        if protect.bits.as_ref().is_some_and(Vec::is_empty) {
            return refuse("protect", "protect.bits without a bit");
        }
        if let Some(name) = again(names) {
            return refuse("protect", format!("\"{name}\" twice in protect.tensors"));
        }
        if let Some(bit) = bits.iter().find(|bit| **bit > 31) {
            let reason = format!("bit {bit} in protect.bits; bits go from 0 (lowest) to 31 (sign)");
            return refuse("protect", reason);
        }
        again(bits).and_then(|bit| refuse("protect", format!("bit {bit} twice in protect.bits")))
    }

    /// Why a workload with these stored `tensors`, names and types, cannot have this scheme, if it cannot;
    /// `by_label` where its decision is an arg-max.
    pub fn workload_refusal(&self, tensors: &[(&str, Dtype)], by_label: bool) -> Option<Refusal> {
        if self.voter == Voter::Label && !by_label {
            let reason = "voter = \"label\", but the workload does not decide by label";
            return refuse("voter", reason);
        }
        if self.voter == Voter::Tolerance && by_label {
            let reason = "voter = \"tolerance\", but the workload decides by label (arg-max)";
            return refuse("voter", reason);
        }
        if let Some(choice) = self.protect.as_ref().and_then(Protect::unread) {
            let reason =
                format!("protect.from = \"{}\", an archive that was not read", choice.from);
            return refuse("protect", reason);
        }
        let half = tensors.iter().find(|(_, dtype)| dtype.in_word() > 1);
        if let (Some(Some(_)), Some((name, dtype))) =
            (self.protect.as_ref().map(|protect| &protect.bits), half)
        {
            let reason = format!(
                "protect.bits, which are those of 32-bit words; `{name}` is {}",
                dtype.name()
            );
            return refuse("protect", reason);
        }
        let named = self.protect.as_ref().and_then(|protect| protect.tensors.as_deref());
        let names: Vec<&str> = tensors.iter().map(|(name, _)| *name).collect();
        let unknown = named?.iter().find(|name| !names.contains(&name.as_str()))?;
        let (known, meant) = (names.join(", "), meant(unknown, names.iter().copied()));
        let reason = format!("\"{unknown}\" in protect.tensors; the workload has {known}{meant}");
        refuse("protect", reason)
    }

    /// Why a campaign (in place of a mission) cannot have this scheme, if it cannot.
    pub fn campaign_refusal(&self) -> Option<Refusal> {
        if self.scrub.as_ref().is_some_and(|scrub| scrub.patrol.is_some()) {
            return refuse("scrub", "the patrol of a memory, which missions have");
        }
        if self.scrub.as_ref().is_some_and(|scrub| scrub.every_steps().is_none()) {
            let reason = "a scrub with a period of time; a campaign counts in every_steps";
            return refuse("scrub", reason);
        }
        if self.placement != Placement::default() {
            return refuse("placement", "a placement, which missions have");
        }
        if self.on_due == OnDue::Reset {
            return refuse("on_due", "a reset of the device, which missions have");
        }
        None
    }
}

/// What a file may not say of a set that is chosen from an archive.
fn choice_refusal(protect: &Protect, choice: &Choice) -> Option<Refusal> {
    if protect.tensors.is_some() || protect.bits.is_some() {
        let reason = "protect.from, which chooses the set, together with tensors or bits";
        return refuse("protect", reason);
    }
    if choice.found.is_some() {
        return refuse("protect", "protect.found, which archives have");
    }
    if choice.from.trim().is_empty() {
        return refuse("protect", "protect.from without the path of an archive");
    }
    if !(choice.share > 0.0 && choice.share <= 1.0) {
        let reason = format!("protect.share = {}; a share is above 0 and at most 1", choice.share);
        return refuse("protect", reason);
    }
    None
}

/// The first that stands there a second time.
fn again<T: PartialEq>(values: &[T]) -> Option<&T> {
    values.iter().enumerate().find(|(at, value)| values[..*at].contains(value)).map(|(_, v)| v)
}

#[cfg(test)]
mod tests {
    use super::super::{Protection, Scrub};
    use super::*;

    /// The refusal of a scheme whose table has these lines.
    fn refused(lines: &str) -> Option<(&'static str, String)> {
        let text = format!("name = \"s\"\n{lines}");
        let scheme: Scheme = toml::from_str(&text).expect("a scheme");
        scheme.refusal().map(|refusal| (refusal.key, refusal.reason))
    }

    #[test]
    fn what_cannot_be_says_where_and_why() {
        let storage = "protection = \"tmr-storage\"";
        for (lines, key, reason) in [
            ("protection = \"none\"\nvoter = \"word\"", "voter", "has no voter"),
            (&*format!("{storage}\nvoter = \"label\""), "voter", "sees words and no outputs"),
            ("protection = \"tmr-layer\"\nvoter = \"tolerance\"", "voter", "sees words"),
            ("protection = \"dmr\"\non_read = \"write-back\"", "on_read", "find no error"),
            (
                "protection = \"none\"\ncode = \"parity\"\non_read = \"write-back\"",
                "on_read",
                "code parity, which corrects nothing",
            ),
            (
                &*format!("{storage}\ncode = \"hsiao-72-64\"\nprotect.bits = [31]"),
                "protect",
                "which covers all weights",
            ),
            ("protection = \"tmr-output\"\nprotect.bits = [31]", "protect", "only tmr-storage"),
            (&*format!("{storage}\nprotect = {{}}"), "protect", "which protects all"),
            (&*format!("{storage}\nprotect.bits = []"), "protect", "without a bit"),
            (&*format!("{storage}\nprotect.bits = [32]"), "protect", "bit 32"),
            (&*format!("{storage}\nprotect.bits = [3, 3]"), "protect", "bit 3 twice"),
            (&*format!("{storage}\nprotect.tensors = []"), "protect", "without a tensor"),
            (
                &*format!("{storage}\nprotect = {{ from = \"a\", by = \"bits\", share = 0.0 }}"),
                "protect",
                "above 0 and at most 1",
            ),
            (
                &*format!("{storage}\nprotect = {{ from = \" \", by = \"bits\", share = 1.0 }}"),
                "protect",
                "the path of an archive",
            ),
            (&*format!("{storage}\nprotect.tensors = [\"a\", \"a\"]"), "protect", "\"a\" twice"),
            ("protection = \"tmr-temporal\"\nplacement = \"stack\"", "placement", "one copy"),
            (
                "protection = \"tmr-temporal\"\nscrub = { every_steps = 1, by = \"vote\" }",
                "scrub",
                "tmr-temporal has 1",
            ),
            (
                "protection = \"tmr-storage\"\nscrub = { patrol = \"p\", by = \"vote\" }",
                "scrub",
                "the patrol of a memory works by ecc",
            ),
            (
                "protection = \"none\"\ncode = \"trio\"\n\
                 scrub = { patrol = \"p\", every = \"1d\", by = \"ecc\" }",
                "scrub",
                "scrub.every with patrol \"p\", which has a period",
            ),
            (
                "protection = \"none\"\nscrub = { patrol = \"p\", by = \"ecc\" }",
                "scrub",
                "without a code that corrects",
            ),
            (
                "protection = \"none\"\ncode = \"crc-32\"\nscrub = { every_steps = 1, by = \"ecc\" }",
                "scrub",
                "without a code that corrects",
            ),
        ] {
            let (at, found) = refused(lines).unwrap_or_else(|| panic!("accepted:\n{lines}"));
            assert_eq!(at, key, "{lines}");
            assert!(found.contains(reason), "{lines}\nsays: {found}");
        }
    }

    #[test]
    fn what_can_be_is_accepted() {
        for lines in [
            "protection = \"tmr-storage\"\nvoter = \"word\"\non_read = \"write-back\"",
            "protection = \"tmr-storage\"\nprotect = { tensors = [\"a\"], bits = [30, 31] }",
            "protection = \"tmr-storage\"\nprotect = { from = \"a\", by = \"bits\", share = 1.0 }",
            "protection = \"dmr\"\nvoter = \"label\"\nplacement = \"stack\"",
            "protection = \"tmr-temporal\"\nvoter = \"tolerance\"",
            "protection = \"none\"\ncode = \"hsiao-72-64\"\non_read = \"write-back\"",
            "protection = \"none\"\ncode = \"trio\"\nscrub = { every_steps = 1, by = \"ecc\" }",
            "protection = \"none\"\ncode = \"trio\"\nscrub = { patrol = \"p\", by = \"ecc\" }",
        ] {
            assert_eq!(refused(lines), None, "{lines}");
        }
    }

    #[test]
    fn a_workload_must_have_what_a_scheme_names() {
        let scheme = |voter, tensors: Option<&str>| Scheme {
            voter,
            protect: tensors
                .map(|name| Protect { tensors: Some(vec![name.into()]), ..Protect::default() }),
            ..Scheme::bare("s", Protection::TmrStorage)
        };
        let found = |scheme: Scheme, by_label| {
            scheme
                .workload_refusal(&["a", "b"].map(|name| (name, Dtype::F32)), by_label)
                .map(|refusal| refusal.reason)
        };
        assert_eq!(found(scheme(Voter::Label, None), true), None);
        assert!(found(scheme(Voter::Label, None), false).is_some());
        assert!(found(scheme(Voter::Tolerance, None), true).is_some());
        assert_eq!(found(scheme(Voter::Tolerance, None), false), None);
        assert_eq!(found(scheme(Voter::Bitwise, Some("b")), true), None);
        let unknown = found(scheme(Voter::Bitwise, Some("c")), true).expect("a refusal");
        assert_eq!(unknown, "\"c\" in protect.tensors; the workload has a, b");
        let by = super::super::ChosenBy::Bits;
        let choice = Choice { from: "results/a".into(), by, share: 0.9, found: None };
        let protect = Protect { choice: Some(choice), ..Protect::default() };
        let unread = Scheme { protect: Some(protect), ..scheme(Voter::Bitwise, None) };
        let refusal = found(unread, true).expect("a refusal");
        assert_eq!(refusal, "protect.from = \"results/a\", an archive that was not read");
    }

    #[test]
    fn a_campaign_counts_in_steps() {
        let timed = Scrub::seconds(60.0, ScrubBy::Reload);
        let scheme = Scheme { scrub: Some(timed), ..Scheme::bare("s", Protection::None) };
        assert_eq!(scheme.campaign_refusal().map(|refusal| refusal.key), Some("scrub"));
        assert_eq!(Scheme::bare("s", Protection::TmrLayer).campaign_refusal(), None);
    }
}
