//! `#[fallback(fn = …)]`: another answer when the first fails.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Expr;

use self::answer::{Answer, answer, answer_value, hidden_parameter, no_value};
use crate::func::Func;
use crate::key::Key;
use crate::lower::{Carries, Level, Scope, awaited, copy, function_value, own_span};
use crate::params::Passing;
use crate::policy::{Hides, Kind, Policy, Twice, Uses};
use crate::reader::Reader;

mod answer;

pub(crate) static KIND: Kind = Kind {
    stem: "fallback",
    keys: &["fn", "value", "cached", "when", "key", "max_entries", "max_age", "name", "enabled", "crate"],
    foreign: &[],
    lone: "`fn = cached_quote`",
    twice: Twice::Never,
    read: |reader| Box::new(Fallback::read(reader)),
};

struct Fallback {
    answers: Vec<Answer>,
    /// What finds the last good value, if that is the answer.
    cached: Option<Key>,
    when: Option<Expr>,
    /// Whether it passes errors on, be it by a `when` that cannot be used.
    chooses: bool,
}

impl Fallback {
    fn read(reader: &mut Reader<'_>) -> Self {
        reader.name("\"quote\"");
        let chain = reader.expression("fn", "cached_quote");
        let value = reader.expression("value", "Quote::default()");
        let when = reader.function("when", "Error::is_outage");
        let cached = cached(reader);
        reader.excludes("fn", &["value", "cached"], "keep the one that gives the answer");
        reader.excludes("value", &["cached"], "keep the one that gives the answer");
        let answered = ["fn", "value", "cached"].iter().any(|key| reader.has(key));
        if !answered && !reader.has_foreign() && !reader.has_loose() {
            reader.fault(
                "",
                "`#[fallback]` needs an answer: `fn = cached_quote`, `value = Quote::default()`, or `cached` for the \
                 last good value",
            );
        }
        let mut answers = Vec::new();
        match chain {
            Some(Expr::Array(list)) => {
                if list.elems.is_empty() {
                    reader.diag.at(&list, "this chain is empty: `fn = [nearest, cached]`");
                }
                for member in list.elems {
                    answers.extend(answer(member, reader));
                }
            }
            Some(one) => answers.extend(answer(one, reader)),
            None => {}
        }
        if let Some(value) = value {
            no_value(&value, reader);
            answers.push(Answer::Value(value));
        }
        for answer in &answers {
            hidden_parameter(answer, reader);
        }
        Self { answers, cached, when, chooses: reader.meant("when") }
    }
}

/// The last good value, and what finds it.
fn cached(reader: &mut Reader<'_>) -> Option<Key> {
    for key in ["key", "max_entries", "max_age"] {
        reader.needs(key, &["cached"], "`cached`, the last good value");
    }
    let cached = reader.flag("cached");
    if cached && cfg!(not(feature = "cache")) {
        reader.fault("cached", "`cached` needs the feature `cache` of `resilient-runtime`");
    }
    reader.count("max_entries", 1, "");
    reader.duration("max_age", Some("no value would be young enough"));
    if !cached {
        reader.expression("key", "(tenant, id)");
        return None;
    }
    Some(Key::read(reader))
}

