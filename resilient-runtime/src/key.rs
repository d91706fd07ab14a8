//! What tells the calls of one function apart: borrowed to look something up, owned to be kept.

use std::any::TypeId;
use std::borrow::Borrow as _;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A part of a key as one call has it.
pub trait Part {
    /// The same, kept.
    type Kept: Eq + Send + Sync + 'static;

    /// Feeds it to a hasher.
    fn feed(&self, hasher: &mut impl Hasher);
    /// A copy that can be kept.
    fn keep(&self) -> Self::Kept;
    /// Whether it is the one that was kept.
    fn is(&self, kept: &Self::Kept) -> bool;
}

impl<T: Hash + Eq + ToOwned<Owned: Eq + Send + Sync + 'static> + ?Sized> Part for &T {
    type Kept = T::Owned;

    fn feed(&self, hasher: &mut impl Hasher) {
        self.hash(hasher);
    }

    fn keep(&self) -> T::Owned {
        (**self).to_owned()
    }

    fn is(&self, kept: &T::Owned) -> bool {
        **self == *kept.borrow()
    }
}

/// A key as one call has it.
pub trait Key {
    /// The same, kept.
    type Kept: Eq + Send + Sync + 'static;

    /// Feeds it to a hasher.
    fn feed(&self, hasher: &mut impl Hasher);
    /// A copy that can be kept.
    fn keep(&self) -> Self::Kept;
    /// Whether it is the one that was kept.
    fn is(&self, kept: &Self::Kept) -> bool;
}

/// The only key there is.
impl Key for () {
    type Kept = ();

    fn feed(&self, _: &mut impl Hasher) {}

    fn keep(&self) {}

    fn is(&self, (): &()) -> bool {
        true
    }
}

impl<A: Part> Key for (A,) {
    type Kept = A::Kept;

    fn feed(&self, hasher: &mut impl Hasher) {
        self.0.feed(hasher);
    }

    fn keep(&self) -> A::Kept {
        self.0.keep()
    }

    fn is(&self, kept: &A::Kept) -> bool {
        self.0.is(kept)
    }
}

macro_rules! keys {
    ($($part:ident $at:tt)*) => {
        /// Kept as a tuple, which hashes like its parts.
        impl<$($part: Part),*> Key for ($($part,)*) {
            type Kept = ($($part::Kept,)*);

            fn feed(&self, hasher: &mut impl Hasher) {
                $(self.$at.feed(hasher);)*
            }

            fn keep(&self) -> Self::Kept {
                ($(self.$at.keep(),)*)
            }

            fn is(&self, kept: &Self::Kept) -> bool {
                $(self.$at.is(&kept.$at))&&*
            }
        }
    };
}

keys!(A 0 B 1);
keys!(A 0 B 1 C 2);
keys!(A 0 B 1 C 2 D 3);
keys!(A 0 B 1 C 2 D 3 E 4);
keys!(A 0 B 1 C 2 D 3 E 4 F 5);
keys!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
keys!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);

/// An argument, or what the user's expression gave, on its way to be a part of a key.
///
/// A method call looks at the `impl`s below in the order in which they stand, and passes over those whose bounds
/// do not hold. What is no part of a key ends at the last two, where it is one error and not one for each layer.
pub struct PartOf<'a, K: ?Sized>(pub &'a K);

impl<K: ?Sized> fmt::Debug for PartOf<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartOf")
    }
}

/// Chosen first: a reference, of which what it points to is kept.
pub trait ViaReference {
    /// A reference to that.
    type Part: Part;
    /// The part of the key.
    fn part(&self) -> Self::Part;
}

impl<'a, K: ?Sized> ViaReference for &&PartOf<'a, &K>
where
    &'a K: Part,
{
    type Part = &'a K;

    fn part(&self) -> &'a K {
        self.0
    }
}

/// Chosen second: any other value.
pub trait ViaItself {
    /// A reference to it.
    type Part: Part;
    /// The part of the key.
    fn part(&self) -> Self::Part;
}

