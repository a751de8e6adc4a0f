//! Candidates in the shadow: how often one that is no better passes, and how many pairs one that is better needs.

use regent::evaluate::Answers;
use regent::performance::Pair;
use regent::shadow::{ShadowReport, ShadowRules, Trial, judge};
use regent::snapshot::VersionCounts;
use regent::stats::histogram::latency;
use regent::stats::sequential::{Bettor, Stake};
use regent::types::{Digest, Span, Timestamp, Verdict, Version};
use uuid::Uuid;

use super::worlds::{BETTER, CLIP, Facts, NO_BETTER, World};
use super::{LOOKS, OneLook, SIZE, Z_ONE_PER_CENT, at_most, median, rate, simulated};

const RULES: ShadowRules = ShadowRules::DEFAULTS;
const CANDIDATE: Version = Version::new(1, 1, 0);
/// Pairs between two looks where no effect says otherwise.
const A_LOOK: usize = 20;

fn pair(row: usize, answers: Answers) -> Pair {
    let ts = Timestamp::EPOCH + Span::from_secs(row as i64);
    Pair {
        request_id: Uuid::from_u128(row as u128),
        ts,
        version: Version::FIRST,
        prediction: answers.champion,
        shadow: Some((CANDIDATE, answers.challenger)),
        label: answers.label,
        first_label: answers.label,
        known_at: ts,
        slices: std::collections::BTreeMap::new(),
    }
}

/// The judge that a governor asks.
fn judged(world: World, pairs: &[Pair]) -> ShadowReport {
    let mut counts = VersionCounts { rows: 10, ..VersionCounts::default() };
    latency::record(&mut counts.latency, 100);
    let model = "rain".parse().unwrap();
    let n = pairs.len() as u64;
    let trial = Trial {
        model: &model,
        task: world.task(),
        champion: Version::FIRST,
        candidate: CANDIDATE,
        contracts: (Version::FIRST, Version::FIRST),
        candidate_bundle: Digest::of("candidate"),
        since: Timestamp::EPOCH,
        until: Timestamp::EPOCH + Span::from_days(2),
        windows: 2,
        answered: n,
        paired: n,
        sampled_share: 1.0,
        pairs,
        clip: CLIP,
        champion_counts: &counts,
        candidate_counts: &counts,
    };
    judge(trial, &RULES)
}

/// One candidate's life.
struct Life {
    /// Pairs after which the bettor had won, whatever the other gates say.
    proven: Option<usize>,
    /// Pairs at the first look at which the judge says `Pass`.
    passed: Option<usize>,
    /// Whether a test for one look found a gain at any look.
    peeked: bool,
    /// Look by look whether the same test, made at this look and no other, finds it.
    found: Vec<bool>,
}

/// Live a candidate's life, with a look every so many pairs. The judge is asked at every look at which it could pass, which
/// is every look after the bettor has won: at the others the gain's lower bound is not above 0.
fn life(world: World, run: u64, spacing: usize) -> Life {
    let mut life = Life { proven: None, passed: None, peeked: false, found: Vec::new() };
    let mut bettor = Bettor::against(0.0, -world.bound(), world.bound(), Stake::AtOnce).unwrap();
    let mut one_look = OneLook::default();
    let mut pairs = Vec::new();
    for (row, answers) in (1..=spacing * LOOKS).zip(world.rows(run)) {
        let gain = world.gain(answers);
        pairs.push(pair(row, answers));
        one_look.see(gain);
        bettor.see(gain).unwrap();
        if life.proven.is_none() && bettor.wealth() >= 1.0 / RULES.alpha {
            life.proven = Some(row);
        }
        if row % spacing != 0 {
            continue;
        }
        life.found.push(one_look.finds(Z_ONE_PER_CENT));
        if row as u64 >= RULES.min_pairs {
            life.peeked |= one_look.finds(Z_ONE_PER_CENT);
            if life.passed.is_none() && life.proven.is_some() && judged(world, &pairs).verdict.is_pass() {
                life.passed = Some(row);
            }
        }
    }
    life
}

#[test]
fn a_candidate_that_is_no_better_is_promoted_no_more_often_than_promised() {
    println!("\nA candidate that is no better, {SIZE}, a look every {A_LOOK} pairs; shadow.alpha {}", RULES.alpha);
    println!("{:<28} {:>8} {:>10} {:>10} {:>16}", "", "gain", "promoted", "proven", "fixed horizon");
    for world in NO_BETTER {
        let lives = simulated(|run| life(world, run, A_LOOK));
        let passed = rate(&lives, |life| life.passed.is_some());
        let proven = rate(&lives, |life| life.proven.is_some());
        let peeked = rate(&lives, |life| life.peeked);
        let gain = Facts::of(world).share * 100.0;
        let (passed100, proven100, peeked100) = (passed * 100.0, proven * 100.0, peeked * 100.0);
        println!("{:<28} {gain:>7.1}% {passed100:>9.2}% {proven100:>9.2}% {peeked100:>15.2}%", world.name);
        assert!(passed <= proven && proven <= at_most(RULES.alpha), "{}: {passed} {proven}", world.name);
        // A test for one look, made at every look, breaks its promise wherever the two are as good as each other.
        assert!(!world.name.ends_with("as good") || peeked > 3.0 * RULES.alpha, "{}: {peeked}", world.name);
    }
}

#[test]
fn a_better_candidate_needs_at_most_twice_the_pairs_of_a_fixed_horizon() {
    println!(
        "\nA better candidate, {SIZE}; pairs at the median, beside a one-sided z-test of the same alpha: the pairs with"
    );
    println!("which it finds 80 % of these very runs, in one look that was planned for them");
    println!(
        "{:<32} {:>6} {:>14} {:>8} {:>6} {:>9} {:>6} {:>9}",
        "", "gain", "fixed horizon", "proven", "ratio", "promoted", "ratio", "of runs"
    );
    for world in BETTER {
        let facts = Facts::of(world);
        let spacing = (4 * facts.fixed_horizon(Z_ONE_PER_CENT)).div_ceil(LOOKS).max(1);
        let lives = simulated(|run| life(world, run, spacing));
        let fixed = (1..=LOOKS).find(|look| rate(&lives, |life| life.found[look - 1]) >= 0.8).unwrap() * spacing;
        let proven = median(lives.iter().map(|life| life.proven));
        let passed = median(lives.iter().map(|life| life.passed));
        let in_time = rate(&lives, |life| life.passed.is_some());
        let (first, second) = (proven / fixed as f64, passed / fixed as f64);
        println!(
            "{:<32} {:>5.1}% {fixed:>14} {proven:>8} {first:>6.2} {passed:>9} {second:>6.2} {:>8.1}%",
            world.name,
            facts.share * 100.0,
            in_time * 100.0,
        );
        assert!(first <= 2.0 && second <= 2.0, "{}: {first} {second}", world.name);
    }
}

#[test]
fn the_judge_passes_where_the_bettor_has_won_and_nowhere_else() {
    for world in [BETTER[0], BETTER[1], BETTER[2], NO_BETTER[0], NO_BETTER[5]] {
        for run in 0..20 {
            let rows = world.rows(run).take(600);
            let pairs: Vec<Pair> = rows.enumerate().map(|(row, answers)| pair(row, answers)).collect();
            let life = life(world, run, 6);
            let lower =
                judged(world, &pairs).checks.into_iter().find(|check| check.measurement.metric == "loss_gain_lower");
            let won = life.proven.is_some_and(|row| row <= 600);
            assert_eq!(lower.unwrap().verdict == Verdict::Pass, won, "{} {run}", world.name);
        }
    }
}
