//! Blocks hold what the strict reader of lines would, and refuse what it refuses.

use std::io::Cursor;

use proptest::prelude::*;

use super::super::words::MISSING;
use super::*;
use crate::ingest::record::{Record, Records};

fn columns(text: &[u8], reads: Vec<Reads>) -> Result<Vec<Cells>, IngestError> {
    let mut text = Text::open("x.csv", Cursor::new(text.to_vec()))?;
    text.peek(1)?;
    let mut columns: Vec<Cells> = Block::of(reads.clone()).columns;
    text.read(reads, |block| {
        for (all, some) in columns.iter_mut().zip(&block.columns) {
            match (all, some) {
                (Cells::Numbers { values: all, gaps }, Cells::Numbers { values, gaps: some }) => {
                    all.extend(values);
                    *gaps |= some;
                }
                (Cells::Words { words, codes: all }, Cells::Words { words: newer, codes }) => {
                    all.extend(codes);
                    *words = newer.clone();
                }
                (_, _) => {}
            }
        }
        Ok(())
    })?;
    Ok(columns)
}

fn refused(text: &[u8]) -> String {
    let width = text.split(|byte| *byte == b'\n').next().unwrap().split(|byte| *byte == b',').count();
    match columns(text, vec![Reads::Words(Words::default()); width]) {
        Err(IngestError::Rejected(rejection)) => rejection.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_gaps_and_words_are_told_apart() {
    let text = b"a,b,c\r\n1.5,x,skipped\r\n,NA,s\r\ninf,\"y, \"\"z\"\"\",s\r\nabc,x,s\r\n\"2\",x,s";
    let found = columns(text, vec![Reads::Numbers, Reads::Words(Words::default()), Reads::Nothing]).unwrap();
    let Cells::Numbers { values, gaps: true } = &found[0] else { panic!("{found:?}") };
    assert_eq!(values.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1.5", "NaN", "inf", "inf", "2"]);
    let Cells::Words { words, codes } = &found[1] else { panic!("{found:?}") };
    assert_eq!(codes, &[2, MISSING, 3, 2, 2]);
    assert_eq!(words.iter().map(|(_, word)| word).collect::<Vec<_>>(), ["x", "y, \"z\""]);
}

#[test]
fn what_is_no_table_is_refused_with_its_lines() {
    assert!(refused(b"").contains("the file is empty"), "{}", refused(b""));
    assert!(refused(b"a,b\n").contains("a header and no rows"));
    let ragged = refused(b"a,b\n1,2\n1\n1,2,3\n\"x\ny\",2\n1,2,\n");
    assert!(ragged.contains("x.csv:3: the line does not have 2 cells") && ragged.contains("x.csv:4:"), "{ragged}");
    assert!(ragged.contains("x.csv:7:") && ragged.contains("3 violations in 5 rows"), "{ragged}");
    assert!(refused(b"\xEF\xBB\xBFa\n1\n").contains("byte order mark"));
    assert!(refused(b"a\nx\"y\n").contains("x.csv:2: the line has a quote inside a cell"));
    assert!(refused(b"a\n\"x\n").contains("opens a quote that is not closed"));
    assert!(refused(b"a\ncaf\xE9\n").contains("is not UTF-8"));
}

#[test]
fn a_long_file_is_read_to_its_end_and_looked_at_along_its_way() {
    let mut file = b"t,x\n".to_vec();
    for row in 0..600_000 {
        file.extend(format!("{row},{}\n", row % 7).into_bytes());
    }
    let mut text = Text::open("x.csv", Cursor::new(file)).unwrap();
    let peeked = text.peek(1).unwrap();
    let (least, most) = (
        peeked[0].numbers.iter().copied().fold(f64::MAX, f64::min),
        peeked[0].numbers.iter().copied().fold(0.0, f64::max),
    );
    assert!(least < 10_000.0 && most > 590_000.0, "{least} to {most}");
    let (mut rows, mut sum) = (0, 0.0);
    let reads = vec![Reads::Numbers, Reads::Nothing];
    text.read(reads, |block| {
        rows += block.rows;
        if let Cells::Numbers { values, .. } = &block.columns[0] {
            sum += values.iter().sum::<f64>();
        }
        Ok(())
    })
    .unwrap();
    assert_eq!((rows, sum), (600_000, 599_999.0 * 300_000.0));
}

#[test]
fn an_endless_line_does_not_fill_the_memory() {
    let endless = [b"a,b\n".to_vec(), vec![b'x'; 4 << 20]].concat();
    assert!(refused(&endless).contains("longer than 1 MiB"), "{}", refused(&endless));
}

proptest! {
    #[test]
    fn words_are_the_cells_that_the_strict_reader_finds(
        rows in prop::collection::vec(prop::collection::vec("[a-z,\"\r\n é]{0,6}", 3), 1..8),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let found = columns(&bytes, vec![Reads::Words(Words::default()); 3]).unwrap();
        let mut records = Records::of(&bytes[..]);
        records.next().unwrap();
        let mut place = 0;
        while let Some(Record { cells, .. }) = records.next().unwrap() {
            for (cell, column) in cells.unwrap().iter().zip(&found) {
                let Cells::Words { words, codes } = column else { panic!() };
                let word = words.iter().find(|(code, _)| *code == codes[place] as usize).map(|(_, word)| word);
                prop_assert!(word == Some(cell) || (codes[place] == MISSING && crate::ingest::is_missing(cell)));
            }
            place += 1;
        }
        prop_assert_eq!(place, rows.len());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(prop::sample::select(b"a1.,\"\r\n\xFF".to_vec()), 0..40)) {
        let width = bytes.split(|byte| *byte == b'\n').next().unwrap().split(|byte| *byte == b',').count();
        let _ = columns(&bytes, vec![Reads::Numbers; width]);
    }
}
