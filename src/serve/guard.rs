//! Who may come in, and where to: host, origin, rate, key, scope, in this order; pure but for its clock. Without keys it lets in
//! whoever the address lets in.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use axum::extract::{FromRequestParts, Request};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Version};

use super::allowance::Allowance;
use super::keys::{Bearer, Ring, Scope, Secret};
use super::limits::{Bodies, Limits};
use super::problem::Problem;
use super::seams::Clock;

/// What a route asks of whoever comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it says yes or no.
    Open,
    /// A key with this scope, once there are keys.
    Needs(Scope),
}

/// Who may reach a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Nobody is asked for a key, so only this machine may call.
    Unknown,
    /// Everybody is asked for a key.
    Keyed,
}

/// The names this server goes by. A page whose own name is pointed at this machine would otherwise speak for its reader
/// (DNS rebinding).
#[derive(Debug, Clone)]
pub struct Hosts {
    /// Without a port, in upper or lower case.
    names: Vec<String>,
    /// Whether any address will do: it is no name that somebody could point here.
    addresses: bool,
}

impl Hosts {
    /// This machine, and names that were told.
    pub fn this_machine(told: impl IntoIterator<Item = String>) -> Hosts {
        let own = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        Hosts { names: own.into_iter().chain(told).collect(), addresses: false }
    }

    /// Any address, and names that were told.
    pub fn any_address(told: impl IntoIterator<Item = String>) -> Hosts {
        Hosts { addresses: true, ..Hosts::this_machine(told) }
    }

    /// Whether `given`, as a `host` header has it, is this server.
    fn know(&self, given: &str) -> bool {
        let name = match given.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            Some(_) | None => given,
        };
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name)) || (self.addresses && is_address(name))
    }
}

/// No domain ends with digits alone, so what is made of digits and dots is an address, as is what stands in brackets.
fn is_address(name: &str) -> bool {
    let numeric = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    numeric || (name.starts_with('[') && name.ends_with(']'))
}

/// Where a request comes from, as its door saw it: an address of IPv4, or the network of one of IPv6, whose last 64 bits its owner
/// chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Peer(pub(super) u64);

/// What the guard has found of whoever asks, and how much of them is heard; handlers of what is not there look at it, too.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    peer: Option<Peer>,
    found: Found,
    bodies: Bodies,
}

#[derive(Debug, Clone)]
enum Found {
    /// Nobody is asked.
    Anyone,
    Known(Bearer),
    /// Why the caller is not known.
    Unknown(&'static str),
}

impl Standing {
    const ANYONE: Standing = Standing { peer: None, found: Found::Anyone, bodies: Bodies::DEFAULTS };

    /// Whoever asks from there, before anybody has looked at them.
    pub(super) fn at(peer: Peer) -> Standing {
        Standing { peer: Some(peer), ..Standing::ANYONE }
    }

    /// How large what they send may be.
    pub(super) fn bodies(&self) -> Bodies {
        self.bodies
    }

    /// That the caller is somebody.
    pub(super) fn known(&self) -> Result<(), Problem> {
        match &self.found {
            Found::Anyone | Found::Known(_) => Ok(()),
            Found::Unknown(why) => Err(Problem::unknown_caller(*why)),
        }
    }

