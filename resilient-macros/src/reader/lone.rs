//! What a value without a key was meant for.

use quote::ToTokens as _;
use resilient_settings::words::listed;
use syn::{BinOp, Expr, ExprAssign, ExprBinary, ExprLit, Lit};

use crate::args::{Arg, Form};
use crate::policy::Words;
use crate::scan;

/// What a value looks like.
#[derive(Clone, Copy)]
enum Like {
    Text,
    Number,
    Word,
    Call,
    /// Made of arguments.
    Part,
    Other,
}

/// What to write instead of a value that stands alone: with the value itself, where its looks tell what it was meant
/// for.
pub(super) fn with_its_key(words: &Words, value: &Expr) -> String {
    if let Some(right) = assigned(words, value) {
        return format!("write `{right}`");
    }
    let like = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => Like::Text,
        Expr::Lit(ExprLit { lit: Lit::Int(_) | Lit::Float(_), .. }) => Like::Number,
        Expr::Path(path) if path.path.get_ident().is_some() => Like::Word,
        Expr::Path(_) | Expr::Call(_) => Like::Call,
        Expr::MethodCall(_) | Expr::Field(_) | Expr::Reference(_) | Expr::Tuple(_) => Like::Part,
        _ => Like::Other,
    };
    let written = scan::source(value.to_token_stream());
    let meant: Vec<String> = examples(words.lone).filter_map(|it| put(it, like, &written)).collect();
    match meant.as_slice() {
        [one] => format!("write `{one}`"),
        [] if examples(words.lone).next().is_some() => {
            format!("write its key in front of it. Keys: {}", listed(words.keys.iter().copied()))
        }
        _ => format!("write {}", words.lone),
    }
}

/// The same of a word that is no key, or a call, if it can be a value at all.
pub(super) fn as_value(words: &Words, arg: &Arg) -> Option<String> {
    let like = match arg.form {
        Form::Word => Like::Word,
        Form::List(_) => Like::Call,
        Form::Value(_) | Form::Broken => return None,
    };
    if examples(words.lone).next().is_none() {
        return Some(words.lone.to_owned());
    }
    examples(words.lone).find_map(|it| put(it, like, &arg.to_string())).map(|one| format!("`{one}`"))
}

/// `max == 3` and `"max" = 3` as they should be.
fn assigned(words: &Words, value: &Expr) -> Option<String> {
    let (Expr::Binary(ExprBinary { left, op: BinOp::Eq(_), right, .. })
    | Expr::Assign(ExprAssign { left, right, .. })) = value
    else {
        return None;
    };
    let key = scan::source(left.to_token_stream());
    let key = words.keys.iter().find(|known| **known == key.trim_matches('"'))?;
    Some(format!("{key} = {}", scan::source(right.to_token_stream())))
}

/// The keys and values of a text such as `` `name = "disk"` and `max_concurrent = 10` ``.
fn examples(lone: &str) -> impl Iterator<Item = (&str, &str)> {
    lone.split('`').skip(1).step_by(2).filter_map(|example| example.split_once(" = "))
}

/// `key = value`, if the value can be one like that of the example.
fn put((key, example): (&str, &str), like: Like, written: &str) -> Option<String> {
    let is_time = example.starts_with('"') && example.contains(|letter: char| letter.is_ascii_digit());
    let value = match like {
        Like::Text if key == "name" => written.to_owned(),
        // Every text can be a name; what is a time or a rate has a look of its own.
        Like::Text | Like::Number if is_time => example.to_owned(),
        Like::Number if example.parse::<f64>().is_ok() => written.to_owned(),
        Like::Word if key == "name" => format!("\"{written}\""),
        Like::Word | Like::Call if key == "fn" => written.to_owned(),
        Like::Word | Like::Call | Like::Part if key == "key" => written.to_owned(),
        _ => return None,
    };
    Some(format!("{key} = {value}"))
}
