//! The laws of governing, each a check of its own. They look at what was decided and at what it was decided on, and know
//! nothing of how.

use std::collections::BTreeMap;

use super::scene::entry;
use crate::drift::Severity;
use crate::evaluate::Opponent;
use crate::govern::*;
use crate::types::{Digest, Span, Timestamp, Verdict, Version};

/// One decision: what it rests on, and where everything stands after its entry.
pub struct Moment<'a> {
    pub standing: &'a Standing,
    pub seen: &'a Observation,
    pub rules: &'a Rules,
    pub orders: &'a [Override],
    /// What the clock on the wall said.
    pub wall: Timestamp,
    pub decision: &'a Decision,
    /// `None` if nothing was written.
    pub after: Option<&'a Standing>,
}

type Kept = Result<(), String>;

/// A law: its name, and whether a moment keeps it.
pub type Law = (&'static str, fn(&Moment<'_>) -> Kept);

/// Every law by its name.
pub const LAWS: [Law; 14] = [
    ("one_champion", one_champion),
    ("one_road", one_road),
    ("never_two_candidates", never_two_candidates),
    ("silence_never_promotes", silence_never_promotes),
    ("silence_never_rolls_back", silence_never_rolls_back),
    ("an_override_is_journalled", an_override_is_journalled),
    ("a_frozen_model_does_not_move", a_frozen_model_does_not_move),
    ("a_rollback_target_served_and_verifies", a_rollback_target_served_and_verifies),
    ("a_rollback_returns_to_the_newest_that_verifies", a_rollback_returns_to_the_newest_that_verifies),
    ("no_flapping_within_a_cooldown", no_flapping_within_a_cooldown),
    ("a_clock_that_goes_backwards_shortens_nothing", a_clock_that_goes_backwards_shortens_nothing),
    ("promotable_and_promoted_never_in_one_run", promotable_and_promoted_never_in_one_run),
    ("a_new_major_is_promoted_only_by_approve", a_new_major_is_promoted_only_by_approve),
    ("a_training_is_pinned_before_it_runs", a_training_is_pinned_before_it_runs),
];

/// Decide, fold what was decided, and hold it against every law.
pub fn decide_lawfully(
    standing: &Standing,
    seen: &Observation,
    rules: &Rules,
    orders: &[Override],
    wall: Timestamp,
) -> Result<(Decision, Option<Standing>), String> {
    let decision = decide(standing, seen, rules, orders, wall).map_err(|off| format!("one_road: {off}"))?;
    let folded = decision.record.as_ref().map(|record| {
        let entry = entry(standing, record.clone());
        standing.clone().after(&entry, Digest::of(entry.seq.to_be_bytes()))
    });
    let after = folded.transpose().map_err(|refused| format!("one_road: the journal refuses it: {refused}"))?;
    let moment = Moment { standing, seen, rules, orders, wall, decision: &decision, after: after.as_ref() };
    for (name, law) in LAWS {
        law(&moment).map_err(|broken| format!("{name}: {broken}"))?;
    }
    Ok((decision, after))
}

impl Moment<'_> {
    fn steps(&self) -> impl Iterator<Item = &Transition> {
        self.decision.record.iter().flat_map(|record| &record.transitions)
    }

    fn applied(&self) -> impl Iterator<Item = &Override> {
        self.decision.record.iter().flat_map(|record| &record.applied)
    }

    /// When it was decided, as the journal has it.
    fn at(&self) -> Timestamp {
        let believed = self.standing.last_at.map_or(self.wall, |last| last.max(self.wall));
        self.decision.record.as_ref().map_or(believed, |record| record.at)
    }

    fn forced(&self, version: Version) -> bool {
        self.applied().any(|order| order.order == Order::Promote && order.version == Some(version))
    }

    fn asked(&self, step: &Transition) -> bool {
        self.applied().any(|order| match order.order {
            Order::Rollback => step.from == Some(State::Retired),
            Order::Promote | Order::Approve => order.version == Some(step.version) && order.bundle == step.bundle,
            Order::Reject | Order::Freeze | Order::Pin | Order::Retrain | Order::Clock => false,
        })
    }

    fn verifies(&self, version: Version, bundle: Option<Digest>) -> bool {
        let mut seen = self.seen.bundles.iter().filter(|bundle| bundle.version == version).peekable();
        seen.peek().is_some() && bundle.is_some() && seen.all(|seen| seen.verdict.is_pass() && seen.digest == bundle)
    }
}

