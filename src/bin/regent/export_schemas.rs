//! `regent export-schemas`: the JSON Schema of every YAML file that Regent reads or writes, for editors; a door.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use regent::config::{Policy, Settings};
use regent::console::{Trusted, Windows};
use regent::contract::RawContract;
use regent::drift::files::FilesReport;
use regent::govern::Override;
use regent::ingest::{DatasetMeta, RawSchema};
use regent::registry::Metadata;
use regent::yaml::schema_of;
use serde_json::{Value, json};

use crate::edge::{Answer, Failure, Scene};

/// Write the JSON Schemas of all YAML files, for editors
#[derive(Debug, Args)]
pub struct ExportSchemas {
    /// The folder to write to [default: schemas/json of the workspace]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Say what would be written
    #[arg(long)]
    dry_run: bool,
}

/// A schema: its file's name, and how it is made.
type Named = (&'static str, fn() -> Value);

/// Every YAML file there is, and the answers that programs read.
const SCHEMAS: [Named; 10] = [
    ("check.json", || schema_of::<FilesReport>("What `regent check -o json` answers")),
    ("contract.json", || schema_of::<RawContract>("A feature contract: contracts/<model>.yaml")),
    ("dataset.json", || schema_of::<DatasetMeta>("A frozen dataset: var/<model>/datasets/<digest>/dataset.yaml")),
    ("metadata.json", || schema_of::<Metadata>("A bundle's origin: registry/<model>/<version>/metadata.yaml")),
    ("override.json", || schema_of::<Override>("An order: governance/<model>/overrides/<name>.yaml")),
    ("policy.json", || schema_of::<Policy>("The rules of every stage: governance/<model>/policy.yaml")),
    ("regent.json", || schema_of::<Settings>("A workspace's settings: regent.yaml")),
    ("schema.json", || schema_of::<RawSchema>("A data schema: schemas/<name>.yaml")),
    ("trust.json", || schema_of::<Trusted>("What `regent trust -o json` answers")),
    ("view.json", || schema_of::<Windows>("What `regent view -o json` answers")),
];

/// Every schema as the text of its file, by name.
pub fn schemas() -> impl Iterator<Item = (&'static str, String)> {
    SCHEMAS.into_iter().map(|(name, schema)| (name, format!("{:#}\n", schema())))
}

impl ExportSchemas {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let folder = match self.out {
            Some(folder) => folder,
            None => scene.workspace()?.root.join("schemas/json"),
        };
        let mut written = Vec::new();
        for (name, text) in schemas() {
            let path = folder.join(name);
            let failed = |error| Failure::internal(format!("write {}", path.display()), error);
            if !self.dry_run {
                fs::create_dir_all(&folder).and_then(|()| fs::write(&path, text)).map_err(failed)?;
            }
            written.push(path.display().to_string());
        }
        let verb = if self.dry_run { "would write" } else { "wrote" };
        let lines: Vec<String> = written.iter().map(|path| format!("{verb} {path}")).collect();
        Answer::new(lines.join("\n"), &json!({ "schemas": written, "dry_run": self.dry_run }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_committed_schemas_are_the_types() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/json");
        for (name, text) in schemas() {
            let committed = fs::read_to_string(folder.join(name)).unwrap_or_default();
            assert!(committed == text, "schemas/json/{name} is not what the types say: run `regent export-schemas`");
        }
        let files = fs::read_dir(folder).unwrap().count();
        assert_eq!(files, SCHEMAS.len(), "schemas/json holds a file that no type stands behind");
    }

    #[test]
    fn shipped_yaml_names_a_schema_that_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = vec![root.join("regent.yaml")];
        for model in ["rain", "churn", "ridership"] {
            files.push(root.join(format!("schemas/{model}.yaml")));
            files.push(root.join(format!("contracts/{model}.yaml")));
            files.push(root.join(format!("governance/{model}/policy.yaml")));
        }
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let line = text.lines().next().unwrap_or_default();
            let named = line.strip_prefix("# yaml-language-server: $schema=").unwrap_or_default();
            let schema = file.parent().unwrap().join(named);
            assert!(schema.is_file(), "{}: `{line}` names no schema", file.display());
        }
    }
}
