//! The least that anybody does who counts a CSV file: read it, parse every number, put it into one of 128 bins, look up every word.
//! What `make bench-data` holds Regent against; built by it with `rustc -O`, and of no other use. It knows the file: no quotes, no
//! gaps, no errors, short decimals, a few words.

use std::fs::File;
use std::io::Read;

const CHUNK: usize = 256 << 10;
const ROWS: usize = 1 << 10;
const BINS: usize = 128;
const TENS: [f64; 20] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
];
const SCALES: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

struct Column {
    values: Vec<f64>,
    tree: [f64; BINS],
    counts: [u64; BINS],
    words: Vec<(Vec<u8>, u64)>,
}

#[inline]
fn leading(eight: u64) -> (u64, usize) {
    let digits = eight ^ 0x3030_3030_3030_3030;
    let other = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    let count = (other.trailing_zeros() / 8) as usize;
    if count == 0 {
        return (0, 0);
    }
    let digits = digits << (64 - 8 * count as u32);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    (low.wrapping_add(high) >> 32, count)
}

#[inline]
fn digits(bytes: &[u8], mut at: usize, mut number: u64) -> (u64, usize) {
    loop {
        let (value, count) = leading(u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()));
        number = number * SCALES[count] + value;
        at += count;
        if count < 8 {
            return (number, at);
        }
    }
}

#[inline]
fn number(bytes: &[u8], at: usize) -> (f64, usize) {
    let negative = bytes[at] == b'-';
    let (mut mantissa, mut stop) = digits(bytes, at + usize::from(negative), 0);
    let mut places = 0;
    if bytes[stop] == b'.' {
        let point = stop;
        (mantissa, stop) = digits(bytes, point + 1, mantissa);
        places = stop - point - 1;
    }
    let size = mantissa as f64 / TENS[places];
    (if negative { -size } else { size }, stop)
}

impl Column {
    fn freeze(&mut self) {
        let mut sorted = self.values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        for place in 0..BINS - 1 {
            let rank = place + 1;
            let height = rank.trailing_zeros();
            let edge = sorted[rank * (sorted.len() - 1) / BINS];
            self.tree[(BINS >> (height + 1)) + (rank >> (height + 1))] = edge;
        }
    }

    fn count(&mut self) {
        for block in self.values.chunks_exact(16) {
            let mut at = [1_usize; 16];
            for _ in 0..BINS.trailing_zeros() {
                for (at, value) in at.iter_mut().zip(block) {
                    *at = 2 * *at + usize::from(*value > self.tree[*at & (BINS - 1)]);
                }
            }
            at.iter().for_each(|at| self.counts[*at & (BINS - 1)] += 1);
        }
        self.values.clear();
    }

    fn word(&mut self, word: &[u8]) {
        match self.words.iter_mut().find(|(known, _)| known == word) {
            Some((_, count)) => *count += 1,
            None => self.words.push((word.to_vec(), 1)),
        }
    }
}

fn main() {
    for path in std::env::args().skip(1) {
        let mut file = File::open(path).unwrap();
        let mut bytes = vec![0; CHUNK + 8];
        let (mut from, mut to, mut rows, mut frozen) = (0, 0, 0_u64, false);
        let mut columns: Vec<Column> = Vec::new();
        loop {
            bytes.copy_within(from..to, 0);
            to -= from;
            from = 0;
            let read = file.read(&mut bytes[to..CHUNK]).unwrap();
            if read == 0 {
                break;
            }
            to += read;
            let Some(end) = bytes[..to].iter().rposition(|byte| *byte == b'\n') else { continue };
            if columns.is_empty() {
                let header = bytes.iter().position(|byte| *byte == b'\n').unwrap();
                let width = bytes[..header].split(|byte| *byte == b',').count();
                let column = || Column { values: Vec::new(), tree: [f64::INFINITY; BINS], counts: [0; BINS], words: Vec::new() };
                columns.extend((0..width).map(|_| column()));
                from = header + 1;
            }
            while from <= end {
                for column in &mut columns {
                    if bytes[from].is_ascii_alphabetic() {
                        let length = bytes[from..].iter().position(|byte| matches!(byte, b',' | b'\n')).unwrap();
                        column.word(&bytes[from..from + length]);
                        from += length + 1;
                    } else {
                        let (value, stop) = number(&bytes, from);
                        column.values.push(value);
                        from = stop + 1;
                    }
                }
                rows += 1;
                if rows % ROWS as u64 == 0 {
                    for column in columns.iter_mut().filter(|column| !column.values.is_empty()) {
                        if !frozen {
                            column.freeze();
                        }
                        column.count();
                    }
                    frozen = true;
                }
            }
        }
        let sum: u64 = columns.iter().map(|column| column.counts[0] + column.words.len() as u64).sum();
        println!("{rows} rows, {} columns, {sum}", columns.len());
    }
}
