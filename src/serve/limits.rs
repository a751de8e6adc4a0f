//! How much one caller, and all of them, may ask of a door; pure.

use std::time::Duration;

use memchr::memchr2_iter;

/// How large and how deep a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bodies {
    /// Its bytes.
    pub bytes: usize,
    /// The bytes of a batch of rows.
    pub batch_bytes: usize,
    /// Its levels of lists and objects.
    pub depth: usize,
}

impl Bodies {
    /// - `bytes` 1 MiB: a row of a thousand features has some 40 kB, a list of 10,000 labels some 700 kB.
    /// - `batch_bytes` 8 MiB: 10,000 rows of twenty features have some 5 MB.
    /// - `depth` 64: the deepest request there is has four levels, and 64 cost a reader nothing.
    pub const DEFAULTS: Bodies = Bodies { bytes: 1024 * 1024, batch_bytes: 8 * 1024 * 1024, depth: 64 };

    /// The bytes of the largest body that any route takes.
    pub(super) fn largest(self) -> usize {
        self.bytes.max(self.batch_bytes)
    }

    /// Whether JSON is nested deeper than this. What is no JSON may be judged either way: it is refused anyhow.
    pub(super) fn are_exceeded_by(self, json: &[u8]) -> bool {
        // A request opens a handful of brackets: of most bodies this count is all that is done.
        if memchr2_iter(b'[', b'{', json).nth(self.depth).is_none() {
            return false;
        }
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        for byte in json {
            match (quoted, escaped, byte) {
                (true, true, _) => escaped = false,
                (true, false, b'\\') => escaped = true,
                (_, _, b'"') => quoted = !quoted,
                (false, _, b'[' | b'{') => depth += 1,
                (false, _, b']' | b'}') => depth = depth.saturating_sub(1),
                (_, _, _) => {}
            }
            if depth > self.depth {
                return true;
            }
        }
        false
    }
}

/// A body took longer than the door waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body took too long")]
pub(super) struct Late;

/// How much one client, and all of them, may ask of the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How large and how deep a body may be.
    pub bodies: Bodies,
    /// The bytes of a head: request line and headers.
    pub head_bytes: usize,
    /// The headers of a request.
    pub headers: usize,
    /// How long the head of a request may take from its first byte on.
    pub head: Duration,
    /// How long its body may take.
    pub body: Duration,
    /// How long a kept connection may be silent.
    pub idle: Duration,
    /// How long a whole request may take, and how long a client may then take for its answer.
    pub request: Duration,
    /// Connections at a time; further ones wait to be accepted.
    pub connections: usize,
    /// Requests at a time; further ones get a 503 at once.
    pub requests: usize,
    /// Requests a second of one key; 0 is any number.
    pub per_key: u32,
    /// Requests a second of one address; 0 is any number.
    pub per_address: u32,
    /// How long a shutdown waits for requests that are being served.
    pub drain: Duration,
}

impl Limits {
    /// - `head_bytes` 16 KiB, `headers` 100: what proxies and browsers send is a tenth of it.
    /// - `head` 10 s: a phone on a bad line sends its head in less; a slow-loris holds a connection no longer.
    /// - `body` 10 s and `request` 10 s: an answer takes microseconds, so only a body that trickles is cut.
    ///   A client that takes longer for its answer is cut as well, and makes its batches smaller.
    /// - `idle` 10 s: clients that ask often keep their connection, and one that left its answers unread is gone within 15 s of its last
    ///   request. Behind a balancer, make it longer than the balancer's own.
    /// - `connections` 4,096, or what the limit of open files leaves: as many slow peers do no harm for the seconds they are suffered.
    /// - `requests` 256: what waits behind so many is better told to come back.
    /// - `per_key` and `per_address` any number: behind a proxy all callers have one address, and a limit that nobody chose would be
    ///   an outage that nobody expects.
    /// - `drain` 10 s: less than the 30 s after which Kubernetes kills.
    pub const DEFAULTS: Limits = Limits {
        bodies: Bodies::DEFAULTS,
        head_bytes: 16 * 1024,
        headers: 100,
        head: Duration::from_secs(10),
        body: Duration::from_secs(10),
        idle: Duration::from_secs(10),
        request: Duration::from_secs(10),
        connections: 4_096,
        requests: 256,
        per_key: 0,
        per_address: 0,
        drain: Duration::from_secs(10),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_words() {
        let rules = Bodies { depth: 3, ..Bodies::DEFAULTS };
        let deep = |json: &str| rules.are_exceeded_by(json.as_bytes());
        assert!(!deep("[[[]]]") && !deep("[[],[],[],[[]]]") && !deep(r#"{"[[[[":"{{{{\"[[[["}"#));
        assert!(deep("[[[[]]]]") && deep(r#"{"a":[{"b\\":[]}]}"#) && deep(&"[".repeat(100_000)));
    }
}
