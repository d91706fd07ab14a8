//! Texts with lines that cannot be read.

use super::*;

/// What is told of a text, each with its line.
fn told(text: &str) -> Vec<String> {
    let (_, faults) = read("resilient.toml", text);
    faults.iter().map(|fault| format!("{} {}: {}", fault.spot.line(), fault.path(), fault.message)).collect()
}

/// Kinds and names of the sections that are left.
fn left(text: &str) -> Vec<(&'static str, &'static str, usize)> {
    let (document, _) = read("resilient.toml", text);
    document.sections.iter().map(|section| (section.table.name, section.name, section.values.len())).collect()
}

#[test]
fn a_broken_header_is_one_mistake() {
    for header in [
        "[timeout.quotes",
        "[timeout.\"quotes]",
        "[timeout.a::odd]",
        "[timeout.a b]",
        "[timeout.]",
        "[]",
        "[[timeout.quotes]",
        "[timeout.quotes]]",
        "[timeout.quotes] limit = \"1s\"",
        "[timeout.quotes]\n[timeout.quotes]",
        "[policy.pay\nretry.max = 3\nretry.a.max = 4",
        "[resilient",
    ] {
        let text = format!(
            "[resilient]\nenabled = true\n[retry.above]\nmax = 2\n{header}\nlimit = \"5s\"\nenabled = true\n\
             [retry.below]\nmax = 3\n"
        );
        let told = told(&text);
        assert_eq!(told.len(), 1, "{text}\n{told:?}");
        let sections = left(&text);
        assert!(sections.contains(&("retry", "above", 1)), "{text}{sections:?}");
        assert!(sections.contains(&("retry", "below", 1)), "{text}{sections:?}");
        let (document, _) = read("resilient.toml", &text);
        assert!(document.torn, "{text}");
        let general: Vec<_> = document.general.values.iter().map(|(_, _, spot)| spot.line()).collect();
        assert_eq!(general, [2], "{text}");
    }
}

#[test]
fn what_stands_in_other_tables_is_told_beside_a_broken_header() {
    assert_eq!(
        told("[retry.é]\nmax = 0\n[timeout.a::odd]\nlimit = \"é\"\n[retry.b]\nmax = 0\nbase = 3s\n"),
        [
            "1 : invalid unquoted key, expected letters, numbers, `-`, `_`",
            "3 : invalid unquoted key, expected letters, numbers, `-`, `_`; a path such as \"shop::quote\" stands \
             in quotes",
            "6 retry.b.max: 0 is less than 1",
            "7 : string values must be quoted, expected literal string",
        ]
    );
}

#[test]
fn a_name_that_stands_twice_is_told_once() {
    let text = "[timeout.quotes]\nlimit = \"1s\"\n[timeout.quotes]\nlimit = \"2s\"\nmode = \"observe\"\n";
    assert_eq!(told(text), ["3 : duplicate key"]);
    assert_eq!(told("[retry.a]\nmax = 2\nmax = 3\n"), ["3 : duplicate key"]);
}

#[test]
fn a_text_that_the_parser_gives_up_on_is_torn() {
    for (text, torn) in [
        ("[retry.a]\nmax\n[retry.b]\nmax = 3\n", true),
        ("[retry.a]\nmax\n", true),
        ("[retry.a]\nbudget = \"\"\"x\n[retry.b]\nmax = 3\n", true),
        ("[retry.a]\nmax = [3\n[retry.b]\nmax = 3\n", true),
        ("[retry.a]\nmax = 3s\n[retry.b]\nmax = 3\n", false),
        ("[retry.a]\nmax = 3s\n[policy.b.retry]\nmax = 3\n", false),
        ("[retry.a]\nmax = 3\n", false),
        ("retry.a.base = 3s\n", false),
    ] {
        assert_eq!(read("resilient.toml", text).0.torn, torn, "{text}");
    }
}
