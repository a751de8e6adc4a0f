//! JSON as nearly all of it is spelled, read in one go; pure. Plain is: names and words without escapes, numbers, and nothing that is
//! not asked for. Whatever else JSON can say makes the reader give up, and is left to a careful one: it alone says what is wrong, if
//! anything is.

/// A text, and what is left of it. Every step takes what it names from the beginning of that, or gives up.
pub struct Plain<'a> {
    text: &'a str,
    rest: &'a [u8],
}

impl<'a> Plain<'a> {
    /// Read a text to its end.
    pub fn read<T>(text: &'a str, read: impl FnOnce(&mut Plain<'a>) -> Option<T>) -> Option<T> {
        let mut plain = Plain { text, rest: text.as_bytes() };
        let read = read(&mut plain)?;
        plain.peek().is_none().then_some(read)
    }

    /// An object with members; `each` takes their names, marks and values.
    pub fn members(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.mark(b'{')?;
        loop {
            self.peek()?;
            each(self)?;
            if self.either(b',', b'}')? == b'}' {
                return Some(());
            }
        }
    }

    /// The name of a member, up to its value.
    pub fn name(&mut self) -> Option<&'a str> {
        let name = self.word()?;
        self.mark(b':')?;
        self.peek()?;
        Some(name)
    }

    /// The byte that comes next, after any spaces.
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            let (next, rest) = self.rest.split_first()?;
            match next {
                b' ' | b'\n' | b'\t' | b'\r' => self.rest = rest,
                next => return Some(*next),
            }
        }
    }

    /// One of two marks, after any spaces.
    pub fn either(&mut self, one: u8, other: u8) -> Option<u8> {
        let mark = self.peek().filter(|mark| *mark == one || *mark == other)?;
        self.rest = self.rest.get(1..)?;
        Some(mark)
    }

    /// A mark, after any spaces.
    pub fn mark(&mut self, mark: u8) -> Option<()> {
        self.either(mark, mark).map(drop)
    }

    /// This very text.
    pub fn literal(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text.as_bytes())?;
        Some(())
    }

    /// A word in quotes.
    pub fn word(&mut self) -> Option<&'a str> {
        let word = self.rest.strip_prefix(b"\"")?;
        let begin = self.text.len() - word.len();
        let end = word.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))?;
        self.rest = word.get(end..)?.strip_prefix(b"\"")?;
        self.text.get(begin..begin + end)
    }

    /// A number, as the nearest float. Up to fifteen digits make a whole number below 2⁵³, and what they are divided by for those behind
    /// the point is below 10²²: floats hold both, so that it is rounded once (Clinger, *How to read floating point numbers accurately*, 1990).
    pub fn number(&mut self) -> Option<f64> {
        let begin = self.rest;
        // Half of all numbers are negative: which, no processor can guess, so it is not asked to.
        let negative = begin.first() == Some(&b'-');
        let unsigned = begin.get(usize::from(negative)..)?;
        let whole = Digits::default().and(unsigned);
        if whole.many == 0 || (whole.many > 1 && unsigned.starts_with(b"0")) {
            return None;
        }
        let (all, rest) = match unsigned.get(whole.many..)? {
            [b'.', fraction @ ..] => {
                let all = whole.and(fraction);
                (all, fraction.get(all.many - whole.many..).filter(|_| all.many > whole.many)?)
            }
            rest => (whole, rest),
        };
        let power = match rest {
            [b'e' | b'E', b'+' | b'-', power @ ..] | [b'e' | b'E', power @ ..] => Some(power),
            _ => None,
        };
        self.rest = match power {
            None => rest,
            Some(power) => power.get(Digits::default().and(power).many..).filter(|rest| rest.len() < power.len())?,
        };
        match POWERS_OF_TEN.get(all.many - whole.many) {
            Some(divisor) if all.many <= 15 && power.is_none() => {
                let number = all.value.cast_signed() as f64 / divisor;
                Some(number.copysign([1.0, -1.0][usize::from(negative)]))
            }
            _ => {
                let spelled = self.text.get(self.text.len() - begin.len()..self.text.len() - self.rest.len())?;
                spelled.parse().ok().filter(|number: &f64| number.is_finite())
            }
        }
    }

    /// A whole number of at most fifteen digits.
    pub fn whole(&mut self) -> Option<u64> {
        let number = self.number().filter(|number| number.fract() == 0.0 && (0.0..1e15).contains(number))?;
        Some(number as u64)
    }
}

/// Digits, and the number they make; of more than nineteen it is not to be used.
#[derive(Clone, Copy, Default)]
struct Digits {
    value: u64,
    many: usize,
}

impl Digits {
    /// These, and those that a text begins with.
    fn and(mut self, text: &[u8]) -> Digits {
        for byte in text {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            self.value = self.value.wrapping_mul(10).wrapping_add(digit.into());
            self.many += 1;
        }
        self
    }
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
            assert_eq!(
                Plain::read(text, |plain| plain.members(|plain| plain.name().and(plain.number()).map(drop))),
                None,
                "{text}"
            );
        }
        assert_eq!(Plain::read("\"s\u{fc}d\" \t\r\n", Plain::word), Some("s\u{fc}d"));
        let mut found = Vec::new();
        let all = Plain::read(" {\n\"a\" :\t1 ,\r\n \"b\":-2.5e0} ", |plain| {
            plain.members(|plain| {
                found.push((plain.name()?, plain.number()?));
                Some(())
            })
        });
        assert_eq!((all, found), (Some(()), vec![("a", 1.0), ("b", -2.5)]));
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
