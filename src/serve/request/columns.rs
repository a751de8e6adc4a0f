//! Tables: columns that are named once, and rows of cells; pure. Columns that are not the contract's are told once, as one refused
//! row, before any cell is looked at.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::stream::each;
use super::{BatchRequest, Field, Malformed};
use crate::contract::{Admission, Code, Contract, FeatureVector, Given, Refusal, admit};

/// A row as the contract takes it.
pub(in crate::serve) type Admitted = Result<FeatureVector, Refusal>;

/// So many columns are looked at; a contract of as many features would be the largest there is.
pub(super) const MOST_COLUMNS: usize = 10_000;

/// That the columns are the contract's features, each once, in any order; or the one row that stands for all of them, refused.
pub(super) fn fit(contract: &Contract, names: &[Cow<'_, str>]) -> Result<Result<(), Refusal>, Malformed> {
    let mut seen = BTreeSet::new();
    if let Some(again) = names.iter().map(Cow::as_ref).find(|name| !seen.insert(*name)) {
        return Err(Malformed::Repeated { member: again.to_string() });
    }
    let strangers = names.iter().filter(|name| contract.place(name).is_none());
    let Err(mut refusal) = admit(contract, strangers.map(|name| (name.as_ref(), Given::Missing))) else {
        return Ok(Ok(()));
    };
    refusal.violations.retain(|one| one.code != Code::Missing || !seen.contains(one.feature.as_str()));
    Ok(if refusal.violations.is_empty() { Ok(()) } else { Err(refusal) })
}

/// One row more than fits.
pub(super) fn too_many(what: &'static str) -> Malformed {
    Malformed::TooMany { what, most: BatchRequest::MOST }
}

/// Rows that are filled column by column, each as long as the first.
pub(super) struct Rows<'c> {
    contract: &'c Contract,
    rows: Vec<Admission<'c>>,
    begun: bool,
}

impl<'c> Rows<'c> {
    pub(super) fn of(contract: &'c Contract) -> Self {
        Rows { contract, rows: Vec::new(), begun: false }
    }

    /// Take one column, whose cells are read one by one.
    pub(super) fn column<'a>(
        &mut self,
        name: &str,
        cells: &'a RawValue,
        mut read: impl FnMut(&'a RawValue) -> Result<Field<'a>, Malformed>,
    ) -> Result<(), Malformed> {
        let first = !self.begun;
        self.begun = true;
        let found = each(cells, "a column", |place, cell| {
            if first && place == BatchRequest::MOST {
                return Err(too_many("a column"));
            }
            if first {
                self.rows.push(Admission::of(self.contract));
            }
            // A column that is longer than the first is told once all of it is counted.
            let Some(row) = self.rows.get_mut(place) else { return Ok(()) };
            row.take(name, read(cell)?.given());
            Ok(())
        })?;
        let wanted = self.rows.len();
        let uneven = || Malformed::Uneven { what: format!("`{name}`"), found, wanted, of: "rows" };
        if found == wanted { Ok(()) } else { Err(uneven()) }
    }

    /// What the contract says of each.
    pub(super) fn finish(self) -> Vec<Admitted> {
        self.rows.into_iter().map(Admission::finish).collect()
    }
}
