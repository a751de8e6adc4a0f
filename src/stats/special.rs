//! Tails and quantiles of the normal and chi-square distributions; pure, on statrs's gamma and erfc.

use std::f64::consts::SQRT_2;

use statrs::function::{erf, gamma};

use crate::types::NotComputable;

/// The two-sided 95 % point of the standard normal distribution.
pub(super) const Z_95: f64 = 1.959_963_984_540_054;

/// P(|Z| ≥ |z|) for a standard normal Z.
pub(super) fn normal_two_sided(z: f64) -> f64 {
    erf::erfc(z.abs() / SQRT_2)
}

/// The z that a standard normal Z exceeds with probability `level`.
///
/// # Errors
/// A level outside (0, 0.5].
pub(super) fn normal_upper_point(level: f64) -> Result<f64, NotComputable> {
    if level > 0.0 && level <= 0.5 {
        return Ok(SQRT_2 * erf::erfc_inv(2.0 * level));
    }
    Err(NotComputable::because(format!("level {level} is not above 0 and at most 0.5")))
}

/// P(X ≥ x) for chi-square with `dof` ≥ 1 degrees of freedom.
pub(super) fn chi_square_survival(x: f64, dof: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    gamma::checked_gamma_ur(dof / 2.0, x / 2.0).unwrap_or(0.0)
}

/// The x that chi-square with `dof` ≥ 1 degrees of freedom exceeds with probability `alpha` in (0, 1).
///
/// By bisection on the survival function until the bracket stops shrinking, so it is as exact as the survival function is.
pub(super) fn chi_square_critical(alpha: f64, dof: f64) -> f64 {
    let (mut below, mut above) = (0.0, dof.max(1.0));
    while chi_square_survival(above, dof) > alpha {
        (below, above) = (above, above * 2.0);
    }
    loop {
        let middle = 0.5 * (below + above);
        if middle <= below || middle >= above {
            return above;
        }
        if chi_square_survival(middle, dof) > alpha {
            below = middle;
        } else {
            above = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden::assert_close;

    /// Right-hand sides: scipy.stats 1.17, `chi2.sf`, `chi2.isf`, `norm.sf`.
    #[test]
    fn tails_agree_with_scipy() {
        for (x, dof, tail) in SURVIVAL {
            assert_close(chi_square_survival(x, dof), tail, 1e-9);
        }
        for (alpha, dof, x) in CRITICAL {
            assert_close(chi_square_critical(alpha, dof), x, 1e-9);
        }
        for (z, p) in NORMAL {
            assert_close(normal_two_sided(z), p, 1e-9);
        }
        for (level, z) in NORMAL_UPPER {
            assert_close(normal_upper_point(level).unwrap(), z, 1e-9);
        }
        assert!(normal_upper_point(0.0).is_err() && normal_upper_point(0.6).is_err());
    }

    const SURVIVAL: [(f64, f64, f64); 7] = [
        (0.5, 1.0, 0.47950012218695337),
        (3.84, 1.0, 0.05004352124870519),
        (16.9, 9.0, 0.0503051901243108),
        (87.75, 3.0, 6.664391528242464e-19),
        (400.0, 127.0, 5.249241357789648e-30),
        (90.0, 127.0, 0.9946508428295455),
        (1200.0, 9.0, 1.2126417776311672e-252),
    ];
    const CRITICAL: [(f64, f64, f64); 5] = [
        (0.05, 1.0, 3.8414588206941285),
        (0.05, 9.0, 16.91897760462045),
        (0.001, 9.0, 27.877164871256575),
        (1e-06, 19.0, 63.677052285677995),
        (0.01, 127.0, 166.98739013667387),
    ];
    const NORMAL: [(f64, f64); 4] = [
        (0.1, 0.920344325445942),
        (-1.96, 0.04999579029644087),
        (5.0, 5.733031437583866e-07),
        (-12.0, 3.552964224155306e-33),
    ];
    const NORMAL_UPPER: [(f64, f64); 3] =
        [(0.025, 1.9599639845400545), (0.0003125, 3.4205267011318723), (1e-9, 5.9978070150076865)];
}
