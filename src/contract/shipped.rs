//! The contracts and schemas that Regent ships, against the data it ships; pure: everything is compiled in. Also the examples
//! that the tests of this stage speak of.

use std::io::Cursor;

use super::{Contract, Encoded, RawContract, encode, register};
use crate::ingest::{Dataset, IngestError, RawSchema, Rejection, Rows, Rule, Schema, Source, freeze};
use crate::store::Memory;
use crate::types::Version;
use crate::yaml;

pub(super) struct Example {
    schema: &'static str,
    contract: &'static str,
    data: &'static str,
}

macro_rules! example {
    ($name:literal, $data:literal) => {
        Example {
            schema: include_str!(concat!("../../schemas/", $name, ".yaml")),
            contract: include_str!(concat!("../../contracts/", $name, ".yaml")),
            data: include_str!(concat!("../../data/", $data)),
        }
    };
}

pub(super) const RAIN: Example = example!("rain", "noaa_rain.csv");
pub(super) const CHURN: Example = example!("churn", "wa_churn.csv");
pub(super) const RIDERSHIP: Example = example!("ridership", "chicago_ridership.csv");

impl Example {
    pub(super) fn schema(&self) -> Schema {
        yaml::read::<RawSchema>("schema", self.schema).unwrap().check().unwrap()
    }

    pub(super) fn raw(&self) -> RawContract {
        yaml::read("contract", self.contract).unwrap()
    }

    pub(super) fn contract(&self) -> Contract {
        self.raw().check(&self.schema()).unwrap()
    }

    pub(super) fn rows(&self, csv: &str) -> Result<Rows, IngestError> {
        let store = Memory::new();
        let registered = register(&self.raw(), &self.schema(), &store).unwrap();
        let intake = registered.contract.intake(registered.sha256);
        let frozen = freeze(Source::new("data.csv", csv.as_bytes()), &intake, Cursor::new(Vec::new()), &store)?;
        Rows::join([Dataset::load(&store, &intake.model, frozen.digest)?])
    }

    fn encoded(&self) -> Encoded {
        encode(&self.contract(), &self.rows(self.data).unwrap()).unwrap()
    }
}

#[test]
fn the_weather_is_taken_whole() {
    let rain = RAIN.encoded();
    assert_eq!((rain.vectors.len(), rain.vectors[0].len()), (18_159, 8));
    assert_eq!(rain.target.iter().sum::<f64>(), 5698.0);
    assert_eq!(rain.order[18_158], 18_158);
    assert_eq!(RAIN.contract().version(), Version::FIRST);
}

#[test]
fn the_ridership_is_taken_whole() {
    let riders = RIDERSHIP.encoded();
    assert_eq!((riders.vectors.len(), riders.vectors[0].len()), (5698, 48));
    assert_eq!(riders.target[0], 15.732);
    assert!(riders.order.is_sorted());
}

#[test]
fn the_eleven_customers_without_total_charges_are_refused_by_line() {
    let Err(IngestError::Rejected(rejection)) = CHURN.rows(CHURN.data) else { panic!("they were taken") };
    let Rejection { rows, violations, counts, .. } = *rejection;
    assert_eq!((rows, counts.len(), counts[&Rule::Missing]), (7043, 1, 11));
    let lines: Vec<u64> = violations.iter().map(|violation| violation.line).collect();
    let blank = CHURN.data.lines().zip(1..).filter(|(line, _)| line.ends_with(','));
    assert_eq!(lines, blank.map(|(_, line)| line).collect::<Vec<u64>>());
    assert!(violations.iter().all(|violation| violation.column.as_deref() == Some("total_charges")));
}

#[test]
fn without_them_the_churn_is_taken() {
    let mended: String =
        CHURN.data.lines().filter(|line| !line.ends_with(',')).map(|line| format!("{line}\n")).collect();
    let churn = encode(&CHURN.contract(), &CHURN.rows(&mended).unwrap()).unwrap();
    assert_eq!((churn.vectors.len(), churn.target.iter().sum::<f64>()), (7032, 1869.0));
    let slice = &churn.slices[0];
    assert_eq!((slice.feature.as_str(), slice.words.len(), slice.codes.len()), ("contract", 3, 7032));
}
