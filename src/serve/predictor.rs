//! One verified version that answers: fields in, a score or every violation out; pure. Takes nothing but a `VerifiedModel`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::contract::{Contract, FeatureVector, Given, Refusal, Task, Violation, admit, admit_again, encode_target};
use crate::registry::VerifiedModel;
use crate::scoring::Score;
use crate::types::{ModelName, NotComputable, Version};

/// What a version says of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The contract admits it.
    Scored {
        /// The admitted features.
        vector: FeatureVector,
        /// What the model makes of them; the prediction is finite.
        score: Score,
    },
    /// The contract refuses it.
    Refused(Refusal),
}

/// A version that answers.
#[derive(Clone)]
pub struct Predictor {
    model: Arc<VerifiedModel>,
}

impl Predictor {
    /// The predictor of a version.
    pub fn new(model: Arc<VerifiedModel>) -> Self {
        Predictor { model }
    }

    /// The version it speaks for.
    pub fn version(&self) -> Version {
        self.model.version()
    }

    /// The model's name.
    pub fn name(&self) -> &ModelName {
        self.model.name()
    }

    /// The version itself.
    pub fn model(&self) -> &VerifiedModel {
        &self.model
    }

    /// The contract it answers under.
    pub fn contract(&self) -> &Contract {
        self.model.contract()
    }

    /// Admit the fields of a request and score them.
    ///
    /// # Errors
    /// The model gave a number that is not finite; a refusal is an answer, not an error.
    pub fn answer<'a>(&self, fields: impl IntoIterator<Item = (&'a str, Given<'a>)>) -> Result<Answer, NotComputable> {
        self.answer_to(admit(self.contract(), fields))
    }

    /// Score what this contract has admitted, or pass on why it has not.
    ///
    /// # Errors
    /// The model gave a number that is not finite; a refusal is an answer, not an error.
    pub fn answer_to(&self, row: Result<FeatureVector, Refusal>) -> Result<Answer, NotComputable> {
        match row {
            Ok(vector) => self.score(&vector).map(|score| Answer::Scored { vector, score }),
            Err(refusal) => Ok(Answer::Refused(refusal)),
        }
    }

    /// [`answer_to`](Self::answer_to) for many rows, in their order and in less time.
    pub fn answer_all(&self, rows: Vec<Result<FeatureVector, Refusal>>) -> Vec<Result<Answer, NotComputable>> {
        let mut scores = self.model.scorer().score_all(rows.iter().flatten()).into_iter();
        let answer = |row| match row {
            // There is a score for each vector; without one there is no answer.
            Ok(vector) => match scores.next().map(finite) {
                Some(score) => score.map(|score| Answer::Scored { vector, score }),
                None => self.answer_to(Ok(vector)),
            },
            Err(refusal) => Ok(Answer::Refused(refusal)),
        };
        rows.into_iter().map(answer).collect()
    }

    /// Score a vector that this contract has admitted.
    ///
    /// # Errors
    /// The model gave a number that is not finite.
    pub fn score(&self, vector: &FeatureVector) -> Result<Score, NotComputable> {
        finite(self.model.scorer().score(vector))
    }

    /// Whether this version can be shown what `other` answers: under one major version whatever one contract admits the newer
    /// one admits, too.
    pub fn can_shadow(&self, other: &Predictor) -> bool {
        self.contract().version().major == other.contract().version().major
    }

    /// The row that `other` has admitted, as this version's own contract encodes it.
    ///
    /// # Errors
    /// Every way in which this contract refuses it.
    pub fn read_again<'a>(
        &self,
        vector: &'a FeatureVector,
        other: &Predictor,
    ) -> Result<Cow<'a, FeatureVector>, Refusal> {
        admit_again(vector, other.contract(), self.contract())
    }

    /// The values of the contract's declared slices, and of nothing else (P8).
    pub fn slices(&self, vector: &FeatureVector) -> BTreeMap<String, String> {
        slices(self.contract(), vector)
    }
}

fn finite(score: Score) -> Result<Score, NotComputable> {
    if score.prediction.is_finite() {
        Ok(score)
    } else {
        Err(NotComputable::because("the model gave a number that is not finite"))
    }
}

/// The values of a contract's declared slices in a row that it has admitted, and of nothing else (P8).
pub fn slices(contract: &Contract, vector: &FeatureVector) -> BTreeMap<String, String> {
    let value = |slice: &String| {
        let place = contract.place(slice)?;
        let (feature, code) = (contract.features().get(place)?, *vector.get(place)?);
        // Codes are places in the table: small whole numbers, as `admit` made them.
        Some((slice.clone(), feature.words()?.get(code as usize)?.clone()))
    };
    contract.slices().iter().filter_map(value).collect()
}

/// What came true, as a number: 1 or 0 for a binary target (also given as its own word), else the number itself.
///
/// # Errors
/// It cannot be a value of the target.
pub fn truth(contract: &Contract, given: Given<'_>) -> Result<f64, Violation> {
    match (contract.task(), given) {
        // Files of labels write classes as numbers whatever their words are.
        (Task::Binary, Given::Number(class)) if class == 0.0 || class == 1.0 => Ok(class + 0.0),
        (Task::Binary | Task::Regression, _) => encode_target(contract, given),
    }
}
