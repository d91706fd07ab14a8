//! Whole stacks of generated attributes, expanded one after the other as the compiler does.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use resilient_settings::stem::table;

use super::garbled::{Draw, answers, expanded, items, rounds, words};
use crate::item::{Annotated, Attr};
use crate::policy::{KINDS, Kind, kind};
use crate::stack::{collected, enter};

/// Values that some key takes, and many that none does.
const VALUES: &[&str] = &[
    "0",
    "1",
    "3",
    "-1",
    "1_000u8",
    "0x10",
    "4294967296",
    "340282366920938463463374607431768211456",
    "0.0",
    "0.5",
    "-0.5",
    "1.",
    "2f32",
    "1e999",
    "true",
    "'c'",
    "b\"1s\"",
    "r#\"1s\"#",
    "\"\"",
    "\"none\"",
    "\"100/s\"",
    "\"0/9999d\"",
    "100 / s",
    "\"full\"",
    "\"exponential\"",
    "\"ignore\"",
    "\"\\u{0}{self}é\"",
    "LIMIT",
    "Self::LIMIT",
    "self.limit",
    "a.b[0]?",
    "p::d::<T>",
    "Duration::from_secs(1)",
    "E::is_busy",
    "|e| e.busy()",
    "|_: &E| -> bool { true }",
    "|n, wait, why| log(n, wait, why)",
    "async move |e| e.await",
    "[a(b, err), c]",
    "[]",
    "(a, b)",
    "{ let x = a; x }",
    "if a { b } else { c }",
    "vec![a, b]",
    "include!(\"a\")",
    "..",
    "return",
    "a = b",
    "self",
    "__self",
    "crate",
];

/// Attributes of others, and ours under longer paths.
const OTHERS: &[&str] = &[
    "doc = \"Docs.\"",
    "cfg(x)",
    "must_use",
    "tracing::instrument(skip(a))",
    "async_trait",
    "resilient_runtime::retry(max = 2)",
    "::r::timeout(\"1s\")",
    "p::__stack(retry(max = 3), timeout(\"9s\"))",
    "p::__applied(retry)",
    "retry",
    "fallback = 3",
];

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("the lists above are tokens")
}

impl Draw {
    fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    /// A time as one may write it, within reason or not.
    fn time(&mut self) -> TokenStream {
        let mut text = String::new();
        for _ in 0..=self.below(2) {
            text += self.one(&["1", "30", "0", "1.5", "-1", " 2 ", "99999999999999999999", "1_0", ""]);
            text += self.one(&["ms", "s", "m", "h", "d", "ns", "us", "µs", "y", "", "S", "secs", " min"]);
        }
        text.to_token_stream()
    }

    fn value(&mut self) -> TokenStream {
        let value = if self.chance(3) { self.time() } else { tokens(self.one(VALUES)) };
        if self.chance(12) { Group::new(Delimiter::None, value).to_token_stream() } else { value }
    }

    /// A key of the attribute, of another crate's, or with a slip in it.
    fn key(&mut self, kind: &Kind) -> TokenStream {
        let known = self.one(kind.keys);
        let key = match self.below(8) {
            0 => self.foreign(kind),
            1 => known.get(1..).filter(|rest| !rest.is_empty()).unwrap_or(known),
            _ => known,
        };
        key.parse().unwrap_or_default()
    }

    fn foreign(&mut self, kind: &Kind) -> &'static str {
        let of_table = table(kind.stem).map(|table| [table.foreign, table.foreign_code]);
        let all = of_table.into_iter().flatten().chain([kind.foreign]).flatten();
        let words: Vec<_> = all.flat_map(|foreign| foreign.words.split(' ')).collect();
        self.one(&words)
    }

    fn argument(&mut self, kind: &Kind) -> TokenStream {
        let (key, value) = (self.key(kind), self.value());
        match self.below(12) {
            0 => key,
            1 => value,
            2 => quote!(#key(#value)),
            3 => quote!(#key: #value),
            4 => quote!(#key = ),
            _ => quote!(#key = #value),
        }
    }

    fn arguments(&mut self, kind: &Kind) -> TokenStream {
        let mut list = TokenStream::new();
        for _ in 0..self.below(6) {
            list.extend(self.argument(kind));
            list.extend(tokens(if self.chance(15) { self.one(&["", ";", ",,"]) } else { "," }));
        }
        if self.chance(6) { self.garbled(list, &words()) } else { list }
    }

    fn attribute(&mut self) -> TokenStream {
        let content = if self.chance(5) {
            tokens(self.one(OTHERS))
        } else {
            let kind = KINDS[self.below(KINDS.len())];
            let (stem, arguments) = (tokens(kind.stem), self.arguments(kind));
            quote!(#stem(#arguments))
        };
        // As a `macro_rules` hands on what it took for a `meta`.
        let content =
            if self.chance(10) { Group::new(Delimiter::None, content).to_token_stream() } else { content };
        quote!(#[#content])
    }

    fn stack(&mut self) -> TokenStream {
        let mut item = self.one(&items());
        if self.chance(8) {
            item = self.garbled(item, &words());
        }
        let attributes: TokenStream = (0..=self.below(4)).map(|_| self.attribute()).collect();
        if self.chance(10) {
            let group: TokenTree = Group::new(Delimiter::None, item).into();
            return quote!(#attributes #group);
        }
        quote!(#attributes #item)
    }
}

/// Expands the topmost attribute of ours, as the compiler does, if there is one.
fn expand_one(shown: &str, item: &TokenStream) -> Option<TokenStream> {
    let mut item = Annotated::parse(item.clone());
    let ours = |attr: &Attr| kind(attr.name()).is_some() || attr.name() == "__stack";
    let at = item.attrs.iter().position(ours)?;
    let attr = item.attrs.remove(at);
    let (arguments, rest) = (attr.arguments(), item.into_tokens());
    Some(expanded(shown, || match attr.name() {
        "__stack" => collected(arguments, rest),
        stem => enter(stem, arguments, rest),
    }))
}

#[test]
fn no_stack_makes_a_macro_panic_and_what_it_makes_is_items_or_errors() {
    let mut draw = Draw(0xd1b5_4a32_d192_ed03);
    for _ in 0..rounds(4_000) {
        let mut item = draw.stack();
        let shown = item.to_string();
        let good = syn::parse2::<syn::File>(item.clone()).is_ok();
        let mut expansions = 0;
        while let Some(next) = expand_one(&shown, &item) {
            item = next;
            expansions += 1;
            assert!(expansions < 30, "{shown}\nnever ends");
        }
        if good {
            answers(&shown, item);
        }
    }
}
