//! Which part of a list a command tells; pure.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use regent::console::Page;

/// Options of commands that list: the same part of the same list as `?limit=` and `?after=` of the reading routes.
#[derive(Debug, Clone, Args)]
pub struct Part {
    /// So many at most [default: all]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    limit: Option<usize>,
    /// Go on after what `next` of an earlier answer said
    #[arg(long, value_name = "NEXT")]
    after: Option<String>,
}

impl Part {
    /// The page that is meant.
    pub fn page(self) -> Page {
        Page { limit: self.limit.unwrap_or(usize::MAX), after: self.after }
    }

    /// How a text says that there is more.
    pub fn more(next: Option<&String>) -> Option<String> {
        next.map(|next| format!("… more: --after {next}"))
    }
}
