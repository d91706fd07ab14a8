//! What a policy tells calls apart by, as the user's expression gives it.

use std::fmt;
use std::hash::Hasher;
use std::io::{Cursor, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16,
    NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize,
};

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

/// Chosen last: the key is short as text, or an error.
pub trait ViaShort<K: ?Sized> {
    /// The key as text.
    fn key(&self) -> Text
    where
        K: PolicyKey;
}

impl<K: ?Sized> ViaShort<K> for &KeyOf<'_, K> {
    fn key(&self) -> Text
    where
        K: PolicyKey,
    {
        self.0.text()
    }
}

/// What a key that is not text has to be.
#[diagnostic::on_unimplemented(
    message = "a key must be text (`AsRef<str>`), an integer, a `bool`, a `char` or an IP address, not `{Self}`",
    label = "this policy tells calls apart by text",
    note = "make it text, `key = id.to_string()`, or name a part of it: `key = tenant.id`",
    note = "a type parameter is asked for text: `T: AsRef<str>`"
)]
pub trait PolicyKey {
    /// The key as text, the same for the same key and no other.
    fn text(&self) -> Text;
}

impl<K: PolicyKey + ?Sized> PolicyKey for &K {
    fn text(&self) -> Text {
        (**self).text()
    }
}

macro_rules! short {
    ($($short:ty)*) => {$(
        impl PolicyKey for $short {
            fn text(&self) -> Text {
                Text::new(format_args!("{self}"))
            }
        }
    )*};
}

short!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
short!(NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroU128 NonZeroUsize);
short!(NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroI128 NonZeroIsize);
short!(bool char Ipv4Addr Ipv6Addr IpAddr);

/// A short text, without a heap.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    bytes: [u8; Self::MOST],
    length: usize,
}

impl Text {
    /// As many as `i128::MIN` has, with its sign: more than any of the others.
    const MOST: usize = 40;

    fn new(key: fmt::Arguments<'_>) -> Self {
        let mut text = Cursor::new([0; Self::MOST]);
        // Forty bytes are enough for each of them.
        let _ = text.write_fmt(key);
        let length = usize::try_from(text.position()).unwrap_or_default();
        Self { bytes: text.into_inner(), length }
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_become_text() {
        assert_eq!(u64::MAX.text().as_ref(), u64::MAX.to_string());
        assert_eq!(i128::MIN.text().as_ref(), i128::MIN.to_string());
        assert_eq!(0_u8.text().as_ref(), "0");
    }

    #[test]
    fn the_longest_key_of_each_kind_is_whole() {
        let mapped = Ipv4Addr::BROADCAST.to_ipv6_mapped();
        let long = Ipv6Addr::new(0xfedc, 0xba98, 0x7654, 0x3210, 0xfedc, 0xba98, 0x7654, 0x3210);
        for address in [mapped, Ipv4Addr::BROADCAST.to_ipv6_compatible(), long, Ipv6Addr::UNSPECIFIED] {
            assert_eq!(address.text().as_ref(), address.to_string());
            assert_eq!(IpAddr::from(address).text().as_ref(), address.to_string());
        }
        assert_eq!(NonZeroI128::MIN.text().as_ref(), i128::MIN.to_string());
        assert_eq!((char::MAX.text().as_ref(), false.text().as_ref()), ("\u{10ffff}", "false"));
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
