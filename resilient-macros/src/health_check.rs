//! `#[health_check(name = "…")]`: a probe that runs in the background.
//!
//! It is no layer of a stack: the function stays as it is, and a record in its body says how to call it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Safety, Signature};

use crate::args::Args;
use crate::diag::Diag;
use crate::func::{Around, Func, rebuilt};
use crate::item::Annotated;
use crate::paths::Paths;
use crate::policy::Words;
use crate::reader::{OTHER_NAMES, Reader};
use crate::record::Told;
use crate::stack;

pub(crate) const WORDS: Words = Words {
    stem: "health_check",
    keys: &["name", "critical", "interval", "timeout", "crate"],
    foreign: &[OTHER_NAMES],
    lone: "`name = \"database\"`",
};

/// Reads the attribute and leaves a record in the function, or reports everything that is wrong.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let (item, mut diag) = (Annotated::parse(item), Diag::default());
    let args = Args::parse(args, &mut diag);
    let paths = stack::paths([&args], &mut diag);
    let func = Func::parse(&item, WORDS.stem, &mut diag);
    if let Some(func) = &func {
        can_be_called(func, &mut diag);
    }
    let mut reader = Reader::new(WORDS, item.here(), args, func.as_ref(), &mut diag);
    reader.required_name("\"database\"");
    reader.switch("critical");
    reader.duration("interval", Some("it would never do anything else"));
    reader.duration("timeout", Some("every run would time out"));
    let (name, settings) = reader.finish();
    let Some(func) = func.filter(|_| diag.is_empty()) else {
        let (item, errors) = (item.into_tokens(), diag.into_tokens());
        return quote!(#[allow(unused)] #item #errors);
    };
    let mut told = Told::default();
    told.add(WORDS.stem, name.as_ref(), &settings);
    let record = record(&func, &paths, &told);
    let (items, body) = (&func.items, &func.body);
    rebuilt(&func, &func.sig, &quote!(#record #items #body))
}

/// Reports what the background cannot do: it has nothing to call the function with, or on.
fn can_be_called(func: &Func, diag: &mut Diag) {
    let Signature { ident, safety, inputs, generics, .. } = &func.sig;
    if let Around::Returned { .. } = func.around {
        diag.at(
            func.sig.fn_token,
            format!("`#[health_check]` needs an async function: write `async fn {ident}`"),
        );
    }
    if let Safety::Unsafe(unsafety) = safety {
        diag.at(
            unsafety,
            format!("`{ident}` is called in the background, which cannot promise what makes it safe"),
        );
    }
    if func.params.receiver.is_some() {
        let by_hand = "HealthCheck::new(\"database\").register(move || …)";
        let message = format!(
            "`{ident}` is called in the background, where there is no `self`: write a function without, or \
             register a closure by hand, `{by_hand}`"
        );
        diag.at(inputs.first(), message);
    } else if !inputs.is_empty() {
        let message = format!(
            "`{ident}` is called in the background, where there is nothing to pass: write a function without \
             parameters, or register a closure by hand, `HealthCheck::new(\"database\").register(move || …)`"
        );
        diag.at(inputs, message);
    }
    if !generics.params.is_empty() {
        let message =
            format!("`{ident}` is called in the background, where nothing chooses `{}`", chosen(generics));
        diag.at(&generics.params, message);
    }
}

fn chosen(generics: &syn::Generics) -> String {
    let names = generics.params.iter().map(|param| match param {
        syn::GenericParam::Lifetime(lifetime) => lifetime.lifetime.to_string(),
        syn::GenericParam::Type(ty) => ty.ident.to_string(),
        syn::GenericParam::Const(constant) => constant.ident.to_string(),
    });
    names.collect::<Vec<_>>().join("`, `")
}

/// The link-time record, with its names out of sight of the function.
fn record(func: &Func, paths: &Paths, told: &Told<'_>) -> TokenStream {
    let (p, root, import) = (Paths::imported(), paths.private(), paths.import());
    let name = &func.sig.ident;
    let here = Paths::imported_at(name.span());
    let errors = Ident::new("__errors", Span::mixed_site());
    let called = quote_spanned!(name.span()=> #here::run(#name(), #errors));
    let text = &told.text;
    let constants = told.constants(&p);
    let given = if constants.is_some() { quote!(__CONSTANTS) } else { quote!(&[]) };
    quote! {
        enum __Checked {}
        const _: () = {
            #import
            #constants
            static __CHECK: #p::Function = #p::Function::new(
                #p::type_name::<__Checked>,
                ::core::module_path!(),
                #text,
                || #given,
            );
            fn __run() -> #p::Probe {
                let #errors = #p::errors_of();
                let __run = #called;
                #p::probe(__run, #errors.class())
            }
            #root::inventory::submit! { #p::CheckEntry::new(&__CHECK, __run) }
        };
    }
}
