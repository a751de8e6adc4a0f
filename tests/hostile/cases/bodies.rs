//! Bodies that are no requests: depth, size, keys, numbers, text, features and packing.

use std::io::Write;

use super::Allowed::{Only, Refused};
use super::{Case, SOUND, predict, told};

pub(super) fn all() -> Vec<Case> {
    [shapes(), numbers(), texts(), features(), packed(), others()].into_iter().flatten().collect()
}

fn refused(name: impl Into<String>, body: impl AsRef<[u8]>) -> Case {
    Case::raw(name, Refused, told(body))
}

fn shapes() -> Vec<Case> {
    let keys: String = (0..60_000).map(|number| format!("\"k{number}\":1,")).collect();
    let mut cases = vec![
        refused("lists 100,000 deep", "[".repeat(100_000)),
        refused("objects 100,000 deep", "{\"a\":".repeat(100_000)),
        refused(
            "a feature 1,000 deep",
            format!("{{\"features\":{{\"temperature\":{}1{}}}}}", "[".repeat(1_000), "]".repeat(1_000)),
        ),
        refused("60,000 keys", format!("{{\"features\":{{{keys}\"z\":1}}}}")),
        Case::of("a million keys", Refused, |stream| {
            let keys: String = (0..1_000_000).map(|number| format!("\"k{number}\":1,")).collect();
            stream.write_all(&told(format!("{{\"features\":{{{keys}\"z\":1}}}}")))
        }),
        refused("a key of 900,000 characters", format!("{{\"features\":{{\"{}\":1}}}}", "k".repeat(900_000))),
        refused(
            "a word of 900,000 characters",
            format!("{{\"features\":{{\"temperature\":\"{}\"}}}}", "k".repeat(900_000)),
        ),
        refused("a body of 2 MiB", " ".repeat(2 * 1024 * 1024)),
        refused("a key twice", r#"{"features":{"temperature":1,"temperature":2}}"#),
        refused("a key twice, escaped", r#"{"features":{"temperature":1,"\u0074emperature":2}}"#),
        refused("features twice", r#"{"features":{},"features":{}}"#),
        refused("__proto__", r#"{"__proto__":{"admin":true},"features":{}}"#),
        refused("another model's features", r#"{"features":{"age":1}}"#),
    ];
    let plain = [
        "",
        " ",
        "null",
        "true",
        "0",
        "\"\"",
        "[]",
        "{}",
        "[{}]",
        "{",
        "}",
        "{]",
        "{\"features\":",
        "{\"features\":{}",
        "{\"features\":[]}",
        "{\"features\":null}",
        "{\"features\":1}",
        "{\"features\":{}}x",
        "{\"features\":{},}",
        "{'features':{}}",
        "{features:{}}",
        "/**/{}",
        "{\"features\":{},\"request_id\":\"../../keys\"}",
        "{\"features\":{},\"request_id\":1}",
        "{\"features\":{},\"at\":1}",
        "<a/>",
        "a=b&c=d",
    ];
    cases.extend(plain.into_iter().map(|body| refused(format!("body {body:?}"), body)));
    cases
}

/// The sound request with this in the place of its temperature.
fn temperature(value: &str) -> String {
    SOUND.replacen("-0.4", value, 1)
}

fn numbers() -> Vec<Case> {
    let bad = [
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "1e-",
        "01",
        "+1",
        ".5",
        "5.",
        "0x10",
        "1_000",
        "1,5",
        "--1",
        "1e5e5",
        "\"1\"",
        "[]",
        "{}",
        "true",
        "null",
        "\"\"",
    ];
    let mut cases: Vec<Case> =
        bad.into_iter().map(|value| refused(format!("temperature {value}"), temperature(value))).collect();
    cases.push(refused("a number of 500,000 digits", temperature(&"9".repeat(500_000))));
    for value in [
        "9007199254740993",
        "1e308",
        "-0",
        "-0.0",
        "0e0",
        "1e-400",
        "0.10000000000000000555111512312578270211815834045410156250000",
    ] {
        cases.push(Case::raw(format!("temperature {value}"), Only(&[200]), told(temperature(value))));
    }
    cases
}

fn texts() -> Vec<Case> {
    let quoted = |inside: &[u8]| [b"{\"features\":{\"temperature\":\"".as_slice(), inside, b"\"}}"].concat();
    vec![
        refused("bytes that are no UTF-8", quoted(b"\xff\xfe")),
        refused("UTF-8 that is too long", quoted(b"\xc0\xaf")),
        refused("a surrogate in UTF-8", quoted(b"\xed\xa0\x80")),
        refused("a text that is cut", quoted(b"\xe2\x82")),
        refused("a lone surrogate", quoted(b"\\ud800")),
        refused("surrogates in the wrong order", quoted(b"\\udc00\\ud800")),
        refused("a surrogate in a key", b"{\"features\":{\"\\ud800\":1}}"),
        refused("an escape that is none", quoted(b"\\x41")),
        refused("an escape that is cut", quoted(b"\\u12")),
        refused("a zero", quoted(b"\0")),
        refused("an escaped zero", quoted(b"\\u0000")),
        refused("a line end in a text", quoted(b"a\nb")),
        refused("a byte order mark", [b"\xef\xbb\xbf".as_slice(), SOUND.as_bytes()].concat()),
        refused("UTF-16", SOUND.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
    ]
}

fn features() -> Vec<Case> {
    vec![
        refused("no feature", r#"{"features":{}}"#),
        refused("an unknown feature", SOUND.replacen("{\"temperature\"", "{\"unknown\":1,\"temperature\"", 1)),
        refused("a missing feature", SOUND.replacen("\"temperature\":-0.4,", "", 1)),
        refused("the target", SOUND.replacen("{\"temperature\"", "{\"rain\":true,\"temperature\"", 1)),
        refused("what is not a feature", SOUND.replacen("{\"temperature\"", "{\"day_index\":1,\"temperature\"", 1)),
        refused("a mistyped feature", temperature("\"warm\"")),
        refused("a null", temperature("null")),
        refused("upper case", SOUND.replacen("temperature", "TEMPERATURE", 1)),
    ]
}

/// A megabyte of zeros for every kilobyte: what would be unpacked is refused before.
fn packed() -> Vec<Case> {
    // gzip of nothing but a header and a stored block of zeros, repeated: small, and larger where somebody unpacks it.
    let gzip =
        [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice(), &b"\xec\xc1\x01\x0d\0\0\0\xc2\xa0\xf7Om\x0e7\xa0".repeat(1_000)]
            .concat();
    let one = |encoding: &str| {
        let headers = format!("content-encoding: {encoding}\r\ncontent-length: {}\r\n", gzip.len());
        Case::raw(format!("packed with {encoding}"), Refused, predict(&headers, &gzip))
    };
    ["gzip", "deflate", "br", "zstd", "gzip, gzip, gzip", "x-unknown"].map(one).into()
}

fn others() -> Vec<Case> {
    let to = |path: &str, body: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    let ids: String = (0..20_000).map(|_| "{\"request_id\":\"x\",\"label\":1},").collect();
    vec![
        Case::raw("labels of nobody", Refused, to("/api/v1/labels", r#"{"labels":[{"request_id":"x","label":1}]}"#)),
        Case::raw("labels that are none", Refused, to("/api/v1/labels", r#"{"labels":7}"#)),
        Case::raw(
            "a label of 1e999",
            Refused,
            to("/api/v1/labels", r#"{"request_id":"0190a5b4-7c3e-7b1a-8f00-000000000001","label":1e999}"#),
        ),
        Case::raw(
            "20,000 labels",
            Refused,
            to("/api/v1/labels", &format!("{{\"labels\":[{ids}]}}").replace(",]", "]")),
        ),
        Case::raw("inferences where the model is served", Refused, to("/api/v1/inferences", "{}")),
        Case::raw("labels 100,000 deep", Refused, to("/api/v1/labels", &"[".repeat(100_000))),
    ]
}
