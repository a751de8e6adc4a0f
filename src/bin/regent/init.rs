//! `regent init`: a working workspace, empty or with an example; a door. Never overwrites a file.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::edge::{Answer, Failure, Scene, files};
use crate::export_schemas;

/// Make a workspace, empty or with an example
#[derive(Debug, Args)]
pub struct Init {
    /// Begin with real data and a contract for it
    #[arg(long, value_enum)]
    example: Option<Example>,
    /// Say what would be written
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Example {
    /// Will it rain? Fifty years of weather, and an incident (binary)
    Rain,
    /// Will the customer leave? Words as features, and no drift (binary)
    Churn,
    /// How many people will board? Sixteen years of strong drift (regression)
    Ridership,
}

/// A file of this repository, carried in the program: the repository is itself a workspace.
macro_rules! shipped {
    ($path:literal) => {
        ($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)))
    };
}

type File = (&'static str, &'static str);

const SETTINGS: File = shipped!("regent.yaml");

impl Example {
    fn model(self) -> &'static str {
        match self {
            Example::Rain => "rain",
            Example::Churn => "churn",
            Example::Ridership => "ridership",
        }
    }

    fn files(self) -> [File; 5] {
        const ORIGIN: File = shipped!("data/README.md");
        match self {
            Example::Rain => [
                shipped!("schemas/rain.yaml"),
                shipped!("contracts/rain.yaml"),
                shipped!("governance/rain/policy.yaml"),
                shipped!("data/noaa_rain.csv"),
                ORIGIN,
            ],
            Example::Churn => [
                shipped!("schemas/churn.yaml"),
                shipped!("contracts/churn.yaml"),
                shipped!("governance/churn/policy.yaml"),
                shipped!("data/wa_churn.csv"),
                ORIGIN,
            ],
            Example::Ridership => [
                shipped!("schemas/ridership.yaml"),
                shipped!("contracts/ridership.yaml"),
                shipped!("governance/ridership/policy.yaml"),
                shipped!("data/chicago_ridership.csv"),
                ORIGIN,
            ],
        }
    }
}

impl Init {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let root = scene.folder()?;
        let mut files: Vec<(String, String)> = vec![owned(SETTINGS)];
        files.extend(export_schemas::schemas().map(|(name, text)| (format!("schemas/json/{name}"), text)));
        files.extend(self.example.into_iter().flat_map(Example::files).map(owned));
        let missing = missing(&root, &files)?;
        if !self.dry_run {
            let incoming = self.example.map(|example| format!("incoming/{}", example.model()));
            let folders = ["contracts", "governance"].into_iter().map(str::to_owned).chain(incoming);
            for folder in folders {
                create_folder(&root.join(folder))?;
            }
            for (path, text) in &missing {
                create(&root.join(path), text)?;
            }
        }
        let verb = if self.dry_run { "would create" } else { "created" };
        let paths: Vec<&str> = missing.iter().map(|(path, _)| path.as_str()).collect();
        let lines: Vec<String> = paths.iter().map(|path| format!("{verb} {path}")).collect();
        let text = if lines.is_empty() { "everything is there already".to_owned() } else { lines.join("\n") };
        Ok(Answer::new(text, &json!({ "created": paths, "dry_run": self.dry_run }))?.next(self.hint()))
    }

    fn hint(&self) -> String {
        match self.example.map(Example::model) {
            Some(model) => format!("regent contract register {model}"),
            None => "regent schema infer FILE.csv, then edit the draft".to_owned(),
        }
    }
}

fn owned((path, text): File) -> (String, String) {
    (path.to_owned(), text.to_owned())
}

/// The files that are not there yet; refuses all if one of them is there and differs.
fn missing<'a>(root: &Path, files: &'a [(String, String)]) -> Result<Vec<&'a (String, String)>, Failure> {
    let mut missing = Vec::new();
    let mut in_the_way = Vec::new();
    for file in files {
        let (path, text) = file;
        match fs::read(root.join(path)) {
            Ok(there) if there == text.as_bytes() => {}
            Ok(_) => in_the_way.push(path.as_str()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(file),
            Err(error) => return Err(Failure::internal(format!("read {path}"), error)),
        }
    }
    if in_the_way.is_empty() {
        return Ok(missing);
    }
    let what = format!("{} would be overwritten, and `init` overwrites nothing", in_the_way.join(", "));
    Err(Failure::usage(what).hint("make the workspace in an empty folder: regent --workspace DIR init"))
}

fn create(path: &Path, text: &str) -> Result<(), Failure> {
    files::write_draft(path, text).map_err(|error| Failure::internal(format!("write {}", path.display()), error))
}

fn create_folder(folder: &Path) -> Result<(), Failure> {
    files::make_folder(folder).map_err(|error| Failure::internal(format!("create {}", folder.display()), error))
}
