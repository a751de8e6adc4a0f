//! Logistic and linear regression by linfa on standardised numbers and one-hot categories; pure. Refuses nothing but what
//! linfa cannot solve.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_linear::LinearRegression;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use super::TrainError;
use super::family::{Family, Rows};
use crate::contract::{Contract, Feature, FeatureKind};
use crate::scoring::{LinearKind, LinearModel, Term};

/// L-BFGS on standardised columns is done long before.
const MOST_ITERATIONS: u64 = 500;
/// Of the summed log loss; coefficients are then good to about six digits.
const GRADIENT_TOLERANCE: f64 = 1e-6;

/// One column of the expanded rows: `(x - mean) / scale`, with x a number, a rank, or 1 for its category and else 0.
struct Column {
    feature: usize,
    category: Option<usize>,
    mean: f64,
    scale: f64,
}

impl Column {
    fn raw(&self, vector: &[f64]) -> f64 {
        let value = vector.get(self.feature).copied().unwrap_or(f64::NAN);
        match self.category {
            None => value,
            Some(category) => f64::from(u8::from(value == category as f64)),
        }
    }

    fn expand(&self, vector: &[f64]) -> f64 {
        (self.raw(vector) - self.mean) / self.scale
    }
}

/// The columns that vary in these rows.
fn columns(contract: &Contract, rows: Rows<'_>) -> Vec<Column> {
    let mut columns = Vec::new();
    for (feature, described) in contract.features().iter().enumerate() {
        for category in categories(described) {
            let mut column = Column { feature, category, mean: 0.0, scale: 1.0 };
            let values: Vec<f64> = rows.vectors.iter().map(|vector| column.raw(vector)).collect();
            let n = values.len().max(1) as f64;
            column.mean = values.iter().sum::<f64>() / n;
            let spread = (values.iter().map(|value| (value - column.mean).powi(2)).sum::<f64>() / n).sqrt();
            // A column that does not vary says nothing, and its spread may be rounding alone.
            if spread > 1e-12 * column.mean.abs().max(f64::MIN_POSITIVE) {
                // Categories stay 0 and 1: divided by their spread, the rarest would be shrunk least.
                column.scale = if category.is_some() { 1.0 } else { spread };
                columns.push(column);
            }
        }
    }
    columns
}

/// One column for a number or a rank, one for each category of a nominal feature.
fn categories(feature: &Feature) -> Vec<Option<usize>> {
    match (feature.kind, feature.categories()) {
        (FeatureKind::Nominal, Some(table)) => (0..table.len()).map(Some).collect(),
        (FeatureKind::Nominal | FeatureKind::Continuous | FeatureKind::Ordinal, _) => vec![None],
    }
}

fn expand(columns: &[Column], rows: Rows<'_>) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), columns.len()), |(row, column)| {
        match (rows.vectors.get(row), columns.get(column)) {
            (Some(vector), Some(column)) => column.expand(vector),
            (_, _) => f64::NAN,
        }
    })
}

/// Logistic regression with ridge weight `ridge` on the coefficients, not on the intercept.
///
/// # Errors
/// `Fit` when the solver fails or a coefficient is not finite.
pub fn logistic(contract: &Contract, rows: Rows<'_>, ridge: f64) -> Result<LinearModel, TrainError> {
    let columns = columns(contract, rows);
    let targets: Array1<bool> = rows.labels.iter().map(|label| *label > 0.5).collect();
    let data = DatasetBase::new(expand(&columns, rows), targets);
    let fitted = LogisticRegression::default()
        .alpha(ridge)
        .max_iterations(MOST_ITERATIONS)
        .gradient_tolerance(GRADIENT_TOLERANCE)
        .fit(&data)
        .map_err(|why| TrainError::Fit { family: Family::Logistic, why: why.to_string() })?;
    // linfa calls the class it saw first, or most, positive; ours is `true`.
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let weights = fitted.params().iter().map(|weight| sign * weight);
    model(contract, LinearKind::Logistic, &columns, weights.collect(), sign * fitted.intercept())
}

/// Linear least squares with ridge weight `ridge` on the coefficients, not on the intercept.
///
/// Ridge is least squares with one more row `√ridge` a column (Hastie, Tibshirani & Friedman 2009, exercise 3.12), which
/// keeps collinear columns solvable.
///
/// # Errors
/// `Fit` when the solver fails or a coefficient is not finite.
pub fn linear(contract: &Contract, rows: Rows<'_>, ridge: f64) -> Result<LinearModel, TrainError> {
    let columns = columns(contract, rows);
    let (n, width) = (rows.len(), columns.len());
    let level = rows.labels.iter().sum::<f64>() / n.max(1) as f64;
    if width == 0 {
        return model(contract, LinearKind::Linear, &columns, Vec::new(), level);
    }
    let expanded = expand(&columns, rows);
    let wide = Array2::from_shape_fn((n + width, width), |(row, column)| match row.checked_sub(n) {
        None => expanded[(row, column)],
        Some(diagonal) => f64::from(u8::from(diagonal == column)) * ridge.sqrt(),
    });
    let targets: Array1<f64> =
        rows.labels.iter().map(|label| label - level).chain(std::iter::repeat_n(0.0, width)).collect();
    let fitted = LinearRegression::new()
        .with_intercept(false)
        .fit(&DatasetBase::new(wide, targets))
        .map_err(|why| TrainError::Fit { family: Family::Linear, why: why.to_string() })?;
    model(contract, LinearKind::Linear, &columns, fitted.params().to_vec(), level)
}

fn model(
    contract: &Contract,
    kind: LinearKind,
    columns: &[Column],
    weights: Vec<f64>,
    mut intercept: f64,
) -> Result<LinearModel, TrainError> {
    let family = match kind {
        LinearKind::Logistic => Family::Logistic,
        LinearKind::Linear => Family::Linear,
    };
    let mut terms: Vec<Term> = Vec::new();
    for (column, weight) in columns.iter().zip(weights) {
        let feature = column.feature;
        let Some(category) = column.category else {
            terms.push(Term::Scaled { feature, mean: column.mean, scale: column.scale, weight });
            continue;
        };
        // A category's column was centred; the model's own is not.
        intercept -= weight * column.mean;
        if terms.last().is_none_or(|term| term.feature() != feature) {
            let table = contract.features().get(feature).and_then(Feature::categories).unwrap_or_default();
            terms.push(Term::OneHot { feature, weights: vec![0.0; table.len()] });
        }
        if let Some(Term::OneHot { weights, .. }) = terms.last_mut()
            && let Some(place) = weights.get_mut(category)
        {
            *place = weight;
        }
    }
    LinearModel::new(kind, contract.features().len(), terms, intercept)
        .map_err(|why| TrainError::Fit { family, why: why.to_string() })
}
