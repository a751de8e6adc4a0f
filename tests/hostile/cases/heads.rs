//! Heads that are no heads: lengths, chunks, hosts, lines, methods, paths and sizes.

use std::io::Write;

use super::Allowed::{Anything, Only, Refused};
use super::{Case, SOUND, predict, told};

pub(super) fn all() -> Vec<Case> {
    [lengths(), chunks(), hosts(), lines(), sizes(), methods(), paths(), pipelines(), pages()]
        .into_iter()
        .flatten()
        .collect()
}

/// What a length may not be; and those that promise more than comes.
fn lengths() -> Vec<Case> {
    let refused = [
        "1000000000000",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999",
        "-1",
        "-0",
        "abc",
        "+2",
        "+0",
        "0x10",
        "1e3",
        "2,2",
        "2, 3",
        "2 2",
        "",
        "\u{661}",
        "2;",
        "2\u{0}",
        "1048577",
        "9000000",
    ];
    let one = |length: &str| {
        Case::raw(
            format!("content-length {length:?}"),
            Refused,
            predict(&format!("content-length: {length}\r\n"), "{}"),
        )
    };
    let mut cases: Vec<Case> = refused.into_iter().map(one).collect();
    let two = |name: &str, headers: &str| Case::raw(name, Refused, predict(headers, "0\r\n\r\n"));
    cases.extend([
        two("content-length twice, different", "content-length: 5\r\ncontent-length: 6\r\n"),
        two("content-length twice, first none", "content-length: \r\ncontent-length: 5\r\n"),
        two("content-length twice, huge", "content-length: 5\r\ncontent-length: 1000000000000\r\n"),
        two("transfer-encoding and content-length", "transfer-encoding: chunked\r\ncontent-length: 5\r\n"),
        two("content-length and transfer-encoding", "content-length: 5\r\ntransfer-encoding: chunked\r\n"),
        two("transfer-encoding twice", "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
        two("transfer-encoding identity", "transfer-encoding: identity\r\n"),
        two("transfer-encoding gzip, chunked", "transfer-encoding: gzip, chunked\r\n"),
        two("transfer-encoding chunked, identity", "transfer-encoding: chunked, identity\r\n"),
        two("transfer-encoding xchunked", "transfer-encoding: xchunked\r\n"),
        two("transfer-encoding before a colon", "transfer-encoding : chunked\r\n"),
        two("transfer-encoding folded", "transfer-encoding:\r\n chunked\r\n"),
        two("transfer-encoding with a tab", "transfer-encoding:\tchunked\r\ncontent-length: 3\r\n"),
        two("expect something", "expect: 200-ok\r\ncontent-length: 5\r\n"),
        Case::raw(
            "expect 100-continue and leave",
            Anything,
            predict("expect: 100-continue\r\ncontent-length: 100\r\n", ""),
        ),
        Case::raw("a body shorter than told", Refused, predict("content-length: 100\r\n", "{")),
        Case::raw("no length at all", Refused, predict("", SOUND)),
    ]);
    cases
}

fn chunked(name: impl Into<String>, body: impl AsRef<[u8]>) -> Case {
    Case::raw(name, Refused, predict("transfer-encoding: chunked\r\n", body))
}

fn chunks() -> Vec<Case> {
    let sizes = [
        "FFFFFFFFFFFFFFFF",
        "10000000000000000",
        "7FFFFFFFFFFFFFFF",
        "FFFFFFFFFF",
        "-1",
        "+2",
        "0x2",
        "2 2",
        "g",
        "",
        " 2",
        "2\u{0}",
        "00000000000000000000000000000002g",
    ];
    let mut cases: Vec<Case> = sizes
        .into_iter()
        .map(|size| chunked(format!("chunk size {size:?}"), format!("{size}\r\n{{}}\r\n0\r\n\r\n")))
        .collect();
    let mut good = format!("{:x}\r\n{SOUND}\r\n0\r\n\r\n", SOUND.len());
    cases.push(Case::raw("a sound chunk", Only(&[200]), predict("transfer-encoding: chunked\r\n", &good)));
    good = good.replace("\r\n", "\n");
    cases.extend([
        Case::raw("chunks with bare line feeds", Anything, predict("transfer-encoding: chunked\r\n", &good)),
        chunked("a chunk that is longer than told", "2\r\n{}{}\r\n0\r\n\r\n"),
        chunked("a chunk without an end", "2\r\n{}0\r\n\r\n"),
        chunked("no last chunk", "2\r\n{}\r\n"),
        chunked("a long extension", format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(200_000))),
        chunked("many extensions", format!("2{}\r\n{{}}\r\n0\r\n\r\n", ";a=b".repeat(50_000))),
        chunked("trailers without end", format!("2\r\n{{}}\r\n0\r\n{}", "x-a: b\r\n".repeat(20_000))),
        chunked("a trailer that is a host", "2\r\n{}\r\n0\r\nhost: evil.example\r\n\r\n"),
        Case::of("a million tiny chunks", Refused, |stream| {
            stream.write_all(&predict("transfer-encoding: chunked\r\n", ""))?;
            let piece = "1\r\n \r\n".repeat(10_000);
            (0..100).try_for_each(|_| stream.write_all(piece.as_bytes()))?;
            stream.write_all(b"0\r\n\r\n")
        }),
        Case::of("chunks of 200 MB", Refused, |stream| {
            stream.write_all(&predict("transfer-encoding: chunked\r\n", ""))?;
            let piece = format!("100000\r\n{}\r\n", " ".repeat(0x10_0000));
            (0..200).try_for_each(|_| stream.write_all(piece.as_bytes()))
        }),
    ]);
    cases
}

