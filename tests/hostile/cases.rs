//! What one stranger sends on one connection, and what may come back. Every case states it; none may be answered with 5xx.

mod bodies;
mod heads;
mod neighbours;

use std::io::{self, Write};
use std::net::TcpStream;

use super::house::SOUND;

/// What may come of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// An answer of one of these, and nothing else.
    Only(&'static [u16]),
    /// An answer of 4xx, or the connection is closed or left silent.
    Refused,
    /// Any answer but 5xx, or none.
    Anything,
}

impl Allowed {
    pub(crate) fn is(self, statuses: &[u16]) -> bool {
        let all = |within: &dyn Fn(u16) -> bool| statuses.iter().all(|status| within(*status));
        match self {
            Allowed::Only(these) => !statuses.is_empty() && all(&|status| these.contains(&status)),
            Allowed::Refused => all(&|status| (400..500).contains(&status)),
            Allowed::Anything => all(&|status| status < 500),
        }
    }
}

/// Writes what is sent; an error is the server's refusal to hear more.
type Send = Box<dyn Fn(&mut TcpStream) -> io::Result<()>>;

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) allowed: Allowed,
    pub(crate) send: Send,
}

impl Case {
    /// These bytes, as they are.
    fn raw(name: impl Into<String>, allowed: Allowed, bytes: impl Into<Vec<u8>>) -> Case {
        let bytes = bytes.into();
        Case::of(name, allowed, move |stream| stream.write_all(&bytes))
    }

    fn of(
        name: impl Into<String>,
        allowed: Allowed,
        send: impl Fn(&mut TcpStream) -> io::Result<()> + 'static,
    ) -> Case {
        Case { name: name.into(), allowed, send: Box::new(send) }
    }
}

/// A request to predict with these headers, each with its line's end, and this body.
pub(crate) fn predict(headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("POST /api/v1/predict HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    [head.as_bytes(), body.as_ref()].concat()
}

/// The same with its length.
fn told(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    predict(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()), body)
}

/// A request that is answered.
pub(crate) fn sound() -> Vec<u8> {
    told(SOUND)
}

/// Every case there is.
pub(crate) fn all() -> Vec<Case> {
    let sound = Case::raw("a sound request", Allowed::Only(&[200]), sound());
    [vec![sound], heads::all(), bodies::all(), neighbours::all()].into_iter().flatten().collect()
}
