//! What may be asked of a model, and how a query asks it; pure. A parameter that a route does not know is refused.

use std::str::FromStr;

use super::Page;
use crate::types::{Span, Version};

/// One question about a model: one reading route, and one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// `alerts`, `regent alert list`
    Alerts {
        /// Also what was resolved.
        all: bool,
        /// Which part.
        page: Page,
    },
    /// `metrics/baseline`, `regent performance baseline`
    Baseline,
    /// `metrics/latest`, `regent performance show`
    Latest,
    /// `metrics/history`, `regent performance history`
    Performance(Page),
    /// `drift`, `regent drift show`
    Drift {
        /// Only this version's.
        version: Option<Version>,
        /// The newest so many, instead of the newest window's.
        last: Option<usize>,
    },
    /// `drift/history`, `regent drift history`
    Drifts(Page),
    /// `concept`, `regent drift concept`
    Concept,
    /// `retraining`, `regent retraining`
    Retraining,
    /// `trust`, `regent trust`
    Trust,
    /// `snapshots`, `regent snapshot list`
    Snapshots {
        /// How long the windows are; the judged ones if nobody says.
        size: Option<Span>,
        /// Which part.
        page: Page,
    },
    /// `state`, `regent state`
    State,
    /// `history`, `regent history`
    History(Page),
}

/// A reading route: what stands after `/api/v1/models/{model}/`, and what it asks. One line here is one route more.
pub(super) type Route = (&'static str, fn(Query) -> Result<Question, BadParameter>);

/// Every reading route.
pub(super) const ROUTES: [Route; 12] = [
    ("alerts", |query| query.asks(|query| Ok(Question::Alerts { all: query.flag("all")?, page: query.page()? }))),
    ("metrics/baseline", |query| query.asks(|_| Ok(Question::Baseline))),
    ("metrics/latest", |query| query.asks(|_| Ok(Question::Latest))),
    ("metrics/history", |query| query.asks(|query| Ok(Question::Performance(query.page()?)))),
    ("drift", |query| {
        query.asks(|query| Ok(Question::Drift { version: query.version()?, last: query.count("last")? }))
    }),
    ("drift/history", |query| query.asks(|query| Ok(Question::Drifts(query.page()?)))),
    ("concept", |query| query.asks(|_| Ok(Question::Concept))),
    ("retraining", |query| query.asks(|_| Ok(Question::Retraining))),
    ("trust", |query| query.asks(|_| Ok(Question::Trust))),
    ("snapshots", |query| query.asks(|query| Ok(Question::Snapshots { size: query.size()?, page: query.page()? }))),
    ("state", |query| query.asks(|_| Ok(Question::State))),
    ("history", |query| query.asks(|query| Ok(Question::History(query.page()?)))),
];

/// Why a query does not ask what its route answers. It repeats no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadParameter {
    #[error("`{name}` is given twice")]
    Twice { name: String },
    #[error("`{name}` is not a parameter of this route")]
    Unknown { name: String },
    #[error("`{name}` must be {wants}")]
    Value { name: &'static str, wants: &'static str },
}

/// The parameters of a query, taken one by one; what nobody takes is unknown.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Query {
        Query(pairs)
    }

    fn asks(
        mut self,
        question: impl FnOnce(&mut Query) -> Result<Question, BadParameter>,
    ) -> Result<Question, BadParameter> {
        let question = question(&mut self)?;
        match self.0.into_iter().next() {
            None => Ok(question),
            Some((name, _)) => Err(BadParameter::Unknown { name }),
        }
    }

    fn take(&mut self, name: &'static str) -> Result<Option<String>, BadParameter> {
        let mut found = self.0.extract_if(.., |(given, _)| given == name).map(|(_, value)| value);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(BadParameter::Twice { name: name.to_owned() }),
            (value, None) => Ok(value),
        }
    }

    fn parsed<T: FromStr>(&mut self, name: &'static str, wants: &'static str) -> Result<Option<T>, BadParameter> {
        let parse = |value: String| value.parse().map_err(|_| BadParameter::Value { name, wants });
        self.take(name)?.map(parse).transpose()
    }

    fn count(&mut self, name: &'static str) -> Result<Option<usize>, BadParameter> {
        let wants = "a whole number from 1 to 1000";
        match self.parsed(name, wants)? {
            Some(count) if !(1..=Page::MOST).contains(&count) => Err(BadParameter::Value { name, wants }),
            count => Ok(count),
        }
    }

    fn page(&mut self) -> Result<Page, BadParameter> {
        Ok(Page { limit: self.count("limit")?.unwrap_or(Page::USUAL), after: self.take("after")? })
    }

    fn flag(&mut self, name: &'static str) -> Result<bool, BadParameter> {
        Ok(self.parsed(name, "true or false")?.unwrap_or(false))
    }

    fn version(&mut self) -> Result<Option<Version>, BadParameter> {
        self.parsed("version", "a version such as 1.2.0")
    }

    fn size(&mut self) -> Result<Option<Span>, BadParameter> {
        self.parsed("size", "the size of a window, such as 5m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(path: &str, query: &[(&str, &str)]) -> Result<Question, String> {
        let (_, question) = ROUTES.into_iter().find(|route| route.0 == path).unwrap();
        let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        question(Query::new(pairs)).map_err(|bad| bad.to_string())
    }

    #[test]
    fn a_query_asks_what_it_says() {
        let page = |limit, after: Option<&str>| Page { limit, after: after.map(str::to_owned) };
        assert_eq!(ask("history", &[]), Ok(Question::History(page(100, None))));
        assert_eq!(ask("history", &[("after", "7"), ("limit", "1000")]), Ok(Question::History(page(1_000, Some("7")))));
        assert_eq!(ask("alerts", &[("all", "true")]), Ok(Question::Alerts { all: true, page: page(100, None) }));
        let drift = Question::Drift { version: Some(Version::new(1, 2, 0)), last: Some(3) };
        assert_eq!(ask("drift", &[("last", "3"), ("version", "1.2.0")]), Ok(drift));
    }

    #[test]
    fn what_a_route_does_not_know_is_refused_and_no_value_is_repeated() {
        for (path, query, says) in [
            ("state", vec![("limit", "secret")], "`limit` is not a parameter of this route"),
            ("history", vec![("limit", "5"), ("limit", "secret")], "`limit` is given twice"),
            ("history", vec![("limit", "secret")], "`limit` must be a whole number from 1 to 1000"),
            ("history", vec![("limit", "0")], "`limit` must be a whole number from 1 to 1000"),
            ("drift", vec![("last", "1001")], "`last` must be a whole number from 1 to 1000"),
            ("drift", vec![("version", "secret")], "`version` must be a version such as 1.2.0"),
            ("snapshots", vec![("size", "secret")], "`size` must be the size of a window, such as 5m"),
            ("alerts", vec![("all", "secret")], "`all` must be true or false"),
        ] {
            assert_eq!(ask(path, &query), Err(says.to_owned()));
        }
    }
}
