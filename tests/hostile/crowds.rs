//! Crowds: a thousand that trickle, more connections than there are files, more requests than are let in. Honest callers are
//! answered all the while, and when the crowd has gone nothing is left of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::cases;
use super::house::{House, REGENT, SOUND};
use super::server::{Door, SLOW, Server, read_quietly, statuses};
use super::table::{in_full, row};

/// Honest callers, each on its own connection, and how often each asks in a second.
const HONEST: usize = 8;
const EACH: u32 = 20;
/// The promise, and what is granted to a machine that does other things.
const CUT_WITHIN: Duration = Duration::from_secs(15);
const GRACE: u32 = 2;

/// How many honest requests were made, and how many were answered with 200.
#[derive(Debug, Default)]
struct Goodput {
    asked: AtomicUsize,
    answered: AtomicUsize,
}

impl Goodput {
    fn share(&self) -> f64 {
        self.answered.load(Ordering::SeqCst) as f64 / self.asked.load(Ordering::SeqCst).max(1) as f64
    }
}

/// One honest caller: it keeps its connection, and makes a new one where it was cut.
fn call(server: &Server, goodput: &Goodput, over: &AtomicBool) {
    let request = cases::sound();
    let mut stream = None;
    while !over.load(Ordering::SeqCst) {
        let begun = Instant::now();
        goodput.asked.fetch_add(1, Ordering::SeqCst);
        let mut ask = || -> Option<u16> {
            if stream.is_none() {
                let made = TcpStream::connect(server.address).ok()?;
                made.set_read_timeout(Some(Duration::from_secs(1) * SLOW)).ok()?;
                stream = Some(made);
            }
            let open: &mut TcpStream = stream.as_mut()?;
            open.write_all(&request).ok()?;
            statuses(&read_quietly(open, true)).first().copied()
        };
        match ask() {
            Some(200) => drop(goodput.answered.fetch_add(1, Ordering::SeqCst)),
            Some(_) | None => stream = None,
        }
        if let Some(stream) = &mut stream {
            drain(stream);
        }
        thread::sleep((Duration::from_secs(1) / EACH).saturating_sub(begun.elapsed()));
    }
}

/// Read what is left of an answer.
fn drain(stream: &mut TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let mut piece = [0; 4096];
    while stream.read(&mut piece).is_ok_and(|length| length > 0) {}
    stream.set_nonblocking(false).unwrap();
}

/// A connection that was begun like this.
fn begin(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let _ = stream.write_all(bytes);
    stream.set_nonblocking(true).unwrap();
    stream
}

