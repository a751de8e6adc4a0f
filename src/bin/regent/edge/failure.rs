//! What every stage's errors mean at the edge: an exit code, a report with its causes and, where there is one, the mend.

use std::error::Error;
use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};
use serde_json::{Value, json};

use regent::alert::AlertError;
use regent::audit::{AuditError, HeadError};
use regent::backtest::BacktestError;
use regent::config::PolicyError;
use regent::console::ConsoleError;
use regent::contract::ContractError;
use regent::drift::files::FilesError;
use regent::govern::GovernError;
use regent::ingest::IngestError;
use regent::log::LogError;
use regent::promote::PromoteError;
use regent::registry::RegistryError;
use regent::serve::ServeError;
use regent::snapshot::SnapshotError;
use regent::store::{KeyError, StoreError};
use regent::train::TrainError;
use regent::yaml::YamlError;

use super::Exit;

/// A command that could not be done.
#[derive(Debug)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    error: Box<dyn Error + Send + Sync>,
    /// What to do about it.
    hint: Option<String>,
    /// What programs want to know besides: the violations of a file.
    details: Option<Value>,
    /// How people are told, if that is more than a sentence.
    report: Option<String>,
    /// `failed to `, where the error is what could not be done and not a sentence of its own.
    lead: &'static str,
}

const FAILED: &str = "failed to ";

/// An error of a stage, as the edge sees it.
pub trait Fails: Error + Send + Sync + Sized + 'static {
    /// The exit code it ends with.
    fn exit(&self) -> Exit;

    /// What to do about it, unless its message says so.
    fn hint(&self) -> Option<String> {
        None
    }

    /// What programs want to know besides.
    fn details(&self) -> Option<Value> {
        None
    }

    /// How people are told, if that is more than a sentence: compiler-like lines, which editors can follow.
    fn report(&self) -> Option<String> {
        None
    }
}

impl<E: Fails> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure {
            exit: error.exit(),
            hint: error.hint(),
            details: error.details(),
            report: error.report(),
            lead: FAILED,
            error: Box::new(error),
        }
    }
}

/// The one table from errors to exit codes.
mod table {
    use super::{
        AlertError, AuditError, BacktestError, ConsoleError, ContractError, Exit, Fails, FilesError, GovernError,
        HeadError, IngestError, KeyError, LogError, PolicyError, PromoteError, RegistryError, ServeError,
        SnapshotError, StoreError, TrainError, Value, YamlError,
    };

    impl Fails for StoreError {
        fn exit(&self) -> Exit {
            match self {
                StoreError::Open { .. } => Exit::Usage,
                StoreError::AlreadyExists { .. } => Exit::Integrity,
                StoreError::NotFound { .. }
                | StoreError::NotAFolder { .. }
                | StoreError::NotAnObject { .. }
                | StoreError::OutOfRange { .. } => Exit::Integrity,
                StoreError::NoObjects { .. }
                | StoreError::GivenTwice { .. }
                | StoreError::Unsupported { .. }
                | StoreError::Key(_)
                | StoreError::Io { .. } => Exit::Internal,
            }
        }
    }

    impl Fails for KeyError {
        fn exit(&self) -> Exit {
            Exit::Usage
        }
    }

    impl Fails for YamlError {
        fn exit(&self) -> Exit {
            Exit::Invalid
        }
    }

    impl Fails for PolicyError {
        fn exit(&self) -> Exit {
            Exit::Invalid
        }
    }

    impl Fails for IngestError {
        fn exit(&self) -> Exit {
            match self {
                IngestError::Rejected(_) => Exit::DataRejected,
                IngestError::Read { .. } => Exit::Usage,
                IngestError::Pattern { .. } => Exit::Invalid,
                IngestError::Scratch(_) | IngestError::Parquet { operation: "write", .. } => Exit::Internal,
                IngestError::Store(error) => error.exit(),
                IngestError::Parquet { .. }
                | IngestError::Yaml(_)
                | IngestError::Tampered { .. }
                | IngestError::Newer { .. }
                | IngestError::Inconsistent { .. } => Exit::Integrity,
            }
        }

