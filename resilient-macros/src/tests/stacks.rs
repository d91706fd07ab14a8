//! How attributes pass each other on, and the orders that are refused.

use proc_macro2::TokenStream;
use quote::quote;

use super::{faults, one, plain};
use crate::stack::enter;

#[test]
fn attributes_hand_their_arguments_down() {
    let item = quote!(
        #[doc = "a"]
        #[timeout("1s")]
        #[inline]
        #[circuit_breaker(name = "p")]
        #[cold]
        async fn f() {}
    );
    let relayed = enter("retry", quote!(max = 4), item).to_string();
    let wanted = quote!(
        #[doc = "a"]
        #[timeout("1s")]
        #[inline]
        #[circuit_breaker(name = "p")]
        #[::resilient_runtime::__private::__stack(retry(max = 4))]
        #[cold]
        async fn f() {}
    );
    assert_eq!(relayed, wanted.to_string());

    let item = quote!(
        #[inline]
        #[circuit_breaker(name = "p")]
        #[a::__stack(retry(max = 4))]
        async fn f() {}
    );
    let relayed = enter("timeout", quote!("1s"), item).to_string();
    let wanted = quote!(
        #[inline]
        #[circuit_breaker(name = "p")]
        #[::resilient_runtime::__private::__stack(retry(max = 4), timeout("1s"))]
        async fn f() {}
    );
    assert_eq!(relayed, wanted.to_string());
}

/// The stack of attributes given by their arguments, top first, on `item`.
fn stacked(attrs: TokenStream, item: &TokenStream) -> Vec<String> {
    faults(crate::stack::collected(attrs, item.clone()))
}

#[test]
fn orders_that_defeat_themselves_are_refused() {
    for (attrs, words) in [
        (quote!(retry(), fallback(fn = a)), "move it above (fallback, retry)"),
        (quote!(retry(), timeout("1s"), fallback(fn = a)), "move it above (fallback, retry, timeout)"),
        (
            quote!(retry(), cache(ttl = "1s", stale_if_error = "1m", key = sku)),
            "move it above (cache, retry), or leave `stale_if_error` out",
        ),
        (
            quote!(cache(ttl = "1s", stale_if_error = "1m", key = sku), fallback(fn = a)),
            "move it above (fallback, cache), or give it a `when`",
        ),
        (quote!(retry(), fallback(cached, key = sku)), "answers failures with the last good value"),
        (quote!(timeout("1s"), retry(), timeout("1s")), "the `#[timeout]` above ends after 1s"),
        (
            quote!(timeout("2s"), circuit_breaker(name = "p"), timeout("1s")),
            "the `#[timeout]` below ends after 1s, and nothing between them takes time",
        ),
        (quote!(timeout("1m"), timeout("1s"), retry(), timeout("200ms")), "this `#[timeout]` (1m) never"),
        (quote!(retry(), retry()), "`#[retry]` stands above already"),
        (quote!(timeout("300ms"), retry(jitter = "none")), "is over before the last attempt of `#[retry]`"),
        (quote!(timeout("150ms"), retry(jitter = "equal")), "is over before the last attempt of `#[retry]`"),
        (
            quote!(circuit_breaker(name = "p"), circuit_breaker(name = "p")),
            "two `#[circuit_breaker]` of one function need different names",
        ),
    ] {
        one(&stacked(attrs, &plain()), words);
    }
}

#[test]
fn orders_that_make_sense_pass() {
    for attrs in [
        quote!(fallback(fn = a), timeout("5s"), retry(), circuit_breaker(name = "p"), timeout("1s")),
        quote!(retry(), fallback(fn = a, when = E::x)),
        quote!(circuit_breaker(name = "a"), retry(), circuit_breaker(name = "b")),
        quote!(timeout("1s"), retry()),
        quote!(timeout("2s"), fallback(fn = a), timeout("1s")),
    ] {
        assert_eq!(stacked(attrs, &plain()), Vec::<String>::new());
    }
}
