//! Words that are known, and those that were written instead.

/// The known word that `written` most likely stands for.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // In a short word one slip weighs too much for the likeness alone.
    let likeness = |word| match strsim::osa_distance(written, word) {
        1 if word.len() > 1 => 0.9_f64.max(strsim::jaro_winkler(written, word)),
        _ => strsim::jaro_winkler(written, word),
    };
    known
        .into_iter()
        .map(|word| (likeness(word), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, word)| word)
}

/// `` `a`, `b`, `c` ``
#[must_use]
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// `"a", "b", "c"`
#[must_use]
pub fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// `maxRetries` and `max-retries` as `max_retries`.
#[must_use]
pub fn snake(word: &str) -> String {
    let mut snake = String::with_capacity(word.len());
    let mut after_small = false;
    for letter in word.chars() {
        if after_small && letter.is_uppercase() {
            snake.push('_');
        }
        after_small = letter.is_lowercase() || letter.is_numeric();
        match letter {
            '-' | ' ' => snake.push('_'),
            _ => snake.extend(letter.to_lowercase()),
        }
    }
    snake
}

/// Words of others, and ours of the same meaning.
const SYNONYMS: [(&str, &str); 9] = [
    ("constant", "fixed"),
    ("geometric", "exponential"),
    ("true", "full"),
    ("random", "full"),
    ("false", "none"),
    ("off", "none"),
    ("no", "none"),
    ("dry_run", "observe"),
    ("shadow", "observe"),
];

/// The word that `written` most likely stands for.
#[must_use]
pub fn meant(written: &str, words: &[&'static str]) -> Option<&'static str> {
    let written = written.to_lowercase();
    let same = SYNONYMS.iter().find(|(other, _)| *other == written).map(|(_, word)| *word);
    same.and_then(|same| words.iter().copied().find(|word| *word == same))
        .or_else(|| nearest(&written, words.iter().copied()))
}

/// A message, in which what somebody wrote must not reach a terminal's controls.
#[must_use]
pub fn printable(message: String) -> String {
    if !message.contains(char::is_control) {
        return message;
    }
    let escaped = |letter: char| {
        if letter.is_control() { letter.escape_default().to_string() } else { letter.to_string() }
    };
    message.chars().map(escaped).collect()
}

/// Keys joined by dots, with quotes where TOML needs them.
#[must_use]
pub fn dotted<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let bare = |key: &str| {
        !key.is_empty() && key.chars().all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '-')
    };
    let quoted = |key: &str| if bare(key) { key.to_owned() } else { format!("{key:?}") };
    keys.into_iter().map(quoted).collect::<Vec<_>>().join(".")
}