        fn details(&self) -> Option<Value> {
            match self {
                IngestError::Rejected(rejection) => serde_json::to_value(rejection).ok(),
                _ => None,
            }
        }

        fn report(&self) -> Option<String> {
            match self {
                IngestError::Rejected(rejection) => Some(rejection.to_string()),
                _ => None,
            }
        }
    }

    impl Fails for FilesError {
        fn exit(&self) -> Exit {
            match self {
                FilesError::Ingest(error) => error.exit(),
                FilesError::NoColumn { .. } => Exit::Usage,
            }
        }

        fn details(&self) -> Option<Value> {
            match self {
                FilesError::Ingest(error) => error.details(),
                FilesError::NoColumn { .. } => None,
            }
        }

        fn report(&self) -> Option<String> {
            match self {
                FilesError::Ingest(error) => error.report(),
                FilesError::NoColumn { .. } => None,
            }
        }
    }

    impl Fails for ContractError {
        fn exit(&self) -> Exit {
            match self {
                ContractError::Faults(_) | ContractError::WrongVersion { .. } | ContractError::Yaml(_) => Exit::Invalid,
                ContractError::Unregistered { .. } => Exit::Usage,
                ContractError::Refused { .. } | ContractError::NoColumn(_) => Exit::DataRejected,
                ContractError::Misfiled { .. } | ContractError::BrokenProfile { .. } | ContractError::Raced { .. } => {
                    Exit::Integrity
                }
                ContractError::Profile { .. } => Exit::Internal,
                ContractError::Store(error) => error.exit(),
            }
        }
    }

    impl Fails for TrainError {
        fn exit(&self) -> Exit {
            match self {
                TrainError::TooFewRows { .. } | TrainError::ClassRows { .. } | TrainError::Rows { .. } => {
                    Exit::DataRejected
                }
                TrainError::Rules { .. } => Exit::Invalid,
                TrainError::OtherRoad { .. }
                | TrainError::Engine { .. }
                | TrainError::NewerPlan { .. }
                | TrainError::WrongContract { .. } => Exit::Integrity,
                TrainError::NoFamily { .. }
                | TrainError::Fit { .. }
                | TrainError::LightGbm(_)
                | TrainError::Forest(_)
                | TrainError::Calibration(_)
                | TrainError::Scorer(_)
                | TrainError::NotComputable(_)
                | TrainError::Profile(_)
                | TrainError::Json { .. } => Exit::Internal,
            }
        }
    }

    impl Fails for RegistryError {
        fn exit(&self) -> Exit {
            match self {
                RegistryError::Store(error) => error.exit(),
                RegistryError::NoSuchVersion { .. } | RegistryError::MonitorOnly { .. } => Exit::Usage,
                RegistryError::AlreadyExists { .. }
                | RegistryError::Damaged { .. }
                | RegistryError::Unreadable { .. }
                | RegistryError::Contradiction { .. }
                | RegistryError::SelfTest { .. }
                | RegistryError::Untrusted { .. }
                | RegistryError::Signature { .. }
                | RegistryError::Archive(_)
                | RegistryError::WrongContract { .. } => Exit::Integrity,
                RegistryError::Plan(error) => error.exit(),
                RegistryError::Print { .. } => Exit::Internal,
            }
        }
    }

    impl Fails for ServeError {
        fn exit(&self) -> Exit {
            match self {
                ServeError::NotLoopback { .. } | ServeError::Bind { .. } => Exit::Usage,
                ServeError::Load { source, .. } => source.exit(),
                ServeError::Rows { .. } => Exit::DataRejected,
                ServeError::KeyExposed { .. } | ServeError::KeyUnreadable { .. } => Exit::Integrity,
                ServeError::KeyFile { .. } | ServeError::NotFinite | ServeError::Write(_) | ServeError::Thread(_) => {
                    Exit::Internal
                }
            }
        }
    }

