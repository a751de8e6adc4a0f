//! Young champions under watch: how often one is taken back that is no worse than its predecessor and has not fallen, and how
//! soon one that is.

use std::collections::BTreeMap;

use regent::contract::Task;
use regent::drift::{Moved, Severity};
use regent::evaluate::{Answers, RollbackRules, Watched, watch};
use regent::log::Sample;
use regent::performance::{Baseline, Joined, Judged, Pair, PerformanceReport, PerformanceRules, collapse, judge};
use regent::snapshot::Window;
use regent::stats::classification::roc_auc;
use regent::stats::sequential::{Bettor, Stake};
use regent::train::Metric;
use regent::types::{Check, Digest, Measurement, Operator, Span, Timestamp, Verdict, Version};
use uuid::Uuid;

use super::worlds::{Answering, Facts, NO_BETTER, World};
use super::{LOOKS, OneLook, RUNS, SIZE, Z_ONE_PER_CENT, at_most, median, rate, simulated};

const RULES: RollbackRules = RollbackRules::DEFAULTS;
const CHAMPION: Version = Version::new(1, 1, 0);
/// A watch of eight judged windows.
const WINDOWS: usize = 8;
const DAY: Span = Span::from_days(1);

/// What the champion was promoted with.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Promise {
    /// What it still does.
    Kept,
    /// What it still does, as it was measured on a hundred held-out rows.
    KeptAsMeasured,
    /// So much more that it now stands at the very line of a catastrophe.
    AtTheLine,
}

/// One watch.
#[derive(Default)]
struct Life {
    /// Rows at the first look at which the predecessor was better.
    outdone: Option<usize>,
    /// Rows at the first look at which a window was a catastrophe that a rollback may rest on.
    collapsed: Option<usize>,
    /// Whether a test for one look found the predecessor better at any look.
    peeked: bool,
    /// Whether the 95 % interval of a window's area lay below the line at any look.
    glimpsed: bool,
}

/// An area and a share of positives, measured on so many rows.
fn baseline(auc: f64, rate: f64, rows: u64) -> Baseline {
    let metric = |name, value| Metric { measurement: Measurement::new(name, value, rows), interval: None };
    Baseline {
        version: CHAMPION,
        metrics: vec![metric("auc", auc), metric("base_rate", rate)],
        threshold: None,
        slices: BTreeMap::new(),
    }
}

/// Rows on which what is true of a world is known well enough.
const MANY: u64 = 200_000;

fn positives(rows: impl Iterator<Item = Answers>) -> f64 {
    let (mut rows_seen, mut seen) = (0.0, 0.0);
    for row in rows {
        rows_seen += 1.0;
        seen += row.label;
    }
    seen / rows_seen
}

/// A predecessor whose profile the rows fit.
fn at_home() -> Moved {
    let check = Check::require(Measurement::new("weighted_psi", 0.1, 200), Operator::Less, 1.0, 100);
    Moved { features: Vec::new(), dataset: check.clone(), weighted_psi: check, severity: Severity::None }
}

/// The judge of the way back that a governor asks.
fn predecessor_is_better(rows: &[Answers], predecessor: &Baseline) -> bool {
    let model = "rain".parse().unwrap();
    let watched = Watched {
        model: &model,
        task: Task::Binary,
        champion: (CHAMPION, Digest::of("champion")),
        predecessor: (Version::FIRST, Digest::of("predecessor")),
        since: Timestamp::EPOCH,
        datasets: &[],
        left_out: &[],
        rows,
        clip: 1.0,
        baseline: predecessor,
        moved: &at_home(),
    };
    watch(watched, &RULES, &PerformanceRules::defaults()).verdict.is_pass()
}

