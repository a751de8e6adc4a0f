//! Whether two samples, or two shares, can come from one source; pure. Significance only: size is `distance`'s.

mod above_chance;
mod chi_square;
mod kolmogorov_smirnov;
mod mann_whitney;
mod many;
mod means;
mod shares;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use above_chance::{AboveChance, Fold, above_chance};
pub use chi_square::{chi_square, chi_square_expected, chi_square_pooled, cramers_v};
pub use kolmogorov_smirnov::{
    EXACT_UP_TO, kolmogorov_smirnov, kolmogorov_smirnov_auto, kolmogorov_smirnov_bound, kolmogorov_smirnov_exact,
};
pub use mann_whitney::{COUNTED_UP_TO, mann_whitney, mann_whitney_auto, mann_whitney_exact};
pub use many::benjamini_hochberg;
pub use means::{MeanShift, mean_shift};
pub use shares::two_shares;

/// What a test found, both numbers finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tested {
    /// The statistic: D, χ², U or z.
    pub statistic: f64,
    /// The two-sided p-value, from 0 to 1.
    pub p_value: f64,
}
