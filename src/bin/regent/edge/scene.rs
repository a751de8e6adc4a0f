//! What holds for every command: where, when, how loud and in which form; a door. The clock is read once, here.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use regent::types::Timestamp;
use rustix::fs::Mode;
use rustix::process::umask;

use super::paint::painted;
use super::voice::{LogForm, Voice};
use super::{Answer, Exit, Failure, Workspace};

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct SceneArguments {
    /// The workspace [default: the nearest folder upwards with a regent.yaml, else this one]
    #[arg(long, global = true, value_name = "DIR", env = "REGENT_WORKSPACE")]
    workspace: Option<PathBuf>,
    /// The form of the answer
    #[arg(short, long, global = true, value_enum, default_value_t)]
    output: Form,
    /// No messages but errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// More messages; twice for all
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// The form of messages on stderr
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM", env = "REGENT_LOG_FORMAT")]
    log_format: LogForm,
    /// Colours; NO_COLOR is obeyed
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Colour,
    /// Take this instant for now (RFC 3339)
    #[arg(long, global = true, value_name = "T")]
    now: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Colour {
    #[default]
    Auto,
    Always,
    Never,
}

/// The world as one command sees it.
pub struct Scene {
    workspace: Option<PathBuf>,
    form: Form,
    quiet: bool,
    voice: Voice,
    colour: Colour,
    /// The instant of this command.
    pub now: Timestamp,
}

impl Scene {
    /// Read the clock, let the log speak as loudly as asked, and see to it that nothing we make can be written by others.
    pub fn set(arguments: SceneArguments) -> Scene {
        // Whatever the scheduler's umask: what it forbids stays forbidden, and writing by others is forbidden besides.
        let given = umask(Mode::from_raw_mode(0o077));
        umask(given | Mode::WGRP | Mode::WOTH);
        let SceneArguments { workspace, output, quiet, verbose, log_format, color, now } = arguments;
        let voice = Voice::set(log_format, quiet, verbose);
        let now = now.unwrap_or_else(clock);
        Scene { workspace, form: output, quiet, voice, colour: color, now }
    }

    /// The folder that was named, or the one the command was given in.
    ///
    /// # Errors
    /// The current folder is gone.
    pub fn folder(&self) -> Result<PathBuf, Failure> {
        match &self.workspace {
            Some(folder) => Ok(folder.clone()),
            None => std::env::current_dir().map_err(|error| Failure::internal("find the current folder", error)),
        }
    }

    /// The workspace of this command.
    ///
    /// # Errors
    /// There is no such folder, or its `regent.yaml` is not valid.
    pub fn workspace(&self) -> Result<Workspace, Failure> {
        let folder = self.folder()?;
        let found = match self.workspace {
            Some(_) => None,
            None => folder.ancestors().find(|folder| folder.join("regent.yaml").is_file()),
        };
        Workspace::open(found.unwrap_or(&folder))
    }

    /// A message for the person at the terminal, on stderr; nothing if they asked for quiet.
    pub fn say(&self, message: &str) {
        self.voice.say(message);
    }

    /// Whether a progress bar may be drawn: a person watches, and nobody asked for quiet.
    pub fn is_watched(&self) -> bool {
        !self.quiet && self.voice.is_for_people() && io::stderr().is_terminal()
    }

    fn colours(&self, is_terminal: bool) -> bool {
        match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Whether the answer on stdout is one JSON value.
    pub fn answers_json(&self) -> bool {
        self.form == Form::Json
    }

    /// Part of an answer that is no text for people: rows.
    ///
    /// # Errors
    /// Stdout cannot be written; a reader that has gone away is no error.
    pub fn pour(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Part of an answer in text, before the rest is known; nothing in JSON, which is one value.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn stream(&self, line: &str) -> Result<(), Failure> {
        match self.form {
            Form::Text => {
                self.write(&format!("{line}\n")).map_err(|error| Failure::internal("write the answer", error))
            }
            Form::Json => Ok(()),
        }
    }

    /// Print what came of the command and end.
    pub fn end(&self, outcome: Result<Answer, Failure>) -> Exit {
        match outcome {
            Ok(answer) => self.give(&answer),
            Err(failure) => self.fail(&failure),
        }
    }

    fn give(&self, answer: &Answer) -> Exit {
        let text = match self.form {
            Form::Text if answer.text.is_empty() => String::new(),
            Form::Text => format!("{}\n", answer.text.trim_end()),
            Form::Json => format!("{:#}\n", answer.value),
        };
        if let Err(error) = self.write(&text) {
            return self.fail(&Failure::internal("write the answer", error));
        }
        if let Some(next) = &answer.next {
            self.say(&format!("next: {next}"));
        }
        answer.exit
    }

    fn fail(&self, failure: &Failure) -> Exit {
        if self.answers_json() {
            drop(self.write(&format!("{:#}\n", failure.to_json())));
        }
        // Programs that read the answer have the failure there; those that read the log hear of it, too.
        if !(self.answers_json() && self.voice.is_for_people()) {
            self.voice.fail(failure, self.colours(io::stderr().is_terminal()));
        }
        failure.exit
    }

    /// A reader that has gone away (`regent history | head`) is no error.
    fn write(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        let colours = self.form == Form::Text && self.colours(stdout.is_terminal());
        let text = if colours { painted(text) } else { text.to_owned() };
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

/// The instant it is.
pub fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