    impl Fails for AlertError {
        fn exit(&self) -> Exit {
            match self {
                AlertError::NotAnId { .. }
                | AlertError::NotStanding { .. }
                | AlertError::AcknowledgedAlready { .. } => Exit::Usage,
                AlertError::Read { .. } | AlertError::Newer { .. } => Exit::Integrity,
                AlertError::Crowded { .. } => Exit::TryAgain,
                AlertError::Print { .. } => Exit::Internal,
                AlertError::Store(error) => error.exit(),
            }
        }

        fn hint(&self) -> Option<String> {
            let hint = "`regent alert list` shows the alerts that stand";
            matches!(self, AlertError::NotStanding { .. } | AlertError::NotAnId { .. }).then(|| hint.to_owned())
        }
    }

    impl Fails for ConsoleError {
        fn exit(&self) -> Exit {
            match self {
                ConsoleError::Cursor { .. } | ConsoleError::NoSuchSize { .. } => Exit::Usage,
                ConsoleError::Rules(_) => Exit::Invalid,
                ConsoleError::Altered { .. } | ConsoleError::Report { .. } => Exit::Integrity,
                ConsoleError::Print(_) => Exit::Internal,
                ConsoleError::Govern(error) => error.exit(),
                ConsoleError::Audit(error) => error.exit(),
                ConsoleError::Registry(error) => error.exit(),
                ConsoleError::Log(error) => error.exit(),
                ConsoleError::Snapshot(error) => error.exit(),
                ConsoleError::Alert(error) => error.exit(),
                ConsoleError::Store(error) => error.exit(),
            }
        }
    }

    impl Fails for LogError {
        fn exit(&self) -> Exit {
            match self {
                LogError::Labels { .. } | LogError::Inferences { .. } => Exit::DataRejected,
                LogError::ReplicaTaken { .. } => Exit::TryAgain,
                LogError::Line { .. } | LogError::OtherRows { .. } | LogError::Part { .. } => Exit::Integrity,
                LogError::Spool { .. } | LogError::Thread(_) => Exit::Internal,
                LogError::Key(error) => error.exit(),
                LogError::Store(error) => error.exit(),
            }
        }

        fn details(&self) -> Option<Value> {
            match self {
                LogError::Labels { faults, .. } => {
                    Some(faults.iter().map(|fault| Value::String(fault.to_string())).collect())
                }
                LogError::Inferences { faults, .. } => {
                    Some(faults.iter().map(|fault| Value::String(fault.to_string())).collect())
                }
                _ => None,
            }
        }

        fn report(&self) -> Option<String> {
            let LogError::Inferences { rows, total, faults } = self else { return None };
            let mut lines = vec![match total {
                1 => format!("1 fault in {rows} rows; nothing was written"),
                _ => format!("{total} faults in {rows} rows; nothing was written"),
            }];
            lines.extend(faults.iter().map(ToString::to_string));
            let hidden = total - faults.len() as u64;
            lines.extend((hidden > 0).then(|| format!("… and {hidden} more")));
            Some(lines.join("\n"))
        }
    }

    impl Fails for GovernError {
        fn exit(&self) -> Exit {
            match self {
                GovernError::Store(error) => error.exit(),
                GovernError::Override { .. } | GovernError::Yaml(_) => Exit::Invalid,
                GovernError::Entry { .. }
                | GovernError::Newer { .. }
                | GovernError::Chain { .. }
                | GovernError::Step { .. } => Exit::Integrity,
            }
        }
    }