fn law(kept: bool, broken: impl FnOnce() -> String) -> Kept {
    if kept { Ok(()) } else { Err(broken()) }
}

fn one_champion(moment: &Moment<'_>) -> Kept {
    let Some(after) = moment.after else { return Ok(()) };
    let serving: Vec<_> = after.versions.iter().filter(|(_, state)| **state == State::Promoted).collect();
    let named = after.champion_version();
    law(serving.len() <= 1 && serving.first().map(|(version, _)| **version) == named, || {
        format!("{serving:?} serve, the champion is {named:?}")
    })?;
    law(moment.standing.champion.is_none() || named.is_some(), || "nobody serves any more".to_owned())?;
    let changes = moment.steps().filter(|step| step.to == State::Promoted).count();
    law(changes <= 1, || format!("{changes} changes of champion in one entry"))
}

/// The road, written once more: what a reader of the design expects.
fn one_road(moment: &Moment<'_>) -> Kept {
    use State::*;
    let mut stand: BTreeMap<Version, State> = moment.standing.versions.clone();
    let taken_back = moment.steps().position(|step| step.to == RolledBack);
    for (place, step) in moment.steps().enumerate() {
        let known = match (step.from, step.to) {
            (None, Training) | (Some(Training), Shadowing) | (Some(Shadowing), Promotable) => true,
            (Some(Promotable), Shadowing | Promoted) => true,
            (Some(Training | Shadowing | Promotable), Rejected) => true,
            (Some(Promoted), Retired | RolledBack) => true,
            (Some(Retired), Promoted) => taken_back.is_some_and(|back| back < place),
            (_, _) => false,
        };
        let from = stand.insert(step.version, step.to);
        law(known && from == step.from, || {
            format!("{} stands at {from:?}, and goes {:?} → {:?}", step.version, step.from, step.to)
        })?;
    }
    Ok(())
}

fn never_two_candidates(moment: &Moment<'_>) -> Kept {
    let Some(after) = moment.after else { return Ok(()) };
    let walking: Vec<_> =
        after.versions.iter().filter(|(_, state)| state.is_candidate()).map(|(version, _)| *version).collect();
    let named: Vec<_> = after.candidate.iter().map(|candidate| candidate.version).collect();
    law(walking == named && named.len() <= 1, || format!("{walking:?} walk, the candidate is {named:?}"))
}

/// Every step up rests on a `Pass` that names who walks, who serves, and a time that has been.
fn silence_never_promotes(moment: &Moment<'_>) -> Kept {
    let champion = moment.standing.champion.as_ref();
    for step in moment.steps().filter(|step| matches!(step.to, State::Shadowing | State::Promotable | State::Promoted))
    {
        let down = step.from == Some(State::Promotable) && step.to == State::Shadowing;
        if down || step.from == Some(State::Retired) {
            continue;
        }
        law(moment.verifies(step.version, step.bundle), || format!("the bundle of {} does not verify", step.version))?;
        let lineage = champion.filter(|champion| champion.version.major == step.version.major);
        if moment.forced(step.version) {
            continue;
        }
        let opponent = lineage.map_or(Opponent::FirstOfLineage, |champion| Opponent::Champion {
            version: champion.version,
            bundle: champion.bundle,
        });
        let passes = match (step.to, lineage) {
            (State::Shadowing, _) => moment.seen.evaluation.as_ref().is_some_and(|report| {
                let cites = report.candidate == step.version && Some(report.candidate_bundle) == step.bundle;
                report.verdict == Verdict::Pass && cites && report.against == opponent
            }),
            (_, None) => true,
            (_, Some(champion)) => moment.seen.shadow.as_ref().is_some_and(|report| {
                let cites = report.candidate == step.version && Some(report.candidate_bundle) == step.bundle;
                let newest =
                    moment.seen.judged.iter().map(|judged| judged.window.end()).filter(|end| *end <= moment.at());
                let fresh = newest.max().max(moment.standing.judged_until).is_none_or(|newest| report.until >= newest);
                report.verdict == Verdict::Pass
                    && cites
                    && report.champion == champion.version
                    && report.until <= moment.at()
                    && fresh
            }),
        };
        law(passes, || format!("{} → {} without a Pass", step.version, step.to))?;
    }
    Ok(())
}

