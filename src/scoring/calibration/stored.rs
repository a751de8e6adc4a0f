//! A calibration map as `calibration.json` holds it; pure, and refuses a newer form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Calibration, CalibrationError, Conformal, FORMAT_VERSION, Isotonic, Platt, Quantile};

/// The form in `calibration.json`.
///
/// `format_version` 1: first form.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Calibration")]
pub(super) struct Stored {
    format_version: u32,
    map: StoredMap,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
#[schemars(rename = "CalibrationMap")]
enum StoredMap {
    Isotonic { x: Vec<f64>, y: Vec<f64> },
    Platt { a: f64, b: f64 },
    Conformal { served_level: f64, quantiles: Vec<Quantile> },
}

impl TryFrom<Stored> for Calibration {
    type Error = CalibrationError;

    fn try_from(stored: Stored) -> Result<Self, CalibrationError> {
        if stored.format_version != FORMAT_VERSION {
            return Err(CalibrationError::Format { found: stored.format_version });
        }
        Ok(match stored.map {
            StoredMap::Isotonic { x, y } => Self::Isotonic(Isotonic::new(x, y)?),
            StoredMap::Platt { a, b } => Self::Platt(Platt::new(a, b)?),
            StoredMap::Conformal { served_level, quantiles } => {
                Self::Conformal(Conformal::new(served_level, quantiles)?)
            }
        })
    }
}

impl From<Calibration> for Stored {
    fn from(calibration: Calibration) -> Self {
        let map = match calibration {
            Calibration::Isotonic(Isotonic { x, y }) => StoredMap::Isotonic { x, y },
            Calibration::Platt(Platt { a, b }) => StoredMap::Platt { a, b },
            Calibration::Conformal(Conformal { served_level, quantiles }) => {
                StoredMap::Conformal { served_level, quantiles }
            }
        };
        Self { format_version: FORMAT_VERSION, map }
    }
}
