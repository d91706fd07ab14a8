//! The whole macro on streams of tokens: what is reported, and what is made.

mod expanded;
mod garbled;
mod generated;
mod shapes;
mod stacks;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::visit::Visit;

use crate::args::Args;
use crate::diag::Diag;
use crate::policy::KINDS;
use crate::stack::enter;

/// The messages of all `compile_error!`s.
pub(crate) fn faults(output: TokenStream) -> Vec<String> {
    struct Errors(Vec<String>);
    impl<'ast> Visit<'ast> for Errors {
        fn visit_macro(&mut self, found: &'ast syn::Macro) {
            if found.path.segments.last().is_some_and(|last| last.ident == "compile_error") {
                self.0.extend(found.parse_body::<syn::LitStr>().map(|text| text.value()));
            }
        }
    }
    let file: syn::File = syn::parse2(output).expect("the output is items");
    let mut errors = Errors(Vec::new());
    errors.visit_file(&file);
    errors.0
}

fn plain() -> TokenStream {
    quote!(
        async fn quote(client: &Client, sku: String) -> Result<Quote, PayError> {
            body
        }
    )
}

fn faults_of(stem: &str, args: TokenStream) -> Vec<String> {
    faults(enter(stem, args, plain()))
}

/// One fault whose text holds `words`.
#[track_caller]
fn one(faults: &[String], words: &str) {
    assert!(faults.len() == 1 && faults[0].contains(words), "wanted `{words}`, got {faults:#?}");
}

#[test]
fn right_arguments_are_accepted() {
    for (stem, args) in [
        ("retry", quote!()),
        ("retry", quote!(max = 4, backoff = "fibonacci", base = "1ms", jitter)),
        ("retry", quote!(max = MAX, base = limits::BASE, when = |e| e.busy(), when_ok = Vec::is_empty,)),
        ("retry", quote!(on_retry = |attempt, delay, _| log(attempt, delay), no_clone(sku))),
        ("circuit_breaker", quote!(name = "payments")),
        ("circuit_breaker", quote!(name = "p", failure_rate = 0.5, window = "10s", min_calls = 20)),
        ("circuit_breaker", quote!(name = "p", slow_call = "1s", slow_rate = 1.0, window = 50)),
        ("circuit_breaker", quote!(name = "p", key = sku.as_str(), max_keys = 10, abandoned = "failure")),
        ("fallback", quote!(fn = cached)),
        ("fallback", quote!(fn = cached::<A, B>(sku, err), when = PayError::outage)),
        ("fallback", quote!(fn = [nearest(sku), cached])),
        ("fallback", quote!(value = Quote::default())),
        ("fallback", quote!(cached, key = sku)),
        ("fallback", quote!(cached, key = (), when = PayError::outage, max_age = "1h", max_entries = 10)),
        ("hedge", quote!()),
        (
            "hedge",
            quote!(
                after = "p99.9",
                max = 16,
                when = PayError::busy,
                when_ok = Vec::is_empty,
                budget = "none"
            ),
        ),
        ("hedge", quote!(after = "0s", max = MAX, no_clone(sku), name = "find")),
        ("bulkhead", quote!(name = "disk", max_concurrent = 10)),
        ("bulkhead", quote!(name = "disk", max_concurrent = MOST, max_wait = "1s", max_queue = 5)),
        ("load_shed", quote!(name = "shop")),
        ("load_shed", quote!(name = "shop", priority = "critical", max_limit = MOST, min_limit = 1)),
        ("load_shed", quote!(name = "maps", mode = "throttle", k = 1.5, window = "1m", min_calls = 5)),
        ("rate_limit", quote!(name = "partner", rate = "100/s")),
        ("rate_limit", quote!(name = "p", rate = limits::RATE, burst = MOST, max_wait = LIMIT)),
        ("rate_limit", quote!(name = "p", rate = "5/250ms", key = sku.as_str(), max_keys = 10)),
        ("cache", quote!(ttl = "30s", key = sku)),
        (
            "cache",
            quote!(ttl = TTL, stale_if_error = "5m", key = (sku.as_str(), client.tenant()), name = "q"),
        ),
        ("cache", quote!(ttl = "30s", stale_while_revalidate = "1m", max_entries = MOST)),
        ("coalesce", quote!()),
        ("coalesce", quote!(key = (), name = "q")),
        ("timeout", quote!("2s")),
        ("timeout", quote!(LIMIT)),
        ("timeout", quote!(limits::CALL, name = "quote", crate = ::other)),
        ("resilient", quote!("payments")),
        ("resilient", quote!("payments", no_clone(sku), crate = ::other)),
    ] {
        let text = args.to_string();
        assert_eq!(faults_of(stem, args), Vec::<String>::new(), "{stem}({text})");
    }
}