fn silence_never_rolls_back(moment: &Moment<'_>) -> Kept {
    for step in moment.steps().filter(|step| step.to == State::RolledBack) {
        if moment.applied().any(|order| order.order == Order::Rollback) {
            continue;
        }
        let back = moment.steps().find(|step| step.from == Some(State::Retired));
        let outdone = moment.seen.watch.as_ref().is_some_and(|watch| {
            let of_both = watch.champion == step.version && back.is_some_and(|back| back.version == watch.predecessor);
            let since = moment.standing.champion.as_ref().map(|champion| champion.since);
            watch.verdict.is_pass() && of_both && Some(watch.since) == since
        });
        if outdone {
            continue;
        }
        let speaks_of = |version, bundle: Digest| version == step.version && Some(bundle) == step.bundle;
        let fell = moment.seen.performance.iter().any(|report| {
            let mature = !report.maturity.is_empty() && report.maturity.iter().all(|check| check.verdict.is_pass());
            report.catastrophic.verdict == Verdict::Fail && mature && speaks_of(report.version, report.bundle)
        });
        let drift = moment.seen.drift.iter().filter(|report| speaks_of(report.version, report.bundle));
        let (mut still, mut moved) = (false, false);
        for report in drift {
            still |= report.verdict.is_judged();
            moved |= report.severity == Severity::Severe;
        }
        law(fell && still && !moved, || {
            format!("{} is rolled back: fell {fell}, the world still {still}, moved {moved}", step.version)
        })?;
    }
    Ok(())
}

/// Whatever would not have been decided without an order names it with its content; so does the journal of every freeze and pin.
fn an_override_is_journalled(moment: &Moment<'_>) -> Kept {
    for order in moment.orders {
        let others: Vec<Override> = moment.orders.iter().filter(|other| *other != order).cloned().collect();
        let without =
            decide(moment.standing, moment.seen, moment.rules, &others, moment.wall).map_err(|off| off.to_string())?;
        let steps = |decision: &Decision| -> Vec<(Version, State)> { super::scene::steps(decision) };
        let (with_it, without_it) = (steps(moment.decision), steps(&without));
        let training = |decision: &Decision| decision.record.as_ref().is_some_and(|record| record.training.is_some());
        let more =
            with_it.iter().any(|step| !without_it.contains(step)) || (training(moment.decision) && !training(&without));
        let less = without_it.iter().any(|step| !with_it.contains(step));
        let known = moment.standing.applied.get(&order.id).is_some_and(|applied| applied.order == *order);
        let written = known || moment.applied().any(|applied| applied == order);
        // One that keeps another from being obeyed moves nothing itself.
        let takes = |to: State| {
            let step = (order.version.unwrap_or(Version::FIRST), to);
            with_it.contains(&step) && !without_it.contains(&step)
        };
        let rolls_back = |steps: &[(Version, State)]| steps.iter().any(|(_, to)| *to == State::RolledBack);
        let acts = match order.order {
            Order::Rollback => rolls_back(&with_it) && !rolls_back(&without_it),
            Order::Reject => takes(State::Rejected),
            Order::Approve | Order::Promote => takes(State::Promoted),
            Order::Retrain => training(moment.decision) && !training(&without),
            Order::Clock => without.held.is_some() && moment.decision.held.is_none() && more,
            Order::Freeze | Order::Pin => less,
        };
        law(!acts || written, || format!("`{}` made {with_it:?} of {without_it:?}, and is not journalled", order.id))?;
        let used = known && order.order.is_one_shot();
        let again = moment.applied().any(|applied| applied.id == order.id) && used;
        law(!again && !(used && (more || less)), || format!("`{}` was obeyed a second time", order.id))?;
        let expired = order.expires <= moment.at();
        law(!expired || !(more || less), || format!("`{}` expired, and changed something", order.id))?;
    }
    Ok(())
}

