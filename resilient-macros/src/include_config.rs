//! `include_config!("resilient.toml")`: a file that is checked when the program is compiled.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use resilient_settings::file::{Fault, chains, read};
use resilient_settings::words::nearest;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, LitStr, Token};

use crate::args::ungrouped;

/// The file as a pair of its name and its text, or what is wrong with it.
pub(crate) fn expand(args: &TokenStream) -> TokenStream {
    match path(args) {
        Ok(path) => Included::new(&path).into_tokens(),
        Err(fault) => fault.to_compile_error(),
    }
}

/// The one argument.
fn path(args: &TokenStream) -> syn::Result<LitStr> {
    const RIGHT: &str = "`include_config!(\"resilient.toml\")`";
    let values = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(args.clone());
    let unreadable = || syn::Error::new_spanned(args, format!("it takes one path: {RIGHT}"));
    let values = values.ok().ok_or_else(unreadable)?;
    let mut values = values.into_iter().map(ungrouped);
    let Some(value) = values.next() else {
        return Err(syn::Error::new(Span::call_site(), format!("it needs the path of a file: {RIGHT}")));
    };
    if let Some(second) = values.next() {
        let message = "one file at a time: `configure()` lays several over each other, each with an \
                       `include_config!` of its own";
        return Err(syn::Error::new_spanned(second, message));
    }
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) if path.value().is_empty() => {
            Err(syn::Error::new_spanned(path, format!("this path is empty: {RIGHT}")))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => Ok(path),
        value => {
            let message =
                format!("the file is read when compiling, so its path is a text in quotes: {RIGHT}");
            Err(syn::Error::new_spanned(value, message))
        }
    }
}

struct Included<'a> {
    path: &'a LitStr,
    /// Whether there is something that the compiler can watch.
    found: bool,
    faults: Vec<String>,
}

impl<'a> Included<'a> {
    fn new(path: &'a LitStr) -> Self {
        let name = path.value();
        let place = folder().join(&name);
        match fs::read(&place) {
            Ok(bytes) => Self { path, found: true, faults: faults(&name, bytes) },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Self { path, found: false, faults: vec![missing(&name, &place)] }
            }
            Err(error) => {
                Self { path, found: false, faults: vec![format!("`{name}` cannot be read: {error}")] }
            }
        }
    }

    fn into_tokens(self) -> TokenStream {
        let Self { path, found, faults } = self;
        let name = path.value();
        let file = if Path::new(&name).is_absolute() {
            quote!(#name)
        } else {
            // Not the place as it was found: what is compiled should not depend on where that is done.
            quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #name))
        };
        if faults.is_empty() {
            return quote!((#name, ::core::include_str!(#file)));
        }
        // The compiler has to watch a wrong file, too.
        let watched = found.then(|| {
            quote!(
                const _: &[::core::primitive::u8] = ::core::include_bytes!(#file);
            )
        });
        let errors =
            faults.iter().map(|fault| quote_spanned!(path.span()=> ::core::compile_error! { #fault }));
        quote!({ #watched #(#errors)* })
    }
}

/// The folder of the package that is compiled.
fn folder() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default()
}

fn faults(name: &str, bytes: Vec<u8>) -> Vec<String> {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|it| **it == b'\n');
            return vec![format!("`{name}` is not UTF-8: see line {}", line.count() + 1)];
        }
    };
    let (document, mut faults) = read(name, &text);
    if !document.torn {
        faults.extend(chains(&document.sections));
    }
    faults.sort_by_key(|fault| fault.spot.start());
    faults.iter().map(told).collect()
}

/// As at the program's start, without the word that the compiler puts in front.
fn told(fault: &Fault) -> String {
    let told = fault.to_string();
    told.strip_prefix("error: ").map_or_else(|| told.clone(), str::to_owned)
}

fn missing(name: &str, place: &Path) -> String {
    let siblings = place.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten();
    let files = siblings.flatten().filter_map(|file| file.file_name().into_string().ok());
    let files: Vec<String> = files.filter(|file| file != "Cargo.toml").collect();
    let wanted = place.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let meant = nearest(&wanted, files.iter().map(String::as_str));
    let meant = meant.map(|file| format!("; did you mean `{file}`?")).unwrap_or_default();
    format!("there is no `{name}`, seen from the folder of the package's Cargo.toml{meant}")
}
