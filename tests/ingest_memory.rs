//! Ingestion streams: a file of a million rows is frozen within 64 MiB above what freezing ten rows takes. A test binary of its
//! own, because the peak is the whole process's.
#![cfg(test)] // clippy then takes helpers for what they are: tests, which may unwrap
#![expect(clippy::disallowed_methods, reason = "asks the kernel for this process's peak memory")]

use std::collections::BTreeSet;
use std::io::{self, Read};

use regent::ingest::{ContractRef, Intake, RawSchema, Source, freeze, scratch_in};
use regent::store::{Disk, Durability};
use regent::types::{Digest, Version};
use regent::yaml;

const SCHEMA: &str = "
schema: wide
columns:
- {name: key, type: integer, unique: true, increasing: true}
- {name: color, type: category, values: [red, green, blue]}
- {name: ok, type: boolean}
- {name: a, type: float}
- {name: b, type: float}
- {name: c, type: float}
- {name: d, type: float}
- {name: e, type: float}
- {name: f, type: float}
- {name: g, type: float}
";
const MOST_BYTES: u64 = 64 << 20;

/// A file that is made while it is read.
struct Rows {
    left: std::ops::Range<u64>,
    line: io::Cursor<Vec<u8>>,
}

impl Rows {
    fn of(rows: u64) -> Self {
        Rows { left: 0..rows, line: io::Cursor::new(b"key,color,ok,a,b,c,d,e,f,g\n".to_vec()) }
    }
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.line.read(buffer)?;
        if read > 0 {
            return Ok(read);
        }
        let Some(row) = self.left.next() else { return Ok(0) };
        let color = ["red", "green", "blue"][row as usize % 3];
        let mut line = format!("{row},{color},{}", row % 2);
        for column in 1..=7 {
            // A multiplicative hash: numbers that neither repeat nor compress.
            let mixed = (row * 7 + column).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11;
            line += &format!(",{}", mixed as f64 / (1u64 << 53) as f64);
        }
        self.line = io::Cursor::new((line + "\n").into_bytes());
        self.line.read(buffer)
    }
}

fn frozen(rows: u64) -> u64 {
    let columns = yaml::read::<RawSchema>("wide.yaml", SCHEMA).unwrap().check().unwrap().columns().to_vec();
    let intake = Intake {
        model: "wide".parse().unwrap(),
        contract: ContractRef { version: Version::FIRST, sha256: Digest::of("contract") },
        kept: columns.iter().map(|column| column.name().to_owned()).collect::<BTreeSet<_>>(),
        columns,
        time: Some("key".to_owned()),
        prediction: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let store = Disk::open(folder.path().to_owned(), Durability::Batched).unwrap();
    let scratch = scratch_in(folder.path()).unwrap();
    freeze(Source::new("wide.csv", Rows::of(rows)), &intake, scratch, &store).unwrap().meta.rows
}

/// The most memory this process ever held, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn memory_does_not_grow_with_the_file() {
    assert_eq!(frozen(10), 10);
    let before = peak();
    assert_eq!(frozen(1_000_000), 1_000_000);
    let grown = peak() - before;
    println!("a million rows took {} KiB more than ten", grown >> 10);
    assert!(grown < MOST_BYTES, "{} MiB", grown >> 20);
}
