//! How messages reach stderr: in words for people, or as one JSON object a line for whoever collects logs; a door.

use std::io::{self, Write};

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use super::Failure;

/// The form of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// For people
    #[default]
    Text,
    /// One object a line: timestamp, level, target, message and fields
    Json,
}

/// What is said to whoever called the program has a target of its own: it is heard however quiet the log is.
const SAID: &str = "regent::said";

/// Speaks on stderr.
pub struct Voice {
    form: LogForm,
    quiet: bool,
}

impl Voice {
    /// Let the log speak in this form, as loudly as asked.
    pub fn set(form: LogForm, quiet: bool, verbose: u8) -> Voice {
        let level = match (quiet, verbose) {
            (true, _) => Level::ERROR,
            (false, 0) => Level::WARN,
            (false, 1) => Level::INFO,
            (false, _) => Level::DEBUG,
        };
        match form {
            LogForm::Text => fmt().with_max_level(level).with_writer(io::stderr).with_target(false).init(),
            LogForm::Json => {
                let said = if quiet { Level::ERROR } else { Level::INFO };
                let heard = Targets::new().with_default(level).with_target(SAID, said);
                let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
                registry().with(lines.with_writer(io::stderr).with_filter(heard)).init();
                std::panic::set_hook(Box::new(|panic| {
                    // Where, and not what: the words of a panic may hold a value of a request.
                    tracing::error!(place = panic.location().map(ToString::to_string), "a thread panicked: a defect");
                }));
            }
        }
        Voice { form, quiet }
    }

    /// Whether messages are for people.
    pub fn is_for_people(&self) -> bool {
        self.form == LogForm::Text
    }

    /// Say something, unless quiet was asked for.
    pub fn say(&self, message: &str) {
        match self.form {
            LogForm::Json => tracing::info!(target: SAID, "{message}"),
            // A message that cannot be written has nobody to read it.
            LogForm::Text if !self.quiet => drop(writeln!(io::stderr(), "{message}")),
            LogForm::Text => {}
        }
    }

    /// Say why the program ends.
    pub fn fail(&self, failure: &Failure, colours: bool) {
        match self.form {
            LogForm::Json => {
                let (exit, hint) = (failure.exit.code(), failure.mend());
                tracing::error!(target: SAID, exit, hint, "{}", failure.sentence());
            }
            LogForm::Text => drop(write!(io::stderr(), "{}", failure.to_text(colours))),
        }
    }
}
