//! Versions are derived, never typed; pure. A model's major version is its contract's.

use crate::types::{Bump, Version};

/// What is new in a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication {
    /// The model's bytes.
    Model,
    /// Only what is said of it.
    Metadata,
}

/// The version that follows the existing ones under a contract of this major version: the first of a major is `MAJOR.0.0`,
/// new model bytes grow the minor, anything else the patch.
pub fn next_version(existing: &[Version], contract_major: u64, new: Publication) -> Version {
    let same_contract = existing.iter().filter(|version| version.major == contract_major);
    let bump = match new {
        Publication::Model => Bump::Minor,
        Publication::Metadata => Bump::Patch,
    };
    same_contract.max().map_or(Version::new(contract_major, 0, 0), |newest| newest.bump(bump))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::first(&[], 1, Publication::Model, "1.0.0")]
    #[case::new_model(&["1.0.0", "1.9.0"], 1, Publication::Model, "1.10.0")]
    #[case::only_metadata(&["1.0.0", "1.9.3"], 1, Publication::Metadata, "1.9.4")]
    #[case::new_contract(&["1.9.3"], 2, Publication::Model, "2.0.0")]
    #[case::two_majors_at_once(&["1.9.3"], 3, Publication::Metadata, "3.0.0")]
    fn versions_are_derived(
        #[case] existing: &[&str],
        #[case] contract_major: u64,
        #[case] new: Publication,
        #[case] next: &str,
    ) {
        let existing: Vec<Version> = existing.iter().map(|version| version.parse().unwrap()).collect();
        assert_eq!(next_version(&existing, contract_major, new).to_string(), next);
    }
}
