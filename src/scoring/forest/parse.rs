//! From LightGBM's text (`src/boosting/gbdt_model_text.cpp` of version 4.7) to a forest; pure, and refuses a text that
//! is not whole.

use std::collections::BTreeSet;

use super::error::{ForestError, Place};
use super::text::{Rest, Section, excerpt};
use super::tree;
use super::{Combine, Forest, Layout, Objective};

const HEADER: &[&str] = &[
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "average_output",
    "feature_names",
    "monotone_constraints",
    "feature_infos",
    "tree_sizes",
];

/// Objectives whose link is the identity.
const IDENTITIES: &[&str] = &["regression", "regression_l1", "huber", "fair", "quantile", "mape"];
const SUPPORTED: &str = "`binary sigmoid:N`, regression, regression_l1, huber, fair, quantile and mape";

pub(super) fn forest(text: &str) -> Result<Forest, ForestError> {
    // Every node, leaf and word takes more than one byte of text, so below this length no 32-bit index overflows.
    if i32::try_from(text.len()).is_err() {
        return Err(ForestError::TooLarge { bytes: text.len() });
    }
    let mut rest = Rest(text);
    rest.expect("tree")?;
    let header = Section::read(&mut rest, Place::Header, HEADER)?;
    let mut forest = empty(&header)?;
    for (tree, size) in header.list_of_sizes()?.into_iter().enumerate() {
        let block = rest.take(size).ok_or_else(|| ForestError::Truncated { expected: format!("tree {tree}") })?;
        let mut block = Rest(block);
        block.expect(&format!("Tree={tree}"))?;
        let section = Section::read(&mut block, Place::Tree(tree), tree::KEYS)?;
        tree::grow(&mut forest, &section)?;
        block.expect("")?;
        if let Some(line) = block.line() {
            return Err(ForestError::Unexpected { expected: format!("the end of tree {tree}"), found: excerpt(line) });
        }
    }
    if forest.roots.is_empty() {
        return Err(ForestError::NoTrees);
    }
    footer(&mut rest)?;
    Ok(forest)
}

impl Section<'_> {
    fn list_of_sizes(&self) -> Result<Vec<usize>, ForestError> {
        let count = self.words("tree_sizes")?.count();
        self.list("tree_sizes", count)
    }
}

/// A forest that has what the header says and no trees yet.
fn empty(header: &Section) -> Result<Forest, ForestError> {
    match header.value("version")? {
        "v4" => {}
        other => {
            return Err(ForestError::Version { found: excerpt(other) });
        }
    }
    for key in ["num_class", "num_tree_per_iteration"] {
        match header.number(key)? {
            1 => {}
            found => return Err(ForestError::Multiclass { key, found }),
        }
    }
    header.number::<usize>("label_index")?;
    let last: u32 = header.number("max_feature_idx")?;
    let n_features = last as usize + 1;
    for key in ["feature_names", "feature_infos"] {
        header.length(key, header.words(key)?.count(), n_features)?;
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = header.words("feature_names")?.find(|name| !names.insert(*name)) {
        return Err(ForestError::Duplicate { place: Place::Header, key: excerpt(twice) });
    }
    Ok(Forest {
        nodes: Vec::new(),
        leaves: Vec::new(),
        words: Vec::new(),
        roots: Vec::new(),
        combine: if header.has("average_output") { Combine::Mean } else { Combine::Sum },
        objective: objective(header.value("objective")?)?,
        feature_names: header.words("feature_names")?.map(str::to_owned).collect(),
        gain: vec![0.0; n_features],
        layout: Layout::Plain,
    })
}

fn objective(written: &str) -> Result<Objective, ForestError> {
    if IDENTITIES.contains(&written) {
        return Ok(Objective::Regression);
    }
    written
        .strip_prefix("binary sigmoid:")
        .and_then(|coefficient| coefficient.parse().ok())
        .filter(|sigmoid: &f64| sigmoid.is_finite() && *sigmoid > 0.0)
        .map(|sigmoid| Objective::Binary { sigmoid })
        .ok_or_else(|| ForestError::Objective { found: excerpt(written), supported: SUPPORTED })
}

/// What follows the trees. It changes no score, but a text without its end is a text that was cut.
fn footer(rest: &mut Rest) -> Result<(), ForestError> {
    rest.expect("end of trees")?;
    rest.expect("")?;
    rest.expect("feature_importances:")?;
    loop {
        match rest.line() {
            Some("") => break,
            Some(line) if line.contains('=') => {}
            Some(line) => return Err(unexpected("a feature's importance", line)),
            None => return Err(truncated("`parameters:`")),
        }
    }
    rest.expect("parameters:")?;
    while rest.line().ok_or_else(|| truncated("`end of parameters`"))? != "end of parameters" {}
    while let Some(line) = rest.line() {
        match line {
            // Python's package adds this line.
            "" | "pandas_categorical:null" | "pandas_categorical:[]" => {}
            line if line.starts_with("pandas_categorical:") => return Err(ForestError::PandasCategories),
            line => return Err(unexpected("the end of the text", line)),
        }
    }
    Ok(())
}

fn truncated(expected: &str) -> ForestError {
    ForestError::Truncated { expected: expected.to_owned() }
}

fn unexpected(expected: &str, line: &str) -> ForestError {
    ForestError::Unexpected { expected: expected.to_owned(), found: excerpt(line) }
}
