//! What a policy tells calls apart by, as the user's expression gives it.

use std::fmt;
use std::hash::Hasher;
use std::io::{Cursor, Write as _};

/// A hash is its own hash.
#[derive(Debug, Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 << 8) | u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A key as the user's expression gave it.
pub struct KeyOf<'a, K: ?Sized>(pub &'a K);

impl<K: ?Sized> fmt::Debug for KeyOf<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyOf")
    }
}

/// Chosen first: the key is text.
pub trait ViaStr<'a> {
    /// The key as text.
    fn key(&self) -> &'a str;
}

impl<'a, K: AsRef<str> + ?Sized> ViaStr<'a> for KeyOf<'a, K> {
    fn key(&self) -> &'a str {
        self.0.as_ref()
    }
}

/// Chosen last: the key is an integer, or an error.
pub trait ViaInteger<K: ?Sized> {
    /// The key as text.
    fn key(&self) -> Digits
    where
        K: Integer;
}

impl<K: ?Sized> ViaInteger<K> for &KeyOf<'_, K> {
    fn key(&self) -> Digits
    where
        K: Integer,
    {
        self.0.digits()
    }
}

/// What a key that is not text has to be.
#[diagnostic::on_unimplemented(
    message = "a key must be text (`AsRef<str>`) or an integer, not `{Self}`",
    label = "neither text nor an integer"
)]
pub trait Integer {
    /// The number in decimal.
    fn digits(&self) -> Digits;
}

impl<K: Integer + ?Sized> Integer for &K {
    fn digits(&self) -> Digits {
        (**self).digits()
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Integer for $integer {
            fn digits(&self) -> Digits {
                Digits::new(format_args!("{self}"))
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

/// An integer in decimal, without a heap.
#[derive(Clone, Copy, Debug)]
pub struct Digits {
    text: [u8; Self::MOST],
    length: usize,
}

impl Digits {
    /// As many as `i128::MIN` has, with its sign.
    const MOST: usize = 40;

    fn new(number: fmt::Arguments<'_>) -> Self {
        let mut text = Cursor::new([0; Self::MOST]);
        // Forty bytes are enough for every integer there is.
        let _ = text.write_fmt(number);
        let length = usize::try_from(text.position()).unwrap_or_default();
        Self { text: text.into_inner(), length }
    }
}

impl AsRef<str> for Digits {
    fn as_ref(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_become_text() {
        assert_eq!(u64::MAX.digits().as_ref(), u64::MAX.to_string());
        assert_eq!(i128::MIN.digits().as_ref(), i128::MIN.to_string());
        assert_eq!(0_u8.digits().as_ref(), "0");
    }

    #[test]
    fn the_kind_of_a_key_is_found_without_a_bound() {
        macro_rules! key {
            ($key:expr) => {
                (&KeyOf(&($key))).key()
            };
        }
        let tenant = String::from("acme");
        let borrowed: &str = &tenant;
        assert_eq!(key!(tenant), "acme");
        assert_eq!(key!(borrowed), "acme");
        assert_eq!(key!(&7_u32).as_ref(), "7");
        assert_eq!(key!(7_i64).as_ref(), "7");
    }
}
