//! A standing in its canonical form: two that differ only in names, or in ages that no rule can tell apart, are one state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::super::scene::{baseline, bundle_of, day, order, plan};
use super::domain::{RULES, UNIT};
use crate::govern::*;
use crate::types::{Digest, Span, Timestamp, Version};

/// Names by role. Former champions are remembered two deep, those rolled back one deep; whoever was rejected is forgotten: its
/// name is never given again.
pub const TAKEN_BACK: Version = Version::new(1, 1, 0);
pub const FORMER: [Version; 2] = [Version::new(1, 2, 0), Version::new(1, 3, 0)];
pub const SERVES: Version = Version::new(1, 4, 0);
pub const WALKS: Version = Version::new(1, 5, 0);
/// Who would be trained next under the same contract major: the candidate, once it is.
pub const NEXT: Version = Version::new(1, 6, 0);
/// A candidate under a new contract major.
pub const WALKS_ANEW: Version = Version::new(2, 0, 0);
/// Whose training was the last, when nobody of the others' was.
const GONE: Version = Version::new(1, 0, 0);

/// When the newest entry was decided, in every state.
pub fn newest() -> Timestamp {
    day(0)
}

pub fn after(units: i64) -> Timestamp {
    match units {
        ..0 => newest() - UNIT.times(-units),
        _ => newest() + UNIT.times(units),
    }
}

/// What tells two states apart: the roles and the cut ages of everything in a standing. Standings with equal keys have equal
/// canonical forms (`explore` looks at that, too).
pub type Key = Vec<i8>;

/// Orders that were given and obeyed before: their files may still lie there.
pub fn used() -> BTreeMap<String, Applied> {
    let one_shot = [Order::Rollback, Order::Reject, Order::Promote, Order::Retrain, Order::Clock];
    let applied = |kind: Order| (format!("used-{kind}"), Applied { seq: 1, order: used_order(kind) });
    one_shot.into_iter().map(applied).collect()
}

pub fn used_order(kind: Order) -> Override {
    let version = matches!(kind, Order::Reject | Order::Promote).then_some(WALKS);
    order(&format!("used-{kind}"), kind, version)
}

/// Before anything.
pub fn beginning() -> Standing {
    Standing { last_at: Some(newest()), head: head(), ..Standing::default() }
}

fn head() -> Option<(u64, Digest)> {
    Some((1, Digest::of("the entry before")))
}

/// From which age on no rule tells one from another: where a rule asks for "at least" the span itself, where it asks for "more
/// than" one unit above.
struct Old {
    watch: i64,
    change: i64,
    candidate: i64,
    attempt: i64,
    trained: i64,
    window: i64,
}

static OLD: LazyLock<Old> = LazyLock::new(|| {
    let units = |span: Span| span.micros() / UNIT.micros();
    Old {
        watch: units(RULES.rollback.watch) + 1,
        change: units(RULES.promotion.cooldown),
        candidate: units(RULES.shadow.max_age) + 1,
        attempt: units(RULES.promotion.takeover_after),
        trained: units(RULES.retrain.cooldown),
        // Compared with nothing but windows that end now or later.
        window: 1,
    }
});

/// A standing seen by roles instead of names, and by ages in units instead of instants, cut off above what a rule compares
/// them with.
struct Seen<'a> {
    standing: &'a Standing,
    newest: Timestamp,
    taken_back: Option<Version>,
}

impl<'a> Seen<'a> {
    fn new(standing: &'a Standing) -> Self {
        let mut taken_back = standing.versions.iter().filter(|(_, state)| **state == State::RolledBack);
        Seen {
            standing,
            newest: standing.last_at.unwrap_or_else(newest),
            taken_back: taken_back.next_back().map(|(version, _)| *version),
        }
    }

    /// An age in units, cut off at one that every rule takes for as old as any older one.
    fn age(&self, at: Timestamp, old: i64) -> i8 {
        (self.newest.since(at).micros() / UNIT.micros()).min(old) as i8
    }

