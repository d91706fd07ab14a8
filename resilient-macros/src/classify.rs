//! `#[derive(Classify)]`: an attribute on each variant says what its error means.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::visit::Visit;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Generics, Index, Lit, Member, Meta, Type};

use crate::args::{Arg, Args, Foreign, Form, unknown};
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
    [Foreign { names: &["retry_after", "delay", "wait", "field"], advice: "write `after = field`" }];

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
    let implementation = implementation(&input, &paths.private(), &cases);
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
                match #this { #(#classes,)* }
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
            unknown("classify", &arg.key, &["crate"], &[], &mut self.diag);
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
            self.diag.at(attribute, "`#[classify(..)]` stands on the type as a whole");
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
        let args = self.args(list.tokens.clone(), "write `after = field`");
        let mut slot = None;
        for arg in &args.keyed {
            match &arg.form {
                Form::Word if slots(fields).iter().any(|slot| arg.key.unraw() == text(&slot.member)) => {
                    self.diag.at(&arg.key, format!("write `after = {}`", arg.key));
                }
                _ if arg.key != "after" => {
                    unknown("throttled", &arg.key, &["after"], &FOREIGN, &mut self.diag);
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
            self.diag.at(value, "`after` takes the name of a field, or its index: `after = 0`");
            return None;
        };
        let mut slots = slots(fields);
        if let Some(position) = slots.iter().position(|slot| text(&slot.member) == wanted) {
            return Some(slots.swap_remove(position));
        }
        let known: Vec<String> = slots.iter().map(|slot| text(&slot.member)).collect();
        let known = || known.iter().map(String::as_str);
        let hint = match nearest(&wanted, known()) {
            _ if slots.is_empty() => "; it has none".to_owned(),
            Some(near) => format!("; did you mean `{near}`?"),
            None => format!("; there are {}", listed(known())),
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
mod tests {
    use super::*;

    fn expanded(source: &str) -> String {
        derive(source.parse().expect("tokens")).to_string().replace(' ', "")
    }

    fn faults(source: &str) -> Vec<String> {
        let input: DeriveInput = syn::parse_str(source).expect("an item");
        let mut reader = Reader { diag: Diag::default() };
        reader.paths(&input.attrs);
        reader.cases(&input);
        reader.diag.messages()
    }

    #[test]
    fn each_variant_gets_its_class() {
        let code = expanded(
            "enum E { #[transient] A(u8), #[throttled(after = wait)] B { wait: Duration, id: u8 },
             #[throttled(after = 1)] C(u8, Option<Duration>), #[throttled] D, #[transparent] E(Inner), F }",
        );
        let p = "::resilient_runtime::__private::";
        for arm in [
            format!("Self::A{{..}}=>{p}Class::Transient,"),
            format!(
                "Self::B{{wait:__inner,..}}=>{p}Class::Throttled{{after:{p}after::<Duration>(__inner)}},"
            ),
            format!(
                "Self::C{{1:__inner,..}}=>{p}Class::Throttled{{after:{p}after::<Option<Duration>>(__inner)}},"
            ),
            format!("Self::D{{..}}=>{p}Class::Throttled{{after:::core::option::Option::None}},"),
            format!("Self::E{{0:__inner,..}}=><Inneras{p}Classify>::classify(__inner),"),
            format!("Self::F{{..}}=>{p}Class::Unknown,"),
            format!("Self::E{{0:__inner,..}}=><Inneras{p}Classify>::rejected(__inner),"),
        ] {
            assert!(code.contains(&arm), "no `{arm}` in {code}");
        }
    }

    #[test]
    fn nothing_is_asked_inside_without_a_transparent_variant() {
        assert!(!expanded("enum E { #[permanent] A }").contains("fnrejected"));
        assert!(expanded("enum Never {}").contains("match*self{}"));
    }

    #[test]
    fn generics_are_kept_and_bounded_where_a_parameter_is_asked() {
        let code = expanded(
            "enum E<'a, T: Copy, U = u8, const N: usize> where U: Eq { #[transparent] A(T), #[transparent] B(&'a Fixed), C(U) }",
        );
        let p = "::resilient_runtime::__private::";
        let head =
            format!("impl<'a,T:Copy,U,constN:usize>{p}ClassifyforE<'a,T,U,N>whereU:Eq,T:{p}Classify{{");
        assert!(code.contains(&head), "{code}");
    }

    #[test]
    fn a_struct_is_one_case() {
        let code = expanded("#[throttled(after = 0)] struct Busy(Duration);");
        assert!(code.contains("Self{0:__inner,..}=>"), "{code}");
    }

    #[test]
    fn the_runtime_may_have_another_name() {
        let code = expanded("#[classify(crate = ::tough)] enum E { #[ignored] A }");
        assert!(code.contains("::tough::__private::Class::Ignored"), "{code}");
    }

    #[test]
    fn all_faults_are_reported_together() {
        let found = faults(
            "#[transient] #[classify(krate = ::x)] enum E {
                #[transient] #[permanent] A,
                #[throttled(after = retry_aftr)] B { retry_after: Duration },
                #[transparent] C,
                #[transparent] D(u8, u8),
                #[transient(now)] E,
                F(#[ignored] u8),
                #[throttled(retry_after)] G { retry_after: Duration },
                #[throttled(after = 2)] H(Duration),
                #[throttled(aftr = 0)] I(Duration),
                #[throttled()] J,
                #[classify(crate = ::x)] K,
                #[ignored] #[ignored] L,
                #[throttled(after = \"5s\")] M,
                #[throttled(after = 0)] N,
             }",
        );
        assert_eq!(
            found,
            [
                "unknown key `krate` in `#[classify]`; did you mean `crate`? Keys: `crate`",
                "`#[transient]` stands on a variant: each one has its own class",
                "`A` is `#[transient]` already, and has one class only",
                "`B` has no field `retry_aftr`; did you mean `retry_after`?",
                "`#[transparent]` asks the one field inside for its class, but `C` has none",
                "`#[transparent]` asks the one field inside for its class, but `D` has 2",
                "`#[transient]` takes no arguments",
                "`#[ignored]` stands on `F` as a whole, not on a field",
                "write `after = retry_after`",
                "`H` has no field `2`; there are `0`",
                "unknown key `aftr` in `#[throttled]`; did you mean `after`? Keys: `after`",
                "write `#[throttled]` or `#[throttled(after = field)]`",
                "`#[classify(..)]` stands on the type as a whole",
                "`L` is `#[ignored]` already; keep one",
                "`after` takes the name of a field, or its index: `after = 0`",
                "`N` has no field `0`; it has none",
            ]
        );
    }

    #[test]
    fn a_union_is_refused_and_still_gets_its_impl() {
        assert_eq!(faults("union U { a: u8 }"), ["`Classify` can be derived for an enum or a struct"]);
        assert!(expanded("union U { a: u8 }").contains("ClassifyforU"));
    }
}
