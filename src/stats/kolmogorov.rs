//! The distribution of Kolmogorov's statistic D of n rows, n finite; pure. What SciPy calls `kstwo`.

use std::f64::consts::{E, PI};

use statrs::function::gamma::ln_gamma;

/// Up to so many rows the matrix below is cheap for every D that is likely.
const FEW: f64 = 140.0;
/// A bell over more terms than this is summed by steps.
const TERMS: f64 = 4_096.0;

/// P(Dₙ ≥ d): the chance that the empirical distribution of n rows strays from its source by d or more somewhere.
///
/// Three roads, chosen as Simard & L'Ecuyer (2011, Journal of Statistical Software 39:11) do: in the tail twice Smirnov's
/// one-sided sum, where both sides at once no longer matter; else one less the probability of staying within d, by Durbin's
/// matrix (Marsaglia, Tsang & Wang 2003) where that is small, and by Pelz and Good's series (1976) beyond.
pub(super) fn survival(n: u64, d: f64) -> f64 {
    let rows = n as f64;
    let scaled = rows * d * d;
    if d >= 1.0 {
        return 0.0;
    }
    // D is never below 1/2n; and of this little, less than a rounding error is left.
    if rows * d <= 0.5 || scaled <= 0.03 {
        return 1.0;
    }
    let tail = if rows <= FEW { 4.0 } else { 2.2 };
    let probability = if d >= 0.5 || scaled >= tail {
        2.0 * one_sided(rows, d)
    } else if rows <= FEW || (rows <= 1e5 && rows * d.powf(1.5) <= 1.4) {
        1.0 - staying_within(n, d)
    } else {
        1.0 - pelz_good(rows, d * rows.sqrt())
    };
    probability.clamp(0.0, 1.0)
}

/// P(Dₙ⁺ ≥ d) = d·Σ C(n, j)·(d + j/n)^(j-1)·(1 - d - j/n)^(n-j) over j ≤ n(1 - d) (Smirnov 1944; Birnbaum & Tingey 1951).
///
/// Of many rows the terms are a smooth bell that is zero long before its ends, so every h-th of them, h-fold, gives the same sum.
fn one_sided(rows: f64, d: f64) -> f64 {
    let step = (rows / TERMS).floor().max(1.0);
    let last = (rows * (1.0 - d)).floor();
    let ways = ln_gamma(rows + 1.0);
    let term = |j: f64| {
        let (below, above) = (d + j / rows, 1.0 - d - j / rows);
        // The very last place may lie on the edge, where nothing is left.
        if above <= 0.0 {
            return if j == rows { below.powf(j - 1.0) } else { 0.0 };
        }
        let choose = ways - ln_gamma(j + 1.0) - ln_gamma(rows - j + 1.0);
        (choose + (j - 1.0) * below.ln() + (rows - j) * above.ln()).exp()
    };
    let places = (0..).map(|k| f64::from(k) * step).take_while(|&j| j <= last);
    d * step * places.map(term).sum::<f64>()
}

/// P(Dₙ < d) by Durbin's matrix: n!/nⁿ times the middle of Hⁿ. H carries 1/e in every factor, so that nothing overflows.
fn staying_within(n: u64, d: f64) -> f64 {
    let rows = n as f64;
    let k = (rows * d).ceil();
    let (size, h) = (2 * k as usize - 1, k - rows * d);
    let factorial = |i: usize| ln_gamma(i as f64 + 1.0).exp();
    let mut matrix = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..=(row + 1).min(size - 1) {
            let i = row + 1 - column;
            let mut entry = 1.0;
            if column == 0 {
                entry -= h.powi(i as i32);
            }
            if row == size - 1 {
                entry -= h.powi((size - column) as i32);
            }
            if column == 0 && row == size - 1 {
                entry += (2.0 * h - 1.0).max(0.0).powi(size as i32);
            }
            matrix[row * size + column] = entry / factorial(i) / E;
        }
    }
    let middle = (size / 2) * size + size / 2;
    let scale = (ln_gamma(rows + 1.0) - rows * rows.ln() + rows).exp();
    power(matrix, size, n)[middle] * scale
}

