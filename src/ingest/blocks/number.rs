//! A number and the end of its cell in one pass over the bytes, eight digits at a time; pure. What is not plainly a decimal of at most
//! 53 bits is left to the standard library.

use crate::ingest::domain::is_missing;

/// Zero bytes that must follow the last byte, so that eight can be looked at anywhere.
pub(super) const PADDING: usize = 8;
/// Powers of ten that a float holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
const SCALES: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
/// Below it every whole number is a float.
const EXACT: u64 = 1 << 53;
/// Digits that fit 64 bits, whatever they are.
const MOST_DIGITS: usize = 19;

/// The number that begins at `at`, and where the byte is that ends its cell (a comma or a line's end); nothing if it is not one of
/// the plain kind. A whole number divided by a power of ten, both exact, is rounded once, which is what parsing is (Clinger 1990).
#[inline]
pub(super) fn plain(bytes: &[u8], at: usize) -> Option<(f64, usize)> {
    let negative = *bytes.get(at)? == b'-';
    let start = at + usize::from(negative);
    let (whole, point) = digits(bytes, start, 0)?;
    let mut count = point - start;
    let (mut mantissa, mut stop, mut places) = (whole, point, 0);
    if *bytes.get(point)? == b'.' {
        (mantissa, stop) = digits(bytes, point + 1, whole)?;
        places = stop - point - 1;
        count += places;
    }
    let end = ends(bytes, stop)?;
    if count == 0 || count > MOST_DIGITS || mantissa > EXACT {
        return None;
    }
    let size = mantissa as f64 / TENS.get(places)?;
    Some((if negative { -size } else { size }, end))
}

/// Where the byte is that ends the cell, if it ends here.
#[inline]
pub(super) fn ends(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at)? {
        b',' | b'\n' => Some(at),
        b'\r' if bytes.get(at + 1) == Some(&b'\n') => Some(at + 1),
        _ => None,
    }
}

/// The digits from `at` on, appended to a number, and where they end.
#[inline]
fn digits(bytes: &[u8], mut at: usize, mut number: u64) -> Option<(u64, usize)> {
    loop {
        let eight: [u8; 8] = bytes.get(at..at + PADDING)?.try_into().ok()?;
        let (value, count) = leading(u64::from_le_bytes(eight));
        number = number.wrapping_mul(SCALES[count]).wrapping_add(value);
        at += count;
        if count < 8 {
            return Some((number, at));
        }
    }
}

/// The number that the leading digits of eight bytes make, and how many they are (Lemire, "Number parsing at a gigabyte per
/// second", 2021).
#[inline]
fn leading(eight: u64) -> (u64, usize) {
    let digits = eight ^ 0x3030_3030_3030_3030;
    // The high bit of every byte above 9; a carry reaches only bytes after one that is marked.
    let other = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    let count = (other.trailing_zeros() / 8) as usize;
    if count == 0 {
        return (0, 0);
    }
    // Leading zeros in place of what follows.
    let digits = digits << (64 - 8 * count as u32);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    (low.wrapping_add(high) >> 32, count)
}

/// Any cell as a number: NaN for none, infinite for what is no finite number.
pub(super) fn of_cell(cell: &[u8]) -> f64 {
    match str::from_utf8(cell) {
        Ok(text) if is_missing(text) => f64::NAN,
        Ok(text) => finite(text).unwrap_or(f64::INFINITY),
        Err(_) => f64::INFINITY,
    }
}

/// The finite number that a text is.
pub(super) fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(cell: &str) -> Option<(f64, usize)> {
        let mut bytes = format!("{cell},").into_bytes();
        bytes.extend([0; PADDING]);
        plain(&bytes, 0)
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_left_alone() {
        for cell in [
            "",
            "-",
            ".",
            "-.",
            "+1",
            "1e5",
            "1.2.3",
            "1 ",
            " 1",
            "inf",
            "NaN",
            "abc",
            "0x10",
            "1_0",
            "\"1\"",
            "12345678901234567890",
        ] {
            assert_eq!(read(cell), None, "{cell}");
        }
        assert_eq!(plain(b"1.5\r\n\0\0\0\0\0\0\0\0", 0), Some((1.5, 4)));
        assert_eq!(plain(b"1.5\r,\0\0\0\0\0\0\0\0", 0), None);
        assert!(of_cell(b"NA").is_nan() && of_cell(b"").is_nan() && of_cell(b"nan").is_nan());
        assert_eq!(
            [of_cell(b"1e3"), of_cell(b"inf"), of_cell(b"x"), of_cell(b"\xff"), of_cell(b"1e999")].map(f64::is_finite),
            [true, false, false, false, false]
        );
    }

    proptest! {
        #[test]
        fn a_plain_decimal_is_what_the_standard_library_reads(cell in "-?[0-9]{0,18}(\\.[0-9]{0,18})?") {
            if let Some((number, stop)) = read(&cell) {
                prop_assert_eq!(stop, cell.len());
                prop_assert_eq!(number.to_bits(), cell.parse::<f64>().unwrap().to_bits());
            }
        }

        #[test]
        fn short_decimals_are_plain(whole in 0u32..1_000_000, part in 0u32..1_000_000) {
            let cell = format!("-{whole}.{part:06}");
            prop_assert_eq!(read(&cell), Some((cell.parse().unwrap(), cell.len())));
        }
    }
}