/// A request that is answered with far more than it is, over and over, until nothing more is taken.
fn begin_unread(server: &Server) -> TcpStream {
    let names: Vec<String> = (0..600).map(|number| format!("\"{number:040}\":1")).collect();
    let body = format!("{{\"features\":{{{}}}}}", names.join(","));
    let request =
        format!("POST /api/v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    // At most 4 MB of answers: more than buffers hold of them.
    let _ = (0..60).try_for_each(|_| stream.write_all(request.as_bytes()));
    stream
}

#[test]
fn those_who_trickle_are_cut_and_those_who_are_honest_are_answered() {
    let house = House::with_champion();
    let (heads, bodies, readers) = if in_full() { (1_000, 200, 200) } else { (60, 12, 4) };
    let hurry = ["--head-within", "2s", "--body-within", "2s", "--request-within", "2s", "--idle-within", "3s"];
    let server = house.serve(Door::Hyper, if in_full() { &[] } else { &hurry });
    assert_eq!(server.ask(&cases::sound()), 200);
    let before = server.held();
    let (goodput, over) = (Goodput::default(), AtomicBool::new(false));
    let (mut threads, mut rss_kib, mut cut) = (0, 0, None);
    thread::scope(|scope| {
        for _ in 0..HONEST {
            scope.spawn(|| call(&server, &goodput, &over));
        }
        let unread: Vec<TcpStream> = (0..readers).map(|_| begin_unread(&server)).collect();
        let begun = Instant::now();
        let slow_head = || begin(&server, b"GET /livez HTTP/1.1\r\nhost: local");
        let slow_body =
            || begin(&server, b"POST /api/v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{");
        let mut slow: Vec<TcpStream> = (0..heads).map(|_| slow_head()).collect();
        slow.extend((0..bodies).map(|_| slow_body()));
        while begun.elapsed() < CUT_WITHIN * GRACE {
            // One more byte of each, now and then.
            slow.iter_mut().for_each(|stream| drop(stream.write(b"x")));
            thread::sleep(Duration::from_millis(500));
            let held = server.held();
            (threads, rss_kib) = (threads.max(held.threads), rss_kib.max(held.rss_kib));
            if held.descriptors <= before.descriptors + HONEST {
                cut = Some(begun.elapsed());
                break;
            }
        }
        over.store(true, Ordering::SeqCst);
        drop((slow, unread));
    });
    let more_kib = rss_kib.saturating_sub(before.rss_kib);
    let seconds = cut.unwrap_or_else(|| panic!("still held: {:?}, before {before:?}", server.held())).as_secs_f64();
    assert!(goodput.share() >= 0.95, "{goodput:?}");
    assert!(threads <= 64 && more_kib <= 64 * 1024, "{threads} threads, {more_kib} KiB more");
    assert_eq!(server.settles_at(before), Ok(()));
    assert!(server.is_healthy() && server.panics() == 0);
    let share = goodput.share() * 100.0;
    let outcome = format!(
        "{share:.1} % of honest requests answered, all cut after {seconds:.1} s, {threads} threads, {} MiB more",
        more_kib / 1024
    );
    row(
        &format!("{heads} slow heads, {bodies} slow bodies, {readers} slow readers"),
        "hyper",
        heads + bodies + readers,
        &outcome,
    );
}

#[test]
fn without_files_for_more_connections_it_serves_again_when_they_have_ended() {
    let house = House::with_champion();
    let words = format!("ulimit -n 64; exec {REGENT} serve rain --listen 127.0.0.1:0");
    let mut server = Server::of(house.command("sh", &["-c", &words])).unwrap();
    assert!(server.is_healthy());
    let crowd: Vec<TcpStream> = (0..200).map(|_| begin(&server, b"GET /livez HTTP/1.1\r\n")).collect();
    thread::sleep(Duration::from_secs(1));
    drop(crowd);
    let begun = Instant::now();
    while !server.is_healthy() {
        assert!(!server.has_ended(), "it ends, which is allowed with a code; it did not before");
        assert!(begun.elapsed() < Duration::from_secs(5) * GRACE, "alive and deaf");
    }
    assert_eq!(server.ask(&cases::sound()), 200);
    let outcome = format!("serves again after {:.1} s", begun.elapsed().as_secs_f64());
    row("200 connections, 64 descriptors", "hyper", 200, &outcome);
}

/// Five times what one address may ask.
#[test]
fn five_times_too_much_is_refused_at_once_and_the_rest_is_answered() {
    let house = House::with_champion();
    const RATE: usize = 100;
    let server = house.serve(Door::Hyper, &["--rate-per-address", "100"]);
    let (mut good, mut refused, mut slowest) = (0, 0, Duration::ZERO);
    let request = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut stream = server.connect();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let begun = Instant::now();
    const SECONDS: usize = 4;
    let mut piece = [0; 4096];
    for number in 0..5 * RATE * SECONDS {
        let due = Duration::from_micros((number * 1_000_000 / (5 * RATE)) as u64);
        thread::sleep(due.saturating_sub(begun.elapsed()));
        let asked = Instant::now();
        stream.write_all(request).unwrap();
        let length = stream.read(&mut piece).unwrap();
        let said = String::from_utf8_lossy(&piece[..length]).to_lowercase();
        match statuses(&piece[..length])[..] {
            [200] => good += 1,
            [429] if said.contains("retry-after: 1\r\n") => {
                refused += 1;
                slowest = slowest.max(asked.elapsed());
            }
            _ => panic!("{said}"),
        }
    }
    let peak = RATE as f64 * begun.elapsed().as_secs_f64();
    assert!(f64::from(good) >= 0.8 * peak, "{good} of {peak}");
    assert!(f64::from(good) <= 1.1 * peak + RATE as f64, "{good} of {peak}: more than is let in");
    assert!(refused > 2 * RATE && slowest < Duration::from_millis(50) * SLOW, "{refused} refused, {slowest:?}");
    // A bucket begins full, so that a second's worth comes on top.
    let slowest_ms = slowest.as_millis();
    let outcome =
        format!("{good} answered where the rate grants {peak:.0}, {refused} × 429, the slowest after {slowest_ms} ms");
    row("5 × the rate of an address", "hyper", 5 * RATE * SECONDS, &outcome);
}

/// A request that was let in: its body is asked for.
fn let_in(server: &Server) -> TcpStream {
    const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let headers = format!("expect: 100-continue\r\ncontent-length: {}\r\n", SOUND.len());
    stream.write_all(&cases::predict(&headers, "")).unwrap();
    let mut told = [0; GO_ON.len()];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(told, *GO_ON);
    stream
}

/// Five times as many requests at once as are let in: the others are told to come back, and those inside are answered.
#[test]
fn more_requests_at_once_than_are_let_in_are_told_to_come_back() {
    let house = House::with_champion();
    const PLACES: usize = 16;
    let server = house.serve(Door::Hyper, &["--max-requests", "16"]);
    let sound = cases::sound();
    let mut inside: Vec<TcpStream> = (0..PLACES).map(|_| let_in(&server)).collect();
    let asked = Instant::now();
    let told: Vec<u16> = (0..4 * PLACES).map(|_| server.ask(&sound)).collect();
    let each = asked.elapsed() / told.len() as u32;
    assert!(told.iter().all(|status| *status == 503), "{told:?}");
    assert!(each < Duration::from_millis(50) * SLOW, "{each:?}");
    for stream in &mut inside {
        stream.write_all(SOUND.as_bytes()).unwrap();
        assert_eq!(statuses(&read_quietly(stream, true)), [200]);
    }
    let outcome = format!("those inside answered, the others 503 after {} ms each", each.as_millis());
    row("5 × the places", "hyper", 5 * PLACES, &outcome);
}