/// A square matrix to the n-th power, n ≥ 1, by squaring.
fn power(mut base: Vec<f64>, size: usize, mut n: u64) -> Vec<f64> {
    let times = |a: &[f64], b: &[f64]| {
        let mut product = vec![0.0; size * size];
        for (row, out) in a.chunks(size).zip(product.chunks_mut(size)) {
            for (factor, other) in row.iter().zip(b.chunks(size)) {
                for (sum, entry) in out.iter_mut().zip(other) {
                    *sum += factor * entry;
                }
            }
        }
        product
    };
    let mut result: Option<Vec<f64>> = None;
    loop {
        if n % 2 == 1 {
            result = Some(result.map_or_else(|| base.clone(), |sofar| times(&sofar, &base)));
        }
        n /= 2;
        if n == 0 {
            return result.unwrap_or(base);
        }
        base = times(&base, &base);
    }
}

/// P(√n·Dₙ < x) to the order n^(-3/2): Kolmogorov's limit K₀ and three corrections (Pelz & Good 1976, as given in Simard &
/// L'Ecuyer 2011, section 3).
fn pelz_good(rows: f64, x: f64) -> f64 {
    let (x2, pi2) = (x * x, PI * PI);
    let (x4, x6) = (x2 * x2, x2 * x2 * x2);
    let mut k = [0.0; 4];
    for place in 0..20 {
        let half = f64::from(place) + 0.5;
        let (a, whole) = (pi2 * half * half, pi2 * f64::from(place * place));
        let (at_half, at_whole) = ((-a / (2.0 * x2)).exp(), (-whole / (2.0 * x2)).exp());
        // Each stands for its mirror image too; the whole numbers' terms are zero at zero.
        k[0] += 2.0 * at_half;
        k[1] += 2.0 * (a - x2) * at_half;
        k[2] += 2.0 * ((6.0 * x6 + 2.0 * x4) + (2.0 * x4 - 5.0 * x2) * a + (1.0 - 2.0 * x2) * a * a) * at_half
            - 2.0 * 2.0 * x4 * whole * at_whole;
        k[3] += 2.0
            * ((5.0 - 30.0 * x2) * a.powi(3) + (212.0 * x4 - 60.0 * x2) * a * a + (135.0 * x4 - 96.0 * x6) * a
                - (30.0 * x6 + 90.0 * x4 * x4))
            * at_half
            + 2.0 * 30.0 * x4 * (3.0 * x2 * whole - whole * whole) * at_whole;
    }
    let root = (PI / 2.0).sqrt();
    root * (k[0] / x
        + k[1] / (6.0 * x4 * rows.sqrt())
        + k[2] / (72.0 * x6 * x * rows)
        + k[3] / (6480.0 * x6 * x4 * rows * rows.sqrt()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::assert_close;

    /// scipy.stats.kstwo.sf(d, n), SciPy 1.14, over all three roads.
    const SURVIVAL: [(u64, f64, f64); 21] = [
        (5, 0.3, 0.664),
        (10, 0.274, 0.3715203845434957),
        (100, 0.05, 0.9532159710635725),
        (100, 0.13, 0.06209234069876253),
        (140, 0.16, 0.001344016324418744),
        (140, 0.17, 0.0005246108687519814),
        (222, 0.168, 6.032772336173843e-06),
        (222, 0.0975, 0.027392198528811584),
        (210, 0.023768323043774353, 0.9996031845461916),
        (222, 0.06, 0.3858828464800541),
        (1000, 0.02, 0.8108971656895577),
        (1000, 0.045, 0.03378304014546085),
        (1000, 0.09, 1.6911775984434787e-07),
        (5000, 0.015, 0.20846142096186204),
        (6000, 0.03, 3.992056156256368e-05),
        (100000, 0.004, 0.08130148920222469),
        (100000, 0.0065, 0.00042592522031808605),
        (3, 0.9, 0.0019999999999999987),
        (20, 0.05, 0.9999999767980384),
        (20, 0.03, 1.0),
        (2, 0.99, 0.00020000000000000036),
    ];

    #[test]
    fn the_tails_of_d_agree_with_scipy() {
        for (n, d, p) in SURVIVAL {
            println!("n {n} d {d}: off by {:e}", (survival(n, d) - p).abs() / p);
            assert_close(survival(n, d), p, 1e-6);
        }
    }

    proptest! {
        #[test]
        fn a_larger_d_is_never_likelier(n in 1u64..3_000, one in 0.0f64..1.0, more in 0.0f64..0.2) {
            let (near, far) = (survival(n, one), survival(n, one + more));
            prop_assert!((0.0..=1.0).contains(&near) && far <= near + 1e-6, "{near} {far}");
        }
    }
}
