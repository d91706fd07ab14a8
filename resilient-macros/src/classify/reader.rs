//! The attributes of `#[derive(Classify)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote};
use resilient_settings::stem::Foreign;
use syn::ext::IdentExt as _;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Index, Lit, Member, Meta};

use super::{Case, Meaning, Slot};
use crate::args::{Arg, Args, Form, Unknown};
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

#[derive(Clone, Copy)]
enum Class {
    Plain(&'static str),
    Throttled,
    Transparent,
}

const FOREIGN: [Foreign; 1] =
    [Foreign { words: "retry_after delay wait field", advice: "use `after`: `after = field`" }];

/// Tells the cases apart, and what is wrong with them.
pub(super) struct Reader {
    pub(super) diag: Diag,
}

impl Reader {
    /// Takes `#[classify(crate = ::path)]`.
    pub(super) fn paths(&mut self, attributes: &[Attribute]) -> Paths {
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

    pub(super) fn cases<'a>(&mut self, input: &'a DeriveInput) -> Vec<Case<'a>> {
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
