//! One answer of a fallback: a function, a call or a value.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Attribute, Expr, ExprCall, ExprLit, ExprPath, Lit, Macro, PatIdent, Path};

use crate::args::ungrouped;
use crate::func::Func;
use crate::lower::{Scope, copy, own_span};
use crate::params::{Parameter, Passing};
use crate::policy::Uses;
use crate::reader::Reader;
use crate::scan;

pub(super) enum Answer {
    /// `fn = path`
    Path(ExprPath),
    /// `fn = path(a, err)`
    Call(Expr),
    /// `value = expr`
    Value(Expr),
}

/// One function of `fn`.
pub(super) fn answer(member: Expr, reader: &mut Reader<'_>) -> Option<Answer> {
    match ungrouped(member) {
        Expr::Path(path) => {
            spelt_out(&path, reader);
            Some(Answer::Path(path))
        }
        call @ (Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_) | Expr::Await(_)) => {
            Some(Answer::Call(call))
        }
        other => {
            reader.diag.at(&other, no_answer(&other));
            None
        }
    }
}

/// What to write instead of something that is no function.
fn no_answer(written: &Expr) -> String {
    let text = scan::source(quote!(#written));
    match written {
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) if name.parse::<Path>().is_ok() => {
            format!("`fn` takes a function without quotes: `fn = {}`", name.value())
        }
        Expr::Closure(_) => {
            "`fn` needs no closure: the parameters and the final error `err` are in scope, as in \
                             `fn = cached_quote(sku, err)`"
                .to_owned()
        }
        Expr::Tuple(chain) => {
            let chain = &chain.elems;
            format!("a chain stands in brackets: `fn = [{}]`", scan::source(quote!(#chain)))
        }
        Expr::Field(_) => format!("`{text}` is a field; a method is called: `fn = {text}(…)`"),
        _ => "`fn` takes a function or a call: `fn = cached_quote`, `fn = cached_quote(sku, err)`, or \
              `value = …` for a value"
            .to_owned(),
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

impl Answer {
    pub(super) fn uses(&self, func: &Func) -> Uses {
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
    pub(super) fn error(&self) -> Option<Ident> {
        match self {
            Self::Call(tokens) => scan::variable(&quote!(#tokens), "err"),
            Self::Path(_) | Self::Value(_) => None,
        }
    }
}

fn is_method(path: &ExprPath) -> bool {
    path.path.segments.first().is_some_and(|first| first.ident == "Self") && path.qself.is_none()
}

/// `err` is the final error; a parameter of that name cannot be reached.
pub(super) fn hidden_parameter(answer: &Answer, reader: &mut Reader<'_>) {
    let Some(func) = reader.func else { return };
    if let (Answer::Call(call), true) = (answer, func.names().iter().any(|name| name == "err"))
        && let Some(err) = scan::variable(&quote!(#call), "err")
    {
        reader.diag.at(err, "`err` means the final error here; give the parameter `err` another name");
    }
}

/// A `value` stands for what is good, and nobody tells it what was not.
pub(super) fn no_value(value: &Expr, reader: &mut Reader<'_>) {
    let Some(func) = reader.func else { return };
    if let Some(inside) = inside_ok(value).filter(|_| func.ret.holds_no_result()) {
        let text = scan::source(inside.to_token_stream());
        reader.diag.at(value, format!("`value` is what stands in the `Ok`: write `value = {text}`"));
    }
    if func.names().iter().any(|name| name == "err") {
        return;
    }
    let mut errors = Errors::default();
    errors.visit_expr(value);
    if let Some(err) = errors.found.filter(|_| !errors.bound) {
        reader.diag.at(err, "`value` does not see the error; write `fn = …` with a call that takes `err`");
    }
}

/// `x` of `Ok(x)`.
fn inside_ok(value: &Expr) -> Option<&Expr> {
    let Expr::Call(ExprCall { func, args, .. }) = value else { return None };
    match (&**func, args.len()) {
        (Expr::Path(path), 1) if path.path.is_ident("Ok") => args.first(),
        _ => None,
    }
}

/// Where an expression takes `err` from its surroundings.
#[derive(Default)]
struct Errors {
    found: Option<Ident>,
    /// Whether it has one of its own.
    bound: bool,
}

impl<'ast> Visit<'ast> for Errors {
    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let Some(err) = path.path.get_ident().filter(|ident| *ident == "err") {
            self.found.get_or_insert_with(|| err.clone());
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        // A function may well be called `err`.
        if !matches!(*call.func, Expr::Path(_)) {
            self.visit_expr(&call.func);
        }
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        // Of other macros nobody knows what they bind.
        if let Some(err) = scan::variable(&call.tokens, "err").filter(|_| call.path.is_ident("format")) {
            self.found.get_or_insert(err);
        }
    }

    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        self.bound |= pat.ident == "err";
        syn::visit::visit_pat_ident(self, pat);
    }
}

/// One member's answer, a result.
pub(super) fn answer_value(answer: &Answer, scope: &Scope<'_>, later: &Uses) -> TokenStream {
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
            copies.extend(copy(binding, "fallback_arg", &binding.ident, None));
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
    scope.returned(&quote_spanned!(at=> #future.await))
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
    let mut args = Vec::new();
    if let Some(receiver) = params.receiver.as_ref().filter(|_| is_method(path)) {
        let token = receiver.token;
        args.push((token.span, scope.handed(None, later.receiver)));
    }
    for (at, binding) in params.bindings.iter().enumerate().filter(|(_, it)| it.cfgs.iter().all(&on)) {
        let ident = &binding.ident;
        let handed = scope.handed(Some(at), later.contains(at));
        args.push((ident.span(), handed));
    }
    // Passed under names of our own: the compiler would else propose to change the user's signature.
    let names = args
        .iter()
        .enumerate()
        .map(|(at, (span, _))| format_ident!("__arg_{at}", span = own_span().located_at(*span)));
    let names: Vec<Ident> = names.collect();
    let values = args.iter().map(|(_, value)| value);
    let mut group = Group::new(Delimiter::Parenthesis, quote!(#(#names),*));
    group.set_span(path.span());
    let call = quote_spanned!(own_span()=> match (#(#values,)*) { (#(#names,)*) => #path #group });
    if params.bindings.iter().any(|it| it.ident.to_string().starts_with('_')) {
        // The body need not use what the fallback does.
        return quote!({
            #[allow(clippy::used_underscore_binding)]
            let __call = #call;
            __call
        });
    }
    call
}
