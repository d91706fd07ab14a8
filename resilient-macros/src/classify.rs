//! `#[derive(Classify)]`: an attribute on each variant says what its error means.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::visit::Visit;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Generics, Index, Lit, Member, Meta, Type};

use crate::args::{Arg, Args, Foreign, Form, Unknown};
use crate::diag::{Diag, listed, nearest};
use crate::paths::Paths;

/// Attributes that say a class, and what they mean.
const CLASSES: [(&str, Class); 5] = [
    ("transient", Class::Plain("Transient")),
    ("permanent", Class::Plain("Permanent")),
    ("ignored", Class::Plain("Ignored")),
    ("throttled", Class::Throttled),
    ("transparent", Class::Transparent),
];

/// Binding of a field; a plainer name could be a constant of the user's.
const INNER: &str = "__inner";

#[derive(Clone, Copy)]
enum Class {
    Plain(&'static str),
    Throttled,
    Transparent,
}

const FOREIGN: [Foreign; 1] =
    [Foreign { names: &["retry_after", "delay", "wait", "field"], advice: "use `after`: `after = field`" }];

// Input:
//     #[derive(Classify)]
//     enum PaymentError {
//         #[transient]
//         Unreachable(io::Error),
//         #[throttled(after = wait)]
//         Busy { wait: Duration },
//         #[transparent]
//         Rejected(Rejected),
//     }
//
// Output:
//     impl Classify for PaymentError {
//         fn classify(&self) -> Class {
//             match self {
//                 Self::Unreachable { .. } => Class::Transient,
//                 Self::Busy { wait: inner, .. } => Class::Throttled { after: after::<Duration>(inner) },
//                 Self::Rejected { 0: inner, .. } => <Rejected as Classify>::classify(inner),
//             }
//         }
//
//         fn rejected(&self) -> Option<&Rejected> {
//             match self {
//                 Self::Rejected { 0: inner, .. } => <Rejected as Classify>::rejected(inner),
//                 Self::Unreachable { .. } => None,
//                 Self::Busy { .. } => None,
//             }
//         }
//     }
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(fault) => return fault.to_compile_error(),
    };
    let mut reader = Reader { diag: Diag::default() };
    let paths = reader.paths(&input.attrs);
    let cases = reader.cases(&input);
    let implementation = implementation(&input, paths.private(), &cases);
    let faults = reader.diag.into_tokens();
    quote!(#implementation #faults)
}

/// A variant, or a struct as a whole.
struct Case<'a> {
    path: TokenStream,
    meaning: Meaning<'a>,
}

