//! What functions and policies are called.

/// Turns `<krate::a::T<_> as krate::Tr>::f::{{closure}}::__Here` into `module::<T as Tr>::f`.
///
/// An `impl` in another module than its type is called `module::<impl krate::Tr for krate::a::T>`.
pub(crate) fn readable(type_name: &str, module: &str) -> String {
    let path = type_name.rsplit_once("::").map_or(type_name, |(path, _)| path).replace("::{{closure}}", "");
    in_impl(&path, module).unwrap_or_else(|| no_generics(&path))
}

fn in_impl(path: &str, module: &str) -> Option<String> {
    let (before, rest) = match path.strip_prefix('<') {
        Some(rest) => (format!("{module}::"), rest),
        None => path.split_once("<impl ").map(|(before, rest)| (before.to_owned(), rest))?,
    };
    let end = find(rest, ">")?;
    let (subject, method) = (&rest[..end], no_generics(rest[end + 1..].strip_prefix("::")?));
    let (ty, of) = if let Some(at) = find(subject, " as ") {
        (&subject[..at], Some(&subject[at + " as ".len()..]))
    } else if let Some(at) = find(subject, " for ") {
        (&subject[at + " for ".len()..], Some(&subject[..at]))
    } else {
        (subject, None)
    };
    Some(match of {
        Some(of) => format!("{before}<{} as {}>::{method}", short(ty), short(of)),
        None => format!("{before}{}::{method}", short(ty)),
    })
}

/// Where `wanted` stands outside of all angle brackets that open before it.
fn find(text: &str, wanted: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if depth == 0 && text[at..].starts_with(wanted) {
            return Some(at);
        }
        match c {
            '<' => depth += 1,
            '>' if !text[..at].ends_with('-') => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// A type without its generics, and each path in it down to its last part.
fn short(ty: &str) -> String {
    let mut shortened = String::new();
    for piece in no_generics(ty).split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        shortened.push_str(piece.rsplit("::").next().unwrap_or(piece));
    }
    shortened
}

fn no_generics(path: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(path.len());
    for (at, c) in path.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if !path[..at].ends_with('-') => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// The known name that was probably meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = known.map(|known| (strsim::jaro_winkler(known, name), known));
    let nearest = alike.filter(|(likeness, _)| *likeness > 0.8).max_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(type_name: &str) -> String {
        readable(type_name, "krate::pay")
    }

    #[test]
    fn paths_read_like_source() {
        assert_eq!(path("krate::pay::quote::__Here"), "krate::pay::quote");
        assert_eq!(path("krate::pay::Client<_>::quote::{{closure}}::__Here"), "krate::pay::Client::quote");
        assert_eq!(
            path("<krate::pay::Client<_> as krate::api::Quotes<u8>>::quote::{{closure}}::__Here"),
            "krate::pay::<Client as Quotes>::quote"
        );
        assert_eq!(path("krate::api::Quotes::quote::__Here"), "krate::api::Quotes::quote");
    }

    #[test]
    fn an_impl_away_from_its_type_reads_the_same() {
        assert_eq!(
            path("krate::pay::<impl krate::api::Client<_>>::quote::__Here"),
            "krate::pay::Client::quote"
        );
        assert_eq!(
            path(
                "krate::pay::<impl krate::api::Quotes<u8> for krate::api::Client<alloc::vec::Vec<_>>>::quote::__Here"
            ),
            "krate::pay::<Client as Quotes>::quote"
        );
    }

    #[test]
    fn types_that_are_no_paths_are_told_apart() {
        let of = |ty: &str| path(&format!("<{ty} as krate::api::Quotes>::quote::__Here"));
        assert_eq!(of("&krate::pay::Client"), "krate::pay::<&Client as Quotes>::quote");
        assert_eq!(of("(krate::pay::Client, u8)"), "krate::pay::<(Client, u8) as Quotes>::quote");
        assert_eq!(of("[krate::pay::Client]"), "krate::pay::<[Client] as Quotes>::quote");
        assert_eq!(of("alloc::boxed::Box<<T as krate::A>::B>"), "krate::pay::<Box as Quotes>::quote");
        assert_eq!(of("dyn krate::pay::Client"), "krate::pay::<dyn Client as Quotes>::quote");
        assert_eq!(of("alloc::boxed::Box<fn(u8) -> u8>"), "krate::pay::<Box as Quotes>::quote");
    }
}
