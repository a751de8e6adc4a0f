//! A written contract against itself and its schema; pure. Every fault is told, not the first.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::feature::{Contract, ContractFault, Feature, FeatureKind, RawContract, Task};
use crate::ingest::{Column, ColumnType, Domain, Schema};
use crate::types::Known;

/// Collects faults, so that all are told and not the first.
#[derive(Default)]
struct Faults(Vec<ContractFault>);

impl Faults {
    fn add(&mut self, at: impl Into<String>, what: impl Into<String>) {
        self.0.push(ContractFault { at: at.into(), what: what.into() });
    }
}

impl RawContract {
    /// Check the contract against the schema it names.
    ///
    /// # Errors
    /// Every fault, not the first.
    pub fn check(&self, schema: &Schema) -> Result<Contract, Vec<ContractFault>> {
        let mut faults = Faults::default();
        if &self.schema != schema.name() {
            faults.add("schema", format!("names `{}` but was given `{}`", self.schema, schema.name()));
        }
        if !self.columns.is_empty() {
            faults.add("columns", "is written by `regent contract register`: remove it");
        }
        self.resolve(schema.columns().to_vec(), faults)
    }

    /// Check a registered contract, which carries its own columns.
    ///
    /// # Errors
    /// Every fault, not the first.
    pub fn check_registered(&self) -> Result<Contract, Vec<ContractFault>> {
        let mut faults = Faults::default();
        let mut columns = Vec::new();
        for raw in &self.columns {
            match raw.check() {
                Ok(column) => columns.push(column),
                Err(broken) => {
                    broken
                        .into_iter()
                        .for_each(|(key, what)| faults.add(format!("columns ({}).{key}", raw.name), what));
                }
            }
        }
        self.resolve(columns, faults)
    }

    fn resolve(&self, columns: Vec<Column>, mut faults: Faults) -> Result<Contract, Vec<ContractFault>> {
        self.check_roles(&columns, &mut faults);
        let find = |name: &str| columns.iter().find(|column| column.name() == name);
        if let Some(column) = find(&self.target.column) {
            self.check_target(column.domain(), &mut faults);
        }
        if let Some(column) = self.time.as_deref().and_then(find) {
            let kind = column.domain().kind();
            if !matches!(kind, ColumnType::Integer | ColumnType::Date | ColumnType::Timestamp) {
                let what = format!("`{}` is of type {kind}: use an integer, a date or a timestamp", column.name());
                faults.add("time", what);
            }
        }
        let features = self.check_features(&columns, &mut faults);
        for (index, slice) in self.slices.iter().enumerate() {
            let sliced = features.iter().find(|feature| &feature.name == slice);
            if sliced.and_then(Feature::words).is_none() {
                let what = format!("`{slice}` is not a boolean or category feature");
                faults.add(format!("slices[{index}]"), what);
            }
        }
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        let places = features.iter().enumerate().map(|(place, feature)| (feature.name.clone(), place));
        let mut raw = self.clone();
        raw.columns = columns.iter().map(Column::raw).collect();
        Ok(Contract { raw, columns, places: places.collect(), features })
    }

    fn check_features(&self, columns: &[Column], faults: &mut Faults) -> Vec<Feature> {
        let mut features = Vec::new();
        for (index, raw) in self.features.iter().enumerate() {
            let Some(column) = columns.iter().find(|column| column.name() == raw.name) else {
                continue;
            };
            let (name, kind, domain) = (raw.name.clone(), raw.kind, column.domain().clone());
            if !kind.fits(domain.kind()) {
                let at = format!("features[{index}] ({name})");
                faults.add(at, format!("a column of type {} cannot be read as {kind}", domain.kind()));
            }
            let spelled = Known::new(format!("{}:", Value::from(name.as_str())));
            features.push(Feature { name, spelled, kind, domain });
        }
        if features.is_empty() {
            faults.add("features", "a model without features cannot be trained: declare one");
        }
        features
    }

    /// A schema column that is neither feature, target, time, id nor forbidden is an error, and so is one with two roles.
    fn check_roles(&self, columns: &[Column], faults: &mut Faults) {
        let mut roles: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut role = |name, role: String| roles.entry(name).or_default().push(role);
        role(self.target.column.as_str(), "target".into());
        if let Some(time) = &self.time {
            role(time, "time".into());
        }
        if let Some(id) = &self.id {
            role(id, "id".into());
        }
        for (index, feature) in self.features.iter().enumerate() {
            role(&feature.name, format!("features[{index}]"));
        }
        for (index, forbidden) in self.forbidden.iter().enumerate() {
            role(&forbidden.column, format!("forbidden[{index}]"));
            if forbidden.reason.trim().is_empty() {
                faults.add(format!("forbidden[{index}] ({})", forbidden.column), "say the reason");
            }
        }
        let known: BTreeSet<&str> = columns.iter().map(Column::name).collect();
        for (name, held) in &roles {
            if held.len() > 1 {
                faults.add(held.join(" and "), format!("`{name}` has {} roles: keep one", held.len()));
            }
            if !known.contains(name) {
                let at = held.join(" and ");
                faults.add(at, format!("the schema `{}` has no column `{name}`", self.schema));
            }
        }
        for name in known.iter().filter(|name| !roles.contains_key(**name)) {
            let what = "has no role: make it a feature, the target, the time, the id, or forbid it with a reason";
            faults.add(format!("column `{name}`"), what);
        }
    }

    fn check_target(&self, domain: &Domain, faults: &mut Faults) {
        let at = format!("target ({})", self.target.column);
        match (self.task, domain, &self.target.positive) {
            (Task::Binary, Domain::Boolean, None) | (Task::Regression, Domain::Integer(_) | Domain::Float(_), None) => {
            }
            (Task::Binary, Domain::Category(values), Some(positive)) if values.len() == 2 => {
                if !values.contains(positive) {
                    faults.add(format!("{at}.positive"), format!("`{positive}` is not one of {}", values.join(", ")));
                }
            }
            (Task::Binary, _, _) => {
                faults.add(at, "a binary target is a boolean, or a category of two values with `positive`");
            }
            (Task::Regression, _, _) => {
                faults.add(at, "a regression target is an integer or a float, without `positive`");
            }
        }
    }
}

impl FeatureKind {
    fn fits(self, kind: ColumnType) -> bool {
        match self {
            FeatureKind::Continuous => matches!(kind, ColumnType::Integer | ColumnType::Float | ColumnType::Boolean),
            FeatureKind::Nominal => matches!(kind, ColumnType::Boolean | ColumnType::Category),
            FeatureKind::Ordinal => matches!(kind, ColumnType::Integer | ColumnType::Category),
        }
    }
}

#[cfg(test)]
mod tests;
