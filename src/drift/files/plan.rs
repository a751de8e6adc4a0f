//! Which columns are compared, as what, and which are left out; pure. The reference decides, and a schema before it.

use super::{Asked, Kind, LeftOut, Role};
use crate::ingest::blocks::{Guess, Peeked, Words};
use crate::ingest::{ColumnType, Domain};

/// A column that is compared.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub name: String,
    pub role: Role,
    pub kind: Kind,
    /// The words that a schema declares.
    pub declared: Words,
    /// A column nothing is declared of; what it turns out to be may leave it out.
    pub guessed: bool,
}

/// The columns of the reference that are compared, and the others.
pub(super) fn plan(peeked: &[Peeked], asked: &Asked) -> (Vec<Planned>, Vec<LeftOut>) {
    let (mut planned, mut left_out) = (Vec::new(), Vec::new());
    for column in peeked {
        let role = role(&column.name, asked);
        let kind = match &asked.schema {
            Some(schema) => schema
                .column(&column.name)
                .ok_or_else(|| "the schema does not declare it".to_owned())
                .and_then(|declared| as_declared(declared.domain(), declared.increasing(), declared.unique())),
            None => as_guessed(column, role),
        };
        match kind {
            Ok((kind, declared)) => planned.push(Planned {
                name: column.name.clone(),
                role,
                kind,
                declared,
                guessed: asked.schema.is_none() && role == Role::Feature,
            }),
            Err(why) => left_out.push(LeftOut { column: column.name.clone(), why }),
        }
    }
    (planned, left_out)
}

fn role(column: &str, asked: &Asked) -> Role {
    if asked.target.as_deref() == Some(column) {
        Role::Target
    } else if asked.prediction.as_deref() == Some(column) {
        Role::Prediction
    } else {
        Role::Feature
    }
}

fn as_declared(domain: &Domain, increasing: bool, unique: bool) -> Result<(Kind, Words), String> {
    match domain.kind() {
        ColumnType::Date | ColumnType::Timestamp => Err(TIME.to_owned()),
        _ if increasing => Err("the schema says that it increases: it orders rows".to_owned()),
        ColumnType::Id => Err("the schema says that it identifies rows".to_owned()),
        _ if unique => Err("the schema says that no value stands twice: it identifies rows".to_owned()),
        ColumnType::Integer | ColumnType::Float => Ok((Kind::Numeric, Words::default())),
        ColumnType::Boolean => Ok((Kind::Nominal, Words::default())),
        ColumnType::Category => match domain {
            Domain::Category(values) => Ok((Kind::Nominal, Words::of(values.iter().map(String::as_str)))),
            _other => Ok((Kind::Nominal, Words::default())),
        },
    }
}

const TIME: &str = "a time orders rows and is always new";

fn as_guessed(column: &Peeked, role: Role) -> Result<(Kind, Words), String> {
    match column.guess() {
        Guess::Number => Ok((Kind::Numeric, Words::default())),
        // A class written 0 and 1 is a number to a prediction, so that the two have a difference.
        Guess::Flag if role != Role::Feature && !column.numbers.is_empty() => Ok((Kind::Numeric, Words::default())),
        Guess::Word | Guess::Flag | Guess::Empty => Ok((Kind::Nominal, Words::default())),
        Guess::Time => Err(TIME.to_owned()),
        Guess::Other(kind) => Err(format!("values of type {kind} are not compared")),
    }
}