    pub(super) fn may(&self, access: Access) -> Result<(), Problem> {
        match (access, &self.found) {
            (Access::Open, _) | (Access::Needs(_), Found::Anyone) => Ok(()),
            (Access::Needs(scope), Found::Known(bearer)) if bearer.scopes.contains(&scope) => Ok(()),
            (Access::Needs(scope), Found::Known(_)) => Err(Problem::not_in_scope(scope.as_str())),
            (Access::Needs(_), Found::Unknown(why)) => Err(Problem::unknown_caller(*why)),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Standing {
    type Rejection = Infallible;

    /// Inside the house, where no guard stands, everybody may ask.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Standing, Infallible> {
        Ok(parts.extensions.get::<Standing>().unwrap_or(&Standing::ANYONE).clone())
    }
}

/// What was found of whoever asks.
pub(super) fn standing(request: &Request) -> &Standing {
    request.extensions().get::<Standing>().unwrap_or(&Standing::ANYONE)
}

/// Stands before every route.
pub struct Guard {
    clock: Arc<dyn Clock>,
    ring: ArcSwap<Ring>,
    hosts: Hosts,
    bodies: Bodies,
    per_key: Option<Mutex<Allowance<String>>>,
    per_address: Option<Mutex<Allowance<Peer>>>,
}

impl Guard {
    /// A guard who knows these keys, names and limits.
    pub fn new(clock: Arc<dyn Clock>, ring: Ring, hosts: Hosts, limits: &Limits) -> Arc<Guard> {
        Arc::new(Guard {
            clock,
            ring: ArcSwap::from_pointee(ring),
            hosts,
            bodies: limits.bodies,
            per_key: (limits.per_key > 0).then(|| Mutex::new(Allowance::new(limits.per_key))),
            per_address: (limits.per_address > 0).then(|| Mutex::new(Allowance::new(limits.per_address))),
        })
    }

    /// Who may reach a door that this guard stands at.
    pub fn callers(&self) -> Callers {
        if self.ring.load().asks() { Callers::Keyed } else { Callers::Unknown }
    }

    /// Take these keys for the ones there are; whether anything changed. Keys that have vanished as a whole change nothing: a door
    /// that asks for keys asks for as long as it is open.
    pub fn renew(&self, ring: Ring) -> bool {
        let before = self.ring.load();
        if **before == ring || (before.asks() && !ring.asks()) {
            return false;
        }
        self.ring.store(Arc::new(ring));
        true
    }

    /// Look at a request, and let it go on with what was found.
    pub(super) fn let_in(&self, request: &mut Request) -> Result<(), Problem> {
        let found = self.look(request)?;
        let standing = request.extensions_mut().get_or_insert_with(|| Standing::ANYONE);
        (standing.found, standing.bodies) = (found, self.bodies);
        Ok(())
    }

    /// What is found of a request, or why nobody goes on with it.
    fn look(&self, request: &Request) -> Result<Found, Problem> {
        self.is_meant(request)?;
        if let (Some(allowance), Some(peer)) = (&self.per_address, standing(request).peer) {
            within(allowance, peer, &*self.clock)?;
        }
        let found = self.who(request.headers());
        if let (Some(allowance), Found::Known(bearer)) = (&self.per_key, &found) {
            within(allowance, bearer.id.clone(), &*self.clock)?;
        }
        Ok(found)
    }

    /// Meant for this server, and sent by no page of another.
    fn is_meant(&self, request: &Request) -> Result<(), Problem> {
        let headers = request.headers();
        let mut hosts = headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next(), request.version()) {
            (Some(host), None, _) => Some(host.to_str().unwrap_or_default()),
            // RFC 9112, 3.2: a server must refuse a request with none or several; HTTP/1.0 had none.
            (None, _, Version::HTTP_09 | Version::HTTP_10) => None,
            (None | Some(_), _, _) => return Err(Problem::malformed("a request has one `host` header")),
        };
        let asked = request.uri().authority().map(http::uri::Authority::as_str);
        if host.into_iter().chain(asked).any(|host| !self.hosts.know(host)) {
            return Err(Problem::misdirected("this server does not go by that name; `--host NAME` gives it one"));
        }
        if !request.method().is_safe() && headers.contains_key(ORIGIN) {
            return Err(Problem::misdirected("pages may not change anything here: leave the `origin` header out"));
        }
        Ok(())
    }

    fn who(&self, headers: &HeaderMap) -> Found {
        let ring = self.ring.load();
        if !ring.asks() {
            return Found::Anyone;
        }
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        let (Some(only), None) = (shown.next(), shown.next()) else {
            return Found::Unknown("send one `authorization: Bearer KEY`");
        };
        let bearer = only.to_str().ok().and_then(|words| words.split_once(' '));
        let Some((_, key)) = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
            return Found::Unknown("send one `authorization: Bearer KEY`");
        };
        let Ok(secret) = Secret::read(key.trim()) else {
            return Found::Unknown("the key is mistyped: its checksum does not fit");
        };
        match ring.bearer(&secret, self.clock.now()) {
            Some(bearer) => Found::Known(bearer),
            None => Found::Unknown("this key opens nothing here, or no longer"),
        }
    }
}

fn within<K: Ord>(allowance: &Mutex<Allowance<K>>, caller: K, clock: &dyn Clock) -> Result<(), Problem> {
    // A bucket is whole between any two calls, so a thread that panicked has left nothing half done.
    let mut allowance = allowance.lock().unwrap_or_else(PoisonError::into_inner);
    if allowance.take(caller, clock.micros()) { Ok(()) } else { Err(Problem::too_often()) }
}

#[cfg(test)]
mod tests;
