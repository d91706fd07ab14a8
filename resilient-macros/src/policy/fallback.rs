//! `#[fallback(fn = …)]`: another answer when the first fails.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, ExprPath};

use crate::args::{Foreign, ungrouped};
use crate::func::Func;
use crate::lower::{Carries, Level, Scope, awaited, own_span};
use crate::params::{Parameter, Passing};
use crate::policy::{Kind, Policy, Twice, Uses};
use crate::reader::Reader;
use crate::scan;

pub(crate) static KIND: Kind = Kind {
    stem: "fallback",
    keys: &["fn", "value", "when", "name", "crate"],
    foreign: &[
        Foreign {
            names: &[
                "method",
                "handler",
                "with",
                "function",
                "func",
                "call",
                "fallback_fn",
                "fun",
                "fallback",
                "or_else",
                "using",
            ],
            advice: "use `fn`: `fn = cached_quote`",
        },
        Foreign {
            names: &["default", "or", "result", "return", "returns", "answer", "constant"],
            advice: "use `value`",
        },
        Foreign {
            names: &[
                "if",
                "only_if",
                "predicate",
                "condition",
                "on",
                "filter",
                "fallback_if",
                "fallback_on",
                "handle",
                "apply_on",
            ],
            advice: "use `when`, which sees the error",
        },
        Foreign {
            names: &["skip_on", "ignore", "except"],
            advice: "use `when`, with the condition turned round",
        },
    ],
    lone: "`fn = cached_quote`",
    twice: Twice::Never,
    read: |reader| Box::new(Fallback::read(reader)),
};

enum Answer {
    /// `fn = path`
    Path(ExprPath),
    /// `fn = path(a, err)`
    Call(Expr),
    /// `value = expr`
    Value(Expr),
}

struct Fallback {
    answers: Vec<Answer>,
    when: Option<Expr>,
}