enum Meaning<'a> {
    Plain(&'static str),
    Throttled(Option<Slot<'a>>),
    Inner(Slot<'a>),
}

/// A field that the meaning depends on.
struct Slot<'a> {
    member: Member,
    ty: &'a Type,
}

impl Case<'_> {
    fn classify(&self, p: &TokenStream) -> TokenStream {
        let Self { path, meaning } = self;
        let inner = Ident::new(INNER, Span::mixed_site());
        match meaning {
            Meaning::Plain(class) => {
                let class = format_ident!("{class}");
                quote!(#path { .. } => #p::Class::#class)
            }
            Meaning::Throttled(None) => {
                quote!(#path { .. } => #p::Class::Throttled { after: ::core::option::Option::None })
            }
            Meaning::Throttled(Some(Slot { member, ty })) => quote! {
                #path { #member: #inner, .. } => #p::Class::Throttled {
                    after: #p::after::<#ty>(#inner)
                }
            },
            Meaning::Inner(Slot { member, ty }) => quote! {
                #path { #member: #inner, .. } => <#ty as #p::Classify>::classify(#inner)
            },
        }
    }

    fn rejected(&self, p: &TokenStream) -> TokenStream {
        let Self { path, meaning } = self;
        let Meaning::Inner(Slot { member, ty }) = meaning else {
            return quote!(#path { .. } => ::core::option::Option::None);
        };
        let inner = Ident::new(INNER, Span::mixed_site());
        quote!(#path { #member: #inner, .. } => <#ty as #p::Classify>::rejected(#inner))
    }
}

fn implementation(input: &DeriveInput, p: &TokenStream, cases: &[Case<'_>]) -> TokenStream {
    let name = &input.ident;
    let inner: Vec<&Type> = cases.iter().filter_map(Case::inner).collect();
    let generics = bounded(&input.generics, p, &inner);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let classes = cases.iter().map(|case| case.classify(p));
    let rejections = cases.iter().map(|case| case.rejected(p));
    // Nothing can be matched by reference in a type without values.
    let this = if cases.is_empty() { quote!(*self) } else { quote!(self) };
    // The fields of a union, which is reported already, cannot be matched.
    let class = if matches!(input.data, Data::Union(_)) {
        quote!(#p::Class::Unknown)
    } else {
        quote!(match #this { #(#classes,)* })
    };
    let rejected = (!inner.is_empty()).then(|| {
        quote! {
            fn rejected(&self) -> ::core::option::Option<&#p::Rejected> {
                match #this { #(#rejections,)* }
            }
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(deprecated, reason = "a deprecated variant has a class too")]
        impl #impl_generics #p::Classify for #name #ty_generics #where_clause {
            fn classify(&self) -> #p::Class {
                #class
            }

            #rejected
        }
    }
}

impl<'a> Case<'a> {
    fn inner(&self) -> Option<&'a Type> {
        match &self.meaning {
            Meaning::Inner(slot) => Some(slot.ty),
            _ => None,
        }
    }
}

/// Asks for `Classify` where the type inside is a parameter's, and so cannot be looked up here.
fn bounded(generics: &Generics, p: &TokenStream, inner: &[&Type]) -> Generics {
    let mut generics = generics.clone();
    let parameters: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    for ty in inner {
        let mut search = Search { parameters: &parameters, found: false };
        search.visit_type(ty);
        if search.found {
            generics.make_where_clause().predicates.push(syn::parse_quote!(#ty: #p::Classify));
        }
    }
    generics
}

struct Search<'a> {
    parameters: &'a [Ident],
    found: bool,
}

impl Visit<'_> for Search<'_> {
    fn visit_ident(&mut self, ident: &Ident) {
        self.found |= self.parameters.contains(ident);
    }
}

struct Reader {
    diag: Diag,
}

impl Reader {
    /// Takes `#[classify(crate = ::path)]`.
    fn paths(&mut self, attributes: &[Attribute]) -> Paths {
        let mut paths = None;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("classify")) {
            let Meta::List(list) = &attribute.meta else {
                self.diag.at(attribute, "write `#[classify(crate = ::path)]`");
                continue;
            };
            let args = self.args(list.tokens.clone(), "`#[classify]` takes a key: `crate = ::path`");
            for arg in &args.keyed {
                paths = self.runtime(arg).or(paths);
            }
        }
        paths.unwrap_or_default()
    }

    fn runtime(&mut self, arg: &Arg) -> Option<Paths> {
        if arg.key != "crate" {
            unknown("classify", &["crate"], &[]).report(arg, &mut self.diag);
            return None;
        }
        match &arg.form {
            Form::Value(value) => Paths::named(value, &mut self.diag),
            Form::Broken => None,
            Form::Word | Form::List(_) => {
                self.diag.at(&arg.key, "`crate` takes the path of the runtime crate: `crate = ::path`");
                None
            }
        }
    }

    fn args(&mut self, tokens: TokenStream, without_key: &str) -> Args {
        let args = Args::parse(tokens, &mut self.diag);
        for value in &args.loose {
            self.diag.at(value, without_key);
        }
        args
    }

    fn cases<'a>(&mut self, input: &'a DeriveInput) -> Vec<Case<'a>> {
        match &input.data {
            Data::Enum(data) => {
                self.misplaced(&input.attrs, "stands on a variant: each one has its own class");
                let variants = data.variants.iter();
                variants
                    .map(|variant| {
                        self.misplaced_key(&variant.attrs);
                        let name = &variant.ident;
                        self.case(quote!(Self::#name), name, &variant.attrs, &variant.fields)
                    })
                    .collect()
            }
            Data::Struct(data) => {
                vec![self.case(quote!(Self), &input.ident, &input.attrs, &data.fields)]
            }
            Data::Union(data) => {
                self.diag.at(data.union_token, "`Classify` can be derived for an enum or a struct");
                vec![Case { path: quote!(Self), meaning: Meaning::Plain("Unknown") }]
            }
        }
    }

    fn case<'a>(
        &mut self,
        path: TokenStream,
        name: &Ident,
        attributes: &[Attribute],
        fields: &'a Fields,
    ) -> Case<'a> {
        for field in fields {
            self.misplaced(&field.attrs, &format!("stands on `{name}` as a whole, not on a field"));
            self.misplaced_key(&field.attrs);
        }
        let mut said: Option<(&str, Meaning<'a>)> = None;
        for (attribute, word, class) in classes(attributes) {
            let meaning = self.meaning(attribute, class, name, fields);
            match &said {
                None => said = Some((word, meaning)),
                Some((first, _)) if *first == word => {
                    self.diag.at(attribute, format!("`{name}` is `#[{word}]` already; keep one"));
                }
                Some((first, _)) => {
                    let message = format!("`{name}` is `#[{first}]` already, and has one class only");
                    self.diag.at(attribute, message);
                }
            }
        }
        Case { path, meaning: said.map_or(Meaning::Plain("Unknown"), |(_, meaning)| meaning) }
    }

    fn misplaced(&mut self, attributes: &[Attribute], advice: &str) {
        for (attribute, word, _) in classes(attributes) {
            self.diag.at(attribute, format!("`#[{word}]` {advice}"));
        }
    }

    fn misplaced_key(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("classify")) {
            let inside =
                attribute.meta.require_list().ok().and_then(|list| list.tokens.clone().into_iter().next());
            let word = inside.map(|token| token.to_string()).unwrap_or_default();
            if CLASSES.iter().any(|(class, _)| *class == word) {
                self.diag.at(attribute, format!("a class stands by itself: write `#[{word}]`"));
            } else {
                self.diag.at(attribute, "`#[classify(..)]` stands on the type as a whole");
            }
        }
    }

    fn meaning<'a>(
        &mut self,
        attribute: &Attribute,
        class: Class,
        name: &Ident,
        fields: &'a Fields,
    ) -> Meaning<'a> {
        match class {
            Class::Throttled => Meaning::Throttled(self.throttled(attribute, name, fields)),
            Class::Plain(class) => {
                self.no_arguments(attribute);
                Meaning::Plain(class)
            }
            Class::Transparent => {
                self.no_arguments(attribute);
                self.only_field(attribute, name, fields).map_or(Meaning::Plain("Unknown"), Meaning::Inner)
            }
        }
    }

    fn no_arguments(&mut self, attribute: &Attribute) {
        let word = attribute.path().to_token_stream();
        match &attribute.meta {
            Meta::Path(_) => {}
            Meta::List(list) => self.diag.at(list, format!("`#[{word}]` takes no arguments")),
            Meta::NameValue(value) => self.diag.at(value, format!("`#[{word}]` takes no value")),
        }
    }

    fn only_field<'a>(
        &mut self,
        attribute: &Attribute,
        name: &Ident,
        fields: &'a Fields,
    ) -> Option<Slot<'a>> {
        let mut slots = slots(fields);
        if slots.len() == 1 {
            return slots.pop();
        }
        let message = format!(
            "`#[transparent]` asks the one field inside for its class, but `{name}` has {}",
            match slots.len() {
                0 => "none".to_owned(),
                many => many.to_string(),
            }
        );
        self.diag.at(attribute, message);
        None
    }

    fn throttled<'a>(&mut self, attribute: &Attribute, name: &Ident, fields: &'a Fields) -> Option<Slot<'a>> {
        let list = match &attribute.meta {
            Meta::Path(_) => return None,
            Meta::List(list) if !list.tokens.is_empty() => list,
            other => {
                self.diag.at(other, "write `#[throttled]` or `#[throttled(after = field)]`");
                return None;
            }
        };
        let args = self
            .args(list.tokens.clone(), "`#[throttled]` takes the field that holds the time: `after = field`");
        let mut slot = None;
        for arg in &args.keyed {
            match &arg.form {
                Form::Word if slots(fields).iter().any(|slot| arg.key.unraw() == text(&slot.member)) => {
                    self.diag.at(&arg.key, format!("the field stands behind its key: `after = {}`", arg.key));
                }
                _ if arg.key != "after" => {
                    unknown("throttled", &["after"], &FOREIGN).report(arg, &mut self.diag);
                }
                Form::Value(value) => slot = self.field(value, name, fields),
                Form::Broken => {}
                Form::Word | Form::List(_) => {
                    self.diag.at(&arg.key, "`after` names the field that holds the time: `after = field`");
                }
            }
        }
        slot
    }

    /// Finds the field that `after` names.
    fn field<'a>(&mut self, value: &Expr, name: &Ident, fields: &'a Fields) -> Option<Slot<'a>> {
        let Some(wanted) = member(value) else {
            self.diag.at(
                value,
                "`after` takes the name of a field that holds the time, or its index: `after = 0`",
            );
            return None;
        };
        let mut slots = slots(fields);
        if let Some(position) = slots.iter().position(|slot| text(&slot.member) == wanted) {
            return Some(slots.swap_remove(position));
        }
        let known: Vec<String> = slots.iter().map(|slot| text(&slot.member)).collect();
        let known = || known.iter().map(String::as_str);
        let hint = match nearest(&wanted, known()) {
            _ if slots.is_empty() => "; it has no fields at all".to_owned(),
            Some(near) => format!("; did you mean `{near}`?"),
            None => format!("; its fields: {}", listed(known())),
        };
        self.diag.at(value, format!("`{name}` has no field `{wanted}`{hint}"));
        None
    }
}

fn classes(attributes: &[Attribute]) -> impl Iterator<Item = (&Attribute, &'static str, Class)> {
    attributes.iter().filter_map(|attribute| {
        let found = CLASSES.iter().find(|(word, _)| attribute.path().is_ident(word));
        found.map(|&(word, class)| (attribute, word, class))
    })
}

fn unknown<'a>(stem: &'a str, keys: &'a [&'a str], foreign: &'a [Foreign]) -> Unknown<'a> {
    Unknown { stem, keys, foreign, lone: None }
}

fn slots(fields: &Fields) -> Vec<Slot<'_>> {
    let named = fields.iter().zip(0..).map(|(field, index)| {
        let index = || Member::Unnamed(Index { index, span: Span::mixed_site() });
        Slot { member: field.ident.clone().map_or_else(index, Member::Named), ty: &field.ty }
    });
    named.collect()
}

/// A field's name or index as written in `after`.
fn member(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) => path.path.get_ident().map(|name| name.unraw().to_string()),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(index) if index.suffix().is_empty() => Some(index.base10_digits().to_owned()),
            _ => None,
        },
        _ => None,
    }
}

fn text(member: &Member) -> String {
    match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

#[cfg(test)]
mod tests;