    /// Former champions that are remembered.
    fn former(&self) -> &'a [Champion] {
        let retired = &self.standing.retired;
        &retired[retired.len().saturating_sub(FORMER.len())..]
    }

    fn name(&self, version: Version) -> Version {
        let standing = self.standing;
        if standing.champion_version() == Some(version) {
            return SERVES;
        }
        if standing.candidate.as_ref().is_some_and(|candidate| candidate.version == version) {
            let anew = standing.champion.is_some() && standing.first_of_lineage(version);
            return if anew { WALKS_ANEW } else { WALKS };
        }
        if self.taken_back == Some(version) {
            return TAKEN_BACK;
        }
        let place = self.former().iter().rev().position(|former| former.version == version);
        place.map_or(GONE, |place| FORMER[FORMER.len() - 1 - place])
    }

    fn candidate_age(&self, candidate: &Candidate) -> i8 {
        // Only a training's age is compared with a rule; later it is the age of its shadowing.
        self.age(candidate.since, if candidate.state == State::Training { OLD.candidate } else { OLD.window })
    }

    fn attempt(&self, candidate: &Candidate) -> (i8, BTreeSet<u32>) {
        if candidate.state != State::Training {
            return (0, BTreeSet::new());
        }
        let failed: BTreeSet<u32> = candidate.failures.iter().map(|failed| failed.attempt).collect();
        assert_eq!(failed.len(), candidate.failures.len(), "an attempt fails once");
        (self.age(candidate.attempt_since, OLD.attempt), failed)
    }
}

pub fn failure(version: Version, attempt: u32) -> FailedAttempt {
    FailedAttempt { version, attempt, why: "no".into() }
}

/// The canonical form of a standing.
pub fn canonical(standing: &Standing) -> Standing {
    let seen = Seen::new(standing);
    let at = |at: Timestamp, old: i64| after(-i64::from(seen.age(at, old)));
    let champion = |champion: &Champion, since: Timestamp| {
        let version = seen.name(champion.version);
        Champion { version, bundle: bundle_of(version), since, baseline: baseline(version) }
    };
    let pinned = |training: &Training, name: Version, counts: bool| Training {
        plan: plan(name),
        // An attempt, and when the first was made, count for as long as there is no bundle.
        attempt: if counts { training.attempt } else { 1 },
        created_at: if counts { at(training.created_at, OLD.trained) } else { newest() },
        evidence: None,
        matured_until: training.matured_until.map(|until| at(until, OLD.window)),
        rows: 10_000,
    };
    let candidate = |candidate: &Candidate| {
        let version = seen.name(candidate.version);
        let (attempt_age, failed) = seen.attempt(candidate);
        Candidate {
            version,
            bundle: candidate.bundle.map(|_| bundle_of(version)),
            state: candidate.state,
            since: after(-i64::from(seen.candidate_age(candidate))),
            shadowing_since: candidate.shadowing_since.map(|since| at(since, OLD.candidate)),
            evaluation: None,
            training: pinned(&candidate.training, version, candidate.state == State::Training),
            attempt_since: after(-i64::from(attempt_age)),
            failures: failed.into_iter().map(|attempt| failure(version, attempt)).collect(),
        }
    };
    // Whose training the last one was, and which attempt, is compared with nothing.
    let last = |training: &Training| Training { attempt: 1, ..pinned(training, GONE, true) };
    let versions = standing.versions.iter().map(|(version, state)| (seen.name(*version), *state));
    Standing {
        last_at: Some(newest()),
        champion: standing.champion.as_ref().map(|serving| champion(serving, at(serving.since, OLD.watch))),
        candidate: standing.candidate.as_ref().map(candidate),
        versions: versions.filter(|(name, _)| *name != GONE).collect(),
        retired: seen.former().iter().map(|former| champion(former, after(-1))).collect(),
        judged_until: standing.judged_until.map(|until| at(until, OLD.window)),
        last_training: standing.last_training.as_ref().map(last),
        last_automatic_change: standing.last_automatic_change.map(|change| at(change, OLD.change)),
        ..beginning()
    }
}

/// Everything in a canonical standing that differs from one to another.
pub fn key(standing: &Standing) -> Key {
    let seen = Seen::new(standing);
    let aged = |at: Option<Timestamp>, old: i64| at.map_or(-1, |at| seen.age(at, old));
    let last = standing.last_training.as_ref();
    let mut key = vec![
        aged(standing.champion.as_ref().map(|champion| champion.since), OLD.watch),
        aged(standing.last_automatic_change, OLD.change),
        aged(standing.judged_until, OLD.window),
        seen.former().len() as i8,
        i8::from(seen.taken_back.is_some()),
        aged(last.map(|training| training.created_at), OLD.trained),
        aged(last.and_then(|training| training.matured_until), OLD.window),
    ];
    if let Some(candidate) = &standing.candidate {
        let (attempt_age, failed) = seen.attempt(candidate);
        let anew = i8::from(seen.name(candidate.version) == WALKS_ANEW);
        key.extend([candidate.state as i8, anew, seen.candidate_age(candidate), attempt_age]);
        key.push(aged(candidate.shadowing_since, OLD.candidate));
        key.push(aged(candidate.training.matured_until, OLD.window));
        if candidate.state == State::Training {
            key.extend([candidate.training.attempt as i8, seen.age(candidate.training.created_at, OLD.trained)]);
            key.push(failed.into_iter().map(|attempt| 1 << attempt).sum());
        }
    }
    key
}
