//! What holds for all routes, as one service around them: an id, the guard's look, the count of the answer, and a panic that costs one
//! request only; pure. One service and no layers of the router: each of those would cost every request a copy of all below it.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue};
use tower::Service;
use tower_http::request_id::{MakeRequestId, MakeRequestUuid, RequestId};

use super::table::Routes;
use crate::serve::guard::Guard;
use crate::serve::meter::Meter;
use crate::serve::problem::Problem;

/// The id of a request: given by a proxy or issued here, and sent back.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a door hands requests to. It answers everything.
pub trait Answering:
    Service<Request, Response = Response, Error = Infallible, Future: Send + 'static> + Clone + Send + Sync + 'static
{
}

impl<S> Answering for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// The routes, with all that holds for each of them.
#[derive(Clone)]
pub struct Front(Arc<Stands>);

struct Stands {
    routes: Router,
    gate: Option<(Arc<Guard>, Arc<Meter>)>,
}

/// The routes for callers inside the house: problems instead of bare 404 and 405, ids, and a panic that costs one request only.
pub fn finish(routes: Routes) -> Front {
    Front(Arc::new(Stands { routes: routes.router(), gate: None }))
}

/// The same for callers from outside: whoever may not be here is told so before anything of the routes is, and every answer is
/// counted.
pub fn guarded(routes: Routes, guard: &Arc<Guard>, meter: &Arc<Meter>) -> Front {
    let gate = Some((Arc::clone(guard), Arc::clone(meter)));
    Front(Arc::new(Stands { routes: routes.router(), gate }))
}

impl Stands {
    /// What a route says of a request, or why it is not let in; nothing of the request is held but by the route.
    fn answer(&self, mut request: Request) -> impl Future<Output = Response> + use<> {
        let let_in = self.gate.as_ref().map_or(Ok(()), |(guard, _)| guard.let_in(&mut request));
        let reached = let_in.map(|()| self.routes.clone().call(request));
        async move {
            match reached {
                Ok(route) => match AssertUnwindSafe(route).catch_unwind().await {
                    Ok(Ok(response)) => response,
                    // A panic is an answer, too, and counted as one.
                    Err(_) => Problem::internal().into_response(),
                },
                Err(problem) => problem.into_response(),
            }
        }
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let id = id_of(&request);
        let stands = Arc::clone(&self.0);
        let place = stands.gate.as_ref().map(|(_, meter)| meter.place(request.uri().path()));
        let answer = stands.answer(request);
        Box::pin(async move {
            let mut response = answer.await;
            if let (Some((_, meter)), Some(place)) = (&stands.gate, place) {
                meter.count(place, response.status());
            }
            if let Some(id) = id {
                response.headers_mut().entry(REQUEST_ID).or_insert(id);
            }
            Ok(response)
        })
    }
}

fn id_of(request: &Request) -> Option<HeaderValue> {
    let given = request.headers().get(REQUEST_ID).cloned();
    given.or_else(|| MakeRequestUuid.make_request_id(request).map(RequestId::into_header_value))
}
