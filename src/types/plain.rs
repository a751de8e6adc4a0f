//! JSON as nearly all of it is spelled, read in one go; pure. Plain is: names and words without escapes, numbers, and nothing that is
//! not asked for. Whatever else JSON can say makes the reader give up, and is left to a careful one: it alone says what is wrong, if
//! anything is.

/// A text, and what is left of it. Every step takes what it names from the beginning of that, or gives up.
#[derive(Clone, Copy)]
pub struct Plain<'a> {
    text: &'a str,
    rest: &'a [u8],
}

/// A text that is known before it is read: the first bytes of what is read are held against it at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    text: String,
    /// Its first bytes, and which of them there are.
    head: u128,
    mask: u128,
}

impl Known {
    /// This text.
    pub fn new(text: String) -> Known {
        let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
        for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(text.bytes()) {
            (*head, *mask) = (byte, u8::MAX);
        }
        Known { text, head: u128::from_ne_bytes(head), mask: u128::from_ne_bytes(mask) }
    }

    /// What follows it in a text that begins with it.
    fn before<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match text.first_chunk() {
            Some(head) if (u128::from_ne_bytes(*head) ^ self.head) & self.mask != 0 => None,
            Some(_) if self.text.len() <= HEAD => text.get(self.text.len()..),
            _ => text.strip_prefix(self.text.as_bytes()),
        }
    }
}

/// So many bytes are compared at once.
const HEAD: usize = size_of::<u128>();

