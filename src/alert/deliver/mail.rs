//! Sends e-mail by SMTP; part of the door. With STARTTLS nothing is said before the connection is private.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message as Letter};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls as Privacy, TlsParameters};
use lettre::{SmtpTransport, Transport};

use super::secrets::Keyring;
use super::{TIMEOUT, Trouble};
use crate::alert::{Email, Message, Tls};
use crate::types::Digest;

pub(super) fn send(email: &Email, keyring: &mut Keyring<'_>, message: &Message) -> Result<String, Trouble> {
    let letter = letter(email, message)?;
    let answer = transport(email, keyring)?.send(&letter).map_err(|error| match error.status() {
        Some(code) => Trouble::Refused { status: code.into(), said: error.to_string() },
        None => Trouble::NoAnswer { why: error.to_string() },
    })?;
    Ok(format!("answered {}", answer.code()))
}

fn setting(what: &str, error: impl std::fmt::Display) -> Trouble {
    Trouble::Setting { what: format!("{what}: {error}") }
}

/// The same bytes however often it is sent: its `Message-ID` tells a receiver the second time, `References` keep all that
/// happens to one alert in one thread, and `Auto-Submitted` (RFC 3834) asks for no reply by a machine.
fn letter(email: &Email, message: &Message) -> Result<Letter, Trouble> {
    let mailbox = |address: &String| address.parse::<Mailbox>().map_err(|error| setting("take an address", error));
    let (subject, body) = message.email();
    let host = email.from.rsplit_once('@').map_or("regent.invalid", |(_, host)| host);
    let thread = format!("<{}@{host}>", Digest::of(format!("{} {}", message.dedup_key, message.since)));
    let micros = u64::try_from(message.at.micros()).unwrap_or_default();
    let mut builder = Letter::builder()
        .from(mailbox(&email.from)?)
        .subject(subject)
        .date(UNIX_EPOCH + Duration::from_micros(micros))
        .message_id(Some(format!("<{}@{host}>", Digest::of(&message.id))))
        .in_reply_to(thread.clone())
        .references(thread)
        .header(ContentType::TEXT_PLAIN)
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    for address in &email.to {
        builder = builder.to(mailbox(address)?);
    }
    builder.body(body).map_err(|error| setting("write the e-mail", error))
}

fn transport(email: &Email, keyring: &mut Keyring<'_>) -> Result<SmtpTransport, Trouble> {
    let parameters = |keyring: &Keyring<'_>| {
        let builder = TlsParameters::builder(email.server.clone());
        let builder = match keyring.authority(email.ca_file.as_ref())? {
            None => builder.certificate_store(CertificateStore::WebpkiRoots),
            Some(pem) => {
                let authority = Certificate::from_pem(&pem).map_err(|error| setting("read ca_file", error))?;
                builder.certificate_store(CertificateStore::None).add_root_certificate(authority)
            }
        };
        builder.build().map_err(|error| setting("set up TLS", error))
    };
    let privacy = match email.tls {
        Tls::Starttls => Privacy::Required(parameters(keyring)?),
        Tls::Tls => Privacy::Wrapper(parameters(keyring)?),
        Tls::None => Privacy::None,
    };
    let port = email.port.unwrap_or(email.tls.port());
    let builder = SmtpTransport::builder_dangerous(email.server.clone()).port(port).tls(privacy).timeout(Some(TIMEOUT));
    let builder = match (&email.user, &email.password) {
        (Some(user), Some(password)) => builder.credentials(Credentials::new(user.clone(), keyring.open(password)?)),
        (Some(_), None) | (None, _) => builder,
    };
    Ok(builder.build())
}
