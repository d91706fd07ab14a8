//! What is known of a function before its first call: the link-time record and the lines in its docs.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, parse_quote};

use crate::paths::Paths;
use crate::policy::Layer;
use crate::reader::{Held, Setting};

/// The static of a function: what is known of it, and a site for the policy of each layer.
///
/// The layers are one text, which the runtime reads when somebody asks: the compiler checks and runs what
/// stands here for every annotated function of a crate, and a text is the cheapest there is.
pub(crate) fn record(paths: &Paths, layers: &[Layer]) -> TokenStream {
    // A macro behind an import is not found while any other attribute is not.
    let (p, root) = (Paths::imported(), paths.private());
    let mut told = Told::default();
    for layer in layers.iter().filter(|layer| layer.is_first()) {
        told.add(layer.kind.stem, layer.name.as_ref(), &layer.settings);
    }
    let sites = layers.iter().rev().fold(quote!(()), |below, layer| {
        let policy = Ident::new(layer.policy.registered(), Span::mixed_site());
        quote!((#p::LayerSite<#p::#policy>, #below))
    });
    let text = &told.text;
    let constants = told.constants(&p);
    let known = quote!(#p::type_name::<__Here>, ::core::module_path!(), #text);
    let record = if constants.is_some() {
        quote!(of(#p::Function::new(#known, || __CONSTANTS)))
    } else {
        quote!(new(#known))
    };
    quote! {
        enum __Here {}
        #constants
        static __RESILIENT: #p::Record<#sites> = #p::Record::#record;
        #root::inventory::submit! { #p::Entry(&__RESILIENT.function) }
    }
}

/// Each layer as its stem, its name, its keys with their values, and an empty field: every field behind its
/// length. A `const` leaves its value to the second list.
#[derive(Default)]
pub(crate) struct Told<'a> {
    pub(crate) text: String,
    constants: Vec<&'a TokenStream>,
}

impl<'a> Told<'a> {
    fn field(&mut self, of: &str) {
        self.text.extend([&of.len().to_string(), ":", of]);
    }

    pub(crate) fn add(&mut self, stem: &str, name: Option<&LitStr>, settings: &'a [Setting]) {
        self.field(stem);
        self.field(&name.map(LitStr::value).unwrap_or_default());
        for Setting { key, value, .. } in settings {
            self.field(key);
            match value {
                Held::Text(kind, value) => self.field(&format!("{kind}{value}")),
                Held::Constant(value) => {
                    self.field("=");
                    self.constants.push(value);
                }
            }
        }
        self.field("");
    }

    /// The second list, which the compiler evaluates whether or not somebody asks for it.
    pub(crate) fn constants(&self, p: &Ident) -> Option<TokenStream> {
        let values = &self.constants;
        (!values.is_empty()).then(|| quote!(static __CONSTANTS: &[#p::Value] = &[#(#values),*];))
    }
}

/// A section that lists the layers, for a function that has documentation.
pub(crate) fn section(attrs: &[Attribute], layers: &[Layer]) -> Vec<Attribute> {
    let lines: Vec<String> = attrs.iter().filter_map(doc_line).collect();
    if lines.is_empty() || lines.iter().any(|line| line.contains("# Resilience")) {
        return Vec::new();
    }
    let listed = layers.iter().filter(|layer| layer.is_first()).enumerate().map(|(index, layer)| {
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
