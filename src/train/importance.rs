//! How much each feature matters: what a prediction loses when the feature's values are dealt out anew; pure.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::family::Rows;
use crate::contract::Task;
use crate::scoring::Scorer;

/// The generator's stream, apart from the bootstrap's; any constant serves.
const STREAM: u128 = 0x3a5f_91c2_77d0_1e86_b4c9_2f03_d81e_6a47;

/// Permutation importance (Breiman 2001, section 10): for each feature, the rise of the mean loss when its column is
/// shuffled over `rows`, as a share of all rises; squared error for a probability, |error| for a value. It asks the served
/// scores, so that it means the same for every family. All equal when no feature matters.
pub fn importance(task: Task, scorer: &Scorer, rows: Rows<'_>, seed: u64) -> Vec<f64> {
    let width = rows.vectors.first().map_or(0, |vector| vector.len());
    let mut generator = Pcg64::new(u128::from(seed), STREAM);
    let cost = |(prediction, label): (f64, &f64)| {
        let error = prediction - label;
        match task {
            Task::Binary => error * error,
            Task::Regression => error.abs(),
        }
    };
    let cost = |predictions: Vec<f64>| predictions.into_iter().zip(rows.labels).map(cost).sum::<f64>();
    let whole = cost(scorer.predictions(rows.vectors));
    let mut vectors: Vec<Vec<f64>> = rows.vectors.iter().map(|vector| vector.to_vec()).collect();
    let rises: Vec<f64> = (0..width)
        .map(|feature| {
            let mut column: Vec<f64> = rows.vectors.iter().filter_map(|vector| vector.get(feature).copied()).collect();
            let as_it_was = column.clone();
            shuffle(&mut column, &mut generator);
            deal(&mut vectors, feature, column);
            let shuffled = cost(scorer.predictions(&vectors));
            deal(&mut vectors, feature, as_it_was);
            (shuffled - whole).max(0.0)
        })
        .collect();
    let total: f64 = rises.iter().sum();
    if total > 0.0 && total.is_finite() {
        rises.iter().map(|rise| rise / total).collect()
    } else {
        vec![1.0 / width.max(1) as f64; width]
    }
}

/// Put a column into rows.
fn deal(vectors: &mut [Vec<f64>], feature: usize, column: Vec<f64>) {
    let places = vectors.iter_mut().filter_map(|vector| vector.get_mut(feature));
    places.zip(column).for_each(|(place, value)| *place = value);
}

/// Fisher and Yates, by the high half of a product (Lemire 2019).
fn shuffle(values: &mut [f64], generator: &mut Pcg64) {
    for last in (1..values.len()).rev() {
        let place = (u128::from(generator.next_u64()) * (last as u128 + 1)) >> 64;
        values.swap(last, place as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::{Calibration, LinearKind, LinearModel, Model, Platt, Term};

    #[test]
    fn what_the_model_does_not_read_has_no_importance() {
        let term = Term::Scaled { feature: 1, mean: 0.0, scale: 1.0, weight: 3.0 };
        let model = Model::Linear(LinearModel::new(LinearKind::Logistic, 3, vec![term], 0.0).unwrap());
        let scorer = Scorer::new(model, Calibration::Platt(Platt::new(1.0, 0.0).unwrap())).unwrap();
        let vectors: Vec<[f64; 3]> =
            (0..100).map(|row| [f64::from(row), f64::from(row % 2) * 2.0 - 1.0, 5.0]).collect();
        let labels: Vec<f64> = vectors.iter().map(|vector| f64::from(u8::from(vector[1] > 0.0))).collect();
        let vectors: Vec<&[f64]> = vectors.iter().map(<[f64; 3]>::as_slice).collect();
        let rows = Rows { vectors: &vectors, labels: &labels };
        assert_eq!(importance(Task::Binary, &scorer, rows, 1), [0.0, 1.0, 0.0]);
        assert_eq!(importance(Task::Binary, &scorer, rows.part(0..0), 1), [0.0; 0]);
    }
}
