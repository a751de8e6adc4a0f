//! How a program ends: a table that scripts and schedulers rely on; pure.

use std::fmt;
use std::process::{ExitCode, Termination};

/// Documented exit codes. A number, once given, keeps its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, or there was nothing to do.
    Done = 0,
    /// Something inside failed: a disk, a defect.
    Internal = 1,
    /// The command was not understood, or asks for what is not there.
    Usage = 2,
    /// Rows were refused; nothing was written.
    DataRejected = 3,
    /// A contract, policy, schema or override is not valid.
    Invalid = 4,
    /// What is stored is in conflict or damaged.
    Integrity = 5,
    /// Another governor took the turn.
    NotMyTurn = 6,
    /// A model is held (only with `--exit-code`).
    Held = 10,
    /// A champion was rolled back (only with `--exit-code`).
    RolledBack = 11,
    /// Drift is confirmed (only with `--exit-code`).
    Drift = 12,
    /// Too little was seen to say (only with `--exit-code`).
    Undecided = 13,
    /// Not now; try again.
    TryAgain = 75,
}

impl Exit {
    /// Every code, for the help text.
    pub const ALL: [Exit; 12] = [
        Exit::Done,
        Exit::Internal,
        Exit::Usage,
        Exit::DataRejected,
        Exit::Invalid,
        Exit::Integrity,
        Exit::NotMyTurn,
        Exit::Held,
        Exit::RolledBack,
        Exit::Drift,
        Exit::Undecided,
        Exit::TryAgain,
    ];

    /// The number a shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The table as `--help` shows it.
    pub fn table() -> String {
        let rows = Exit::ALL.map(|exit| format!("  {:>2}  {exit}", exit.code()));
        format!("Exit codes:\n{}", rows.join("\n"))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Exit::Done => "done, or nothing to do",
            Exit::Internal => "something inside failed",
            Exit::Usage => "not understood, or not there",
            Exit::DataRejected => "rows were refused; nothing was written",
            Exit::Invalid => "a contract, policy, schema or override is not valid",
            Exit::Integrity => "what is stored is in conflict or damaged",
            Exit::NotMyTurn => "another governor took the turn",
            Exit::Held => "a model is held (only with --exit-code)",
            Exit::RolledBack => "a champion was rolled back (only with --exit-code)",
            Exit::Drift => "drift is confirmed (only with --exit-code)",
            Exit::Undecided => "too little was seen to say (only with --exit-code)",
            Exit::TryAgain => "not now; try again",
        })
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn a_code_keeps_its_meaning() {
        let codes = Exit::ALL.map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 75]);
    }
}
