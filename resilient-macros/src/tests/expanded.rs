//! What each attribute makes of a function.

use proc_macro2::TokenStream;
use quote::quote;

fn expanded(attrs: TokenStream, item: TokenStream) -> String {
    let output = crate::stack::collected(attrs, item);
    prettyplease::unparse(&syn::parse2(output).expect("the output is items"))
}

#[test]
fn a_name_cannot_break_out_of_the_documentation() {
    let item = quote!(
        /// Docs.
        async fn f() -> Result<u8, E> {}
    );
    let text = expanded(quote!(timeout("1s", name = "a`<b>")), item);
    assert!(text.contains("`name = \"a'<b>\"`"), "{text}");
}

#[test]
fn expansions_are_small() {
    let one = quote!(
        async fn quote(&mut self, sku: &str, mut order: Order) -> Result<Quote, PayError> {
            user(sku, order).await
        }
    );
    insta::assert_snapshot!("retry", expanded(quote!(retry(max = 4, when = PayError::busy)), one.clone()));
    insta::assert_snapshot!("timeout", expanded(quote!(timeout("2s")), one.clone()));
    insta::assert_snapshot!("breaker", expanded(quote!(circuit_breaker(name = "p", key = sku)), one.clone()));
    insta::assert_snapshot!("fallback", expanded(quote!(fallback(fn = Self::cached)), one.clone()));
    let cached = quote!(cache(ttl = "30s", key = (self.tenant, sku)), coalesce(key = sku));
    insta::assert_snapshot!("cache", expanded(cached, one.clone()));
    insta::assert_snapshot!("last", expanded(quote!(fallback(cached, key = sku)), one.clone()));
    let all = quote!(
        fallback(fn = cached(sku, err)),
        timeout("5s"),
        retry(),
        circuit_breaker(name = "p"),
        timeout("1s")
    );
    insta::assert_snapshot!("stack", expanded(all, quote!(/** Docs. */ #one)));
    let boxed = quote!(
        fn quote<'a>(
            &'a mut self,
            sku: String,
        ) -> Pin<Box<dyn Future<Output = Result<Quote, E>> + Send + 'a>> {
            Box::pin(async move {
                let __self = self;
                let sku = sku;
                user(__self, sku).await
            })
        }
    );
    insta::assert_snapshot!("boxed", expanded(quote!(retry()), boxed));
}

#[test]
fn expansions_of_the_other_kinds_are_as_small() {
    let one = quote!(
        async fn quote(&self, sku: u64) -> Result<Quote, PayError> {
            user(sku).await
        }
    );
    for (stem, attribute) in [
        ("bulkhead", quote!(bulkhead(name = "p", max_concurrent = 4))),
        ("rate_limit", quote!(rate_limit(name = "p", rate = "5/s"))),
        ("hedge", quote!(hedge(after = "50ms"))),
        ("load_shed", quote!(load_shed(name = "p"))),
        ("resilient", quote!(resilient("p"))),
    ] {
        insta::assert_snapshot!(stem, expanded(attribute, one.clone()));
    }
    let check = quote!(
        async fn ping() -> Result<(), PayError> {
            user().await
        }
    );
    let output = crate::health_check::expand(quote!(name = "p", critical), check);
    let file = syn::parse2(output).expect("the output is items");
    insta::assert_snapshot!("health_check", prettyplease::unparse(&file));
}