/// The report of a window of which so many answers have their labels.
fn report(labelled: &[Answers], answered: usize, promised: &Baseline) -> PerformanceReport {
    let model = "rain".parse().unwrap();
    let pair = |(row, answers): (usize, &Answers)| Pair {
        request_id: Uuid::from_u128(row as u128),
        ts: Timestamp::EPOCH,
        version: CHAMPION,
        prediction: answers.champion,
        shadow: None,
        label: answers.label,
        first_label: answers.label,
        known_at: Timestamp::EPOCH,
        slices: BTreeMap::new(),
    };
    let joined = Joined {
        answered: BTreeMap::from([(CHAMPION, answered as u64)]),
        pairs: labelled.iter().enumerate().map(pair).collect(),
        ..Joined::default()
    };
    let judged = Judged {
        model: &model,
        task: Task::Binary,
        version: CHAMPION,
        bundle: Digest::of("champion"),
        window: Window { start: Timestamp::EPOCH, size: DAY },
        requests: answered as u64,
        sealed_at: Timestamp::EPOCH + DAY,
        sample: Sample::ALL,
        baseline: promised,
        promised: None,
    };
    judge(judged, &joined, &PerformanceRules::defaults(), Timestamp::EPOCH + DAY)
}

fn auc(rows: impl Iterator<Item = Answers>, answer: fn(&Answers) -> f64) -> Option<f64> {
    let (scores, labels): (Vec<f64>, Vec<bool>) = rows.map(|row| (answer(&row), row.label > 0.5)).unzip();
    roc_auc(&scores, &labels).ok().map(|estimate| estimate.value)
}

/// Live through a watch: labels come in row by row, and every look sees what has come so far.
fn life(world: World, run: u64, per_window: usize, promised: &Baseline, predecessor: &Baseline) -> Life {
    let mut life = Life::default();
    let mut bettor = Bettor::against(0.0, -1.0, 1.0, Stake::InParts { every: 100 }).unwrap();
    let mut one_look = OneLook::default();
    let rows: Vec<Answers> = world.rows(run).take(WINDOWS * per_window).collect();
    let spacing = (rows.len() / LOOKS).max(1);
    let risk = RULES.risk_of_a_window(DAY);
    let mut mature: Vec<PerformanceReport> = Vec::new();
    for row in 1..=rows.len() {
        let gain = world.gain(rows[row - 1]);
        bettor.see(gain).unwrap();
        one_look.see(gain);
        if row % spacing != 0 {
            continue;
        }
        life.peeked |= row as u64 >= RULES.min_rows && one_look.finds(Z_ONE_PER_CENT);
        let rich = bettor.wealth() >= 1.0 / RULES.risk_of_the_predecessor();
        if life.outdone.is_none() && rich && predecessor_is_better(&rows[..row], predecessor) {
            life.outdone = Some(row);
        }
        let window = (row - 1) / per_window * per_window;
        if (row - window) * 10 >= per_window * 8 && row - window >= 100 {
            let report = report(&rows[window..row], per_window, promised);
            let newest = report.catastrophic.verdict == Verdict::Fail;
            life.glimpsed |= newest;
            // What a later look finds of a window replaces what an earlier one found.
            mature.truncate(window / per_window);
            mature.push(report);
            let fallen = collapse(&mature, promised, &PerformanceRules::defaults(), risk).verdict == Verdict::Fail;
            if life.collapsed.is_none() && newest && fallen {
                life.collapsed = Some(row);
            }
        }
    }
    life
}

/// The watches of a world, with what the champion and its predecessor were promoted with.
fn lives(world: World, per_window: usize, promise: Promise) -> Vec<Life> {
    let many = || world.rows(u64::MAX).take(MANY as usize);
    let (mine, theirs) = (auc(many(), |row| row.champion).unwrap(), auc(many(), |row| row.challenger).unwrap());
    let rate = positives(many());
    let predecessor = baseline(theirs, rate, MANY);
    simulated(|run| {
        let held_out = || world.rows(RUNS + run).take(100);
        let promised = match promise {
            Promise::Kept => baseline(mine, rate, MANY),
            Promise::KeptAsMeasured => {
                let measured = auc(held_out(), |row| row.champion).unwrap_or(mine);
                baseline(measured, positives(held_out()), 100)
            }
            Promise::AtTheLine => baseline(mine + PerformanceRules::defaults().drop(Task::Binary), rate, MANY),
        };
        life(world, run, per_window, &promised, &predecessor)
    })
}

