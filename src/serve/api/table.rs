//! The routes as a table: method, path, and what a caller needs to go there; pure. Nothing is routed that is not in it, so whoever
//! reads the table has seen every way in.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use futures::future::{Either, Ready, ready};
use http::Method;

use super::{nothing_here, wrong_method};
use crate::serve::guard::{Access, standing};

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
        self.row(Method::GET, path, access, get(Kept { access, handler }))
    }

    /// One that tells or asks with a body.
    #[must_use]
    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &str, access: Access, handler: H) -> Self {
        self.row(Method::POST, path, access, post(Kept { access, handler }))
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
    /// As a service. Whoever a guard has looked at goes where the table says; where no guard stands, everywhere.
    pub fn router(self) -> Router {
        let rows = self.rows.into_iter();
        let router = rows.fold(Router::new(), |router, (row, handler)| router.route(&row.path, handler));
        router.fallback(nothing_here).method_not_allowed_fallback(wrong_method)
    }
}

/// A handler that is reached by whoever may.
#[derive(Clone)]
struct Kept<H> {
    access: Access,
    handler: H,
}

impl<H: Handler<T, S>, T, S> Handler<T, S> for Kept<H> {
    type Future = Either<H::Future, Ready<Response>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        match standing(&request).may(self.access) {
            Ok(()) => Either::Left(self.handler.call(request, state)),
            Err(problem) => Either::Right(ready(problem.into_response())),
        }
    }
}