    impl Fails for PromoteError {
        fn exit(&self) -> Exit {
            match self {
                PromoteError::Store(error) => error.exit(),
                PromoteError::Govern(error) => error.exit(),
                PromoteError::Ingest(error) => error.exit(),
                PromoteError::NotMyTurn { .. } => Exit::NotMyTurn,
                PromoteError::Clock { .. } => Exit::TryAgain,
                PromoteError::NothingToTrain { .. } => Exit::Usage,
                PromoteError::Contract(error) => error.exit(),
                PromoteError::Registry(error) => error.exit(),
                PromoteError::Log(error) => error.exit(),
                PromoteError::Snapshot(error) => error.exit(),
                PromoteError::Train(error) => error.exit(),
                PromoteError::OffTheRoad(_) | PromoteError::Json { .. } => Exit::Internal,
            }
        }
    }

    impl Fails for AuditError {
        fn exit(&self) -> Exit {
            match self {
                AuditError::Store(error) => error.exit(),
                AuditError::Govern(error) => error.exit(),
                AuditError::Registry(error) => error.exit(),
                AuditError::Promote(error) => error.exit(),
                AuditError::Snapshot(error) => error.exit(),
                AuditError::Altered { .. } | AuditError::Unreadable { .. } => Exit::Integrity,
                AuditError::OffTheRoad { .. } | AuditError::Json { .. } => Exit::Internal,
            }
        }
    }

    impl Fails for HeadError {
        fn exit(&self) -> Exit {
            Exit::Usage
        }
    }

    impl Fails for BacktestError {
        fn exit(&self) -> Exit {
            match self {
                BacktestError::TooFewRows { .. } => Exit::Usage,
                BacktestError::Promote(error) => error.exit(),
                BacktestError::Store(error) => error.exit(),
                BacktestError::Alert(error) => error.exit(),
                BacktestError::Unanswered { .. } | BacktestError::World(_) => Exit::Internal,
            }
        }
    }

    impl Fails for SnapshotError {
        fn exit(&self) -> Exit {
            match self {
                SnapshotError::Unreadable { .. } | SnapshotError::Newer { .. } => Exit::Integrity,
                SnapshotError::Name(_) => Exit::Internal,
                SnapshotError::Log(error) => error.exit(),
                SnapshotError::Key(error) => error.exit(),
                SnapshotError::Store(error) => error.exit(),
            }
        }

        fn details(&self) -> Option<Value> {
            match self {
                SnapshotError::Log(error) => error.details(),
                _ => None,
            }
        }

        fn report(&self) -> Option<String> {
            match self {
                SnapshotError::Log(error) => error.report(),
                _ => None,
            }
        }
    }

    /// Errors of the machine the program runs on.
    impl Fails for std::io::Error {
        fn exit(&self) -> Exit {
            Exit::Internal
        }
    }
}

/// An error and its causes, the outermost first.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

impl Failure {
    /// The command asks for what is not there, or says too little.
    pub fn usage(what: impl Into<String>) -> Failure {
        Failure::plain(Exit::Usage, what)
    }

    /// A failure in words alone.
    pub fn plain(exit: Exit, what: impl Into<String>) -> Failure {
        Failure::of(exit, what.into().into(), "")
    }

    fn of(exit: Exit, error: Box<dyn Error + Send + Sync>, lead: &'static str) -> Failure {
        Failure { exit, error, hint: None, details: None, report: None, lead }
    }

    /// Something inside failed while doing `what`.
    pub fn internal(what: impl Into<String>, source: impl Error + Send + Sync + 'static) -> Failure {
        Failure::because(Exit::Internal, what, source)
    }

    /// `what` could not be done because of `source`.
    pub fn because(exit: Exit, what: impl Into<String>, source: impl Error + Send + Sync + 'static) -> Failure {
        let error = Because { what: what.into(), source: Box::new(source) };
        Failure::of(exit, Box::new(error), FAILED)
    }

