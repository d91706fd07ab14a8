//! Every shape of function an attribute can stand on, by what it does.

#![allow(
    clippy::allow_attributes_without_reason,
    clippy::items_after_statements,
    clippy::manual_async_fn,
    clippy::many_single_char_names,
    clippy::needless_pass_by_value,
    clippy::similar_names,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::useless_format,
    reason = "the shapes are what is tested"
)]

use std::cell::Cell;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilient_runtime::{Rejected, attempt, fallback, retry, timeout};
use tokio::time::sleep;

#[derive(Clone, Debug, PartialEq)]
enum PayError {
    Busy,
    Rejected,
}

impl From<Rejected> for PayError {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

/// Fails until attempt `ok`.
fn busy_until(ok: u32) -> Result<u32, PayError> {
    if attempt() < ok { Err(PayError::Busy) } else { Ok(attempt()) }
}

#[timeout("1s")]
async fn slow(time: Duration) -> Result<u32, PayError> {
    sleep(time).await;
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn a_function_can_time_out() {
    assert_eq!(slow(Duration::from_millis(10)).await, Ok(1));
    assert_eq!(slow(Duration::from_secs(10)).await, Err(PayError::Rejected));
}

mod arguments {
    use super::*;

    #[fallback(fn = cached)]
    #[timeout("1s")]
    async fn guarded(id: String, n: u32) -> Result<String, PayError> {
        sleep(Duration::from_secs(u64::from(n))).await;
        if id.is_empty() {
            return Err(PayError::Busy);
        }
        Ok(id)
    }

    fn cached(id: String, n: u32) -> Result<String, PayError> {
        Ok(format!("cached {id}{n}"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_fallback_gets_the_originals() {
        assert_eq!(guarded("a".into(), 0).await, Ok("a".into()));
        assert_eq!(guarded("a".into(), 2).await, Ok("cached a2".into()));
        assert_eq!(guarded(String::new(), 0).await, Ok("cached 0".into()));
    }

    #[derive(Default)]
    struct Counted(Arc<AtomicU32>);

    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Ordering::Relaxed);
            Self(self.0.clone())
        }
    }

    #[fallback(fn = count)]
    #[timeout("10s")]
    #[retry(max = 3)]
    #[timeout("1s")]
    async fn stacked(counted: Counted) -> Result<u32, PayError> {
        drop(counted);
        busy_until(9)
    }

    async fn count(counted: Counted) -> Result<u32, PayError> {
        Ok(counted.0.load(Ordering::Relaxed))
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_cloned_but_once_per_attempt() {
        assert_eq!(stacked(Counted::default()).await, Ok(3));
    }

    #[retry(max = 3)]
    async fn unmentioned(_counted: Counted, counter: &AtomicU32) -> Result<u32, PayError> {
        counter.fetch_add(1, Ordering::Relaxed);
        busy_until(3)
    }

    struct NoClone(u32);

    #[retry(no_clone(conn))]
    async fn borrowed(conn: NoClone) -> Result<u32, PayError> {
        busy_until(conn.0)
    }

    #[retry]
    async fn changed(mut n: u32, mut text: &str) -> Result<(u32, &str), PayError> {
        n += 1;
        text = &text[1..];
        busy_until(3)?;
        Ok((n, text))
    }

    #[retry]
    async fn named_in_text(name: String) -> Result<String, PayError> {
        busy_until(2)?;
        Ok(format!("{name}"))
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_starts_with_the_same_arguments() {
        let counted = Counted::default();
        let counter = AtomicU32::new(0);
        assert_eq!(unmentioned(Counted(counted.0.clone()), &counter).await, Ok(3));
        assert_eq!((counted.0.load(Ordering::Relaxed), counter.into_inner()), (0, 3));
        assert_eq!(borrowed(NoClone(3)).await, Ok(3));
        assert_eq!(changed(1, "text").await, Ok((2, "ext")));
        assert_eq!(named_in_text("a".into()).await, Ok("a".into()));
    }

    struct Point {
        x: String,
        y: u32,
    }

    #[retry]
    async fn patterns(
        (mut a, b): (String, &mut u32),
        Point { x, y: ref z }: Point,
        _: u8,
        &[c, _]: &[u8; 2],
    ) -> Result<String, PayError> {
        a.push('!');
        *b += 1;
        busy_until(3)?;
        Ok(format!("{a}{x}{z}{c}{b}"))
    }

    #[tokio::test(start_paused = true)]
    async fn patterns_are_taken_apart_once() {
        let mut count = 0;
        let point = Point { x: "x".into(), y: 7 };
        assert_eq!(patterns(("a".into(), &mut count), point, 0, &[5, 6]).await, Ok("a!x753".into()));
    }

    #[fallback(fn = without, when = |_| true)]
    #[retry]
    async fn some(
        #[cfg(test)] n: u32,
        #[cfg(not(test))] m: u32,
        #[cfg_attr(test, cfg(not(test)))] _gone: u32,
        #[allow(unused_variables, reason = "so is it in the attempt")] unused: u8,
    ) -> Result<u32, PayError> {
        busy_until(4)?;
        #[cfg(not(test))]
        let n = m;
        Ok(n)
    }

    async fn without(n: u32, unused: u8) -> Result<u32, PayError> {
        Ok(n + u32::from(unused))
    }

    #[tokio::test(start_paused = true)]
    async fn parameters_can_be_configured_away() {
        assert_eq!(some(3, 1).await, Ok(4));
    }

    fn take<T>(_: T) {}

    #[fallback(fn = fell)]
    #[timeout("100s")]
    #[retry]
    async fn unique(list: &mut Vec<u32>, mut pinned: Pin<&mut u32>, n: &Cell<u32>) -> Result<u32, PayError> {
        list.push(attempt());
        take(list);
        pinned.set(attempt());
        take(pinned);
        n.set(n.get() + 1);
        busy_until(5)
    }

    fn fell(list: &mut Vec<u32>, pinned: Pin<&mut u32>, n: &Cell<u32>) -> Result<u32, PayError> {
        assert_eq!((&**list, *pinned, n.get()), (&[1, 2, 3][..], 3, 3));
        list.clear();
        Ok(9)
    }

    #[tokio::test(start_paused = true)]
    async fn unique_borrows_are_lent_again() {
        let (mut list, mut pinned) = (Vec::new(), 0);
        assert_eq!(unique(&mut list, Pin::new(&mut pinned), &Cell::new(0)).await, Ok(9));
        assert!(list.is_empty());
    }
}

mod signatures {
    use super::*;

    #[retry]
    async fn generic<T, const N: usize>(values: [T; N]) -> Result<T, PayError>
    where
        T: Clone + Debug,
    {
        busy_until(2)?;
        values.into_iter().next().ok_or(PayError::Busy)
    }

    #[retry]
    async fn lifetimes<'a, 'b: 'a>(a: &'a str, _: &'b str) -> Result<&'a str, PayError> {
        busy_until(2)?;
        Ok(a)
    }

    #[timeout("1s")]
    #[retry]
    async fn impl_trait(text: impl Into<String> + Clone) -> Result<impl Debug, PayError> {
        busy_until(2)?;
        Ok(text.into())
    }

    #[retry]
    async fn boxed_error(n: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        if attempt() == 1 {
            return Err("text".into());
        }
        if attempt() == 2 {
            Err(std::io::Error::other("io"))?;
        }
        Ok(n.parse::<u32>()?)
    }

    type Outcome<T> = std::result::Result<T, PayError>;

    #[fallback(value = 5)]
    async fn alias(n: u32) -> Outcome<u32> {
        busy_until(n)
    }

    #[retry]
    fn returned(n: u32) -> impl Future<Output = Result<u32, PayError>> + Send {
        async move { busy_until(n) }
    }

    #[timeout("100s")]
    #[retry]
    fn boxed<'a>(
        text: &'a str,
        own: String,
    ) -> Pin<Box<dyn Future<Output = Result<String, PayError>> + Send + 'a>> {
        Box::pin(async move {
            busy_until(3)?;
            Ok(format!("{text}{own}"))
        })
    }

    #[retry]
    fn recursive(n: u32) -> Pin<Box<dyn Future<Output = Result<u32, PayError>> + Send>> {
        std::boxed::Box::pin(async move {
            busy_until(2)?;
            if n == 0 { Ok(0) } else { Ok(recursive(n - 1).await? + 1) }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn every_signature_runs_a_second_time() {
        assert_eq!(generic(["a", "b"]).await, Ok("a"));
        assert_eq!(lifetimes("a", "b").await, Ok("a"));
        assert_eq!(format!("{:?}", impl_trait("a").await), "Ok(\"a\")");
        assert_eq!(boxed_error("3").await.ok(), Some(3));
        assert_eq!(alias(2).await, Ok(5));
        assert_eq!(returned(2).await, Ok(2));
        assert_eq!(boxed("a", "b".into()).await, Ok("ab".into()));
        assert_eq!(recursive(2).await, Ok(2));
    }

    trait Quotes {
        async fn quote(&self, id: String) -> Result<String, PayError>;

        #[fallback(fn = Self::other)]
        #[retry]
        async fn default(&mut self, id: String) -> Result<String, PayError> {
            busy_until(4)?;
            Ok(id)
        }

        fn other(&mut self, id: String) -> Result<String, PayError> {
            Ok(format!("other {id}"))
        }
    }

    struct Shop;

    impl Quotes for Shop {
        #[timeout("100s")]
        #[retry]
        async fn quote(&self, id: String) -> Result<String, PayError> {
            busy_until(2)?;
            Ok(id)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn trait_methods_work() {
        assert_eq!(Shop.quote("a".into()).await, Ok("a".into()));
        assert_eq!(Shop.default("a".into()).await, Ok("other a".into()));
    }

    #[retry]
    async fn inner_items(n: u32) -> Result<u32, PayError> {
        #![allow(clippy::needless_return, reason = "an attribute of the body stays its first")]
        use std::convert::identity;
        const ONE: u32 = 1;
        fn one() -> u32 {
            ONE
        }
        let mut total = 0;
        'outer: loop {
            for at in 0.. {
                total += at * one();
                if at > n {
                    break 'outer;
                }
            }
        }
        busy_until(2)?;
        return Ok(identity(total));
    }

    #[tokio::test(start_paused = true)]
    async fn the_body_keeps_its_items_and_labels() {
        assert_eq!(inner_items(3).await, Ok(10));
    }
}

mod macros {
    use super::*;

    macro_rules! guarded {
        ($vis:vis $name:ident($n:ident: $ty:ty), $max:expr, $limit:literal, $body:block) => {
            #[timeout($limit)]
            #[retry(max = $max)]
            $vis async fn $name($n: $ty, text: &str) -> Result<String, PayError> {
                let more: Result<u32, PayError> = async $body.await;
                Ok(format!("{text}{}", more?))
            }
        };
    }

    guarded!(pub(super) constant(n: u32), 3, "100s", { busy_until(n) });

    macro_rules! whole_body {
        ($name:ident, $body:block) => {
            #[retry]
            async fn $name() -> Result<u32, PayError> $body
        };
    }

    whole_body!(whole, { busy_until(3) });

    macro_rules! method {
        ($name:ident, $self:ident, $n:ident, $ty:ty, $body:expr) => {
            #[retry]
            async fn $name(&mut $self, mut $n: $ty, hidden: String) -> Result<u32, PayError> {
                $n += 1;
                let _ = hidden.len();
                $body
            }
        };
    }

    struct Counter(u32);

    impl Counter {
        method!(count, self, n, u32, {
            self.0 += 1;
            busy_until(3)?;
            Ok(self.0 + n)
        });
    }

    #[tokio::test(start_paused = true)]
    async fn functions_made_by_macros_work() {
        assert_eq!(constant(3, "a").await, Ok("a3".into()));
        assert_eq!(whole().await, Ok(3));
        assert_eq!(Counter(0).count(1, String::new()).await, Ok(5));
    }
}

mod own_names {
    #![allow(dead_code, non_camel_case_types, reason = "the names are in the way on purpose")]

    struct Ok;
    struct Err;
    struct Some;
    struct None;
    struct Box;
    struct String;
    mod core {}
    mod std {}
    #[allow(unused_macros, reason = "the names are in the way on purpose")]
    macro_rules! assert {
        () => {};
    }
    type Result<T> = ::std::result::Result<T, super::PayError>;

    #[::resilient_runtime::fallback(value = n)]
    #[::resilient_runtime::timeout("100s")]
    #[::resilient_runtime::retry(max = 2)]
    pub(super) async fn surrounded(n: u32) -> Result<u32> {
        super::busy_until(3)
    }
}

#[tokio::test(start_paused = true)]
async fn names_in_scope_do_not_matter() {
    assert_eq!(own_names::surrounded(4).await, Ok(4));
}

mod other_attributes {
    use super::*;

    #[async_trait::async_trait]
    trait Quotes {
        async fn shared(&self, id: String, more: &str) -> Result<String, PayError>;
        async fn unique(&mut self, pair: (u32, String)) -> Result<u32, PayError>;
        async fn counted(self: Arc<Self>, n: u32) -> Result<u32, PayError>;
        async fn owned(self) -> Result<u32, PayError>
        where
            Self: Sized;

        #[retry]
        async fn default(&mut self, n: &mut u32) -> Result<u32, PayError>
        where
            Self: Send,
        {
            *n += 1;
            busy_until(3)?;
            Ok(*n)
        }
    }

    struct Shop(u32);

    #[async_trait::async_trait]
    impl Quotes for Shop {
        #[timeout("100s")]
        #[retry]
        async fn shared(&self, id: String, more: &str) -> Result<String, PayError> {
            busy_until(2)?;
            Ok(format!("{id}{more}{}", self.0))
        }

        #[fallback(value = 0)]
        #[timeout("100s")]
        #[retry]
        async fn unique(&mut self, (mut n, text): (u32, String)) -> Result<u32, PayError> {
            n += 1;
            self.0 += 1;
            drop(text);
            busy_until(3)?;
            Ok(n * 10 + self.0)
        }

        #[retry]
        async fn counted(self: Arc<Self>, mut n: u32) -> Result<u32, PayError> {
            n += self.0;
            busy_until(2)?;
            Ok(n)
        }

        #[retry]
        async fn owned(self) -> Result<u32, PayError> {
            busy_until(2)?;
            Ok(self.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn async_trait_methods_work() {
        let mut shop = Shop(1);
        assert_eq!(shop.shared("a".into(), "b").await, Ok("ab1".into()));
        assert_eq!(shop.unique((1, String::new())).await, Ok(24));
        assert_eq!(shop.default(&mut 0).await, Ok(3));
        assert_eq!(Arc::new(Shop(3)).counted(4).await, Ok(7));
        assert_eq!(shop.owned().await, Ok(4));
    }

    #[async_recursion::async_recursion]
    #[retry]
    async fn below(n: u32) -> Result<u32, PayError> {
        busy_until(2)?;
        if n == 0 { Ok(0) } else { Ok(below(n - 1).await? + 1) }
    }

    #[retry]
    #[async_recursion::async_recursion]
    async fn above(n: u32) -> Result<u32, PayError> {
        busy_until(2)?;
        if n == 0 { Ok(0) } else { Ok(above(n - 1).await? + 1) }
    }

    use resilient_runtime::timeout as limit;

    #[limit("100s")]
    #[retry]
    async fn renamed(n: u32) -> Result<u32, PayError> {
        busy_until(n)
    }

    #[tokio::test(start_paused = true)]
    async fn attributes_of_other_crates_stay_where_they_are() {
        assert_eq!((below(2).await, above(2).await), (Ok(2), Ok(2)));
        assert_eq!(renamed(3).await, Ok(3));
    }

    #[retry]
    #[tokio::test(start_paused = true)]
    async fn a_test_can_be_retried() -> Result<(), PayError> {
        busy_until(3).map(drop)
    }
}

mod lints {
    #![expect(dead_code, reason = "the function is unused, and the compiler has to say so")]

    #[super::retry]
    async fn unused() -> Result<u32, super::PayError> {
        Ok(1)
    }
}

#[expect(deprecated, reason = "a deprecated function stays one")]
mod deprecated {
    #[deprecated]
    #[super::retry]
    async fn old() -> Result<u32, super::PayError> {
        Ok(1)
    }

    #[tokio::test]
    async fn a_call_is_warned_of() {
        assert_eq!(old().await, Ok(1));
    }
}

mod coercions {
    use super::*;

    #[fallback(value = Box::new(text.len()))]
    async fn boxed(text: &str) -> Result<Box<dyn Debug>, PayError> {
        busy_until(u32::MAX)?;
        Ok(Box::new(text.to_owned()))
    }

    #[timeout("100s")]
    #[fallback(value = &[1, 2])]
    #[retry]
    async fn unsized_slice() -> Result<&'static [u32], PayError> {
        busy_until(u32::MAX)?;
        Ok(&[])
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_becomes_what_the_function_returns() {
        assert_eq!(format!("{:?}", boxed("ab").await), "Ok(2)");
        assert_eq!(unsized_slice().await, Ok(&[1, 2][..]));
    }
}

#[tokio::test]
async fn a_body_may_begin_with_any_item() {
    #[retry]
    async fn described() -> std::io::Result<String> {
        /// Told by its `Debug`.
        #[derive(Debug)]
        struct Parcel(u32);
        async fn weighed() -> Parcel {
            std::future::ready(Parcel(3)).await
        }
        let parcel = weighed().await;
        Ok(format!("{parcel:?} of {}", parcel.0))
    }
    assert_eq!(described().await.expect("it is weighed"), "Parcel(3) of 3");
}
