//! Whatever the tokens, the macros answer, and what they make of a function is items.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use crate::classify;
use crate::stack::{collected, enter};

/// A small generator, so that a failure repeats.
pub(super) struct Draw(pub(super) u64);

impl Draw {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }

    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// The tokens with a few slips in them, at any depth.
    pub(super) fn garbled(&mut self, tokens: TokenStream, words: &[TokenTree]) -> TokenStream {
        let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for _ in 0..=self.below(3) {
            let at = self.below(tokens.len() + 1);
            match self.below(7) {
                _ if at == tokens.len() => tokens.push(self.one(words)),
                0 => drop(tokens.remove(at)),
                1 => tokens.insert(at, tokens[at].clone()),
                2 => tokens[at] = self.one(words),
                3 => tokens.insert(at, self.one(words)),
                4 => {
                    let to = self.below(tokens.len());
                    tokens.swap(at, to);
                }
                5 => tokens[at] = self.wrapped(tokens[at].clone()),
                _ => tokens[at] = self.garbled_inside(tokens[at].clone(), words),
            }
        }
        tokens.into_iter().collect()
    }

    fn garbled_inside(&mut self, token: TokenTree, words: &[TokenTree]) -> TokenTree {
        let TokenTree::Group(group) = token else { return token };
        Group::new(group.delimiter(), self.garbled(group.stream(), words)).into()
    }

    pub(super) fn wrapped(&mut self, token: TokenTree) -> TokenTree {
        let delimiters = [Delimiter::None, Delimiter::Parenthesis, Delimiter::Bracket, Delimiter::Brace];
        Group::new(self.one(&delimiters), token.into()).into()
    }
}

pub(super) fn words() -> Vec<TokenTree> {
    quote!(
        async fn self Self mut ref move pub crate impl dyn where const unsafe let return await use in for
        max name key value fn when retry fallback err a b x T E Result Ok Pin Box Future Output __self __stack
        'a , ; : :: = => == -> & * # ! ? | || .. @ _ - + . < > $ () [] {} 0 3 0.5 -1 "1s" "" "{self}" 'c' b"b"
    )
    .into_iter()
    .collect()
}

pub(super) fn items() -> Vec<TokenStream> {
    vec![
        quote!(
            async fn f(a: A, b: &mut B) -> Result<T, E> {
                g(a, b).await?
            }
        ),
        quote!(
            /// Docs.
            pub async fn f<'a, T: Clone>(&'a mut self, (a, _): (T, u8), mut b: B) -> Result<&'a T, E>
            where
                T: Send,
            {
                use x::{self, y};
                let this = self;
                h(this, "{a}", b)
            }
        ),
        quote!(
            fn f(self: Arc<Self>, #[cfg(x)] a: A) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send>> {
                Box::pin(async move {
                    let mut __self = self;
                    __self.go(a)
                })
            }
        ),
        quote!(
            #[timeout("1s")]
            #[p::__stack(retry(max = 3))]
            async fn f(mut self) -> Result<impl T, E> {
                go(self).await
            }
        ),
    ]
}

fn arguments() -> Vec<(&'static str, TokenStream)> {
    vec![
        ("retry", quote!(max = 3, base = "1ms", jitter, when = |e| e.a(b), no_clone(a, b), crate = ::p)),
        ("circuit_breaker", quote!(name = "p", failure_rate = 0.5, window = "10s", min_calls = 2, key = a.b)),
        ("fallback", quote!(fn = [a(b, err), Self::c, p::d::<T>], when = E::x)),
        ("fallback", quote!(value = a.clone())),
        ("timeout", quote!("2s", name = "t")),
        ("timeout", quote!(LIMIT)),
    ]
}

/// So many, unless `PROPTEST_CASES` says otherwise.
pub(super) fn rounds(normal: u64) -> u64 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(normal)
}

/// Expands, and says what was given if that panics.
pub(super) fn expanded(shown: &str, expand: impl FnOnce() -> TokenStream) -> TokenStream {
    let output = catch_unwind(AssertUnwindSafe(expand));
    assert!(output.is_ok(), "{shown}\nmakes the macro panic");
    output.unwrap_or_default()
}

/// Items, be it that an error is one of them.
#[track_caller]
pub(super) fn answers(shown: &str, output: TokenStream) {
    let text = output.to_string();
    let parsed = syn::parse2::<syn::File>(output);
    assert!(parsed.is_ok(), "{shown}\nmakes\n{text}\n{:?}", parsed.err());
}

#[test]
fn no_tokens_make_a_macro_panic() {
    let (words, items, arguments) = (words(), items(), arguments());
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    for round in 0..rounds(1_500) {
        let (stem, args) = draw.one(&arguments);
        let mut item = draw.one(&items);
        let args = draw.garbled(args, &words);
        if round % 2 == 0 {
            item = draw.garbled(item, &words);
        }
        let shown = format!("#[{stem}({args})] {item}");
        let good = syn::parse2::<syn::ItemFn>(item.clone()).is_ok();
        let output = expanded(&shown, || enter(stem, args.clone(), item.clone()));
        let again = expanded(&shown, || collected(args, item));
        // The compiler gives us nothing that it cannot read itself.
        if good {
            answers(&shown, output);
            answers(&shown, again);
        }
    }
}

#[test]
fn no_tokens_make_the_derive_panic() {
    let words: Vec<TokenTree> = words().into_iter().chain(quote!(struct enum transient after)).collect();
    let good = quote!(
        #[classify(crate = ::p)]
        enum Fault<'a, T: Clone>
        where
            T: Send,
        {
            #[transient]
            A,
            #[throttled(after = time)]
            B { time: Option<Duration> },
            #[transparent]
            C(T),
            #[permanent]
            D(&'a str, u8),
        }
    );
    let mut draw = Draw(0x2545_f491_4f6c_dd1d);
    for _ in 0..rounds(1_000) {
        let garbled = draw.garbled(good.clone(), &words);
        let shown = garbled.to_string();
        let output = expanded(&shown, || classify::derive(garbled));
        answers(&shown, output);
    }
}