fn a_frozen_model_does_not_move(moment: &Moment<'_>) -> Kept {
    let freeze = moment.orders.iter().find(|order| order.order == Order::Freeze && order.expires > moment.at());
    let Some(freeze) = freeze else { return Ok(()) };
    let ordered = |kind: Order| moment.applied().any(|order| order.order == kind);
    for step in moment.steps() {
        let emergency = match step.to {
            State::Rejected => ordered(Order::Reject),
            State::RolledBack => ordered(Order::Rollback),
            State::Promoted => step.from == Some(State::Retired) && ordered(Order::Rollback),
            State::Training | State::Shadowing | State::Promotable | State::Retired => false,
        };
        law(emergency, || format!("`{}` stands, and {} → {}", freeze.id, step.version, step.to))?;
    }
    law(moment.decision.effects.is_empty(), || format!("`{}` stands, and a training begins", freeze.id))
}

fn a_rollback_target_served_and_verifies(moment: &Moment<'_>) -> Kept {
    for step in moment.steps().filter(|step| step.from == Some(State::Retired)) {
        let former = moment.standing.retired.iter().find(|former| former.version == step.version);
        let served = former.is_some_and(|former| Some(former.bundle) == step.bundle);
        let stands = moment.standing.versions.get(&step.version);
        law(served && stands == Some(&State::Retired), || format!("{} stands at {stands:?}", step.version))?;
        law(moment.verifies(step.version, step.bundle), || format!("{} does not verify", step.version))?;
    }
    Ok(())
}

/// A rollback returns to the newest former champion that verifies, unless an order or the watch names one.
fn a_rollback_returns_to_the_newest_that_verifies(moment: &Moment<'_>) -> Kept {
    let Some(back) = moment.steps().find(|step| step.from == Some(State::Retired)) else { return Ok(()) };
    let mut orders = moment.applied().filter(|order| order.order == Order::Rollback).peekable();
    let named = match orders.peek() {
        Some(_) => orders.any(|order| order.version == Some(back.version)),
        // A watch speaks for itself only if it says `Pass`.
        None => moment.seen.watch.as_ref().is_some_and(|watch| {
            let champion = moment.standing.champion.as_ref();
            let of_champion = champion.map(|champion| (champion.version, champion.bundle, champion.since));
            let speaks =
                watch.verdict.is_pass() && of_champion == Some((watch.champion, watch.champion_bundle, watch.since));
            speaks && (Some(watch.predecessor_bundle), watch.predecessor) == (back.bundle, back.version)
        }),
    };
    let verifies = |former: &&Champion| moment.verifies(former.version, Some(former.bundle));
    let newest = moment.standing.retired.iter().rfind(verifies).map(|former| former.version);
    law(named || newest == Some(back.version), || {
        format!("{} comes back, nobody names it, and {newest:?} is the newest that verifies", back.version)
    })
}

fn no_flapping_within_a_cooldown(moment: &Moment<'_>) -> Kept {
    let automatic = moment.steps().find(|step| step.to == State::Promoted && !moment.asked(step));
    let (Some(step), Some(after)) = (automatic, moment.after) else { return Ok(()) };
    law(after.last_automatic_change == Some(moment.at()), || format!("nobody will know when {} came", step.version))?;
    let (Some(last), Some(_)) = (moment.standing.last_automatic_change, &moment.standing.champion) else {
        return Ok(());
    };
    let age = moment.at().since(last);
    law(age >= moment.rules.promotion.cooldown, || format!("{} comes {age} after the last change", step.version))
}