impl Policy for Fallback {
    fn registered(&self) -> &'static str {
        "FallbackPolicy"
    }

    fn takes_time(&self) -> bool {
        self.cached.is_none()
    }

    fn hides_failures(&self) -> Option<Hides> {
        let how = if self.cached.is_some() {
            "answers failures with the last good value"
        } else {
            "answers every failure"
        };
        (!self.chooses).then_some(Hides { how, or: "give it a `when`" })
    }

    fn needs(&self, func: &Func) -> Uses {
        let mut uses = Uses::default();
        for answer in &self.answers {
            uses.add(&answer.uses(func));
        }
        uses
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        if let Some(key) = &self.cached {
            return self.recall(key, scope, inner);
        }
        let (p, place, span) = (scope.p(), scope.place(), own_span());
        let uses = self.needs(scope.func());
        let (keep, restore) = kept(scope, &uses, &inner);
        let (below, class) = (awaited(&inner), scope.class());
        let call = self.when.as_ref().map_or_else(
            || quote_spanned!(span=> #p::fall_back(#place, __out, #class)),
            |when| {
                let when = function_value(when);
                quote_spanned!(span=> #p::fall_back_when(#place, __out, #class, #when))
            },
        );
        // The answer from below comes first, so that the future does not keep what the call is given besides. A
        // fault that nobody reads is not kept through the fallback's waits.
        let (bind, pattern, fault) = match self.answers.first().and_then(Answer::error) {
            Some(_) => {
                let fault = quote_spanned!(span=> __fault);
                (quote_spanned!(span=> let #fault =), fault.clone(), fault)
            }
            None => (TokenStream::new(), quote!(_), TokenStream::new()),
        };
        let answers = self.answers(scope, inner.carries());
        inner.answer(
            &uses,
            quote_spanned! {span=> '__resilient: {
                #keep
                let __out = #below;
                #bind match #call {
                    ::core::result::Result::Ok(__answer) => break '__resilient __answer,
                    ::core::result::Result::Err(#pattern) => { #fault }
                };
                #restore
                #answers
                #p::fell_back(#place, &__answer, #class);
                __answer
            }},
        )
    }
}

/// Copies of what the layers below use up and the fallback still wants.
fn kept(scope: &Scope<'_>, uses: &Uses, below: &Level) -> (TokenStream, TokenStream) {
    let (mut keep, mut restore) = if uses.receiver { scope.kept_self(below) } else { Default::default() };
    for (at, binding) in scope.func().params.bindings.iter().enumerate() {
        if binding.passing != Passing::Owned || !uses.contains(at) || !below.moved().contains(at) {
            continue;
        }
        let (ident, cfgs) = (&binding.ident, &binding.cfgs);
        let name = Ident::new(&format!("__keep_{at}"), Span::mixed_site());
        keep.extend(copy(binding, "fallback_arg", &name, None));
        restore.extend(quote! {
            #(#cfgs)*
            #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
            let #ident = #name;
        });
    }
    (keep, restore)
}

impl Fallback {
    /// Keeps what is good, and answers with it when nothing is.
    fn recall(&self, key: &Key, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, span, place) = (scope.p(), own_span(), key.asked("remember", scope));
        let (below, class, copies) = (awaited(&inner), scope.class(), scope.copies());
        let recalled = self.when.as_ref().map_or_else(
            || quote_spanned!(span=> #p::recall(__memory, __out, #class, __copies)),
            |when| {
                let when = function_value(when);
                quote_spanned!(span=> #p::recall_when(__memory, __out, #class, __copies, #when))
            },
        );
        let mut level = inner.map_value(|_| {
            quote_spanned!(span=> {
                let __copies = #copies;
                let __memory = #place;
                let __out = #below;
                #recalled
            })
        });
        level.mention(&key.uses(scope));
        level
    }

    /// The chain, ending with `__answer` bound.
    fn answers(&self, scope: &Scope<'_>, carries: Carries) -> TokenStream {
        let span = own_span();
        let mut tokens = TokenStream::new();
        for (at, answer) in self.answers.iter().enumerate() {
            let error = answer.error();
            if at == 0 {
                tokens.extend(first_error(error, scope, carries));
            } else {
                let error = error.unwrap_or_else(|| format_ident!("__error"));
                let failed = scope.failed(&quote_spanned!(span=> __answer));
                tokens.extend(quote_spanned! {span=>
                    #[allow(unused_variables)]
                    let #error = match #failed {
                        ::core::result::Result::Ok(__error) => __error,
                        ::core::result::Result::Err(__answer) => break '__answers __answer,
                    };
                });
            }
            let later = self.later(at, scope.func());
            let value = answer_value(answer, scope, &later);
            tokens.extend(quote_spanned!(span=> let __answer = #value;));
        }
        if self.answers.len() == 1 {
            return tokens;
        }
        quote_spanned!(span=> let __answer = '__answers: { #tokens __answer };)
    }

    /// What the members of the chain behind this one want.
    fn later(&self, at: usize, func: &Func) -> Uses {
        let mut uses = Uses::default();
        for answer in self.answers.iter().skip(at + 1) {
            uses.add(&answer.uses(func));
        }
        uses
    }
}

/// Turns the fault from below into the `err` of a call, if it takes one.
fn first_error(error: Option<Ident>, scope: &Scope<'_>, carries: Carries) -> TokenStream {
    let Some(error) = error else { return TokenStream::new() };
    let fault = quote_spanned!(own_span()=> __fault);
    let fault = match carries {
        Carries::Answer => fault,
        Carries::Reply => scope.edge(&fault),
    };
    quote_spanned!(own_span()=> let #error = #fault;)
}