impl<'a, K: ?Sized> ViaItself for &&&PartOf<'a, K>
where
    &'a K: Part,
{
    type Part = &'a K;

    fn part(&self) -> &'a K {
        self.0
    }
}

/// Chosen third: a reference to what cannot be one.
pub trait ViaNoReference<K: ?Sized> {
    /// No part of a key.
    fn part(&self)
    where
        Calls: ToldApartBy<K>;
}

impl<K: ?Sized> ViaNoReference<K> for &PartOf<'_, &K> {
    fn part(&self)
    where
        Calls: ToldApartBy<K>,
    {
    }
}

/// Chosen last: what cannot be one.
pub trait ViaNothing<K: ?Sized> {
    /// No part of a key.
    fn part(&self)
    where
        Calls: ToldApartBy<K>;
}

impl<K: ?Sized> ViaNothing<K> for PartOf<'_, K> {
    fn part(&self)
    where
        Calls: ToldApartBy<K>,
    {
    }
}

/// The calls of a function.
#[derive(Clone, Copy, Debug)]
pub struct Calls;

/// What a value has to be that is part of a key; it has nothing of its own.
///
/// A trait of the calls, or the compiler would advise to ask a type parameter for it.
#[diagnostic::on_unimplemented(
    message = "`{K}` cannot tell one call from another",
    label = "part of the key, so it must be `Hash + Eq + Clone + Send + Sync`, and borrow nothing",
    note = "say which values are the key: `key = id`, or `key = (tenant, id)`"
)]
pub trait ToldApartBy<K: ?Sized> {}

impl Part for () {
    type Kept = ();

    fn feed(&self, _: &mut impl Hasher) {}

    fn keep(&self) {}

    fn is(&self, (): &()) -> bool {
        true
    }
}

/// One instance of one annotated function, or what stands for it in code by hand: two of them share no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site(TypeId);

impl Site {
    pub(crate) fn of<T: 'static>() -> Self {
        Self(TypeId::of::<T>())
    }
}

/// The site of a closure that captures nothing. It is of another type in each function, and in each instance
/// of a generic one, whose parameters need not live for ever for that.
#[inline]
#[must_use]
pub fn site<C: Fn() + 'static>(_: C) -> Site {
    Site::of::<C>()
}

#[cfg(test)]
mod tests {
    use std::collections::hash_map::RandomState;
    use std::hash::BuildHasher as _;

    use super::*;

    fn hashed(state: &RandomState, key: &impl Key) -> u64 {
        let mut hasher = state.build_hasher();
        key.feed(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn a_key_is_the_one_that_was_kept_and_hashes_like_it() {
        let (kept, state) = (("tea", &7_u32).keep(), RandomState::new());
        assert!(("tea", &7_u32).is(&kept));
        assert!(!("tea", &8_u32).is(&kept) && !("coffee", &7_u32).is(&kept));
        assert_eq!(hashed(&state, &("tea", &7_u32)), hashed(&state, &(&kept,)));
        assert_eq!(hashed(&state, &("tea",)), hashed(&state, &(&String::from("tea"),)));
    }

    #[test]
    fn a_reference_is_followed_and_anything_else_stands_for_itself() {
        macro_rules! kept {
            ($key:expr) => {
                ((&&&PartOf(&($key))).part(),).keep()
            };
        }
        let (text, number) = (String::from("tea"), 7_u32);
        assert_eq!(kept!(text.as_str()), "tea");
        assert_eq!(kept!(&text), "tea");
        assert_eq!((kept!(number), kept!(&number)), (7, 7));
        assert_eq!(kept!(Some(1_u8)), Some(1));
    }

    #[test]
    fn every_instance_of_a_generic_function_is_a_site_of_its_own() {
        fn generic<T>(_: T) -> Site {
            site(|| {})
        }
        let borrowed = String::new();
        assert_eq!(generic(1_u8), generic(2_u8));
        assert_ne!(generic(1_u8), generic(1_u16));
        assert_ne!(generic(&*borrowed), generic(1_u16));
    }
}
