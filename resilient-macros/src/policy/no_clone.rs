//! `no_clone(a, b)`: arguments that the body only borrows, however often it runs.

use syn::Ident;

use crate::diag::nearest;
use crate::reader::Reader;

pub(super) fn no_clone(reader: &mut Reader<'_>) -> Vec<Ident> {
    let names = reader.names("no_clone");
    let Some(func) = reader.func else { return names };
    for name in &names {
        if name == "self" {
            if func.params.receiver.is_none() {
                reader.diag.at(name, "`no_clone(self)`: this function has no `self`");
            }
            continue;
        }
        match func.params.position(name).map(|position| &func.params.bindings[position]) {
            None => {
                let known: Vec<String> =
                    func.params.bindings.iter().map(|binding| binding.ident.to_string()).collect();
                let meant = nearest(&name.to_string(), known.iter().map(String::as_str));
                let meant = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
                reader.diag.at(name, format!("`no_clone`: no parameter is called `{name}`{meant}"));
            }
            Some(binding) if binding.mutable.is_some() => {
                let message = format!(
                    "`{name}` is `mut`, so each attempt needs its own: remove `{name}` from `no_clone` or `mut`"
                );
                reader.diag.at(name, message);
            }
            Some(_) => {}
        }
    }
    names
}