#[test]
fn a_sound_champion_is_taken_back_no_more_often_than_promised() {
    println!(
        "\nA champion that is no worse than its predecessor and has not fallen, {SIZE} over a watch of {WINDOWS} windows;"
    );
    println!(
        "rollback.alpha {}. Beside each road a test for one look, made at every look of the same runs",
        RULES.alpha
    );
    println!(
        "{:<22} {:>7} {:<24} {:>11} {:>9} {:>10} {:>9} {:>12}",
        "", "gain", "250 rows a window, AUC", "predecessor", "z-test", "collapse", "95 %", "rolled back"
    );
    let worlds = [NO_BETTER[0], NO_BETTER[1], NO_BETTER[3], NO_BETTER[4]];
    for world in worlds {
        for (promise, said) in [
            (Promise::Kept, "as promoted"),
            (Promise::KeptAsMeasured, "as promoted, on 100 rows"),
            (Promise::AtTheLine, "0.15 below: at the line"),
        ] {
            let lives = lives(world, 250, promise);
            let outdone = rate(&lives, |life| life.outdone.is_some());
            let collapsed = rate(&lives, |life| life.collapsed.is_some());
            let back = rate(&lives, |life| life.outdone.is_some() || life.collapsed.is_some());
            let (peeked, glimpsed) = (rate(&lives, |life| life.peeked), rate(&lives, |life| life.glimpsed));
            println!(
                "{:<22} {:>6.1}% {said:<24} {:>10.2}% {:>8.2}% {:>9.2}% {:>8.2}% {:>11.2}%",
                world.name,
                Facts::of(world).share * 100.0,
                outdone * 100.0,
                peeked * 100.0,
                collapsed * 100.0,
                glimpsed * 100.0,
                back * 100.0,
            );
            assert!(back <= at_most(RULES.alpha), "{} {said}: {outdone} {collapsed}", world.name);
            assert!(!world.name.ends_with("as good") || peeked > 3.0 * RULES.alpha, "{}: {peeked}", world.name);
            assert!(promise != Promise::AtTheLine || glimpsed > 3.0 * RULES.alpha, "{}: {glimpsed}", world.name);
        }
    }
}

#[test]
fn a_fallen_champion_is_taken_back_soon() {
    println!(
        "\nA champion that fell: rows at the median until it is taken back, {SIZE} over a watch of {WINDOWS} windows of 250"
    );
    println!(
        "{:<44} {:>7} {:>14} {:>12} {:>9} {:>12}",
        "", "gain", "fixed horizon", "predecessor", "collapse", "rolled back"
    );
    let noisy = |name, champion, challenger| World {
        name,
        answering: Answering::Noisy { centre: -1.0, spread: 1.5, champion, challenger },
    };
    for (world, promise) in [
        (noisy("it answers at random", 30.0, 0.3), 0.8),
        (noisy("it is much noisier than its predecessor", 2.0, 0.3), 0.8),
        (noisy("it is noisier than its predecessor", 1.2, 0.3), 0.75),
        (noisy("both answer at random", 30.0, 30.0), 0.8),
    ] {
        let facts = Facts::of(world);
        let sound = auc(world.rows(u64::MAX).take(MANY as usize), |row| row.challenger).unwrap().max(0.8);
        let lives = simulated(|run| life(world, run, 250, &baseline(promise, 0.33, 250), &baseline(sound, 0.33, 250)));
        let outdone = median(lives.iter().map(|life| life.outdone));
        let collapsed = median(lives.iter().map(|life| life.collapsed));
        let back = rate(&lives, |life| life.outdone.is_some() || life.collapsed.is_some());
        let fixed = if facts.gain > 0.01 { facts.fixed_horizon(Z_ONE_PER_CENT).to_string() } else { "-".to_owned() };
        println!(
            "{:<44} {:>6.1}% {fixed:>14} {outdone:>12} {collapsed:>9} {:>11.1}%",
            world.name,
            facts.share * 100.0,
            back * 100.0,
        );
        let better = !world.name.starts_with("both");
        assert_eq!(outdone.is_finite(), better, "{}: {outdone}", world.name);
        assert!(!better || back > 0.99, "{}: {back}", world.name);
    }
}