/// No entry is older than the one before, newer than the clock or, unless a person says so, a long way ahead; and every age is
/// counted from the entry that began it.
fn a_clock_that_goes_backwards_shortens_nothing(moment: &Moment<'_>) -> Kept {
    let Some((record, after)) = moment.decision.record.as_ref().zip(moment.after) else { return Ok(()) };
    if let Some(last) = moment.standing.last_at {
        law(record.at >= last, || format!("an entry of {} after one of {last}", record.at))?;
        let jump = record.at.since(last);
        let believed =
            jump <= moment.rules.promotion.clock_jump || moment.applied().any(|order| order.order == Order::Clock);
        law(believed, || format!("nobody says that a jump of {jump} is right"))?;
        law(record.at <= moment.wall.max(last), || format!("an entry of {} at {}", record.at, moment.wall))?;
    }
    law(after.last_at == Some(record.at), || format!("the newest entry is of {:?}", after.last_at))?;
    let since = |standing: &Standing| standing.champion.as_ref().map(|champion| (champion.version, champion.since));
    let changed = since(after) != since(moment.standing);
    law(!changed || since(after).is_some_and(|(_, since)| since == record.at), || "the champion's age".to_owned())?;
    let began = |standing: &Standing| {
        standing.candidate.as_ref().map(|candidate| (candidate.version, candidate.state, candidate.since))
    };
    let stepped = began(after) != began(moment.standing);
    let fresh = began(after).is_none_or(|(_, _, since)| since == record.at);
    law(!stepped || fresh, || "the candidate's age".to_owned())?;
    let attempt = record.training.as_ref().filter(|training| training.attempt > 1);
    let candidate = moment.standing.candidate.as_ref();
    if let (Some(training), Some(candidate)) = (attempt, candidate) {
        let failed = candidate.failures.iter().any(|failed| failed.attempt + 1 == training.attempt);
        let silent: Span = record.at.since(candidate.attempt_since);
        let over = failed || silent >= moment.rules.promotion.takeover_after;
        law(over, || format!("attempt {} begins after {silent} of silence", training.attempt))?;
    }
    Ok(())
}

fn promotable_and_promoted_never_in_one_run(moment: &Moment<'_>) -> Kept {
    for step in moment.steps().filter(|step| step.from == Some(State::Promotable) && step.to == State::Promoted) {
        if moment.forced(step.version) {
            continue;
        }
        let waiting = moment.standing.candidate.as_ref().filter(|candidate| candidate.state == State::Promotable);
        let Some(candidate) = waiting else { return Err(format!("{} was not PROMOTABLE before", step.version)) };
        law(moment.at() > candidate.since, || format!("{} became PROMOTABLE at this instant", step.version))?;
        let sealed = |judged: &Judged| judged.sealed_at > candidate.since && judged.sealed_at <= moment.at();
        let first = moment.standing.champion.is_none();
        law(first || moment.seen.judged.iter().any(sealed), || {
            format!("no window was sealed since {}", candidate.since)
        })?;
    }
    Ok(())
}

fn a_new_major_is_promoted_only_by_approve(moment: &Moment<'_>) -> Kept {
    let Some(champion) = &moment.standing.champion else { return Ok(()) };
    let up = moment.steps().filter(|step| step.from == Some(State::Promotable) && step.to == State::Promoted);
    for step in up.filter(|step| step.version.major != champion.version.major) {
        let approves = |order: &Override| {
            order.order == Order::Approve && order.version == Some(step.version) && order.bundle == step.bundle
        };
        law(moment.applied().any(approves), || format!("{} follows {} unapproved", step.version, champion.version))?;
    }
    Ok(())
}

fn a_training_is_pinned_before_it_runs(moment: &Moment<'_>) -> Kept {
    let pinned = moment.decision.record.as_ref().and_then(|record| record.training.as_ref());
    let effects: Vec<&Training> = moment.decision.effects.iter().map(|Effect::Train(training)| &**training).collect();
    law(effects == pinned.into_iter().collect::<Vec<_>>(), || "what runs is not what is pinned".to_owned())?;
    let Some((after, training)) = moment.after.zip(pinned) else { return Ok(()) };
    let walks = after.candidate.as_ref().is_some_and(|candidate| candidate.training == *training);
    law(walks, || format!("{} is trained, and is not the candidate", training.plan.version))
}
