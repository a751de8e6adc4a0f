//! Receivers of alerts on this machine: a web server, plain or with TLS, and a mail server with STARTTLS, an authority of their
//! own, and a memory of all that they were sent.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

/// Who signs the receivers' certificates; nobody else knows it.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a server of this machine shows.
    fn server(&self) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

/// How a request is answered.
#[derive(Clone)]
pub(crate) enum Answer {
    Status(u16, String),
    /// Elsewhere.
    Redirect(String),
    /// Never.
    Silence,
}

pub(crate) fn status(code: u16) -> Answer {
    Answer::Status(code, String::new())
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// A web server that answers by a script, and 200 from its end on.
pub(crate) struct WebServer {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Request>>>,
    script: Arc<Mutex<VecDeque<Answer>>>,
}

impl WebServer {
    pub(crate) fn start(script: &[Answer]) -> WebServer {
        WebServer::listen("http://127.0.0.1", None, script)
    }

    pub(crate) fn with_tls(authority: &Authority) -> WebServer {
        WebServer::listen("https://localhost", Some(authority.server()), &[])
    }

    fn listen(begins: &str, tls: Option<Arc<ServerConfig>>, script: &[Answer]) -> WebServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = WebServer {
            url: format!("{begins}:{}/hook", listener.local_addr().unwrap().port()),
            heard: Arc::default(),
            script: Arc::new(Mutex::new(script.iter().cloned().collect())),
        };
        let (heard, script) = (Arc::clone(&server.heard), Arc::clone(&server.script));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, heard, script) = (tls.clone(), Arc::clone(&heard), Arc::clone(&script));
                // A client that turns away, or does not trust us, is its own affair.
                thread::spawn(move || match tls {
                    None => answer(stream, &heard, &script),
                    Some(tls) => answer(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), &heard, &script),
                });
            }
        });
        server
    }

    pub(crate) fn heard(&self) -> Vec<Request> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.heard().into_iter().map(|request| request.body).collect()
    }

    /// From now on answer by this script.
    pub(crate) fn answers(&self, script: &[Answer]) {
        *self.script.lock().unwrap() = script.iter().cloned().collect();
    }
}

fn line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") {
        stream.read_exact(&mut byte)?;
        line.extend(byte);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn answer(
    mut stream: impl Read + Write,
    heard: &Mutex<Vec<Request>>,
    script: &Mutex<VecDeque<Answer>>,
) -> io::Result<()> {
    loop {
        let first = line(&mut stream)?;
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let header = line(&mut stream)?;
            let Some((name, value)) = header.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let body = serde_json::from_slice(&body).unwrap();
        heard.lock().unwrap().push(Request { path, headers, body });
        let next = script.lock().unwrap().pop_front().unwrap_or_else(|| status(200));
        match next {
            Answer::Status(code, said) => {
                write!(stream, "HTTP/1.1 {code} .\r\nContent-Length: {}\r\n\r\n{said}", said.len())?;
            }
            Answer::Redirect(to) => {
                write!(stream, "HTTP/1.1 307 .\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")?;
            }
            Answer::Silence => loop {
                thread::sleep(Duration::from_secs(60));
            },
        }
        stream.flush()?;
    }
}

/// What a mail server offers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offers {
    Starttls,
    /// Somebody on the way has struck STARTTLS from the list.
    Nothing,
    /// It takes the connection and says nothing.
    Silence,
}

/// What a mail server was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// Commands before the connection was private.
    pub(crate) in_the_open: Vec<String>,
    /// Commands after.
    pub(crate) in_private: Vec<String>,
    /// The mails.
    pub(crate) mails: Vec<String>,
}

/// A mail server.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    told: Arc<Mutex<Told>>,
}

impl MailServer {
    pub(crate) fn start(authority: &Authority, offers: Offers) -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = MailServer { port: listener.local_addr().unwrap().port(), told: Arc::default() };
        let (told, tls) = (Arc::clone(&server.told), authority.server());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (told, tls) = (Arc::clone(&told), Arc::clone(&tls));
                thread::spawn(move || talk(stream, offers, tls, &told));
            }
        });
        server
    }

    pub(crate) fn told(&self) -> Told {
        self.told.lock().unwrap().clone()
    }
}

fn talk(mut stream: TcpStream, offers: Offers, tls: Arc<ServerConfig>, told: &Mutex<Told>) -> io::Result<()> {
    if offers == Offers::Silence {
        thread::sleep(Duration::from_secs(600));
    }
    stream.write_all(b"220 localhost\r\n")?;
    let capable = if offers == Offers::Starttls { "250-localhost\r\n250 STARTTLS\r\n" } else { "250 localhost\r\n" };
    let upgrade = session(&mut stream, capable, told, |told, command| told.in_the_open.push(command))?;
    if !upgrade {
        return Ok(());
    }
    let mut private = StreamOwned::new(ServerConnection::new(tls).unwrap(), stream);
    session(&mut private, "250-localhost\r\n250 AUTH PLAIN\r\n", told, |told, command| told.in_private.push(command))?;
    Ok(())
}

/// One side of a conversation; whether it is to go on in private.
fn session(
    stream: &mut (impl Read + Write),
    capable: &str,
    told: &Mutex<Told>,
    note: impl Fn(&mut Told, String),
) -> io::Result<bool> {
    loop {
        let command = line(stream)?;
        note(&mut told.lock().unwrap(), command.clone());
        let answer = match command.split(' ').next().unwrap_or_default() {
            "EHLO" => capable,
            "STARTTLS" => {
                stream.write_all(b"220 go on\r\n")?;
                return Ok(true);
            }
            "AUTH" => "235 welcome\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                stream.flush()?;
                let mut mail = String::new();
                loop {
                    let line = line(stream)?;
                    if line == "." {
                        break;
                    }
                    mail.push_str(&line);
                    mail.push('\n');
                }
                told.lock().unwrap().mails.push(mail);
                "250 taken\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                stream.flush()?;
                return Ok(false);
            }
            _ => "250 ok\r\n",
        };
        stream.write_all(answer.as_bytes())?;
        stream.flush()?;
    }
}
