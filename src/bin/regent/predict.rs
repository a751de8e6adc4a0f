//! `regent predict`: the champion's answers to the rows of a file; a door. Nothing of it is logged or counted as traffic.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use clap::{Args, ValueEnum};
use regent::govern;
use regent::registry::{self, Verified};
use regent::serve::{Form, Page, Pages, Predictor, RowsFile, ServeError};
use regent::types::ModelUri;
use serde_json::json;

use crate::edge::files::write_new;
use crate::edge::{Answer, Exit, Failure, Scene};
use crate::log;
use crate::registry::recorded;

/// Answer every row of a file as the champion would a request, or as another version would: CSV, JSON lines or Parquet; nothing is recorded
///
/// A row that the contract refuses has its violations in the place of its prediction; all others are answered, and the command ends
/// with 3.
#[derive(Debug, Args)]
pub struct Predict {
    /// The file; `-` for stdin
    file: PathBuf,
    /// The model, or one of its versions: models:/rain@candidate, models:/rain/1.2.0 [default: the champion]
    #[arg(long)]
    model: Option<ModelUri>,
    /// A column that is no feature, such as an id or the target; may be given again
    #[arg(long, value_name = "COLUMN")]
    ignore: Vec<String>,
    /// Create this file instead of writing to stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The form of the answers [default: as the ending of --out says, else csv]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
    Parquet,
}

impl Predict {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        if self.out.is_none() && scene.answers_json() {
            let what = "the answers to rows and the answer of the command would both be on stdout";
            return Err(Failure::usage(what).hint("say where the rows go: --out FILE"));
        }
        let target = Target::new(scene, self.out.as_deref())?;
        let predictor = predictor(scene, self.model.as_ref())?;
        let contract = predictor.contract();
        let file = match log::parquet(&self.file)? {
            Some(file) => RowsFile::parquet(contract, file, &self.ignore),
            None => RowsFile::open(contract, log::read(&self.file)?.into(), &self.ignore),
        }?;
        let (form, task) = (self.form(), contract.task());
        let hands = thread::available_parallelism().map_or(1, usize::from);
        let mut refused = 0;
        let page = |first, rows: Vec<_>| Page::of(form, task, first, &rows);
        let mut pages = Pages::begin(form, task, target)?;
        let rows = file.answer(&predictor, hands, page, |page: Result<Page, ServeError>| {
            let page = page?;
            refused += page.refused;
            pages.add(&page)
        })?;
        pages.finish()?.end()?;
        let value = json!({
            "format_version": 1, "model": predictor.name(), "version": predictor.version(),
            "rows": rows, "answered": rows - refused, "refused": refused, "out": self.out,
        });
        let told =
            format!("{} of {rows} rows answered by {} {}", rows - refused, predictor.name(), predictor.version());
        let told = if refused > 0 { format!("{told}, {refused} refused") } else { told };
        let text = if self.out.is_some() {
            told
        } else {
            scene.say(&told);
            String::new()
        };
        let exit = if refused > 0 { Exit::DataRejected } else { Exit::Done };
        Ok(Answer::new(text, &value)?.ending(exit))
    }

    fn form(&self) -> Form {
        let ending = self.out.as_ref().and_then(|out| out.extension()?.to_str());
        match (self.format, ending) {
            (Some(Format::Csv), _) => Form::Csv,
            (Some(Format::Jsonl), _) | (None, Some("jsonl" | "ndjson")) => Form::Lines,
            (Some(Format::Parquet), _) | (None, Some("parquet")) => Form::Parquet,
            (None, _) => Form::Csv,
        }
    }
}

/// Who answers now, or the version that is named, verified as `regent serve` would.
fn predictor(scene: &Scene, named: Option<&ModelUri>) -> Result<Predictor, Failure> {
    let workspace = scene.workspace()?;
    let model = workspace.model(named.map(|named| named.model.clone()))?;
    let rules = workspace.governed(&model)?.rules;
    let standing = govern::fold(&workspace.store, &model)?;
    let asked = named.map(|named| workspace.version(named, None)).transpose()?.flatten();
    let Some(version) = asked.or(standing.champion_version()) else {
        return Err(Failure::usage(format!("{model} has no champion yet, so nobody answers")).hint("regent status"));
    };
    let recorded = recorded(&standing, version);
    match registry::fetch_trusted(&workspace.store, &model, version, recorded, &rules.signature)? {
        Verified::Here(model) => Ok(Predictor::new(std::sync::Arc::from(model))),
        Verified::Elsewhere(_) => Err(Failure::usage(format!("{model} {version} answers elsewhere: ask there"))),
    }
}

/// Where the rows go: to stdout as they come, or into a file that appears whole.
struct Target<'a> {
    scene: &'a Scene,
    out: Option<&'a Path>,
    held: Vec<u8>,
}

impl<'a> Target<'a> {
    /// Said before a row is answered: what is there already is not written over.
    fn new(scene: &'a Scene, out: Option<&'a Path>) -> Result<Self, Failure> {
        match out.filter(|out| out.exists()) {
            Some(there) => Err(Failure::usage(format!("{} is there already", there.display()))
                .hint("name another file, or take that one away")),
            None => Ok(Target { scene, out, held: Vec::new() }),
        }
    }

    fn end(self) -> Result<(), Failure> {
        let Some(out) = self.out else { return Ok(()) };
        let failed = |error| Failure::because(Exit::Usage, format!("create {}", out.display()), error);
        write_new(out, &self.held, 0o644).map_err(failed)
    }
}

impl Write for Target<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.out {
            Some(_) => self.held.extend_from_slice(bytes),
            None => self.scene.pour(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