    /// The same failure with a mend.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// What to do about it.
    pub fn mend(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The failure as programs read it.
    pub fn to_json(&self) -> Value {
        let causes: Vec<String> = self.chain().map(ToString::to_string).collect();
        json!({
            "format_version": 1,
            "exit": self.exit.code(),
            "error": causes.first(),
            "causes": causes.get(1..),
            "hint": self.hint,
            "details": self.details,
        })
    }

    /// The failure with its causes, in a sentence.
    pub fn sentence(&self) -> String {
        let causes: Vec<String> = self.chain().map(ToString::to_string).collect();
        format!("{}{}", self.lead, causes.join(": "))
    }

    fn chain(&self) -> impl Iterator<Item = &(dyn Error + 'static)> {
        chain(self.error.as_ref())
    }

    /// The failure as people read it: the place in their file if there is one, the causes and the mend.
    pub fn to_text(&self, colour: bool) -> String {
        if let Some(report) = &self.report {
            return format!("{report}\n");
        }
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(0).with_width(120).with_links(false);
        let mut text = String::new();
        match handler.render_report(&mut text, &Told::of(self)) {
            Ok(()) => text,
            Err(fmt::Error) => self.sentence(),
        }
    }
}

#[derive(Debug)]
struct Because {
    what: String,
    source: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Because {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// A failure in the words of miette, which draws it.
#[derive(Debug)]
struct Told<'a> {
    failure: &'a Failure,
    message: String,
    hint: Option<String>,
    source: Option<Excerpt>,
    label: Option<LabeledSpan>,
}

impl<'a> Told<'a> {
    fn of(failure: &'a Failure) -> Told<'a> {
        let Some(yaml) = failure.chain().find_map(|error| error.downcast_ref::<YamlError>()) else {
            let message = failure.sentence();
            return Told { failure, message, hint: failure.hint.clone(), source: None, label: None };
        };
        let hint = failure.hint.clone().or_else(|| yaml.hint.clone());
        let Some(place) = &yaml.place else {
            let message = format!("{}: {}", yaml.file, yaml.message);
            return Told { failure, message, hint, source: None, label: None };
        };
        let before: usize = place.text.chars().take(place.column.saturating_sub(1)).map(char::len_utf8).sum();
        let label = LabeledSpan::new(Some(yaml.message.clone()), before, 1);
        let source = Excerpt { file: yaml.file.clone(), line: place.line, text: place.text.clone() };
        let message = format!("{} is not what it should be", yaml.file);
        Told { failure, message, hint, source: Some(source), label: Some(label) }
    }
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Told<'_> {}

impl Diagnostic for Told<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(format!("exit {}: {}", self.failure.exit.code(), self.failure.exit)))
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.label.iter().cloned()))
    }
}

/// One line of a file, under its own number.
#[derive(Debug)]
struct Excerpt {
    file: String,
    line: usize,
    text: String,
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = SourceSpan::from(0..self.text.len());
        let line = self.line.saturating_sub(1);
        let contents = MietteSpanContents::new_named(self.file.clone(), self.text.as_bytes(), whole, line, 0, 1);
        Ok(Box::new(contents))
    }
}

#[cfg(test)]
mod tests {
    use regent::config::Policy;

    use super::*;

    #[test]
    fn a_mistyped_policy_is_shown_with_its_line_and_a_mend() {
        let error = Policy::read("policy.yaml", "sources: []\ndrfit:\n  psi: 0.3\n").unwrap_err();
        let failure = Failure::from(error);
        assert_eq!(failure.exit, Exit::Invalid);
        let text = failure.to_text(false);
        assert!(text.contains("policy.yaml:2:") && text.contains("drfit"), "{text}");
        assert!(text.contains("did you mean `drift`?"), "{text}");
    }

    #[test]
    fn causes_are_told_in_one_sentence() {
        let failure = Failure::internal("write the answer", std::io::Error::other("disk full"));
        assert!(failure.to_text(false).contains("write the answer: disk full"));
        assert_eq!(failure.to_json()["causes"][0], "disk full");
    }
}