/// The keys that a file uses, with the names of their attributes.
struct Used(Vec<(String, String)>);

impl<'ast> Visit<'ast> for Used {
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let syn::Meta::List(list) = &attribute.meta else { return };
        let stem = list.path.to_token_stream().to_string();
        let args = Args::parse(list.tokens.clone(), &mut Diag::default());
        self.0.extend(args.keyed.into_iter().map(|arg| (stem.clone(), arg.name)));
    }
}

#[test]
fn a_case_that_compiles_has_every_key_of_every_attribute() {
    let case = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/ui/pass/every_key.rs");
    let text = std::fs::read_to_string(case).expect("it stands beside the tests of the compiler's messages");
    let file = syn::parse_file(&text).expect("it compiles");
    let mut used = Used(Vec::new());
    used.visit_file(&file);
    let kinds = KINDS.iter().map(|kind| kind.words()).chain([crate::health_check::WORDS]);
    let keys = kinds.flat_map(|words| words.keys.iter().map(move |key| (words.stem, *key)));
    for (stem, key) in keys.filter(|(_, key)| *key != "crate") {
        assert!(used.0.iter().any(|(of, used)| (of.as_str(), used.as_str()) == (stem, key)), "{stem}.{key}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row for each mistake")]
fn wrong_arguments_are_told_apart() {
    for (stem, args, words) in [
        ("retry", quote!(backof = "fixed"), "did you mean `backoff`? Keys: `max`, "),
        ("retry", quote!(attempts = 3), "use `max`, the attempts with the first included"),
        ("retry", quote!(max_retries = 3), "3 retries are `max = 4`"),
        ("retry", quote!(zzz = 3), "unknown key `zzz` in `#[retry]`. Keys: "),
        ("retry", quote!(max), "`max` needs a value: `max = 5`"),
        ("retry", quote!(max =), "`max` has no value"),
        ("retry", quote!(max = 1), "`max` must be at least 2: it counts attempts, the first included"),
        ("retry", quote!(max = -1), "`max` must be at least 2"),
        ("retry", quote!(max = "3"), "`max` takes a number without quotes: `max = 3`"),
        ("retry", quote!(max = 2.5), "`max` takes a whole number or the path of a `const`"),
        ("retry", quote!(max = sku), "cannot be the argument `sku`"),
        ("retry", quote!(max: 3), "joined by `=`: `max = …`"),
        ("retry", quote!(max = 3; name = "a"), "separated by commas"),
        ("retry", quote!(exponential), "a strategy stands behind `backoff`"),
        ("retry", quote!(max = 99999999999), "`max` is too large"),
        ("retry", quote!(max = Self::MAX), "cannot be `Self::MAX`"),
        ("retry", quote!(max(3)), "`max` takes no parentheses: write `max = 3`"),
        ("retry", quote!(3), "write `max = 3`"),
        ("retry", quote!(base = 100), "a duration needs a unit: write \"100ms\" or \"100s\""),
        ("retry", quote!(base = "3M"), "months and years"),
        ("retry", quote!(base = 100ms), "a duration stands in quotes: \"100ms\""),
        ("retry", quote!(base = -1), "a duration cannot be negative"),
        ("retry", quote!(base = "20s"), "`base` (20s) is longer than `max_delay` (10s by default)"),
        ("retry", quote!(max_delay = "50ms"), "`base` (100ms by default) is longer than `max_delay` (50ms)"),
        ("retry", quote!(base = "2s", max_delay = "1s"), "`base` (2s) is longer than `max_delay` (1s)"),
        ("retry", quote!(factor = 0.5), "`factor` must be at least 1"),
        ("retry", quote!(backoff = "fixed", factor = 3.0), "`factor` grows only an \"exponential\" backoff"),
        ("retry", quote!(backoff = "exponentiel"), "did you mean \"exponential\"?"),
        ("retry", quote!(jitter = 0.5), "`jitter` takes a word in quotes: one of \"full\""),
        ("retry", quote!(jitter = false), "`jitter` takes a word in quotes: \"none\""),
        ("retry", quote!(backoff = linear), "`backoff` takes a word in quotes: \"linear\""),
        ("retry", quote!(within = "0s"), "`within` cannot be zero"),
        ("retry", quote!(within = "100ms", jitter = "none"), "no second attempt fits into `within` (100ms)"),
        ("retry", quote!(when = |e| e.is(&sku)), "the closure of `when` captures `sku`"),
        ("retry", quote!(when = async |e| true), "cannot wait"),
        ("retry", quote!(when = not(busy)), "`when` takes a function's path or a closure"),
        ("retry", quote!(no_clone(skv)), "no parameter is called `skv`; did you mean `sku`?"),
        ("retry", quote!(name = " "), "`name` is empty"),
        ("retry", quote!(crate = other), "must mean the same in every module"),
        ("rate_limit", quote!(name = "p"), "needs `rate = \"100/s\"`"),
        ("rate_limit", quote!(name = "p", rate = "100"), "a rate needs a time to count in"),
        ("rate_limit", quote!(name = "p", rate = 100), "a rate needs a time to count in"),
        ("rate_limit", quote!(name = "p", rate = 100 / s), "a rate stands in quotes: \"100/s\""),
        ("rate_limit", quote!(name = "p", rate = "0/s"), "never let a call through"),
        ("rate_limit", quote!(name = "p", rate = rate()), "takes a rate such as \"100/s\""),
        ("rate_limit", quote!(name = "p", rps = 100), "use `rate`, the calls in a time"),
        ("circuit_breaker", quote!(), "needs a name"),
        ("circuit_breaker", quote!("payments"), "write `name = \"payments\"`"),
        ("circuit_breaker", quote!(name = payments), "takes a text in quotes: `name = \"payments\"`"),
        ("circuit_breaker", quote!(name = "p", failure_rate = 50), "write 0.5 for 50 %"),
        ("circuit_breaker", quote!(name = "p", failure_rate = "25%"), "write 0.25 for 25 %"),
        ("circuit_breaker", quote!(name = "p", failure_rate = 1.5), "write 0.5 for 50 %"),
        ("circuit_breaker", quote!(name = "p", failure_rate = "0.5"), "without quotes: `failure_rate = 0.5`"),
        ("circuit_breaker", quote!(name = "p", failure_rate = 0.0), "above 0 and at most 1"),
        ("circuit_breaker", quote!(name = "p", failure_threshold = 0), "at least 1"),
        (
            "circuit_breaker",
            quote!(name = "p", failure_threshold = 5, failure_rate = 0.5, window = 10, min_calls = 5),
            "exclude each other",
        ),
        ("circuit_breaker", quote!(name = "p", window = 10), "`window` needs `failure_rate`"),
        (
            "circuit_breaker",
            quote!(name = "p", failure_rate = 0.5, window = "10"),
            "needs a unit, or no quotes",
        ),
        (
            "circuit_breaker",
            quote!(name = "p", failure_rate = 0.5, window = 65537),
            "`window` must be 1 to 65536",
        ),
        (
            "circuit_breaker",
            quote!(name = "p", half_open_calls = 1025),
            "`half_open_calls` must be 1 to 1024",
        ),
        ("circuit_breaker", quote!(name = "p", slow_duration = "1s", slow_rate = 0.5), "unknown key"),
        ("circuit_breaker", quote!(name = "p", slow_call = "1s"), "`slow_call` needs `slow_rate`"),
        ("circuit_breaker", quote!(name = "p", slow_rate = 0.5), "`slow_rate` needs `slow_call`"),
        (
            "circuit_breaker",
            quote!(name = "p", failure_rate = 0.5, window = 10, min_calls = 11),
            "is above `window`",
        ),
        (
            "circuit_breaker",
            quote!(name = "p", max_reset_timeout = "1m"),
            "`max_reset_timeout` needs `reset_factor`",
        ),
        (
            "circuit_breaker",
            quote!(name = "p", reset_factor = 2, max_reset_timeout = "1s"),
            "`max_reset_timeout` (1s) is shorter than `reset_timeout` (30s)",
        ),
        ("circuit_breaker", quote!(name = "p", max_keys = 3), "`max_keys` needs `key`"),
        ("circuit_breaker", quote!(name = "p", cooldown = "3s"), "use `reset_timeout`"),
        ("fallback", quote!(), "needs an answer"),
        ("fallback", quote!(fn = a, value = b), "exclude each other"),
        ("fallback", quote!(fn = []), "chain is empty"),
        ("fallback", quote!(fn = 3), "`fn` takes a function or a call"),
        ("fallback", quote!(fn = "cached"), "without quotes: `fn = cached`"),
        ("fallback", quote!(fn = |sku| cached(sku)), "`fn` needs no closure"),
        ("fallback", quote!(fn = (near, far)), "a chain stands in brackets: `fn = [near, far]`"),
        ("fallback", quote!(fn = client.cached), "a method is called: `fn = client.cached(…)`"),
        (
            "fallback",
            quote!(backup),
            "unknown key `backup` in `#[fallback]`; as a value, write `fn = backup`",
        ),
        ("fallback", quote!(method = a), "use `fn`"),
        ("cache", quote!(), "needs `ttl = \"30s\"`"),
        ("cache", quote!("30s"), "write `ttl = \"30s\"`"),
        ("cache", quote!(ttl = "30s", key), "`key` needs a value: `key = (tenant, id)`"),
        ("cache", quote!(ttl = "30s", key = sku, max_entries = sku), "cannot be the argument `sku`"),
        ("cache", quote!(ttl = "30s", key = sku, stale_if_error = 5), "a duration needs a unit"),
        ("coalesce", quote!(sku), "`sku` is an argument, and no key of `#[coalesce]`: write `key = sku`"),
        ("coalesce", quote!(key(sku)), "write `key = sku`"),
        ("timeout", quote!(), "needs a duration"),
        ("timeout", quote!(2), "a duration needs a unit: write \"2ms\" or \"2s\""),
        ("timeout", quote!("0s"), "cannot be zero"),
        ("timeout", quote!(secs = 2), "the time stands alone"),
        ("timeout", quote!(2s), "a duration stands in quotes: \"2s\""),
        ("timeout", quote!(sku), "`#[timeout]` is the same for all calls"),
        ("timeout", quote!(true), "`#[timeout]` takes a duration"),
        ("timeout", quote!("2s", "3s"), "cannot tell what this value is for"),
    ] {
        let text = args.to_string();
        let found = faults_of(stem, args);
        assert!(
            found.len() == 1 && found[0].contains(words),
            "{stem}({text}): wanted `{words}`, got {found:#?}"
        );
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let found = faults_of("retry", quote!(max = 0, backof = "x", base = 1, @ 3, within = "0s" jitter = 3));
    assert_eq!(found.len(), 7, "{found:#?}");
    one(&faults_of("retry", quote!(max = 3, max = 4)), "`max` is given twice: it is `max = 3` already");
}

#[test]
fn no_tokens_make_the_reader_panic() {
    for args in [
        quote!(,),
        quote!(=),
        quote!(= 3),
        quote!(max = = 3),
        quote!(fn),
        quote!(fn = fn),
        quote!(a b c),
        quote!(() [] {}),
        quote!(when = ||),
        quote!(when = |),
        quote!(max = 'a'),
        quote!(no_clone),
        quote!(no_clone = 3),
        quote!(no_clone(1, ,)),
        quote!(crate),
        quote!(crate = 3),
        quote!(crate = crate),
        quote!("2s" "3s"),
        quote!(r#fn = a),
        quote!(max = -),
        quote!(window = ..),
        quote!(fn = [a, 3, |x| x]),
        quote!(value = ),
        quote!(jitter()),
        quote!(#![a]),
        quote!(a = 1 + ),
    ] {
        for stem in ["retry", "circuit_breaker", "fallback", "timeout"] {
            for item in [plain(), quote!(), quote!(fn), quote!(async), quote!(#[a])] {
                let _ = enter(stem, args.clone(), item);
            }
        }
    }
}