fn hosts() -> Vec<Case> {
    let one = |name: &str, headers: &str| Case::raw(name, Refused, format!("GET /health HTTP/1.1\r\n{headers}\r\n"));
    vec![
        one("no host", ""),
        one("an empty host", "host: \r\n"),
        one("a wrong host", "host: evil.example\r\n"),
        one("a host below ours", "host: localhost.evil.example\r\n"),
        one("a host with a user", "host: localhost@evil.example\r\n"),
        one("another address", "host: 192.0.2.1\r\n"),
        one("two hosts", "host: localhost\r\nhost: localhost\r\n"),
        one("two hosts, one wrong", "host: localhost\r\nhost: evil.example\r\n"),
        one("a host of two names", "host: localhost, evil.example\r\n"),
        one("a host that is no text", "host: \u{1}\r\n"),
        one("a host with a port that is none", "host: localhost:http\r\n"),
        one("a host of 10,000 characters", &format!("host: {}\r\n", "a".repeat(10_000))),
        Case::raw(
            "a wrong name in the target",
            Refused,
            "GET http://evil.example/health HTTP/1.1\r\nhost: localhost\r\n\r\n",
        ),
        Case::raw("a wrong name in HTTP/1.0", Refused, "GET /health HTTP/1.0\r\nhost: evil.example\r\n\r\n"),
        Case::raw("no host in HTTP/1.0", Only(&[200]), "GET /livez HTTP/1.0\r\n\r\n"),
    ]
}

