//! What a caller shows: a prefix, 256 random bits and a checksum; pure. It prints itself nowhere but where it is asked to.

use std::fmt;

use crate::types::Digest;

/// Stands before every key, so that people and secret scanners know one when they see it.
const PREFIX: &str = "regent_";
const BITS_IN_HEX: usize = 64;
const CHECKSUM_IN_HEX: usize = 8;

/// A key as its holder has it: `regent_[0-9a-f]{72}`. Whoever reads it can call.
#[derive(Clone)]
pub struct Secret(String);

/// A text that is no key: a typo, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key is mistyped: its checksum does not fit")]
pub struct Mistyped;

impl Secret {
    /// The key of 256 random bits.
    pub fn from_random(bits: &[u8; 32]) -> Secret {
        let body = format!("{PREFIX}{}", Digest::from_bytes(*bits));
        let checksum = checksum(&body);
        Secret(body + &checksum)
    }

    /// Read what a caller shows.
    ///
    /// # Errors
    /// It cannot be a key, whatever keys there are.
    pub fn read(text: &str) -> Result<Secret, Mistyped> {
        let (body, sum) = text.split_at_checked(PREFIX.len() + BITS_IN_HEX).ok_or(Mistyped)?;
        let is_key = body.starts_with(PREFIX) && sum.len() == CHECKSUM_IN_HEX && checksum(body) == sum;
        if is_key { Ok(Secret(text.to_owned())) } else { Err(Mistyped) }
    }

    /// What is kept of it. 256 random bits cannot be guessed from their SHA-256, so no slower hash is needed.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// The key itself, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn checksum(body: &str) -> String {
    Digest::of(body).to_string().chars().take(CHECKSUM_IN_HEX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_as_its_pattern_and_prints_itself_nowhere() {
        let secret = Secret::from_random(&[7; 32]);
        let text = secret.reveal();
        let (prefix, hex) = text.split_at(7);
        assert_eq!((prefix, hex.len()), ("regent_", 72));
        assert!(hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(Secret::read(text).unwrap().digest(), Digest::of(text));
    }

    /// Every change of one character, every cut and every addition is a typo, told before anybody is looked up.
    #[test]
    fn every_typo_is_told() {
        let secret = Secret::from_random(&[9; 32]);
        let text = secret.reveal();
        for place in 0..text.len() {
            for other in ["0", "1", "f", "é", " "] {
                let (before, after) = (&text[..place], &text[place + 1..]);
                let typo = format!("{before}{other}{after}");
                assert!(typo == text || Secret::read(&typo).is_err(), "{typo}");
            }
            assert!(Secret::read(&text[..place]).is_err());
        }
        assert!(Secret::read(&format!("{text}0")).is_err());
        assert!(Secret::read(&text.to_uppercase()).is_err());
    }
}
