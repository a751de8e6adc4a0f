//! `regent verify`: is everything that is stored what was stored, from the journal back to the source files; a door.

use std::time::Instant;

use clap::Args;
use regent::audit::{self, Head, SourceFile, Verified, Whereabouts};
use regent::ingest::Globs;
use regent::types::ModelName;
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene, Workspace};

/// Hold every stored byte against what names it: journal, inputs, bundles, datasets, contracts, windows, reports
#[derive(Debug, Args)]
pub struct Verify {
    /// The model [default: all]
    model: Option<ModelName>,
    /// What `regent journal head` printed and was kept elsewhere: finds a journal that was cut
    #[arg(long, value_name = "HEAD")]
    head: Option<String>,
}

impl Verify {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let heads = Head::all(self.head.as_deref().unwrap_or_default())?;
        let models = self.models(&workspace, &heads)?;
        let began = Instant::now();
        let examine = |model: &ModelName| {
            let files = Globs::new(workspace.root.clone(), Vec::new());
            audit::verify(&workspace.store, model, &files, &heads)
        };
        let verified: Vec<Verified> = models.iter().map(examine).collect::<Result<_, _>>()?;
        let seconds = began.elapsed().as_secs_f64();
        let bytes: u64 = verified.iter().map(|model| model.bytes).sum();
        let mb_per_s = bytes as f64 / 1e6 / seconds.max(f64::MIN_POSITIVE);
        tracing::info!("verified {bytes} bytes in {seconds:.3} s: {mb_per_s:.0} MB/s on one core");
        let sound = verified.iter().all(|model| model.findings.is_empty());
        let texts: Vec<String> = verified.iter().map(text).collect();
        let text = if texts.is_empty() { "there is no model here".to_owned() } else { texts.join("\n") };
        let value = json!({
            "format_version": 1, "sound": sound, "models": verified,
            "bytes": bytes, "seconds": seconds, "mb_per_s": mb_per_s,
        });
        let answer = Answer::new(text, &value)?.ending(if sound { Exit::Done } else { Exit::Integrity });
        let unkept = sound && heads.is_empty() && verified.iter().any(|model| model.head.is_some());
        Ok(if unkept { answer.next("keep `regent journal head` elsewhere, and give it to --head") } else { answer })
    }

    /// The model that is meant, or all there are and all that a head speaks of: one that is gone altogether is found too.
    fn models(&self, workspace: &Workspace, heads: &[Head]) -> Result<Vec<ModelName>, Failure> {
        if let Some(model) = &self.model {
            return match heads.iter().find(|head| &head.model != model) {
                Some(other) => Err(Failure::usage(format!("the head `{other}` is not of {model}"))),
                None => Ok(vec![model.clone()]),
            };
        }
        let mut models = workspace.models()?;
        models.extend(heads.iter().map(|head| head.model.clone()));
        models.sort();
        models.dedup();
        Ok(models)
    }
}

fn text(verified: &Verified) -> String {
    let verdict = match verified.findings.len() {
        0 => "everything is as it was stored".to_owned(),
        findings => counted(findings as u64, "finding"),
    };
    let looked_at = [
        (verified.entries, "journal file"),
        (verified.inputs, "input"),
        (verified.bundles, "bundle"),
        (verified.datasets, "dataset"),
        (verified.contracts, "contract"),
        (verified.snapshots, "window"),
        (verified.reports, "report"),
    ];
    let looked_at = looked_at.map(|(count, what)| counted(count, what)).join(", ");
    let megabytes = verified.bytes as f64 / 1e6;
    let mut lines =
        vec![format!("{}: {verdict}", verified.model), format!("  looked at {looked_at}: {megabytes:.1} MB")];
    lines.extend(verified.head.iter().map(|head| format!("  head      {head}")));
    let at = |found| verified.sources.iter().filter(move |source| source.found == found);
    if !verified.sources.is_empty() {
        let (here, archived) = (at(Whereabouts::Here).count(), at(Whereabouts::Archived).count());
        lines.push(format!("  sources   {here} here with the bytes that were taken in, {archived} archived"));
    }
    lines.extend(at(Whereabouts::Replaced).map(|source| format!("  source    {}", told(source))));
    if verified.archived > 0 {
        lines.push(format!("  archived  {} parts or smaller windows are no longer here", verified.archived));
    }
    lines.extend(verified.findings.iter().map(|finding| format!("  finding   {finding}")));
    lines.join("\n")
}

/// A file that has other bytes now: its owner may do that, and must know that the dataset is of the former ones.
fn told(source: &SourceFile) -> String {
    let (name, dataset) = (source.name.as_deref().unwrap_or_default(), source.dataset.short());
    format!("{name} has other bytes than those that became dataset {dataset} ({})", source.sha256.short())
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
