//! Many rows in one request: asked, remembered and shown to the candidate together; pure but for what is wired to it.

use futures::future::try_join_all;
use uuid::Uuid;

use super::Heard;
use super::predict::Question;
use crate::contract::Violation;
use crate::scoring::Score;
use crate::serve::predictor::{Answer, Predictor};
use crate::serve::problem::Problem;
use crate::serve::request::Admitted;
use crate::serve::seams::{Serving, Wiring};
use crate::types::Timestamp;

/// Every row with what the champion says of it. A number that is not finite is the model's fault, and no row is answered.
pub(super) fn ask(
    wiring: &Wiring,
    champion: &Predictor,
    ids: impl IntoIterator<Item = Option<Uuid>>,
    rows: Vec<Admitted>,
) -> Result<Vec<Question>, Problem> {
    let answers = ids.into_iter().zip(champion.answer_all(rows));
    answers.map(|(id, answer)| Question::of(wiring, champion, id, answer)).collect()
}

/// Remember every answer, and count them once all are as safe as their durability says (P14); returns the instants they are
/// remembered under.
pub(super) async fn remember(
    wiring: &Wiring,
    serving: &Serving,
    heard: Heard,
    questions: &[Question],
) -> Result<Vec<Timestamp>, Problem> {
    let took = heard.took(wiring, questions.len());
    let recorded = questions.iter().map(|question| question.record(wiring, serving, took));
    let recorded = recorded.collect::<Result<Vec<_>, _>>()?;
    let (at, written): (Vec<_>, Vec<_>) = recorded.into_iter().map(|event| (event.at, event.on_disk)).unzip();
    try_join_all(written).await.map_err(|_| Problem::unrecorded())?;
    questions.iter().zip(&at).for_each(|(question, at)| question.count(wiring, serving, *at, took));
    Ok(at)
}

/// The candidate's turn, row by row.
pub(super) fn shadow(wiring: &Wiring, serving: &Serving, questions: Vec<Question>, at: Vec<Timestamp>) {
    questions.into_iter().zip(at).for_each(|(question, at)| question.shadow(wiring, serving, at));
}

/// Answer all rows or none, for those whose answers have no place for a refusal. Of rows of which one is refused, those that are
/// refused are remembered as that; the others were not answered, and leave no trace.
///
/// # Errors
/// 422 with the violations of every row; whatever [`ask`] and [`remember`] fail with.
pub(super) async fn together(
    wiring: &Wiring,
    serving: &Serving,
    heard: Heard,
    ids: impl IntoIterator<Item = Option<Uuid>>,
    rows: Vec<Admitted>,
) -> Result<Vec<(Uuid, Score)>, Problem> {
    let mut questions = ask(wiring, &serving.champion, ids, rows)?;
    if let Some(problem) = refusals(&questions) {
        questions.retain(|question| matches!(question.answer, Answer::Refused(_)));
        remember(wiring, serving, heard, &questions).await?;
        return Err(problem);
    }
    let at = remember(wiring, serving, heard, &questions).await?;
    let told = questions.iter().filter_map(scored).collect();
    shadow(wiring, serving, questions, at);
    Ok(told)
}

fn scored(question: &Question) -> Option<(Uuid, Score)> {
    match &question.answer {
        Answer::Scored { score, .. } => Some((question.request_id, *score)),
        Answer::Refused(_) => None,
    }
}

/// More violations than are ever told of one request.
const TOLD: usize = 2_048;

/// Every violation with the place of its row, unless there is but one row.
fn refusals(questions: &[Question]) -> Option<Problem> {
    let several = questions.len() > 1;
    let (mut refused, mut count, mut errors) = (0, 0, Vec::new());
    for (row, question) in questions.iter().enumerate() {
        let Answer::Refused(refusal) = &question.answer else { continue };
        refused += 1;
        count += refusal.violations.len();
        let place = |feature: &str| if several { format!("rows[{row}].{feature}") } else { feature.to_owned() };
        let room = TOLD.saturating_sub(errors.len());
        let violations = refusal.violations.iter().take(room);
        errors.extend(violations.map(|one| Violation { feature: place(&one.feature), ..one.clone() }));
    }
    (refused > 0).then(|| Problem::rows(errors, count, refused, questions.len()))
}
