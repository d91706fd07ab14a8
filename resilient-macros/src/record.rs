//! What is known of a function before its first call: the link-time record and the lines in its docs.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, parse_quote};

use crate::policy::Layer;

/// The static of a function: what is known of it, and a place for the policy of each layer.
///
/// Plain values and few types, the same for all functions: the compiler checks and runs what stands here
/// for every annotated function of a crate.
pub(crate) fn record(p: &TokenStream, layers: &[Layer]) -> TokenStream {
    let entries = layers.iter().map(|layer| {
        let stem = layer.kind.stem;
        let name = layer.name.as_ref().map_or_else(
            || quote!(::core::option::Option::None),
            |name| quote!(::core::option::Option::Some(#name)),
        );
        let settings = layer.settings.iter().map(|setting| {
            let (key, value) = (&setting.key, &setting.value);
            quote!((#key, #value))
        });
        quote!(#p::Layer { stem: #stem, name: #name, written: &[#(#settings),*] })
    });
    let count = Literal::usize_unsuffixed(layers.len());
    quote! {
        enum __Here {}
        static __RESILIENT: #p::Record<#count> = #p::Record::new(
            #p::type_name::<__Here>,
            ::core::module_path!(),
            ::core::file!(),
            ::core::line!(),
            &[#(#entries),*],
        );
        #p::inventory::submit! { #p::Entry(&__RESILIENT.function) }
    }
}

/// A section that lists the layers, for a function that has documentation.
pub(crate) fn section(attrs: &[Attribute], layers: &[Layer]) -> Vec<Attribute> {
    let lines: Vec<String> = attrs.iter().filter_map(doc_line).collect();
    if lines.is_empty() || lines.iter().any(|line| line.contains("# Resilience")) {
        return Vec::new();
    }
    let listed = layers.iter().enumerate().map(|(index, layer)| {
        let name = layer.name.as_ref().map(|name| written("name", &format!("{:?}", name.value())));
        let settings = layer.settings.iter().map(|setting| written(&setting.key, &setting.written));
        let settings: Vec<String> = name.into_iter().chain(settings).collect();
        let colon = if settings.is_empty() { "" } else { ": " };
        format!(" {}. `{}`{colon}{}", index + 1, layer.kind.stem, settings.join(", "))
    });
    let head = [String::new(), " # Resilience".to_owned(), String::new()];
    head.into_iter().chain(listed).map(|line| parse_quote!(#[doc = #line])).collect()
}

fn written(key: &str, value: &str) -> String {
    let value = value.replace('`', "'");
    if key == value { format!("`{key}`") } else { format!("`{key} = {value}`") }
}

fn doc_line(attr: &Attribute) -> Option<String> {
    match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => Some(String::new()),
        },
        _ => None,
    }
}
