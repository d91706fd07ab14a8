//! `#[derive(Classify)]`: an attribute on each variant says what its error means.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::visit::Visit;
use syn::{Data, DeriveInput, Generics, Member, Type};

use self::reader::Reader;
use crate::diag::Diag;

mod reader;
#[cfg(test)]
mod tests;

/// Binding of a field; a plainer name could be a constant of the user's.
const INNER: &str = "__inner";

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
