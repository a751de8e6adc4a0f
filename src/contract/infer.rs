//! Drafts a contract from a schema for a person to edit; pure. Guesses no target: which column is to be predicted is said.

use super::ContractError;
use super::feature::{ContractFault, FeatureKind, Forbidden, RawContract, RawFeature, RawTarget, Task};
use crate::ingest::{Column, ColumnType, Domain, Schema};
use crate::types::{ModelName, Version};
use crate::yaml;

const SCHEMA_PATH: &str = "../schemas/json/contract.json";
const REMARK: &str = "# Drafted from its schema: every column is a feature that is not something else. Move what is known only after the\n# event to `forbidden`, with the reason.\n";

/// The text of a draft of `contracts/<model>.yaml`: `target` is predicted, the first column that orders rows is the time, the
/// first id identifies them, further ids and days are forbidden, and everything else is a feature.
///
/// # Errors
/// `Faults` when the schema has no column `target`, or one that cannot be predicted.
pub fn infer_contract(schema: &Schema, model: &ModelName, target: &str) -> Result<String, ContractError> {
    let fault = |what: &str| ContractError::Faults(vec![ContractFault { at: "target".into(), what: what.into() }]);
    let Some(predicted) = schema.column(target) else {
        return Err(fault(&format!("the schema `{}` has no column `{target}`", schema.name())));
    };
    let (task, positive) = match predicted.domain() {
        Domain::Boolean => (Task::Binary, None),
        // Of two words in alphabetical order the second is more often the event: no and yes, bad and good, 0 and 1.
        Domain::Category(values) if values.len() == 2 => (Task::Binary, values.iter().max().cloned()),
        Domain::Integer(_) | Domain::Float(_) => (Task::Regression, None),
        Domain::Category(_) | Domain::Date | Domain::Timestamp | Domain::Id => {
            return Err(fault(&format!(
                "`{target}` is of type {}: predict a boolean, a category of two values, or a number",
                predicted.domain().kind()
            )));
        }
    };
    let others = || schema.columns().iter().filter(|column| column.name() != target);
    let name = |column: &Column| column.name().to_owned();
    let time = others().find(|column| orders_rows(column)).map(name);
    let id = others().find(|column| column.domain().kind() == ColumnType::Id).map(name);
    let mut draft = RawContract {
        contract: model.clone(),
        version: Version::FIRST,
        schema: schema.name().clone(),
        description: String::new(),
        task,
        target: RawTarget { column: target.to_owned(), positive },
        features: Vec::new(),
        forbidden: Vec::new(),
        slices: Vec::new(),
        columns: Vec::new(),
        time,
        id,
    };
    for column in others() {
        let taken = [&draft.time, &draft.id].into_iter().flatten().any(|name| name == column.name());
        match kind_of(column.domain()) {
            _ if taken => {}
            Some(kind) => draft.features.push(RawFeature { name: name(column), kind, description: String::new() }),
            None => {
                let reason = format!("a column of type {} is not a feature", column.domain().kind());
                draft.forbidden.push(Forbidden { column: name(column), reason });
            }
        }
    }
    let text = yaml::print_with_schema_line(SCHEMA_PATH, &draft)?;
    Ok(match text.split_once('\n') {
        Some((first, rest)) => format!("{first}\n{REMARK}{rest}"),
        None => text,
    })
}

fn orders_rows(column: &Column) -> bool {
    match column.domain().kind() {
        ColumnType::Date | ColumnType::Timestamp => true,
        ColumnType::Integer => column.increasing(),
        ColumnType::Float | ColumnType::Boolean | ColumnType::Category | ColumnType::Id => false,
    }
}

fn kind_of(domain: &Domain) -> Option<FeatureKind> {
    match domain {
        Domain::Integer(_) | Domain::Float(_) | Domain::Boolean => Some(FeatureKind::Continuous),
        Domain::Category(_) => Some(FeatureKind::Nominal),
        Domain::Date | Domain::Timestamp | Domain::Id => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::RawSchema;

    const SCHEMA: &str = "
schema: s
columns:
- {name: key, type: id}
- {name: other_key, type: id}
- {name: day, type: date}
- {name: seen, type: timestamp}
- {name: n, type: integer}
- {name: color, type: category, values: [red, green]}
- {name: won, type: boolean}
";

    #[test]
    fn a_draft_is_a_contract_of_its_schema() {
        let schema = yaml::read::<RawSchema>("s.yaml", SCHEMA).unwrap().check().unwrap();
        for (target, task) in [("won", Task::Binary), ("color", Task::Binary), ("n", Task::Regression)] {
            let text = infer_contract(&schema, &"m".parse().unwrap(), target).unwrap();
            let raw: RawContract = yaml::read("draft", &text).unwrap();
            let contract = raw.check(&schema).unwrap();
            assert_eq!((contract.task(), contract.time(), contract.features().len()), (task, Some("day"), 2));
            assert_eq!(raw.forbidden.len(), 2, "{text}");
        }
        for target in ["day", "key", "nothing"] {
            assert!(infer_contract(&schema, &"m".parse().unwrap(), target).is_err(), "{target}");
        }
    }
}