impl<'a> Plain<'a> {
    /// Read a text to its end.
    pub fn read<T>(text: &'a str, read: impl FnOnce(&mut Plain<'a>) -> Option<T>) -> Option<T> {
        let mut plain = Plain { text, rest: text.as_bytes() };
        let read = read(&mut plain)?;
        plain.peek().is_none().then_some(read)
    }

    /// An object with members; `each` takes their names, marks and values.
    pub fn members(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        // A copy need not be written to memory at every step.
        let mut inner = *self;
        inner.mark(b'{')?;
        loop {
            inner.peek()?;
            each(&mut inner)?;
            if inner.either(b',', b'}')? == b'}' {
                *self = inner;
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

    /// A text that is known.
    pub fn known(&mut self, known: &Known) -> Option<()> {
        self.rest = known.before(self.rest)?;
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

    /// A number, as the nearest float.
    // Where its caller keeps what is left in registers, so does this: numbers are most of what is read.
    #[inline(always)]
    pub fn number(&mut self) -> Option<f64> {
        let (number, rest) = match short(self.rest) {
            Some(read) => read,
            None => self.long()?,
        };
        self.rest = rest;
        Some(number)
    }

    /// A number of any length, and what follows.
    #[cold]
    fn long(&self) -> Option<(f64, &'a [u8])> {
        let unsigned = self.rest.strip_prefix(b"-").unwrap_or(self.rest);
        let rest = match unsigned.get(Digits::whole(unsigned)?.many..)? {
            [b'.', fraction @ ..] => digits(fraction)?,
            rest => rest,
        };
        let rest = match rest {
            [b'e' | b'E', b'+' | b'-', power @ ..] | [b'e' | b'E', power @ ..] => digits(power)?,
            rest => rest,
        };
        let spelled = self.text.get(self.text.len() - self.rest.len()..self.text.len() - rest.len())?;
        let number = spelled.parse().ok().filter(|number: &f64| number.is_finite())?;
        Some((number, rest))
    }

    /// A whole number of at most eighteen digits.
    pub fn whole(&mut self) -> Option<u64> {
        let digits = Digits::whole(self.rest).filter(|digits| digits.many <= 18)?;
        self.rest = self.rest.get(digits.many..)?;
        Some(digits.value)
    }
}

/// A number of up to fifteen digits and no power of ten, and what follows. The digits make a whole number below 2⁵³, and what they are
/// divided by for those behind the point is below 10²²: floats hold both, so that it is rounded once (Clinger, *How to read floating point
/// numbers accurately*, 1990).
#[inline(always)]
fn short(text: &[u8]) -> Option<(f64, &[u8])> {
    // Half of all numbers are negative: which, no processor can guess, so it is not asked to.
    let negative = text.first() == Some(&b'-');
    let unsigned = text.get(usize::from(negative)..)?;
    let whole = Digits::whole(unsigned)?;
    let (all, rest) = match unsigned.get(whole.many..)? {
        [b'.', fraction @ ..] => {
            let all = whole.and_many(fraction);
            (all, fraction.get(all.many - whole.many..).filter(|_| all.many > whole.many)?)
        }
        rest => (whole, rest),
    };
    if all.many > 15 || matches!(rest, [b'e' | b'E', ..]) {
        return None;
    }
    let number = all.value.cast_signed() as f64 / POWERS_OF_TEN[all.many - whole.many];
    Some((number.copysign([1.0, -1.0][usize::from(negative)]), rest))
}

/// What follows some digits, at least one.
fn digits(text: &[u8]) -> Option<&[u8]> {
    let many = Digits::default().and(text).many;
    text.get(many..).filter(|_| many > 0)
}

/// Digits, and the number they make; of more than nineteen it is not to be used.
#[derive(Clone, Copy, Default)]
struct Digits {
    value: u64,
    many: usize,
}

impl Digits {
    /// Those that a number begins with: at least one, and no zero before others.
    #[inline(always)]
    fn whole(text: &[u8]) -> Option<Digits> {
        let digits = Digits::default().and(text);
        let is_padded = digits.many > 1 && text.starts_with(b"0");
        (digits.many > 0 && !is_padded).then_some(digits)
    }

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

    /// The same, eight at once: how many digits a text begins with is not guessed, and what they make takes three steps (Lemire,
    /// *Quickly parsing eight digits*, 2018).
    fn and_many(self, text: &[u8]) -> Digits {
        let Some((eight, rest)) = text.split_first_chunk() else { return self.and(text) };
        let apart = u64::from_le_bytes(*eight) ^ (EACH * u64::from(b'0'));
        // The upper bit of a byte that is above 9.
        let others = (apart.wrapping_add(EACH * 0x76) | apart) & (EACH * 0x80);
        let many = others.trailing_zeros() / 8;
        // Those before the others, behind as many zeros as there are others.
        let digits = apart.checked_shl(64 - 8 * many).unwrap_or_default();
        let pairs = digits * 10 + (digits >> 8);
        let [first_and_third, second_and_fourth] = [pairs & PAIR, (pairs >> 16) & PAIR];
        let upper = first_and_third.wrapping_mul(100 + (1_000_000 << 32));
        let value = upper.wrapping_add(second_and_fourth.wrapping_mul(1 + (10_000 << 32))) >> 32;
        let many = many as usize;
        let all = Digits { value: self.value.wrapping_mul(TENS[many]).wrapping_add(value), many: self.many + many };
        if many == eight.len() { all.and(rest) } else { all }
    }
}

/// One in each byte.
const EACH: u64 = u64::MAX / 0xff;
/// The first of four pairs of bytes, and the third.
const PAIR: u64 = 0xff + (0xff << 32);

/// What makes room for so many digits.
const TENS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

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

    #[test]
    fn a_whole_number_has_eighteen_digits_at_most_and_nothing_else() {
        let whole = |text| Plain::read(text, Plain::whole);
        for (text, number) in
            [("0", 0), ("1795342500000001", 1_795_342_500_000_001), ("999999999999999999", 10_u64.pow(18) - 1)]
        {
            assert_eq!(whole(text), Some(number));
        }
        for text in ["", "-1", "01", "1.0", "1e3", "1000000000000000000", "99999999999999999999999"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    proptest! {
        /// Known text is known whatever its length and what follows, and no other is.
        #[test]
        fn known_text_is_what_a_text_begins_with(known in "[ab\u{e4}]{0,20}", text in "[ab\u{e4}]{0,40}", begins in any::<bool>()) {
            let text = if begins { known.clone() + &text } else { text };
            let known = Known::new(known);
            let mut plain = Plain { text: &text, rest: text.as_bytes() };
            let literal = { plain }.literal(&known.text).is_some();
            prop_assert_eq!(plain.known(&known).is_some(), literal);
            if literal {
                prop_assert_eq!(plain.rest, &text.as_bytes()[known.text.len()..]);
            }
        }

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