fn lines() -> Vec<Case> {
    let raw = |name: &str, bytes: &str| Case::raw(name, Refused, bytes);
    let host = "host: localhost\r\n";
    let with = |header: &str| format!("GET /livez HTTP/1.1\r\n{host}{header}\r\n");
    vec![
        Case::raw("bare line feeds", Anything, "GET /livez HTTP/1.1\nhost: localhost\n\n"),
        raw("bare carriage returns", "GET /livez HTTP/1.1\rhost: localhost\r\r"),
        raw("no version", &format!("GET /livez\r\n{host}\r\n")),
        raw("HTTP/0.9", "GET /livez\r\n"),
        raw("HTTP/2.0", &format!("GET /livez HTTP/2.0\r\n{host}\r\n")),
        raw("HTTP/9.9", &format!("GET /livez HTTP/9.9\r\n{host}\r\n")),
        raw("HTTP/1.10", &format!("GET /livez HTTP/1.10\r\n{host}\r\n")),
        raw("another protocol", "RTSP/1.0 OPTIONS *\r\n\r\n"),
        raw("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\u{12}\u{4}\0\0\0\0\0"),
        raw("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}"),
        raw("nothing but zeros", &"\0".repeat(1_000)),
        raw("nothing but line ends", &"\r\n".repeat(10_000)),
        raw("a line without end", &"G".repeat(300_000)),
        raw("two spaces", &format!("GET  /livez  HTTP/1.1\r\n{host}\r\n")),
        raw("a tab for a space", &format!("GET\t/livez HTTP/1.1\r\n{host}\r\n")),
        raw("a header without a colon", &with("x\r\n")),
        raw("a header without a name", &with(": x\r\n")),
        raw("a header with a space in its name", &with("x y: z\r\n")),
        raw("a header with a zero", &with("x: \0\r\n")),
        raw("a header with a bare return", &with("x: a\rb\r\n")),
        raw("a folded header", &with("x: a\r\n b\r\n")),
        raw("a header that begins with a space", &format!("GET /livez HTTP/1.1\r\n {host}\r\n")),
        Case::raw(
            "a header in Latin-1",
            Anything,
            [b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: \xe9\xff\r\n\r\n".as_slice()].concat(),
        ),
        Case::raw("a request id that is no text", Anything, with("x-request-id: \u{e9}\u{7f}\r\n")),
        Case::raw(
            "a request id of 8,000 characters",
            Anything,
            with(&format!("x-request-id: {}\r\n", "7".repeat(8_000))),
        ),
        Case::raw(
            "an upgrade",
            Anything,
            with("connection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"),
        ),
        Case::raw(
            "an upgrade to a web socket",
            Anything,
            with("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\n"),
        ),
        Case::raw("connection: close, keep-alive", Anything, with("connection: close, keep-alive\r\n")),
        Case::raw("a range of everything", Anything, with("range: bytes=0-,0-,0-,0-,0-\r\n")),
    ]
}

fn sizes() -> Vec<Case> {
    let many = |count: usize| (0..count).map(|number| format!("x-{number}: 1\r\n")).collect::<String>();
    vec![
        Case::raw("101 headers", Refused, predict(&many(101), "")),
        Case::raw("10,000 headers", Refused, predict(&many(10_000), "")),
        Case::raw("a header of 17 KiB", Refused, predict(&format!("x: {}\r\n", "1".repeat(17 * 1024)), "")),
        Case::raw("a header of 1 MB", Refused, predict(&format!("x: {}\r\n", "1".repeat(1_000_000)), "")),
        Case::raw(
            "a header's name of 70,000 characters",
            Refused,
            predict(&format!("{}: 1\r\n", "x".repeat(70_000)), ""),
        ),
        Case::raw(
            "a target of 100,000 characters",
            Refused,
            format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(100_000)),
        ),
        Case::raw(
            "a query of 60,000 characters",
            Refused,
            format!("GET /health?{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a=b&".repeat(15_000)),
        ),
        Case::of("200 MB of headers", Refused, |stream| {
            stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n")?;
            let piece = "x-y: zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\r\n".repeat(25_000);
            (0..200).try_for_each(|_| stream.write_all(piece.as_bytes()))
        }),
    ]
}

