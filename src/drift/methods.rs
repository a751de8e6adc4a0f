//! How the numbers of a drift report are computed, in words; pure.

use std::collections::BTreeMap;

/// Every metric of a report with its method.
const METHODS: [(&str, &str); 20] = [
    (
        "p_value",
        "two-sided; numbers: twice the smaller p of Kolmogorov–Smirnov (exact up to 10⁶ pairs of rows, asymptotic beyond) and χ²; categories: χ²; χ² two-sample on the groups, no continuity correction, groups with fewer than 5 rows expected together",
    ),
    ("p_adjusted", "p_value, Benjamini–Hochberg over all tests of all features of the window"),
    (
        "psi",
        "symmetric, Σ (q - p)·ln(q / p), natural logarithms, on about ten groups of bins frozen at training, half a row more in each",
    ),
    ("psi_critical", "χ² quantile at drift.alpha, scaled by 1/n + 1/m"),
    ("ks", "largest difference of the two distributions, at the edges of bins frozen at training"),
    ("ks_bound", "what the rows' own D can be above ks, from the widths of the bins"),
    ("l_infinity", "largest difference of a share, on the groups, no smoothing"),
    ("js_bits", "divergence, symmetric, logarithms to base 2, on the groups, half a row more in each"),
    (
        "kl_ref_cur_nats",
        "of the profile from the window, Σ p·ln(p / q), natural logarithms, on the groups, half a row more in each",
    ),
    ("wasserstein_normed", "in standard deviations of the reference, rows standing at their bins' middles"),
    (
        "missing_share_growth",
        "now less then, two shares, pooled z, two-sided, no continuity correction; counts only where it is significant",
    ),
    (
        "unseen_share_growth",
        "now less then, two shares, pooled z, two-sided, no continuity correction; counts only where it is significant",
    ),
    ("rare_words_together", "words that were rare at training and are counted as one, in every measurement of shares"),
    ("weighted_psi", "Σ importance · psi over the features"),
    ("drifted_features", "features whose change is significant and large"),
    (
        "mean_p_value",
        "two-sided z of the mean score, rows standing at their bins' middles, standard deviation of the profile's scores",
    ),
    ("mean_shift_sds", "absolute difference of the mean scores, in standard deviations of the profile's scores"),
    ("volume_ratio", "requests over the median of the windows before, the inverse where it is above 1"),
    ("invalid_share", "refused requests over counted ones"),
    ("prediction", "p_adjusted, psi and ks of the score, judged alone"),
];

/// How everything in a report is computed, by name.
pub(super) fn methods() -> BTreeMap<String, String> {
    METHODS.into_iter().map(|(metric, method)| (metric.to_owned(), method.to_owned())).collect()
}
