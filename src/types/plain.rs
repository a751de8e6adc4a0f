//! JSON as nearly all of it is spelled, read in one go; pure. Plain is: names and words without escapes, numbers, and nothing that is
//! not asked for. Whatever else JSON can say makes the reader give up, and is left to a careful one: it alone says what is wrong, if
//! anything is.

/// A text, and how much of it was read. Every step takes what it names, after any spaces, or gives up.
pub struct Plain<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Plain<'a> {
    /// Read a text to its end.
    pub fn read<T>(text: &'a str, read: impl FnOnce(&mut Plain<'a>) -> Option<T>) -> Option<T> {
        let mut plain = Plain { text, at: 0 };
        let read = read(&mut plain)?;
        plain.peek().is_none().then_some(read)
    }

    /// An object with members; `each` takes their values.
    pub fn members(&mut self, mut each: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.mark(b'{')?;
        loop {
            let name = self.word()?;
            self.mark(b':')?;
            each(self, name)?;
            if self.either(b',', b'}')? == b'}' {
                return Some(());
            }
        }
    }

    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The byte that comes next.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.here() {
            self.at += 1;
        }
        self.here()
    }

    /// One of two marks.
    pub fn either(&mut self, one: u8, other: u8) -> Option<u8> {
        let mark = self.peek().filter(|mark| *mark == one || *mark == other)?;
        self.at += 1;
        Some(mark)
    }

    /// A mark.
    pub fn mark(&mut self, mark: u8) -> Option<()> {
        self.either(mark, mark).map(drop)
    }

    /// This very text, without spaces before it.
    pub fn literal(&mut self, text: &str) -> Option<()> {
        let there = self.text.as_bytes().get(self.at..)?.starts_with(text.as_bytes());
        self.at += if there { text.len() } else { 0 };
        there.then_some(())
    }

    /// A word in quotes.
    pub fn word(&mut self) -> Option<&'a str> {
        self.mark(b'"')?;
        let begin = self.at;
        loop {
            match self.here()? {
                b'"' => break,
                b'\\' | ..b' ' => return None,
                _ => self.at += 1,
            }
        }
        let word = self.text.get(begin..self.at);
        self.at += 1;
        word
    }

    /// A number, as the nearest float. Up to fifteen digits make a whole number below 2⁵³, and what they are divided by for those behind
    /// the point is below 10²²: floats hold both, so that it is rounded once (Clinger, *How to read floating point numbers accurately*, 1990).
    pub fn number(&mut self) -> Option<f64> {
        self.peek()?;
        let begin = self.at;
        let negative = self.here() == Some(b'-');
        self.at += usize::from(negative);
        let (zero, none) = (self.here() == Some(b'0'), Digits::default());
        let whole = self.digits(none)?;
        if zero && whole.many > 1 {
            return None;
        }
        let all = if self.here() == Some(b'.') {
            self.at += 1;
            self.digits(whole)?
        } else {
            whole
        };
        let power = matches!(self.here(), Some(b'e' | b'E'));
        if power {
            self.at += 1;
            self.at += usize::from(matches!(self.here(), Some(b'+' | b'-')));
            self.digits(none)?;
        }
        match POWERS_OF_TEN.get(all.many - whole.many) {
            Some(divisor) if all.many <= 15 && !power => {
                let number = all.value as f64 / divisor;
                Some(if negative { -number } else { number })
            }
            _ => self.text.get(begin..self.at)?.parse().ok().filter(|number: &f64| number.is_finite()),
        }
    }

    /// A whole number of at most fifteen digits.
    pub fn whole(&mut self) -> Option<u64> {
        let number = self.number().filter(|number| number.fract() == 0.0 && (0.0..1e15).contains(number))?;
        Some(number as u64)
    }

    /// One digit or more, after those that were read before.
    fn digits(&mut self, before: Digits) -> Option<Digits> {
        let mut digits = before;
        while let Some(digit) = self.here().map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            digits.value = digits.value.wrapping_mul(10).wrapping_add(digit.into());
            digits.many += 1;
            self.at += 1;
        }
        (digits.many > before.many).then_some(digits)
    }
}

/// Digits, and the number they make; of more than nineteen it is not to be used.
#[derive(Clone, Copy, Default)]
struct Digits {
    value: u64,
    many: usize,
}

const POWERS_OF_TEN: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Option<f64> {
        Plain::read(text, Plain::number)
    }

    #[test]
    fn what_json_does_not_allow_is_not_read() {
        for text in ["", "-", "+1", "01", "-00.5", ".5", "1.", "1.e2", "1e", "1e+", "0x1", "NaN", "inf", "1 2", "1e999"]
        {
            assert_eq!(number(text), None, "{text}");
        }
        for text in ["\"a", "\"a\nb\"", "\"\\u0061\"", "a", ""] {
            assert_eq!(Plain::read(text, Plain::word), None, "{text}");
        }
        for text in ["{}", "{\"a\":1,}", "{,\"a\":1}", "{\"a\" 1}", "{\"a\":1", "{\"a\":1}}", "[1]"] {
            assert_eq!(Plain::read(text, |plain| plain.members(|plain, _| plain.number().map(drop))), None, "{text}");
        }
        assert_eq!(Plain::read(" \t\r\n\"s\u{fc}d\" ", Plain::word), Some("s\u{fc}d"));
    }

    proptest! {
        /// Numbers in every spelling are the floats that serde reads, to the bit.
        #[test]
        fn a_number_is_the_nearest_float(
            text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
            float in any::<f64>().prop_filter("JSON has no other", |float| float.is_finite()),
            short in -10_000_000..10_000_000_i32,
        ) {
            for text in [text, float.to_string(), format!("{float:e}"), (f64::from(short) / 1e6).to_string()] {
                let known: f64 = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(number(&text).map(f64::to_bits), Some(known.to_bits()), "{}", text);
            }
        }
    }
}
