//! `#[derive(Classify)]`: which class each variant has, and that refusals show through.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use resilient_runtime::{Class, Classify, Fault, Rejected};

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
