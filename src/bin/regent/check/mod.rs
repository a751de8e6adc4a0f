//! `regent check`: two files, then and now, without a workspace; a door.

mod page;
mod text;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use regent::config::Policy;
use regent::drift::DriftRules;
use regent::drift::files::{Asked, Classifier, FilesReport, compare};
use regent::ingest::{RawSchema, Schema, open_table};
use regent::types::Verdict;
use regent::yaml;

use crate::edge::files::write_new;
use crate::edge::{Answer, Exit, Failure, Scene};

/// Has one file drifted from another? Every statistic, CSV or Parquet, no workspace
#[derive(Debug, Args)]
pub struct Check {
    /// The rows as they were
    #[arg(long, value_name = "FILE")]
    reference: PathBuf,
    /// The rows as they are
    #[arg(long, value_name = "FILE")]
    current: PathBuf,
    /// The column that came true; judged beside the features
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// The column that a model predicted; judged beside the features
    #[arg(long, value_name = "COLUMN")]
    prediction: Option<String>,
    /// What the columns are [default: a look at the reference tells]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// A policy whose `drift:` rules hold [default: the rules' defaults]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Train a classifier to tell the files apart
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    classifier: When,
    /// Decides which rows are looked at, and the classifier's choices
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Create a page with the whole answer, in one file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// End with 12 where drift was found, with 13 where too little was seen to say
    #[arg(long)]
    exit_code: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum When {
    /// If neither file has more than 2,500,000 numbers
    #[default]
    Auto,
    /// On a sample of large files too
    Always,
    Never,
}

impl Check {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let rules = match &self.policy {
            Some(path) => Policy::read(&path.display().to_string(), &read(path)?)?.drift,
            None => DriftRules::DEFAULTS,
        };
        let asked = Asked {
            target: self.target.clone(),
            prediction: self.prediction.clone(),
            schema: self.schema.as_deref().map(schema).transpose()?,
            classifier: match self.classifier {
                When::Auto => Classifier::Auto,
                When::Always => Classifier::Always,
                When::Never => Classifier::Never,
            },
            seed: self.seed,
        };
        let report = compare(open_table(&self.reference)?, open_table(&self.current)?, &asked, &rules)?;
        let mut answer = Answer::new(text::of(&report), &report)?.ending(self.exit(&report));
        if let Some(path) = &self.html {
            create_page(path, &page::of(&report, scene.now))?;
            answer = answer.next(format!("open {}", path.display()));
        }
        Ok(answer)
    }

    fn exit(&self, report: &FilesReport) -> Exit {
        match report.verdict {
            Verdict::Fail if self.exit_code => Exit::Drift,
            Verdict::Insufficient | Verdict::Error if self.exit_code => Exit::Undecided,
            Verdict::Pass | Verdict::Insufficient | Verdict::Error | Verdict::Fail => Exit::Done,
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error| Failure::because(Exit::Usage, format!("read {}", path.display()), error);
    fs::read_to_string(path).map_err(failed)
}

fn schema(path: &Path) -> Result<Schema, Failure> {
    let file = path.display().to_string();
    let raw: RawSchema = yaml::read(&file, &read(path)?)?;
    raw.check().map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Failure::plain(Exit::Invalid, format!("{file}: {}", faults.join("; ")))
    })
}

fn create_page(path: &Path, page: &str) -> Result<(), Failure> {
    match write_new(path, page.as_bytes(), 0o644) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Failure::usage(format!("{} is there already", path.display())).hint("name another file"))
        }
        Err(error) => Err(Failure::internal(format!("create {}", path.display()), error)),
    }
}
