//! Predicates of a hedge without attributes.

use std::future::Future;

use super::Hedge;
use super::attempts::Hedged;
use super::rules::ByFunctions;
use crate::outcome::{ByClassify, Classify};

/// A [`Hedge`] with predicates.
///
/// Made by [`Hedge::when`] and [`Hedge::when_ok`].
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing before a call"]
pub struct HedgeWith<'a, T, E> {
    hedge: &'a Hedge,
    when: Option<fn(&E) -> bool>,
    when_ok: Option<fn(&T) -> bool>,
}

impl Hedge {
    /// Lets `predicate` decide which errors are worth another attempt, in place of their class.
    pub const fn when<T, E>(&self, predicate: fn(&E) -> bool) -> HedgeWith<'_, T, E> {
        HedgeWith { hedge: self, when: Some(predicate), when_ok: None }
    }

    /// Lets `predicate` name values that are worth another attempt.
    ///
    /// When no attempt is good, the answer of the first is the call's.
    ///
    /// ```
    /// use std::time::Duration;
    /// use resilient_runtime::{Hedge, attempt};
    ///
    /// static SEARCH: Hedge = Hedge::new("search").after(Duration::from_millis(50));
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let found = SEARCH.when_ok(Vec::is_empty).call(|| async {
    ///     Ok::<_, std::io::Error>(if attempt() == 1 { vec![] } else { vec!["teapot"] })
    /// });
    /// assert_eq!(found.await.unwrap(), ["teapot"]);
    /// # }
    /// ```
    pub const fn when_ok<T, E>(&self, predicate: fn(&T) -> bool) -> HedgeWith<'_, T, E> {
        HedgeWith { hedge: self, when: None, when_ok: Some(predicate) }
    }
}

impl<'a, T, E> HedgeWith<'a, T, E> {
    /// Like [`Hedge::when`].
    pub const fn when(self, predicate: fn(&E) -> bool) -> Self {
        Self { when: Some(predicate), ..self }
    }

    /// Like [`Hedge::when_ok`].
    pub const fn when_ok(self, predicate: fn(&T) -> bool) -> Self {
        Self { when_ok: Some(predicate), ..self }
    }

    /// Like [`Hedge::call`].
    ///
    /// # Errors
    ///
    /// As [`Hedge::call`], by these predicates.
    ///
    /// # Panics
    ///
    /// As [`Hedge::call`].
    ///
    /// # Cancel safety
    ///
    /// As [`Hedge::call`].
    pub fn call<Op, Fut>(self, operation: Op) -> impl Future<Output = Result<T, E>> + use<'a, Op, Fut, T, E>
    where
        Op: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Classify,
    {
        let rules = ByFunctions::<ByClassify, _, _>::new(self.when, self.when_ok);
        Hedged::new(self.hedge.shared(), operation, rules)
    }
}