impl Fallback {
    fn read(reader: &mut Reader<'_>) -> Self {
        reader.name("\"quote\"");
        let chain = reader.expression("fn", "cached_quote");
        let value = reader.expression("value", "Quote::default()");
        let when = reader.function("when", "Error::is_outage");
        reader.excludes("fn", &["value"], "keep the one that gives the answer");
        if !reader.has("fn") && !reader.has("value") && !reader.has_foreign() && !reader.has_loose() {
            reader.fault(
                "",
                "`#[fallback]` needs an answer: `fn = cached_quote` or `value = Quote::default()`",
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
        answers.extend(value.map(Answer::Value));
        for answer in &answers {
            hidden_parameter(answer, reader);
        }
        Self { answers, when }
    }
}

/// One function of `fn`.
fn answer(member: Expr, reader: &mut Reader<'_>) -> Option<Answer> {
    match ungrouped(member) {
        Expr::Path(path) => {
            spelt_out(&path, reader);
            Some(Answer::Path(path))
        }
        call @ (Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_) | Expr::Await(_)) => {
            Some(Answer::Call(call))
        }
        other => {
            reader.diag.at(
                &other,
                "`fn` takes a function or a call: `fn = cached_quote`, `fn = cached_quote(sku, err)`, or \
                 `value = …` for a value",
            );
            None
        }
    }
}

/// Without parentheses all parameters are passed on, so all of them need a name.
fn spelt_out(path: &ExprPath, reader: &mut Reader<'_>) {
    let Some(func) = reader.func else { return };
    for parameter in &func.params.parameters {
        if let Parameter::Pattern(pat) = parameter {
            let text = scan::source(quote!(#path));
            let names: Vec<String> = func.params.bindings.iter().map(|it| it.ident.to_string()).collect();
            let call = format!("{text}({})", names.join(", "));
            reader.diag.at(
                pat,
                format!("this parameter has no name of its own to pass to the fallback: write `fn = {call}`"),
            );
            return;
        }
    }
}

/// `err` is the final error; a parameter of that name cannot be reached.
fn hidden_parameter(answer: &Answer, reader: &mut Reader<'_>) {
    let Some(func) = reader.func else { return };
    if let (Answer::Call(call), true) = (answer, func.names().iter().any(|name| name == "err"))
        && let Some(err) = scan::variable(&quote!(#call), "err")
    {
        reader.diag.at(err, "`err` means the final error here; give the parameter `err` another name");
    }
}

impl Answer {
    fn uses(&self, func: &Func) -> Uses {
        let params = &func.params;
        let tokens = match self {
            Self::Path(path) => {
                return Uses {
                    bindings: (0..params.bindings.len()).collect(),
                    receiver: params.receiver.is_some() && is_method(path),
                };
            }
            Self::Call(tokens) | Self::Value(tokens) => quote!(#tokens),
        };
        let bindings = params.bindings.iter().enumerate();
        Uses {
            bindings: bindings
                .filter(|(_, it)| scan::mentions(&tokens, &it.ident))
                .map(|(at, _)| at)
                .collect(),
            receiver: params.receiver.is_some() && scan::variable(&tokens, "self").is_some(),
        }
    }

    /// The `err` that a call takes.
    fn error(&self) -> Option<Ident> {
        match self {
            Self::Call(tokens) => scan::variable(&quote!(#tokens), "err"),
            Self::Path(_) | Self::Value(_) => None,
        }
    }
}

fn is_method(path: &ExprPath) -> bool {
    path.path.segments.first().is_some_and(|first| first.ident == "Self") && path.qself.is_none()
}

impl Policy for Fallback {
    fn site(&self) -> &'static str {
        "Fallback"
    }

    fn takes_time(&self) -> bool {
        true
    }

    fn hides_failures(&self) -> bool {
        self.when.is_none()
    }

    fn needs(&self, func: &Func) -> Uses {
        let mut uses = Uses::default();
        for answer in &self.answers {
            uses.add(&answer.uses(func));
        }
        uses
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, site, span) = (scope.p(), scope.site(), own_span());
        let inner = if inner.carries() == Carries::Bare { scope.future(inner) } else { inner };
        let uses = self.needs(scope.func());
        let (keep, restore) = kept(scope, &uses, inner.moved());
        let below = awaited(&inner);
        let call = self.when.as_ref().map_or_else(
            || {
                let class = Scope::class();
                quote_spanned!(span=> #p::fall_back(&#site, __fault, #class))
            },
            |when| quote_spanned!(span=> #p::fall_back_when(&#site, __fault, #when)),
        );
        let error = self.answers.first().and_then(Answer::error);
        // A fault that nobody reads is not kept through the fallback's waits.
        let (bind, fault) = error.map_or_else(Default::default, |_| {
            (quote_spanned!(span=> let __fault =), quote_spanned!(span=> __fault))
        });
        let pattern = if fault.is_empty() { quote!(_) } else { fault.clone() };
        let answers = self.answers(scope, inner.carries());
        inner.answer(&uses, quote_spanned! {span=> '__resilient: {
            #keep
            #bind match #below {
                ::core::result::Result::Ok(__value) => break '__resilient ::core::result::Result::Ok(__value),
                ::core::result::Result::Err(__fault) => match #call {
                    ::core::result::Result::Ok(#pattern) => { #fault }
                    ::core::result::Result::Err(__error) => {
                        break '__resilient ::core::result::Result::Err(__error);
                    }
                },
            };
            #restore
            #answers
            #p::fell_back(&#site, &__answer);
            __answer
        }})
    }
}

/// Copies of what the layers below use up and the fallback still wants.
fn kept(scope: &Scope<'_>, uses: &Uses, moved: &Uses) -> (TokenStream, TokenStream) {
    let (mut keep, mut restore) = (TokenStream::new(), TokenStream::new());
    for (at, binding) in scope.func().params.bindings.iter().enumerate() {
        if binding.passing != Passing::Owned || !uses.contains(at) || !moved.contains(at) {
            continue;
        }
        let (ident, cfgs) = (&binding.ident, &binding.cfgs);
        let name = Ident::new(&format!("__keep_{at}"), Span::mixed_site());
        keep.extend(scope.copy(binding, "fallback_arg", &name, None));
        restore.extend(quote!(#(#cfgs)* let #ident = #name;));
    }
    (keep, restore)
}

impl Fallback {
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
                tokens.extend(quote_spanned! {span=>
                    #[allow(unused_variables)]
                    let #error = match __answer {
                        ::core::result::Result::Err(__error) => __error,
                        __answer => {
                            break '__answers __answer;
                        }
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
    let (p, span) = (scope.p(), own_span());
    match (error, carries) {
        (None, _) => TokenStream::new(),
        (Some(error), Carries::Fault) => {
            let edge = scope.edge();
            quote_spanned!(span=> let #error = #edge(__fault);)
        }
        (Some(error), _) => quote_spanned!(span=> let #error = #p::bare(__fault);),
    }
}

/// One member's answer, a result.
fn answer_value(answer: &Answer, scope: &Scope<'_>, later: &Uses) -> TokenStream {
    match answer {
        Answer::Path(path) => path_call(path, scope, later),
        Answer::Call(call) => {
            let copies = copies(scope, &answer.uses(scope.func()), later);
            answered(scope, call.span(), &quote!({ #copies #call }))
        }
        Answer::Value(value) => scope.value(value),
    }
}

/// Fresh variables for a member of a chain that is not the last to want them.
fn copies(scope: &Scope<'_>, uses: &Uses, later: &Uses) -> TokenStream {
    let mut copies = TokenStream::new();
    for (at, binding) in scope.func().params.bindings.iter().enumerate() {
        if binding.passing == Passing::Owned && uses.contains(at) && later.contains(at) {
            copies.extend(scope.copy(binding, "fallback_arg", &binding.ident, None));
        }
    }
    copies
}

/// A call whose answer may be a future or a value.
fn answered(scope: &Scope<'_>, at: Span, call: &TokenStream) -> TokenStream {
    let p = scope.p();
    let at = own_span().located_at(at);
    let future = quote_spanned!(at=> {
        use #p::{ViaFuture as _, ViaValue as _};
        let __given = #p::Given::new(#call);
        let __future = (&__given).answer();
        __future
    });
    // A fallback that returns something else is reported on its own name.
    scope.untyped(&quote_spanned!(at=> #future.await))
}

/// `fn = path`: all parameters are passed on, the receiver too when the path starts with `Self::`.
fn path_call(path: &ExprPath, scope: &Scope<'_>, later: &Uses) -> TokenStream {
    let cfgs: Vec<&Attribute> = scope.func().params.bindings.iter().flat_map(|it| &it.cfgs).collect();
    if cfgs.is_empty() {
        return answered(scope, path.span(), &call(path, scope, later, |_| true));
    }
    // An argument cannot carry a `cfg`, so there is one call for each combination.
    let calls = (0..1_usize << cfgs.len().min(6)).map(|mask| {
        let conditions = cfgs.iter().enumerate().map(|(at, attr)| {
            let condition = attr.meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default();
            if mask >> at & 1 == 1 { condition } else { quote!(not(#condition)) }
        });
        let call = call(path, scope, later, |attr| {
            cfgs.iter().position(|cfg| std::ptr::eq(*cfg, attr)).is_none_or(|at| mask >> at & 1 == 1)
        });
        quote!(#[cfg(all(#(#conditions),*))] { #call })
    });
    answered(scope, path.span(), &quote!({ #(#calls)* }))
}

fn call(path: &ExprPath, scope: &Scope<'_>, later: &Uses, on: impl Fn(&Attribute) -> bool) -> TokenStream {
    let params = &scope.func().params;
    let p = scope.p();
    let mut args = Vec::new();
    if let Some(receiver) = params.receiver.as_ref().filter(|_| is_method(path)) {
        let token = receiver.token;
        args.push(match receiver.passing {
            Passing::RefMut if later.receiver => quote!(&mut *#token),
            Passing::PinMut if later.receiver => quote!(::core::pin::Pin::as_mut(&mut #token)),
            Passing::Owned if later.receiver => quote!(#p::fallback_arg(&#token)),
            _ => quote!(#token),
        });
    }
    for (at, binding) in params.bindings.iter().enumerate().filter(|(_, it)| it.cfgs.iter().all(&on)) {
        let ident = &binding.ident;
        args.push(match binding.passing {
            Passing::RefMut if later.contains(at) => quote!(&mut *#ident),
            Passing::PinMut if later.contains(at) => quote!(::core::pin::Pin::as_mut(&mut #ident)),
            Passing::Owned if later.contains(at) => quote!(#p::fallback_arg(&#ident)),
            _ => quote!(#ident),
        });
    }
    let mut group = proc_macro2::Group::new(proc_macro2::Delimiter::Parenthesis, quote!(#(#args),*));
    group.set_span(path.span());
    if params.bindings.iter().any(|it| it.ident.to_string().starts_with('_')) {
        // The body need not use what the fallback does.
        return quote!({
            #[allow(clippy::used_underscore_binding)]
            let __call = #path #group;
            __call
        });
    }
    quote!(#path #group)
}
