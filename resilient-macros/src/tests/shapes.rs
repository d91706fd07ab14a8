//! Functions that no attribute can guard, and what is said of each.

use quote::quote;

use super::{faults, one};
use crate::stack::enter;

#[test]
#[expect(clippy::too_many_lines, reason = "one row for each mistake")]
fn shapes_that_cannot_be_guarded_are_told_why() {
    for (item, words) in [
        (
            quote!(
                fn f() -> Result<(), E> {}
            ),
            "needs an async function: write `async fn f`",
        ),
        (
            quote!(
                async fn f() -> Result<(), E>;
            ),
            "has no body",
        ),
        (
            quote!(
                const fn f() -> Result<(), E> {}
            ),
            "cannot: write `async fn f`",
        ),
        (quote!(impl A { fn f() {} }), "not this `impl`: put it on each method"),
        (
            quote!(
                struct A;
            ),
            "not this `struct`",
        ),
        (
            quote!(
                async fn f() {}
            ),
            "returns nothing",
        ),
        (
            quote!(
                async fn f() -> () {}
            ),
            "is no `Result`",
        ),
        (
            quote!(
                async fn f() -> u32 {}
            ),
            "`u32` is no `Result`: write `Result<u32, …>`",
        ),
        (
            quote!(
                async fn f() -> Option<u32> {}
            ),
            ".ok_or(…)",
        ),
        (
            quote!(
                async fn f() -> (u8, u8) {}
            ),
            "is no `Result`",
        ),
        (
            quote!(
                async fn f() -> ! {}
            ),
            "never returns",
        ),
        (
            quote!(
                async fn f(&mut self) -> Result<&mut u8, E> {}
            ),
            "cannot return a `&mut` borrow",
        ),
        (
            quote!(
                extern "C" fn f() -> Result<u8, E> {}
            ),
            "`extern` function",
        ),
        (
            quote!(
                fn f() -> impl Future<Output = Result<u8, E>> {
                    let a = 1;
                    async {}
                }
            ),
            "must be exactly",
        ),
        (
            quote!(
                #[test]
                fn f() -> Result<u8, E> {
                    rt().block_on(async {})
                }
            ),
            "above the test attribute",
        ),
        (
            quote!(
                fn main() -> Result<u8, E> {
                    rt().block_on(async {})
                }
            ),
            "above the main attribute",
        ),
    ] {
        let found = faults(enter("retry", quote!(), item.clone()));
        assert!(found.iter().any(|fault| fault.contains(words)), "{item}: wanted `{words}`, got {found:#?}");
    }
}

#[test]
fn unnamed_parameters_must_be_spelt_out_for_a_fallback() {
    let item = quote!(
        async fn f((a, b): (u8, u8)) -> Result<u8, E> {
            body
        }
    );
    one(&faults(enter("fallback", quote!(fn = cached), item.clone())), "write `fn = cached(a, b)`");
    assert!(faults(enter("fallback", quote!(fn = cached(a, b)), item)).is_empty());
    let item = quote!(
        async fn f(err: u8) -> Result<u8, E> {
            body
        }
    );
    one(&faults(enter("fallback", quote!(fn = cached(err)), item)), "`err` means the final error here");
}
