//! `#[derive(Classify)]`: which class each variant has, that refusals show through, and what each
//! class means to the policies.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use resilient_runtime::{
    CircuitBreaker, CircuitState, Class, Classify, Fault, Rejected, attempt, circuit_breaker, fallback,
    registry, retry, timeout,
};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Classify)]
#[expect(dead_code, reason = "some fields stand beside the one that is asked")]
enum PaymentError {
    #[transient]
    Unreachable,
    #[permanent]
    Declined {
        code: u16,
    },
    #[ignored]
    Cancelled(()),
    #[throttled]
    Busy,
    #[throttled(after = wait)]
    Limited {
        order: u32,
        wait: Duration,
    },
    #[throttled(after = 1)]
    Later(u32, Option<Duration>),
    #[throttled(after = r#in)]
    Keyword {
        r#in: Duration,
    },
    #[transparent]
    Io {
        source: io::Error,
    },
    #[transparent]
    Refused(Rejected),
    Odd,
}

fn throttled(after: Option<Duration>) -> Class {
    Class::Throttled { after }
}

#[test]
fn each_variant_has_its_class() {
    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    for (error, class) in [
        (PaymentError::Unreachable, Class::Transient),
        (PaymentError::Declined { code: 51 }, Class::Permanent),
        (PaymentError::Cancelled(()), Class::Ignored),
        (PaymentError::Busy, throttled(None)),
        (PaymentError::Limited { order: 1, wait: SECOND }, throttled(Some(SECOND))),
        (PaymentError::Later(1, Some(SECOND)), throttled(Some(SECOND))),
        (PaymentError::Later(1, None), throttled(None)),
        (PaymentError::Keyword { r#in: SECOND }, throttled(Some(SECOND))),
        (PaymentError::Io { source: reset }, Class::Transient),
        (PaymentError::Odd, Class::Unknown),
    ] {
        assert_eq!(error.classify(), class, "{error:?}");
        assert_eq!(error.rejected(), None, "{error:?}");
    }
}

#[test]
fn a_refusal_shows_through() {
    let full = Rejected::BulkheadFull { name: "reports" };
    let refused = PaymentError::Refused(full.clone());
    assert_eq!(refused.rejected(), Some(&full));
    assert_eq!(refused.classify(), full.classify());
    let nested = PaymentError::Io { source: full.clone().into() };
    assert_eq!(nested.rejected(), Some(&full));
}

#[test]
fn structs_have_one_class() {
    #[derive(Classify)]
    #[permanent]
    struct Unit;

    #[derive(Classify)]
    #[throttled(after = wait)]
    struct Named {
        wait: Option<Duration>,
    }

    #[derive(Classify)]
    #[throttled(after = 0)]
    struct Tuple(Duration);

    #[derive(Classify)]
    #[transparent]
    struct Wrapper(Rejected);

    #[derive(Classify)]
    struct Silent {
        _text: String,
    }

    assert_eq!(Unit.classify(), Class::Permanent);
    assert_eq!(Named { wait: Some(SECOND) }.classify(), throttled(Some(SECOND)));
    assert_eq!(Tuple(SECOND).classify(), throttled(Some(SECOND)));
    let wrapper = Wrapper(Rejected::BulkheadFull { name: "reports" });
    assert_eq!(wrapper.rejected(), Some(&wrapper.0));
    assert_eq!(Silent { _text: String::new() }.classify(), Class::Unknown);
}

#[test]
fn generic_errors_ask_their_parameters() {
    #[derive(Classify)]
    enum Step<'a, E: Copy, N, const DEPTH: usize = 1>
    where
        N: Default,
    {
        #[transparent]
        Inner(E),
        #[transparent]
        Borrowed(&'a io::Error),
        #[transient]
        Note(N),
    }

    // `N` says nothing about itself and does not have to.
    type Read<'a> = Step<'a, &'a PaymentError, [u8; 2]>;

    let busy = PaymentError::Busy;
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(Read::Inner(&busy).classify(), throttled(None));
    assert_eq!(Read::Borrowed(&refused).classify(), Class::Transient);
    assert_eq!(Read::Note([0; 2]).classify(), Class::Transient);
}

#[test]
fn a_type_without_values_can_be_asked() {
    #[derive(Classify)]
    enum Never {}

    #[derive(Classify)]
    enum Wrapped {
        #[transparent]
        _Never(Infallible),
        #[ignored]
        Only,
    }

    let none: Option<Never> = None;
    assert_eq!(none.map(|never| never.classify()), None);
    assert_eq!(Wrapped::Only.classify(), Class::Ignored);
}

#[test]
fn the_class_is_found_inside_a_fault_and_a_box() {
    let fault = Fault::Failed(PaymentError::Declined { code: 51 });
    assert!(fault.failed().is_some_and(|error| error.classify().is_answer()));
    let boxed: Box<dyn std::error::Error> = io::Error::from(io::ErrorKind::NotFound).into();
    assert_eq!(boxed.classify(), Class::Permanent);
}

#[tokio::test(start_paused = true)]
async fn the_class_is_that_of_what_a_pointer_holds() {
    #[derive(Classify)]
    enum Shared {
        #[transparent]
        Source(Arc<PaymentError>),
    }

    #[retry]
    async fn boxed(attempts: &AtomicU32) -> Result<(), Box<PaymentError>> {
        attempts.fetch_add(1, Relaxed);
        Err(PaymentError::Declined { code: 51 }.into())
    }

    assert_eq!(Shared::Source(PaymentError::Busy.into()).classify(), throttled(None));
    let attempts = AtomicU32::new(0);
    assert!(boxed(&attempts).await.is_err_and(|error| error.classify() == Class::Permanent));
    assert_eq!(attempts.into_inner(), 1, "what is permanent is not tried again");
}

/// Names that the expansion must not trip over.
mod hostile {
    #![expect(dead_code, reason = "only there to be in the way")]
    #![expect(non_upper_case_globals, reason = "a pattern must not mean this constant")]

    pub(crate) const inner: u8 = 0;

    pub(crate) struct Class;
    pub(crate) struct Option;
    pub(crate) struct Some;
    pub(crate) struct None;
    pub(crate) struct Duration;
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod resilient_runtime {}

    #[derive(::resilient_runtime::Classify)]
    #[classify(crate = ::resilient_runtime)]
    pub(crate) enum Error {
        #[throttled(after = inner)]
        Busy { inner: ::core::time::Duration },
        #[throttled]
        None,
        #[transparent]
        Some(::resilient_runtime::Rejected),
    }
}

#[test]
fn the_expansion_relies_on_no_name_in_scope() {
    assert_eq!(hostile::Error::Busy { inner: SECOND }.classify(), throttled(Some(SECOND)));
    assert_eq!(hostile::Error::None.classify(), throttled(None));
    let refused = hostile::Error::Some(Rejected::BulkheadFull { name: "reports" });
    assert!(refused.rejected().is_some());
}

/// One error of each class, and whether it is an answer rather than an outage.
const CLASSES: [(fn() -> PaymentError, bool); 5] = [
    (|| PaymentError::Unreachable, false),
    (|| PaymentError::Busy, false),
    (|| PaymentError::Odd, false),
    (|| PaymentError::Declined { code: 51 }, true),
    (|| PaymentError::Cancelled(()), true),
];

impl From<Rejected> for PaymentError {
    fn from(rejected: Rejected) -> Self {
        Self::Refused(rejected)
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_ends_with_an_answer() {
    #[retry(max = 3)]
    async fn pay(error: fn() -> PaymentError, attempts: &mut u32) -> Result<(), PaymentError> {
        *attempts = attempt();
        Err(error())
    }

    for (error, is_answer) in CLASSES {
        let mut attempts = 0;
        let ended = pay(error, &mut attempts).await.expect_err("it fails");
        assert_eq!(attempts, if is_answer { 1 } else { 3 }, "{ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_comes_no_sooner_than_asked() {
    #[retry(max = 2, base = "1ms")]
    async fn pay(wait: Duration) -> Result<(), PaymentError> {
        if attempt() == 1 { Err(PaymentError::Limited { order: 1, wait }) } else { Ok(()) }
    }

    let start = Instant::now();
    pay(20 * SECOND).await.expect("the second attempt");
    assert!(start.elapsed() >= 20 * SECOND);

    let start = Instant::now();
    pay(40 * SECOND).await.expect_err("longer than anyone is made to wait");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_opens_for_outages_only() {
    #[circuit_breaker(name = "outages only", failure_threshold = 2)]
    async fn pay(error: fn() -> PaymentError) -> Result<(), PaymentError> {
        Err(error())
    }

    for (error, is_answer) in CLASSES {
        for _ in 0..2 {
            pay(error).await.expect_err("it fails");
        }
        let breaker = registry().circuit_breaker("outages only").expect("a function uses it");
        let state = if is_answer { CircuitState::Closed } else { CircuitState::Open };
        assert_eq!(breaker.state(), state, "{:?}", error());
        breaker.reset();
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_leaves_answers_alone() {
    #[fallback(value = "later")]
    async fn pay(error: fn() -> PaymentError) -> Result<&'static str, PaymentError> {
        Err(error())
    }

    for (error, is_answer) in CLASSES {
        assert_eq!(pay(error).await.is_err(), is_answer, "{:?}", error());
    }
    assert!(pay(|| PaymentError::Refused(Rejected::BulkheadFull { name: "reports" })).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_from_a_function_called_within_keeps_its_meaning() {
    #[circuit_breaker(name = "ledger")]
    #[timeout("1s")]
    async fn book() -> Result<(), PaymentError> {
        sleep(60 * SECOND).await;
        Ok(())
    }

    #[circuit_breaker(name = "checkout", failure_threshold = 3)]
    async fn check_out() -> Result<(), PaymentError> {
        book().await
    }

    let state = |name| registry().circuit_breaker(name).map(CircuitBreaker::state);
    registry().circuit_breaker("ledger").expect("a function uses it").force_open();
    for _ in 0..5 {
        let refused = check_out().await.expect_err("the ledger is not asked");
        assert!(matches!(refused.rejected(), Some(Rejected::CircuitOpen { name: "ledger", .. })));
    }
    assert_eq!(state("checkout"), Some(CircuitState::Closed), "a refusal is nobody's failure");

    registry().circuit_breaker("ledger").expect("a function uses it").resume();
    for _ in 0..3 {
        let refused = check_out().await.expect_err("the ledger is slow");
        assert!(matches!(refused.rejected(), Some(Rejected::TimedOut { .. })));
    }
    assert_eq!(state("checkout"), Some(CircuitState::Open), "a timeout is a failure on each level");
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_out_an_open_breaker_two_functions_below() {
    #[circuit_breaker(name = "stock", failure_threshold = 1, success_threshold = 1, reset_timeout = "5s")]
    async fn reserve(works: bool) -> Result<(), PaymentError> {
        if works { Ok(()) } else { Err(PaymentError::Unreachable) }
    }

    #[retry(max = 2)]
    async fn order() -> Result<(), PaymentError> {
        reserve(true).await
    }

    reserve(false).await.expect_err("it opens the breaker");
    let start = Instant::now();
    order().await.expect("the breaker tries again in time");
    assert!(start.elapsed() >= 5 * SECOND);
}
