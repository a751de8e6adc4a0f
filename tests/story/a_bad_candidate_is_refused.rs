//! Chapter 5: nothing has changed, so nothing changes: a candidate that is no better never serves.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use regent::backtest::Comparison;
use regent::govern::State;

use super::stage::{replayed, weather};

#[test]
fn shuffled_rows_lead_to_no_promotion_and_no_rollback() {
    let file = weather(0..10_000);
    let (header, rows) = file.split_once('\n').unwrap();
    let mut rows: Vec<String> = rows.lines().map(|row| row.split_once(',').unwrap().1.to_owned()).collect();
    rows.shuffle(&mut Pcg64::seed_from_u64(20_261_121));
    let numbered = rows.iter().enumerate().map(|(day, row)| format!("{day},{row}"));
    let file = format!("{header}\n{}\n", numbered.collect::<Vec<_>>().join("\n"));
    let summary = replayed(&file, 6_000, Comparison::Alone);
    let moved: Vec<_> =
        summary.transitions.iter().filter(|step| matches!(step.to, State::Promoted | State::RolledBack)).collect();
    assert!(moved.is_empty(), "{moved:?}");
}
