//! `MLmodel`, so that MLflow's clients can read what a bundle is; pure. It claims only what they would find.

use serde::Serialize;

use super::RegistryError;
use super::bundle::Metadata;
use crate::contract::{Contract, Task};
use crate::ingest::Domain;
use crate::train::Family;
use crate::types::Timestamp;
use crate::yaml;

/// The LightGBM that is built into this program.
const LIGHTGBM: &str = "4.7.0";

#[derive(Serialize)]
struct MlModel {
    flavors: Flavors,
    /// MLflow's own form of an instant.
    utc_time_created: String,
    signature: Signature,
    metadata: Described,
}

/// `lightgbm`: `mlflow.lightgbm.load_model` gives the booster, whose scores are not calibrated. No `python_function`: no
/// Python code stands behind what the version serves.
#[derive(Serialize)]
struct Flavors {
    #[serde(skip_serializing_if = "Option::is_none")]
    lightgbm: Option<Booster>,
    regent: Regent,
}

#[derive(Serialize)]
struct Booster {
    data: &'static str,
    lgb_version: &'static str,
    model_class: &'static str,
}

#[derive(Serialize)]
struct Regent {
    engine: String,
    model: &'static str,
    preprocessor: &'static str,
    calibration: &'static str,
}

/// Columns as JSON texts, as MLflow keeps them.
#[derive(Serialize)]
struct Signature {
    inputs: String,
    outputs: String,
}

#[derive(Serialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
}

#[derive(Serialize)]
struct Described {
    name: String,
    version: String,
    plan: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// The text of `MLmodel`.
pub fn print(metadata: &Metadata, family: Family, contract: &Contract) -> Result<String, RegistryError> {
    let fault = |why: String| RegistryError::Print { file: "MLmodel", why };
    let columns = |columns: Vec<Column>| serde_json::to_string(&columns).map_err(|why| fault(why.to_string()));
    let file = family.file();
    let lightgbm = match family {
        Family::Gbdt | Family::RandomForest => {
            Some(Booster { data: file, lgb_version: LIGHTGBM, model_class: "lightgbm.basic.Booster" })
        }
        Family::Logistic | Family::Linear => None,
    };
    let calibrated_elsewhere =
        lightgbm.is_some().then_some("the lightgbm flavor gives the booster's own score, which is not calibrated");
    let inputs = contract.features().iter().map(|feature| Column {
        name: feature.name.clone(),
        kind: kind(&feature.domain),
        required: true,
    });
    let output = match metadata.task {
        Task::Binary => "probability",
        Task::Regression => "prediction",
    };
    let created = instant(metadata.created_at);
    let text = MlModel {
        flavors: Flavors {
            lightgbm,
            regent: Regent {
                engine: metadata.parents.engine.clone(),
                model: file,
                preprocessor: super::bundle::PREPROCESSOR,
                calibration: super::bundle::CALIBRATION,
            },
        },
        utc_time_created: created.clone(),
        signature: Signature {
            inputs: columns(inputs.collect())?,
            outputs: columns(vec![Column { name: output.to_owned(), kind: "double", required: true }])?,
        },
        metadata: Described {
            name: metadata.name.to_string(),
            version: metadata.version.to_string(),
            plan: metadata.parents.plan.to_string(),
            note: calibrated_elsewhere,
        },
    };
    let text = yaml::print(&text).map_err(|why| fault(why.to_string()))?;
    // PyYAML, which MLflow reads with, makes an instant of it unless it is quoted; MLflow wants text.
    Ok(text.replacen(&created, &format!("'{created}'"), 1))
}

/// `2026-11-21 10:00:00.000000`, as MLflow writes instants.
fn instant(at: Timestamp) -> String {
    let text = at.to_string().replace('T', " ").replace('Z', "");
    if text.contains('.') { text } else { format!("{text}.000000") }
}

fn kind(domain: &Domain) -> &'static str {
    match domain {
        Domain::Integer(_) => "long",
        Domain::Float(_) => "double",
        Domain::Boolean => "boolean",
        Domain::Category(_) | Domain::Date | Domain::Timestamp | Domain::Id => "string",
    }
}