fn methods() -> Vec<Case> {
    let methods = [
        "get",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "PROPFIND",
        "BREW",
        "G(T",
        "G\u{0}T",
        "A-VERY-LONG-METHOD-THAT-NOBODY-HAS",
    ];
    let one = |method: &str| {
        Case::raw(
            format!("method {method:?}"),
            Refused,
            format!("{method} /api/v1/predict HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        )
    };
    let mut cases: Vec<Case> = methods.into_iter().map(one).collect();
    cases.extend([
        Case::raw("OPTIONS *", Refused, "OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        Case::raw("CONNECT to another", Refused, "CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n"),
        Case::raw("CONNECT to this", Refused, "CONNECT localhost:80 HTTP/1.1\r\nhost: localhost:80\r\n\r\n"),
        Case::raw("HEAD of health", Only(&[200]), "HEAD /health HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        Case::raw("GET with a body", Anything, "GET /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}"),
    ]);
    cases
}

fn paths() -> Vec<Case> {
    let paths = [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/%252e%252e/etc/passwd",
        "/..\\..\\etc\\passwd",
        "/..%5c..%5cetc%5cpasswd",
        "/....//....//etc/passwd",
        "/.%00./etc/passwd",
        "/%00",
        "/%",
        "/%zz",
        "/%c0%ae%c0%ae/etc/passwd",
        "/%ff%fe",
        "//etc/passwd",
        "/./././api/v1/predict",
        "/api/v1/../../keys",
        "/keys",
        "/regent.yaml",
        "/.git/config",
        "/.env",
        "/api/v1/models/../../../keys/state",
        "/api/v1/models/%2e%2e/state",
        "/api/v1/models/..%2f..%2fkeys/state",
        "/api/v1/models/rain%00/state",
        "/api/v1/models/%ff/state",
        "/api/v1/models/RAIN/state",
        "/api/v1/models//state",
        "/api/v1/models/{model}/state",
        "/api/v1/models/rain/state?x=1",
        "/api/v1/models/rain/history?limit=-1",
        "/api/v1/models/rain/history?limit=18446744073709551616",
        "/api/v1/models/rain/history?limit=1&limit=2",
        "/api/v1/models/rain/history?after=../../keys",
        "/api/v1/models/rain/snapshots?size=-1h",
        "/api/v1/models/rain/snapshots?after=%00",
        "/api/v1/models/rain/drift?version=9999999999999999999999.0.0",
        "/api/v1/models/rain/drift?last=%ff",
        "/?q=<script>alert(1)</script>",
        "/api/v1/predict;jsessionid=1",
        "/API/V1/PREDICT",
        "/api/v1/predict#fragment",
        "*",
        "api/v1/predict",
        "http://",
        "http:///health",
        "file:///etc/passwd",
        "/\u{7f}",
        "/ü",
    ];
    let one = |path: &str| {
        Case::raw(format!("path {path:?}"), Refused, format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"))
    };
    paths.into_iter().map(one).collect()
}

fn pipelines() -> Vec<Case> {
    let sound = told(SOUND);
    let smuggled = format!(
        "GET /health HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n{}",
        "GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n"
    );
    vec![
        Case::raw("3 requests at once", Only(&[200]), sound.repeat(3)),
        Case::raw("300 requests at once", Anything, sound.repeat(300)),
        Case::raw("a request and rubbish", Anything, [sound.clone(), b"rubbish\r\n\r\n".to_vec()].concat()),
        Case::raw("a request and half of another", Anything, [sound.clone(), sound[..60].to_vec()].concat()),
        Case::raw("two requests in one body's place", Anything, smuggled),
        Case::raw("a request inside a body", Refused, told("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")),
        Case::raw("half a head", Anything, sound[..40].to_vec()),
        Case::raw("nothing", Anything, ""),
    ]
}

fn pages() -> Vec<Case> {
    let body = SOUND.len();
    let from = |origin: &str| predict(&format!("origin: {origin}\r\ncontent-length: {body}\r\n"), SOUND);
    vec![
        Case::raw("an origin", Only(&[403]), from("https://evil.example")),
        Case::raw("an origin of this machine", Only(&[403]), from("http://localhost")),
        Case::raw("an origin of null", Only(&[403]), from("null")),
        Case::raw(
            "a form",
            Only(&[415]),
            predict(&format!("content-type: text/plain\r\ncontent-length: {body}\r\n"), SOUND),
        ),
        Case::raw(
            "a preflight",
            Refused,
            "OPTIONS /api/v1/predict HTTP/1.1\r\nhost: localhost\r\norigin: https://evil.example\r\naccess-control-request-method: POST\r\n\r\n",
        ),
    ]
}
