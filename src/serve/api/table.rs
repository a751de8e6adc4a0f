//! The routes as a table: method, path, and what a caller needs to go there; pure. Nothing is routed that is not in it, so whoever
//! reads the table has seen every way in.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use http::Method;

use super::{nothing_here, wrong_method};
use crate::serve::guard::{Access, kept_by};

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The method; whoever may GET may ask for the HEAD.
    pub method: Method,
    /// The path, with `{model}` for any name.
    pub path: String,
    /// What a caller needs.
    pub access: Access,
}

/// A table of routes whose handlers still need an `S`.
pub struct Routes<S = ()> {
    rows: Vec<(Row, MethodRouter<S>)>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Routes::new()
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No way in.
    pub fn new() -> Self {
        Routes { rows: Vec::new() }
    }

    /// One that looks.
    #[must_use]
    pub fn get<H: Handler<T, S>, T: 'static>(self, path: &str, access: Access, handler: H) -> Self {
        self.row(Method::GET, path, access, get(handler))
    }

    /// One that tells or asks with a body.
    #[must_use]
    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &str, access: Access, handler: H) -> Self {
        self.row(Method::POST, path, access, post(handler))
    }

    fn row(mut self, method: Method, path: &str, access: Access, handler: MethodRouter<S>) -> Self {
        self.rows.push((Row { method, path: path.to_owned(), access }, handler));
        self
    }

    /// These and others.
    #[must_use]
    pub fn merge(mut self, others: Routes<S>) -> Self {
        self.rows.extend(others.rows);
        self
    }

    /// Give the handlers what they need.
    pub fn wired(self, state: S) -> Routes {
        let wire = |(row, handler): (Row, MethodRouter<S>)| (row, handler.with_state(state.clone()));
        Routes { rows: self.rows.into_iter().map(wire).collect() }
    }

    /// Every row, in the order they were written.
    pub fn table(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().map(|(row, _)| row)
    }
}

impl Routes {
    /// As a service that asks nobody who they are.
    pub fn router(self) -> Router {
        routed(self.rows.into_iter().map(|(row, handler)| (row.path, handler)))
    }

    /// As a service that lets each caller go where the table says, once a guard has looked at it.
    pub(super) fn kept_by_scopes(self) -> Router {
        // On the methods the row has, so that others are told apart from what is kept: 405, not 403.
        routed(self.rows.into_iter().map(|(row, handler)| (row.path, kept_by(row.access, handler))))
    }
}

fn routed(rows: impl Iterator<Item = (String, MethodRouter)>) -> Router {
    let router = rows.fold(Router::new(), |router, (path, handler)| router.route(&path, handler));
    router.fallback(nothing_here).method_not_allowed_fallback(wrong_method)
}
