//! `regent completions`: what a shell needs to complete commands; pure.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use crate::Cli;
use crate::edge::{Answer, Failure};

/// Print the completions of a shell
#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<Answer, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "regent", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        Answer::new(script.clone(), &json!({ "shell": self.shell.to_string(), "script": script }))
    }
}
